"""What the engine's nodes know. Nothing else in this part reads their insides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinynet.autograd import Node, Value


@dataclass(frozen=True)
class Kept:
    """What a node kept of its operation: as much as the rules need."""

    sources: dict[int, Any]  # by an input's number: the node it came from, or itself if a leaf
    shapes: dict[int, tuple[int, ...]]  # by an input's number
    saved: dict[str, Any]  # by the name a rule gives it: inputs, options, the output "y"
    where: str  # the line that called the operation; "" unless anomalies were looked for


def nodes_behind(root: Node, caller: str) -> list[Node]:
    """All nodes behind the root, and itself, earliest first; a stack, for graphs of any depth.

    Raises:
        RuntimeError: if an earlier backward freed the graph.
    """
    found: dict[int, Node] = {}
    stack: list[Any] = [root]
    while stack:
        node = stack.pop()
        if not isinstance(node, Node) or id(node) in found:
            continue
        if node.edges is None:
            raise RuntimeError(
                f"{caller}: the graph was freed by an earlier backward (at {node.op.name}); call "
                f"{caller} before it, give it retain_graph=True, or run the forward again"
            )
        found[id(node)] = node
        stack.extend(edge[1] for edge in node.edges)
    return sorted(found.values(), key=lambda node: node.stamp)


def kept(node: Node) -> Kept:
    """What a node that was not freed kept."""
    edges = node.edges or ()
    saved: dict[str, Any] = {}
    for *_, rule, values in edges:
        saved.update(zip(rule.needs, values, strict=True))
    return Kept(
        {i: source for i, source, *_ in edges},
        {i: tuple(shape) for i, _, shape, *_ in edges},
        saved,
        getattr(node, "where", ""),
    )


def changed(a: Any, node: Node) -> bool:
    """Whether what the node kept was changed in place since."""
    return isinstance(a, Value) and a._version is not None and a._version[0] > node.stamp
