"""The page's graph: one drawing per part of the network, whose boxes are links."""

from __future__ import annotations

import html
import math
import re

from tinynet.graph.picture import Box, Edge
from tinynet.graph.svg import svg
from tinynet.study.step import Study

# a box of a drawing; its id ends in its number
_BOX = re.compile(r'(<g class="\w+" id="box-[0-9a-f]+-(\d+)">)(.*?)(</g>)', re.DOTALL)


def outline(study: Study) -> str:
    """The parts in order, each foldable; a click leads to the operation."""
    parts = dict.fromkeys(operation.part for operation in study.operations)
    return "".join(_part(study, part) for part in parts)


def _part(study: Study, part: str) -> str:
    """The drawing of one part: its operations, their inputs, and where they come from."""
    steps, keys = study.graph.steps, list(study.quantities)
    mine = {o.step.id: o for o in study.operations if o.part == part}
    number_of = {o.step.id: o.number for o in study.operations}
    boxes: list[Box] = []
    links: list[str] = []
    place: dict[int, int] = {}
    edges: list[Edge] = []
    parameters = 0

    def box(id: int) -> int:
        """The box of a step, made on first use."""
        if id in place:
            return place[id]
        step, key = steps[id], keys[id]
        symbol = study.network.symbols(key)[0]
        if id in mine:
            lines = (f"{mine[id].number} {mine[id].name}", *([symbol] if symbol else []))
            kind = "operation"
        elif step.kind == "operation":
            lines, kind = (
                (f"from {number_of[id]}", symbol or getattr(step.op, "name", "")),
                "constant",
            )
        else:
            lines, kind = (symbol or ("the digit" if key == "x" else key),), step.kind
        place[id] = len(boxes)
        boxes.append(Box(kind, lines, f"{key} {tuple(step.shape)}"))
        links.append(_link(study, id))
        return place[id]

    for id in mine:
        for given in steps[id].inputs:
            if given.id is None:
                continue
            passed = steps[given.id]
            if given.id not in place and passed.kind == "parameter":
                parameters += math.prod(passed.shape)
            label = "" if passed.is_number else str(passed.shape)
            edges.append(Edge(box(given.id), box(id), label))
    drawing = _BOX.sub(
        lambda m: f'{m[1]}<a href="{links[int(m[2])]}">{m[3]}</a>{m[4]}',
        svg(boxes, list(dict.fromkeys(edges))),
    )
    # screen readers do not announce links inside an image
    drawing = drawing.replace('role="img"', 'role="group"', 1)
    listed = "".join(
        f'<li>{o.number} {html.escape(o.name)}: <a href="#f{o.number}">forward</a>, '
        f'<a href="#b{o.number}">backward</a></li>'
        for o in mine.values()
    )
    count = f', <span class="quiet">{parameters:,} parameters</span>' if parameters else ""
    return (
        f"<details open><summary>{html.escape(part)}{count}</summary>{drawing}"
        f'<ul class="links">{listed}</ul></details>'
    )


def _link(study: Study, id: int) -> str:
    """The link of a box: to its operation, or for an input to the operation that takes it."""
    for operation in study.operations:
        if operation.step.id == id:
            return f"#f{operation.number}"
    user = next(o for o in study.operations if any(i.id == id for i in o.step.inputs))
    return f"#f{user.number}"
