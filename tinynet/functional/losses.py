"""Losses of classifiers. Those with a softmax or a sigmoid take logits: nothing overflows.

Options after `weight` are keyword-only, because PyTorch's signatures have deprecated ones between
them.
"""

from __future__ import annotations

from typing import Any

from tinynet import backend
from tinynet.autograd import Value, raw
from tinynet.dtypes import in_float32
from tinynet.functional.embedding import check_labels
from tinynet.functions.operands import check_tensor, only_floats
from tinynet.functions.public import function
from tinynet.ops import arithmetic, elementary, softmax
from tinynet.ops.arithmetic import where
from tinynet.ops.reduction import sum
from tinynet.tensor import Tensor


def reduced(name: str, losses: Any, reduction: str, count: Any = None) -> Any:
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


def check_tensors(name: str, input: Any, target: Any) -> None:
    for argument, a in (("input", input), ("target", target)):
        if not isinstance(a, Value):
            check_tensor(name, argument, a)


def same_shape(name: str, input: Any, target: Any) -> None:
    check_tensors(name, input, target)
    if tuple(input.shape) != tuple(target.shape):
        raise ValueError(
            f"{name}: input {tuple(input.shape)} and target {tuple(target.shape)} must have the "
            "same shape: (N, 1) and (N,) would broadcast to N x N pairs; use .reshape or .squeeze"
        )


def _checked(name: str, input: Any, target: Any, weight: Any) -> tuple[Any, Any]:
    """Input and target, checked; an example without a batch, (C,), gets a batch axis."""
    check_tensors(name, input, target)
    x, t = raw(input), raw(target)
    only_floats(name, input)
    if x.ndim == 0:
        raise ValueError(f"{name}: input has shape (); it must be (C,), (N, C) or (N, C, ...)")
    axis = min(x.ndim - 1, 1)  # of the classes
    labels = (*x.shape[:axis], *x.shape[axis + 1 :])
    shares = name == "cross_entropy" and t.dtype.kind == "f" and t.shape == x.shape
    if not shares and tuple(t.shape) != labels:
        also = f" or probabilities {tuple(x.shape)}" if name == "cross_entropy" else ""
        raise ValueError(
            f"{name}: target has shape {tuple(t.shape)}; for input {tuple(x.shape)} it must be "
            f"label{'s' * (x.ndim > 1)} {labels}{also}"
        )
    if weight is not None and (
        not hasattr(weight, "shape") or tuple(weight.shape) != (x.shape[axis],)
    ):
        found = getattr(weight, "shape", type(weight).__name__)
        raise ValueError(
            f"{name}: weight has shape {found}; it must be ({x.shape[axis]},), one entry for each "
            f"class of input {tuple(x.shape)}"
        )
    backend.array_module(x, t, raw(weight))  # DeviceError unless on one device
    if x.ndim > 1:
        return input, target
    return input.reshape(1, -1), target.reshape(1, *t.shape)


def _labels(name: str, x: Any, t: Any, weight: Any, ignore_index: int) -> tuple[Any, Any]:
    """Which labels count, and the weight of each (or None), after a check of their range."""
    check_labels(name, t, x.shape[1], ignore_index)
    counted = t != ignore_index
    return counted, None if weight is None else raw(weight)[t * counted]


