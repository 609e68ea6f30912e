"""Losses between numbers and between distributions, as modules; see `tinynet.functional`."""

from __future__ import annotations

from typing import Any

from tinynet import functional
from tinynet.nn.losses import _Loss


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
        return functional.huber_loss(input, target, self.reduction, self.delta)


class SmoothL1Loss(_Loss):
    """`HuberLoss` with delta = beta, divided by beta; beta = 0 is `L1Loss`."""

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        if not beta >= 0:
            raise ValueError(f"SmoothL1Loss: beta is {beta}; it must be at least 0")
        self.beta = float(beta)

    def forward(self, input: Any, target: Any) -> Any:
        return functional.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class KLDivLoss(_Loss):
    """t (ln t - x), averaged, of logarithms x of probabilities; see `tinynet.functional.kl_div`.

    Args:
        reduction: "mean", "sum", "none", or "batchmean" for the divergence of each example.
        log_target: whether the targets are logarithms too.
    """

    _reductions = ("mean", "sum", "none", "batchmean")

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.log_target = log_target

    def forward(self, input: Any, target: Any) -> Any:
        return functional.kl_div(
            input, target, reduction=self.reduction, log_target=self.log_target
        )


class PoissonNLLLoss(_Loss):
    """lambda - t ln lambda, averaged; see `tinynet.functional.poisson_nll_loss`."""

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        *,
        eps: float = 1e-8,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.log_input, self.full, self.eps = log_input, full, float(eps)

    def forward(self, log_input: Any, target: Any) -> Any:
        return functional.poisson_nll_loss(
            log_input, target, self.log_input, self.full, eps=self.eps, reduction=self.reduction
        )


class GaussianNLLLoss(_Loss):
    """(ln v + (x - t)^2 / v) / 2, averaged; see `tinynet.functional.gaussian_nll_loss`."""

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full, self.eps = full, float(eps)

    def forward(self, input: Any, target: Any, var: Any) -> Any:
        return functional.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)
