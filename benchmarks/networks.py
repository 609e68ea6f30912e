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

MLP_2_10_1: Layers = (("Linear", 2, 10), ("Sigmoid",), ("Linear", 10, 1))

MLP_784: Layers = (
    ("Linear", 784, 512),
    ("ReLU",),
    ("Linear", 512, 512),
    ("ReLU",),
    ("Linear", 512, 10),
)

# the layers of tinynet.models.LeNet
LENET: Layers = (
    ("Conv2d", 1, 6, 5),
    ("ReLU",),
    ("MaxPool2d", 2),
    ("Conv2d", 6, 16, 5),
    ("ReLU",),
    ("MaxPool2d", 2),
    ("Flatten",),
    ("Linear", 256, 120),
    ("ReLU",),
    ("Linear", 120, 10),
)

# the layers of tinynet.models.CifarCNN
CIFAR: Layers = (
    ("Conv2d", 3, 32, 3),
    ("ReLU",),
    ("MaxPool2d", 2),
    ("Conv2d", 32, 64, 3),
    ("ReLU",),
    ("MaxPool2d", 2),
    ("Conv2d", 64, 64, 3),
    ("ReLU",),
    ("Flatten",),
    ("Linear", 1024, 64),
    ("ReLU",),
    ("Linear", 64, 10),
)


def image_stack(side: int) -> Layers:
    """Two convolutions with pooling and a linear layer, for images of any side."""
    last = ((side - 2) // 2 - 2) // 2
    return (
        ("Conv2d", 3, 8, 3),
        ("ReLU",),
        ("MaxPool2d", 2),
        ("Conv2d", 8, 16, 3),
        ("ReLU",),
        ("MaxPool2d", 2),
        ("Flatten",),
        ("Linear", 16 * last * last, 10),
    )


def deep_mlp(depth: int, width: int = 128) -> Layers:
    """`depth` linear layers of `width`, with ReLU between them; the last has 10 outputs."""
    hidden: list[tuple[Any, ...]] = []
    for _ in range(depth - 1):
        hidden += [("Linear", width, width), ("ReLU",)]
    return (*hidden, ("Linear", width, 10))


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
