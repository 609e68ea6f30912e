"""Accumulator: the gradients that have arrived at each source during a walk back.

A source is a leaf, a node, or a pair of a node and the number of one of its outputs after the
first. Most gradients are simply added up. Two kinds of operations need more: one with several
outputs gets a list of gradients, with zeros for unused outputs; and a joint rule is postponed
until everything taken from its input has arrived. (T rows taken one by one from a table of T rows
would otherwise cost T gradients of the table's size.)
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from tinynet.autograd.hooks import Hooks, hooked
from tinynet.autograd.modes import modes
from tinynet.autograd.value import Value, raw
from tinynet.backend import zeros


def attach(outputs: tuple[Value, ...], node: Any) -> None:
    """Make the node the source of several outputs; integers have no gradient."""
    for k, out in enumerate(outputs):
        if out._data.dtype.kind == "f":
            out._requires_grad, out._source = True, (node, k) if k else node


class Accumulator:
    """Gradients by source.

    Args:
        run: the function that runs the rule of an edge, unless a watcher does.
        create_graph: whether the walk itself is recorded.
        kept: sources whose gradients stay after they are passed on.

    Attributes:
        grads: the gradients that have arrived, by source.
        joint: the postponed calls of joint rules, by source and rule.
        hooks: the hooks of tensors and the type of the tensor, by source.
    """

    def __init__(self, run: Any, create_graph: bool, kept: Iterable[Any] = ()) -> None:
        watcher = modes()[1]
        self.run = run if watcher is None else watcher.rule
        self.create_graph, self.kept = create_graph, set(kept)
        self.grads: dict[Any, Any] = {}
        self.joint: dict[Any, dict[Any, list[Any]]] = {}
        self.hooks: dict[Any, tuple[Hooks, type[Value]]] = {}

    def add(self, source: Any, g: Any) -> None:
        """Add a gradient to what has arrived at a source."""
        self.grads[source] = self.grads[source] + g if source in self.grads else g

    def postpone(self, node: Any, edge: Any, gy: Any) -> None:
        """Postpone the joint rule of an edge until its source is reached."""
        _, source, _, rule = edge
        calls = self.joint.setdefault(source, {}).setdefault(rule, [])
        calls.append((node, edge, gy, node.saved))

    def take(self, source: Any) -> Any:
        """The gradient that has arrived at a source, or None."""
        for calls in self.joint.pop(source, {}).values():
            nodes, edges, gys, saved = zip(*calls, strict=True)
            node = copy.copy(nodes[0])
            node.saved = {name: [s[name] for s in saved] for name in saved[0]}
            self.add(source, self.run(node, edges[0], list(gys), self.create_graph))
        g = self.grads.pop(source, None)
        if source in self.hooks and g is not None:
            hooks, kind = self.hooks[source]
            g = hooked(hooks, g, kind, self.create_graph)
        if source in self.kept and g is not None:
            self.grads[source] = g
        return g

    def take_all(self, node: Any) -> Any:
        """What the rules of a node get: the gradient of its output, or a list of several."""
        if node.outputs is None:
            return self.take(node)
        found = [self.take((node, k) if k else node) for k in range(len(node.outputs))]
        like = next((raw(g) for g in found if g is not None), None)
        if like is None:
            return None
        pairs = zip(found, node.outputs, strict=True)
        return [zeros(shape, like, dtype) if g is None else g for g, (shape, dtype) in pairs]
