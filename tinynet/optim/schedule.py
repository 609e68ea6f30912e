"""LRScheduler: the base of the schedules, which sets the rates of an optimizer's groups."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tinynet.optim.optimizer import Optimizer
from tinynet.tensor import Tensor


class LRScheduler:
    """Base of the schedules: define `rate`, or `get_lr` as in PyTorch.

    Several schedules may set the rates of one optimizer, each stepped by itself. A schedule whose
    rates are multiples of the initial one (`chainable`) multiplies what it finds, if this is not
    its own rate(e - 1), by rate(e) / rate(e - 1), above the lowest rate `floor`.

    Args:
        optimizer: the optimizer whose rates are set.
        last_epoch: the last epoch of an earlier run, whose optimizer's state was loaded; -1 for a
            new one.

    Attributes:
        optimizer: the optimizer whose rates are set, on creation and in each `step`.
        last_epoch: the number of calls of `step`.
        base_lrs: the initial rate of each group.
    """

    chainable = True
    floor = 0.0

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        name = type(self).__name__
        check_optimizer(name, optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch >= 0 and "initial_lr" not in group:
                raise ValueError(
                    f"{name}: last_epoch is {last_epoch}, but group {i} has no 'initial_lr'; load "
                    "the state of the optimizer first"
                )
            group.setdefault("initial_lr", float(group["lr"]))
        self.base_lrs = [float(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch + 1
        self._last_lr: list[float]  # of each group, set by this schedule last
        self._set_rates()

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        """The learning rate of a group, by number, in an epoch, counted from 0."""
        raise NotImplementedError(f"{type(self).__name__} must define rate(base_lr, epoch, group)")

    def momentum(self, epoch: int, group: int) -> float | None:
        """The momentum, or beta1, of a group in an epoch; None leaves it alone."""
        return None

    def get_lr(self) -> list[float]:
        """The rates of the current epoch, for `step` to set."""
        pairs = enumerate(zip(self._rates(), self.base_lrs, strict=True))
        return [self._next(now, base, i) for i, (now, base) in pairs]

    def _next(self, now: float, base: float, group: int) -> float:
        """The rate of the current epoch, from the one that the group has now."""
        rate = float(self.rate(base, self.last_epoch, group))
        if not self.chainable:
            return rate
        before = self.rate(base, self.last_epoch - 1, group) if self.last_epoch else base
        if now == before:
            return rate
        if rate == before:
            return now
        if before == self.floor:
            return now + (rate - self.floor)
        share = (rate - self.floor) / (before - self.floor)
        return self.floor + (now - self.floor) * share

    def _rates(self) -> list[float]:
        """The rates that the optimizer has now."""
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def _set_rates(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.base_lrs):
            raise ValueError(
                f"{type(self).__name__}: created for {len(self.base_lrs)} groups, but the "
                f"optimizer now has {len(groups)}; add groups before creating the schedule"
            )
        for i, (group, rate) in enumerate(zip(groups, self.get_lr(), strict=True)):
            set_rate(group, rate)
            momentum = self.momentum(self.last_epoch, i)
            if momentum is not None and "betas" in group:
                group["betas"] = (momentum, *group["betas"][1:])
            elif momentum is not None:
                group["momentum"] = momentum
        self._last_lr = self._rates()

    def step(self, epoch: Any = None) -> None:
        """Advance to the next epoch; call it after the optimizer steps of an epoch.

        Args:
            epoch: the epoch to go to instead of the next.
        """
        if epoch is None:
            self.last_epoch += 1
        else:
            self.last_epoch = whole(type(self).__name__, "epoch", epoch)
            self._start_over()
        self._set_rates()

    def _start_over(self) -> None:
        """Set the rates that this schedule alone has in the epoch before."""
        if not self.chainable or type(self).rate is LRScheduler.rate:
            return
        for i, (group, base) in enumerate(
            zip(self.optimizer.param_groups, self.base_lrs, strict=True)
        ):
            set_rate(group, self.rate(base, self.last_epoch - 1, i) if self.last_epoch else base)

    def get_last_lr(self) -> list[float]:
        """The rate of each group that this schedule set last."""
        return list(self._last_lr)

    def state_dict(self) -> dict[str, Any]:
        """The epoch and the rates. Options are not saved: pass them to the constructor."""
        return {
            "last_epoch": self.last_epoch,
            "base_lrs": list(self.base_lrs),
            "_last_lr": list(self._last_lr),
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Load an epoch, initial rates and rates.

        The rates of the optimizer are set if they are still those of the new schedule. Otherwise
        they are the optimizer's own, whose state was loaded before.

        Raises:
            ValueError: if keys are missing or unknown, if the number of groups differs, or if the
                state was saved with other options (PyTorch's are part of its states).
        """
        name = f"{type(self).__name__}.load_state_dict"
        check_keys(self, state_dict, ("last_epoch", "base_lrs"))
        rates = numbers(name, "base_lrs", state_dict["base_lrs"], len(self.base_lrs))
        last = state_dict.get("_last_lr")
        last = None if last is None else numbers(name, "_last_lr", last, len(rates))
        self.last_epoch = whole(name, "last_epoch", state_dict["last_epoch"])
        untouched = [a == b for a, b in zip(self._rates(), self._last_lr, strict=True)]
        self.base_lrs = rates
        for group, base in zip(self.optimizer.param_groups, rates, strict=True):
            group["initial_lr"] = base
        if last is None:  # a file of tinynet 1
            self._start_over()
            self._set_rates()
            return
        for group, rate, change in zip(self.optimizer.param_groups, last, untouched, strict=True):
            if change:
                set_rate(group, rate)
        self._last_lr = last


