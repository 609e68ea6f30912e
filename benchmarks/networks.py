"""The networks as lists of layers, and the numbers that each layer reads, writes and computes.

A layer is (name, arguments), with names common to tinynet.nn and torch.nn; `build` makes the same
network from either library.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Layers = Sequence[tuple[Any, ...]]
FLATTEN = ("Flatten",)


def conv(*sizes: int) -> Layers:
    """A convolution (channels in, channels out, kernel) and its ReLU."""
    return ("Conv2d", *sizes), ("ReLU",)


def pooled(*sizes: int) -> Layers:
    """`conv`, and the largest of each 2x2 entries."""
    return *conv(*sizes), ("MaxPool2d", 2)


def linear(*sizes: int) -> Layers:
    """A linear layer (inputs, outputs) and its ReLU."""
    return ("Linear", *sizes), ("ReLU",)


MLP_2_10_1 = (("Linear", 2, 10), ("Sigmoid",), ("Linear", 10, 1))
MLP_784 = (*linear(784, 512), *linear(512, 512), ("Linear", 512, 10))
# the layers of tinynet.models.LeNet and CifarCNN
LENET = (*pooled(1, 6, 5), *pooled(6, 16, 5), FLATTEN, *linear(256, 120), ("Linear", 120, 10))
CIFAR = (
    *pooled(3, 32, 3),
    *pooled(32, 64, 3),
    *conv(64, 64, 3),
    FLATTEN,
    *linear(1024, 64),
    ("Linear", 64, 10),
)


def image_stack(side: int) -> Layers:
    """Two convolutions with pooling and a linear layer, for images of any side."""
    last = ((side - 2) // 2 - 2) // 2
    return (*pooled(3, 8, 3), *pooled(8, 16, 3), FLATTEN, ("Linear", 16 * last * last, 10))


def deep_mlp(depth: int, width: int = 128) -> Layers:
    """`depth` linear layers of `width`, with ReLU between them; the last has 10 outputs."""
    return (*linear(width, width) * (depth - 1), ("Linear", width, 10))


def build(nn: Any, layers: Layers) -> Any:
    """A Sequential of the layers, made from `nn`."""
    return nn.Sequential(*[getattr(nn, name)(*arguments) for name, *arguments in layers])


@dataclass(frozen=True)
class LayerSize:
    """The numbers that one layer reads, writes and computes for one example.

    Attributes:
        inputs, outputs: numbers read and written.
        parameters: number of parameters.
        multiply_adds: multiply-adds of its forward matrix product.
    """

    inputs: int
    outputs: int
    parameters: int
    multiply_adds: int


def sizes(layers: Layers, shape: tuple[int, ...]) -> Iterator[LayerSize]:
    """The sizes of each linear, convolution and pooling layer, given the shape of one example.

    Activations and flatten count as part of the layer before.
    """
    for name, *arguments in layers:
        inputs = math.prod(shape)
        parameters = multiply_adds = 0
        if name == "Linear":
            wide, outputs = arguments
            parameters, multiply_adds = (wide + 1) * outputs, wide * outputs
            shape = (outputs,)
        elif name == "Conv2d":
            channels, outputs, k = arguments
            shape = (outputs, shape[1] - k + 1, shape[2] - k + 1)
            parameters = outputs * (channels * k * k + 1)
            multiply_adds = math.prod(shape) * channels * k * k
        elif name == "MaxPool2d":
            (k,) = arguments
            shape = (shape[0], shape[1] // k, shape[2] // k)
        else:
            shape = (inputs,) if name == "Flatten" else shape
            continue
        yield LayerSize(inputs, math.prod(shape), parameters, multiply_adds)
