"""Convolution, pooling, unfold and fold on images (N, C, H, W), with PyTorch's signatures."""

from __future__ import annotations

from typing import Any

from tinynet import backend
from tinynet.autograd import raw
from tinynet.dtypes import in_float32
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
        stride, padding, dilation: an integer or a pair (height, width). padding may also be
            "valid" (0) or "same", which keeps H and W, for stride 1 only; if the total padding of
            an axis is odd, the extra row or column goes at the end.
        groups: the number of channel groups; each is convolved with its own weights.

    Returns:
        (N, OC, OH, OW), OH = (H + 2 PH - DH (KH - 1) - 1) // SH + 1.

    Raises:
        ValueError: if the sizes do not match; the message states them.

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


def check_named_padding(name: str, padding: str, stride: Pair) -> None:
    """Raise ValueError unless padding is "valid", or "same" with stride 1."""
    if padding not in ("same", "valid"):
        raise ValueError(f"{name}: padding is {padding!r}; it must be 'same', 'valid' or integers")
    if padding == "same" and pair(name, "stride", stride, 1) != (1, 1):
        raise ValueError(f"{name}: padding='same' requires stride 1; stride is {stride}")


def _named_padding(
    x: Any, weight: Any, stride: Pair, padding: str, dilation: Pair
) -> tuple[Any, Pair]:
    check_named_padding("conv2d", padding, stride)
    if padding == "valid":
        return x, 0
    dilations = pair("conv2d", "dilation", dilation, 1)
    totals = [d * (k - 1) for d, k in zip(dilations, weight.shape[2:], strict=True)]
    if len(x.shape) != 4 or all(t % 2 == 0 for t in totals):  # conv2d checks the shape
        return x, (totals[0] // 2, totals[1] // 2)
    sides = tuple((t // 2, t - t // 2) for t in totals)
    return pad(x, widths=((0, 0), (0, 0), *sides)), 0


def max_pool2d(
    input: Any, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0, dilation: Pair = 1
) -> Any:
    """The maximum of each window; see `tinynet.ops.pooling.max_pool2d`.

    Args:
        input: (N, C, H, W).
        kernel_size, padding, dilation: an integer or a pair (height, width).
        stride: likewise; by default kernel_size, so that the windows tile the input.

    Returns:
        (N, C, OH, OW), with the sizes of `conv2d`; trailing rows without a full window are ignored.
    """
    _check_floats("max_pool2d", input)
    stride = kernel_size if stride is None else stride
    window = make_window("max_pool2d", kernel_size, stride, padding, dilation)
    return pooling.max_pool2d(input, window=window)


@in_float32
def avg_pool2d(
    input: Any,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    *,
    count_include_pad: bool = True,
) -> Any:
    """The mean of each window: its sum divided by KH KW, as in PyTorch.

    Args:
        input: (N, C, H, W).
        kernel_size, padding: an integer or a pair (height, width).
        stride: likewise; by default kernel_size.
        count_include_pad: if True, count the zeros of the padding as data and divide by KH KW
            everywhere; if False, divide by the number of input entries in the window. Keyword-only,
            because PyTorch's `ceil_mode`, which precedes it, is not supported.

    Returns:
        (N, C, OH, OW), with the sizes of `conv2d`.
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
    """Raise TypeError for integers: their sums may overflow and their means are not integers."""
    if raw(input).dtype.kind != "f":
        raise TypeError(f"{name}: input is {raw(input).dtype}; convert it with .float()")


def _bins(n: int, out: int) -> list[tuple[int, int]]:
    """The bounds floor(i n / out) and ceil((i + 1) n / out) of each bin i of n entries."""
    return [(i * n // out, -(-(i + 1) * n // out)) for i in range(out)]


@in_float32
def adaptive_avg_pool2d(input: Any, output_size: Pair) -> Any:
    """The means over a grid of OH x OW windows that cover an image of any size.

    Window i covers rows floor(i H / OH) to ceil((i + 1) H / OH) - 1, so windows overlap unless OH
    divides H. Averaging is linear along each axis, so it is two matrix products, y = A_H x A_W^T,
    with one window in each row of A.

    Args:
        input: (N, C, H, W).
        output_size: OH and OW, or one integer for both.

    Returns:
        (N, C, OH, OW).
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
    """The maxima over the windows of `adaptive_avg_pool2d`; of tied entries the first is taken.

    Args:
        input: (N, C, H, W).
        output_size: OH and OW, or one integer for both.

    Returns:
        (N, C, OH, OW).
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
