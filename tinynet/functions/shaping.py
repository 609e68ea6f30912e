"""Functions that rearrange, join or cut tensors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from tinynet.functions.public import function
from tinynet.ops import broadcast, shape
from tinynet.ops.reduction import axes_of, axis_of

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


def sizes_of(given: tuple[Any, ...]) -> tuple[int, ...]:
    """``(2, 3)`` from both ``f(2, 3)`` and ``f((2, 3))``."""
    return tuple(given[0]) if len(given) == 1 and isinstance(given[0], Sequence) else given


@function
def reshape(input: Tensor, *sizes: Any) -> Tensor:
    """The entries in row-major order in another shape; see `tinynet.ops.shape.reshape`."""
    return shape.reshape(input, shape=sizes_of(sizes))


@function
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Merge the axes from `start_dim` to `end_dim`, both included, into one."""
    if not input.ndim:
        return input.reshape(1)
    first = axis_of("flatten", start_dim, input.ndim)
    last = axis_of("flatten", end_dim, input.ndim)
    if first > last:
        raise ValueError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    n = math.prod(input.shape[first : last + 1])  # -1 is ambiguous for an empty batch
    return input.reshape(*input.shape[:first], n, *input.shape[last + 1 :])


@function
def permute(input: Tensor, *dims: Any) -> Tensor:
    """The axes in another order; see `tinynet.ops.shape.permute`."""
    return shape.permute(input, dims=sizes_of(dims))


@function
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two axes exchanged."""
    a = axis_of("transpose", dim0, input.ndim)
    b = axis_of("transpose", dim1, input.ndim)
    dims = list(range(input.ndim))
    dims[a], dims[b] = b, a
    return shape.permute(input, dims=tuple(dims))


@function
def expand(input: Tensor, *sizes: Any) -> Tensor:
    """Repeat axes of size 1, and missing leading axes, to the given sizes; -1 keeps a size."""
    wanted = sizes_of(sizes)
    lead = len(wanted) - input.ndim
    kept = tuple(
        input.shape[i - lead] if n == -1 and i >= lead else n for i, n in enumerate(wanted)
    )
    return broadcast.expand(input, shape=kept)


@function
def squeeze(input: Tensor, dim: int | None = None) -> Tensor:
    """Remove all axes of size 1, or only `dim` if it has size 1."""
    axes = axes_of("squeeze", dim, input.ndim)
    return input.reshape([n for i, n in enumerate(input.shape) if n != 1 or i not in axes])


@function
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """Insert an axis of size 1 at position `dim` (-1: at the end)."""
    at = axis_of("unsqueeze", dim, input.ndim + 1)
    return input.reshape(*input.shape[:at], 1, *input.shape[at:])


@function
def split(input: Tensor, split_size: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Split along `dim` into pieces of one size (the last may be smaller) or of given sizes."""
    axis = axis_of("split", dim, input.ndim)
    n = input.shape[axis]
    if isinstance(split_size, int):
        if split_size < 1:
            raise ValueError(f"split: split_size is {split_size}; it must be at least 1")
        sizes = [min(split_size, n - start) for start in range(0, n, split_size)] or [0]
    else:
        sizes = list(split_size)
    return shape.split(input, sizes=tuple(sizes), dim=axis)


@function
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Split along `dim` into at most `chunks` pieces of equal size; the last may be smaller."""
    axis = axis_of("chunk", dim, input.ndim)
    if chunks < 1:
        raise ValueError(f"chunk: chunks is {chunks}; it must be at least 1")
    return input.split(max(1, -(-input.shape[axis] // chunks)), axis)


@function
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """All slices along `dim`, without that axis; backward costs one copy of x in total."""
    return shape.unbind(input, dim=axis_of("unbind", dim, input.ndim))


@function
def flip(input: Tensor, *dims: Any) -> Tensor:
    """The entries in reverse order along the axes; see `tinynet.ops.shape.flip`."""
    return shape.flip(input, dims=sizes_of(dims))


@function
def cat(tensors: Iterable[Tensor], dim: int = 0) -> Tensor:
    """Concatenate tensors along the axis `dim`; see `tinynet.ops.shape.cat`."""
    return shape.cat(*tensors, dim=dim)


@function
def stack(tensors: Iterable[Tensor], dim: int = 0) -> Tensor:
    """Stack tensors of equal shape along a new axis `dim`.

    Raises:
        ValueError: if there are no tensors or their shapes differ.
    """
    tensors = list(tensors)
    if not tensors:
        raise ValueError("stack: tensors is empty; it must have at least one tensor")
    shapes = list(dict.fromkeys(t.shape for t in tensors))
    if len(shapes) != 1:
        raise ValueError(f"stack: shapes {', '.join(map(str, shapes))} differ; they must be equal")
    return shape.cat(*(t.unsqueeze(dim) for t in tensors), dim=dim)
