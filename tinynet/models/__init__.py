"""The documents' networks: LeNet for MNIST, CifarCNN and CifarLeNet for CIFAR-10."""

from tinynet.models.cifar import CifarCNN, CifarLeNet
from tinynet.models.lenet import LeNet

__all__ = ["CifarCNN", "CifarLeNet", "LeNet"]
