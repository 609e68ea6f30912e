"""Counts: how often numbers occur, and in which bins they lie. Nothing here has a gradient."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from tinynet.autograd import Value
from tinynet.backend import arange, array_module, is_array, zeros
from tinynet.functions.arguments import flag, integer, number
from tinynet.functions.operands import only_floats, tensor_like
from tinynet.functions.public import function, unrecorded

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


class Histogram(NamedTuple):
    """What `histogram` returns."""

    hist: Tensor
    bin_edges: Tensor


@function
def bincount(input: Tensor, weights: Any = None, minlength: int = 0) -> Tensor:
    """How often each of 0, 1, ..., max(input) occurs, or the sum of its `weights`.

    Args:
        input: one axis, integers >= 0.
        weights: of the shape of `input`.
        minlength: the least size of the result.
    """
    minlength = integer("bincount", "minlength", minlength)
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
        w = tensor_like("bincount", "weights", weights, input).data
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
    bins = integer("histc", "bins", bins)
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
        edges = tensor_like("histogram", "bins", bins, input).data
        if range is not None:
            raise TypeError("histogram: range is given with edges; give one of them")
        if edges.ndim != 1 or edges.dtype != x.dtype:
            raise RuntimeError(
                f"histogram: bins is {edges.dtype} of shape {tuple(edges.shape)}; edges must be "
                f"{x.dtype} with one axis"
            )
    else:
        count = integer("histogram", "bins", bins)
        if count <= 0:
            raise RuntimeError(f"histogram: bins is {count}; it must be at least 1")
        if range is not None and (not isinstance(range, tuple | list) or len(range) != 2):
            raise RuntimeError(f"histogram: range is {range!r}; it must be a pair of numbers")
        low, high = _limits("histogram", x, *(range or (0, 0)))
        edges = _edges(x, low, high, count)
    w = None
    if weight is not None:
        w = tensor_like("histogram", "weight", weight, input).data
        if w.shape != input.shape or w.dtype != x.dtype:
            raise RuntimeError(
                f"histogram: weight is {w.dtype} of shape {tuple(w.shape)}; it must be {x.dtype} "
                f"of shape {input.shape}"
            )
        w = w.reshape(-1)
    counts = _counted(x, edges, w).astype(x.dtype)
    if flag("histogram", "density", density):
        counts = counts / counts.sum() / (edges[1:] - edges[:-1])
    return Histogram(unrecorded(input, counts), unrecorded(input, edges))


def _limits(name: str, x: Any, low: Any, high: Any) -> tuple[float, float]:
    low, high = (float(number(name, "a limit", limit)) for limit in (low, high))
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
