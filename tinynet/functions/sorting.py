"""Functions that sort, select by rank and search. Positions are constants; values are gathered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.autograd import Value, raw
from tinynet.backend import arange, array_module, constant, empty, is_array, zeros
from tinynet.functions.arguments import flag, integer, one_axis
from tinynet.functions.public import function, shown, unrecorded
from tinynet.functions.reducing import Pair
from tinynet.ops.indexing import at_axis

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


def order(x: Any, axis: int, descending: bool) -> Any:
    """The positions that sort an array along `axis`: NaN is largest, the first of ties is first."""
    if not x.ndim:
        return arange(1, x).reshape(())
    if not descending:
        return x.argsort(axis=axis, kind="stable").astype("int64", copy=False)
    # a stable sort of the reversed axis puts the first of ties last, so first when read backwards
    back = at_axis(axis, slice(None, None, -1))
    return (x.shape[axis] - 1 - x[back].argsort(axis=axis, kind="stable")[back]).astype("int64")


def taken(input: Tensor, axis: int, positions: Any) -> Pair:
    """The pair of entries and positions."""
    indices = unrecorded(input, positions)
    return Pair(input.gather(axis, indices) if input.ndim else input.clone(), indices)


@function
def sort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Pair:
    """The entries in order along `dim`, and their positions.

    Equal entries stay in their order, whether `stable` or not; NaN counts as largest. The gradient
    of each value goes to the entry at its position.
    """
    if isinstance(dim, bool):  # sort(stable, dim, descending) is PyTorch's other form
        raise TypeError(f"sort: dim is {dim}; it must be one axis, an integer; give stable by name")
    axis = one_axis("sort", dim, input.ndim)
    flag("sort", "stable", stable if stable is not None else False)
    positions = order(input.data, axis, flag("sort", "descending", descending))
    return taken(input, axis, positions)


@function
def argsort(
    input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False
) -> Tensor:
    """The positions that `sort` returns."""
    axis = one_axis("argsort", dim, input.ndim)
    flag("argsort", "stable", stable)
    return unrecorded(input, order(input.data, axis, flag("argsort", "descending", descending)))


@function
def msort(input: Tensor) -> Tensor:
    """The entries in order along the first axis."""
    return input.sort(0)[0]


@function
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Pair:
    """The k largest (or smallest) entries along `dim`, in order, and their positions.

    Args:
        input: any shape.
        k: how many, at most the size of `dim`.
        dim: the axis.
        largest: the largest; else the smallest.
        sorted: PyTorch may return another order for False; this is always in order.
    """
    axis = one_axis("topk", dim, input.ndim)
    k = integer("topk", "k", k)
    flag("topk", "sorted", sorted)
    n = input.shape[axis] if input.ndim else 1
    if not 0 <= k <= n:
        raise RuntimeError(f"topk: k is {k}; it must be from 0 to {n}, the size of dim {dim}")
    positions = order(input.data, axis, flag("topk", "largest", largest))
    if input.ndim:
        positions = positions[at_axis(axis, slice(0, k))]
    return taken(input, axis, positions)


@function
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Pair:
    """The k-th smallest entry along `dim`, counted from 1, and its position."""
    axis = one_axis("kthvalue", dim, input.ndim)
    k = integer("kthvalue", "k", k)
    n = input.shape[axis] if input.ndim else 1
    if not 1 <= k <= n:
        raise RuntimeError(f"kthvalue: k is {k}; it must be from 1 to {n}, the size of dim {dim}")
    return at_rank(input, axis, k - 1, keepdim)


def at_rank(input: Tensor, axis: int, rank: Any, keepdim: bool) -> Pair:
    """The entries of that rank along `axis`, counted from 0; `rank` may be an array."""
    positions = order(input.data, axis, descending=False)
    if not input.ndim:
        return taken(input, axis, positions)
    if is_array(rank):
        positions = array_module(positions).take_along_axis(positions, rank, axis=axis)
    else:
        positions = positions[at_axis(axis, slice(rank, rank + 1))]
    values, indices = taken(input, axis, positions)
    return Pair(values, indices) if keepdim else Pair(values.squeeze(axis), indices.squeeze(axis))


# --- equal entries -------------------------------------------------------------------------------


@function
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The distinct entries in order, or the distinct slices along `dim`; not differentiable.

    Args:
        input: any shape.
        sorted: PyTorch may return another order for False; this is always in order.
        return_inverse: also return, for each entry, the position of its value in the result.
        return_counts: also return how often each value occurs.
        dim: the axis; None for single entries.
    """
    x, axis, rows = input.data, *_rows("unique", input.data, dim)
    # a stable sort by each column, the last first, is a sort by all of them
    positions = arange(rows.shape[0], x)
    for column in range(rows.shape[1] - 1, -1, -1):
        positions = positions[rows[positions, column].argsort(kind="stable")]
    new, group, counts = _groups(rows[positions])
    inverse = empty((rows.shape[0],), x, "int64")
    inverse[positions] = group
    wanted = {"return_inverse": return_inverse, "return_counts": return_counts}
    return _distinct(input, axis, positions[new], inverse, counts, wanted)


