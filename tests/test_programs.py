"""PyTorch's programs for beginners, written anew: with only the imports changed they run on tinynet
and print the same numbers.

The programs are in `programs/`, each beside what PyTorch 2.13 prints for it.
"""

from __future__ import annotations

import importlib.util
import os
import pathlib
import re
import subprocess
import sys

import pytest

import tinynet as tn

PROGRAMS = sorted((pathlib.Path(__file__).parent / "programs").glob("*.py"))
DIGITS = pathlib.Path(tn.__file__).parent / "data" / "digits.npz"
NUMBER = re.compile(r"(?<![\w.])-?\d+\.?\d*(?:e[+-]?\d+)?(?![\w])")


def on_tinynet(source: str) -> str:
    """The program with its imports changed, and nothing else."""
    source = re.sub(r"^import torch$", "import tinynet as torch", source, flags=re.M)
    return re.sub(r"^(import|from) torch\b", r"\1 tinynet", source, flags=re.M)


def printed(program: str) -> str:
    out = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(DIGITS)],
        capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False,
    )  # fmt: skip
    assert out.returncode == 0, out.stderr
    return out.stdout


def assert_same(found: str, expected: str) -> None:
    """The same text, and numbers that agree to five digits."""
    assert len(found.splitlines()) == len(expected.splitlines())
    for ours, theirs in zip(found.splitlines(), expected.splitlines(), strict=True):
        assert NUMBER.sub("#", ours) == NUMBER.sub("#", theirs)
        pairs = zip(NUMBER.findall(ours), NUMBER.findall(theirs), strict=True)
        for a, b in pairs:
            assert float(a) == pytest.approx(float(b), rel=2e-5, abs=2e-6), f"{ours}\n{theirs}"


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_the_program_prints_the_same_on_tinynet(path: pathlib.Path) -> None:
    changed = on_tinynet(path.read_text(encoding="utf-8"))
    assert "torch." in changed or "from tinynet" in changed
    assert_same(printed(changed), path.with_suffix(".txt").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
@pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is not installed (extra 'peers')"
)
def test_the_kept_lines_are_what_pytorch_prints(path: pathlib.Path) -> None:
    found = printed(path.read_text(encoding="utf-8"))
    assert_same(found, path.with_suffix(".txt").read_text(encoding="utf-8"))