@function
@in_float32
def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """-ln softmax(x)_t, averaged: the loss of a classifier, from logits.

    The loss of an example is - sum_c w_c q_c ln softmax(x)_c. The target distribution q is
    one-hot(t) for a label t, or the given probabilities; smoothing by e replaces it with
    (1 - e) q + e / C. See `tinynet.ops.softmax.cross_entropy_rows`.

    Args:
        input: logits (N, C) or (N, C, ...) or (C,), floats; do not apply softmax first.
        target: labels (N, ...), integers from 0 to C - 1; or probabilities of the input's shape.
        weight: w (C,), by default ones. The mean over labels divides by the sum of their weights.
        ignore_index: the label of examples to ignore, in the sum and in the divisor of the mean;
            not for probabilities.
        reduction: "mean", "sum" or "none".
        label_smoothing: e, from 0 to 1.

    Raises:
        TypeError: for logits that are not floats, or labels that are not integers.
        ValueError: for labels out of range (on either device), shapes that do not match, or the
            mean over no examples.

    Source: C. Bishop, Pattern Recognition and Machine Learning (2006), eq. 4.108; smoothing:
        C. Szegedy et al., arXiv:1512.00567, section 7.
    """
    single = len(getattr(input, "shape", ())) == 1
    input, target = _checked("cross_entropy", input, target, weight)
    label_smoothing = float(label_smoothing)
    if not 0.0 <= label_smoothing <= 1.0:
        raise ValueError(
            f"cross_entropy: label_smoothing is {label_smoothing}; it must be from 0 to 1"
        )
    x, t = raw(input), raw(target)
    classes, xp = x.shape[1], backend.array_module(x)
    per_class = (1, classes, *(1 for _ in x.shape[2:]))
    count = None
    if t.dtype.kind == "f" and t.shape == x.shape:
        if ignore_index >= 0:
            raise ValueError(
                f"cross_entropy: ignore_index is {ignore_index}, but target holds probabilities, "
                "which it is not for; leave it out, or give labels"
            )
        q = target
        if label_smoothing:
            q = q * (1.0 - label_smoothing) + label_smoothing / classes
        count = backend.full((), float(t.size // classes), x) if t.size else None
    else:
        counted, w = _labels("cross_entropy", x, t, weight, ignore_index)
        q = (xp.expand_dims(t, 1) == backend.arange(classes, x).reshape(per_class)).astype(x.dtype)
        if 0 <= ignore_index < classes:  # otherwise its one-hot row is already zero
            q = q * xp.expand_dims(counted, 1)
        # an array, not a number, because it changes from batch to batch
        count = backend.as_array((counted if w is None else counted * w).sum()).astype(x.dtype)
        if label_smoothing:
            q = q * (1.0 - label_smoothing)
            q = q + xp.expand_dims(counted, 1) * backend.full((), label_smoothing / classes, x)
    if weight is not None:
        q = q * raw(weight).reshape(per_class)
    losses = softmax.cross_entropy_rows(input, q)
    return reduced("cross_entropy", losses.reshape(()) if single else losses, reduction, count)


@function
@in_float32
def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """-w_t x_t, averaged, from logarithms of probabilities x such as those of `log_softmax`.

    Arguments and errors are those of `cross_entropy`, which includes log_softmax. The mean divides
    by the sum of the weights w_t.
    """
    single = len(getattr(input, "shape", ())) == 1
    input, target = _checked("nll_loss", input, target, weight)
    t = raw(target)
    counted, w = _labels("nll_loss", raw(input), t, weight, ignore_index)
    xp = backend.array_module(t)
    losses = -input.gather(1, xp.expand_dims(t * counted, 1)).squeeze(1)
    factor = counted if w is None else counted * w
    count = backend.as_array(factor.sum()).astype(losses.dtype)
    if w is not None:
        losses = losses * w
    losses = where(counted, losses, 0.0)  # not times 0, since x may be -Inf
    return reduced("nll_loss", losses.reshape(()) if single else losses, reduction, count)


@function
@in_float32
def binary_cross_entropy(
    input: Tensor, target: Any, weight: Any = None, *, reduction: str = "mean"
) -> Any:
    """- z ln x - (1 - z) ln(1 - x), averaged, from probabilities x; logarithms are at least -100.

    `binary_cross_entropy_with_logits` includes the sigmoid and is accurate where it is 0 or 1.

    Args:
        input: probabilities x, from 0 to 1, any shape.
        target: z, from 0 to 1, of the same shape.
        weight: factors of the losses; its shape broadcasts to the input's.
        reduction: "mean", "sum" or "none".
    """
    name = "binary_cross_entropy"
    same_shape(name, input, target)
    for argument, a in (("input", raw(input)), ("target", raw(target))):
        backend.check(
            (a >= 0) & (a <= 1),
            lambda argument=argument, a=a: ValueError(  # type: ignore[misc]
                f"{name}: {argument} runs from {float(a.min())} to {float(a.max())}; it must be "
                "from 0 to 1 (apply sigmoid, or use binary_cross_entropy_with_logits)"
            ),
        )
    losses = -(target * _log(input) + (1.0 - target) * _log(1.0 - input))
    return reduced(name, _weighted(name, losses, weight), reduction)


def _log(p: Any) -> Any:
    """ln p, at least -100; the gradient at 0 is 0."""
    positive = raw(p) > 0
    return arithmetic.clamp(
        where(positive, elementary.log(where(positive, p, 1.0)), -100.0), min=-100.0
    )


def _weighted(name: str, losses: Any, weight: Any) -> Any:
    if weight is None:
        return losses
    weighted = losses * weight
    if weighted.shape != losses.shape:
        raise ValueError(
            f"{name}: weight {tuple(weight.shape)} does not broadcast to the losses {losses.shape}"
        )
    return weighted


@function
@in_float32
def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """- c z ln s(x) - (1 - z) ln(1 - s(x)), averaged: the loss of a binary classifier, from logits.

    s is the sigmoid; see `tinynet.ops.softmax.bce_with_logits`.

    Args:
        input: logits x, any shape; do not apply sigmoid first.
        target: z, from 0 to 1, of the same shape.
        weight: factors of the losses; its shape broadcasts to the input's.
        reduction: "mean", "sum" or "none".
        pos_weight: c, the weight of positive examples, by default 1; broadcasts too.

    Raises:
        ValueError: if the shapes differ, or for the mean of an empty batch.
    """
    name = "binary_cross_entropy_with_logits"
    same_shape(name, input, target)
    if pos_weight is None:
        losses = softmax.bce_with_logits(input, target)
    else:  # -ln s(x) = softplus(-x), and -ln(1 - s(x)) = x + softplus(-x)
        factor = (pos_weight - 1.0) * target + 1.0
        losses = (1.0 - target) * input + factor * elementary.softplus(-input)
        if losses.shape != tuple(input.shape):
            raise ValueError(
                f"{name}: pos_weight {tuple(pos_weight.shape)} does not broadcast to input "
                f"{tuple(input.shape)}"
            )
    return reduced(name, _weighted(name, losses, weight), reduction)
