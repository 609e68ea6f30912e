"""A graph as plain data: steps, their inputs, and the module calls around them."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tinynet.autograd import Op, Value, guards, raw
from tinynet.graph.cost import Cost, Shape, cost


@dataclass(frozen=True)
class Call:
    """One call of a module; `number` distinguishes calls of the same module."""

    number: int
    name: str  # its path in the model, such as "conv1"; outside the model its class name
    kind: str  # its class name


@dataclass(frozen=True)
class Input:
    """One input of an operation; `name` is that of the operation's parameter."""

    name: str
    id: int | None  # the id of its step; None if the graph did not keep it
    shape: Shape | None


@dataclass
class Step:
    """A leaf or an operation of the graph."""

    id: int
    name: str  # "t3"; for a leaf the parameter's path, the given name, the number, or "c1"
    # "operation", "output" (after an operation's first), "parameter", "input" (another leaf that
    # requires a gradient) or "constant"
    kind: str
    shape: Shape
    op: Op | None = None  # None for a leaf
    inputs: tuple[Input, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    dtype: Any = None
    value: Any = None  # an array
    gradient: Any = None  # an array: d output / d value, if the output is a single number
    calls: tuple[Call, ...] = ()  # the enclosing module calls, outermost first
    where: str = ""  # the line that called it, as "file:line: source"; "" if unknown

    @property
    def formula(self) -> str:
        """The first line of the operation's docstring; the kind of a leaf."""
        if self.op is None:
            return self.kind
        return (inspect.getdoc(self.op.forward) or self.op.name).splitlines()[0]

    @property
    def is_number(self) -> bool:
        """Whether it is a constant number, such as the 2 of 2 x."""
        return self.kind == "constant" and not self.shape

    @property
    def cost(self) -> Cost | None:
        """Arithmetic operations forward; None if the graph does not determine it."""
        if self.op is None:
            return Cost()
        shapes = {i.name: i.shape for i in self.inputs if i.shape is not None}
        return cost(self.op.name, shapes, self.shape, self.options)

    @property
    def module(self) -> str:
        """The path of the innermost enclosing module, or ""."""
        return self.calls[-1].name if self.calls else ""


@dataclass
class Graph:
    """All steps behind `steps[output]`, in the order of computation."""

    steps: list[Step]
    output: int

    @property
    def operations(self) -> list[Step]:
        return [step for step in self.steps if step.kind == "operation"]


def input_name(op: Op, i: int) -> str:
    """The name of an operation's input i; "xs_2" if it takes any number of xs."""
    return f"{op.inputs[0]}_{i}" if op.variadic else op.inputs[i]


def shape_of(a: Any) -> Shape:
    """The shape of a Value or array; () for a number."""
    return tuple(getattr(raw(a), "shape", ()))


def inputs_of(op: Op, args: Sequence[Any]) -> dict[str, Any]:
    """The inputs of one call by name: Values, arrays and numbers, without missing ones."""
    return {
        input_name(op, i): a if isinstance(a, Value) else guards.operand(op.name, a)
        for i, a in enumerate(args)
        if a is not None
    }
