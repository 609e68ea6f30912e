"""Schedules: the learning rate of each group as a function of the epoch.

A schedule is one function without memory, `rate(base_lr, epoch, group)`: the rate of epoch 7 does
not depend on earlier epochs, so resuming needs only the number 7. An epoch is whatever happens
between two calls of `step`, for example a batch.

    optimizer = SGD(net.parameters(), lr=0.1)
    warm_up = LinearLR(optimizer, start_factor=0.1, total_iters=5)
    cosine = CosineAnnealingLR(optimizer, T_max=95)
    schedule = SequentialLR(optimizer, [warm_up, cosine], milestones=[5])
    for epoch in range(100):
        ...                                             # an epoch of optimizer.step()
        schedule.step()

The initial rate is the one that the optimizer had when its first schedule was created; its groups
store it as "initial_lr". To combine schedules, use `SequentialLR` and step only that.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tinynet.optim.optimizer import Optimizer


class LRScheduler:
    """Base of the schedules: define `rate`.

    Attributes:
        optimizer: the optimizer whose rates are set, on creation and in each `step`.
        last_epoch: the number of calls of `step`.
        base_lrs: the initial rate of each group.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        name = type(self).__name__
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{name}: optimizer is a {type(optimizer).__name__}, not an Optimizer")
        self.optimizer = optimizer
        self.last_epoch = 0
        self.base_lrs = [
            float(group.setdefault("initial_lr", float(group["lr"])))
            for group in optimizer.param_groups
        ]
        self._set_rates()

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        """The learning rate of a group, by number, in an epoch, counted from 0."""
        raise NotImplementedError(f"{type(self).__name__} must define rate(base_lr, epoch, group)")

    def _set_rates(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.base_lrs):
            raise ValueError(
                f"{type(self).__name__}: created for {len(self.base_lrs)} groups, but the "
                f"optimizer now has {len(groups)}; add groups before creating the schedule"
            )
        for i, (group, base) in enumerate(zip(groups, self.base_lrs, strict=True)):
            group["lr"] = float(self.rate(base, self.last_epoch, i))

    def step(self) -> None:
        """Advance to the next epoch; call it after the optimizer steps of an epoch."""
        self.last_epoch += 1
        self._set_rates()

    def get_last_lr(self) -> list[float]:
        """The current rate of each group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """The epoch and the initial rates. Options are not saved: pass them to the constructor."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Load an epoch and initial rates, and set the rates of that epoch.

        Raises:
            ValueError: if the keys or the number of groups differ.
        """
        name = f"{type(self).__name__}.load_state_dict"
        if set(state_dict) != {"last_epoch", "base_lrs"}:
            keys = sorted(state_dict)
            raise ValueError(f"{name}: the keys are {keys}; they must be last_epoch and base_lrs")
        rates = [float(rate) for rate in state_dict["base_lrs"]]
        if len(rates) != len(self.base_lrs):
            raise ValueError(
                f"{name}: saved with {len(rates)} groups, the optimizer has {len(self.base_lrs)}"
            )
        self.last_epoch, self.base_lrs = int(state_dict["last_epoch"]), rates
        for group, base in zip(self.optimizer.param_groups, rates, strict=True):
            group["initial_lr"] = base
        self._set_rates()


def _positive(schedule: str, name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{schedule}: {name} is {value!r}; it must be an integer, at least 1")
    return value


def _factor(schedule: str, name: str, value: Any, above: float, most: float) -> float:
    number = float(value)
    if not above < number <= most:
        raise ValueError(
            f"{schedule}: {name} is {value}; it must be greater than {above:g} and at most {most:g}"
        )
    return number


class LambdaLR(LRScheduler):
    """lr(e) = lr_0 f(e).

    Args:
        optimizer: the optimizer whose rates are set.
        lr_lambda: f, which maps an epoch to a factor; or a list with one function per group.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
    ) -> None:
        groups = len(optimizer.param_groups)
        self.lr_lambdas = [lr_lambda] * groups if callable(lr_lambda) else list(lr_lambda)
        if len(self.lr_lambdas) != groups:
            raise ValueError(
                f"LambdaLR: {len(self.lr_lambdas)} functions for {groups} groups; give one "
                "function, or one per group"
            )
        super().__init__(optimizer)

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        return base_lr * self.lr_lambdas[group](epoch)


