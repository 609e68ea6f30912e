"""Schedules: their formulas, composition, and resuming from a state."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinynet as tn
from tinynet import nn, optim
from tinynet.optim.lr_scheduler import (
    CosineAnnealingLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    SequentialLR,
    StepLR,
)


def make_optimizer(*rates):
    groups = [{"params": [nn.Parameter(tn.ones(2))], "lr": lr} for lr in rates or (0.8,)]
    return optim.SGD(groups)


def rates(scheduler, epochs):
    """The rates of the first group: the current one, then one after each epoch."""
    values = [scheduler.get_last_lr()[0]]
    for _ in range(epochs):
        scheduler.step()
        values.append(scheduler.optimizer.param_groups[0]["lr"])
    return values


def warm_cosine(optimizer):
    warm, cosine = LinearLR(optimizer, 0.25, total_iters=3), CosineAnnealingLR(optimizer, 4, 0.1)
    return SequentialLR(optimizer, [warm, cosine], [3])


SCHEDULES = {
    "step": (lambda o: StepLR(o, 2, 0.5), [0.8, 0.8, 0.4, 0.4, 0.2, 0.2]),
    "lambda": (lambda o: LambdaLR(o, lambda e: 1 / (1 + e)), [0.8, 0.4, 0.8 / 3, 0.2]),
    "linear": (lambda o: LinearLR(o, 0.25, 1.0, 3), [0.2, 0.4, 0.6, 0.8, 0.8, 0.8]),
    "linear down": (lambda o: LinearLR(o, 1.0, 0.5, 2), [0.8, 0.6, 0.4, 0.4]),
    "cosine": (
        lambda o: CosineAnnealingLR(o, 4, 0.1),
        [0.1 + 0.7 * (1 + math.cos(math.pi * e / 4)) / 2 for e in range(10)],
    ),
    "cosine by hand": (lambda o: CosineAnnealingLR(o, 2), [0.8, 0.4, 0.0, 0.4, 0.8]),
    "warm-up, cosine": (
        warm_cosine,
        [0.2, 0.4, 0.6, *(0.1 + 0.7 * (1 + math.cos(math.pi * e / 4)) / 2 for e in range(5))],
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates(name):
    make, expected = SCHEDULES[name]
    scheduler = make(make_optimizer(np.float64(0.8)))
    values = rates(scheduler, len(expected) - 1)
    assert values == pytest.approx(expected, rel=1e-12, abs=1e-15)
    assert all(type(v) is float for v in values)


@pytest.mark.parametrize("name", SCHEDULES)
def test_resumes_from_a_state(name):
    make, _ = SCHEDULES[name]
    straight = make(make_optimizer())
    values = rates(straight, 9)
    for stop in range(9):
        optimizer = make_optimizer()
        first = make(optimizer)
        rates(first, stop)
        saved, saved_optimizer = first.state_dict(), optimizer.state_dict()
        again_optimizer = make_optimizer(0.3)
        again = make(again_optimizer)
        again_optimizer.load_state_dict(saved_optimizer)
        again.load_state_dict(saved)
        assert rates(again, 9 - stop) == values[stop:]


def test_each_group_has_its_rate():
    optimizer = make_optimizer(0.8, 0.4)
    scheduler = StepLR(optimizer, 1, 0.5)
    scheduler.step()
    assert scheduler.get_last_lr() == [0.4, 0.2]
    optimizer = make_optimizer(0.8, 0.4)
    scheduler = LambdaLR(optimizer, [lambda e: 1.0, lambda e: 0.5**e])
    scheduler.step()
    assert scheduler.get_last_lr() == [0.8, 0.2]
    optimizer.add_param_group({"params": [nn.Parameter(tn.ones(1))]})
    with pytest.raises(ValueError, match="created for 2 groups"):
        scheduler.step()


BAD = {
    "StepLR: step_size is 0": lambda o: StepLR(o, 0),
    "StepLR: gamma is 0": lambda o: StepLR(o, 1, 0),
    "CosineAnnealingLR: T_max is 1.5": lambda o: CosineAnnealingLR(o, 1.5),
    "eta_min is -1": lambda o: CosineAnnealingLR(o, 1, -1),
    "start_factor is 0": lambda o: LinearLR(o, 0),
    "end_factor is 2": lambda o: LinearLR(o, 0.5, 2),
    "total_iters is 0": lambda o: LinearLR(o, 0.5, 1, 0),
    "2 functions for 1 groups": lambda o: LambdaLR(o, [abs, abs]),
    "1 schedules and 1 milestones": lambda o: SequentialLR(o, [StepLR(o, 1)], [1]),
    "must be > 0 and increasing": lambda o: SequentialLR(o, [StepLR(o, 1), StepLR(o, 1)], [0]),
    "another optimizer": lambda o: SequentialLR(o, [StepLR(make_optimizer(), 1)], []),
    "the keys are": lambda o: StepLR(o, 1).load_state_dict({"last_epoch": 1}),
    "saved with 2 groups": lambda o: StepLR(o, 1).load_state_dict(
        {"last_epoch": 1, "base_lrs": [1, 2]}
    ),
}


@pytest.mark.parametrize("text", BAD)
def test_bad_arguments_are_named(text):
    with pytest.raises(ValueError, match=text):
        BAD[text](make_optimizer())


def test_base_class():
    with pytest.raises(NotImplementedError, match="must define rate"):
        LRScheduler(make_optimizer())
    with pytest.raises(TypeError, match="not an Optimizer"):
        StepLR([1], 2)
