"""Building blocks of networks: modules, layers, losses, initial weights; named as in `torch.nn`.

Reading order: parameter, module, layers, pooling, normalization, activations, losses, containers,
init, utils.
"""

from tinynet.nn import functional, init, utils
from tinynet.nn.activations import (
    ELU,
    GELU,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from tinynet.nn.containers import ModuleList, Sequential
from tinynet.nn.layers import Conv2d, Dropout, Embedding, Flatten, Identity, Linear
from tinynet.nn.losses import BCEWithLogitsLoss, CrossEntropyLoss, HuberLoss, L1Loss, MSELoss
from tinynet.nn.module import Module
from tinynet.nn.normalization import BatchNorm1d, BatchNorm2d, LayerNorm
from tinynet.nn.parameter import Parameter
from tinynet.nn.pooling import AdaptiveAvgPool2d, AvgPool2d, MaxPool2d

__all__ = [
    "ELU", "GELU", "AdaptiveAvgPool2d", "AvgPool2d", "BCEWithLogitsLoss", "BatchNorm1d",
    "BatchNorm2d", "Conv2d", "CrossEntropyLoss", "Dropout", "Embedding", "Flatten", "HuberLoss",
    "Identity", "L1Loss", "LayerNorm", "LeakyReLU", "Linear", "LogSoftmax", "MSELoss",
    "MaxPool2d", "Module", "ModuleList", "Parameter", "ReLU", "Sequential", "SiLU", "Sigmoid",
    "Softmax", "Softplus", "Tanh", "functional", "init", "utils",
]  # fmt: skip
