"""Schedules made of schedules, and the one that looks at a metric."""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping, Sequence
from typing import Any

from tinynet.optim.optimizer import Optimizer
from tinynet.optim.schedule import (
    LRScheduler,
    between,
    check_keys,
    check_optimizer,
    listed,
    numbers,
    per_group,
    set_rate,
    whole,
)


def of_one(owner: str, i: int, scheduler: Any, optimizer: Optimizer) -> None:
    """Check that a schedule is one, and of this optimizer."""
    if not isinstance(scheduler, LRScheduler):
        kind = type(scheduler).__name__
        raise TypeError(f"{owner}: schedule {i} is a {kind}, not an LRScheduler")
    if scheduler.optimizer is not optimizer:
        raise ValueError(f"{owner}: schedule {i} was made for another optimizer")


class SequentialLR(LRScheduler):
    """Several schedules in sequence, each counting its epochs from 0.

    Args:
        optimizer: the optimizer whose rates are set.
        schedulers: schedules of that optimizer; do not step them yourself.
        milestones: the epochs at which the second, third, ... begins, increasing.
        last_epoch: see `LRScheduler`.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        check_optimizer("SequentialLR", optimizer)
        self.schedulers = listed("SequentialLR", "schedulers", schedulers)
        self.milestones = listed("SequentialLR", "milestones", milestones)
        starts = [0, *self.milestones]
        if len(self.schedulers) != len(starts):
            raise ValueError(
                f"SequentialLR: {len(self.schedulers)} schedules and {len(self.milestones)} "
                "milestones; there must be one more schedule than milestones"
            )
        if any(a >= b for a, b in zip(starts, self.milestones, strict=False)):
            raise ValueError(
                f"SequentialLR: milestones are {self.milestones}; they must be > 0 and increasing"
            )
        for i, scheduler in enumerate(self.schedulers):
            of_one("SequentialLR", i, scheduler, optimizer)
            if type(scheduler).rate is LRScheduler.rate:
                raise ValueError(
                    f"SequentialLR: schedule {i}, a {type(scheduler).__name__}, does not define "
                    "rate(base_lr, epoch, group)"
                )
        for group in optimizer.param_groups:
            set_rate(group, group["initial_lr"])
        super().__init__(optimizer, last_epoch)

    def _of(self, epoch: int) -> tuple[LRScheduler, int]:
        """The schedule of an epoch, and the number of the epoch in it."""
        i = bisect.bisect_right(self.milestones, epoch)
        return self.schedulers[i], epoch - (self.milestones[i - 1] if i else 0)

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        scheduler, epoch = self._of(epoch)
        return scheduler.rate(base_lr, epoch, group)

    def momentum(self, epoch: int, group: int) -> float | None:
        scheduler, epoch = self._of(epoch)
        return scheduler.momentum(epoch, group)


class ChainedScheduler(LRScheduler):
    """Several schedules at once: each step steps them all, in their order.

    The factors of chainable schedules (see `LRScheduler`) multiply.

    Args:
        schedulers: schedules of one optimizer; do not step them yourself.
        optimizer: theirs, by default.
    """

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        self.schedulers = listed("ChainedScheduler", "schedulers", schedulers)
        if not self.schedulers:
            raise ValueError("ChainedScheduler: schedulers is empty")
        self.optimizer = optimizer or getattr(self.schedulers[0], "optimizer", None)  # type: ignore
        for i, scheduler in enumerate(self.schedulers):
            of_one("ChainedScheduler", i, scheduler, self.optimizer)
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ValueError(
                    f"ChainedScheduler: schedule {i}, a ReduceLROnPlateau, is stepped with a "
                    "metric; step it beside the chain"
                )

    @property
    def _last_lr(self) -> list[float]:  # type: ignore[override]
        return self.schedulers[-1]._last_lr

    def step(self, epoch: Any = None) -> None:
        """Advance all schedules to their next epoch."""
        for scheduler in self.schedulers:
            scheduler.step(epoch)

    def state_dict(self) -> dict[str, Any]:
        """The states of the schedules."""
        return {"schedulers": [scheduler.state_dict() for scheduler in self.schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Load the states of the schedules.

        Raises:
            ValueError: if their number or one of them does not fit.
        """
        where = "ChainedScheduler.load_state_dict"
        if not isinstance(state_dict, Mapping) or set(state_dict) != {"schedulers"}:
            raise ValueError(f"{where}: state_dict must be a dict with 'schedulers'")
        states = state_dict["schedulers"]
        if not isinstance(states, list | tuple) or len(states) != len(self.schedulers):
            raise ValueError(f"{where}: schedulers must be {len(self.schedulers)} states in a list")
        for scheduler, state in zip(self.schedulers, states, strict=True):
            scheduler.load_state_dict(state)


