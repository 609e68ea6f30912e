"""Schedules in cycles, which set the momentum against the rate: CyclicLR, OneCycleLR."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tinynet.optim.optimizer import Optimizer
from tinynet.optim.schedule import (
    LRScheduler,
    between,
    check_optimizer,
    factor,
    per_group,
    set_rate,
    whole,
)


class _Cycle(LRScheduler):
    """What the two cycles share: they set the rates themselves, and the momentum against them."""

    chainable = False

    def _momenta(self, cycled: bool, base: Any, most: Any) -> None:
        """Keep the lowest and the highest momentum of each group; None leaves it alone."""
        name, optimizer = type(self).__name__, self.optimizer
        self.cycle_momentum = bool(cycled)
        if cycled and not {"momentum", "betas"} & set(optimizer.defaults):
            raise ValueError(
                f"{name}: {type(optimizer).__name__} has neither momentum nor betas; give "
                "cycle_momentum=False"
            )
        self._momentum_range = [
            (
                between(name, "base_momentum", a, 0.0, 1.0),
                between(name, "max_momentum", b, 0.0, 1.0),
            )
            for a, b in zip(
                per_group(name, "base_momentum", base, optimizer),
                per_group(name, "max_momentum", most, optimizer),
                strict=True,
            )
        ]


class CyclicLR(_Cycle):
    """lr(e) = base_lr + (max_lr - base_lr) h(e) s: up and down along lines.

    h rises from 0 to 1 in step_size_up epochs (mostly, of one batch each), then falls to 0 in
    step_size_down. In cycle c = 1, 2, ... the scale s is 1 in mode "triangular", 1 / 2^(c - 1) in
    "triangular2" and gamma^e in "exp_range". The momentum goes down where the rate goes up, from
    max_momentum by (max_momentum - base_momentum) h(e) s.

    Args:
        optimizer: the optimizer whose rates are set.
        base_lr, max_lr: the lowest and the highest rate, or lists with one per group.
        step_size_up, step_size_down: the second is the first by default.
        mode: one of the three.
        gamma: of "exp_range".
        scale_fn: s as a function of c or of e, instead of a mode.
        scale_mode: "cycle" or "iterations", what `scale_fn` takes.
        cycle_momentum: whether to set momentum, or beta1.
        base_momentum, max_momentum: numbers, or lists with one per group.
        last_epoch: see `LRScheduler`.

    Source: L. Smith, Cyclical learning rates for training neural networks, arXiv:1506.01186,
        section 3.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer("CyclicLR", optimizer)
        self.gamma: float = factor("CyclicLR", "gamma", gamma, 0.0, math.inf)
        scales: dict[str, Any] = {
            "triangular": lambda c: 1.0,
            "triangular2": lambda c: 0.5 ** (c - 1),
            "exp_range": lambda e: self.gamma**e,
        }
        if scale_fn is None and mode not in scales:
            raise ValueError(f"CyclicLR: mode is {mode!r}; it must be one of {', '.join(scales)}")
        if scale_fn is None:
            scale_mode = "iterations" if mode == "exp_range" else "cycle"
        if scale_mode not in ("cycle", "iterations"):
            raise ValueError(f"CyclicLR: scale_mode is {scale_mode!r}; give cycle or iterations")
        self.optimizer = optimizer
        up = between("CyclicLR", "step_size_up", step_size_up, 1.0)
        down = up if step_size_down is None else step_size_down
        self.total_size = up + between("CyclicLR", "step_size_down", down, 1.0)
        self.step_ratio = up / self.total_size
        self.mode, self.scale_mode = mode, scale_mode
        self._scale = scale_fn or scales[mode]
        lowest = [
            between("CyclicLR", "base_lr", b, 0.0)
            for b in per_group("CyclicLR", "base_lr", base_lr, optimizer)
        ]
        self.max_lrs = [
            between("CyclicLR", "max_lr", m, 0.0)
            for m in per_group("CyclicLR", "max_lr", max_lr, optimizer)
        ]
        self._momenta(cycle_momentum, base_momentum, max_momentum)
        for group, rate in zip(optimizer.param_groups, lowest, strict=True):
            if last_epoch == -1:
                set_rate(group, rate)
                group["initial_lr"] = float(rate)
        super().__init__(optimizer, last_epoch)

    def _height(self, epoch: int) -> float:
        cycle = math.floor(1.0 + epoch / self.total_size)
        x = 1.0 + epoch / self.total_size - cycle
        up = x <= self.step_ratio
        height = x / self.step_ratio if up else (x - 1.0) / (self.step_ratio - 1.0)
        return float(height * self._scale(cycle if self.scale_mode == "cycle" else epoch))

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        return base_lr + (self.max_lrs[group] - base_lr) * self._height(epoch)

    def momentum(self, epoch: int, group: int) -> float | None:
        if not self.cycle_momentum:
            return None
        low, high = self._momentum_range[group]
        return high - (high - low) * self._height(epoch)


