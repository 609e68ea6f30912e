"""Reductions: sum, amax, amin, norm, cumsum; a negative `dim` counts axes from the end.

mean and var are compositions of sum (`Tensor.mean`, `Tensor.var`).
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from tinynet.autograd import Op, Value, raw
from tinynet.backend import array_module, quiet_underflow
from tinynet.dtypes import accumulates
from tinynet.kernels import sums
from tinynet.ops.arithmetic import where
from tinynet.ops.broadcast import expand
from tinynet.ops.shape import flip, reshape

Dim = int | Sequence[int] | None


def axes_of(name: str, dim: Dim, ndim: int) -> tuple[int, ...]:
    """`dim` as a tuple of distinct axes from 0 to ndim - 1; None means all of them.

    Raises:
        IndexError: for an axis out of range or named twice.
    """
    if dim is None:
        return tuple(range(ndim))
    if type(dim) is int and -ndim <= dim < ndim:  # the common case
        return (dim % ndim,)
    if isinstance(dim, bool):
        raise TypeError(f"{name}: dim is {dim}; it must be an axis or a tuple of axes")
    given: Any = dim
    if type(dim) is int:
        given = (dim,)
    elif type(dim) is not tuple:  # skips isinstance of Sequence, which takes a microsecond
        given = tuple(dim) if isinstance(dim, Sequence) else (dim,)
    axes = []
    for d in map(operator.index, given):
        if not -ndim <= d < ndim and not (ndim == 0 and d in (0, -1)):
            raise IndexError(
                f"{name}: dim {d} is out of range for {ndim} axes; it must be from {-ndim} to "
                f"{ndim - 1}"
            )
        if ndim:
            axes.append(d % ndim)
    if len(set(axes)) != len(axes):
        raise IndexError(f"{name}: dim {given} names an axis twice; each may occur once")
    return tuple(axes)


def axis_of(name: str, dim: int, ndim: int) -> int:
    """`dim` as an axis from 0 to ndim - 1.

    Raises:
        TypeError: for anything but an integer.
        IndexError: for an axis out of range, and for ndim = 0.
    """
    if not hasattr(dim, "__index__"):
        raise TypeError(f"{name}: dim is {dim!r}; it must be one axis")
    axes = axes_of(name, dim, ndim)
    if not axes:
        raise IndexError(f"{name}: a tensor of shape () has no axis {dim}")
    return axes[0]


def keepdims(g: Any, name: str, shape: tuple[int, ...], dim: Dim) -> Any:
    """Restore the reduced axes of `g` with size 1, so that it broadcasts to `shape`.

    A full reduction (`dim` None) is a number, which broadcasts as it is.
    """
    if dim is None:
        return g
    axes = axes_of(name, dim, len(shape))
    return reshape(g, shape=tuple(1 if i in axes else n for i, n in enumerate(shape)))


@Op
@accumulates
def sum(x: Any, *, dim: Dim = None, keepdim: bool = False) -> Any:
    """y = sum of x_i over the axes `dim` (all of them for None).

    Derivation: dy = sum_i dx_i, so <gy, dy> = sum_i gy dx_i = <gy repeated along dim, dx>.
        gx = expand(keepdims(gy, "sum", x_shape, dim), shape=x_shape)
    Jacobian: for each output, a row with ones at the entries of its sum.
    Kinks: none; linear.
    Cost: n additions forward, nothing backward (a view); keeps the shape of x.
    Shapes: that of x without `dim`, or with size 1 there (keepdim); dtype of x, int64 for
        integers and booleans. An empty sum is 0.
    Errors: IndexError for an axis out of range or named twice.
    Source: A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed. (2008), ch. 3.
    """
    dtype = x.dtype if x.dtype.kind == "f" else "int64"
    return sums.sum(x, axes_of("sum", dim, x.ndim), keepdim, dtype)


@sum.rule("x")
def sum_gx(gy: Any, x_shape: tuple[int, ...], dim: Dim) -> Any:
    return expand(keepdims(gy, "sum", x_shape, dim), shape=x_shape)


def _extreme(name: str, x: Any, dim: Dim, keepdim: bool) -> Any:
    axes = axes_of(name, dim, x.ndim)
    if any(x.shape[i] == 0 for i in axes):
        raise ValueError(f"{name}: shape {x.shape} has no entry along dim {dim}; it needs one")
    return getattr(x, name[1:])(axis=axes, keepdims=keepdim)


def _share_among_ties(gy: Any, x: Any, y: Any, dim: Dim) -> Any:
    x_, y_ = raw(x), raw(y)
    tied = x_ == keepdims(y_, "amax", x_.shape, dim)
    count = tied.sum(axis=axes_of("amax", dim, x_.ndim), keepdims=True).astype(x_.dtype)
    share = keepdims(gy, "amax", x_.shape, dim) / array_module(count).maximum(count, 1.0)
    return where(tied, expand(share, shape=x_.shape), 0.0)


@Op
def amax(x: Any, *, dim: Dim = None, keepdim: bool = False) -> Any:
    """y = the largest x_i over the axes `dim` (all of them for None).

    Derivation: dy = dx_m for the largest entry m, so <gy, dy> = <gy at m and 0 elsewhere, dx>.
        gx = _share_among_ties(gy, x, y, dim)
    Jacobian: selection: each row has one 1.
    Kinks: where k entries tie, the subdifferential is the convex hull of their selections; its
        centre is taken, gy/k for each, so that the gradients add up to gy in any order of entries.
        (`Tensor.max(dim)` also returns an index, and that entry gets all of gy.)
    Cost: n comparisons forward, 4n backward; keeps x and y.
    Shapes: that of x without `dim`, or with size 1 there (keepdim); dtype of x; NaN if an entry
        is. Errors: ValueError if there is no entry along `dim`; IndexError for a wrong axis.
    Source: F. H. Clarke, Optimization and Nonsmooth Analysis (1983), prop. 2.3.12.
    """
    return _extreme("amax", x, dim, keepdim)


@amax.rule("x")
def amax_gx(gy: Any, x: Any, y: Any, dim: Dim) -> Any:
    return _share_among_ties(gy, x, y, dim)


@Op
def amin(x: Any, *, dim: Dim = None, keepdim: bool = False) -> Any:
    """y = the smallest x_i over the axes `dim` (all of them for None).

    Derivation: dy = dx_m for the smallest entry m, so <gy, dy> = <gy at m and 0 elsewhere, dx>.
        gx = _share_among_ties(gy, x, y, dim)
    Jacobian: selection: each row has one 1.
    Kinks: k tied entries get gy/k each, as in `amax`.
    Cost: n comparisons forward, 4n backward; keeps x and y.
    Shapes: that of x without `dim`, or with size 1 there (keepdim); dtype of x; NaN if an entry
        is. Errors: ValueError if there is no entry along `dim`; IndexError for a wrong axis.
    Source: F. H. Clarke, Optimization and Nonsmooth Analysis (1983), prop. 2.3.12.
    """
    return _extreme("amin", x, dim, keepdim)


@amin.rule("x")
def amin_gx(gy: Any, x: Any, y: Any, dim: Dim) -> Any:
    return _share_among_ties(gy, x, y, dim)


@Op
@accumulates
@quiet_underflow
def norm(x: Any, *, dim: Dim = None, keepdim: bool = False) -> Any:
    """y = sqrt(sum of x_i^2) over the axes `dim`: the Euclidean length.

    Derivation: y^2 = sum x_i^2, so y dy = sum x_i dx_i and <gy, dy> = <gy x / y, dx>.
        gx = gy * where(raw(y) == 0, 0.0, x / y)
    Jacobian: the row x / y, a unit vector.
    Kinks: at x = 0 the subdifferential is the unit ball; 0, its centre, is taken. (Composed of
        sqrt and sum it would be 0 * Inf = NaN.) The second derivative is NaN there.
    Cost: 6n forward, 2n backward; keeps x and y.
    Shapes: that of x without `dim`, or with size 1 there (keepdim); dtype of x.
    Errors: IndexError for an axis out of range or named twice.
    Source: R. T. Rockafellar, Convex Analysis (1970), section 23.
    """
    axes = axes_of("norm", dim, x.ndim)
    xp = array_module(x)
    if x.size == 0:
        return x.sum(axis=axes, keepdims=keepdim)  # 0; there is no largest entry
    # divide by the largest entry first: squares overflow and underflow long before the norm does
    top = xp.abs(x).max(axis=axes, keepdims=True)
    top = xp.where(xp.isfinite(top) & (top > 0), top, 1.0)
    scaled = x / top
    y = xp.sqrt(sums.sum(scaled * scaled, axes, keepdims=True)) * top
    return y if keepdim else y.reshape([n for i, n in enumerate(x.shape) if i not in axes])


@norm.rule("x")
def norm_gx(gy: Any, x: Any, y: Any, dim: Dim) -> Any:
    shape = raw(x).shape
    gy, y = (keepdims(v, "norm", shape, dim) for v in (gy, y))
    if not isinstance(y, Value):
        return gy * (x / where(y == 0, 1.0, y))
    # recorded, the quotient is 0 / 0 at 0, so that the second derivative is NaN: there is none
    return gy * where(raw(y) == 0, 0.0, x / y)


@Op
def cumsum(x: Any, *, dim: int) -> Any:
    """y_i = x_0 + x_1 + ... + x_i along the axis `dim`.

    Derivation: dx_i enters y_i and all later ones, so <gy, dy> = sum_i dx_i sum_{j >= i} gy_j:
        a running sum from the end.
        gx = flip(cumsum(flip(gy, dims=(dim,)), dim=dim), dims=(dim,))
    Jacobian: lower triangular, with ones.
    Kinks: none; linear.
    Cost: n additions forward and backward; keeps the shape of x.
    Shapes: that of x; dtype of x, int64 for integers and booleans. Errors: IndexError for an
        axis out of range.
    Source: G. Blelloch, Prefix sums and their applications (1990), for the operation.
    """
    axis = axis_of("cumsum", dim, x.ndim) if x.ndim else None
    if x.dtype.kind != "f":
        return x.cumsum(axis=axis, dtype="int64").reshape(x.shape)
    # every partial sum is rounded once, as in PyTorch, instead of once for each term
    return x.cumsum(axis=axis, dtype="float64").astype(x.dtype, copy=False).reshape(x.shape)


@cumsum.rule("x")
def cumsum_gx(gy: Any, x_shape: tuple[int, ...], dim: int) -> Any:
    if not x_shape:
        return gy
    return flip(cumsum(flip(gy, dims=(dim,)), dim=dim), dims=(dim,))
