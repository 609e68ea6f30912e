"""Functions that reduce axes, and running sums; a negative `dim` counts axes from the end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tinynet.functions.public import function, unrecorded
from tinynet.ops import reduction
from tinynet.ops import softmax as softmax_ops
from tinynet.ops.reduction import Dim, axes_of, axis_of

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


@function
def sum(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The sum over `dim`; see `tinynet.ops.reduction.sum`."""
    return reduction.sum(input, dim=dim, keepdim=keepdim)


@function
def mean(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The mean of the entries along `dim`, or of all entries.

    Raises:
        ValueError: if there are no entries.
        TypeError: for integers, whose mean would need another dtype.
    """
    return reduction.sum(input, dim=dim, keepdim=keepdim) / _count("mean", input, dim)


@function
def var(input: Tensor, dim: Dim = None, *, correction: int = 1, keepdim: bool = False) -> Tensor:
    """The variance sum (x_i - mean)^2 / (n - correction) of n entries.

    Args:
        input: any shape, floating-point.
        dim: the axes to reduce; None for all.
        correction: 1 for the unbiased estimate, 0 for the biased one.
        keepdim: keep the reduced axes, with size 1.

    Raises:
        ValueError: unless n > correction.
        TypeError: for integers.
    """
    n = _count("var", input, dim, more_than=correction)
    centred = input - input.mean(dim, keepdim=True)
    return (centred * centred).sum(dim, keepdim) / (n - correction)


@function
def std(input: Tensor, dim: Dim = None, *, correction: int = 1, keepdim: bool = False) -> Tensor:
    """The standard deviation, sqrt(`var`); its gradient is Inf where `var` is 0."""
    return input.var(dim, correction=correction, keepdim=keepdim).sqrt()


def _count(name: str, input: Tensor, dim: Dim, more_than: int = 0) -> int:
    """The number of entries along `dim`."""
    if input.dtype.kind != "f":
        raise TypeError(f"{name}: dtype is {input.dtype}; convert to a float with .float()")
    n = math.prod(input.shape[axis] for axis in axes_of(name, dim, input.ndim))
    if n <= more_than:
        raise ValueError(
            f"{name}: shape {input.shape} has {n} entries along dim {dim}; it needs more than "
            f"{more_than}" + (" (an empty batch?)" if n == 0 else "")
        )
    return n


@function
def amax(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The largest entry along `dim`; see `tinynet.ops.reduction.amax`."""
    return reduction.amax(input, dim=dim, keepdim=keepdim)


@function
def amin(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The smallest entry along `dim`; see `tinynet.ops.reduction.amin`."""
    return reduction.amin(input, dim=dim, keepdim=keepdim)


@function
def max(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The largest entry; with `dim`, the pair (values, indices) of the first maxima along it.

    With `dim` the whole gradient goes to the entry at the index; `amax` shares it among ties.
    """
    return input.amax() if dim is None else _at(input, input.argmax(dim, True), dim, keepdim)


@function
def min(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The smallest entry; with `dim`, the pair (values, indices), as in `max`."""
    return input.amin() if dim is None else _at(input, input.argmin(dim, True), dim, keepdim)


def _at(input: Tensor, indices: Tensor, dim: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    values = input.gather(dim, indices)
    return (values, indices) if keepdim else (values.squeeze(dim), indices.squeeze(dim))


@function
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The position of the first largest entry: in the flat tensor, or along `dim`."""
    axis = None if dim is None else axis_of("argmax", dim, input.ndim)
    return unrecorded(input, input.data.argmax(axis=axis, keepdims=keepdim))


@function
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The position of the first smallest entry: in the flat tensor, or along `dim`."""
    axis = None if dim is None else axis_of("argmin", dim, input.ndim)
    return unrecorded(input, input.data.argmin(axis=axis, keepdims=keepdim))


@function
def norm(input: Tensor, p: int = 2, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The Euclidean norm; `p` must be 2 (for p = 1 write ``abs().sum()``)."""
    if p != 2:
        raise ValueError(f"norm: p is {p}; it must be 2")
    return reduction.norm(input, dim=dim, keepdim=keepdim)


@function
def logsumexp(input: Tensor, dim: Dim, keepdim: bool = False) -> Tensor:
    """ln sum e^x along `dim`; see `tinynet.ops.softmax.logsumexp`."""
    return softmax_ops.logsumexp(input, dim=dim, keepdim=keepdim)


@function
def softmax(input: Tensor, dim: int) -> Tensor:
    """e^(x_c) / sum_k e^(x_k) along `dim`; see `tinynet.ops.softmax.softmax`."""
    return softmax_ops.softmax(input, dim=dim)


@function
def log_softmax(input: Tensor, dim: int) -> Tensor:
    """ln of `softmax`; see `tinynet.ops.softmax.log_softmax`."""
    return softmax_ops.log_softmax(input, dim=dim)


@function
def cumsum(input: Tensor, dim: int) -> Tensor:
    """The running sum along `dim`; see `tinynet.ops.reduction.cumsum`."""
    return reduction.cumsum(input, dim=dim)
