"""Pooling over one, two or three axes; one definition for all, `n` is the number of axes.

Without an axis of examples, (C, H, W), the result has none either.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tinynet import backend
from tinynet.autograd import raw
from tinynet.backend import array_module
from tinynet.functional.spatial import along_axis, by_example, check_floats, check_tensor
from tinynet.functions.public import function, unrecorded
from tinynet.kernels.pooling import first_argmax
from tinynet.ops import pooling
from tinynet.ops.elementary import pow
from tinynet.ops.indexing import getitem, index_add, plain_index
from tinynet.ops.shape import reshape
from tinynet.window import Sizes, Window, make_window, ntuple

if TYPE_CHECKING:
    from tinynet.tensor import Tensor

OutputSizes = int | None | Sequence[int | None]


# --- maxima -------------------------------------------------------------------------------------


@function
def max_pool1d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """As `max_pool2d`, over one axis: (N, C, W) or (C, W)."""
    return by_example(
        1, _max_pool, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


@function
def max_pool2d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of each window; see `tinynet.ops.pooling.max_pool2d`.

    Args:
        input: (N, C, H, W) or (C, H, W).
        kernel_size, padding, dilation: an integer or a pair (height, width).
        stride: likewise; by default kernel_size, so that the windows tile the input.
        ceil_mode: if True, windows that pass the end are taken too, if they begin in the input or
            in the padding before it; if False, trailing rows without a full window are ignored.
        return_indices: if True, also return the place of each maximum in the flattened H x W.

    Returns:
        (N, C, OH, OW), with the sizes of `conv2d`; with indices a pair of such tensors.
    """
    return by_example(
        2, _max_pool, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


@function
def max_pool3d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """As `max_pool2d`, over three axes: (N, C, D, H, W) or (C, D, H, W)."""
    return by_example(
        3, _max_pool, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def _window(
    n: int,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
    shape: Sequence[int],
) -> Window:
    if 0 in shape[1:]:
        raise ValueError(
            f"pool: input has shape {tuple(shape)}; channels and spatial sizes must be at least 1"
        )
    stride = kernel_size if stride is None or stride == () else stride
    window = make_window("pool", kernel_size, stride, padding, dilation, n=n)
    pooling.check_padding("pool", window)
    return window.rounded_up(shape[2:]) if ceil_mode else window


def _max_pool(
    n: int,
    x: Any,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    dtype = raw(x).dtype
    if dtype.kind == "b":
        raise TypeError(f"pool: input is {dtype}; convert it with .float()")
    window = _window(n, kernel_size, stride, padding, dilation, ceil_mode, x.shape)
    if dtype.kind != "f":  # as int64, whose lowest number stands for the padding
        x = unrecorded(x, raw(x).astype("int64"))
    y = pooling.max_pool2d(x, window=window)
    places = _places(raw(x), raw(y), window) if return_indices else None
    if dtype.kind != "f":
        y = unrecorded(x, raw(y).astype(dtype))
    return y if places is None else (y, unrecorded(x, places))


def _places(x: Any, y: Any, window: Window) -> Any:
    """The place of the maximum of each window, in the flattened spatial axes of x."""
    if x.dtype.kind == "f":  # a NaN is a maximum, but equals nothing
        xp = array_module(x)
        x, y = (xp.where(xp.isnan(a), math.inf, a) for a in (x, y))
    tap = first_argmax(x, y, window).astype("int64")
    size, cells, n = x.shape[2:], y.shape[2:], len(window.kernel)
    place: Any = 0
    for axis in reversed(range(n)):
        k = window.kernel[axis]
        along = backend.arange(cells[axis], x).reshape([-1 if a == axis else 1 for a in range(n)])
        first = along * window.stride[axis] - window.padding[axis]
        place = place + (first + tap % k * window.dilation[axis]) * math.prod(size[axis + 1 :])
        tap = tap // k
    return place


@function
def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """As `max_unpool2d`, over one axis."""
    return _max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


@function
def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
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
    return _max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


@function
def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """As `max_unpool2d`, over three axes."""
    return _max_unpool(3, input, indices, kernel_size, stride, padding, output_size)


def _max_unpool(
    n: int,
    input: Any,
    indices: Any,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    output_size: Sequence[int] | None,
) -> Any:
    check_tensor("unpool", "indices", indices)
    index = plain_index(indices, raw(input))
    if index.dtype.kind != "i" or tuple(index.shape) != tuple(input.shape):
        raise ValueError(
            f"unpool: indices is {index.dtype} {tuple(index.shape)}; it must be integers of the "
            f"shape of input {tuple(input.shape)}"
        )
    return by_example(n, _unpooled, input, index, kernel_size, stride, padding, output_size)


def _unpooled(
    n: int,
    x: Any,
    index: Any,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    output_size: Sequence[int] | None,
) -> Any:
    stride = kernel_size if stride is None or stride == () else stride
    window = make_window("unpool", kernel_size, stride, padding, n=n)
    sides = zip(x.shape[2:], window.kernel, window.stride, window.padding, strict=True)
    size = tuple((m - 1) * s - 2 * p + k for m, k, s, p in sides)
    if output_size is not None:
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
    if not size or any(not d - s < g < d + s for g, d, s in steps):
        raise ValueError(
            f"unpool: output_size is {given}; for input {shape} it must be within less than a "
            f"stride {window.stride} of {default}"
        )
    return ntuple("unpool", "output_size", size, n, 1)


# --- means --------------------------------------------------------------------------------------


@function
def avg_pool1d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """As `avg_pool2d`, over one axis: (N, C, W) or (C, W)."""
    return by_example(
        1, _avg_pool, input, kernel_size, stride, padding, ceil_mode, count_include_pad
    )


@function
def avg_pool2d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window: its sum divided by KH KW, as in PyTorch.

    Args:
        input: (N, C, H, W) or (C, H, W).
        kernel_size, padding: an integer or a pair (height, width).
        stride: likewise; by default kernel_size.
        ceil_mode: if True, windows that pass the end are taken too, if they begin in the input or
            in the padding before it. What lies beyond the padding is never counted.
        count_include_pad: if True, count the zeros of the padding as data; if False, divide by the
            number of input entries in the window.
        divisor_override: a divisor for all windows instead.

    Returns:
        (N, C, OH, OW), with the sizes of `conv2d`.
    """
    return by_example(
        2,
        _avg_pool,
        input,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad,
        divisor_override,
    )


@function
def avg_pool3d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """As `avg_pool2d`, over three axes: (N, C, D, H, W) or (C, D, H, W)."""
    return by_example(
        3,
        _avg_pool,
        input,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad,
        divisor_override,
    )


def _avg_pool(
    n: int,
    x: Any,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: int | None = None,
) -> Any:
    dtype = raw(x).dtype
    if dtype.kind != "f" and dtype != "int64":
        raise TypeError(f"pool: input is {dtype}; convert it with .float()")
    window = _window(n, kernel_size, stride, padding, 1, ceil_mode, x.shape)
    total = pooling.sum_pool2d(x, window=window)
    if divisor is not None:
        count = operator.index(divisor)
        if count == 0:
            raise ValueError("pool: divisor_override is 0; it must be another integer")
    else:
        count = _counts(raw(x), window, count_include_pad)
    if dtype.kind == "f":
        return total / count
    total = raw(total)  # of integers, rounded towards 0 as in PyTorch
    mean = total // count
    mean = mean + ((total % count != 0) & (mean < 0))
    return unrecorded(x, mean)


def _counts(x: Any, window: Window, with_padding: bool) -> Any:
    """How many entries each window has in the input, or in the padded input."""
    if not window.pads or (with_padding and not any(window.end)):
        return window.taps_count
    size, of_ones = x.shape[2:], window
    if with_padding:  # the padding counts as data, what ceil_mode adds does not
        size = tuple(n + 2 * p for n, p in zip(size, window.padding, strict=True))
        of_ones = Window(window.kernel, window.stride, (), (), window.end)
    return pooling.sum_pool2d(backend.full((1, 1, *size), 1, x), window=of_ones)


@function
def lp_pool1d(
    input: Tensor,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """As `lp_pool2d`, over one axis."""
    return by_example(1, _lp_pool, input, norm_type, kernel_size, stride, ceil_mode)


@function
def lp_pool2d(
    input: Tensor,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """(sum x^p)^(1/p) of each window, for p = `norm_type`, without absolute values, as in PyTorch.

    With an odd p it is NaN where the sum is negative. With ceil_mode, the sum of a window that
    passes the end is scaled up to KH KW entries.

    Source: P. Sermanet, S. Chintala and Y. LeCun, arXiv:1204.3968, section 2.2.
    """
    return by_example(2, _lp_pool, input, norm_type, kernel_size, stride, ceil_mode)


@function
def lp_pool3d(
    input: Tensor,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """As `lp_pool2d`, over three axes."""
    return by_example(3, _lp_pool, input, norm_type, kernel_size, stride, ceil_mode)


def _lp_pool(
    n: int,
    x: Any,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None,
    ceil_mode: bool,
) -> Any:
    check_floats("pool", x)
    p = float(norm_type)
    if p == 0:
        raise ValueError("pool: norm_type is 0; it must be another number")
    powers = pow(x, p)
    mean = _avg_pool(n, powers, kernel_size, stride, 0, ceil_mode, True)
    taps = math.prod(ntuple("pool", "kernel_size", kernel_size, n, 1))
    return pow(mean * taps, 1.0 / p)


# --- a grid of windows over an input of any size ------------------------------------------------


@function
def adaptive_avg_pool1d(input: Tensor, output_size: OutputSizes) -> Tensor:
    """As `adaptive_avg_pool2d`, over one axis: (N, C, W) or (C, W)."""
    return by_example(1, _adaptive_avg, input, output_size)


@function
def adaptive_avg_pool2d(input: Tensor, output_size: OutputSizes) -> Tensor:
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
    return by_example(2, _adaptive_avg, input, output_size)


@function
def adaptive_avg_pool3d(input: Tensor, output_size: OutputSizes) -> Tensor:
    """As `adaptive_avg_pool2d`, over three axes."""
    return by_example(3, _adaptive_avg, input, output_size)


@function
def adaptive_max_pool1d(
    input: Tensor, output_size: OutputSizes, return_indices: bool = False
) -> Any:
    """As `adaptive_max_pool2d`, over one axis: (N, C, W) or (C, W)."""
    return by_example(1, _adaptive_max, input, output_size, return_indices)


@function
def adaptive_max_pool2d(
    input: Tensor, output_size: OutputSizes, return_indices: bool = False
) -> Any:
    """The maxima over the windows of `adaptive_avg_pool2d`; of tied entries the first is taken.

    Args:
        input: (N, C, H, W) or (C, H, W).
        output_size: OH and OW, or one integer for both; None keeps a size.
        return_indices: if True, also return the place of each maximum in the flattened H x W.

    Returns:
        (N, C, OH, OW), or a pair of such tensors.
    """
    return by_example(2, _adaptive_max, input, output_size, return_indices)


@function
def adaptive_max_pool3d(
    input: Tensor, output_size: OutputSizes, return_indices: bool = False
) -> Any:
    """As `adaptive_max_pool2d`, over three axes."""
    return by_example(3, _adaptive_max, input, output_size, return_indices)


def _adaptive_avg(n: int, x: Any, output_size: OutputSizes) -> Any:
    check_floats("pool", x)
    sizes = _output_sizes(n, output_size, x.shape)
    for axis, out in enumerate(sizes, start=2):
        m = x.shape[axis]
        means = [[0.0] * m for _ in range(out)]
        for row, (start, end) in zip(means, _bins(m, out), strict=True):
            row[start:end] = [1.0 / (end - start)] * (end - start)
        x = along_axis(means, x, axis)
    return x


def _adaptive_max(n: int, x: Any, output_size: OutputSizes, return_indices: bool) -> Any:
    check_floats("pool", x)
    sizes = _output_sizes(n, output_size, x.shape)
    (N, C), size, best = x.shape[:2], x.shape[2:], raw(x)
    xp, count = array_module(best), math.prod(size)
    # the place of each entry in the flattened image; reduced axis by axis, like the maxima
    place = backend.zeros(best.shape, best, "int64") + backend.arange(count, best).reshape(size)
    for axis in reversed(range(2, n + 2)):
        maxima, places = [], []
        for start, end in _bins(size[axis - 2], sizes[axis - 2]):
            bin = (slice(None),) * axis + (slice(start, end),)
            k = best[bin].argmax(axis=axis, keepdims=True)
            maxima.append(xp.take_along_axis(best[bin], k, axis=axis))
            places.append(xp.take_along_axis(place[bin], k, axis=axis))
        best, place = (xp.concatenate(parts, axis=axis) for parts in (maxima, places))
    example = backend.arange(N, best).reshape(N, 1, *(1,) * n)
    channel = backend.arange(C, best).reshape(1, C, *(1,) * n)
    y = getitem(reshape(x, shape=(N, C, count)), index=(example, channel, place))
    return (y, unrecorded(x, place)) if return_indices else y


def _output_sizes(n: int, given: OutputSizes, shape: tuple[int, ...]) -> tuple[int, ...]:
    """`output_size` with the input's own sizes for None.

    Raises:
        ValueError: for an input without entries, which has no means and maxima.
    """
    wanted = given if isinstance(given, Sequence) else (given,) * n
    if len(wanted) == n:
        wanted = [m if w is None else w for m, w in zip(shape[2:], wanted, strict=True)]
    sizes = ntuple("pool", "output_size", tuple(wanted), n, 1)
    if 0 in shape[1:]:
        raise ValueError(
            f"pool: input has shape {tuple(shape)}; channels and spatial sizes must be at least 1"
        )
    return sizes


def _bins(n: int, out: int) -> list[tuple[int, int]]:
    """The bounds floor(i n / out) and ceil((i + 1) n / out) of each bin i of n entries."""
    return [(i * n // out, -(-(i + 1) * n // out)) for i in range(out)]
