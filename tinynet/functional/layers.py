"""The functions of layers: linear, embedding, one-hot, dropout, padding, normalisation."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

from tinynet import backend, random
from tinynet.autograd import raw
from tinynet.dtypes import check_same_float, is_float16, rounded, widened
from tinynet.ops import linalg, reduction, shape
from tinynet.ops.elementary import sqrt
from tinynet.ops.indexing import getitem, plain_index
from tinynet.tensor import Tensor


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """y = x W^T + b along the last axis; see `tinynet.ops.linalg.linear`.

    Args:
        input: (..., I).
        weight: (J, I).
        bias: (J,) or None.

    Returns:
        (..., J).

    Raises:
        ValueError: if the shapes do not match.
    """
    if len(input.shape) == 0:
        raise ValueError("linear: input has shape (); it must be (..., I)")
    if len(input.shape) == 2:
        return linalg.linear(input, weight, bias)
    rows = shape.reshape(input, shape=(raw(input).size // max(input.shape[-1], 1), input.shape[-1]))
    return shape.reshape(
        linalg.linear(rows, weight, bias), shape=(*input.shape[:-1], weight.shape[0])
    )


def embedding(input: Any, weight: Any) -> Any:
    """The row weight[i] for each index i in `input`; the gradients of a repeated row add up.

    Args:
        input: integers from 0 to V - 1, of any shape.
        weight: (V, D).

    Returns:
        (*input.shape, D).

    Raises:
        IndexError: for indices that are not integers from 0 to V - 1.
    """
    index = plain_index(input, raw(weight))
    if not backend.is_array(index) or index.dtype.kind not in "iu":
        raise IndexError("embedding: input must be a tensor or array of integers")
    rows = weight.shape[0]
    backend.check(
        (index >= 0) & (index < rows),
        lambda: IndexError(
            f"embedding: indices range from {int(index.min())} to {int(index.max())}; they must be "
            f"from 0 to {rows - 1}"
        ),
    )
    return getitem(weight, index=index)


def one_hot(labels: Any, num_classes: int) -> Tensor:
    """One-hot rows, float32: 1 at the label, 0 elsewhere; shape (*labels.shape, num_classes).

    Raises:
        TypeError: for labels that are not integers.
        ValueError: for labels outside 0 to num_classes - 1.
    """
    labels = raw(labels)
    check_labels("one_hot", labels, num_classes)
    numbers = backend.arange(num_classes, labels)
    return Tensor((labels[..., None] == numbers).astype("float32"))


def check_labels(name: str, labels: Any, classes: int, ignore_index: int | None = None) -> None:
    """Raise unless the labels are integers from 0 to classes - 1, or `ignore_index`.

    GPUs need the check too: there, an index out of range wraps around silently, and label 10 of 10
    classes would train class 0.
    """
    if not backend.is_array(labels) or labels.dtype.kind not in "iu":
        kind = getattr(labels, "dtype", type(labels).__name__)
        raise TypeError(f"{name}: labels must be integers, not {kind}; convert them with .long()")
    right = (labels >= 0) & (labels < classes)
    if ignore_index is not None:
        right = right | (labels == ignore_index)
    backend.check(
        right,
        lambda: ValueError(
            f"{name}: label {int(labels[~right].ravel()[0])} is out of range for {classes} "
            f"classes; it must be from 0 to {classes - 1}"
        ),
    )


def dropout(input: Any, p: float = 0.5, training: bool = True) -> Any:
    """y = m x / (1 - p); each entry of the mask m is independently 0 with probability p, else 1.

    The factor 1 / (1 - p) preserves the mean, so evaluation (training=False) is the identity. The
    mask is drawn on the host from the generator of `tinynet.manual_seed`, so it is the same on
    either device. y has the shape of x, and its dtype, or float32 if x has an integer dtype.

    Raises:
        ValueError: unless 0 <= p < 1.

    Source: N. Srivastava et al., Dropout, JMLR 15 (2014), section 10 ("inverted" dropout).
    """
    p = float(p)  # a NumPy scalar would promote
    if not 0 <= p < 1:
        raise ValueError(f"dropout: p is {p}; it must be at least 0 and less than 1")
    if not training or p == 0:
        return input
    array = raw(input)
    keep = random.uniform(array.shape, array) >= p
    dtype = array.dtype if array.dtype.kind == "f" else "float32"
    return input * (keep.astype(dtype) * (1.0 / (1.0 - p)))


def pad(input: Any, pad: Sequence[int], value: float = 0.0) -> Any:
    """Pad the last axes with `value`; negative widths crop.

    Args:
        input: any shape.
        pad: the widths (before, after) of the last axis, then of the second to last, and so on, as
            in PyTorch.
        value: the number to pad with.

    Raises:
        ValueError: for an odd number of widths, or more pairs than axes.
    """
    if len(pad) % 2 or len(pad) // 2 > len(input.shape):
        raise ValueError(
            f"pad: pad is {tuple(pad)}; it must be pairs (before, after), at most one for each "
            f"axis of shape {tuple(input.shape)}"
        )
    pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)]
    pairs += [(0, 0)] * (len(input.shape) - len(pairs))
    pairs.reverse()
    cut = tuple((max(-a, 0), max(-b, 0)) for a, b in pairs)
    grow = tuple((max(a, 0), max(b, 0)) for a, b in pairs)
    if any(c != (0, 0) for c in cut):
        input = shape.crop(input, widths=cut)
    return shape.pad(input, widths=grow, value=value)


@backend.quiet_underflow
def _normalise(x: Any, axes: tuple[int, ...], eps: float) -> tuple[Any, Any, Any]:
    """(x - mean) / sqrt(var + eps) over the axes, the mean, and var, the biased variance."""
    n = math.prod(x.shape[a] for a in axes)
    mean = reduction.sum(x, dim=axes, keepdim=True) / n
    centred = x - mean
    var = reduction.sum(centred * centred, dim=axes, keepdim=True) / n
    return centred / sqrt(var + float(eps)), mean, var


def _check_floats(name: str, input: Any, weight: Any, bias: Any) -> None:
    """Raise TypeError if input, weight and bias have different floating-point dtypes."""
    if weight is not None or bias is not None:
        check_same_float(name, ("input", "weight", "bias"), *map(raw, (input, weight, bias)))


def last_sizes(normalized_shape: Any) -> tuple[int, ...]:
    """`normalized_shape` as a tuple; an integer is the size of the last axis only."""
    # NumPy arrays of any size have __index__
    if hasattr(normalized_shape, "__index__") and getattr(normalized_shape, "ndim", 0) == 0:
        return (operator.index(normalized_shape),)
    return tuple(normalized_shape)


def layer_norm(
    input: Any,
    normalized_shape: int | Sequence[int],
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
) -> Any:
    """y = (x - mean) / sqrt(var + eps) * w + b over the last axes, for each example.

    var is the biased variance, sum (x - mean)^2 / n.

    Args:
        input: (..., *normalized_shape).
        normalized_shape: the last sizes of x; an integer for the last size only.
        weight, bias: of shape normalized_shape, or None.
        eps: added to the variance, in the square of the unit of x.

    Raises:
        ValueError: if the shape of the input does not end in normalized_shape.

    Source: J. Ba, J. Kiros and G. Hinton, Layer normalization, arXiv:1607.06450, eq. 3.
    """
    if is_float16(input):  # in float32, rounded once
        x, w, b = map(widened, (input, weight, bias))
        return rounded(layer_norm(x, normalized_shape, w, b, eps))
    sizes = last_sizes(normalized_shape)
    k = len(sizes)
    if k == 0 or tuple(input.shape[-k:]) != sizes:
        raise ValueError(
            f"layer_norm: input has shape {tuple(input.shape)}; it must end in {sizes}"
        )
    _check_floats("layer_norm", input, weight, bias)
    axes = tuple(range(len(input.shape) - k, len(input.shape)))
    y, _, _ = _normalise(input, axes, eps)
    if weight is not None:
        y = y * weight
    return y if bias is None else y + bias


def batch_norm(
    input: Any,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: Any = 0.1,
    eps: float = 1e-5,
) -> Any:
    """y = (x - mean) / sqrt(var + eps) * w + b for each channel, over examples and positions.

    Training normalises with the mean and *biased* variance of the batch, and updates the running
    statistics in place, ``running += momentum (batch - running)``, with the *unbiased* variance:
    two variances, as in the paper (algorithm 1 and step 10 of algorithm 2) and in PyTorch.
    Evaluation uses the running statistics.

    Args:
        input: (N, C) or (N, C, ...).
        running_mean, running_var: (C,), or None to always use the statistics of the batch.
        weight, bias: (C,) or None.
        training: whether to use the statistics of the batch and update the running ones.
        momentum: the weight of the batch in the running statistics: a number, or an array of shape
            () in their dtype if it changes from step to step.
        eps: added to the variance, in the square of the unit of x.

    Raises:
        ValueError: in training, for fewer than two values per channel, which have no unbiased
            variance; if a vector does not have shape (C,).

    Source: S. Ioffe and C. Szegedy, Batch normalization, arXiv:1502.03167.
    """
    if len(input.shape) < 2:
        raise ValueError(
            f"batch_norm: input has shape {tuple(input.shape)}; it must be (N, C) or (N, C, ...)"
        )
    if is_float16(input):  # in float32, rounded once; the running statistics are changed in place
        x, w, b = map(widened, (input, weight, bias))
        return rounded(batch_norm(x, running_mean, running_var, w, b, training, momentum, eps))
    C, eps = input.shape[1], float(eps)
    if momentum is not None and not backend.is_array(momentum):
        momentum = float(momentum)
    for name, given in (
        ("running_mean", running_mean),
        ("running_var", running_var),
        ("weight", weight),
        ("bias", bias),
    ):
        if given is not None and tuple(given.shape) != (C,):
            raise ValueError(
                f"batch_norm: {name} has shape {tuple(given.shape)}; it must be ({C},), one "
                f"entry per channel of input {tuple(input.shape)}"
            )
        backend.array_module(raw(input), raw(given))  # DeviceError unless on one device
    _check_floats("batch_norm", input, weight, bias)
    per_channel = (1, C, *(1 for _ in input.shape[2:]))
    if training or running_mean is None or running_var is None:
        axes = (0, *range(2, len(input.shape)))
        n = raw(input).size // max(C, 1)
        if training and n <= 1:
            raise ValueError(
                f"batch_norm: input {tuple(input.shape)} has {n} value(s) per channel; training "
                "needs more than one, for the unbiased variance"
            )
        y, mean, var = _normalise(input, axes, eps)
        if training and running_mean is not None and running_var is not None:
            for running, batch in (
                (running_mean, raw(mean).reshape(C)),
                (running_var, raw(var).reshape(C) * (n / (n - 1))),
            ):
                if is_float16(running):
                    wide = widened(running._data)
                    running.copy_(wide + (batch - wide) * momentum)
                    continue
                step = (batch - running._data).astype(running._data.dtype)
                running.add_(step * momentum)
    else:
        mean, var = (
            a._data.astype(raw(input).dtype, copy=False).reshape(per_channel)
            for a in (running_mean, running_var)
        )
        scale = 1.0 / backend.array_module(mean).sqrt(var + eps)
        y = (input - mean) * scale
    if weight is not None:
        y = y * shape.reshape(weight, shape=per_channel)
    return y if bias is None else y + shape.reshape(bias, shape=per_channel)
