"""The page's graph: one drawing per part of the network, whose boxes are links."""

from __future__ import annotations

import html
import re

from tinynet.graph.picture import Box, Edge
from tinynet.graph.svg import svg
from tinynet.study.step import Quantity, Study

# a box of a drawing; its id ends in its number
_BOX = re.compile(r'(<g class="\w+" id="box-[0-9a-f]+-(\d+)">)(.*?)(</g>)', re.DOTALL)


def outline(study: Study) -> str:
    """The parts in order, each foldable; a click leads to the operation."""
    parts = dict.fromkeys(operation.part for operation in study.operations)
    return "".join(_part(study, part) for part in parts)


def _part(study: Study, part: str) -> str:
    """The drawing of one part: its operations, their inputs, and where they come from."""
    made_by = {operation.output: operation for operation in study.operations}
    mine = [operation for operation in study.operations if operation.part == part]
    boxes: list[Box] = []
    links: list[str] = []
    place: dict[Quantity, int] = {}

    def box(tensor: Quantity) -> int:
        """The box of a tensor, made on first use."""
        if tensor in place:
            return place[tensor]
        symbol, maker = study.network.symbols(tensor.key)[0], made_by.get(tensor)
        if maker is None:
            plain = "the digit" if tensor.key == "x" else tensor.key
            kind, lines = tensor.kind, [symbol or plain]
        elif maker in mine:
            kind, lines = "operation", [f"{maker.number} {maker.name}", symbol]
        else:
            kind, lines = "constant", [f"from {maker.number}", symbol or maker.name]
        place[tensor] = len(boxes)
        boxes.append(Box(kind, tuple(filter(None, lines)), f"{tensor.key} {tensor.value.shape}"))
        # to its operation, or for an input to the first operation that takes it
        to = maker or next(o for o in study.operations if tensor in o.inputs.values())
        links.append(f"#f{to.number}")
        return place[tensor]

    edges: dict[Edge, None] = {}
    for operation in mine:
        for tensor in operation.inputs.values():
            label = "" if tensor.is_number else str(tensor.value.shape)
            edges[Edge(box(tensor), box(operation.output), label)] = None
    drawing = _BOX.sub(
        lambda m: f'{m[1]}<a href="{links[int(m[2])]}">{m[3]}</a>{m[4]}',
        svg(boxes, list(edges)),
    )
    # screen readers do not announce links inside an image
    drawing = drawing.replace('role="img"', 'role="group"', 1)
    listed = "".join(
        f'<li>{o.number} {html.escape(o.name)}: <a href="#f{o.number}">forward</a>, '
        f'<a href="#b{o.number}">backward</a></li>'
        for o in mine
    )
    used = {tensor for o in mine for tensor in o.inputs.values() if tensor.kind == "parameter"}
    parameters = sum(tensor.value.size for tensor in used)
    count = f', <span class="quiet">{parameters:,} parameters</span>' if parameters else ""
    return (
        f"<details open><summary>{html.escape(part)}{count}</summary>{drawing}"
        f'<ul class="links">{listed}</ul></details>'
    )
