"""Functions that take entries by their positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.backend import check, zeros
from tinynet.functions.arguments import one_axis
from tinynet.functions.public import function, shown, unrecorded
from tinynet.functions.shaping import broadcast_shapes
from tinynet.memory import broadcast_to
from tinynet.ops import indexing, shape
from tinynet.ops.indexing import at_axis

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


def positions(name: str, index: Any, x: Tensor, what: str = "index") -> Any:
    """An array of integers, copied, on the device of x.

    Raises:
        IndexError: for anything but integers.
    """
    try:
        found = None if isinstance(index, tuple) else indexing.plain_index(index, x.data)
    except (IndexError, ValueError, TypeError):
        found = None
    if getattr(getattr(found, "dtype", None), "kind", "") not in ("i", "u"):
        raise IndexError(f"{name}: {what} must be a tensor of integers, not {shown(index)}")
    return found


@function
def gather(input: Tensor, dim: int, index: Any, *, sparse_grad: bool = False) -> Tensor:
    """Gather entries along `dim`: y[i, j, k] = x[i, index[i, j, k], k] for dim 1.

    Args:
        input: any shape.
        dim: the axis to index.
        index: integers >= 0, with as many axes as x; only axis `dim` may be longer than x's.
        sparse_grad: must be False; gradients are arrays.

    Raises:
        ValueError: if the shape of `index` does not fit.
        IndexError: if `dim` or an index is out of range.
    """
    if sparse_grad:
        raise ValueError("gather: sparse_grad is True; tinynet has no sparse gradients")
    x, full, shape = aligned("gather", input, dim, index)
    return indexing.getitem(x, index=full).reshape(shape)


def aligned(
    name: str, x: Tensor, dim: Any, index: Any
) -> tuple[Tensor, tuple[Any, ...], tuple[int, ...]]:
    """x with at least one axis, the index of ``x[..., index[...], ...]``, and the index's shape."""
    at, index = one_axis(name, dim, x.ndim), positions(name, index, x)
    shape = index.shape
    x = x if x.ndim else x.reshape(1)
    if not index.ndim or not index.size:  # an empty index of any shape takes nothing
        index = index.reshape(shape if len(shape) == x.ndim else (index.size,) * x.ndim)
    full = indexing.along(name, index, at, x.shape)
    n = x.shape[at]
    check(index < n, lambda: out_of_range(name, index[index >= n], n, dim))
    return x, full, shape


def out_of_range(name: str, wrong: Any, n: int, dim: Any) -> IndexError:
    k = int(wrong.ravel()[0])
    return IndexError(f"{name}: index {k} is out of range for {n}, the size of dim {dim}")


@function
def take(input: Tensor, index: Any) -> Tensor:
    """y_k = x[index_k], where the entries of x count in row-major order."""
    index = positions("take", index, input)
    _check_flat("take", index, input.numel())
    return input.flatten()[index]


def _check_flat(name: str, index: Any, n: int) -> None:
    inside = (index >= -n) & (index < n)
    check(
        inside,
        lambda: IndexError(
            f"{name}: index {int(index[~inside].ravel()[0])} is out of range for {n} entries"
        ),
    )


@function
def put(input: Tensor, index: Any, source: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of x with source_k at index_k, counted in row-major order; or added there."""
    index = positions("put", index, input)
    _check_flat("put", index, input.numel())
    if source.dtype != input.dtype:
        raise TypeError(f"put: source is {source.dtype} and input {input.dtype}; convert one")
    if source.numel() != index.size:
        raise ValueError(f"put: {source.numel()} numbers of source for {index.size} positions")
    flat = input.flatten()
    y = flat.index_put((index.ravel(),), source.flatten(), accumulate)
    return y.reshape(input.shape)


@function
def take_along_dim(input: Tensor, indices: Any, dim: int | None = None) -> Tensor:
    """Entries along `dim` at positions for each row, which broadcast; of all entries for None."""
    name = "take_along_dim"
    index = positions(name, indices, input, "indices")
    if dim is None:
        return take_along_dim(input.flatten(), index.ravel(), 0)
    at = one_axis(name, dim, input.ndim)
    if index.ndim != input.ndim:
        raise ValueError(f"{name}: indices {index.shape} must have {input.ndim} axes, as the input")
    n = input.shape[at]
    inside = (index >= -n) & (index < n)
    check(inside, lambda: out_of_range(name, index[~inside], n, dim))
    sizes = [(*x.shape[:at], 1, *x.shape[at + 1 :]) for x in (input, index)]
    before, after = (lambda s: (s[:at], s[at + 1 :]))(broadcast_shapes(*sizes))
    index = broadcast_to(index % max(n, 1), (*before, index.shape[at], *after))
    x = input.expand(*before, n, *after)
    return indexing.getitem(x, index=indexing.along(name, index, at, x.shape))


@function
def index_select(input: Tensor, dim: int, index: Any) -> Tensor:
    """The slices of x along `dim` at the positions of a vector of integers."""
    at, index = rows("index_select", input, dim, index)
    if not input.ndim:
        if index.size != 1:
            raise ValueError(f"index_select: {index.size} positions in a tensor of shape ()")
        return input.clone()
    return input[at_axis(at, index)]


def rows(name: str, x: Tensor, dim: Any, index: Any) -> tuple[int, Any]:
    """The axis, and the index as a vector of positions along it."""
    at, index = one_axis(name, dim, x.ndim), positions(name, index, x)
    if index.ndim > 1:
        raise ValueError(f"{name}: index {index.shape} must have one axis")
    index, n = index.reshape(-1), x.shape[at] if x.ndim else 1
    check(
        (index >= 0) & (index < n),
        lambda: out_of_range(name, index[(index < 0) | (index >= n)], n, dim),
    )
    return at, index


@function
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The positions of the entries that are not 0, a row each in row-major order.

    With `as_tuple` one vector for each axis, so that ``x[x.nonzero(as_tuple=True)]`` has them all.
    """
    x = input.data if input.ndim else input.data.reshape(1)
    places = [unrecorded(input, p) for p in x.nonzero()]
    if as_tuple:
        return tuple(places)
    if not input.ndim:
        return unrecorded(input, zeros((places[0].numel(), 0), x, "int64"))
    return shape.cat(*[p.unsqueeze(1) for p in places], dim=1)


@function
def argwhere(input: Tensor) -> Any:
    """The same as ``nonzero(input)``."""
    return nonzero(input)
