"""Schedules made of schedules: SequentialLR, ChainedScheduler."""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from typing import Any

from tinynet.optim.optimizer import Optimizer
from tinynet.optim.plateau import ReduceLROnPlateau
from tinynet.optim.schedule import (
    LRScheduler,
    check_optimizer,
    listed,
    set_rate,
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
