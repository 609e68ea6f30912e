"""Tape: every operation of a run, with its inputs and output and the module calls around it.

A graph keeps only what its rules need. A tape keeps everything, also what is not recorded in a
graph, as inside `no_grad`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinynet.autograd import Op, Watcher
from tinynet.autograd.anomaly import calling_line
from tinynet.graph.cost import Cost, cost
from tinynet.graph.steps import inputs_of, shape_of
from tinynet.nn.module import Module


@dataclass(eq=False)
class ModuleCall:
    """One call of a module; `output` is None until it returns."""

    module: Module
    number: int  # from 1, in the order in which calls begin
    output: Any = None


@dataclass(frozen=True)
class Record:
    """One operation that ran."""

    op: Op
    args: tuple[Any, ...]
    options: dict[str, Any]  # defaults included
    out: Any
    calls: tuple[ModuleCall, ...]  # the module calls around it, outermost first
    where: str  # the line that called it, as ``file:line: source``

    @property
    def first(self) -> Any:
        """The output, or the first of several."""
        return self.out[0] if isinstance(self.out, tuple) else self.out

    @property
    def cost(self) -> Cost | None:
        """Operations on numbers; None for an operation that is not tinynet's."""
        shapes = {name: shape_of(a) for name, a in inputs_of(self.op, self.args).items()}
        return cost(self.op.name, shapes, shape_of(self.first), self.options)


class Tape(Watcher):
    """Keeps what runs within it, in this thread.

    Attributes:
        records: one for each operation.
        calls: the calls of modules, in the order in which they began.
        returned: those that returned, in that order.
    """

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.calls: list[ModuleCall] = []
        self.returned: list[ModuleCall] = []
        self._running: list[ModuleCall] = []

    def operation(self, op: Op, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        out = super().operation(op, args, options)
        where = calling_line()
        options = {**op.options, **options}
        self.records.append(Record(op, args, options, out, tuple(self._running), where))
        return out

    def module(self, module: Module, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        call = ModuleCall(module, len(self.calls) + 1)
        self.calls.append(call)
        self._running.append(call)
        try:
            call.output = super().module(module, args, options)
        finally:
            self._running.pop()
        self.returned.append(call)
        return call.output
