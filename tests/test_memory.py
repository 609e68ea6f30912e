"""Layouts, and the C library's allocator, which keeps freed memory by default."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from tinynet import memory
from tinynet.memory import block_bytes, first_axis_last

CODE = """
import resource, numpy as np, tinynet
from tinynet.memory import keep_freed_memory
def work():
    a = [np.ones(40_000, "float32") for _ in range(20)]
for _ in range(5): work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100): work()
print(keep_freed_memory(), resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(setting):
    out = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, check=True,
        env={**os.environ, "TINYNET_TUNE_MALLOC": setting},
    ).stdout.split()  # fmt: skip
    return out[0] == "True", int(out[1])


def test_the_page_faults_go_and_the_switch_works():
    if not memory.keep_freed_memory():
        pytest.skip("not Linux with glibc, or switched off")
    done, count = faults("1")
    assert done
    assert count < 200  # 100 times 20 arrays of 40 pages are 80,000 pages
    done, _ = faults("0")
    assert not done


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not memory.keep_freed_memory()


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(os, "confstr", lambda name: "musl 1.2", raising=False)
    assert not memory.keep_freed_memory()


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
@pytest.mark.parametrize(
    "shape", [(9, 512), (9, 4, 16, 16), (128, 3, 32, 32), (8, 512), (9, 500), (1, 512), (9, 0, 8)]
)
def test_the_first_axis_goes_last_whatever_the_distance_of_rows(shape: Any, dtype: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 200, shape).astype(dtype)
    for a in (x, x[::-1], np.asfortranarray(x), np.broadcast_to(x[:1], shape)):
        y = first_axis_last(a)
        first_axis_last(a + 1)  # in the same workspace, which the result must not be in
        assert y.flags.c_contiguous
        np.testing.assert_array_equal(y, np.moveaxis(a, 0, -1), strict=True)
    if y.size:
        assert np.shares_memory(first_axis_last(np.moveaxis(y, -1, 0)), y), "an unnecessary copy"


def test_the_first_axis_goes_last_in_pieces_of_a_block() -> None:
    x = np.random.default_rng(0).random((1000, 3 * 1024), "float32")
    memory._workspaces.buffers.clear()
    np.testing.assert_array_equal(first_axis_last(x), x.T)
    (kept,) = memory._workspaces.buffers.values()
    assert kept.nbytes < block_bytes(x) + 1000 * 64 + 1
