"""summary: the layers of a network, and the cost of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tinynet import nn
from tinynet.console import printable
from tinynet.creation import zeros
from tinynet.graph.cost import Cost, Shape
from tinynet.graph.explain import aligned
from tinynet.graph.watch import ModuleCall, Tape
from tinynet.nn.evaluating import evaluating
from tinynet.tensor import Tensor


@dataclass(frozen=True)
class LayerSummary:
    """One call of a layer, for one example.

    Attributes:
        name: the name in ``model.named_modules()``; "" for the model itself.
        kind: the class name.
        output_shapes: the shape of each returned tensor without the batch axis; empty if the
            layer was not called.
        parameters: the number of learnable entries, except those in an earlier row.
        multiply_adds: see `summary`; None if unknown.
        parameter_bytes, output_bytes: the memory of parameters and outputs, in bytes.
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
    """Result of `summary`: its rows and their sums; ``print`` shows them as a table."""

    model: str
    input_shape: Shape
    layers: tuple[LayerSummary, ...]
    notes: tuple[str, ...] = ()  # what is probably a mistake in the model

    @property
    def parameters(self) -> int:
        """The number of learnable entries, each counted once."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of the forward for one example, without unknown ones."""
        return sum(layer.multiply_adds or 0 for layer in self.layers)

    @property
    def parameter_bytes(self) -> int:
        return sum(layer.parameter_bytes for layer in self.layers)

    @property
    def output_bytes(self) -> int:
        """The memory of all outputs for one example."""
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
        lines = aligned([head, *rows, total], right=range(3, 7))
        rule = "-" * max(map(len, lines))
        return printable("\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1], *self.notes]))


def summary(model: nn.Module, input_shape: Sequence[int], dtype: Any = None) -> ModelSummary:
    """Summarise the layers of a model: output shapes, parameters, multiply-adds and bytes.

    The table has a row for each call of a module that has no submodules, has its own parameters,
    or multiplies matrices itself, in the order in which the calls return, and a row for each
    module of the first two kinds that is not called. Numbers are for one example.

    Multiply-adds are those of the matrix products and convolutions that a module runs itself
    (`tinynet.graph.cost`): C / groups KH KW for each entry of a convolution's output, in_features
    for each entry of a linear layer's. Everything else (biases, normalisation, activations,
    pooling) counts as 0, as is usual in papers; adaptive average pooling is two matrix products.
    The count is unknown if the module runs an operation that is not tinynet's.

    The model runs once on zeros, in evaluation mode and without recording; modes, buffers,
    gradients and the random state stay as they were.

    Layers in a plain list are not registered, as in PyTorch; a note below the table names them.

    Args:
        model: any module that takes one tensor.
        input_shape: the shape of one example, without the batch axis: (1, 28, 28) for a digit.
        dtype: the dtype of the input; by default that of the first parameter. Use "int64" for
            word indices.

    Returns:
        A `ModelSummary`, which prints as a table and has the numbers in `layers`.

    Raises:
        TypeError: if `input_shape` is not a sequence of sizes, for instance a batch.
        ValueError: if the input does not fit; the message names the layer.

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
    names = {id(module): name for name, module in model.named_modules()}
    try:
        with evaluating(model), Tape() as tape:
            model(x)
    except Exception as error:
        raise ValueError(
            f"summary: an input of shape {_with_n(shape)} does not fit at "
            f"{_failed(model, tape, names)}: {error}; input_shape does not include the batch "
            "axis N"
        ) from error
    costs: dict[ModuleCall, list[Cost | None]] = {}
    for record in tape.records:
        # a module that is not registered, for instance in a plain list, has no row
        around = [call for call in record.calls if id(call.module) in names]
        if around:
            costs.setdefault(around[-1], []).append(record.cost)
    called = {id(call.module) for call in tape.calls}
    rest = [ModuleCall(module, 0) for module in model.modules() if id(module) not in called]
    counted: set[int] = set()
    rows = [
        _row(names[id(call.module)], call, costs.get(call, []), counted)
        for call in [*tape.returned, *rest]
        if id(call.module) in names
    ]
    layers = tuple(row for row in rows if row is not None)
    return ModelSummary(type(model).__name__, shape, layers, _not_registered(model))


def _not_registered(model: nn.Module) -> tuple[str, ...]:
    """A note for each plain list, tuple or dict that holds modules or parameters of the model."""
    known = {id(x) for x in (*model.modules(), *model.parameters())}
    notes = []
    for name, module in model.named_modules():
        for attribute, value in vars(module).items():
            if attribute.startswith("_") or not isinstance(value, list | tuple | dict):
                continue
            found = [x for x in _flat(value) if id(x) not in known]
            if found:
                where = ".".join(filter(None, (name, attribute)))
                notes.append(
                    f"not registered: {len(found)} in the {type(value).__name__} {where!r}; "
                    "parameters(), state_dict() and to() pass them by: use nn.ModuleList, "
                    "nn.Sequential or attributes"
                )
    return tuple(notes)


def _flat(value: Any) -> list[Any]:
    """The modules and parameters in nested lists, tuples and dicts."""
    if isinstance(value, nn.Module | nn.Parameter):
        return [value]
    if isinstance(value, Mapping):
        value = list(value.values())
    return [x for part in value for x in _flat(part)] if isinstance(value, list | tuple) else []


def _failed(model: nn.Module, tape: Tape, names: dict[int, str]) -> str:
    """The innermost module that did not return, for an error message."""
    mine = [call for call in tape.calls if id(call.module) in names]
    module = next((c.module for c in reversed(mine) if c not in tape.returned), model)
    if names[id(module)]:
        return f"layer {names[id(module)]!r}, {module!r}"
    done = [names[id(call.module)] for call in tape.returned if call in mine]
    return f"{type(module).__name__} itself" + (f", after layer {done[-1]!r}" if done else "")


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


def _row(
    name: str, call: ModuleCall, costs: list[Cost | None], counted: set[int]
) -> LayerSummary | None:
    """The row of a call; None if the rows of its submodules cover it."""
    module, outputs = call.module, _tensors(call.output)
    known = [cost.multiply_adds for cost in costs if cost is not None]
    multiply_adds = sum(known) if len(known) == len(costs) else None
    own = list(module.parameters(recurse=False))
    if not own and multiply_adds == 0 and next(module.children(), None) is not None:
        return None
    own = [p for p in own if id(p) not in counted]
    counted.update(map(id, own))
    return LayerSummary(
        name,
        type(module).__name__,
        tuple(t.shape[1:] for t in outputs),
        sum(p.numel() for p in own),
        multiply_adds,
        sum(p.numel() * p.dtype.itemsize for p in own),
        sum(t.numel() * t.dtype.itemsize for t in outputs),
    )


def _tensors(output: Any) -> list[Tensor]:
    """All tensors in a result, also in nested tuples, lists and dicts."""
    if isinstance(output, Tensor):
        return [output]
    if isinstance(output, Mapping):
        output = list(output.values())
    if isinstance(output, list | tuple):
        return [t for part in output for t in _tensors(part)]
    return []


def _with_n(shape: Shape) -> str:
    return f"({', '.join(['N', *map(str, shape)])})"
