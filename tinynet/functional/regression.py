"""Losses between numbers, and between distributions."""

from __future__ import annotations

import math
from typing import Any

from tinynet import backend
from tinynet.autograd import raw
from tinynet.dtypes import in_float32
from tinynet.functional.losses import reduced, same_shape
from tinynet.functions.public import function
from tinynet.ops import arithmetic, elementary
from tinynet.ops.arithmetic import where
from tinynet.ops.reduction import sum
from tinynet.tensor import Tensor


def _averaged(name: str, losses: Any, weight: Any, reduction: str) -> Any:
    """The losses times `weight`, reduced; the mean divides by the sum of the weights."""
    if weight is None:
        return reduced(name, losses, reduction)
    if not hasattr(weight, "shape") or tuple(weight.shape) != losses.shape:
        found = getattr(weight, "shape", type(weight).__name__)
        raise ValueError(
            f"{name}: weight is {found}; it must have the shape of input, {losses.shape}"
        )
    total = reduced(name, losses * weight, "sum" if reduction == "mean" else reduction)
    return total / sum(weight) if reduction == "mean" else total


@function
@in_float32
def mse_loss(input: Any, target: Any, *, reduction: str = "mean", weight: Any = None) -> Any:
    """(x - t)^2, averaged, in the square of the unit of x. The shapes must be equal.

    The mean with a weight (of the same shape) is sum w (x - t)^2 / sum w.
    """
    same_shape("mse_loss", input, target)
    d = input - target
    return _averaged("mse_loss", d * d, weight, reduction)


@function
@in_float32
def l1_loss(input: Any, target: Any, *, reduction: str = "mean", weight: Any = None) -> Any:
    """|x - t|, averaged, in the unit of x; the gradient at 0 is 0. The shapes must be equal."""
    same_shape("l1_loss", input, target)
    return _averaged("l1_loss", arithmetic.abs(input - target), weight, reduction)


def _huber(e: Any, delta: float) -> Any:
    c = arithmetic.clamp(e, min=-delta, max=delta)
    return c * (e - c * 0.5)


@function
@in_float32
def huber_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Any = None,
) -> Any:
    """d^2 / 2 if d = |x - t| is at most delta, else delta (d - delta / 2); averaged.

    With e = x - t and c = e clamped to [-delta, delta], both are c (e - c / 2), which is smooth at
    e = 0, unlike |e|. The unit is the square of that of x.

    Args:
        input, target: of equal shape.
        reduction: "mean", "sum" or "none".
        delta: the d at which the loss turns from quadratic to linear, in the unit of x; > 0.
        weight: factors of the losses, of the same shape; the mean divides by their sum.

    Raises:
        ValueError: unless delta > 0, if the shapes differ, or for the mean of an empty batch.

    Source: P. Huber, Robust estimation of a location parameter, Ann. Math. Statist. 35 (1964).
    """
    delta = float(delta)
    if not delta > 0:
        raise ValueError(f"huber_loss: delta is {delta}; it must be greater than 0")
    same_shape("huber_loss", input, target)
    return _averaged("huber_loss", _huber(input - target, delta), weight, reduction)


@function
@in_float32
def smooth_l1_loss(input: Any, target: Any, *, reduction: str = "mean", beta: float = 1.0) -> Any:
    """d^2 / (2 beta) if d = |x - t| is less than beta, else d - beta / 2: `huber_loss` / beta.

    Args:
        input, target: of equal shape.
        reduction: "mean", "sum" or "none".
        beta: at least 0; 0 gives `l1_loss`.

    Source: R. Girshick, Fast R-CNN, arXiv:1504.08083, eq. 3.
    """
    beta = float(beta)
    if not beta >= 0:
        raise ValueError(f"smooth_l1_loss: beta is {beta}; it must be at least 0")
    same_shape("smooth_l1_loss", input, target)
    e = input - target
    losses = _huber(e, beta) / beta if beta else arithmetic.abs(e)
    return reduced("smooth_l1_loss", losses, reduction)


