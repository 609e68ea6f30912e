"""Linear and bilinear maps, layer normalisation and batch normalisation."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

from tinynet import backend
from tinynet.autograd import Value, raw
from tinynet.dtypes import check_same_float, in_float32, is_float16, rounded, widened
from tinynet.functions.operands import check_tensor
from tinynet.functions.public import function
from tinynet.ops import linalg, reduction, shape
from tinynet.ops.elementary import sqrt
from tinynet.tensor import Tensor


@function
def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """y = x W^T + b along the last axis; see `tinynet.ops.linalg.linear`.

    Args:
        input: (..., I).
        weight: (J, I), or (I,) for a single output.
        bias: (J,), or () for a single output, or None.

    Returns:
        (..., J), or (...) for a single output.

    Raises:
        ValueError: if the shapes do not match.
    """
    check_tensors("linear", input=input, weight=weight, bias=bias)
    if input is None or weight is None:
        raise TypeError("linear: input and weight must be Tensors, not None")
    if len(input.shape) == 2 and len(weight.shape) == 2:
        return linalg.linear(input, weight, bias)
    x, w = tuple(input.shape), tuple(weight.shape)
    if not x:
        raise ValueError("linear: input has shape (); it must be (..., I)")
    if len(w) not in (1, 2) or x[-1] != w[-1]:
        raise ValueError(
            f"linear: input {x} and weight {w} do not fit; the last size of the input must be "
            "in_features of the weight (out_features, in_features)"
        )
    if bias is not None and tuple(bias.shape) not in (w[:-1], (1,) if len(w) == 1 else w[:-1]):
        raise ValueError(f"linear: bias {tuple(bias.shape)} must be {w[:-1]} for weight {w}")
    rows = shape.reshape(input, shape=(math.prod(x[:-1]), x[-1]))
    matrix = weight if len(w) == 2 else shape.reshape(weight, shape=(1, *w))
    vector = bias if bias is None or len(w) == 2 else shape.reshape(bias, shape=(1,))
    y = linalg.linear(rows, matrix, vector)
    return shape.reshape(y, shape=(*x[:-1], *w[:-1]))


def check_tensors(name: str, **arguments: Any) -> None:
    """Raise unless each argument is a Tensor or an array; None is a missing one."""
    for argument, a in arguments.items():
        if a is not None and not isinstance(a, Value):
            check_tensor(name, argument, a)


@function
def bilinear(input1: Tensor, input2: Tensor, weight: Any, bias: Any = None) -> Any:
    """y_j = sum_ik x1_i w_jik x2_k + b_j along the last axes.

    Args:
        input1: (..., I).
        input2: (..., K), the other axes as in input1.
        weight: (J, I, K).
        bias: (J,) or None.

    Returns:
        (..., J).
    """
    check_tensors("bilinear", input1=input1, input2=input2, weight=weight, bias=bias)
    if input2 is None or weight is None:
        raise TypeError("bilinear: input2 and weight must be Tensors, not None")
    a, b, w = tuple(input1.shape), tuple(input2.shape), tuple(weight.shape)
    if not a or a[:-1] != b[:-1] or len(w) != 3 or (a[-1], b[-1]) != w[1:]:
        raise ValueError(
            f"bilinear: input1 {a}, input2 {b} and weight {w} do not fit; they must be (..., I), "
            "(..., K) and (J, I, K)"
        )
    if bias is not None and tuple(bias.shape) != w[:1]:
        raise ValueError(f"bilinear: bias {tuple(bias.shape)} must be {w[:1]} for weight {w}")
    n = math.prod(a[:-1])
    x1, x2 = (shape.reshape(x, shape=(n, x.shape[-1])) for x in (input1, input2))
    y = shape.reshape(linalg.einsum(x1, weight, x2, subscripts="ni,jik,nk->nj"),
                      shape=(*a[:-1], w[0]))  # fmt: skip
    return y if bias is None else y + bias


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


def last_axes(
    name: str, input: Tensor, normalized_shape: Any, **parameters: Any
) -> tuple[int, ...]:
    """The axes of `normalized_shape`, after checks of the shapes of input and parameters."""
    sizes = last_sizes(normalized_shape)
    k = len(sizes)
    if k == 0 or input.shape[-k:] != sizes:
        raise ValueError(f"{name}: input has shape {input.shape}; it must end in {sizes}")
    check_tensors(name, **parameters)
    for parameter, a in parameters.items():
        if a is not None and tuple(a.shape) != sizes:
            raise ValueError(
                f"{name}: {parameter} has shape {tuple(a.shape)}; it must have normalized_shape, "
                f"{sizes}"
            )
    return tuple(range(input.ndim - k, input.ndim))


@function
@in_float32
def layer_norm(
    input: Tensor,
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
        ValueError: if the shape of the input does not end in normalized_shape, or a parameter has
            another shape.

    Source: J. Ba, J. Kiros and G. Hinton, Layer normalization, arXiv:1607.06450, eq. 3.
    """
    axes = last_axes("layer_norm", input, normalized_shape, weight=weight, bias=bias)
    _check_floats("layer_norm", input, weight, bias)
    y, _, _ = _normalise(input, axes, float(eps))
    if weight is not None:
        y = y * weight
    return y if bias is None else y + bias


