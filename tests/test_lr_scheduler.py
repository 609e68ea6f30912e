"""Schedules: their formulas, composition, and resuming from a state."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinynet as tn
from tinynet import nn, optim
from tinynet.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiplicativeLR,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    ReduceLROnPlateau,
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


def cosine(high, low, share):
    return low + (high - low) * (1 + math.cos(math.pi * share)) / 2


def one_cycle(o, **options):
    return OneCycleLR(o, 1.0, 10, pct_start=0.5, div_factor=4, final_div_factor=10,
                      cycle_momentum=False, **options)  # fmt: skip


SCHEDULES = {
    "multi step": (lambda o: MultiStepLR(o, [3, 1, 3], 0.5), [0.8, 0.4, 0.4, 0.1, 0.1]),
    "exponential": (lambda o: ExponentialLR(o, 0.5), [0.8, 0.4, 0.2, 0.1]),
    "constant": (lambda o: ConstantLR(o, 0.25, 2), [0.2, 0.2, 0.8, 0.8]),
    "constant at 0": (lambda o: ConstantLR(o, 0.0, 2), [0.0, 0.0, 0.8]),
    "polynomial": (lambda o: PolynomialLR(o, 4, 2.0), [0.8, 0.45, 0.2, 0.05, 0.0, 0.0]),
    "multiplicative": (lambda o: MultiplicativeLR(o, lambda e: 1 / e), [0.8, 0.8, 0.4, 0.4 / 3]),
    "restarts": (
        lambda o: CosineAnnealingWarmRestarts(o, 2, 2, 0.2),
        [cosine(0.8, 0.2, s) for s in (0, 1 / 2, 0, 1 / 4, 1 / 2, 3 / 4, 0, 1 / 8)],
    ),
    "restarts alike": (
        lambda o: CosineAnnealingWarmRestarts(o, 2),
        [0.8, 0.4, 0.8, 0.4, 0.8],
    ),
    "cyclic": (
        lambda o: CyclicLR(o, 0.1, 0.9, 2, 4, cycle_momentum=False),
        [0.1, 0.5, 0.9, 0.7, 0.5, 0.3, 0.1, 0.5],
    ),
    "cyclic, halved": (
        lambda o: CyclicLR(o, 0.1, 0.9, 2, mode="triangular2", cycle_momentum=False),
        [0.1, 0.5, 0.9, 0.5, 0.1, 0.3, 0.5, 0.3, 0.1, 0.2],
    ),
    "cyclic, scaled": (
        lambda o: CyclicLR(o, 0.1, 0.9, 2, mode="exp_range", gamma=0.5, cycle_momentum=False),
        [0.1, 0.1 + 0.4 / 2, 0.1 + 0.8 / 4, 0.1 + 0.4 / 8, 0.1, 0.1 + 0.4 / 32],
    ),
    "one cycle": (
        one_cycle,
        [
            *(cosine(0.25, 1.0, s / 4) for s in range(5)),
            *(cosine(1, 0.025, s / 5) for s in range(1, 6)),
        ],
    ),
    "one cycle, linear": (
        lambda o: one_cycle(o, anneal_strategy="linear", three_phase=True),
        [0.25, 0.4375, 0.625, 0.8125, 1.0, 0.8125, 0.625, 0.4375, 0.25, 0.025],
    ),
    "chain": (
        lambda o: ChainedScheduler([ConstantLR(o, 0.25, 2), ExponentialLR(o, 0.5), StepLR(o, 2)]),
        [0.2, 0.1, 0.02, 0.01, 0.0005, 0.00025],
    ),
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


def test_schedules_beside_each_other_multiply_and_a_rate_set_by_hand_is_continued_from():
    optimizer = make_optimizer()
    cosine, decay = CosineAnnealingLR(optimizer, 2, 0.1), ExponentialLR(optimizer, 0.5)
    for after_cosine, after_both in ((0.45, 0.225), (0.1, 0.05)):
        cosine.step()
        assert cosine.get_last_lr() == pytest.approx([after_cosine])
        decay.step()
        assert decay.get_last_lr() == pytest.approx([after_both])
    optimizer.param_groups[0]["lr"] = 0.4
    decay.step()
    assert decay.get_last_lr() == [0.2]


def test_a_rate_that_is_a_tensor_is_set_in_place():
    rate = tn.tensor(0.5)
    optimizer = optim.SGD([nn.Parameter(tn.ones(1))], lr=rate)
    schedule = ExponentialLR(optimizer, 0.5)
    schedule.step()
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == 0.25


def test_steps_to_an_epoch():
    schedule = CosineAnnealingWarmRestarts(make_optimizer(), 2, 2)
    schedule.step(2.5)
    assert schedule.get_last_lr() == pytest.approx([cosine(0.8, 0.0, 0.5 / 4)])
    assert (schedule.T_cur, schedule.T_i, schedule.last_epoch) == (0.5, 4, 2)
    schedule.step()
    assert (schedule.T_cur, schedule.last_epoch) == (1.5, 3)
    again = CosineAnnealingWarmRestarts(make_optimizer(), 2, 2)
    again.load_state_dict(schedule.state_dict())
    assert again.T_cur == 1.5
    schedule = StepLR(make_optimizer(), 2, 0.5)
    schedule.step(5)
    assert schedule.get_last_lr() == [0.2]


def test_an_epoch_to_go_on_from():
    optimizer = make_optimizer()
    straight = ExponentialLR(optimizer, 0.5)
    straight.step()
    other = make_optimizer()
    other.load_state_dict(optimizer.state_dict())
    again = ExponentialLR(other, 0.5, last_epoch=1)
    straight.step()
    assert (again.last_epoch, again.get_last_lr()) == (2, straight.get_last_lr())


def test_cycles_move_the_momentum_against_the_rate():
    p = nn.Parameter(tn.ones(1))
    for optimizer in (optim.SGD([p], momentum=0.5), optim.Adam([p])):
        schedule = CyclicLR(optimizer, 0.1, 0.9, 2)
        found = []
        for _ in range(5):
            group = optimizer.param_groups[0]
            found.append(group["betas"][0] if "betas" in group else group["momentum"])
            schedule.step()
        assert found == pytest.approx([0.9, 0.85, 0.8, 0.85, 0.9])
    optimizer = optim.Adam([p])
    schedule = OneCycleLR(optimizer, 0.1, 10, pct_start=0.5, anneal_strategy="linear")
    for expected in (0.95, 0.925, 0.9, 0.875, 0.85, 0.87):
        assert optimizer.param_groups[0]["betas"] == (pytest.approx(expected), 0.999)
        schedule.step()


def plateau(optimizer, metrics, **options):
    schedule = ReduceLROnPlateau(optimizer, **{"factor": 0.5, "patience": 1, **options})
    found = []
    for metric in metrics:
        schedule.step(metric)
        found.append(schedule.get_last_lr()[0])
    return found


def test_reduce_on_plateau_by_hand():
    losses = [1.0, 0.9, 0.9, 0.9, 0.9, 0.9, 0.5]
    assert plateau(make_optimizer(), losses) == [0.8, 0.8, 0.8, 0.4, 0.4, 0.2, 0.2]
    # an epoch after the reduction is not counted
    assert plateau(make_optimizer(), losses, cooldown=1) == [0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.4]
    assert plateau(make_optimizer(), losses, min_lr=[0.3]) == [0.8, 0.8, 0.8, 0.4, 0.4, 0.3, 0.3]
    scores = [tn.tensor(x) for x in (0.5, 0.625, 0.6875, 0.75)]
    options = {"mode": "max", "patience": 0, "threshold": 0.0625, "threshold_mode": "abs"}
    assert plateau(make_optimizer(), scores, **options) == [0.8, 0.8, 0.4, 0.4]
    assert plateau(make_optimizer(), [1.0, 0.9], patience=0, eps=0.5) == [0.8, 0.8]


def test_reduce_on_plateau_resumes():
    losses = np.random.default_rng(0).uniform(0.9, 1.0, 12)
    optimizer = make_optimizer()
    straight = ReduceLROnPlateau(optimizer, patience=1, cooldown=1)
    for stop in range(1, 12):
        straight.step(losses[stop])
        again_optimizer = make_optimizer()
        again = ReduceLROnPlateau(again_optimizer, patience=1, cooldown=1)
        again.load_state_dict(straight.state_dict())
        assert again.state_dict() == straight.state_dict()
        assert again_optimizer.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]


def test_a_schedule_written_for_pytorch():
    class Halving(LRScheduler):
        def get_lr(self):
            return [base * 0.5**self.last_epoch for base in self.base_lrs]

    schedule = Halving(make_optimizer())
    schedule.step()
    schedule.step()
    assert schedule.get_last_lr() == [0.2]


def test_the_rates_of_the_optimizer_are_kept_if_its_state_came_first():
    optimizer = make_optimizer()
    schedule = ExponentialLR(optimizer, 0.5)
    schedule.step()
    optimizer.param_groups[0]["lr"] = 0.3  # by hand
    other = make_optimizer()
    again = ExponentialLR(other, 0.5)
    other.load_state_dict(optimizer.state_dict())
    again.load_state_dict(schedule.state_dict())
    assert other.param_groups[0]["lr"] == 0.3
    for s in (schedule, again):
        s.step()
    assert schedule.get_last_lr() == again.get_last_lr() == [0.15]


BAD = {
    "MultiStepLR: a milestone is -1": lambda o: MultiStepLR(o, [-1]),
    "ExponentialLR: gamma is 0": lambda o: ExponentialLR(o, 0),
    "ConstantLR: factor is 2": lambda o: ConstantLR(o, 2),
    "PolynomialLR: power is -1": lambda o: PolynomialLR(o, 1, -1),
    "WarmRestarts: T_0 is 0": lambda o: CosineAnnealingWarmRestarts(o, 0),
    "WarmRestarts: epoch is -1": lambda o: CosineAnnealingWarmRestarts(o, 1).step(-1),
    "CyclicLR: mode is 'up'": lambda o: CyclicLR(o, 0.1, 0.2, mode="up", cycle_momentum=False),
    "CyclicLR: give|scale_mode is 'x'": lambda o: CyclicLR(
        o, 0.1, 0.2, scale_fn=abs, scale_mode="x", cycle_momentum=False
    ),
    "2 values of max_lr for 1 groups": lambda o: CyclicLR(o, 0.1, [1, 2]),
    "give total_steps, or epochs": lambda o: OneCycleLR(o, 0.1, epochs=3),
    "pct_start is 2": lambda o: OneCycleLR(o, 0.1, 10, pct_start=2),
    "anneal_strategy is 'sin'": lambda o: OneCycleLR(o, 0.1, 10, anneal_strategy="sin"),
    "OneCycleLR: step 3 of 2": lambda o: rates(OneCycleLR(o, 0.1, 2), 3),
    "Adagrad has neither momentum nor betas": lambda o: CyclicLR(
        optim.Adagrad([nn.Parameter(tn.ones(1))]), 0.1, 0.2
    ),
    "ReduceLROnPlateau: factor is 1": lambda o: ReduceLROnPlateau(o, factor=1.0),
    "mode is 'best'": lambda o: ReduceLROnPlateau(o, "best"),
    "threshold_mode is 'x'": lambda o: ReduceLROnPlateau(o, threshold_mode="x"),
    "schedulers is empty": lambda o: ChainedScheduler([]),
    "stepped with a metric": lambda o: ChainedScheduler([ReduceLROnPlateau(o)]),
    "schedule 0, a ReduceLROnPlateau, does not": lambda o: SequentialLR(
        o, [ReduceLROnPlateau(o)], []
    ),
    "must be 1 states": lambda o: ChainedScheduler([StepLR(o, 1)]).load_state_dict(
        {"schedulers": []}
    ),
    "must be a dict with 'schedulers'": lambda o: ChainedScheduler([StepLR(o, 1)]).load_state_dict(
        {}
    ),
    "last_epoch is 3, but group 0 has no": lambda o: StepLR(o, 1, last_epoch=3),
    "base_lrs is 3; it must be a list": lambda o: StepLR(o, 1).load_state_dict(
        {"last_epoch": 1, "base_lrs": 3}
    ),
    "saved with gamma=0.5, the schedule has 0.1": lambda o: StepLR(o, 1).load_state_dict(
        {"last_epoch": 1, "base_lrs": [1], "gamma": 0.5}
    ),
    "unknown key 'power'": lambda o: StepLR(o, 1).load_state_dict(
        {"last_epoch": 1, "base_lrs": [1], "power": 0.5}
    ),
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
