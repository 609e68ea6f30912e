"""Early stopping: end a run when its validation metric no longer improves."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Any

from tinynet.nn.layers import at_least_one


def is_better(value: float, best: float | None, mode: str, min_delta: float = 0.0) -> bool:
    """Whether a value improves on the best; the first one does, and NaN never."""
    if best is None:
        return not math.isnan(value)
    return value < best - min_delta if mode == "min" else value > best + min_delta


class EarlyStopping:
    """Tells when a metric has not improved for `patience` epochs in a row.

    ::

        stopping = EarlyStopping(patience=5)
        for epoch in range(100):
            ...                                     # an epoch of training
            stop = stopping.step(evaluate(model, validation).loss)
            if stopping.improved:
                best = model.state_dict()
            if stop:
                break

    A value v is better than the best so far, b, if v < b - min_delta (for "max", if
    v > b + min_delta). The first value is always better, NaN never. Use validation data, not test
    data: the best of many epochs looks too good on the data that chose it.

    Args:
        patience: epochs without improvement after which to stop, at least 1.
        min_delta: the least improvement that counts, finite and at least 0, in the metric's unit.
        mode: "min" for a loss, "max" for an accuracy.

    Attributes:
        best: the best value; None before there is one.
        best_epoch: the epoch of `best`, from 1; 0 before there is one.
        epoch: number of calls of `step`.
        improved: whether the last value was better.

    Source: L. Prechelt, Early stopping - but when?, in Neural Networks: Tricks of the Trade (1998).

    >>> stopping = EarlyStopping(patience=2)
    >>> [stopping.step(loss) for loss in (0.9, 0.5, 0.6, 0.7)]
    [False, False, False, True]
    >>> stopping.best, stopping.best_epoch
    (0.5, 2)
    """

    def __init__(self, patience: int, min_delta: float = 0.0, mode: str = "min") -> None:
        at_least_one("EarlyStopping", patience=patience)
        if not 0 <= min_delta < math.inf:
            raise ValueError(
                f"EarlyStopping: min_delta is {min_delta!r}; it must be finite and at least 0"
            )
        if mode not in ("min", "max"):
            raise ValueError(f"EarlyStopping: mode is {mode!r}; it must be 'min' or 'max'")
        self.patience, self.min_delta, self.mode = operator.index(patience), float(min_delta), mode
        self.best: float | None = None
        self.best_epoch = self.epoch = 0

    def step(self, value: Any) -> bool:
        """Add the value of another epoch and return `should_stop`."""
        value = float(value)
        self.epoch += 1
        if is_better(value, self.best, self.mode, self.min_delta):
            self.best, self.best_epoch = value, self.epoch
        return self.should_stop

    @property
    def improved(self) -> bool:
        return 0 < self.best_epoch == self.epoch

    @property
    def should_stop(self) -> bool:
        """Whether none of the last `patience` values improved on the best before them."""
        return self.epoch - self.best_epoch >= self.patience

    def state_dict(self) -> dict[str, Any]:
        """The best value, its epoch and the number of epochs, without the options."""
        return {"best": self.best, "best_epoch": self.best_epoch, "epoch": self.epoch}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a `state_dict`.

        Raises:
            ValueError: if it is not from `state_dict`; nothing is changed.
        """
        try:
            best = None if state_dict["best"] is None else float(state_dict["best"])
            best_epoch, epoch = int(state_dict["best_epoch"]), int(state_dict["epoch"])
            if not 0 <= best_epoch <= epoch or (best is None) != (best_epoch == 0):
                raise ValueError(f"best {best} at epoch {best_epoch} of {epoch} is impossible")
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                "EarlyStopping.load_state_dict: it must be a dict of best, best_epoch and epoch, "
                f"from state_dict ({error!r})"
            ) from None
        self.best, self.best_epoch, self.epoch = best, best_epoch, epoch
