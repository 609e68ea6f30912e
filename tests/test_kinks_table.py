"""docs/kinks.md: every test that it names exists, and every kink of a docstring is in it; and the
conventions that no other test checks."""

from __future__ import annotations

import ast
import inspect
import math
import pathlib
import re

import numpy as np
import pytest

import tinynet as tn
import tinynet.functional as F
from tinynet.ops import registry

TESTS = pathlib.Path(__file__).parent
TABLE = TESTS.parent / "docs" / "kinks.md"
ROWS = [
    [cell.strip() for cell in line.strip("| ").split(" | ")]
    for line in TABLE.read_text(encoding="utf-8").splitlines()
    if line.startswith("|") and not line.startswith(("|--", "| where |"))
]


def test_every_row_names_a_test_that_exists() -> None:
    existing = {
        node.name
        for path in TESTS.glob("test_*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    assert len(ROWS) > 20
    for row in ROWS:
        assert len(row) == 4, row
        (name,) = re.findall(r"`(test_\w+)`", row[3])
        assert name in existing, f"{name}, which is to pin {row[0]}"


@pytest.mark.parametrize("name", registry())
def test_every_kink_of_a_docstring_is_in_the_table(name: str) -> None:
    doc = inspect.getdoc(registry()[name].forward)
    assert doc
    kinks = doc.partition("Kinks:")[2].partition("Cost:")[0].strip()
    assert kinks
    if not kinks.startswith("none"):
        assert any(f"`{name}`" in row[0] for row in ROWS), f"{name} has kinks: {kinks}"


# --- conventions that are pinned here ------------------------------------------------------------


def gradients(f: object, *arrays: object) -> list[list[float]]:
    """The gradients of the sum of f."""
    xs = [tn.tensor(np.asarray(a, "float64"), requires_grad=True) for a in arrays]
    return [g.tolist() for g in tn.grad(f(*xs).sum(), xs)]  # type: ignore[operator]


def test_kinks_of_activations() -> None:
    assert gradients(F.relu, [0.0, 1.0]) == [[0, 1]]
    assert gradients(lambda x: F.leaky_relu(x, 0.1), [0.0]) == [[0.1]]
    assert gradients(lambda x: F.elu(x, 0.4), [0.0]) == [[0.4]]


@pytest.mark.parametrize("largest", [True, False])
def test_topk_takes_the_first_of_ties(largest: bool) -> None:
    x = tn.tensor([[1.0, 2.0, 1.0, 2.0, 1.0, 2.0]], requires_grad=True)
    values, positions = x.topk(2, largest=largest)
    first = 1 if largest else 0
    assert positions.tolist() == [[first, first + 2]]
    (values * tn.tensor([[3.0, 5.0]])).sum().backward()
    assert x.grad.tolist()[0][first : first + 3 : 2] == [3, 5]
    assert x.grad.sum().item() == 8


def test_kinks_of_losses() -> None:
    """l1: 0 at 0. Huber: one slope from both sides, at 0 and at delta."""
    a, b = gradients(lambda a, b: F.l1_loss(a, b, reduction="sum"), [1.0, 2.0], [1.0, 1.0])
    assert (a, b) == ([0, 1], [0, -1])

    def huber(e: tn.Tensor) -> tn.Tensor:
        return F.huber_loss(e, tn.zeros(4, dtype="float64"), reduction="sum", delta=0.5)

    assert gradients(huber, [0.0, 0.5, -0.5, 0.5 + 1e-9])[0] == [0, 0.5, -0.5, 0.5]


def test_ties_of_two() -> None:
    for f in (tn.maximum, tn.minimum):
        assert gradients(f, [1.0], [1.0]) == [[0.5], [0.5]]


def test_ties_of_adaptive_max_pool() -> None:
    (g,) = gradients(lambda x: F.adaptive_max_pool2d(x, 1), np.ones((1, 1, 2, 2)))
    assert g == [[[[1, 0], [0, 0]]]]


def test_logarithms_below_and_at_zero() -> None:
    with np.errstate(divide="ignore", invalid="ignore"):
        assert tn.tensor([0.0]).log().tolist() == [-math.inf]
        assert gradients(lambda x: x.log(), [0.0]) == [[math.inf]]
        ga, gb = gradients(lambda a, b: a**b, [-2.0], [2.0])
    assert ga == [-4]
    assert math.isnan(gb[0])


def test_nan_has_no_gradient_in_an_order() -> None:
    nan = math.nan
    for f in (tn.maximum, tn.minimum):
        assert gradients(f, [nan, 1.0], [1.0, nan]) == [[0, 0], [0, 0]]
        assert np.isnan(f(tn.tensor([nan]), tn.tensor([1.0])).numpy()).all()
    for g in (lambda x: x.amax(), lambda x: x.amin(), lambda x: x.clamp(0.0, 0.5)):
        assert gradients(g, [nan, 1.0]) == [[0, 0]]


def test_reductions_of_nothing() -> None:
    nothing = tn.zeros(0, 3)
    assert nothing.sum().item() == 0
    assert nothing.sum(0).tolist() == [0, 0, 0]
    assert nothing.norm().item() == 0
    for f in (nothing.amax, nothing.amin, nothing.max):
        with pytest.raises(ValueError, match="has no entry along dim None"):
            f()


def test_rows_that_no_window_reaches() -> None:
    image = np.arange(20.0).reshape(1, 1, 4, 5)
    for f in (
        lambda x: F.max_pool2d(x, (4, 3), 3),
        lambda x: F.avg_pool2d(x, (4, 3), 3),
        lambda x: F.conv2d(x, tn.ones(1, 1, 4, 3, dtype="float64"), stride=3),
    ):
        assert f(tn.tensor(image)).shape == (1, 1, 1, 1)
        (g,) = gradients(f, image)
        assert not np.array(g)[..., 3:].any()
        assert np.array(g)[..., 2].any()