class ReduceLROnPlateau(LRScheduler):
    """Reduces the rates once a metric has not improved for more than `patience` epochs.

    An epoch is better if its metric is less than best (1 - threshold), or than best - threshold
    with threshold_mode "abs"; with mode "max" greater than best (1 + threshold) or than
    best + threshold. A rate becomes max(rate factor, min_lr), if that changes it by more than eps.

    Args:
        optimizer: the optimizer whose rates are set.
        mode: "min" for a loss, "max" for an accuracy.
        factor: from 0 to less than 1.
        patience: how many epochs without improvement are accepted.
        threshold, threshold_mode: see above.
        cooldown: how many epochs after a reduction are not counted.
        min_lr: the lowest rate, or a list with one per group.
        eps: the least reduction.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        name = "ReduceLROnPlateau"
        check_optimizer(name, optimizer)
        self.optimizer = optimizer
        self.factor = between(name, "factor", factor, 0.0)
        if not self.factor < 1.0:
            raise ValueError(f"{name}: factor is {factor}; it must be less than 1")
        if mode not in ("min", "max"):
            raise ValueError(f"{name}: mode is {mode!r}; it must be min or max")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"{name}: threshold_mode is {threshold_mode!r}; it must be rel or abs")
        self.mode, self.threshold_mode = mode, threshold_mode
        self.threshold = between(name, "threshold", threshold, 0.0)
        self.patience = whole(name, "patience", patience)
        self.cooldown = whole(name, "cooldown", cooldown)
        lowest = per_group(name, "min_lr", min_lr, optimizer)
        self.min_lrs = [between(name, "min_lr", rate, 0.0) for rate in lowest]
        self.eps = between(name, "eps", eps, 0.0)
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0
        self._last_lr = self._rates()

    def is_better(self, metric: float, best: float) -> bool:
        """Whether a metric is an improvement on the best one."""
        sign = -1.0 if self.mode == "min" else 1.0
        if self.threshold_mode == "rel":
            limit = best * (1.0 + sign * self.threshold)
        else:
            limit = best + sign * self.threshold
        return metric < limit if self.mode == "min" else metric > limit

    def step(self, metrics: Any, epoch: Any = None) -> None:  # type: ignore[override]
        """Take note of an epoch's metric, a number or a Tensor of one; reduce the rates if due."""
        where = "ReduceLROnPlateau"
        try:
            metric = float(metrics)
        except (TypeError, ValueError):
            kind = type(metrics).__name__
            raise TypeError(f"{where}: metrics is a {kind}; it must be a number") from None
        self.last_epoch = self.last_epoch + 1 if epoch is None else whole(where, "epoch", epoch)
        if self.is_better(metric, self.best):
            self.best, self.num_bad_epochs = metric, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
            groups = self.optimizer.param_groups
            if len(groups) != len(self.min_lrs):
                raise ValueError(
                    f"{where}: created for {len(self.min_lrs)} groups, but the optimizer now has "
                    f"{len(groups)}; add groups before creating the schedule"
                )
            for group, now, least in zip(groups, self._rates(), self.min_lrs, strict=True):
                rate = max(now * self.factor, least)
                if now - rate > self.eps:
                    set_rate(group, rate)
        self._last_lr = self._rates()

    def state_dict(self) -> dict[str, Any]:
        """The epoch, the best metric, the counts and the rates. Options are not saved."""
        return {
            "last_epoch": self.last_epoch,
            "best": self.best,
            "num_bad_epochs": self.num_bad_epochs,
            "cooldown_counter": self.cooldown_counter,
            "_last_lr": list(self._last_lr),
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Load what `state_dict` saves; the rates of the optimizer as `LRScheduler` does.

        Raises:
            ValueError: if keys are missing or unknown, or if options differ.
        """
        where = "ReduceLROnPlateau.load_state_dict"
        needed = ("last_epoch", "best", "num_bad_epochs", "cooldown_counter", "_last_lr")
        # PyTorch's states have these two beside the options
        if not isinstance(state_dict, Mapping):
            raise ValueError(f"{where}: state_dict is a {type(state_dict).__name__}, not a dict")
        given = {k: v for k, v in state_dict.items() if k not in ("default_min_lr", "mode_worse")}
        check_keys(self, given, needed)
        last = numbers(where, "_last_lr", given["_last_lr"], len(self._last_lr))
        counts = [whole(where, key, given[key]) for key in (needed[0], needed[2], needed[3])]
        self.best = between(where, "best", given["best"], -math.inf)
        self.last_epoch, self.num_bad_epochs, self.cooldown_counter = counts
        groups = self.optimizer.param_groups
        for group, now, before, rate in zip(
            groups, self._rates(), self._last_lr, last, strict=True
        ):
            if now == before:
                set_rate(group, rate)
        self._last_lr = last
