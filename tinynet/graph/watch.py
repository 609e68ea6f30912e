"""Tape: every operation of a run, with its inputs and output and the module calls around it.

A graph keeps only what its rules need. A tape keeps everything, also what is not recorded in a
graph, as inside `no_grad`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinynet import anomaly
from tinynet.autograd import Op
from tinynet.graph.seam import Watcher
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


class ModuleWatcher(Watcher):
    """Follows the calls of modules.

    Attributes:
        calls: all of them, in the order in which they began.
        returned: those that returned, in that order.
        running: those that have not ended yet, outermost first.
    """

    def __init__(self) -> None:
        self.calls: list[ModuleCall] = []
        self.returned: list[ModuleCall] = []
        self.running: list[ModuleCall] = []

    def module(self, module: Module, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        call = ModuleCall(module, len(self.calls) + 1)
        self.calls.append(call)
        self.running.append(call)
        try:
            call.output = super().module(module, args, options)
        finally:
            self.running.pop()
        self.returned.append(call)
        return call.output


class Tape(ModuleWatcher):
    """Keeps a `Record` of each operation in `records`."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Record] = []

    def operation(self, op: Op, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        out = super().operation(op, args, options)
        options = {**op.options, **options}
        where = anomaly.calling_line()
        self.records.append(Record(op, args, options, out, tuple(self.running), where))
        return out
