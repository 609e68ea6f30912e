"""Drawings: well-formed, complete, escaped, without overlaps, at any size."""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import sys
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinynet as tn
from tinynet import models, nn
from tinynet.functional import cross_entropy
from tinynet.graph.draw import FORMATS
from tinynet.graph.layout import GAP, layered, layers_of, spread
from tinynet.graph.trace import trace

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def lenet():
    model, x = models.LeNet(), tn.rand(2, 1, 28, 28)
    return model, x, lambda: cross_entropy(model(x), tn.tensor([1, 2]))


def texts(drawing):
    return [e.text for e in ET.fromstring(str(drawing)).iter(f"{SVG}text")]


def test_lenet_by_operation(lenet):
    _, x, f = lenet
    drawing = tn.draw(f, names={"x": x})
    kinds = [box.kind for box in drawing.boxes]
    assert kinds.count("parameter") == 8
    assert kinds.count("operation") == len(trace(f).operations)
    words = texts(drawing)
    for name in ["x", "conv2d", "conv1.weight", "max_pool2d", "cross_entropy_rows"]:
        assert name in words
    assert "(2, 6, 24, 24)" in words  # the shape at the edge
    root = ET.fromstring(str(drawing))
    assert root.tag == f"{SVG}svg"
    classes = [g.get("class") for g in root.iter(f"{SVG}g")]
    assert classes.count("parameter") == 8  # told apart from operations
    assert len(list(root.iter(f"{SVG}path"))) == len(drawing.edges) + 1  # and the arrow head
    assert drawing._repr_svg_() == str(drawing)
    assert re.fullmatch(r"<svg of \d+ boxes and \d+ edges>", repr(drawing))


def test_lenet_by_module(lenet):
    model, x, f = lenet
    drawing = tn.draw(f, names={"x": x}, by="module")
    modules = [box.lines for box in drawing.boxes if box.kind == "module"]
    assert modules == [
        ("conv1", "Conv2d", "156 parameters"), ("conv2", "Conv2d", "2,416 parameters"),
        ("fc1", "Linear", "30,840 parameters"), ("fc2", "Linear", "1,210 parameters"),
    ]  # fmt: skip
    assert not [box for box in drawing.boxes if box.kind == "parameter"]
    from_the_loss = tn.draw(f(), model, {"x": x}, by="module")
    assert sorted(b.lines for b in from_the_loss.boxes) == sorted(b.lines for b in drawing.boxes)
    assert len(from_the_loss.edges) == len(drawing.edges)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(3, 3), nn.Tanh())

    def forward(self, x):
        return x + self.inner(x)


def test_modules_inside_modules_collapse_to_the_depth_asked_for():
    model = nn.Sequential(Block(), Block())
    x = tn.rand(2, 3)

    def names(depth):
        drawing = tn.draw(lambda: model(x).sum(), by="module", depth=depth)
        return [box.lines[0] for box in drawing.boxes if box.kind == "module"]

    assert names(1) == ["0", "1"]
    assert names(2) == ["0.inner", "0", "1.inner", "1"]
    assert names(None) == ["0.inner.0", "0.inner.1", "0", "1.inner.0", "1.inner.1", "1"]


def test_a_module_that_is_called_twice_is_drawn_twice():
    model = nn.Linear(3, 3)
    both = nn.Sequential(model, nn.ReLU(), model)
    x = tn.rand(2, 3, requires_grad=True)
    for drawing in (
        tn.draw(lambda: both(x).sum(), by="module"),
        tn.draw(both(x).sum(), both, by="module"),
    ):
        lines = [box.lines for box in drawing.boxes if box.lines[0] == "0"]
        assert lines == [("0", "Linear", "12 parameters")] * 2
        assert not [box for box in drawing.boxes if box.kind == "parameter"]


NASTY = '<b>&"quote"\\ #1\u2028]]>'


def test_names_are_escaped():
    x = tn.tensor([1.0], requires_grad=True)
    made = {f: tn.draw(x.relu().sum(), names={NASTY: x}, format=f) for f in FORMATS}
    assert NASTY in texts(made["svg"])
    labels = re.findall(r"label=(\"(?:[^\"\\]|\\.)*\")", str(made["dot"]))
    assert NASTY in [json.loads(label) for label in labels]
    line = str(made["mermaid"]).split("\n")[1]
    assert line == '  n0[/"#lt;b#gt;#amp;#quot;quote#quot;\\ #35;1\u2028]]#gt;"/]'
    assert made["dot"]._repr_svg_() is None


