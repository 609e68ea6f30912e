"""Functions that take pieces of a tensor, or put a piece into it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from tinynet.backend import arange
from tinynet.functions.arguments import integer, integers, is_list, one_axis
from tinynet.functions.public import function
from tinynet.ops import shape
from tinynet.ops.indexing import at_axis

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


def _axis(name: str, dim: Any, x: Tensor) -> int:
    """`axis` of a tensor that has one."""
    if not x.ndim:
        raise IndexError(f"{name}: a tensor of shape () has no axis {dim}")
    return one_axis(name, dim, x.ndim)


@function
def split(input: Tensor, split_size: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Split along `dim` into pieces of one size (the last may be smaller) or of given sizes."""
    at = _axis("split", dim, input)
    n = input.shape[at]
    if is_list(split_size):
        return shape.split(input, sizes=integers("split", "split_size", split_size), dim=at)
    size = integer("split", "split_size", split_size)
    if size < 0 or (size == 0 and n):
        raise ValueError(f"split: split_size is {size}; it must be at least 1")
    sizes = [min(size, n - start) for start in range(0, n, size)] if n else [0]
    return shape.split(input, sizes=tuple(sizes), dim=at)


@function
def split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Split along `dim` into pieces of the given sizes."""
    at = _axis("split_with_sizes", dim, input)
    sizes = integers("split_with_sizes", "split_sizes", split_sizes)
    return shape.split(input, sizes=sizes, dim=at)


@function
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Split along `dim` into at most `chunks` pieces of equal size; the last may be smaller."""
    at, chunks = _axis("chunk", dim, input), integer("chunk", "chunks", chunks, least=1)
    if not input.shape[at]:
        return shape.split(input, sizes=(0,) * chunks, dim=at)
    return split(input, -(-input.shape[at] // chunks), at)


@function
def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Split along `dim` into a number of nearly equal pieces, or before each of the positions.

    Args:
        input: at least one axis.
        indices_or_sections: the number of pieces, of which the first may be longer by one; or
            positions, as in slices.
        dim: the axis to cut.
    """
    return _pieces("tensor_split", input, indices_or_sections, dim)


def _pieces(name: str, x: Tensor, cuts: Any, dim: Any) -> tuple[Tensor, ...]:
    at = _axis(name, dim, x)
    n = x.shape[at]
    if is_list(cuts):
        places = [0, *integers(name, "indices", cuts), n]
        return tuple([_slice(x, at, a, b) for a, b in itertools.pairwise(places)])
    count = integer(name, "sections", cuts, least=1)
    sizes = tuple([n // count + (k < n % count) for k in range(count)])
    return shape.split(x, sizes=sizes, dim=at)


def _slice(x: Tensor, at: int, start: int | None, stop: int | None, step: int = 1) -> Tensor:
    return x[at_axis(at, slice(start, stop, step))]


def _sections(name: str, x: Tensor, cuts: Any, dim: int, least: int) -> tuple[Tensor, ...]:
    """`tensor_split` into pieces that must be equal, of a tensor with enough axes."""
    if x.ndim < least:
        raise ValueError(f"{name}: shape {x.shape} has {x.ndim} axes; it needs at least {least}")
    if not is_list(cuts):
        count, n = integer(name, "sections", cuts), x.shape[dim]
        if count < 1 or n % count:
            raise ValueError(f"{name}: {count} sections do not divide {n}, the size of dim {dim}")
    return _pieces(name, x, cuts, dim)


@function
def hsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Split along axis 1, a vector along its only axis; sections must be equal."""
    return _sections("hsplit", input, indices_or_sections, 0 if input.ndim == 1 else 1, 1)


@function
def vsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Split along axis 0; sections must be equal."""
    return _sections("vsplit", input, indices_or_sections, 0, 2)


@function
def dsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Split along axis 2; sections must be equal."""
    return _sections("dsplit", input, indices_or_sections, 2, 3)


@function
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """All slices along `dim`, without that axis; backward costs one copy of x in total."""
    at = _axis("unbind", dim, input)
    return shape.unbind(input, dim=at) if input.shape[at] else ()


@function
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """x[..., start : start + length, ...] along `dim`; a negative start counts from the end."""
    at = _axis("narrow", dim, input)
    n = input.shape[at]
    first, size = integer("narrow", "start", start), integer("narrow", "length", length)
    begin = first + n if first < 0 else first
    if not 0 <= begin <= n or not 0 <= size <= n - begin:
        raise IndexError(
            f"narrow: start {first} and length {size} do not fit in {n}, the size of dim {dim}"
        )
    return _slice(input, at, begin, begin + size)


@function
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """x[..., index, ...] along `dim`, without that axis."""
    at = _axis("select", dim, input)
    return input[at_axis(at, _position("select", index, dim, input.shape[at]))]


def _position(name: str, index: Any, dim: Any, n: int) -> int:
    k = integer(name, "index", index)
    if not -n <= k < n:
        raise IndexError(f"{name}: index {k} is out of range for {n}, the size of dim {dim}")
    return k % n


@function
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy of x with `src` in the place of ``select(x, dim, index)``."""
    at = _axis("select_scatter", dim, input)
    k = _position("select_scatter", index, dim, input.shape[at])
    piece = input.select(at, k)
    _check_piece("select_scatter", src, piece.shape)
    return _put(input, src.unsqueeze(at), at, [k])


@function
def slice_scatter(
    input: Tensor,
    src: Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Tensor:
    """A copy of x with `src` in the place of ``x[start:end:step]`` along `dim`."""
    at = _axis("slice_scatter", dim, input)
    step = integer("slice_scatter", "step", step, least=1)
    first = None if start is None else integer("slice_scatter", "start", start)
    last = None if end is None else integer("slice_scatter", "end", end)
    places = range(*slice(first, last, step).indices(input.shape[at]))
    _check_piece("slice_scatter", src, (*input.shape[:at], len(places), *input.shape[at + 1 :]))
    return _put(input, src, at, list(places))


def _check_piece(name: str, src: Tensor, wanted: tuple[int, ...]) -> None:
    if src.shape != wanted:
        raise ValueError(f"{name}: src {src.shape} must have the shape {wanted}")


def _put(x: Tensor, src: Tensor, at: int, places: list[int]) -> Tensor:
    """A copy of x with the slices of `src` at `places` of an axis, in its dtype."""
    return x.index_copy(at, x.new_tensor(places, dtype="int64"), src.to(x.dtype))


@function
def unfold(input: Tensor, dimension: int, size: int, step: int = 1) -> Tensor:
    """All windows of `size` entries along an axis, `step` apart, along a new last axis.

    y[..., i, ..., j] = x[..., i step + j, ...].
    """
    at = one_axis("unfold", dimension, input.ndim)
    n = input.shape[at] if input.ndim else 1
    size, step = integer("unfold", "size", size), integer("unfold", "step", step, least=1)
    if not 0 <= size <= n:
        raise ValueError(f"unfold: size is {size}; it must be from 0 to {n}, the size of the axis")
    if not input.ndim:
        return input.reshape(1)[:size]
    line = arange(n, input.data)
    index = line[: n - size + 1 : step].reshape(-1, 1) + line[:size]
    windows = input[at_axis(at, index)]  # the window's entries follow its number
    return windows.movedim(at + 1, -1)
