"""Statistics: quantiles, the most frequent value, covariances."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tinynet.autograd import Value
from tinynet.backend import arange, array_module, constant, is_array, zeros
from tinynet.dtypes import in_float32
from tinynet.functions.arguments import integer, one_axis
from tinynet.functions.operands import tensor_like
from tinynet.functions.public import function, shown, unrecorded
from tinynet.functions.reducing import Pair
from tinynet.functions.sorting import at_rank, order, taken
from tinynet.ops import shape
from tinynet.ops.arithmetic import where
from tinynet.ops.indexing import at_axis

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


# --- by rank -------------------------------------------------------------------------------------


@function
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The median, the lower of two; with `dim`, the pair (values, indices) along it.

    It is NaN if an entry is.
    """
    return _median("median", input, dim, keepdim)


@function
def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The `median` of the entries that are not NaN."""
    return _median("nanmedian", input, dim, keepdim)


def _median(name: str, input: Tensor, dim: Any, keepdim: bool) -> Any:
    if dim is None:
        if not input.numel():
            if input.dtype.kind != "f":
                raise ValueError(f"{name}: shape {input.shape} has no entry; it needs one")
            return input.sum() + math.nan
        return _median(name, input.reshape(-1), 0, False)[0]
    axis = one_axis(name, dim, input.ndim)
    n = input.shape[axis] if input.ndim else 1
    if n == 0:
        raise IndexError(f"{name}: shape {input.shape} has no entry along dim {dim}; it needs one")
    if not input.ndim:
        return taken(input, axis, order(input.data, axis, False))
    x, xp = input.data, array_module(input.data)
    if x.dtype.kind != "f":
        return at_rank(input, axis, (n - 1) // 2, keepdim)
    unknown = xp.isnan(x).sum(axis=axis, keepdims=True).astype("int64")  # sorted to the end
    if name == "median":
        first = n - unknown  # the first NaN, if there is one
        rank = xp.where(unknown > 0, first, (n - 1) // 2)
    else:
        rank = xp.maximum(n - 1 - unknown, 0) // 2
    return at_rank(input, axis, rank, keepdim)


@function
def quantile(
    input: Tensor,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """The q-th quantiles: with the n entries in order, the value at position q (n - 1).

    Args:
        input: floating-point.
        q: a number from 0 to 1, or several as a tensor with one axis, which becomes the first axis
            of the result.
        dim: the axis; None for all entries.
        keepdim: keep `dim` with size 1.
        interpolation: what is taken between two entries: "linear", "lower", "higher", "nearest"
            (the even one of equals) or "midpoint".
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation)


