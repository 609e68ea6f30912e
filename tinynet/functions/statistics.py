"""Statistics: quantiles, the most frequent value, covariances, counts in bins."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from tinynet.autograd import Value
from tinynet.backend import arange, array_module, constant, is_array, zeros
from tinynet.functions.dims import (
    flag_of,
    number_of,
    one_dim,
    only_floats,
    tensor_like,
)
from tinynet.functions.public import function, unrecorded
from tinynet.functions.reducing import Pair
from tinynet.functions.sorting import at_rank, order, taken
from tinynet.ops import shape
from tinynet.ops.arithmetic import where

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


class Histogram(NamedTuple):
    """What `histogram` returns."""

    hist: Tensor
    bin_edges: Tensor


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
    axis = one_dim(name, dim, input.ndim)
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
        q = tensor_like(name, q, input, "q")
        if q.dtype != input.dtype:
            raise RuntimeError(f"{name}: q is {q.dtype} and input {input.dtype}; make them equal")
        if q.ndim > 1:
            raise RuntimeError(f"{name}: q has shape {tuple(q.shape)}; it must have one axis")
        if not ((q.data >= 0) & (q.data <= 1)).all():
            raise RuntimeError(f"{name}: q must be from 0 to 1 in every entry")
    else:
        raise TypeError(f"{name}: q is a {type(q).__name__}; it must be a number or a Tensor")
    if not input.numel():
        raise RuntimeError(f"{name}: shape {input.shape} has no entry; it needs one")
    kept = (1,) * input.ndim
    if dim is None:
        input = input.reshape(-1)
        axis = 0
    else:
        axis = one_dim(name, dim, input.ndim)
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
    axis = one_dim("mode", dim, input.ndim)
    if not input.ndim:
        return taken(input, axis, order(input.data, axis, False))
    x, xp = input.data, array_module(input.data)
    n = x.shape[axis]
    if n == 0:
        raise IndexError(f"mode: shape {input.shape} has no entry along dim {dim}; it needs one")
    positions = order(x, axis, False)
    ordered = xp.take_along_axis(x, positions, axis=axis)
    before = (slice(None),) * axis
    run = zeros(x.shape, x, "int64")  # how many equal entries came before, in order
    for i in range(1, n):
        same = ordered[(*before, i)] == ordered[(*before, i - 1)]
        run[(*before, i)] = xp.where(same, run[(*before, i - 1)] + 1, 0)
    rank = run.argmax(axis=axis, keepdims=True)
    values, indices = taken(input, axis, xp.take_along_axis(positions, rank, axis=axis))
    return Pair(values, indices) if keepdim else Pair(values.squeeze(axis), indices.squeeze(axis))


# --- covariances ---------------------------------------------------------------------------------


@function
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
    n, correction = x.shape[1], number_of("cov", correction, "correction")
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
        w = tensor_like("cov", w, x, name)
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


# --- counts --------------------------------------------------------------------------------------


@function
def bincount(input: Tensor, weights: Any = None, minlength: int = 0) -> Tensor:
    """How often each of 0, 1, ..., max(input) occurs, or the sum of its `weights`.

    Args:
        input: one axis, integers >= 0.
        weights: of the shape of `input`.
        minlength: the least size of the result.
    """
    minlength = number_of("bincount", minlength, "minlength")
    x, xp = input.data, array_module(input.data)
    if x.ndim != 1 or x.dtype.kind not in "iu":
        raise RuntimeError(
            f"bincount: input is {x.dtype} of shape {tuple(x.shape)}; it must be integers with one "
            "axis"
        )
    if minlength < 0:
        raise RuntimeError(f"bincount: minlength is {minlength}; it must be at least 0")
    if x.size and x.min() < 0:
        raise RuntimeError(f"bincount: input has {int(x.min())}; entries must be at least 0")
    w = None
    if weights is not None:
        w = tensor_like("bincount", weights, input, "weights").data
        if w.shape != x.shape:
            raise RuntimeError(
                f"bincount: input {tuple(x.shape)} and weights {tuple(w.shape)} must be equal"
            )
    if not x.size:
        return unrecorded(input, zeros((minlength,), x, "int64"))
    y = xp.bincount(x.astype("int64"), weights=w, minlength=minlength)
    return unrecorded(
        input, y.astype("float32" if w is not None and w.dtype == "float32" else y.dtype)
    )


@function
def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """The number of entries in each of `bins` equal bins from `min` to `max`.

    With `min` and `max` equal, those of the entries are taken; entries outside are not counted.
    """
    bins = number_of("histc", bins, "bins")
    if bins <= 0:
        raise RuntimeError(f"histc: bins is {bins}; it must be at least 1")
    x = only_floats("histc", input).data.reshape(-1)
    low, high = _limits("histc", x, min, max)
    counts = _counted(x, _edges(x, low, high, bins), None)
    return unrecorded(input, counts.astype(x.dtype))


@function
def histogram(
    input: Tensor, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False
) -> Histogram:
    """The pair (hist, bin_edges): the entries in each bin, the last of which includes its end.

    Args:
        input: floating-point.
        bins: the number of equal bins, or a tensor of edges in order.
        range: the ends (low, high) of equal bins; by default the extremes of the entries.
        weight: of the shape of `input`: what each entry counts.
        density: divide by the sum and by the widths, so that the area is 1.
    """
    x = only_floats("histogram", input).data.reshape(-1)
    if isinstance(bins, Value) or is_array(bins):
        edges = tensor_like("histogram", bins, input, "bins").data
        if range is not None:
            raise TypeError("histogram: range is given with edges; give one of them")
        if edges.ndim != 1 or edges.dtype != x.dtype:
            raise RuntimeError(
                f"histogram: bins is {edges.dtype} of shape {tuple(edges.shape)}; edges must be "
                f"{x.dtype} with one axis"
            )
    else:
        count = number_of("histogram", bins, "bins")
        if count <= 0:
            raise RuntimeError(f"histogram: bins is {count}; it must be at least 1")
        if range is not None and (not isinstance(range, tuple | list) or len(range) != 2):
            raise RuntimeError(f"histogram: range is {range!r}; it must be a pair of numbers")
        low, high = _limits("histogram", x, *(range or (0, 0)))
        edges = _edges(x, low, high, count)
    w = None
    if weight is not None:
        w = tensor_like("histogram", weight, input, "weight").data
        if w.shape != input.shape or w.dtype != x.dtype:
            raise RuntimeError(
                f"histogram: weight is {w.dtype} of shape {tuple(w.shape)}; it must be {x.dtype} "
                f"of shape {input.shape}"
            )
        w = w.reshape(-1)
    counts = _counted(x, edges, w).astype(x.dtype)
    if flag_of("histogram", density, "density"):
        counts = counts / counts.sum() / (edges[1:] - edges[:-1])
    return Histogram(unrecorded(input, counts), unrecorded(input, edges))


def _limits(name: str, x: Any, low: Any, high: Any) -> tuple[float, float]:
    for limit in (low, high):
        if isinstance(limit, Value | str | None) or is_array(limit):
            raise TypeError(f"{name}: a limit is a {type(limit).__name__}; it must be a number")
    low, high = float(low), float(high)
    if low == high and not x.size and name == "histogram":
        return 0.0, 1.0
    if low == high and x.size:
        low, high = float(x.min()), float(x.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"{name}: the range from {low} to {high} is not finite")
    if low > high:
        raise RuntimeError(f"{name}: min is {low} and max is {high}; max must be larger")
    return (low - 1, high + 1) if low == high and name == "histc" else (
        (low - 0.5, high + 0.5) if low == high else (low, high)
    )  # fmt: skip


def _edges(x: Any, low: float, high: float, bins: int) -> Any:
    steps = arange(bins + 1, x).astype(x.dtype)
    edges = low + steps * ((high - low) / bins)
    edges[-1] = high
    return edges


def _counted(x: Any, edges: Any, weights: Any) -> Any:
    """How many entries, or how much weight, lies in each bin."""
    xp = array_module(x)
    bins = edges.shape[0] - 1
    inside = (x >= edges[0]) & (x <= edges[-1])
    x = x[inside]
    at = xp.searchsorted(edges, x, side="right") - 1
    at = xp.minimum(at, bins - 1)
    w = None if weights is None else weights[inside]
    return xp.bincount(at, weights=w, minlength=bins) if x.size else zeros((bins,), x)
