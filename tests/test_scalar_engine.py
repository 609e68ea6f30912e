"""The scalar engine is right on chains, diamonds and a network; wrong versions of it are not."""

from __future__ import annotations

import math
import pathlib
import subprocess
import sys
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinynet as tn

PATH = pathlib.Path(__file__).parent.parent / "examples" / "scalar_engine.py"
SOURCE = PATH.read_text()
numbers = st.floats(-1, 1)


def between(start: str, end: str) -> str:
    return SOURCE[SOURCE.index(start) : SOURCE.index(end)]


def engine(*changes: tuple[str, str]) -> types.ModuleType:
    """The example as a module, with pieces of its source replaced."""
    text = SOURCE
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} is not there once"
        text = text.replace(old, new)
    module = types.ModuleType("scalar_engine")
    exec(compile(text, str(PATH), "exec"), vars(module))
    return module


RIGHT = engine()


def gradients(module, rows):
    values = [[module.Value(n) for n in row] for row in rows]
    module.loss_by_scalars(values, [0.5, -1.2], 0.7).backward()
    return [v.grad for row in values for v in row]


@given(st.lists(st.lists(numbers, min_size=4, max_size=4), min_size=1, max_size=5))
def test_the_same_gradients_as_tinynet(rows):
    W = tn.tensor(rows, dtype="float64", requires_grad=True)
    RIGHT.loss_by_tinynet(W, [0.5, -1.2], 0.7).backward()
    assert gradients(RIGHT, rows) == pytest.approx(
        [g for row in W.grad.tolist() for g in row], rel=1e-12, abs=1e-14
    )


def run(*options):
    return subprocess.run([sys.executable, PATH, *options], capture_output=True, text=True)


def test_printed_side_by_side():
    rows = [line.split() for line in run("--hidden", "3").stdout.splitlines()[3:]]
    assert len(rows) == 12
    assert all(math.isclose(float(a), float(b), abs_tol=1e-14) for _, _, a, b in rows)
    assert any(float(a) for _, _, a, _ in rows)


def test_a_size_that_is_none():
    out = run("--hidden", "0")
    assert out.returncode == 2
    assert "--hidden: invalid choice: 0" in out.stderr


def square_slope(module):
    x = module.Value(3.0)
    (x * x).backward()
    return x.grad


def test_why_add_up():
    assert square_slope(RIGHT) == 6.0
    wrong = engine(("parent.grad += slope", "parent.grad = slope"))
    assert square_slope(wrong) == 3.0


def test_why_out_in_exp():
    def slope(module):
        x = module.Value(2.0)
        x.exp().backward()
        return x.grad

    assert slope(RIGHT) == math.exp(2.0)
    assert slope(engine(("((self, out),))", "((self, self.data),))"))) == 2.0


def test_why_an_order():
    """y = 3x, c = 2y + 5y: passed on at once and at every visit, y's gradient counts twice."""

    def slope(module):
        x = module.Value(2.0)
        y = module.Value(3.0) * x
        (module.Value(2.0) * y + module.Value(5.0) * y).backward()
        return x.grad

    at_once = between("        order, done, stack", "\n\ndef loss_by_scalars")
    wrong = engine((at_once, (
        "        self.grad = self.grad or 1.0\n"
        "        for parent, slope in self.came_from:\n"
        "            parent.grad += slope * self.grad\n"
        "            parent.backward()\n"
    )))  # fmt: skip
    assert slope(RIGHT) == 21.0
    assert slope(wrong) != 21.0


def test_why_not_recurse():
    def slope(module):
        x = module.Value(0.5)
        end = x
        for _ in range(20_000):
            end = end + x
        end.backward()
        return x.grad

    walk = between("        order, done, stack", "        self.grad = 1.0")
    recursive = engine((walk, (
        "        order, done = [], set()\n"
        "        def visit(value):\n"
        "            if value not in done:\n"
        "                done.add(value)\n"
        "                for parent, _ in value.came_from:\n"
        "                    visit(parent)\n"
        "                order.append(value)\n"
        "        visit(self)\n"
    )))  # fmt: skip
    assert slope(RIGHT) == 20_001.0
    assert square_slope(recursive) == 6.0  # right, as long as the chain is short
    with pytest.raises(RecursionError):
        slope(recursive)


def test_the_engine_is_some_forty_lines():
    lines = between("class Value", "\n\ndef loss_by_scalars").splitlines()
    assert len([line for line in lines if line.strip()]) <= 45