@function
def nanquantile(
    input: Tensor,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """The `quantile` of the entries that are not NaN."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation)


_BETWEEN = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile(name: str, input: Tensor, q: Any, dim: Any, keepdim: bool, between: str) -> Tensor:
    if between not in _BETWEEN:
        raise RuntimeError(f"{name}: interpolation is {between!r}; it must be one of {_BETWEEN}")
    if input.dtype.kind != "f":
        raise RuntimeError(f"{name}: input is {input.dtype}; it must be a float")
    if isinstance(q, int | float) and not isinstance(q, bool):
        if not 0 <= q <= 1:
            raise RuntimeError(f"{name}: q is {q}; it must be from 0 to 1")
        q = unrecorded(input, constant(q, input.data, input.dtype))
    elif isinstance(q, Value) or is_array(q):
        q = tensor_like(name, "q", q, input)
        if q.dtype != input.dtype:
            raise RuntimeError(f"{name}: q is {q.dtype} and input {input.dtype}; make them equal")
        if q.ndim > 1:
            raise RuntimeError(f"{name}: q has shape {tuple(q.shape)}; it must have one axis")
        if not ((q.data >= 0) & (q.data <= 1)).all():
            raise RuntimeError(f"{name}: q must be from 0 to 1 in every entry")
    else:
        raise TypeError(f"{name}: q is {shown(q)}; it must be a number or a Tensor")
    if not input.numel():
        raise RuntimeError(f"{name}: shape {input.shape} has no entry; it needs one")
    kept = (1,) * input.ndim
    if dim is None:
        input = input.reshape(-1)
        axis = 0
    else:
        axis = one_axis(name, dim, input.ndim)
        input = input if input.ndim else input.reshape(1)
        kept = tuple(1 if k == axis else m for k, m in enumerate(input.shape)) if kept else ()
    values = _between(name, input, q.reshape(-1), axis, between)
    y = _moved_first(values, axis)
    out = kept if keepdim else y.shape[1:]
    return y.reshape(*q.shape, *out)


def _between(name: str, input: Tensor, q: Tensor, axis: int, between: str) -> Tensor:
    """The quantiles along `axis`, where they take the place of the entries."""
    x, xp = input.data, array_module(input.data)
    n = x.shape[axis]
    line = [1] * x.ndim
    line[axis] = -1
    unknown = xp.isnan(x).sum(axis=axis, keepdims=True)
    if name == "quantile":
        exact = q.reshape(line) * (n - 1.0)
        if bool((unknown > 0).any()):
            exact = where(unknown > 0, n - 1.0, exact)  # NaN is sorted to the end
    else:
        exact = q.reshape(line) * xp.maximum(n - 1 - unknown, 0).astype(x.dtype)
    place = exact.data
    below = xp.floor(place)
    if between == "nearest":  # the even one of two equals, as round() does
        below = xp.rint(place)
    elif between == "higher":
        below = xp.ceil(place)
    indices = order(x, axis, False)
    wide = tuple(
        b if k == axis else m for k, (m, b) in enumerate(zip(x.shape, below.shape, strict=True))
    )
    below = xp.broadcast_to(below, wide)
    low = xp.take_along_axis(indices, below.astype("int64"), axis=axis)
    values = input.gather(axis, unrecorded(input, low))
    if between not in ("linear", "midpoint"):
        return values
    above = xp.broadcast_to(xp.ceil(place), wide)
    high = xp.take_along_axis(indices, above.astype("int64"), axis=axis)
    upper = input.gather(axis, unrecorded(input, high))
    if between == "midpoint":
        return values + (upper - values) * 0.5
    return values + (upper - values) * (exact - below)


def _moved_first(x: Tensor, axis: int) -> Tensor:
    return shape.permute(x, dims=(axis, *(k for k in range(x.ndim) if k != axis)))


@function
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Pair:
    """The most frequent entry along `dim`, the smallest of ties, and its last position."""
    axis = one_axis("mode", dim, input.ndim)
    if not input.ndim:
        return taken(input, axis, order(input.data, axis, False))
    x, xp = input.data, array_module(input.data)
    n = x.shape[axis]
    if n == 0:
        raise IndexError(f"mode: shape {input.shape} has no entry along dim {dim}; it needs one")
    positions = order(x, axis, False)
    ordered = xp.take_along_axis(x, positions, axis=axis)
    run = zeros(x.shape, x, "int64")  # how many equal entries came before, in order
    for i in range(1, n):
        same = ordered[at_axis(axis, i)] == ordered[at_axis(axis, i - 1)]
        run[at_axis(axis, i)] = xp.where(same, run[at_axis(axis, i - 1)] + 1, 0)
    rank = run.argmax(axis=axis, keepdims=True)
    values, indices = taken(input, axis, xp.take_along_axis(positions, rank, axis=axis))
    return Pair(values, indices) if keepdim else Pair(values.squeeze(axis), indices.squeeze(axis))


# --- covariances ---------------------------------------------------------------------------------


@function
@in_float32
def cov(
    input: Tensor, *, correction: int = 1, fweights: Any = None, aweights: Any = None
) -> Tensor:
    """The covariances of variables, one a row, from observations, one a column.

    c_ij = sum_k w_k (x_ik - m_i) (x_jk - m_j) / (the sum of the w_k, less the correction), m the
    weighted means.

    Args:
        input: (variables, observations), or one variable.
        correction: 1 for the unbiased estimate, 0 for the biased one.
        fweights: how often each observation counts, integers.
        aweights: the weight of each observation.

    Source: NumPy's documentation of ``cov``, for the correction with weights.
    """
    if input.ndim > 2:
        raise RuntimeError(f"cov: shape {input.shape} has more than two axes; give a matrix")
    if input.dtype.kind == "b":
        raise RuntimeError("cov: input is bool; convert to a float with .float()")
    x = input if input.dtype.kind == "f" else input.float()
    x = x.reshape(1, -1) if x.ndim < 2 else x
    n, correction = x.shape[1], integer("cov", "correction", correction)
    weights = _weights(x, n, fweights, aweights)
    if weights is None:
        centred = x - x.sum(1, keepdim=True) / n if n else x
        c: Any = centred @ centred.mT
        total: Any = n - correction
        c = c / total if total > 0 else c / 0.0 if total == 0 else c * (1.0 / total) * math.inf
    else:
        w, total = weights[0], weights[0].sum()
        if float(total.item()) == 0.0:
            raise RuntimeError("cov: the weights add up to 0; they must add up to more")
        centred = x - (x * w).sum(1, keepdim=True) / total
        less = correction if weights[1] is None else correction * (w * weights[1]).sum() / total
        norm = total - less
        c = (centred * w) @ centred.mT / where(norm.data <= 0, 0.0, norm)
    return c.reshape(()) if c.numel() == 1 else c


def _weights(x: Tensor, n: int, fweights: Any, aweights: Any) -> tuple[Tensor, Any] | None:
    """The products of both weights, and the second if it is given."""
    given = []
    for name, w, kinds in (("fweights", fweights, "iu"), ("aweights", aweights, "f")):
        if w is None:
            continue
        w = tensor_like("cov", name, w, x)
        if w.ndim > 1:
            raise RuntimeError(f"cov: {name} has shape {w.shape}; it must have one axis")
        if w.dtype.kind not in kinds:
            what = "integers" if kinds == "iu" else "floats"
            raise RuntimeError(f"cov: {name} is {w.dtype}; it must be {what}")
        if w.numel() != n:
            raise RuntimeError(f"cov: {name} has {w.numel()} entries for {n} observations")
        if bool((w.data < 0).any()):
            raise RuntimeError(f"cov: {name} has a negative entry; weights must be at least 0")
        given.append(w if w.dtype.kind == "f" else w.to(x.dtype))
    if not given:
        return None
    w = given[0] if len(given) == 1 else given[0].to(given[1].dtype) * given[1]
    return w, None if aweights is None else given[-1]


@function
@in_float32
def corrcoef(input: Tensor) -> Tensor:
    """The correlations c_ij / sqrt(c_ii c_jj) of variables, one a row, c their covariances."""
    if input.ndim > 2:
        raise RuntimeError(f"corrcoef: shape {input.shape} has more than two axes; give a matrix")
    c = input.cov()
    if not c.ndim:
        return c / c
    at = arange(c.shape[0], c.data)
    spread = c[at, at].sqrt()
    return (c / spread.unsqueeze(1) / spread.unsqueeze(0)).clamp(-1.0, 1.0)