def affine(y: Any, weight: Any, bias: Any) -> Any:
    """y * w + b for each channel, axis 1."""
    per_channel = (1, y.shape[1], *(1 for _ in y.shape[2:]))
    if weight is not None:
        y = y * shape.reshape(weight, shape=per_channel)
    return y if bias is None else y + shape.reshape(bias, shape=per_channel)


def check_channels(
    name: str,
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
) -> None:
    C = input.shape[1]
    given = {"running_mean": running_mean, "running_var": running_var, "weight": weight,
             "bias": bias}  # fmt: skip
    check_tensors(name, **given)
    for argument, a in given.items():
        if a is not None and tuple(a.shape) != (C,):
            raise ValueError(
                f"{name}: {argument} has shape {tuple(a.shape)}; it must be ({C},), one entry per "
                f"channel of input {tuple(input.shape)}"
            )
        backend.array_module(raw(input), raw(a))  # DeviceError unless on one device


def move_running(running: Tensor, batch: Any, momentum: Any) -> None:
    """running += momentum (batch - running), in place; float16 is rounded once."""
    before = widened(running._data)
    running.copy_(before + (batch - before).astype(before.dtype) * momentum)


@function
def batch_norm(
    input: Tensor,
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
        eps: added to the variance, in the square of the unit of x; in training greater than 0.

    Raises:
        ValueError: in training, for fewer than two values per channel, which have no unbiased
            variance; if a vector does not have shape (C,) or eps is not positive.

    Source: S. Ioffe and C. Szegedy, Batch normalization, arXiv:1502.03167.
    """
    if len(input.shape) < 2:
        raise ValueError(
            f"batch_norm: input has shape {tuple(input.shape)}; it must be (N, C) or (N, C, ...)"
        )
    if is_float16(input):  # not in_float32, since the running statistics are changed in place
        x, w, b = map(widened, (input, weight, bias))
        return rounded(batch_norm(x, running_mean, running_var, w, b, training, momentum, eps))
    eps = float(eps)
    if training and not eps > 0:
        raise ValueError(f"batch_norm: eps is {eps}; it must be greater than 0 in training")
    C = input.shape[1]
    check_channels("batch_norm", input, running_mean, running_var, weight, bias)
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
            move_running(running_mean, raw(mean).reshape(C), momentum)
            move_running(running_var, raw(var).reshape(C) * (n / (n - 1)), momentum)
    else:
        mean, var = (
            a._data.astype(raw(input).dtype, copy=False).reshape(per_channel)
            for a in (running_mean, running_var)
        )
        scale = 1.0 / backend.array_module(mean).sqrt(var + eps)
        y = (input - mean) * scale
    return affine(y, weight, bias)