def set_rate(group: dict[str, Any], rate: float) -> None:
    """Set the rate of a group, in place if it is a Tensor."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = float(rate)


# --- what schedules are given ------------------------------------------------------------------


def check_optimizer(schedule: str, optimizer: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        kind = type(optimizer).__name__
        raise TypeError(f"{schedule}: optimizer is a {kind}, not an Optimizer")


def check_keys(schedule: Any, state: Any, needed: Sequence[str]) -> None:
    """Check that a state has the keys needed, and options equal to those of the schedule."""
    name = f"{type(schedule).__name__}.load_state_dict"
    if not isinstance(state, Mapping) or not set(needed) <= set(state):
        keys = sorted(state) if isinstance(state, Mapping) else type(state).__name__
        raise ValueError(f"{name}: the keys are {keys}; they must be {' and '.join(needed)}")
    for key, value in state.items():
        if key in needed or str(key).startswith("_"):
            continue
        if key not in vars(schedule):
            raise ValueError(f"{name}: unknown key {key!r}")
        if value is not None and vars(schedule)[key] != value:
            raise ValueError(
                f"{name}: saved with {key}={value!r}, the schedule has {vars(schedule)[key]!r}"
            )


def whole(schedule: str, name: str, value: Any, least: int = 0) -> int:
    """Convert an integer of any kind to Python's."""
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if isinstance(value, bool) or number < least:
        raise ValueError(
            f"{schedule}: {name} is {value!r}; it must be an integer, at least {least}"
        )
    return number


def factor(schedule: str, name: str, value: Any, above: float, most: float) -> float:
    """Convert a number that is greater than `above` and at most `most`."""
    try:
        number = math.nan if isinstance(value, str) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not above < number <= most:
        raise ValueError(
            f"{schedule}: {name} is {value}; it must be greater than {above:g} and at most {most:g}"
        )
    return number


def between(schedule: str, name: str, value: Any, least: float, most: float = math.inf) -> float:
    """Convert a number from `least` to `most`."""
    try:
        number = math.nan if isinstance(value, str) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not least <= number <= most:
        limits = f"at least {least:g}" if most == math.inf else f"from {least:g} to {most:g}"
        raise ValueError(f"{schedule}: {name} is {value}; it must be {limits}")
    return number


def numbers(where: str, name: str, values: Any, groups: int) -> list[float]:
    """Convert one number per group."""
    try:
        found = [float(value) for value in values]
    except (TypeError, ValueError):
        raise ValueError(f"{where}: {name} is {values!r}; it must be a list of numbers") from None
    if len(found) != groups:
        raise ValueError(f"{where}: saved with {len(found)} groups, the optimizer has {groups}")
    return found


def listed(schedule: str, name: str, values: Any) -> list[Any]:
    """Convert what can be iterated over to a list."""
    if not isinstance(values, Iterable):
        raise TypeError(f"{schedule}: {name} is a {type(values).__name__}; it must be a list")
    return list(values)


def per_group(schedule: str, name: str, values: Any, optimizer: Optimizer) -> list[Any]:
    """One value for all groups, or a list with one per group, as a list."""
    groups = len(optimizer.param_groups)
    if not isinstance(values, list | tuple):
        return [values] * groups
    if len(values) != groups:
        raise ValueError(
            f"{schedule}: {len(values)} values of {name} for {groups} groups; give one value, or "
            "one per group"
        )
    return list(values)


def functions(schedule: str, lr_lambda: Any, optimizer: Optimizer) -> list[Callable[[int], float]]:
    """One function for all groups, or a list with one per group, as a list."""
    groups = len(optimizer.param_groups)
    several = listed(schedule, "lr_lambda", [] if callable(lr_lambda) else lr_lambda)
    made = [lr_lambda] * groups if callable(lr_lambda) else several
    if len(made) != groups:
        raise ValueError(
            f"{schedule}: {len(made)} functions for {groups} groups; give one function, or one per "
            "group"
        )
    if not all(callable(f) for f in made):
        raise TypeError(f"{schedule}: lr_lambda must be a function, or a list of functions")
    return made
