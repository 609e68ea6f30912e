"""Tape: every operation of a run, with its inputs, its output and the enclosing module calls.

A graph keeps only what its rules need. A tape keeps everything, also operations inside `no_grad`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinynet.autograd import Op, Watcher
from tinynet.autograd.anomaly import calling_line
from tinynet.autograd.versions import tick
from tinynet.graph.cost import Cost, cost
from tinynet.graph.steps import inputs_of, shape_of
from tinynet.nn.module import Module


@dataclass(eq=False)
class ModuleCall:
    """One call of a module; `output` is None until it returns."""

    module: Module
    number: int  # from 1, in the order in which the calls begin
    output: Any = None


@dataclass(frozen=True)
class Record:
    """One operation that ran."""

    op: Op
    args: tuple[Any, ...]
    options: dict[str, Any]  # defaults included
    out: Any
    calls: tuple[ModuleCall, ...]  # the enclosing module calls, outermost first
    where: str  # the line that called it, as ``file:line: source``
    stamp: int  # the clock after it; a value changed in place later has a later stamp

    @property
    def first(self) -> Any:
        """The output, or the first of several."""
        return self.out[0] if isinstance(self.out, tuple) else self.out

    @property
    def cost(self) -> Cost | None:
        """Arithmetic operations; None for an operation that is not tinynet's."""
        shapes = {name: shape_of(a) for name, a in inputs_of(self.op, self.args).items()}
        return cost(self.op.name, shapes, shape_of(self.first), self.options)


class Tape(Watcher):
    """Context manager that records everything that runs within it, in this thread."""

    def __init__(self) -> None:
        self.records: list[Record] = []  # one per operation
        self.calls: list[ModuleCall] = []  # in the order in which they began
        self.returned: list[ModuleCall] = []  # those that returned, in the order of returning
        self._running: list[ModuleCall] = []

    def operation(self, op: Op, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        out = super().operation(op, args, options)
        where = calling_line()
        options = {**op.options, **options}
        calls = tuple(self._running)
        self.records.append(Record(op, args, options, out, calls, where, tick()))
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
