"""Indexing and its adjoint, gather and scatter.

Indices are constants: numbers, slices, None, ..., boolean masks, arrays of integers. The gradients
of repeated integer indices add up; ``g[index] += v`` would keep only the last of them.
"""

from __future__ import annotations

import math
from typing import Any

from tinynet import backend
from tinynet.autograd import Op, Value, raw
from tinynet.backend import arange, check, constant, is_array, zeros
from tinynet.dtypes import accumulates
from tinynet.kernels.sums import ROWS


@Op
def getitem(x: Any, *, index: Any) -> Any:
    """y = x[index], by NumPy's indexing rules.

    Derivation: every y_k is one x_{i(k)}, so <gy, dy> = sum_k gy_k dx_{i(k)} =
        <index_add(gy), dx>. The rule is joint: one `index_add` handles everything taken from
        one x, so T rows taken one by one cost one array of the size of x instead of T.
        gx = index_add(*gy, shape=x_shape[0], indices=tuple(index))
    Jacobian: selection: each row has one 1; the column of an entry taken k times has k.
    Kinks: none; linear.
    Cost: nothing forward for slices (a view), otherwise a copy; backward zeros of the shape of x,
        and one addition for each entry taken; keeps the index and the shape of x.
    Shapes: NumPy's; dtype of x.
    Errors: IndexError for an index out of range, on either device (CuPy itself wraps around).
    Source: A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed. (2008), ch. 3.
    """
    _check_range("getitem", x.shape, index)
    return x[index]


@getitem.rule("x", joint=True)
def getitem_gx(gy: list[Any], x_shape: list[tuple[int, ...]], index: list[Any]) -> Any:
    return index_add(*gy, shape=x_shape[0], indices=tuple(index))


@Op
@accumulates
def index_add(*xs: Any, shape: tuple[int, ...], indices: tuple[Any, ...]) -> Any:
    """y = zeros of `shape`, with each x_i added at y[indices[i]]: getitem's adjoint.

    Derivation: dy_j = the sum of all entries of dx_i added there, so <gy, dy> = sum_i
        <gy[indices[i]], dx_i>.
        gxs = getitem(gy, index=indices[i])
    Jacobian: for each input, the transpose of that of getitem.
    Kinks: none; linear.
    Cost: zeros and n additions forward, getitem backward; keeps the indices.
    Shapes: x_i has the shape of y[indices[i]]; dtype of the first.
    Errors: IndexError for an index out of range.
    Source: A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed. (2008), ch. 3.
    """
    # a float32 total of many repeated entries drifts; a large, mostly empty y would only cost time
    x, n = xs[0], sum(x.size for x in xs)
    repeats = n > ROWS and 8 * n >= math.prod(shape) and any(map(_may_repeat, indices))
    y = zeros(shape, x, "float64" if x.dtype == "float32" and repeats else x.dtype)
    for x, index in zip(xs, indices, strict=True):
        _check_range("index_add", shape, index)
        if _may_repeat(index):
            backend.index_add(y, index, x.astype(y.dtype, copy=False))
        elif len(xs) == 1:
            y[index] = x
        else:
            y[index] += x
    return y.astype(xs[0].dtype, copy=False)


@index_add.rule("xs")
def index_add_gx(gy: Any, i: int, indices: tuple[Any, ...]) -> Any:
    return getitem(gy, index=indices[i])


def at_axis(axis: int, k: Any) -> tuple[Any, ...]:
    """The index of the entry, the slice or the positions k along `axis`."""
    return (slice(None),) * axis + (k,)


def plain_index(index: Any, like: Any) -> Any:
    """The index with Tensors unwrapped, and lists as arrays on the device of the array `like`.

    Raises:
        IndexError: for indices that are neither integers nor booleans.
    """
    if isinstance(index, tuple):
        return tuple(
            plain_index(list(i) if isinstance(i, tuple | range) else i, like) for i in index
        )
    if isinstance(index, list):
        index = constant(index, like, None if index else "int64")
    elif isinstance(index, Value) or is_array(index):
        # a copy for the rule, since the caller may change the original later
        index = raw(index).copy()
    if is_array(index) and index.dtype.kind not in "iub":
        raise IndexError(
            f"getitem: an index has dtype {index.dtype}; indices must be integers or booleans"
        )
    return index


def _parts(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


def _may_repeat(index: Any) -> bool:
    return any(is_array(i) and i.dtype.kind in "iu" for i in _parts(index))


def _check_range(name: str, shape: tuple[int, ...], index: Any) -> None:
    """Check integer arrays against their axes; NumPy and CuPy check everything else."""
    if not _may_repeat(index):
        return
    parts = _parts(index)
    axis = 0
    for k, i in enumerate(parts):
        if is_array(i) and i.dtype.kind != "b" and axis < len(shape):
            _check_axis(name, i, axis, shape)
        if i is Ellipsis:
            axis = len(shape) - sum(map(_axes_taken, parts[k + 1 :]))
        else:
            axis += _axes_taken(i)


def _axes_taken(i: Any) -> int:
    """How many axes a part of an index is for."""
    if i is None:
        return 0
    return i.ndim if is_array(i) and i.dtype.kind == "b" else 1


def _check_axis(name: str, index: Any, axis: int, shape: tuple[int, ...]) -> None:
    n = shape[axis]
    inside = (index >= -n) & (index < n)

    def error() -> IndexError:
        return IndexError(
            f"{name}: index {int(index[~inside].ravel()[0])} is out of range for axis {axis} of "
            f"size {n} (shape {tuple(shape)})"
        )

    check(inside, error)


def along(name: str, index: Any, dim: int, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """The index tuple with which `getitem` reads ``x[i, ..., index[i, ..., k], ...]``, as `gather`.

    Raises:
        ValueError: unless the index has as many axes as `shape`, none longer except axis `dim`.
        IndexError: for a negative index, and for anything but an array of integers.
    """
    if not is_array(index) or index.dtype.kind not in "iu":
        raise IndexError(f"{name}: index must be a tensor or an array of integers")
    longer = [n > m and a != dim for a, (n, m) in enumerate(zip(index.shape, shape, strict=False))]
    if index.ndim != len(shape) or any(longer):
        raise ValueError(
            f"{name}: index {tuple(index.shape)} must have {len(shape)} axes, none longer than in "
            f"{tuple(shape)} except axis {dim}"
        )
    check(index >= 0, lambda: IndexError(f"{name}: index {int(index.min())} is negative"))
    grid = []
    for axis, n in enumerate(index.shape):
        if axis == dim:
            grid.append(index)
        else:
            line = [-1 if a == axis else 1 for a in range(index.ndim)]
            grid.append(arange(n, index).reshape(line))
    return tuple(grid)
