"""What the engine's nodes keep for their rules, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinynet.autograd import Node, Value
from tinynet.graph.watch import Record


@dataclass(frozen=True)
class Kept:
    """What a node kept of its operation for its rules."""

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


def changed(a: Any, by: Node | Record) -> bool:
    """Whether a value was changed in place after the node or record kept it."""
    return isinstance(a, Value) and a._version[0] > by.stamp