class StepLR(LRScheduler):
    """lr(e) = lr_0 gamma^floor(e / step_size).

    Args:
        optimizer: the optimizer whose rates are set.
        step_size: the number of epochs between changes.
        gamma: the factor of a change, greater than 0.
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size = _positive("StepLR", "step_size", step_size)
        self.gamma = _factor("StepLR", "gamma", gamma, 0.0, math.inf)
        super().__init__(optimizer)

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        return base_lr * self.gamma ** (epoch // self.step_size)


class CosineAnnealingLR(LRScheduler):
    """lr(e) = eta_min + (lr_0 - eta_min) (1 + cos(pi e / T_max)) / 2.

    Half a period of the cosine, from lr_0 down to eta_min at epoch T_max, flat at both ends. After
    T_max the rate rises again.

    Args:
        optimizer: the optimizer whose rates are set.
        T_max: the epoch of the lowest rate.
        eta_min: the lowest rate, at least 0.

    Source: I. Loshchilov and F. Hutter, SGDR: stochastic gradient descent with warm restarts,
        arXiv:1608.03983, eq. 5, without restarts.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max = _positive("CosineAnnealingLR", "T_max", T_max)
        self.eta_min = float(eta_min)
        if not self.eta_min >= 0:
            raise ValueError(f"CosineAnnealingLR: eta_min is {eta_min}; it must be at least 0")
        super().__init__(optimizer)

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        wave = (1.0 + math.cos(math.pi * epoch / self.T_max)) / 2.0
        return self.eta_min + (base_lr - self.eta_min) * wave


class LinearLR(LRScheduler):
    """lr(e) = lr_0 (a + (b - a) min(e, T) / T): linear warm-up.

    Early gradients are large, and the early running means of Adam average only a few of them. A
    small rate in the first epochs (or batches) limits the damage.

    Args:
        optimizer: the optimizer whose rates are set.
        start_factor: a, greater than 0 and at most 1.
        end_factor: b, from 0 to 1.
        total_iters: T, the epoch at which b is reached.

    Source: P. Goyal et al., arXiv:1706.02677, section 2.2.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3.0,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        self.start_factor = _factor("LinearLR", "start_factor", start_factor, 0.0, 1.0)
        self.end_factor = float(end_factor)
        if not 0.0 <= self.end_factor <= 1.0:
            raise ValueError(f"LinearLR: end_factor is {end_factor}; it must be from 0 to 1")
        self.total_iters = _positive("LinearLR", "total_iters", total_iters)
        super().__init__(optimizer)

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        share = min(epoch, self.total_iters) / self.total_iters
        return base_lr * (self.start_factor + (self.end_factor - self.start_factor) * share)


class SequentialLR(LRScheduler):
    """Several schedules in sequence, each counting its epochs from 0.

    Args:
        optimizer: the optimizer whose rates are set.
        schedulers: schedules of that optimizer; do not step them yourself.
        milestones: the epochs at which the second, third, ... begins, increasing.
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int]
    ) -> None:
        self.schedulers, self.milestones = list(schedulers), list(milestones)
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
            if scheduler.optimizer is not optimizer:
                raise ValueError(f"SequentialLR: schedule {i} was made for another optimizer")
        super().__init__(optimizer)

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        i = bisect.bisect_right(self.milestones, epoch)
        start = self.milestones[i - 1] if i else 0
        return self.schedulers[i].rate(base_lr, epoch - start, group)
