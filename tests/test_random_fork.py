"""Random numbers after a fork, others than the parent's and the siblings', and in a loader's items:
the same in each run."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import tinynet as tn
from tinynet import nn

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


class Noisy(tn.utils.data.Dataset):
    """Items that draw random numbers with tinynet's functions."""

    def __len__(self):
        return 24

    def __getitem__(self, i):
        return tn.rand(2) + nn.functional.dropout(tn.ones(2)) + i


def epochs(workers, count=2, **options):
    loader = tn.utils.data.DataLoader(
        Noisy(), batch_size=4, shuffle=True, num_workers=workers, **options
    )
    return [x.tolist() for _ in range(count) for x in loader]


def test_items_draw_the_same_numbers_for_any_number_of_threads():
    tn.manual_seed(0)
    expected = epochs(0)
    after = tn.rand(1).item()
    assert len({repr(x) for x in expected}) == 12
    for workers in (1, 3):
        tn.manual_seed(0)
        assert epochs(workers) == expected
    tn.manual_seed(0)
    assert tn.rand(1).item() == after  # the loop's own numbers are as without a loader
    assert epochs(2, seed=1) != expected


def test_items_of_a_resumed_epoch_draw_the_same_numbers():
    loader, again = (
        tn.utils.data.DataLoader(Noisy(), batch_size=4, shuffle=True) for _ in range(2)
    )
    batches = iter(loader)
    next(batches)
    again.load_state_dict(loader.state_dict())
    assert [x.tolist() for x in again] == [x.tolist() for x in batches]


def test_a_seed_within_an_item_stays_there():
    class Seeded(Noisy):
        def __getitem__(self, i):
            tn.manual_seed(7)
            return tn.rand(1)

    tn.manual_seed(0)
    expected = tn.rand(1).item()
    tn.manual_seed(0)
    (x,) = tn.utils.data.DataLoader(Seeded(), batch_size=24)
    assert tn.rand(1).item() == expected
    tn.manual_seed(7)
    assert x.tolist() == [tn.rand(1).tolist()] * 24


def test_a_worker_needs_no_seed():
    with pytest.raises(ValueError, match=r"worker_init_fn.* A worker needs no seed"):
        tn.utils.data.DataLoader([1], worker_init_fn=print)