def parsed(text, format):
    """Boxes and edges of DOT or Mermaid text, by their numbers."""
    box, edge = {
        "dot": (r"^  n(\d+) \[label=.*\];$", r"^  n(\d+) -> n(\d+) \[.*\];$"),
        "mermaid": (r"^  n(\d+)[\[(/]+\".*\"[\])/]+$", r"^  n(\d+) -->(?:\|\".*\"\|)? n(\d+)$"),
    }[format]
    found = [re.match(box, line) or re.match(edge, line) for line in text.split("\n")]
    groups = [tuple(map(int, m.groups())) for m in found if m]
    return [g[0] for g in groups if len(g) == 1], [g for g in groups if len(g) == 2], found


@pytest.mark.parametrize("format", ["dot", "mermaid"])
@pytest.mark.parametrize("by", ["operation", "module"])
def test_text_formats_hold_every_box_and_edge(lenet, format, by):
    drawing = tn.draw(lenet[2], format=format, by=by)
    boxes, edges, lines = parsed(str(drawing), format)
    assert boxes == list(range(len(drawing.boxes)))
    assert edges == [(e.source, e.target) for e in drawing.edges]
    assert sum(m is None for m in lines) == {"dot": 4, "mermaid": 1}[format]
    assert set(itertools.chain(*edges)) == set(boxes)
    assert all(source != target for source, target in edges)


# --- the layout ------------------------------------------------------------------------------


def graph_of(n, seed):
    """n boxes with random sizes, and edges from earlier to later ones."""
    draw = random.Random(seed)
    pairs = list(itertools.combinations(range(n), 2))
    edges = draw.sample(pairs, draw.randint(0, min(len(pairs), 2 * n)))
    return [(draw.uniform(10, 90), draw.uniform(10, 40)) for _ in range(n)], edges


# contents come from a seed: drawn one by one they would take longer than the layout
graphs = st.builds(graph_of, st.integers(1, 14), st.integers(0, 2**32))


@given(graphs, st.integers(1, 13))
def test_boxes_do_not_overlap_and_edges_lead_down(drawn, reach):
    sizes, edges = drawn
    n = len(sizes)
    plan = layered(sizes, edges, [1.0] * len(edges), [reach] * n, [20.0] * n)
    for (a, (x, y)), (b, (p, q)) in itertools.combinations(enumerate(plan.centres), 2):
        apart_x = abs(x - p) - (sizes[a][0] + sizes[b][0]) / 2
        apart_y = abs(y - q) - (sizes[a][1] + sizes[b][1]) / 2
        assert apart_x >= GAP - 1e-6 or apart_y > 0
    for (a, b), line in zip(edges, plan.lines, strict=True):
        ys = [y for _, y in line.points]
        assert ys == sorted(ys)
        assert line.points[-1] == (plan.centres[b][0], plan.centres[b][1] - sizes[b][1] / 2)
        layer = layers_of(n, edges)
        assert (line.tag is not None) == (layer[b] - layer[a] > reach)
        if line.tag is None:
            assert line.points[0] == (plan.centres[a][0], plan.centres[a][1] + sizes[a][1] / 2)
            assert len(line.points) == 1 + layer[b] - layer[a]
    for (x, y), (width, height) in zip(plan.centres, sizes, strict=True):
        assert -1e-6 <= x - width / 2 <= x + width / 2 <= plan.width + 1e-6
        assert -1e-6 <= y - height / 2 <= y + height / 2 <= plan.height + 1e-6


@given(graphs)
def test_layers_are_the_longest_paths(drawn):
    sizes, edges = drawn
    layer = layers_of(len(sizes), edges)
    for b in range(len(sizes)):
        before = [layer[a] for a, c in edges if c == b]
        after = [layer[c] for a, c in edges if a == b]
        if before:
            assert layer[b] == 1 + max(before)
        else:
            assert layer[b] == min(after, default=1) - 1


def test_a_circle_is_refused():
    with pytest.raises(ValueError, match="2 of 3 boxes lie on or behind a cycle"):
        layers_of(3, [(0, 1), (1, 2), (2, 1)])


