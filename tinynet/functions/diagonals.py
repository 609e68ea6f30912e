"""Diagonals and triangles of matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.backend import arange
from tinynet.dtypes import in_float32
from tinynet.functions.arguments import integer, one_axis
from tinynet.functions.public import function
from tinynet.ops import indexing, reduction
from tinynet.ops.arithmetic import where

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


def _plane(name: str, x: Any, dim1: Any, dim2: Any, ndim: int) -> tuple[int, int]:
    if ndim < 2:
        raise ValueError(f"{name}: shape {tuple(x.shape)} has no diagonal; it needs two axes")
    a, b = one_axis(name, dim1, ndim), one_axis(name, dim2, ndim)
    if a == b:
        raise ValueError(f"{name}: dim1 {dim1} and dim2 {dim2} are the same axis")
    return a, b


def _index(x: Any, offset: int, a: int, b: int, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """The index of a diagonal's entries among those of `shape`, with its axis in front if it is
    not between a and b; see `_to_the_end`."""
    up, left = max(-offset, 0), max(offset, 0)
    line = arange(max(min(shape[a] - up, shape[b] - left), 0), x.data)
    index: list[Any] = [slice(None)] * len(shape)
    index[a], index[b] = line + up, line + left
    return tuple(index)


def _place(a: int, b: int) -> int:
    """Where indexing puts the axis of two index arrays: at the first if they are neighbours."""
    return min(a, b) if abs(a - b) == 1 else 0


@function
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """y[..., i] = x[i, i + offset] of the axes `dim1` and `dim2`: diagonals, as the last axis."""
    offset = integer("diagonal", "offset", offset)
    a, b = _plane("diagonal", input, dim1, dim2, input.ndim)
    y = indexing.getitem(input, index=_index(input, offset, a, b, input.shape))
    return y.movedim(_place(a, b), -1)


@function
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices of zeros with the last axis of x on their diagonals: y[i, i + offset] = x[i]."""
    offset = integer("diag_embed", "offset", offset)
    if not input.ndim:
        raise ValueError("diag_embed: a tensor of shape () has no axis; it needs one")
    a, b = _plane("diag_embed", input, dim1, dim2, input.ndim + 1)
    n = input.shape[-1] + abs(offset)
    sizes = list(input.shape[:-1])
    for k in sorted((a, b)):
        sizes.insert(k, n)
    index = _index(input, offset, a, b, tuple(sizes))
    x = input.movedim(-1, _place(a, b))
    return indexing.index_add(x, shape=tuple(sizes), indices=(index,))


@function
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The diagonal of a matrix, or a matrix of zeros with a vector on its diagonal."""
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim != 2:
        raise ValueError(f"diag: shape {input.shape} is neither a vector nor a matrix")
    return input.diagonal(diagonal)


@function
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """A matrix of zeros with all entries of x, in row-major order, on its diagonal."""
    return diag_embed(input.flatten(), offset)


@function
def diagonal_scatter(
    input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> Tensor:
    """A copy of x with `src` in the place of ``diagonal(x, offset, dim1, dim2)``."""
    name = "diagonal_scatter"
    offset = integer(name, "offset", offset)
    a, b = _plane(name, input, dim1, dim2, input.ndim)
    index = _index(input, offset, a, b, input.shape)
    wanted = diagonal(input.detach(), offset, dim1, dim2).shape
    if src.shape != wanted:
        raise ValueError(f"{name}: src {src.shape} must have the shape {wanted}")
    src = src.to(input.dtype).movedim(-1, _place(a, b))
    return input.index_put(index, src)


@function
@in_float32
def trace(input: Tensor) -> Tensor:
    """y = sum_i x_ii of a matrix."""
    if input.ndim != 2:
        raise ValueError(f"trace: shape {input.shape} is not a matrix")
    return reduction.sum(diagonal(input))


def _triangle(name: str, x: Tensor, k: Any) -> Any:
    """Where the column minus the row is at most k."""
    if x.ndim < 2:
        raise ValueError(f"{name}: shape {x.shape} has no matrices; it needs two axes")
    rows, columns = (arange(n, x.data) for n in x.shape[-2:])
    return columns - rows.reshape(-1, 1) <= k


@function
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """y_ij = x_ij where j - i <= diagonal, else 0: the lower triangle of each matrix."""
    kept = _triangle("tril", input, integer("tril", "diagonal", diagonal))
    return where(kept, input, _zero(input))


@function
def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """y_ij = x_ij where j - i >= diagonal, else 0: the upper triangle of each matrix."""
    lower = _triangle("triu", input, integer("triu", "diagonal", diagonal) - 1)
    return where(lower, _zero(input), input)


def _zero(x: Tensor) -> Any:
    """0 in the kind of `x`, so that the result has its dtype."""
    return {"b": False, "f": 0.0}.get(x.dtype.kind, 0)
