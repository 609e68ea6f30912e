"""The networks of the documents that tinynet grew from, a screenful each."""

from tinynet.models.cifar import CifarCNN, CifarLeNet
from tinynet.models.lenet import LeNet

__all__ = ["CifarCNN", "CifarLeNet", "LeNet"]
