"""DataLoader.state_dict: a loop that continues from a saved position gets the next batch."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loader_cases import jitter

from tinynet.data import DataLoader


def same(one: Any, other: Any) -> bool:
    """Whether two sequences of batches are bitwise equal."""
    one, other = list(one), list(other)
    return len(one) == len(other) and all(
        np.array_equal(a, b)
        for batch, its in zip(one, other, strict=True)
        for a, b in zip(batch, its, strict=True)
    )


@settings(max_examples=15)
@given(
    n=st.integers(1, 20),
    batch=st.integers(1, 6),
    seed=st.integers(0, 2**40),
    epoch=st.integers(0, 1000),
    workers=st.sampled_from([(0, 0), (1, 1), (3, 3), (0, 3), (1, 0)]),
    flags=st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_a_restored_loader_goes_on_with_the_next_batch(
    n: int, batch: int, seed: int, epoch: int, workers: tuple[int, int], flags: tuple[bool, ...]
) -> None:
    shuffle, drop_last, transformed = flags
    options: dict[str, Any] = {
        "batch_size": min(batch, n),
        "seed": seed,
        "shuffle": shuffle,
        "drop_last": drop_last,
        "transform": jitter if transformed else None,
    }
    x = np.arange(float(n))
    loader = DataLoader(x, np.arange(n), **options, num_workers=workers[0])
    loader.set_epoch(epoch)
    states, batches = [loader.state_dict()], []
    for b in loader:
        states.append(loader.state_dict())
        batches.append(b)
    following = list(loader)
    for k, state in enumerate(states):
        assert (state["epoch"], state["batch"]) == (epoch, k)
        again = DataLoader(x, np.arange(n), **options, num_workers=workers[1])
        again.load_state_dict(json.loads(json.dumps(state)))
        assert again.state_dict() == state
        assert again.epoch == epoch
        assert same(again, batches[k:])
        assert again.epoch == epoch + 1
        assert same(again, following)


def place(loader: DataLoader) -> tuple[int, int]:
    state = loader.state_dict()
    return state["epoch"], state["batch"]


@pytest.mark.parametrize("workers", [0, 2])
def test_the_place_step_by_step(workers: int) -> None:
    loader = DataLoader(np.arange(10), batch_size=4, num_workers=workers)
    assert place(loader) == (0, 0)
    run = iter(loader)
    assert place(loader) == (0, 0)
    seen = []
    for _ in run:
        seen.append(place(loader))
    assert seen == [(0, 1), (0, 2), (0, 3)]
    assert place(loader) == (1, 0)
    for _ in loader:
        break
    assert place(loader) == (1, 1)  # may still be taken up, from a saved state
    assert loader.epoch == 2
    loader.set_epoch(loader.epoch)
    assert place(loader) == (2, 0)
    first, second = iter(loader), iter(loader)
    next(second)
    next(first)
    next(first)
    assert place(loader) == (3, 1)  # the loop begun last
    list(first)
    assert place(loader) == (3, 1)
    list(second)
    assert place(loader) == (4, 0)


STATE_ERRORS: dict[str, tuple[type[Exception], str, dict[str, Any]]] = {
    "seed": (ValueError, "saved with seed=4, but this loader has seed=3", {"seed": 4}),
    "two": (
        ValueError,
        "saved with batch_size=5, shuffle=0, but this loader has batch_size=2, shuffle=1",
        {"batch_size": 5, "shuffle": 0},
    ),
    "drop_last": (ValueError, "drop_last=1, but this loader has drop_last=0", {"drop_last": 1}),
    "length": (ValueError, "length=7, but this loader has length=6", {"length": 7}),
    "more": (ValueError, "keys missing or unknown: color", {"color": 1}),
    "far": (ValueError, "batch is 4, but an epoch has 3 batches", {"batch": 4}),
    "before": (ValueError, "batch must be 0 or more, but is -1", {"batch": -1}),
    "epoch": (ValueError, "epoch must be 0 or more, but is -2", {"epoch": -2}),
    "text": (TypeError, "epoch must be an integer, but is '1'", {"epoch": "1"}),
}


@pytest.mark.parametrize("case", STATE_ERRORS)
def test_errors_of_a_state(case: str) -> None:
    error, message, change = STATE_ERRORS[case]
    loader = DataLoader(np.zeros((6, 2)), batch_size=2, shuffle=True, seed=3)
    loader.load_state_dict({**loader.state_dict(), "epoch": np.int64(5), "batch": np.array(2)})
    before = loader.state_dict()
    assert (before["epoch"], before["batch"]) == (5, 2)
    with pytest.raises(error, match=message):
        loader.load_state_dict({**before, **change})
    with pytest.raises(ValueError, match="keys missing or unknown: batch"):
        loader.load_state_dict({k: v for k, v in before.items() if k != "batch"})
    assert loader.state_dict() == before
