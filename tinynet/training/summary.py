"""summary: what a network is made of, layer by layer, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from tinynet import nn
from tinynet.creation import zeros
from tinynet.nn.evaluating import evaluating
from tinynet.tensor import Tensor

Shape = tuple[int, ...]


@dataclass(frozen=True)
class LayerSummary:
    """One call of a layer, for one example.

    Attributes:
        name: as in ``model.named_modules()``; "" for the model itself.
        kind: the name of its class.
        output_shapes: without the axis of the examples; several for several results, and none for
            a layer that was not called.
        parameters: how many numbers it learns, 0 if an earlier row has them already.
        multiply_adds: see `summary`; None where that is not known.
        parameter_bytes, output_bytes: the memory of both.
    """

    name: str
    kind: str
    output_shapes: tuple[Shape, ...]
    parameters: int
    multiply_adds: int | None
    parameter_bytes: int
    output_bytes: int


@dataclass(frozen=True)
class ModelSummary:
    """The rows of `summary`, and their sums; ``print`` shows them as a table."""

    model: str
    input_shape: Shape
    layers: tuple[LayerSummary, ...]

    @property
    def parameters(self) -> int:
        """How many numbers the model learns, each counted once."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        """Of one example's forward; those that are not known are left out."""
        return sum(layer.multiply_adds or 0 for layer in self.layers)

    @property
    def parameter_bytes(self) -> int:
        return sum(layer.parameter_bytes for layer in self.layers)

    @property
    def output_bytes(self) -> int:
        """The memory of all outputs of one example."""
        return sum(layer.output_bytes for layer in self.layers)

    def __str__(self) -> str:
        head = ("layer", "kind", "output", "parameters", "multiply-adds", "bytes", "output bytes")
        rows = [
            (
                layer.name or "(itself)",
                layer.kind,
                " ".join(_with_n(shape) for shape in layer.output_shapes) or "not called",
                f"{layer.parameters:,}",
                "?" if layer.multiply_adds is None else f"{layer.multiply_adds:,}",
                f"{layer.parameter_bytes:,}",
                f"{layer.output_bytes:,}",
            )
            for layer in self.layers
        ]
        unknown = any(layer.multiply_adds is None for layer in self.layers)
        total = (
            self.model, "", f"from {_with_n(self.input_shape)}", f"{self.parameters:,}",
            f"{self.multiply_adds:,}" + " + ?" * unknown, f"{self.parameter_bytes:,}",
            f"{self.output_bytes:,}",
        )  # fmt: skip
        widths = [max(map(len, column)) for column in zip(head, *rows, total, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if i < 3 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in (head, *rows, total)
        ]
        rule = "-" * max(map(len, lines))
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])