@function
@in_float32
def kl_div(input: Any, target: Any, *, reduction: str = "mean", log_target: bool = False) -> Any:
    """t (ln t - x), averaged: the divergence of exp(x) from t, entry by entry; 0 where t is 0.

    Args:
        input: x, logarithms of probabilities.
        target: t, probabilities of the same shape; with `log_target` their logarithms.
        reduction: "batchmean" divides the sum by the first size: the divergence as it is defined,
            for each example. "mean" divides by the number of entries; "sum" or "none".

    Source: S. Kullback and R. Leibler, On information and sufficiency, Ann. Math. Statist. 22
        (1951), eq. 2.5.
    """
    same_shape("kl_div", input, target)
    if log_target:
        losses = elementary.exp(target) * (target - input)
    else:
        zero = raw(target) == 0
        losses = target * elementary.log(where(zero, 1.0, target)) - target * input
    if reduction == "batchmean":
        return reduced("kl_div", losses, "sum") / (input.shape[0] if input.shape else 1)
    return reduced("kl_div", losses, reduction)


@function
@in_float32
def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    *,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Any:
    """lambda - t ln lambda, averaged: -ln of Poisson's probability of t, without ln t!.

    Args:
        input: ln lambda; lambda itself without `log_input`.
        target: t, counts of the same shape.
        full: add Stirling's t ln t - t + ln(2 pi t) / 2 where t > 1.
        eps: added to lambda in ln(lambda + eps).
        reduction: "mean", "sum" or "none".
    """
    same_shape("poisson_nll_loss", input, target)
    if log_input:
        losses = elementary.exp(input) - target * input
    else:
        losses = input - target * elementary.log(input + float(eps))
    if full:
        large = raw(target) > 1
        t = where(large, target, 1.0)
        stirling = t * elementary.log(t) - t + elementary.log(t * (2.0 * math.pi)) * 0.5
        losses = losses + where(large, stirling, 0.0)
    return reduced("poisson_nll_loss", losses, reduction)


@function
@in_float32
def gaussian_nll_loss(
    input: Tensor,
    target: Any,
    var: Any,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Any:
    """(ln v + (x - t)^2 / v) / 2, averaged: -ln of the normal density of t, mean x, variance v.

    Args:
        input: x, any shape.
        target: t; its shape broadcasts.
        var: variances, not negative: of the input's shape, or with 1 for one of its sizes, or
            without the last; or one number.
        full: add ln(2 pi) / 2.
        eps: the smallest variance; it does not cut the gradient by `var`.
        reduction: "mean", "sum" or "none".

    Source: D. Nix and A. Weigend, Estimating the mean and variance of the target probability
        distribution (1994), eq. 5.
    """
    name, eps = "gaussian_nll_loss", float(eps)
    if isinstance(var, int | float):
        var = input * 0.0 + float(var)
    shape = input.shape
    if tuple(var.shape) == shape[:-1] and tuple(var.shape) != shape:
        var = var.unsqueeze(-1)
    differ = [v for v, n in zip(var.shape, shape, strict=False) if v != n]
    if len(var.shape) != len(shape) or differ not in ([], [1]):
        raise ValueError(
            f"{name}: var has shape {tuple(var.shape)}; it must be {shape}, or 1 for one of the "
            "sizes, or without the last axis"
        )
    if not eps > 0:
        raise ValueError(f"{name}: eps is {eps}; it must be greater than 0")
    backend.check(
        raw(var) >= 0,
        lambda: ValueError(f"{name}: var has a negative entry, {float(raw(var).min())}"),
    )
    v = var + arithmetic.clamp(eps - var, min=0.0).detach()
    d = input - target
    losses = (elementary.log(v) + d * d / v) * 0.5
    if full:
        losses = losses + 0.5 * math.log(2.0 * math.pi)
    return reduced(name, losses, reduction)
