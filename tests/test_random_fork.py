"""Random numbers after a fork: others than the parent's and the siblings', the same in each run."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CODE = """
import os, sys, tinynet as tn
tn.manual_seed(0)
tn.rand(3)
for i in range(3):
    if os.fork() == 0:
        print(tn.rand(1).item(), flush=True)
        os._exit(0)
    os.wait()
print(tn.rand(1).item())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forked_processes_draw_other_numbers():
    def run():
        out = subprocess.run(
            [sys.executable, "-c", CODE], capture_output=True, text=True, check=True
        )
        return out.stdout.split()

    numbers = run()
    assert len(set(numbers)) == 4
    assert numbers == run()
