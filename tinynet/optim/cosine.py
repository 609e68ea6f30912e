"""Schedules along a cosine: CosineAnnealingLR, CosineAnnealingWarmRestarts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tinynet.optim.optimizer import Optimizer
from tinynet.optim.schedule import LRScheduler, between, whole


class CosineAnnealingLR(LRScheduler):
    """lr(e) = eta_min + (lr_0 - eta_min) (1 + cos(pi e / T_max)) / 2.

    Half a period of the cosine, from lr_0 down to eta_min at epoch T_max, flat at both ends. After
    T_max the rate rises again.

    Args:
        optimizer: the optimizer whose rates are set.
        T_max: the epoch of the lowest rate.
        eta_min: the lowest rate, at least 0.
        last_epoch: see `LRScheduler`.

    Source: I. Loshchilov and F. Hutter, SGDR: stochastic gradient descent with warm restarts,
        arXiv:1608.03983, eq. 5, without restarts.
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max = whole("CosineAnnealingLR", "T_max", T_max, 1)
        self.eta_min = self.floor = between("CosineAnnealingLR", "eta_min", eta_min, 0.0)
        super().__init__(optimizer, last_epoch)

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        wave = (1.0 + math.cos(math.pi * epoch / self.T_max)) / 2.0
        return self.eta_min + (base_lr - self.eta_min) * wave


class CosineAnnealingWarmRestarts(LRScheduler):
    """lr(e) = eta_min + (lr_0 - eta_min) (1 + cos(pi e_i / T_i)) / 2: a cosine, again and again.

    Cycle i = 0, 1, ... takes T_i = T_0 T_mult^i epochs; e_i counts them from its start, where the
    rate jumps back to lr_0. `step(epoch)` takes fractions of an epoch, e + batch / batches.

    Args:
        optimizer: the optimizer whose rates are set.
        T_0: the number of epochs of the first cycle.
        T_mult: how many times as long as the cycle before it a cycle is.
        eta_min: the lowest rate, at least 0.
        last_epoch: see `LRScheduler`.

    Attributes:
        T_cur, T_i: e_i, with its fraction, and the length of the cycle.

    Source: I. Loshchilov and F. Hutter, SGDR: stochastic gradient descent with warm restarts,
        arXiv:1608.03983, eq. 5.
    """

    chainable = False

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        name = "CosineAnnealingWarmRestarts"
        self.T_0, self.T_mult = whole(name, "T_0", T_0, 1), whole(name, "T_mult", T_mult, 1)
        self.eta_min = between(name, "eta_min", eta_min, 0.0)
        self._fraction = 0.0
        super().__init__(optimizer, last_epoch)

    def _cycle(self, epoch: int) -> tuple[float, int]:
        e, length = epoch, self.T_0
        if self.T_mult == 1:
            e %= length
        while e >= length:
            e, length = e - length, length * self.T_mult
        return e + self._fraction, length

    @property
    def T_cur(self) -> float:
        return self._cycle(self.last_epoch)[0]

    @property
    def T_i(self) -> int:
        return self._cycle(self.last_epoch)[1]

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        e, length = self._cycle(epoch)
        wave = (1.0 + math.cos(math.pi * e / length)) / 2.0
        return self.eta_min + (base_lr - self.eta_min) * wave

    def step(self, epoch: Any = None) -> None:
        """Advance to the next epoch, or go to `epoch`, which may have a fraction."""
        if epoch is not None:
            epoch = between("CosineAnnealingWarmRestarts", "epoch", epoch, 0.0)
            self._fraction, epoch = math.modf(epoch)
            epoch = int(epoch)
        super().step(epoch)

    def state_dict(self) -> dict[str, Any]:
        """The epoch and the rates, and T_cur, whose fraction is that of the epoch."""
        return super().state_dict() | {"T_cur": self.T_cur}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        rest = {k: v for k, v in state_dict.items() if k not in ("T_cur", "T_i")}
        super().load_state_dict(rest)
        where = "CosineAnnealingWarmRestarts.load_state_dict"
        self._fraction = between(where, "T_cur", state_dict.get("T_cur", 0.0), 0.0) % 1.0
