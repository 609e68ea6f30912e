"""Convolution, pooling, unfold and fold on images (N, C, H, W), with PyTorch's signatures."""

from __future__ import annotations

from typing import Any

from tinynet import backend
from tinynet.autograd import raw
from tinynet.ops import convolution, pooling, windows
from tinynet.ops.indexing import getitem
from tinynet.ops.linalg import matmul, transposed
from tinynet.ops.shape import pad, reshape
from tinynet.window import Pair, Window, make_window, pair


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Any:
    """y_nopq = b_o + sum_cij w_ocij x_{n, c, p SH + i DH - PH, q SW + j DW - PW}.

    Args:
        input: (N, C, H, W).
        weight: (OC, C / groups, KH, KW).
        bias: (OC,) or None.
        stride, padding, dilation: a number or a pair (height, width); padding may be "valid" (0)
            or "same": with stride 1, as much as keeps H and W, the odd one at the end.
        groups: into how many parts the channels are divided, each convolved with its own.

    Returns:
        (N, OC, OH, OW), OH = (H + 2 PH - DH (KH - 1) - 1) // SH + 1.

    Raises:
        ValueError: if sizes do not fit; the message has them.

    See `tinynet.ops.convolution.conv2d` for the derivation.
    """
    if len(weight.shape) != 4:
        raise ValueError(
            f"conv2d: weight has shape {tuple(weight.shape)}; it must be (OC, C / groups, KH, KW)"
        )
    if isinstance(padding, str):
        input, padding = _named_padding(input, weight, stride, padding, dilation)
    kernel = (weight.shape[2], weight.shape[3])
    window = make_window("conv2d", kernel, stride, padding, dilation)
    return convolution.conv2d(input, weight, bias, window=window, groups=groups)


