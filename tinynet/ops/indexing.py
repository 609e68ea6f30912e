"""Taking entries out and putting them back: a pair of adjoints, gather and scatter.

Indices are constants: numbers, slices, None, ..., boolean masks, arrays of integers. Repeated
integer indices add up on the way back; ``g[index] += v`` would keep only the last of them.
"""

from __future__ import annotations

from typing import Any

from tinynet.autograd import Op, Value, raw
from tinynet.backend import array_module, is_array, scatter_add


@Op
def getitem(x: Any, *, index: Any) -> Any:
    """y = x[index], by NumPy's rules of indexing.

    Derivation: every y_k is one x_{i(k)}, so <gy, dy> = sum_k gy_k dx_{i(k)} = <put(gy), dx>.
        gx = put(gy, shape=x_shape, index=index)
    Jacobian: selection: one 1 a row; a column of an entry taken k times has k of them.
    Kinks: none; linear.
    Cost: nothing forward for slices (a view), a copy else; backward zeros of the shape of x, so
        taking n rows one by one (a loop, `split`) costs n times the size of x: take them together.
    Shapes: NumPy's; dtype of x.
    Errors: IndexError for what is out of range, on either device: CuPy alone would wrap around.
    Source: A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed. (2008), ch. 3.
    """
    _check_range("getitem", x.shape, index)
    return x[index]


@getitem.rule("x")
def getitem_gx(gy: Any, x_shape: tuple[int, ...], index: Any) -> Any:
    return put(gy, shape=x_shape, index=index)


@Op
def put(x: Any, *, shape: tuple[int, ...], index: Any) -> Any:
    """y = zeros of `shape` with every x_k added at y[index]: getitem's adjoint.

    Derivation: y_i = sum over the k with i(k) = i of x_k, so <gy, dy> = sum_k gy_{i(k)} dx_k
        = <gy[index], dx>.
        gx = getitem(gy, index=index)
    Jacobian: the transpose of getitem's.
    Kinks: none; linear.
    Cost: zeros and n additions forward, getitem backward; keeps nothing.
    Shapes: x has the shape of y[index]; dtype of x.
    Errors: IndexError for what is out of range.
    Source: A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed. (2008), ch. 3.
    """
    _check_range("put", shape, index)
    y = array_module(x).zeros(shape, dtype=x.dtype)
    if _may_repeat(index):
        scatter_add(y, index, x)
    else:
        y[index] = x
    return y


@put.rule("x")
def put_gx(gy: Any, index: Any) -> Any:
    return getitem(gy, index=index)


def plain_index(index: Any, like: Any) -> Any:
    """The index with Tensors unwrapped, and arrays and lists on the device of the array `like`.

    Raises:
        IndexError: for indices that are neither integers nor booleans.
    """
    if isinstance(index, tuple):
        return tuple(
            plain_index(list(i) if isinstance(i, tuple | range) else i, like) for i in index
        )
    if isinstance(index, list):
        index = array_module(like).asarray(index, dtype=None if index else "int64")
    elif isinstance(index, Value) or is_array(index):
        # a copy, since a rule keeps it: the caller may go on to change his
        index = raw(index).copy()
    if is_array(index) and index.dtype.kind not in "iub":
        raise IndexError(
            f"getitem: an index has dtype {index.dtype}; indices are integers or booleans"
        )
    return index


def _parts(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


def _may_repeat(index: Any) -> bool:
    return any(is_array(i) and i.dtype.kind in "iu" for i in _parts(index))


def _check_range(name: str, shape: tuple[int, ...], index: Any) -> None:
    """Integer arrays must stay within their axes; everything else NumPy and CuPy check."""
    if not _may_repeat(index):
        return
    parts = _parts(index)
    used = sum(i.ndim if is_array(i) and i.dtype.kind == "b" else 1 for i in parts
               if i is not None and i is not Ellipsis)  # fmt: skip
    axis = 0
    for i in parts:
        if i is None:
            continue
        if i is Ellipsis:
            axis += len(shape) - used
            continue
        if is_array(i) and i.dtype.kind == "b":
            axis += i.ndim
            continue
        if is_array(i) and i.size and axis < len(shape):
            low, high, n = int(i.min()), int(i.max()), shape[axis]
            if low < -n or high >= n:
                raise IndexError(
                    f"{name}: index {low if low < -n else high} is out of range for axis {axis} "
                    f"of size {n} (shape {tuple(shape)})"
                )
        axis += 1


def along(name: str, index: Any, dim: int, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """The full index of ``x[i, ..., index[i, ..., k], ...]``: `gather`'s, for `getitem`.

    Raises:
        ValueError: unless the index has as many axes as `shape`, none longer but axis `dim`.
        IndexError: for a negative index.
    """
    xp = array_module(index)
    longer = [n > m and a != dim for a, (n, m) in enumerate(zip(index.shape, shape, strict=False))]
    if index.ndim != len(shape) or any(longer):
        raise ValueError(
            f"{name}: index {tuple(index.shape)} must have {len(shape)} axes, none longer than "
            f"{tuple(shape)} but axis {dim}"
        )
    if index.size and int(index.min()) < 0:
        raise IndexError(f"{name}: index {int(index.min())} is negative")
    grid = []
    for axis, n in enumerate(index.shape):
        if axis == dim:
            grid.append(index)
        else:
            grid.append(xp.arange(n).reshape([-1 if a == axis else 1 for a in range(index.ndim)]))
    return tuple(grid)
