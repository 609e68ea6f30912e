"""Losses as modules; formulas, shapes and errors are documented in `tinynet.functional`."""

from __future__ import annotations

from typing import Any

from tinynet import functional
from tinynet.nn.module import Module


class _Loss(Module):
    """A loss of input and target; `reduction` is "mean", "sum" or "none"."""

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__()
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(
                f"{type(self).__name__}: reduction is {reduction!r}; it must be 'mean', 'sum' or "
                "'none'"
            )
        self.reduction = reduction


class CrossEntropyLoss(_Loss):
    """-ln softmax(x)_t from logits, averaged; see `tinynet.functional.cross_entropy`.

    Args:
        ignore_index: examples with this label are ignored.
        reduction: "mean", "sum" or "none".
        label_smoothing: the share of the target spread evenly over all classes, from 0 to 1.

    Arguments are keyword-only, as for most losses here, since PyTorch has others before them.
    """

    def __init__(
        self, *, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
    ) -> None:
        super().__init__(reduction=reduction)
        if not 0 <= label_smoothing <= 1:
            raise ValueError(
                f"CrossEntropyLoss: label_smoothing is {label_smoothing}; it must be from 0 to 1"
            )
        self.ignore_index, self.label_smoothing = ignore_index, float(label_smoothing)

    def forward(self, input: Any, target: Any) -> Any:
        return functional.cross_entropy(
            input,
            target,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class BCEWithLogitsLoss(_Loss):
    """- z ln s(x) - (1 - z) ln(1 - s(x)) from logits, s the sigmoid, averaged."""

    def forward(self, input: Any, target: Any) -> Any:
        return functional.binary_cross_entropy_with_logits(input, target, reduction=self.reduction)


class MSELoss(_Loss):
    """(x - t)^2, averaged, in the square of the unit of x."""

    def forward(self, input: Any, target: Any) -> Any:
        return functional.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """|x - t|, averaged, in the unit of x."""

    def forward(self, input: Any, target: Any) -> Any:
        return functional.l1_loss(input, target, reduction=self.reduction)


class HuberLoss(_Loss):
    """d^2 / 2 for d = |x - t| up to delta, delta (d - delta / 2) beyond, averaged.

    Args:
        reduction: "mean", "sum" or "none".
        delta: the |x - t| at which the square becomes linear, in the unit of x; greater than 0.
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        if not delta > 0:
            raise ValueError(f"HuberLoss: delta is {delta}; it must be greater than 0")
        self.delta = float(delta)

    def forward(self, input: Any, target: Any) -> Any:
        return functional.huber_loss(input, target, reduction=self.reduction, delta=self.delta)