@function
def unique_consecutive(
    input: Tensor,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The entries, or slices along `dim`, that differ from the one before; not differentiable.

    The options are those of `unique`.
    """
    axis, rows = _rows("unique_consecutive", input.data, dim)
    wanted = {"return_inverse": return_inverse, "return_counts": return_counts}
    return _distinct(input, axis, *_groups(rows), wanted)


def _rows(name: str, x: Any, dim: Any) -> tuple[int | None, Any]:
    """The axis and the slices along it, one a row; for None the entries."""
    if dim is None:
        return None, x.reshape(-1, 1)
    axis = one_axis(name, dim, x.ndim)
    if x.ndim == 0:
        return axis, x.reshape(1, 1)
    if x.size == 0 and x.shape[axis] != 0:
        raise RuntimeError(f"{name}: shape {tuple(x.shape)} has slices without entries")
    rows = x.transpose(axis, *(k for k in range(x.ndim) if k != axis))
    return axis, rows.reshape(x.shape[axis], -1 if x.size else 0)


def _groups(rows: Any) -> tuple[Any, Any, Any]:
    """Where a new run of equal rows starts, the number of each row's run, and the runs' lengths."""
    n = rows.shape[0]
    starts = empty((n,), rows, "bool")
    starts[:1] = True
    starts[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    new = starts.nonzero()[0]
    group = starts.cumsum(dtype="int64") - 1
    ends = array_module(rows).concatenate([new[1:], constant([n], new, "int64")]) if n else new
    return new, group, ends - new


def _distinct(
    input: Tensor, axis: int | None, at: Any, inverse: Any, counts: Any, wanted: dict[str, Any]
) -> Any:
    """The slices at some positions, and what else is wanted."""
    x = input.data
    values = x.reshape(-1)[at] if axis is None or not x.ndim else x[at_axis(axis, at)]
    found = [unrecorded(input, values)]
    inverse = inverse.reshape(x.shape) if axis is None else inverse
    for (what, value), array in zip(wanted.items(), (inverse, counts), strict=True):
        if flag("unique", what, value):
            found.append(unrecorded(input, array))
    return found[0] if len(found) == 1 else tuple(found)


# --- searches ------------------------------------------------------------------------------------


@function
def searchsorted(
    sorted_sequence: Tensor,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
) -> Tensor:
    """The position in the last axis of `sorted_sequence` where each value would be inserted.

    Args:
        sorted_sequence: in order along its last axis.
        input: the values: a number, any shape for a sequence with one axis, else the sequence's
            shape up to the last axis.
        out_int32: int32 in place of int64.
        right: after equal entries instead of before.
        side: "left" or "right", in place of `right`.
        sorter: positions that sort `sorted_sequence`, if it is not in order.
    """
    if side not in (None, "left", "right"):
        raise RuntimeError(f"searchsorted: side is {shown(side)}; it must be 'left' or 'right'")
    if right and side == "left":
        raise RuntimeError("searchsorted: right is True and side is 'left'; give one of them")
    x = sorted_sequence.data
    if x.ndim == 0:
        raise RuntimeError("searchsorted: sorted_sequence has shape (); it must have an axis")
    v = _values("searchsorted", input, x)
    if x.ndim > 1 and v.shape[:-1] != x.shape[:-1]:
        raise RuntimeError(
            f"searchsorted: sorted_sequence {tuple(x.shape)} and input {tuple(v.shape)} must be "
            "equal up to the last axis, unless the sequence has one axis"
        )
    if sorter is not None:
        s = raw(sorter)
        if not is_array(s) or s.shape != x.shape:
            raise RuntimeError(
                f"searchsorted: sorter must have the shape of sorted_sequence, {tuple(x.shape)}"
            )
        if s.dtype != "int64":
            raise RuntimeError(f"searchsorted: sorter is {s.dtype}; it must be int64")
        if s.size and (s.min() < 0 or s.max() >= x.shape[-1]):
            raise RuntimeError(f"searchsorted: sorter must be from 0 to {x.shape[-1] - 1}")
        x = array_module(x).take_along_axis(x, s, axis=-1)
    found = _inserted(x, v, "right" if right or side == "right" else "left")
    dtype = "int32" if flag("searchsorted", "out_int32", out_int32) else "int64"
    return unrecorded(sorted_sequence, found.astype(dtype, copy=False))


@function
def bucketize(
    input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False
) -> Tensor:
    """The number of the bucket of each value: how many boundaries are smaller (or, for `right`,
    smaller or equal).

    Args:
        input: the values.
        boundaries: one axis, in order.
        out_int32: int32 in place of int64.
        right: whether a value equal to a boundary is above it.
    """
    if boundaries.ndim != 1:
        raise RuntimeError(
            f"bucketize: boundaries has shape {boundaries.shape}; it must have one axis"
        )
    v = _values("bucketize", input, boundaries.data)
    found = _inserted(boundaries.data, v, "right" if right else "left")
    dtype = "int32" if flag("bucketize", "out_int32", out_int32) else "int64"
    return unrecorded(boundaries, found.astype(dtype, copy=False))


def _values(name: str, input: Any, like: Any) -> Any:
    if isinstance(input, Value):
        return raw(input)
    if is_array(input):
        return input
    if isinstance(input, int | float):
        return constant(input, like)
    raise TypeError(f"{name}: input is {shown(input)}; it must be a Tensor or a number")


def _inserted(x: Any, v: Any, side: str) -> Any:
    xp = array_module(x, v)
    if x.ndim == 1:
        return xp.searchsorted(x, v.reshape(-1), side=side).reshape(v.shape)
    if not (v.size and x.size):
        return zeros(v.shape, v, "int64")
    rows, values = x.reshape(-1, x.shape[-1]), v.reshape(-1, v.shape[-1])
    pairs = zip(rows, values, strict=True)
    return xp.stack([xp.searchsorted(row, value, side=side) for row, value in pairs]).reshape(
        v.shape
    )
