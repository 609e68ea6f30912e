"""What a graph is as plain data: steps, what each was given, and the module calls around it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any

from tinynet.autograd import Op


@dataclass(frozen=True)
class Call:
    """One call of a module: `number` tells calls of the same module apart."""

    number: int
    name: str  # its path in the model, such as "conv1"; its class's name if it is not in there
    kind: str  # the name of its class


@dataclass(frozen=True)
class Input:
    """What an operation was given under one of its parameters' names."""

    name: str
    id: int | None  # of the step that it is; None if the graph did not keep it
    shape: tuple[int, ...] | None


@dataclass
class Step:
    """A leaf or an operation of the graph."""

    id: int
    name: str  # "t3"; of a leaf: the parameter's path, the name given, the number, or "c1"
    kind: str  # "operation", "parameter", "input" (another leaf with a gradient), "constant"
    shape: tuple[int, ...]
    op: Op | None = None  # of an operation: it has `name`, `forward` and `rules`
    inputs: tuple[Input, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    dtype: Any = None
    value: Any = None  # an array
    gradient: Any = None  # an array: of the output, a single number, by this step
    calls: tuple[Call, ...] = ()  # the calls of modules around it, outermost first
    where: str = ""  # "file:line: source" of the caller, where known

    @property
    def formula(self) -> str:
        """The first line of the operation's docstring; the kind of a leaf."""
        if self.op is None:
            return self.kind
        return (inspect.getdoc(self.op.forward) or self.op.name).splitlines()[0]

    @property
    def module(self) -> str:
        """The path of the innermost module around it, "" for none."""
        return self.calls[-1].name if self.calls else ""


@dataclass
class Graph:
    """All steps behind `steps[output]`, in the order of computation."""

    steps: list[Step]
    output: int
    watched: bool  # whether it was seen while it ran, so that nothing is missing

    @property
    def operations(self) -> list[Step]:
        return [step for step in self.steps if step.kind == "operation"]
