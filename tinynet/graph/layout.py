"""Layered layout of a directed acyclic graph: positions of boxes and edges.

Layers come from the longest path, the order within a layer from barycentres, positions from
weighted least squares that keep the order and the gaps. No function is recursive, so a graph can
have any depth.

Source: K. Sugiyama, S. Tagawa and M. Toda, Methods for visual understanding of hierarchical
    system structures, IEEE Trans. SMC 11 (1981); R. Barlow et al., Statistical Inference under
    Order Restrictions (1972), for the pooling of adjacent violators.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]

GAP, BETWEEN = 18.0, 32.0  # between neighbours, and between layers, in pixels
SWEEPS = 4


@dataclass
class Line:
    """The points of an edge, from the lower side of one box to the upper side of another.

    An edge that is cut starts at a tag with the name of its source, centred at `tag`.
    """

    points: list[Point]
    tag: Point | None = None


@dataclass
class Layout:
    """Centres of the boxes and lines of the edges, in the order given, and the total size."""

    centres: list[Point]
    lines: list[Line]
    width: float
    height: float


def layers_of(n: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The layer of each of n boxes: the length of the longest path to it.

    A source is placed directly above its first successor.

    Raises:
        ValueError: if the edges form a cycle.
    """
    following: list[list[int]] = [[] for _ in range(n)]
    waiting = [0] * n
    for a, b in edges:
        following[a].append(b)
        waiting[b] += 1
    sources = [k for k in range(n) if not waiting[k]]
    layer, ready, done = [0] * n, list(sources), 0
    while ready:
        a = ready.pop()
        done += 1
        for b in following[a]:
            layer[b] = max(layer[b], layer[a] + 1)
            waiting[b] -= 1
            if not waiting[b]:
                ready.append(b)
    if done < n:
        raise ValueError(f"layout: {n - done} of {n} boxes lie on or behind a cycle of edges")
    for a in sources:
        layer[a] = min((layer[b] for b in following[a]), default=1) - 1
    return layer


def spread(wanted: Sequence[float], weights: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """The positions nearest to `wanted` in weighted least squares, at least gaps[k] apart.

    >>> spread([0.0, 0.0], [1.0, 1.0], [2.0])
    [-1.0, 1.0]
    """
    shift = [0.0]
    for gap in gaps:
        shift.append(shift[-1] + gap)
    pools: list[tuple[float, float, int]] = []  # mean, weight, size of touching neighbours
    for k, (d, w) in enumerate(zip(wanted, weights, strict=True)):
        mean, weight, size = d - shift[k], w, 1
        while pools and pools[-1][0] >= mean:
            m, v, s = pools.pop()
            mean, weight, size = (m * v + mean * weight) / (v + weight), v + weight, s + size
        pools.append((mean, weight, size))
    means = [mean for mean, _, size in pools for _ in range(size)]
    return [mean + s for mean, s in zip(means, shift, strict=False)]


def layered(
    sizes: Sequence[Point],
    edges: Sequence[tuple[int, int]],
    weights: Sequence[float],
    reach: Sequence[int],
    tag_widths: Sequence[float],
) -> Layout:
    """Place boxes so that all edges lead downwards.

    Args:
        sizes: (width, height) of each box.
        edges: (from, to), numbers of boxes.
        weights: how strongly each edge pulls its ends above each other.
        reach: for each box the number of layers an edge from it may span; longer ones are cut.
        tag_widths: for each box the width of the tag at which its cut edges start.
    """
    layer = layers_of(len(sizes), edges)
    boxes = [*sizes]  # later also the tags, and the points where edges cross a layer
    depth = [*layer]
    chains: list[list[int]] = []  # for each edge, the boxes, tags and points that it joins
    pulls: list[tuple[int, int, float]] = []
    tags: dict[tuple[int, int], int] = {}
    for (a, b), weight in zip(edges, weights, strict=True):
        if layer[b] - layer[a] > reach[a]:
            place = (a, layer[b] - 1)
            if place not in tags:
                tags[place] = len(boxes)
                boxes.append((tag_widths[a], 18.0))
                depth.append(layer[b] - 1)
            chain = [tags[place], b]
        else:
            between = range(layer[a] + 1, layer[b])
            chain = [a, *range(len(boxes), len(boxes) + len(between)), b]
            boxes += [(8.0, 0.0)] * len(between)
            depth += between
        chains.append(chain)
        pulls += [(p, q, weight * (4 if len(chain) > 2 else 1)) for p, q in pairwise(chain)]
    rows: list[list[int]] = [[] for _ in range(max(depth, default=0) + 1)]
    for k, d in enumerate(depth):
        rows[d].append(k)
    above: list[list[tuple[int, float]]] = [[] for _ in boxes]
    below: list[list[tuple[int, float]]] = [[] for _ in boxes]
    for p, q, w in pulls:
        above[q].append((p, w))
        below[p].append((q, w))
    x = _positions(boxes, rows, above, below)
    y, top = [0.0] * len(boxes), 0.0
    for row in rows:
        height = max((boxes[k][1] for k in row), default=0.0)
        for k in row:
            y[k] = top + height / 2
        top += height + BETWEEN
    left = min((x[k] - boxes[k][0] / 2 for k in range(len(boxes))), default=0.0)
    x = [v - left for v in x]
    lines = []
    for chain in chains:
        inner = [(x[k], y[k]) for k in chain[1:-1]]
        a, b = chain[0], chain[-1]
        ends = (x[a], y[a] + boxes[a][1] / 2), (x[b], y[b] - boxes[b][1] / 2)
        cut = a >= len(sizes)
        lines.append(Line([ends[0], *inner, ends[1]], (x[a], y[a]) if cut else None))
    width = max((x[k] + boxes[k][0] / 2 for k in range(len(boxes))), default=0.0)
    centres = list(zip(x, y, strict=True))[: len(sizes)]
    return Layout(centres, lines, width, max(top - BETWEEN, 0.0))


def _positions(
    boxes: Sequence[Point],
    rows: list[list[int]],
    above: list[list[tuple[int, float]]],
    below: list[list[tuple[int, float]]],
) -> list[float]:
    """Order each row by the positions of its neighbours, then move boxes towards them."""
    x = [0.0] * len(boxes)
    for row in rows:
        _pack(row, boxes, x)

    def pulled(k: int, sides: list[list[list[tuple[int, float]]]]) -> tuple[float, float]:
        at = total = 0.0
        for side in sides:
            for j, w in side[k]:
                at += x[j] * w
                total += w
        return (at / total, total) if total else (x[k], 0.1)

    for sweep in range(2 * SWEEPS):  # downwards and upwards in turn
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            row.sort(key=lambda k: pulled(k, [above if down else below])[0])
            _pack(row, boxes, x)
    for sweep in range(2 * SWEEPS):
        down = sweep % 2 == 0
        sides = [above, below] if sweep >= SWEEPS else [above] if down else [below]
        for row in rows if down else reversed(rows):
            wanted, weights = zip(*(pulled(k, sides) for k in row), strict=True)
            gaps = [(boxes[a][0] + boxes[b][0]) / 2 + GAP for a, b in pairwise(row)]
            for k, v in zip(row, spread(wanted, weights, gaps), strict=True):
                x[k] = v
    return x


def _pack(row: list[int], boxes: Sequence[Point], x: list[float]) -> None:
    """Place the boxes of a row side by side, in order, centred at 0."""
    at = -(sum(boxes[k][0] + GAP for k in row) - GAP) / 2
    for k in row:
        x[k] = at + boxes[k][0] / 2
        at += boxes[k][0] + GAP
