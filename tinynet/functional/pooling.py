"""Pooling over one, two or three axes; one definition for all, `n` is the number of axes.

Without an axis of examples, (C, H, W), the result has none either.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tinynet import backend
from tinynet.autograd import raw
from tinynet.backend import array_module
from tinynet.dtypes import in_float32
from tinynet.functional.spatial import by_example, over_axes
from tinynet.functions.arguments import integer
from tinynet.functions.operands import only_floats
from tinynet.functions.public import function, unrecorded
from tinynet.kernels.pooling import first_argmax
from tinynet.ops import pooling
from tinynet.ops.elementary import pow
from tinynet.window import Sizes, Window, make_window, ntuple

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


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
    return window.rounded_up(shape[2:]) if ceil_mode else window


# --- maxima -------------------------------------------------------------------------------------


@by_example
def max_pool(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
    *,
    n: int,
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
    dtype = input.dtype
    if dtype.kind == "b":
        raise TypeError(f"pool: input is {dtype}; convert it with .float()")
    window = _window(n, kernel_size, stride, padding, dilation, ceil_mode, input.shape)
    if dtype.kind != "f":  # as int64, whose lowest number stands for the padding
        input = unrecorded(input, raw(input).astype("int64"))
    y = pooling.max_pool2d(input, window=window)
    places = _places(raw(input), raw(y), window) if return_indices else None
    if dtype.kind != "f":
        y = unrecorded(input, raw(y).astype(dtype))
    return y if places is None else (y, unrecorded(input, places))


max_pool1d, max_pool2d, max_pool3d = over_axes(max_pool, 1, 2, 3)


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


# --- means --------------------------------------------------------------------------------------


@by_example
@in_float32
def avg_pool(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    n: int,
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
    dtype = input.dtype
    if dtype.kind != "f" and dtype != "int64":
        raise TypeError(f"pool: input is {dtype}; convert it with .float()")
    window = _window(n, kernel_size, stride, padding, 1, ceil_mode, input.shape)
    pooling.check_padding("pool", window)
    total = pooling.sum_pool2d(input, window=window)
    count: Any = divisor_override
    if count is None:
        count = _counts(raw(input), window, count_include_pad)
    elif integer("pool", "divisor_override", count) == 0:
        raise ValueError("pool: divisor_override is 0; it must be another integer")
    if dtype.kind == "f":
        return total / count
    total = raw(total)  # of integers, rounded towards 0 as in PyTorch
    mean = total // count
    mean = mean + ((total % count != 0) & (mean < 0))
    return unrecorded(input, mean)


avg_pool2d, avg_pool3d = over_axes(avg_pool, 2, 3)


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
    return avg_pool(input, kernel_size, stride, padding, ceil_mode, count_include_pad, n=1)


def _counts(x: Any, window: Window, with_padding: bool) -> Any:
    """How many entries each window has in the input, or in the padded input."""
    if not window.pads or (with_padding and not any(window.end)):
        return window.taps_count
    size, of_ones = x.shape[2:], window
    if with_padding:  # the padding counts as data, what ceil_mode adds does not
        size = tuple(n + 2 * p for n, p in zip(size, window.padding, strict=True))
        of_ones = Window(window.kernel, window.stride, (), (), window.end)
    return pooling.sum_pool2d(backend.full((1, 1, *size), 1, x), window=of_ones)


@by_example
@in_float32
def lp_pool(
    input: Tensor,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    ceil_mode: bool = False,
    *,
    n: int,
) -> Tensor:
    """(sum x^p)^(1/p) of each window, for p = `norm_type`, without absolute values, as in PyTorch.

    With an odd p it is NaN where the sum is negative. With ceil_mode, the sum of a window that
    passes the end is scaled up to KH KW entries.

    Source: P. Sermanet, S. Chintala and Y. LeCun, arXiv:1204.3968, section 2.2.
    """
    only_floats("pool", input)
    if not isinstance(norm_type, int | float) or (p := float(norm_type)) == 0:
        raise ValueError(f"pool: norm_type is {norm_type}; it must be a number, not 0")
    mean = avg_pool(pow(input, p), kernel_size, stride, 0, ceil_mode, n=n)
    taps = math.prod(ntuple("pool", "kernel_size", kernel_size, n, 1))
    return pow(mean * taps, 1.0 / p)


lp_pool1d, lp_pool2d, lp_pool3d = over_axes(lp_pool, 1, 2, 3)
