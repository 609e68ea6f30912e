"""The C library's allocator keeps freed memory, unless it is told not to."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tinynet import memory

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
