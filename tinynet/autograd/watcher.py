"""Watcher: observe operations, rules and modules while they run.

Every operation runs through `Op.__call__`, every rule through `engine.run_rule`, every module
through `Module.__call__`. Within ``with watcher:`` all three call the watcher of this thread
instead. A watcher sees their arguments and results, and runs them with `super`::

    class Printing(Watcher):
        def operation(self, op, args, options):
            out = super().operation(op, args, options)
            print(op.name, out.shape)
            return out

Watchers nest: the innermost is called first and calls the one around it. Anomaly detection,
`tinynet.explain` and profiling are watchers.
"""

from __future__ import annotations

from typing import Any

from tinynet.autograd.engine import Edge, Node, Op, run_rule
from tinynet.autograd.modes import modes, set_modes


class Watcher:
    """Base class of all watchers; by itself it changes nothing."""

    entered = False

    def __enter__(self) -> Any:
        if self.entered:
            raise RuntimeError(f"{type(self).__name__}: already entered; nest another instance")
        recording, self.outer = modes()
        self.entered = True
        set_modes((recording, self))
        return self

    def __exit__(self, *exc: object) -> None:
        self.entered = False
        set_modes((modes()[0], self.outer))

    def run_operation(self, op: Op, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Call `operation`; only the watchers around this one see what it computes itself."""
        recording, inner = modes()
        set_modes((recording, self.outer))
        try:
            return self.operation(op, args, options)
        finally:
            set_modes((recording, inner))

    def operation(self, op: Op, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Run an operation on its arguments, at least one of them a Value; return its output."""
        return op(*args, **options)

    def rule(self, node: Node, edge: Edge, gy: Any, create_graph: bool) -> Any:
        """Run the rule of an edge and return the gradient; see `engine.run_rule`."""
        return (self.outer.rule if self.outer else run_rule)(node, edge, gy, create_graph)

    def module(self, module: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Run a module's hooks and forward; return its output."""
        run = self.outer.module if self.outer else type(module)._run
        return run(module, args, options)
