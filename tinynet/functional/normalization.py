"""Normalisation by groups of channels, by instances, by root mean square, by neighbours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tinynet.autograd import raw
from tinynet.dtypes import in_float32
from tinynet.functional.layers import (
    _normalise,
    affine,
    batch_norm,
    check_channels,
    last_axes,
    move_running,
)
from tinynet.functions.operands import only_floats
from tinynet.functions.public import function
from tinynet.ops import elementary, reduction, shape
from tinynet.ops.elementary import sqrt
from tinynet.tensor import Tensor


@function
@in_float32
def rms_norm(
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Any = None,
    eps: float | None = None,
) -> Any:
    """y = x / sqrt(mean of x^2 + eps) * w over the last axes: `layer_norm` without the mean.

    Args:
        input: (..., *normalized_shape).
        normalized_shape: the last sizes of x; an integer for the last size only.
        weight: of shape normalized_shape, or None.
        eps: by default the distance from 1 to the next number of x's dtype.

    Source: B. Zhang and R. Sennrich, arXiv:1910.07467, eq. 4.
    """
    axes = last_axes("rms_norm", input, normalized_shape, weight=weight)
    n = math.prod(input.shape[a] for a in axes)
    low = EPSILON.get(input.dtype.name, 0.0) if eps is None else float(eps)
    square = reduction.sum(input * input, dim=axes, keepdim=True) / n
    y = input / sqrt(square + low)
    return y if weight is None else y * weight


EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10}


@function
@in_float32
def group_norm(
    input: Tensor, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """y = (x - mean) / sqrt(var + eps) * w + b over groups of channels, for each example.

    Args:
        input: (N, C, ...).
        num_groups: must divide C.
        weight, bias: (C,) or None.
        eps: added to the variance, in the square of the unit of x.

    Source: Y. Wu and K. He, arXiv:1803.08494, eqs. 1, 2 and 7.
    """
    if input.ndim < 2:
        raise ValueError(f"group_norm: input has shape {input.shape}; it must be (N, C, ...)")
    N, C = input.shape[:2]
    if num_groups < 1 or C % num_groups:
        raise ValueError(
            f"group_norm: num_groups is {num_groups}; it must divide the {C} channels of input "
            f"{input.shape}"
        )
    check_channels("group_norm", input, weight=weight, bias=bias)
    n = C // num_groups * math.prod(input.shape[2:])
    if N * n == 1:
        raise ValueError(f"group_norm: input {input.shape} has one value per group, so no variance")
    groups = shape.reshape(input, shape=(N, num_groups, n))
    y, _, _ = _normalise(groups, (2,), float(eps))
    return affine(shape.reshape(y, shape=input.shape), weight, bias)


@function
@in_float32
def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """y = (x - mean) / sqrt(var + eps) * w + b over the positions of each channel and example.

    Args:
        input: (N, C, ...) with at least two positions.
        running_mean, running_var: (C,): if given, moved towards the statistics of the examples,
            averaged (the variances unbiased), as in `batch_norm`.
        weight, bias: (C,) or None.
        use_input_stats: False to normalise by the running statistics instead.
        momentum: the weight of this input in the running statistics.
        eps: added to the variance, in the square of the unit of x.

    Source: D. Ulyanov, A. Vedaldi and V. Lempitsky, arXiv:1607.08022, eq. 3.
    """
    if input.ndim < 3:
        raise ValueError(f"instance_norm: input has shape {input.shape}; it must be (N, C, ...)")
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise ValueError(
                "instance_norm: use_input_stats=False needs running_mean and running_var"
            )
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    n = math.prod(input.shape[2:])
    if n <= 1:
        raise ValueError(
            f"instance_norm: input {input.shape} has {n} value(s) per channel and example; "
            "it needs more than one"
        )
    check_channels("instance_norm", input, running_mean, running_var, weight, bias)
    y, mean, var = _normalise(input, tuple(range(2, input.ndim)), float(eps))
    N, C = input.shape[:2]
    for running, batch in ((running_mean, raw(mean)), (running_var, raw(var) * (n / (n - 1)))):
        if running is not None:
            move_running(running, batch.reshape(N, C).sum(axis=0) / N, momentum)
    return affine(y, weight, bias)


@function
@in_float32
def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Any:
    """y_c = x_c / (k + alpha/size sum of x_j^2 over the `size` channels j around c)^beta.

    Args:
        input: (N, C, ...) or (N, C).
        size: the number of channels, of which size // 2 come before c.
        alpha, beta, k: as above.

    Source: A. Krizhevsky, I. Sutskever and G. Hinton, ImageNet classification with deep
        convolutional neural networks (2012), section 3.3.
    """
    if input.ndim < 2:
        raise ValueError(
            f"local_response_norm: input has shape {input.shape}; it must be (N, C, ...)"
        )
    only_floats("local_response_norm", input)
    if size < 1:
        raise ValueError(f"local_response_norm: size is {size}; it must be at least 1")
    before = [(0, 0)] * input.ndim
    before[1] = (size // 2, (size - 1) // 2)
    squares = shape.pad(input * input, widths=tuple(before))
    total: Any = None
    for i in range(size):
        part = [(0, 0)] * input.ndim
        part[1] = (i, size - 1 - i)
        term = shape.crop(squares, widths=tuple(part)) if size > 1 else squares
        total = term if total is None else total + term
    return input / elementary.pow(total * (float(alpha) / size) + float(k), float(beta))
