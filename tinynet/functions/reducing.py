"""Functions that reduce axes, and softmax; a negative `dim` counts axes from the end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from tinynet.autograd import Value
from tinynet.backend import array_module
from tinynet.dtypes import in_float32
from tinynet.functions.arguments import flag, number, one_axis, reduced_axes
from tinynet.functions.operands import only_floats, real, to_dtype
from tinynet.functions.public import function, unrecorded
from tinynet.ops import arithmetic, reduction, scans
from tinynet.ops import softmax as softmax_ops
from tinynet.ops.reduction import Dim

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


class Pair(NamedTuple):
    """Values along a dimension and their positions, as `max`, `sort` and others return them."""

    values: Tensor
    indices: Tensor


class Extremes(NamedTuple):
    """What `aminmax` returns."""

    min: Tensor
    max: Tensor


# --- sums and products ---------------------------------------------------------------------------


@function
def sum(input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over `dim`, all for None or (); see `tinynet.ops.reduction.sum`."""
    axes = None if dim is None else reduced_axes("sum", dim, input.ndim)
    keepdim = flag("sum", "keepdim", keepdim)
    return to_dtype(reduction.sum(to_dtype(input, dtype), dim=axes, keepdim=keepdim), dtype)


@function
def nansum(input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over `dim` of the entries that are not NaN."""
    return _without_nan(input).sum(dim, keepdim, dtype=dtype)


def _without_nan(input: Tensor) -> Tensor:
    """`input` with 0 for NaN."""
    if input.dtype.kind != "f":
        return input
    return arithmetic.where(array_module(input.data).isnan(input.data), 0.0, input)


@function
@in_float32
def mean(input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean of the entries along `dim`, or of all entries.

    Raises:
        ValueError: if there are no entries.
        TypeError: for integers without a `dtype`, whose mean would need another dtype.
    """
    input = only_floats("mean", input, dtype)
    axes = reduced_axes("mean", dim, input.ndim)
    n, keepdim = _count("mean", input, axes), flag("mean", "keepdim", keepdim)
    return reduction.sum(input, dim=None if dim is None else axes, keepdim=keepdim) / n


@function
@in_float32
def nanmean(input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over `dim` of the entries that are not NaN; NaN where there are none."""
    input = only_floats("nanmean", input, dtype)
    known = unrecorded(input, ~array_module(input.data).isnan(input.data))
    n = known.sum(dim, keepdim).to(input.dtype)
    total = _without_nan(input).sum(dim, keepdim)
    some = n.data != 0  # 0 / 0 would warn
    return arithmetic.where(some, total / arithmetic.where(some, n, 1.0), math.nan)


@function
@in_float32
def prod(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The product of the entries along `dim`, or of all; see `tinynet.ops.scans.prod`."""
    x = to_dtype(input, dtype)
    if dim is None:
        if flag("prod", "keepdim", keepdim):
            raise TypeError("prod: keepdim is True without dim; give the dim")
        return to_dtype(scans.prod(x.reshape(-1), dim=0), dtype)
    axis, keepdim = one_axis("prod", dim, x.ndim), flag("prod", "keepdim", keepdim)
    y = scans.prod(x, dim=axis, keepdim=keepdim) if x.ndim else scans.prod(x.reshape(1), dim=0)
    return to_dtype(y, dtype)


def _count(name: str, input: Tensor, axes: tuple[int, ...], more_than: float = 0) -> int:
    """The number of entries along `axes`."""
    n = math.prod(input.shape[axis] for axis in axes)
    if n <= more_than:
        raise ValueError(
            f"{name}: shape {input.shape} has {n} entries along dim {axes}; it needs more than "
            f"{more_than}" + (" (an empty batch?)" if n == 0 else "")
        )
    return n


# --- variances -----------------------------------------------------------------------------------


def _options(name: str, dim: Any, unbiased: Any, correction: Any) -> tuple[Dim, float]:
    """`dim` and the correction: PyTorch's ``var(unbiased)`` is told from ``var(dim)`` by a bool."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None:
        if correction is not None:
            raise TypeError(f"{name}: unbiased and correction are both given; give one of them")
        return dim, 1 if flag(name, "unbiased", unbiased) else 0
    return dim, 1 if correction is None else float(number(name, "correction", correction))


def _centred(
    name: str, input: Tensor, dim: Any, unbiased: Any, correction: Any
) -> tuple[Tensor, Tensor, tuple[int, ...], float]:
    """The mean with kept axes, input - mean, the axes, and n - correction."""
    only_floats(name, input)
    dim, correction = _options(name, dim, unbiased, correction)
    axes = reduced_axes(name, dim, input.ndim)
    n = _count(name, input, axes, more_than=correction)
    middle = reduction.sum(input, dim=axes, keepdim=True) / n
    return middle, input - middle, axes, n - correction


@function
@in_float32
def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The variance sum (x_i - mean)^2 / (n - correction) of n entries.

    Args:
        input: any shape, floating-point.
        dim: the axes to reduce; None for all.
        unbiased: True for correction 1, False for correction 0.
        keepdim: keep the reduced axes, with size 1.
        correction: 1 (the default) for the unbiased estimate, 0 for the biased one.

    Raises:
        ValueError: unless n > correction.
        TypeError: for integers.
    """
    keepdim = flag("var", "keepdim", keepdim)
    _, centred, axes, count = _centred("var", input, dim, unbiased, correction)
    return reduction.sum(centred * centred, dim=axes, keepdim=keepdim) / count


@function
@in_float32
def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The standard deviation |x - mean| / sqrt(n - correction), the root of `var`.

    At a constant it has a kink, as the length has at 0: the gradient is 0 there.
    """
    keepdim = flag("std", "keepdim", keepdim)
    _, centred, axes, count = _centred("std", input, dim, unbiased, correction)
    return reduction.norm(centred, dim=axes, keepdim=keepdim) / math.sqrt(count)


@function
@in_float32
def var_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """The pair of `var` and `mean`."""
    keepdim = flag("var_mean", "keepdim", keepdim)
    middle, centred, axes, count = _centred("var_mean", input, dim, unbiased, correction)
    variance = reduction.sum(centred * centred, dim=axes, keepdim=keepdim) / count
    return variance, middle.reshape(variance.shape)


@function
@in_float32
def std_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """The pair of `std` and `mean`."""
    keepdim = flag("std_mean", "keepdim", keepdim)
    middle, centred, axes, count = _centred("std_mean", input, dim, unbiased, correction)
    deviation = reduction.norm(centred, dim=axes, keepdim=keepdim) / math.sqrt(count)
    return deviation, middle.reshape(deviation.shape)


# --- extremes ------------------------------------------------------------------------------------


@function
def amax(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The largest entry along `dim`; see `tinynet.ops.reduction.amax`."""
    return reduction.amax(input, dim=_all_as_none("amax", dim, input, keepdim), keepdim=keepdim)


@function
def amin(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The smallest entry along `dim`; see `tinynet.ops.reduction.amin`."""
    return reduction.amin(input, dim=_all_as_none("amin", dim, input, keepdim), keepdim=keepdim)


def _all_as_none(name: str, dim: Dim, input: Tensor, keepdim: bool) -> Dim:
    axes, keepdim = reduced_axes(name, dim, input.ndim), flag(name, "keepdim", keepdim)
    return None if dim is None and not keepdim else axes


@function
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> Extremes:
    """The pair (min, max) of `amin` and `amax`."""
    if dim is not None:
        dim = one_axis("aminmax", dim, input.ndim) if input.ndim else ()  # type: ignore[assignment]
    return Extremes(input.amin(dim, keepdim), input.amax(dim, keepdim))


@function
def max(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest entry; with `dim`, the pair (values, indices) of the first maxima along it.

    With `dim` the whole gradient goes to the entry at the index; `amax` shares it among ties.
    With a tensor in the place of `dim` it is `maximum`.
    """
    if isinstance(dim, Value):
        return input.maximum(dim)
    return input.amax() if dim is None else _at(input, input.argmax(dim, True), dim, keepdim)


@function
def min(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest entry; with `dim` the pair (values, indices), or `minimum`, as in `max`."""
    if isinstance(dim, Value):
        return input.minimum(dim)
    return input.amin() if dim is None else _at(input, input.argmin(dim, True), dim, keepdim)


def _at(input: Tensor, indices: Tensor, dim: int, keepdim: bool) -> Pair:
    if not input.ndim:
        return Pair(input.clone(), indices)
    values = input.gather(dim, indices)
    return Pair(values, indices) if keepdim else Pair(values.squeeze(dim), indices.squeeze(dim))


@function
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The position of the first largest entry: in the flat tensor, or along `dim`."""
    return _position("argmax", input, dim, keepdim)


@function
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The position of the first smallest entry: in the flat tensor, or along `dim`."""
    return _position("argmin", input, dim, keepdim)


def _position(name: str, input: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    axis = None if dim is None else one_axis(name, dim, input.ndim)
    keepdim = flag(name, "keepdim", keepdim)
    if (input.shape[axis] if axis is not None and input.ndim else input.numel()) == 0:
        raise IndexError(f"{name}: shape {input.shape} has no entry along dim {dim}; it needs one")
    axis = axis if input.ndim else None
    return unrecorded(input, getattr(input.data, name)(axis=axis, keepdims=keepdim))


@function
def count_nonzero(input: Tensor, dim: Dim = None) -> Tensor:
    """The number of entries along `dim` that are not 0."""
    axes = reduced_axes("count_nonzero", dim, input.ndim)
    return unrecorded(input, (input.data != 0).sum(axis=axes, dtype="int64"))


# --- exponentials --------------------------------------------------------------------------------


@function
@in_float32
def logsumexp(input: Tensor, dim: Dim, keepdim: bool = False) -> Tensor:
    """ln sum e^x along `dim`; see `tinynet.ops.softmax.logsumexp`."""
    if dim is None:
        raise TypeError("logsumexp: dim is None; it must be an axis or a tuple of axes")
    axes, keepdim = (
        reduced_axes("logsumexp", dim, input.ndim),
        flag("logsumexp", "keepdim", keepdim),
    )
    if math.prod(input.shape[axis] for axis in axes) == 0:  # ln 0 of every empty sum
        return input.exp().sum(axes, keepdim).log() if 0 in input.shape else input
    return softmax_ops.logsumexp(real(input), dim=axes, keepdim=keepdim)


@function
@in_float32
def softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """e^(x_c) / sum_k e^(x_k) along `dim`; see `tinynet.ops.softmax.softmax`.

    A `dtype` is what `input` is converted to first.
    """
    return _softmax("softmax", softmax_ops.softmax, input, dim, dtype)


@function
@in_float32
def log_softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """ln of `softmax`; see `tinynet.ops.softmax.log_softmax`."""
    return _softmax("log_softmax", softmax_ops.log_softmax, input, dim, dtype)


def _softmax(name: str, op: Any, input: Tensor, dim: Any, dtype: Any) -> Tensor:
    x = only_floats(name, input, dtype)
    axis = one_axis(name, dim, x.ndim)
    if not x.ndim:
        return op(x.reshape(1), dim=0).reshape(())
    return x.clone() if not x.numel() else op(x, dim=axis)
