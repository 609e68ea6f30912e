"""Losses. Those with a softmax or a sigmoid take logits, so that nothing overflows.

Options are keyword-only, because PyTorch's signatures have further options between them.
"""

from __future__ import annotations

from typing import Any

from tinynet import backend
from tinynet.autograd import raw
from tinynet.dtypes import in_float32
from tinynet.functional.layers import check_labels
from tinynet.ops import arithmetic, softmax
from tinynet.ops.reduction import sum


def _reduce(name: str, losses: Any, reduction: str, count: Any = None) -> Any:
    """Reduce the losses; the mean divides by `count`, an array (), by default their number."""
    if reduction == "none":
        return losses
    if reduction == "sum":
        return sum(losses)
    if reduction != "mean":
        raise ValueError(f"{name}: reduction is {reduction!r}; it must be 'mean', 'sum' or 'none'")
    if count is not None:
        backend.check(count > 0, lambda: _empty_mean(name))
    elif (count := raw(losses).size) == 0:
        raise _empty_mean(name)
    return sum(losses) / count


def _empty_mean(name: str) -> ValueError:
    return ValueError(
        f"{name}: the mean over no examples is 0/0 (empty batch or all labels ignored); skip such "
        "batches or use reduction='sum'"
    )


def _check_tensors(name: str, input: Any, target: Any) -> None:
    for argument, a in (("input", input), ("target", target)):
        if not hasattr(a, "shape"):
            raise TypeError(f"{name}: {argument} is a {type(a).__name__}; it must be a tensor")


def _same_shape(name: str, input: Any, target: Any) -> None:
    _check_tensors(name, input, target)
    if tuple(input.shape) != tuple(target.shape):
        raise ValueError(
            f"{name}: input {tuple(input.shape)} and target {tuple(target.shape)} must have the "
            "same shape: (N, 1) and (N,) would broadcast to N x N pairs; use .reshape or .squeeze"
        )


@in_float32
def cross_entropy(
    input: Any,
    target: Any,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """-ln softmax(x)_t, averaged: the loss of a classifier, from logits.

    The loss of an example is - sum_c q_c ln softmax(x)_c. The target distribution q is one-hot(t)
    for a label t, or the given probabilities; smoothing by e replaces it with (1 - e) q + e / C.
    See `tinynet.ops.softmax.cross_entropy_rows`.

    Args:
        input: logits (N, C) or (N, C, ...), floats; do not apply softmax first.
        target: labels (N, ...), integers from 0 to C - 1; or probabilities of the input's shape.
        ignore_index: the label of examples to ignore, in the sum and in the divisor of the mean.
        reduction: "mean", "sum" or "none".
        label_smoothing: e, from 0 to 1.

    Raises:
        TypeError: for logits that are not floats, or labels that are not integers.
        ValueError: for labels out of range (on either device), shapes that do not match, or the
            mean over no examples.

    Source: C. Bishop, Pattern Recognition and Machine Learning (2006), eq. 4.108; smoothing:
        C. Szegedy et al., arXiv:1512.00567, section 7.
    """
    _check_tensors("cross_entropy", input, target)
    x, t = raw(input), raw(target)
    if x.dtype.kind != "f":
        raise TypeError(f"cross_entropy: input is {x.dtype}; convert it with .float()")
    if x.ndim < 2:
        raise ValueError(
            f"cross_entropy: input has shape {tuple(x.shape)}; it must be (N, C) or (N, C, ...)"
        )
    label_smoothing = float(label_smoothing)  # a NumPy scalar would promote
    if not 0.0 <= label_smoothing <= 1.0:
        raise ValueError(
            f"cross_entropy: label_smoothing is {label_smoothing}; it must be from 0 to 1"
        )
    backend.array_module(x, t)  # DeviceError unless on one device
    classes, positions = x.shape[1], (x.shape[0], *x.shape[2:])
    count = None
    if tuple(t.shape) == tuple(x.shape) and t.dtype.kind == "f":
        q = target
    else:
        if tuple(t.shape) != positions:
            raise ValueError(
                f"cross_entropy: target has shape {tuple(t.shape)}; for input {tuple(x.shape)} it "
                f"must be labels {positions} or probabilities {tuple(x.shape)}"
            )
        check_labels("cross_entropy", t, classes, ignore_index)
        xp = backend.array_module(x)
        numbers = backend.arange(classes, x).reshape(1, classes, *(1 for _ in x.shape[2:]))
        q = (xp.expand_dims(t, 1) == numbers).astype(x.dtype)
        counted = t != ignore_index
        if 0 <= ignore_index < classes:  # otherwise its one-hot row is already zero
            q = q * xp.expand_dims(counted, 1)
        # an array, not a number, because it changes from batch to batch
        count = backend.as_array(counted.sum()).astype(x.dtype)
        if label_smoothing:
            q = q * (1.0 - label_smoothing)
            q = q + xp.expand_dims(counted, 1) * backend.full((), label_smoothing / classes, x)
    if q is target and label_smoothing:
        q = q * (1.0 - label_smoothing) + label_smoothing / classes
    return _reduce("cross_entropy", softmax.cross_entropy_rows(input, q), reduction, count)


@in_float32
def binary_cross_entropy_with_logits(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """- z ln s(x) - (1 - z) ln(1 - s(x)), averaged: the loss of a binary classifier, from logits.

    s is the sigmoid; see `tinynet.ops.softmax.bce_with_logits`.

    Args:
        input: logits x, any shape; do not apply sigmoid first.
        target: z, from 0 to 1, of the same shape.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: if the shapes differ, or for the mean of an empty batch.
    """
    _same_shape("binary_cross_entropy_with_logits", input, target)
    losses = softmax.bce_with_logits(input, target)
    return _reduce("binary_cross_entropy_with_logits", losses, reduction)


@in_float32
def mse_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """(x - t)^2, averaged, in the square of the unit of x. The shapes must be equal."""
    _same_shape("mse_loss", input, target)
    d = input - target
    return _reduce("mse_loss", d * d, reduction)


@in_float32
def l1_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """|x - t|, averaged, in the unit of x; the gradient at 0 is 0. The shapes must be equal."""
    _same_shape("l1_loss", input, target)
    return _reduce("l1_loss", arithmetic.abs(input - target), reduction)


@in_float32
def huber_loss(input: Any, target: Any, *, reduction: str = "mean", delta: float = 1.0) -> Any:
    """d^2 / 2 if d = |x - t| is at most delta, else delta (d - delta / 2); averaged.

    With e = x - t and c = e clamped to [-delta, delta], both are c (e - c / 2), which is smooth at
    e = 0, unlike |e|. The unit is the square of that of x.

    Args:
        input, target: of equal shape.
        reduction: "mean", "sum" or "none".
        delta: the d at which the loss turns from quadratic to linear, in the unit of x; > 0.

    Raises:
        ValueError: unless delta > 0, if the shapes differ, or for the mean of an empty batch.

    Source: P. Huber, Robust estimation of a location parameter, Ann. Math. Statist. 35 (1964).
    """
    delta = float(delta)
    if not delta > 0:
        raise ValueError(f"huber_loss: delta is {delta}; it must be greater than 0")
    _same_shape("huber_loss", input, target)
    e = input - target
    c = arithmetic.clamp(e, min=-delta, max=delta)
    return _reduce("huber_loss", c * (e - c * 0.5), reduction)
