"""ReduceLROnPlateau: the schedule that looks at a metric."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tinynet.optim.optimizer import Optimizer
from tinynet.optim.schedule import (
    LRScheduler,
    between,
    check_keys,
    check_optimizer,
    numbers,
    per_group,
    set_rate,
    whole,
)


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
