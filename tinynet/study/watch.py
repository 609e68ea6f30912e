"""Seeing every operation while it runs: its inputs, options and output, and the modules around it.

A graph keeps only what its rules need; who wants more looks on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinynet.autograd import Op, Value, Watcher, anomaly
from tinynet.nn.module import Module


@dataclass(frozen=True)
class Record:
    """One call of an operation that was recorded in a graph."""

    out: Value
    args: tuple[Any, ...]
    options: dict[str, Any]
    modules: tuple[tuple[int, Module], ...]  # the module calls around it, outermost first
    where: str  # the line that called it, as ``file:line: source``


class watch(Watcher):
    """Within it, in this thread, `records` gets a `Record` for each node of a graph, by its id."""

    def __init__(self) -> None:
        self.records: dict[int, Record] = {}  # id of the node; the record keeps it alive
        self.models: list[Module] = []  # that were called from outside of any other
        self._around: list[tuple[int, Module]] = []
        self._calls = 0

    def operation(self, op: Op, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        out = super().operation(op, args, options)
        for o in out if isinstance(out, tuple) else (out,):
            if o.grad_fn is not None and id(o.grad_fn) not in self.records:
                record = Record(o, args, options, tuple(self._around), anomaly.calling_line())
                self.records[id(o.grad_fn)] = record
        return out

    def module(self, module: Module, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        if not self._around:
            self.models.append(module)
        self._calls += 1
        self._around.append((self._calls, module))
        try:
            return super().module(module, args, options)
        finally:
            self._around.pop()
