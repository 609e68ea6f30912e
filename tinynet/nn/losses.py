"""Losses as modules; formulas, shapes and errors are documented in `tinynet.functional`."""

from __future__ import annotations

from typing import Any

from tinynet import functional
from tinynet.nn.module import Module


class _Loss(Module):
    """A loss of input and target, with a reduction: "mean", "sum" or "none"."""

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
        label_smoothing: the fraction of the target spread evenly over all classes, from 0 to 1.

    Arguments are keyword-only, as in most losses here, because PyTorch's signatures begin with
    others.
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
    """- z ln s(x) - (1 - z) ln(1 - s(x)), averaged, from logits x; s is the sigmoid."""

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
    """d^2 / 2 if d = |x - t| is at most delta, else delta (d - delta / 2); averaged.

    Args:
        reduction: "mean", "sum" or "none".
        delta: the d at which the loss turns from quadratic to linear, in the unit of x; > 0.
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        if not delta > 0:
            raise ValueError(f"HuberLoss: delta is {delta}; it must be greater than 0")
        self.delta = float(delta)

    def forward(self, input: Any, target: Any) -> Any:
        return functional.huber_loss(input, target, reduction=self.reduction, delta=self.delta)
