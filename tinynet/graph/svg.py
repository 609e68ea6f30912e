"""Boxes and edges as one SVG element, readable on light and dark backgrounds."""

from __future__ import annotations

import html
import zlib

from tinynet.graph.layout import Point, layered
from tinynet.graph.picture import Box, Edge

# in pixels: width of a letter at 12 px, height of a line, margin around the drawing
LETTER, LINE, MARGIN = 7.3, 16.0, 16.0
SMALL, UNDER = 6.1, 14.0  # width of a letter at 10 px, height of the shapes under a box

STYLE = """\
.tinynet-graph { --ink: #1b1f24; --quiet: #5b6472; --paper: #ffffff; --operation: #e9eff9;
  --parameter: #fff2d1; --input: #e3f4e8; --constant: #f1f1ee; --module: #eee7fa;
  background: var(--paper); font: 12px ui-monospace, Menlo, Consolas, monospace }
@media (prefers-color-scheme: dark) { .tinynet-graph { --ink: #e8eaed; --quiet: #9aa4b2;
  --paper: #16181c; --operation: #24324a; --parameter: #4a3c17; --input: #1d4029;
  --constant: #33352f; --module: #3b2f57 } }
.tinynet-graph text { fill: var(--ink); text-anchor: middle }
.tinynet-graph rect { stroke: var(--quiet) }
.tinynet-graph .operation rect { fill: var(--operation) }
.tinynet-graph .parameter rect { fill: var(--parameter) }
.tinynet-graph .input rect { fill: var(--input) }
.tinynet-graph .constant rect { fill: var(--constant) }
.tinynet-graph .module rect { fill: var(--module) }
.tinynet-graph .first { font-weight: bold }
.tinynet-graph .edge { fill: none; stroke: var(--quiet) }
.tinynet-graph marker path { fill: var(--quiet) }
.tinynet-graph .tag rect { fill: var(--paper); stroke-dasharray: 3 2 }
.tinynet-graph .tag text, .tinynet-graph .shape { font-size: 10px; fill: var(--quiet) }
"""


def svg(boxes: list[Box], edges: list[Edge]) -> str:
    """The drawing as SVG; only leaves have round boxes."""
    sizes = [
        (max(len(line) for line in box.lines) * LETTER + 18, len(box.lines) * LINE + 10)
        for box in boxes
    ]
    passed: list[dict[str, None]] = [{} for _ in boxes]  # distinct shapes of each box, in order
    for edge in edges:
        if edge.label:
            passed[edge.source][edge.label] = None
    shapes = [" ".join(labels) for labels in passed]
    slots = [
        (max(width, len(text) * SMALL), height + UNDER * bool(text))
        for (width, height), text in zip(sizes, shapes, strict=True)
    ]
    leaf = [box.kind in ("parameter", "input", "constant") for box in boxes]
    # long lines from leaves hide the structure, so a tag with the leaf's name replaces them
    reach = [2 if k else 12 for k in leaf]
    weights = [0.1 if leaf[edge.source] else 8.0 for edge in edges]
    tags = [len(box.lines[0]) * SMALL + 14 for box in boxes]
    plan = layered(slots, [(e.source, e.target) for e in edges], weights, reach, tags)
    # ids must be unique in a page, which may contain several drawings
    key = f"{zlib.crc32(repr((boxes, edges)).encode()):08x}"
    width, height = plan.width + 2 * MARGIN, plan.height + 2 * MARGIN
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tinynet-graph" role="img" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">',
        f"<title>A graph of {len(boxes):,} boxes and {len(edges):,} edges</title>",
        f"<style>{STYLE}</style>",
        f'<defs><marker id="arrow-{key}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>',
        f'<g transform="translate({MARGIN:.0f} {MARGIN:.0f})">',
    ]
    tagged: set[Point] = set()
    for edge, line in zip(edges, plan.lines, strict=True):
        out.append(f'<path class="edge" marker-end="url(#arrow-{key})" d="{_path(line.points)}"/>')
        if line.tag is not None and line.tag not in tagged:
            tagged.add(line.tag)
            out.append(_tag(boxes[edge.source], line.tag, tags[edge.source]))
    for k, (box, size) in enumerate(zip(boxes, sizes, strict=True)):
        x, y = plan.centres[k]
        if shapes[k]:
            y -= UNDER / 2
            under = y + size[1] / 2 + 11
            text = html.escape(shapes[k])
            out.append(f'<text class="shape" x="{x:.1f}" y="{under:.1f}">{text}</text>')
        out.append(_box(f"{key}-{k}", box, (x, y), size, leaf[k]))
    return "\n".join([*out, "</g>", "</svg>"])


def _path(points: list[Point]) -> str:
    """Curves from point to point, vertical at both ends."""
    x, y = points[0]
    pieces = [f"M{x:.1f} {y:.1f}"]
    for p, q in points[1:]:
        middle = (y + q) / 2
        pieces.append(f"C{x:.1f} {middle:.1f} {p:.1f} {middle:.1f} {p:.1f} {q:.1f}")
        x, y = p, q
    return " ".join(pieces)


def _box(name: str, box: Box, centre: Point, size: Point, round: bool) -> str:
    (x, y), (width, height) = centre, size
    top = y - len(box.lines) * LINE / 2 + LINE * 0.75
    texts = "".join(
        f'<text class="{"first" if k == 0 else "more"}" x="{x:.1f}" y="{top + k * LINE:.1f}">'
        f"{html.escape(line)}</text>"
        for k, line in enumerate(box.lines)
    )
    return (
        f'<g class="{box.kind}" id="box-{name}"><title>{html.escape(box.title)}</title>'
        f'<rect x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" rx="{height / 2 if round else 3:.1f}"/>{texts}</g>'
    )


def _tag(box: Box, centre: Point, width: float) -> str:
    """The name of a distant box, in place of a line from it."""
    x, y = centre
    return (
        f'<g class="tag"><rect x="{x - width / 2:.1f}" y="{y - 9:.1f}" width="{width:.1f}" '
        f'height="18" rx="9"/><text x="{x:.1f}" y="{y + 3.5:.1f}">{html.escape(box.lines[0])}'
        "</text></g>"
    )
