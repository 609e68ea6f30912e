"""The growth of a step's cost with the batch, the side of an image and the depth of a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.measure import Settings, compare
from benchmarks.sides import Side
from benchmarks.workloads import GROWTH


def measure(
    sides: Sequence[Side], settings: Settings, say: Callable[[str], None]
) -> dict[str, list[dict[str, Any]]]:
    """For each kind of growth and size the result of `compare`, with "size" and "per_item"."""
    found: dict[str, list[dict[str, Any]]] = {}
    for kind, (_, make, sizes) in GROWTH.items():
        found[kind] = []
        for size in (sizes[0], sizes[-1]) if settings.quick else sizes:
            say(f"growth: {kind} {size}")
            point = compare(make(size), sides, settings)
            items = size * size if kind == "side" else size  # images, pixels or layers
            point["size"] = size
            point["per_item"] = {
                k: spread["median"] / items for k, spread in point["times"].items()
            }
            found[kind].append(point)
    return found
