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


def kept(node: Node) -> Kept:
    """What a node that was not freed kept."""
    edges = node.edges or ()
    return Kept(
        {i: source for i, source, *_ in edges},
        {i: tuple(shape) for i, _, shape, _ in edges},
        {name: a for name, a in node.saved.items() if not name.endswith("_shape")},
        getattr(node, "where", ""),
    )


def changed(a: Any, node: Node) -> bool:
    """Whether what the node kept was changed in place since."""
    return isinstance(a, Value) and a._version[0] > node.stamp
