"""Schedules whose rate is the initial one times a factor: steps, powers, lines."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Iterable, Sequence

from tinynet.optim.optimizer import Optimizer
from tinynet.optim.schedule import (
    LRScheduler,
    between,
    check_optimizer,
    factor,
    functions,
    listed,
    whole,
)


class LambdaLR(LRScheduler):
    """lr(e) = lr_0 f(e).

    Args:
        optimizer: the optimizer whose rates are set.
        lr_lambda: f, which maps an epoch to a factor; or a list with one function per group.
        last_epoch: see `LRScheduler`.
    """

    chainable = False

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        check_optimizer("LambdaLR", optimizer)
        self.lr_lambdas = functions("LambdaLR", lr_lambda, optimizer)
        super().__init__(optimizer, last_epoch)

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        return base_lr * self.lr_lambdas[group](epoch)


class MultiplicativeLR(LRScheduler):
    """lr(e) = lr(e - 1) f(e), from lr(0) = lr_0.

    Args:
        optimizer: the optimizer whose rates are set.
        lr_lambda: f, which maps an epoch to a factor; or a list with one function per group.
        last_epoch: see `LRScheduler`.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        check_optimizer("MultiplicativeLR", optimizer)
        self.lr_lambdas = functions("MultiplicativeLR", lr_lambda, optimizer)
        self._products = [[1.0] for _ in self.lr_lambdas]  # of the factors up to each epoch
        super().__init__(optimizer, last_epoch)

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        products = self._products[group]
        while len(products) <= epoch:
            products.append(products[-1] * self.lr_lambdas[group](len(products)))
        return base_lr * products[epoch]


class StepLR(LRScheduler):
    """lr(e) = lr_0 gamma^floor(e / step_size).

    Args:
        optimizer: the optimizer whose rates are set.
        step_size: the number of epochs between changes.
        gamma: the factor of a change, greater than 0.
        last_epoch: see `LRScheduler`.
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size = whole("StepLR", "step_size", step_size, 1)
        self.gamma = factor("StepLR", "gamma", gamma, 0.0, math.inf)
        super().__init__(optimizer, last_epoch)

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        return base_lr * self.gamma ** (epoch // self.step_size)


class MultiStepLR(LRScheduler):
    """lr(e) = lr_0 gamma^(the number of milestones up to e).

    Args:
        optimizer: the optimizer whose rates are set.
        milestones: epochs; one that is given twice counts twice.
        gamma: the factor of a change, greater than 0.
        last_epoch: see `LRScheduler`.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        given = listed("MultiStepLR", "milestones", milestones)
        self.milestones = sorted(whole("MultiStepLR", "a milestone", m) for m in given)
        self.gamma = factor("MultiStepLR", "gamma", gamma, 0.0, math.inf)
        super().__init__(optimizer, last_epoch)

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        return base_lr * self.gamma ** bisect.bisect_right(self.milestones, epoch)


class ExponentialLR(LRScheduler):
    """lr(e) = lr_0 gamma^e.

    Args:
        optimizer: the optimizer whose rates are set.
        gamma: the factor of an epoch, greater than 0.
        last_epoch: see `LRScheduler`.
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = factor("ExponentialLR", "gamma", gamma, 0.0, math.inf)
        super().__init__(optimizer, last_epoch)

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        return float(base_lr * self.gamma**epoch)


class PolynomialLR(LRScheduler):
    """lr(e) = lr_0 (1 - min(e, T) / T)^p.

    Args:
        optimizer: the optimizer whose rates are set.
        total_iters: T, the epoch from which the rate is 0.
        power: p, at least 0.
        last_epoch: see `LRScheduler`.

    Source: L.-C. Chen et al., DeepLab, arXiv:1606.00915, section 4, with p = 0.9.
    """

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        self.total_iters = whole("PolynomialLR", "total_iters", total_iters, 1)
        self.power = between("PolynomialLR", "power", power, 0.0)
        super().__init__(optimizer, last_epoch)

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        left = 1.0 - min(epoch, self.total_iters) / self.total_iters
        return float(base_lr * left**self.power)


class ConstantLR(LRScheduler):
    """lr(e) = lr_0 a for e < T, then lr_0.

    Args:
        optimizer: the optimizer whose rates are set.
        factor: a, from 0 to 1.
        total_iters: T.
        last_epoch: see `LRScheduler`.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self.factor = between("ConstantLR", "factor", factor, 0.0, 1.0)
        self.total_iters = whole("ConstantLR", "total_iters", total_iters)
        super().__init__(optimizer, last_epoch)

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        return base_lr * self.factor if epoch < self.total_iters else base_lr


class LinearLR(LRScheduler):
    """lr(e) = lr_0 (a + (b - a) min(e, T) / T): linear warm-up.

    Early gradients are large, and the early running means of Adam average only a few of them. A
    small rate in the first epochs (or batches) limits the damage.

    Args:
        optimizer: the optimizer whose rates are set.
        start_factor: a, greater than 0 and at most 1.
        end_factor: b, from 0 to 1.
        total_iters: T, the epoch at which b is reached.
        last_epoch: see `LRScheduler`.

    Source: P. Goyal et al., arXiv:1706.02677, section 2.2.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3.0,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self.start_factor = factor("LinearLR", "start_factor", start_factor, 0.0, 1.0)
        self.end_factor = between("LinearLR", "end_factor", end_factor, 0.0, 1.0)
        self.total_iters = whole("LinearLR", "total_iters", total_iters, 1)
        super().__init__(optimizer, last_epoch)

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        share = min(epoch, self.total_iters) / self.total_iters
        return base_lr * (self.start_factor + (self.end_factor - self.start_factor) * share)