@given(st.integers(1, 6), st.floats(0, 9), st.integers(0, 2**32))
def test_spread_is_the_nearest_that_keeps_the_gaps(n, gap, seed):
    draw = random.Random(seed)
    points = range(n)
    wanted = [draw.choice([draw.uniform(-50, 50), 0.0]) for _ in points]
    weights = [draw.uniform(0.1, 10) for _ in points]
    best = spread(wanted, weights, [gap] * (len(points) - 1))
    assert all(b - a >= gap - 1e-9 for a, b in itertools.pairwise(best))

    def cost(positions):
        return sum(w * (p - d) ** 2 for p, d, w in zip(positions, wanted, weights, strict=True))

    # moving any run of neighbours by a little, where the gaps allow it, is no better
    for i, j in itertools.combinations(range(len(points) + 1), 2):
        for step in (1e-3, -1e-3):
            moved = [p + step * (i <= k < j) for k, p in enumerate(best)]
            if all(b - a >= gap - 1e-9 for a, b in itertools.pairwise(moved)):
                assert cost(moved) >= cost(best) - 1e-9


def test_five_thousand_operations_without_recursion():
    """Neither the drawing nor the table, with its gradients, is recursive."""
    x = tn.tensor(1.0, requires_grad=True)
    y = x
    for k in range(2000):
        y = (y * 1.0001 + x).sin() if k % 2 else y.cos() * x
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    try:
        drawings = [tn.draw(y, format=format) for format in FORMATS]
        table = str(tn.explain(y))
    finally:
        sys.setrecursionlimit(limit)
    for drawing in drawings:
        assert sum(box.kind == "operation" for box in drawing.boxes) >= 5000
    # a line from the first box to the last would be no help: x is named where it is used
    assert texts(drawings[0]).count("x1") > 1900
    assert (table.count("sin("), table.count("cos(")) == (1000, 1000)


# --- bad input -------------------------------------------------------------------------------


def test_the_file_is_written_or_the_reason_said(tmp_path):
    x = tn.ones(2, requires_grad=True)
    y = x.sum()
    drawing = tn.draw(y, names={"é": x}, path=tmp_path / "y.svg")
    assert (tmp_path / "y.svg").read_text(encoding="utf-8") == str(drawing)
    with pytest.raises(OSError, match=r"^draw: cannot write '.*none.a\.svg': No such file"):
        tn.draw(y, path=tmp_path / "none" / "a.svg")
    with pytest.raises(OSError, match=r"^draw: cannot write '.*': (Is a directory|Permission)"):
        tn.draw(y, path=str(tmp_path))
    assert os.listdir(tmp_path) == ["y.svg"]


def test_other_bad_input():
    y = tn.ones(2, requires_grad=True).sum()
    with pytest.raises(ValueError, match="draw: format is 'png'; it must be one of svg, dot, me"):
        tn.draw(y, format="png")
    with pytest.raises(ValueError, match="draw: by is 'layer'; it must be 'operation' or 'module'"):
        tn.draw(y, by="layer")
    with pytest.raises(ValueError, match="draw: by='module', but no module is known; give model="):
        tn.draw(y, by="module")
    with pytest.raises(RuntimeError, match=r"draw: the tensor of shape \(2,\) has no graph"):
        tn.draw(tn.ones(2))
    y.backward()
    with pytest.raises(RuntimeError, match="draw: the graph was freed by an earlier backward"):
        tn.draw(y)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(tn.ones(3, 2))

    def forward(self, x):
        return x @ self.table.T.exp()


def test_what_is_computed_from_a_modules_parameters_alone_belongs_to_it():
    model = nn.Sequential(Tied())
    drawing = tn.draw(model(tn.ones(4, 2, requires_grad=True)).sum(), model, by="module")
    assert sorted(box.lines[0] for box in drawing.boxes) == ["0", "sum", "x1"]


@pytest.mark.parametrize("format", ["svg", "dot", "mermaid"])
@pytest.mark.parametrize("by", ["operation", "module"])
def test_operations_with_several_outputs(format, by):
    class Gate(nn.Module):
        def forward(self, x):
            a, b = x.chunk(2, 1)
            return a * b.sigmoid()

    model = nn.Sequential(Gate(), nn.Linear(3, 1))
    x = tn.ones(2, 6).requires_grad_()
    drawing = tn.draw(lambda: model(x).sum(), model, {"x": x}, format=format, by=by)
    assert ("Gate" if by == "module" else "split") in str(drawing)
    _, second = x.split([4, 2], 1)
    steps = tn.explain(second).graph.steps
    assert [step.shape for step in steps] == [(2, 6), (2, 4), (2, 2)]
    assert steps[-1].value is second.data