def summary(model: nn.Module, input_shape: Sequence[int], dtype: Any = None) -> ModelSummary:
    """Layers, output shapes, parameters, multiply-adds and bytes, from one forward of zeros.

    There is a row for each call of a module that has no modules in it or has parameters of its
    own, in the order of the calls, and one for each such module that is not called. What a model
    does between its layers (a ReLU by `functional`) has none. Numbers are of one example.

    Multiply-adds are those of matrix products: for a convolution C / groups KH KW for each entry
    of its output, for a linear layer in_features. Everything else (biases, normalisation,
    activations, pooling) counts as 0, as papers on networks count. Those of a module with
    parameters that is none of `tinynet.nn` are not known.

    The model is run in evaluation mode without a gradient; modes, buffers, gradients and random
    numbers are as before.

    Args:
        model: any module that takes one tensor.
        input_shape: of one example, without the axis of the examples: (1, 28, 28) for a digit.
        dtype: of the input; by default that of the first parameter. "int64" where numbers of
            words go in.

    Returns:
        A `ModelSummary`, which prints as a table and has the numbers in `layers`.

    Raises:
        TypeError: for an `input_shape` that is none, such as a batch itself.
        ValueError: if the input does not fit; it names the layer.

    >>> from tinynet.models import LeNet
    >>> print(summary(LeNet(), (1, 28, 28)))
    layer  kind    output               parameters  multiply-adds    bytes  output bytes
    ------------------------------------------------------------------------------------
    conv1  Conv2d  (N, 6, 24, 24)              156         86,400      624        13,824
    conv2  Conv2d  (N, 16, 8, 8)             2,416        153,600    9,664         4,096
    fc1    Linear  (N, 120)                 30,840         30,720  123,360           480
    fc2    Linear  (N, 10)                   1,210          1,200    4,840            40
    ------------------------------------------------------------------------------------
    LeNet          from (N, 1, 28, 28)      34,622        271,920  138,488        18,440
    """
    shape = _checked(input_shape)
    first = next(model.parameters(), None)
    dtype = dtype or ("float32" if first is None else first.dtype)
    x = zeros((1, *shape), dtype=dtype, device=None if first is None else first.device)
    calls: list[tuple[nn.Module, Any]] = []
    running: list[nn.Module] = []  # the modules whose forward has begun and not ended
    names = {id(module): name for name, module in model.named_modules()}

    def enter(module: nn.Module, args: Any) -> None:
        running.append(module)

    def leave(module: nn.Module, args: Any, output: Any) -> None:
        running.pop()
        calls.append((module, output))

    with ExitStack() as stack:
        stack.enter_context(evaluating(model))
        for module in model.modules():
            stack.enter_context(module.register_forward_pre_hook(enter))
            stack.enter_context(module.register_forward_hook(leave))
        try:
            model(x)
        except Exception as error:
            inner = running[-1] if running else model
            name = names[id(inner)]
            where = f"layer {name!r}, {inner!r}" if name else f"{type(model).__name__} itself"
            if not name and calls:
                where += f", after layer {names[id(calls[-1][0])]!r}"
            raise ValueError(
                f"summary: an input of shape {_with_n(shape)} does not fit at {where}: {error}; "
                "input_shape is without the axis of the examples, N"
            ) from error
    called = {id(module) for module, _ in calls}
    calls += [(module, None) for module in model.modules() if id(module) not in called]
    counted: set[int] = set()
    rows = [
        _row(names[id(module)], module, output, counted)
        for module, output in calls
        if next(module.children(), None) is None or next(module.parameters(False), None) is not None
    ]
    return ModelSummary(type(model).__name__, shape, tuple(rows))


def _checked(input_shape: Any) -> Shape:
    if hasattr(input_shape, "dtype") or not isinstance(input_shape, Sequence):
        found = getattr(input_shape, "shape", None)
        of = "" if found is None else f" of shape {tuple(found)}"
        raise TypeError(
            f"summary: input_shape is a {type(input_shape).__name__}{of}; give the shape of one "
            "example, e.g. (1, 28, 28)"
        )
    shape = tuple(input_shape)
    if not all(hasattr(size, "__index__") and size > 0 for size in shape):
        raise ValueError(
            f"summary: input_shape is {shape}; it must be integers, at least 1: the shape of one "
            "example, e.g. (1, 28, 28)"
        )
    return shape


def _row(name: str, module: nn.Module, output: Any, counted: set[int]) -> LayerSummary:
    own = [p for p in module.parameters(recurse=False) if id(p) not in counted]
    counted.update(map(id, own))
    outputs = _tensors(output)
    return LayerSummary(
        name,
        type(module).__name__,
        tuple(t.shape[1:] for t in outputs),
        sum(p.numel() for p in own),
        _multiply_adds(module, [t.shape for t in outputs]),
        sum(p.numel() * p.dtype.itemsize for p in own),
        sum(t.numel() * t.dtype.itemsize for t in outputs),
    )


def _multiply_adds(module: nn.Module, outputs: list[Shape]) -> int | None:
    entries = sum(math.prod(shape) for shape in outputs)
    if isinstance(module, nn.Conv2d):
        return entries * math.prod(module.weight.shape[1:])
    if isinstance(module, nn.Linear):
        return entries * module.in_features
    ours = type(module).__module__.startswith("tinynet.nn.")
    return 0 if ours or next(module.parameters(recurse=False), None) is None else None


def _tensors(output: Any) -> list[Tensor]:
    """The tensors in a result: itself, or those in its tuples, lists and dicts."""
    if isinstance(output, Tensor):
        return [output]
    if isinstance(output, Mapping):
        output = list(output.values())
    if isinstance(output, list | tuple):
        return [t for part in output for t in _tensors(part)]
    return []


def _with_n(shape: Shape) -> str:
    return f"({', '.join(['N', *map(str, shape)])})"
