"""Unpooling over one, two or three axes: maxima back at the places that they came from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tinynet import backend
from tinynet.autograd import raw
from tinynet.functional.spatial import by_example, over_axes
from tinynet.ops.indexing import index_add, plain_index
from tinynet.ops.shape import reshape
from tinynet.window import Sizes, Window, make_window, ntuple

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


def max_unpool(
    input: Tensor,
    indices: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
    *,
    n: int,
) -> Any:
    """Zeros with x_ncpq at the place indices_ncpq of the flattened H x W: undoes `max_pool2d`.

    Of several entries for one place the last is kept; each of them gets the gradient of the place,
    as in PyTorch.

    Args:
        input: (N, C, OH, OW) or (C, OH, OW).
        indices: of the same shape, as `max_pool2d` returns them.
        kernel_size, stride, padding: those of `max_pool2d`.
        output_size: (H, W), or the whole shape; by default the smallest that the pool could have
            had, (OH - 1) SH - 2 PH + KH.

    Returns:
        (N, C, H, W) or (C, H, W).
    """
    if indices.dtype.kind != "i" or indices.shape != input.shape:
        raise ValueError(
            f"unpool: indices is {indices.dtype} {indices.shape}; it must be integers of the shape "
            f"of input {input.shape}"
        )
    index = plain_index(indices, raw(input))
    return _unpooled(input, index, kernel_size, stride, padding, output_size, n=n)


max_unpool1d, max_unpool2d, max_unpool3d = over_axes(max_unpool, 1, 2, 3)


@by_example
def _unpooled(
    x: Any,
    index: Any,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    output_size: Sequence[int] | None,
    *,
    n: int,
) -> Any:
    stride = kernel_size if stride is None or stride == () else stride
    window = make_window("unpool", kernel_size, stride, padding, n=n)
    sides = zip(x.shape[2:], window.kernel, window.stride, window.padding, strict=True)
    size = tuple((m - 1) * s - 2 * p + k for m, k, s, p in sides)
    if output_size is not None:
        if not isinstance(output_size, Sequence):
            raise TypeError(f"unpool: output_size is {output_size}; it must be a tuple of sizes")
        size = _unpooled_size(tuple(output_size), size, window, tuple(x.shape))
    rows, cells, count = math.prod(x.shape[:2]), math.prod(x.shape[2:]), math.prod(size)
    backend.check(
        (index >= 0) & (index < count),
        lambda: ValueError(
            f"unpool: indices range from {int(index.min())} to {int(index.max())}; for an output "
            f"of size {size} they must be from 0 to {count - 1}"
        ),
    )
    at = (backend.arange(rows, index).reshape(rows, 1), index.reshape(rows, cells))
    flat, own = reshape(x, shape=(rows, cells)), backend.arange(cells, index)
    last = backend.zeros((rows, count), index, "int64")
    last[at] = own  # the last entry for each place; the others become 0, with their gradient
    flat = flat - raw(flat) * (last[at] != own)
    y = index_add(flat, shape=(rows, count), indices=(at,))
    return reshape(y, shape=(*x.shape[:2], *size))


def _unpooled_size(
    given: tuple[int, ...], default: tuple[int, ...], window: Window, shape: tuple[int, ...]
) -> tuple[int, ...]:
    """The spatial sizes in `output_size`, which differ from the default by less than a stride."""
    n = len(default)
    size = given[-n:] if len(given) in (n, n + 1, n + 2) else ()
    steps = zip(size, default, window.stride, strict=False)
    whole = all(isinstance(g, int) for g in size)
    if not size or not whole or any(not d - s < g < d + s for g, d, s in steps):
        raise ValueError(
            f"unpool: output_size is {given}; for input {shape} it must be within less than a "
            f"stride {window.stride} of {default}"
        )
    return ntuple("unpool", "output_size", size, n, 1)
