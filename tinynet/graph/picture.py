"""A graph as boxes and edges: one box per step, or per call of a module."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tinynet.graph.explain import call
from tinynet.graph.steps import Call, Graph, Step


@dataclass(frozen=True)
class Box:
    """A step, or all steps of one call of a module."""

    kind: str  # "operation", "parameter", "input", "constant", "module"
    lines: tuple[str, ...]  # the text inside
    title: str  # the tooltip


@dataclass(frozen=True)
class Edge:
    """An edge between two boxes, by number; the label is the shape of the tensor passed."""

    source: int
    target: int
    label: str


def picture(
    graph: Graph, by_module: bool = False, depth: int | None = None
) -> tuple[list[Box], list[Edge]]:
    """The boxes and edges of a graph, with one box per step or per call of a module."""
    steps = graph.steps
    around = [
        step.calls[:depth][-1] if by_module and step.calls[:depth] else None for step in steps
    ]
    users: list[set[str | None]] = [set() for _ in steps]
    for step, made_by in zip(steps, around, strict=True):
        for given in step.inputs:
            if given.id is not None:
                users[given.id].add(made_by.name if made_by else None)
    # parameters and numbers used by the calls of one module only are part of its box
    hidden = {
        step.id for step in steps
        if len(users[step.id]) == 1 and None not in users[step.id]
        and (step.kind == "parameter" or step.is_number)
    }  # fmt: skip
    members: dict[Call | int, list[Step]] = {}
    for step, made_by in zip(steps, around, strict=True):
        if step.id not in hidden:
            members.setdefault(made_by or step.id, []).append(step)
    boxes: list[Box] = []
    place: dict[int, int] = {}
    for key, inside in members.items():
        place.update((step.id, len(boxes)) for step in inside)
        boxes.append(
            _module_box(graph, key, inside, hidden)
            if isinstance(key, Call) else _step_box(graph, inside[0])
        )  # fmt: skip
    edges: dict[tuple[int, int], Edge] = {}  # by step and the box that uses it
    for step in steps:
        for given in step.inputs:
            if given.id is None or given.id in hidden or place[given.id] == place[step.id]:
                continue
            passed = steps[given.id]
            label = "" if passed.is_number else str(passed.shape)
            edges[given.id, place[step.id]] = Edge(place[given.id], place[step.id], label)
    return boxes, list(edges.values())


def _step_box(graph: Graph, step: Step) -> Box:
    title = f"{call(graph, step)}\n{step.formula}\n{step.shape} {step.dtype or ''}".rstrip()
    kind = "operation" if step.kind == "output" else step.kind
    return Box(kind, (step.op.name if step.op else step.name,), title)


def _module_box(graph: Graph, made_by: Call, inside: list[Step], hidden: set[int]) -> Box:
    taken = {i.id for step in inside for i in step.inputs if i.id in hidden}
    count = sum(
        math.prod(graph.steps[k].shape)
        for k in taken if k is not None and graph.steps[k].kind == "parameter"
    )  # fmt: skip
    lines = [made_by.name]
    if made_by.kind != made_by.name:
        lines.append(made_by.kind)
    if count:
        lines.append(f"{count:,} parameters")
    return Box("module", tuple(lines), "\n".join(call(graph, step) for step in inside))
