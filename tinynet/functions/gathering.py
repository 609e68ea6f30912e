"""Functions that take or add entries by their positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.functions.public import function
from tinynet.ops import indexing
from tinynet.ops.reduction import axis_of

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


@function
def gather(input: Tensor, dim: int, index: Any) -> Tensor:
    """Gather entries along `dim`: y[i, j, k] = x[i, index[i, j, k], k] for dim 1.

    Args:
        input: any shape.
        dim: the axis to index.
        index: integers >= 0, with as many axes as x; only axis `dim` may be longer than x's.

    Raises:
        ValueError: if the shape of `index` does not fit.
        IndexError: if `dim` or an index is out of range.
    """
    axis = axis_of("gather", dim, input.ndim)
    index = indexing.plain_index(index, input.data)
    return input[indexing.along("gather", index, axis, input.shape)]


@function
def scatter_add(input: Tensor, dim: int, index: Any, src: Tensor) -> Tensor:
    """A copy of x with src[i, j, k] added at [i, index[i, j, k], k] for dim 1.

    `dim` and `index` are as in `gather`; `src` has the shape of `index`.
    """
    axis = axis_of("scatter_add", dim, input.ndim)
    index = indexing.plain_index(index, input.data)
    full = indexing.along("scatter_add", index, axis, input.shape)
    if tuple(src.shape) != tuple(index.shape):
        raise ValueError(f"scatter_add: src {src.shape} and index {index.shape} must be equal")
    return input + indexing.index_add(src, shape=input.shape, indices=(full,))