class OneCycleLR(_Cycle):
    """One cycle: from max_lr / div_factor up to max_lr, then down to nearly 0, in T steps.

    The rate reaches max_lr in step pct_start T - 1 and its lowest, the initial rate over
    final_div_factor, in step T - 1. With `three_phase` it falls to the initial rate first, as long
    as it rose, and then to the lowest. In between it follows half a cosine, or a line. The momentum
    goes down and up between max_momentum and base_momentum against it.

    Args:
        optimizer: the optimizer whose rates are set.
        max_lr: the highest rate, or a list with one per group.
        total_steps: T; or `epochs` times `steps_per_epoch`.
        epochs, steps_per_epoch: see there.
        pct_start: the part of T in which the rate rises, from 0 to 1.
        anneal_strategy: "cos" or "linear".
        cycle_momentum: whether to set momentum, or beta1.
        base_momentum, max_momentum: numbers, or lists with one per group.
        div_factor, final_div_factor: greater than 0.
        three_phase: see above.
        last_epoch: see `LRScheduler`.

    Source: L. Smith and N. Topin, Super-convergence: very fast training of neural networks using
        large learning rates, arXiv:1708.07120, whose cycle is the linear one with three phases.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer("OneCycleLR", optimizer)
        self.optimizer = optimizer
        if total_steps is None and (epochs is None or steps_per_epoch is None):
            raise ValueError("OneCycleLR: give total_steps, or epochs and steps_per_epoch")
        if total_steps is None:
            total_steps = whole("OneCycleLR", "epochs", epochs, 1) * whole(
                "OneCycleLR", "steps_per_epoch", steps_per_epoch, 1
            )
        self.total_steps = whole("OneCycleLR", "total_steps", total_steps, 1)
        start = between("OneCycleLR", "pct_start", pct_start, 0.0, 1.0) * self.total_steps
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"OneCycleLR: anneal_strategy is {anneal_strategy!r}; it must be cos or linear"
            )
        self._cosine = anneal_strategy == "cos"
        divisor = factor("OneCycleLR", "div_factor", div_factor, 0.0, math.inf)
        self._last_divisor = factor(
            "OneCycleLR", "final_div_factor", final_div_factor, 0.0, math.inf
        )
        self.max_lrs = [
            between("OneCycleLR", "max_lr", m, 0.0)
            for m in per_group("OneCycleLR", "max_lr", max_lr, optimizer)
        ]
        self._momenta(cycle_momentum, base_momentum, max_momentum)
        # where each phase ends, and there the rate (0 the initial one, 1 the highest, 2 the lowest)
        last = self.total_steps - 1.0
        self._phases = [(start - 1.0, 1), (last, 2)]
        if three_phase:
            self._phases = [(start - 1.0, 1), (2.0 * start - 2.0, 0), (last, 2)]
        for group, most in zip(optimizer.param_groups, self.max_lrs, strict=True):
            if last_epoch == -1:
                group["initial_lr"] = most / divisor
        super().__init__(optimizer, last_epoch)

    def _between(self, levels: tuple[float, float, float], step: int) -> float:
        """The value in a step, of one that has these levels at the ends of phases."""
        if step > self.total_steps:
            raise ValueError(
                f"OneCycleLR: step {step} of {self.total_steps}; make total_steps as large as the "
                "number of calls of step"
            )
        start, level = 0.0, levels[0]
        for end, target in self._phases:
            if step <= end or end == self._phases[-1][0]:
                share = (step - start) / (end - start) if end != start else 1.0
                if self._cosine:
                    share = (1.0 - math.cos(math.pi * share)) / 2.0
                return level + (levels[target] - level) * share
            start, level = end, levels[target]
        raise AssertionError("the last phase has no end")

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        levels = base_lr, self.max_lrs[group], base_lr / self._last_divisor
        return self._between(levels, epoch)

    def momentum(self, epoch: int, group: int) -> float | None:
        if not self.cycle_momentum:
            return None
        low, high = self._momentum_range[group]
        return self._between((high, low, high), epoch)
