"""The example finds each planted mistake and reports where it is."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

import pytest

EXAMPLE = pathlib.Path(__file__).parent.parent / "examples" / "check_your_gradients.py"


def output(*options: str) -> str:
    done = subprocess.run(
        [sys.executable, EXAMPLE, *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("mistake", "order"), [("dropped-term", 1), ("forgotten-beta", 1), ("second-order", 2)]
)
def test_the_mistake_is_found_and_the_right_rule_passes(mistake: str, order: int) -> None:
    out = output("--mistake", mistake)
    assert f"`swish`, order {order}: wrong gradient" in out
    assert "input 0 of shape (3,)" in out
    assert re.search(r"coordinate \(\d,\)", out)
    assert "relative error" in out.split("swish with the right rule")[0]
    worst = re.search(r"relative error at most (\S+)", out)
    assert worst
    assert float(worst[1]) <= 1e-6


def test_a_mistake_that_does_not_show_is_not_claimed_to_be_found() -> None:
    assert "nothing found" in output("--beta", "1")
