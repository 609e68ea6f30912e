"""Watcher, until `tinynet.autograd` has it: this file then goes, and its imports change."""

from __future__ import annotations

import threading
from typing import Any

from tinynet.autograd import Op, Value
from tinynet.nn.module import Module


class Watcher:
    """Within it, in this thread, operations on Values and modules run through its methods."""

    def __enter__(self) -> Any:
        run_op, run_module, thread = Op.__call__, Module.__call__, threading.get_ident()
        self._run, self._inside = (run_op, run_module), False

        def call_op(op: Op, *args: Any, **options: Any) -> Any:
            on_values = any(isinstance(a, Value) for a in args)
            if self._inside or threading.get_ident() != thread or not on_values:
                return run_op(op, *args, **options)
            return self.operation(op, args, options)

        def call_module(module: Module, *args: Any, **options: Any) -> Any:
            if threading.get_ident() != thread:
                return run_module(module, *args, **options)
            return self.module(module, args, options)

        Op.__call__, Module.__call__ = call_op, call_module  # type: ignore[method-assign, assignment]
        return self

    def __exit__(self, *exc: object) -> None:
        Op.__call__, Module.__call__ = self._run  # type: ignore[method-assign]

    def operation(self, op: Op, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Run an operation on its arguments, at least one of them a Value; returns its output."""
        self._inside = True
        try:
            return self._run[0](op, *args, **options)
        finally:
            self._inside = False

    def module(self, module: Module, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Run a module's hooks and forward; returns its output."""
        return self._run[1](module, *args, **options)
