"""Seeing every operation while it runs: its inputs, options and output, and the modules around it.

A graph keeps only what its rules need. Python itself tells a profiler of every call and return, so
nothing in the engine needs to know that somebody looks on, and it costs nothing when nobody does.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import FrameType
from typing import Any

from tinynet import anomaly
from tinynet.autograd import Op, Value
from tinynet.nn.module import Module


@dataclass(frozen=True)
class Record:
    """One call of an operation that was recorded in a graph."""

    out: Value
    args: tuple[Any, ...]
    options: dict[str, Any]
    modules: tuple[tuple[int, Module], ...]  # the module calls around it, outermost first
    where: str  # the line that called it, as ``file:line: source``


class watch:
    """Within it, in this thread, `records` gets a `Record` for each node of a graph, by its id.

    It is this thread's profiler meanwhile; one that was set before goes on afterwards.
    """

    def __init__(self) -> None:
        self.records: dict[int, Record] = {}  # id of the node; the record keeps it alive
        self.models: list[Module] = []  # that were called from outside of any other
        self._around: list[tuple[int, Module]] = []
        self._calls = 0

    def __enter__(self) -> watch:
        self._before = sys.getprofile()
        sys.setprofile(self._event)
        return self

    def __exit__(self, *exc: object) -> None:
        sys.setprofile(self._before)

    def _event(self, frame: FrameType, event: str, arg: Any) -> None:
        code = frame.f_code
        if code is Op.__call__.__code__:
            if event == "return" and isinstance(arg, Value) and arg.grad_fn is not None:
                args, options = frame.f_locals["args"], frame.f_locals["options"]
                record = Record(arg, args, options, tuple(self._around), anomaly.calling_line())
                self.records[id(arg.grad_fn)] = record
        elif code is Module.__call__.__code__:
            if event == "call":
                module = frame.f_locals["self"]
                if not self._around:
                    self.models.append(module)
                self._calls += 1
                self._around.append((self._calls, module))
            elif event == "return":
                self._around.pop()
