"""Access to the engine's nodes; nothing else in this part reads their attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinynet.autograd import Node, Value


@dataclass(frozen=True)
class Kept:
    """What a node kept of its operation: what the rules need."""

    sources: dict[int, Any]  # by input number: the node that computed it, or the leaf itself
    shapes: dict[int, tuple[int, ...]]  # by input number
    saved: dict[str, Any]  # by parameter name of the rules: inputs, options, the output "y"
    where: str  # the line that called the operation; "" outside detect_anomaly


def kept(node: Node) -> Kept:
    edges = node.edges or ()
    return Kept(
        {i: source for i, source, *_ in edges},
        {i: tuple(shape) for i, _, shape, _ in edges},
        {name: a for name, a in node.saved.items() if not name.endswith("_shape")},
        getattr(node, "where", ""),
    )


def changed(a: Any, node: Node) -> bool:
    """Whether a value was changed in place after the node kept it."""
    return isinstance(a, Value) and a._version[0] > node.stamp
