"""Early stopping against its definition over the whole list of values, and across a resume."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.training import EarlyStopping

# few values, so that ties, runs without improvement and NaN are common
values = st.lists(st.sampled_from([0.0, 0.1, 0.3, 0.5, 1.0, math.nan, math.inf, -math.inf]),
                  max_size=14)  # fmt: skip
options = st.fixed_dictionaries(
    {
        "patience": st.integers(1, 4),
        "min_delta": st.sampled_from([0.0, 0.15]),
        "mode": st.sampled_from(["min", "max"]),
    }
)


def by_definition(numbers, patience, min_delta, mode):
    """(best, its epoch, whether to stop) after all of them."""
    best, best_epoch = None, 0
    for epoch, v in enumerate(numbers, 1):
        if v != v:
            continue
        gain = math.inf if best is None else (best - v if mode == "min" else v - best)
        if best is None or gain > min_delta:
            best, best_epoch = v, epoch
    return best, best_epoch, len(numbers) - best_epoch >= patience


@given(values, options)
def test_by_its_definition(numbers, chosen):
    stopper = EarlyStopping(**chosen)
    for k in range(len(numbers) + 1):
        best, best_epoch, stop = by_definition(numbers[:k], **chosen)
        assert (stopper.best, stopper.best_epoch, stopper.epoch) == (best, best_epoch, k)
        assert stopper.should_stop is stop
        assert stopper.improved is (0 < best_epoch == k)
        if k < len(numbers):
            assert stopper.step(numbers[k]) is stopper.should_stop


@given(values, options, st.integers(0, 14))
def test_a_resume_changes_nothing(numbers, chosen, cut):
    whole, first, second = (EarlyStopping(**chosen) for _ in range(3))
    for v in numbers:
        whole.step(v)
    for v in numbers[:cut]:
        first.step(v)
    second.load_state_dict(first.state_dict())
    assert second.improved is first.improved
    for v in numbers[cut:]:
        second.step(v)
    assert second.state_dict() == whole.state_dict()
    assert second.should_stop is whole.should_stop


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"patience": 0}, "patience is 0; it must be an integer, at least 1"),
        ({"patience": 1.5}, r"patience is 1\.5"),
        ({"patience": True}, "patience is True"),
        ({"patience": 1, "min_delta": -1}, "min_delta is -1; it must be finite and at least 0"),
        ({"patience": 1, "min_delta": math.inf}, "min_delta is inf; it must be finite and "),
        ({"patience": 1, "min_delta": math.nan}, "min_delta is nan"),
        ({"patience": 1, "mode": "least"}, "mode is 'least'"),
    ],
)
def test_options(arguments, message):
    with pytest.raises(ValueError, match=message):
        EarlyStopping(**arguments)


def test_patience_of_another_integer_type():
    assert type(EarlyStopping(np.uint8(3)).patience) is int
    with pytest.raises(TypeError):
        EarlyStopping(np.array(2.5))


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"best": 1.0, "best_epoch": 3, "epoch": 2},
        {"best": None, "best_epoch": 1, "epoch": 2},
        {"best": 1.0, "best_epoch": 0, "epoch": 2},
        {"best": "x", "best_epoch": 1, "epoch": 2},
        None,
    ],
)
def test_states_that_cannot_be(state):
    stopper = EarlyStopping(2)
    stopper.step(0.5)
    before = stopper.state_dict()
    with pytest.raises(ValueError, match=r"EarlyStopping\.load_state_dict"):
        stopper.load_state_dict(state)
    assert stopper.state_dict() == before