def _named_padding(
    x: Any, weight: Any, stride: Pair, padding: str, dilation: Pair
) -> tuple[Any, Pair]:
    if padding == "valid":
        return x, 0
    if padding != "same":
        raise ValueError(f"conv2d: padding is {padding!r}; it is a number, a pair, 'same', 'valid'")
    if pair("conv2d", "stride", stride, 1) != (1, 1):
        raise ValueError(f"conv2d: padding='same' keeps the size for stride 1 only, not {stride}")
    dilations = pair("conv2d", "dilation", dilation, 1)
    totals = [d * (k - 1) for d, k in zip(dilations, weight.shape[2:], strict=True)]
    if len(x.shape) != 4 or all(t % 2 == 0 for t in totals):  # conv2d refuses other shapes
        return x, (totals[0] // 2, totals[1] // 2)
    sides = tuple((t // 2, t - t // 2) for t in totals)
    return pad(x, widths=((0, 0), (0, 0), *sides)), 0


def max_pool2d(
    input: Any,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    dilation: Pair = 1,
) -> Any:
    """The largest entry of each window; see `tinynet.ops.pooling.max_pool2d`.

    Args:
        input: (N, C, H, W).
        kernel_size, padding, dilation: a number or a pair (height, width).
        stride: likewise; by default the kernel, so that windows tile.

    Returns:
        (N, C, OH, OW), sizes as for `conv2d`; rows that no whole window reaches are left out.
    """
    _check_floats("max_pool2d", input)
    stride = kernel_size if stride is None else stride
    window = make_window("max_pool2d", kernel_size, stride, padding, dilation)
    return pooling.max_pool2d(input, window=window)


def avg_pool2d(
    input: Any,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    *,
    count_include_pad: bool = True,
) -> Any:
    """The mean of each window: the sum divided by KH KW, as in PyTorch.

    Args:
        input: (N, C, H, W).
        kernel_size, padding: a number or a pair (height, width).
        stride: likewise; by default the kernel.
        count_include_pad: divide by KH KW also where a window overlaps the padding, as if the
            zeros there were data; otherwise by the number of entries that it really covers.

    The last by keyword only: in PyTorch `ceil_mode` comes before it, which is not there.

    Returns:
        (N, C, OH, OW), sizes as for `conv2d`.
    """
    _check_floats("avg_pool2d", input)
    stride = kernel_size if stride is None else stride
    window = make_window("avg_pool2d", kernel_size, stride, padding)
    pooling.check_padding("avg_pool2d", window)
    total = pooling.sum_pool2d(input, window=window)
    if count_include_pad or not any(window.padding):
        return total / window.taps_count
    array = raw(input)
    ones = backend.full((1, 1, *array.shape[2:]), 1.0, array)
    return total / pooling.sum_pool2d(ones, window=window)


def _check_floats(name: str, input: Any) -> None:
    """Raise for integers: their sums overflow and their means are no integers."""
    if raw(input).dtype.kind != "f":
        raise TypeError(
            f"{name}: input is of {raw(input).dtype}; it must be of floats, as by .float()"
        )


def _bins(n: int, out: int) -> list[tuple[int, int]]:
    """Cell i of `out` covers the entries floor(i n / out) to ceil((i + 1) n / out) - 1 of n."""
    return [(i * n // out, -(-(i + 1) * n // out)) for i in range(out)]


def adaptive_avg_pool2d(input: Any, output_size: Pair) -> Any:
    """Means over a grid of OH x OW windows that cover the image, whatever its size.

    Cell i covers rows floor(i H / OH) to ceil((i + 1) H / OH) - 1, so windows overlap where OH
    does not divide H. Averaging is linear along each axis: y = A_H x A_W^T with the rows of A the
    windows, two matrix products.

    Args:
        input: (N, C, H, W).
        output_size: OH and OW, or one number for both.
    """
    _check_floats("adaptive_avg_pool2d", input)
    sizes = pair("adaptive_avg_pool2d", "output_size", output_size, 1)
    Window((1, 1)).output("adaptive_avg_pool2d", input.shape)
    H, W = input.shape[2:]
    array = raw(input)
    means = []
    for n, out in zip((H, W), sizes, strict=True):
        mean = backend.zeros((out, n), array)
        for i, (start, end) in enumerate(_bins(n, out)):
            mean[i, start:end] = 1.0 / (end - start)
        means.append(mean)
    rows = matmul(means[0].reshape(1, 1, *means[0].shape), input)
    return matmul(rows, transposed(means[1].reshape(1, 1, *means[1].shape)))


def adaptive_max_pool2d(input: Any, output_size: Pair) -> Any:
    """The largest entries over the windows of `adaptive_avg_pool2d`; the first of ties wins.

    Args:
        input: (N, C, H, W).
        output_size: OH and OW, or one number for both.
    """
    _check_floats("adaptive_max_pool2d", input)
    OH, OW = pair("adaptive_max_pool2d", "output_size", output_size, 1)
    Window((1, 1)).output("adaptive_max_pool2d", input.shape)
    array = raw(input)
    N, C, H, W = array.shape
    where = backend.empty((N, C, OH, OW), array, "int64")  # the argmax in the flattened image
    for p, (top, bottom) in enumerate(_bins(H, OH)):
        for q, (left, right) in enumerate(_bins(W, OW)):
            h, w = bottom - top, right - left
            best = array[:, :, top:bottom, left:right].reshape(N, C, h * w).argmax(axis=2)
            where[:, :, p, q] = (top + best // w) * W + left + best % w
    n = backend.arange(N, array).reshape(N, 1, 1, 1)
    c = backend.arange(C, array).reshape(1, C, 1, 1)
    return getitem(reshape(input, shape=(N, C, H * W)), index=(n, c, where))


def unfold(
    input: Any, kernel_size: Pair, dilation: Pair = 1, padding: Pair = 0, stride: Pair = 1
) -> Any:
    """im2col: (N, C, H, W) -> (N, C KH KW, OH OW); see `tinynet.ops.windows.unfold`."""
    window = make_window("unfold", kernel_size, stride, padding, dilation)
    return windows.unfold(input, window=window)


def fold(
    input: Any,
    output_size: Pair,
    kernel_size: Pair,
    dilation: Pair = 1,
    padding: Pair = 0,
    stride: Pair = 1,
) -> Any:
    """col2im: (N, C KH KW, OH OW) -> (N, C, *output_size); see `tinynet.ops.windows.fold`."""
    window = make_window("fold", kernel_size, stride, padding, dilation)
    return windows.fold(
        input, output_size=pair("fold", "output_size", output_size, 1), window=window
    )
