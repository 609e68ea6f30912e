"""Watcher: what looks on while operations, rules and modules run.

Every operation runs through `Op.__call__`, every rule through `engine.gradient`, every module
through `Module.__call__`. Within ``with watcher:`` these three hand themselves to the watcher
first, in this thread. A watcher sees what they are given and what they return; `super` runs them::

    class Printing(Watcher):
        def operation(self, op, args, options):
            out = super().operation(op, args, options)
            print(op.name, out.shape)
            return out

Watchers nest: the innermost is asked first and passes on to the one around it. Anomaly detection,
`tinynet.explain` and profiling are watchers.
"""

from __future__ import annotations

from typing import Any

from tinynet.autograd.engine import Edge, Node, Op, gradient
from tinynet.autograd.modes import modes, set_modes


class Watcher:
    """Base of all watchers; by itself it changes nothing."""

    def __enter__(self) -> Any:
        recording, self.outer = modes()
        set_modes((recording, self))
        return self

    def __exit__(self, *exc: object) -> None:
        set_modes((modes()[0], self.outer))

    def operation(self, op: Op, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Run an operation on its arguments, at least one of them a Value; returns its output."""
        recording, inner = modes()
        set_modes((recording, self.outer))
        try:
            return op(*args, **options)
        finally:
            set_modes((recording, inner))

    def rule(self, node: Node, edge: Edge, gy: Any, create_graph: bool) -> Any:
        """Run a rule; `tinynet.autograd.engine.gradient` says on what. Returns the gradient."""
        return (self.outer.rule if self.outer else gradient)(node, edge, gy, create_graph)

    def module(self, module: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Run a module's hooks and forward; returns its output."""
        run = self.outer.module if self.outer else type(module)._run
        return run(module, args, options)
