"""Adaptive pooling: a grid of windows over an input of any size, in one, two or three axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tinynet import backend
from tinynet.autograd import raw
from tinynet.backend import array_module
from tinynet.dtypes import in_float32
from tinynet.functional.spatial import along_axis, by_example, over_axes
from tinynet.functions.operands import only_floats
from tinynet.functions.public import unrecorded
from tinynet.ops.indexing import at_axis, getitem
from tinynet.ops.shape import reshape
from tinynet.window import ntuple

if TYPE_CHECKING:
    from tinynet.tensor import Tensor

OutputSizes = int | None | Sequence[int | None]


@by_example
@in_float32
def adaptive_avg_pool(input: Tensor, output_size: OutputSizes, *, n: int) -> Tensor:
    """The means over a grid of OH x OW windows that cover an image of any size.

    Window i covers rows floor(i H / OH) to ceil((i + 1) H / OH) - 1, so windows overlap unless OH
    divides H. Averaging is linear along each axis, so it is two matrix products, y = A_H x A_W^T,
    with one window in each row of A.

    Args:
        input: (N, C, H, W) or (C, H, W).
        output_size: OH and OW, or one integer for both; None keeps a size.

    Returns:
        (N, C, OH, OW).
    """
    x: Any = only_floats("pool", input)
    sizes = _output_sizes(n, output_size, x.shape)
    for axis, out in enumerate(sizes, start=2):
        m = x.shape[axis]
        means = [[0.0] * m for _ in range(out)]
        for row, (start, end) in zip(means, _bins(m, out), strict=True):
            row[start:end] = [1.0 / (end - start)] * (end - start)
        x = along_axis(means, x, axis)
    return x


adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d = over_axes(
    adaptive_avg_pool, 1, 2, 3
)


@by_example
def adaptive_max_pool(
    input: Tensor, output_size: OutputSizes, return_indices: bool = False, *, n: int
) -> Any:
    """The maxima over the windows of `adaptive_avg_pool2d`; of tied entries the first is taken.

    Args:
        input: (N, C, H, W) or (C, H, W).
        output_size: OH and OW, or one integer for both; None keeps a size.
        return_indices: if True, also return the place of each maximum in the flattened H x W.

    Returns:
        (N, C, OH, OW), or a pair of such tensors.
    """
    x = only_floats("pool", input)
    sizes = _output_sizes(n, output_size, x.shape)
    (N, C), size, best = x.shape[:2], x.shape[2:], raw(x)
    xp, count = array_module(best), math.prod(size)
    # the place of each entry in the flattened image; reduced axis by axis, like the maxima
    place = backend.zeros(best.shape, best, "int64") + backend.arange(count, best).reshape(size)
    for axis in reversed(range(2, n + 2)):
        maxima, places = [], []
        for start, end in _bins(size[axis - 2], sizes[axis - 2]):
            bin = at_axis(axis, slice(start, end))
            k = best[bin].argmax(axis=axis, keepdims=True)
            maxima.append(xp.take_along_axis(best[bin], k, axis=axis))
            places.append(xp.take_along_axis(place[bin], k, axis=axis))
        best, place = (xp.concatenate(parts, axis=axis) for parts in (maxima, places))
    example = backend.arange(N, best).reshape(N, 1, *(1,) * n)
    channel = backend.arange(C, best).reshape(1, C, *(1,) * n)
    y = getitem(reshape(x, shape=(N, C, count)), index=(example, channel, place))
    return (y, unrecorded(x, place)) if return_indices else y


adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d = over_axes(
    adaptive_max_pool, 1, 2, 3
)


def _output_sizes(n: int, given: OutputSizes, shape: tuple[int, ...]) -> tuple[int, ...]:
    """`output_size` with the input's own sizes for None.

    Raises:
        ValueError: for an input without entries, which has no means and maxima.
    """
    wanted: Any = (None,) * n if given is None else given
    if isinstance(wanted, list | tuple) and len(wanted) == n:
        wanted = tuple(m if w is None else w for m, w in zip(shape[2:], wanted, strict=True))
    sizes = ntuple("pool", "output_size", wanted, n, 1)
    if 0 in shape[1:]:
        raise ValueError(
            f"pool: input has shape {tuple(shape)}; channels and spatial sizes must be at least 1"
        )
    return sizes


def _bins(n: int, out: int) -> list[tuple[int, int]]:
    """The bounds floor(i n / out) and ceil((i + 1) n / out) of each bin i of n entries."""
    return [(i * n // out, -(-(i + 1) * n // out)) for i in range(out)]
