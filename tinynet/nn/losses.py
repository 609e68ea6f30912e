"""Losses of classifiers as modules; formulas and errors are documented in `tinynet.functional`.

Options after `weight` are keyword-only, because PyTorch's signatures have deprecated ones between
them.
"""

from __future__ import annotations

from typing import Any

from tinynet import functional
from tinynet.nn.module import Module


class _Loss(Module):
    """A loss of input and target, with a reduction: "mean", "sum" or "none"."""

    _reductions: tuple[str, ...] = ("mean", "sum", "none")

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__()
        if reduction not in self._reductions:
            raise ValueError(
                f"{type(self).__name__}: reduction is {reduction!r}; it must be "
                f"{', '.join(map(repr, self._reductions[:-1]))} or {self._reductions[-1]!r}"
            )
        self.reduction = reduction


class _Weighted(_Loss):
    """A loss with a buffer `weight`, a Tensor or None."""

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.register_buffer("weight", weight)


class CrossEntropyLoss(_Weighted):
    """-ln softmax(x)_t from logits, averaged; see `tinynet.functional.cross_entropy`.

    Args:
        weight: (C,): a factor of the loss for each class.
        ignore_index: examples with this label are ignored.
        reduction: "mean", "sum" or "none".
        label_smoothing: the fraction of the target spread evenly over all classes, from 0 to 1.
    """

    def __init__(
        self,
        weight: Any = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, reduction=reduction)
        if not 0 <= label_smoothing <= 1:
            raise ValueError(
                f"CrossEntropyLoss: label_smoothing is {label_smoothing}; it must be from 0 to 1"
            )
        self.ignore_index, self.label_smoothing = ignore_index, float(label_smoothing)

    def forward(self, input: Any, target: Any) -> Any:
        return functional.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(_Weighted):
    """-w_t x_t from logarithms of probabilities, averaged; see `tinynet.functional.nll_loss`."""

    def __init__(
        self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(weight, reduction=reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Any:
        return functional.nll_loss(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction
        )


class BCELoss(_Weighted):
    """- z ln x - (1 - z) ln(1 - x), averaged, from probabilities x."""

    def forward(self, input: Any, target: Any) -> Any:
        return functional.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Weighted):
    """- z ln s(x) - (1 - z) ln(1 - s(x)), averaged, from logits x; s is the sigmoid.

    Args:
        weight: factors of the losses; its shape broadcasts to the input's.
        reduction: "mean", "sum" or "none".
        pos_weight: the weight of positive examples; broadcasts too.
    """

    def __init__(
        self, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None
    ) -> None:
        super().__init__(weight, reduction=reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Any, target: Any) -> Any:
        return functional.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class MultiLabelSoftMarginLoss(_Weighted):
    """- z ln s(x) - (1 - z) ln s(-x), the mean over classes, averaged; weight (C,)."""

    def forward(self, input: Any, target: Any) -> Any:
        return functional.multilabel_soft_margin_loss(
            input, target, self.weight, reduction=self.reduction
        )


class MultiMarginLoss(_Weighted):
    """sum over c != t of max(0, margin - x_t + x_c)^p / C; see `functional.multi_margin_loss`."""

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Any = None, *, reduction: str = "mean"
    ) -> None:
        super().__init__(weight, reduction=reduction)
        if p not in (1, 2):
            raise ValueError(f"MultiMarginLoss: p is {p}; it must be 1 or 2")
        self.p, self.margin = p, float(margin)

    def forward(self, input: Any, target: Any) -> Any:
        return functional.multi_margin_loss(
            input, target, self.p, self.margin, self.weight, reduction=self.reduction
        )
