"""Sliding windows: their geometry, and im2col and col2im, the pair `unfold` and `fold`.

Sizes, here and in every file that slides a window:

    N examples, C channels, H W height and width of the input
    OC OH OW of the output; KH KW of the kernel (the window)
    SH SW stride, PH PW padding on each side, DH DW dilation (the step between the window's taps)

Output cell (p, q) looks at the padded input's rows p SH + i DH, i < KH, and columns q SW + j DW,
j < KW. So OH = (H + 2 PH - DH (KH - 1) - 1) // SH + 1; rows that no window reaches do not count.

**Memory order.** Shapes are (N, C, H, W) for everybody, but these operations lay the bytes with
N innermost: an array (C, H, W, N) in C order, looked at with its axes permuted (`batch_last`).
Then every slice that they take is made of long contiguous runs, the results of the matrix products
already are the output, and elementwise operations in between keep the order by themselves.

The formulas as nested loops: `im2col` and `col2im` in `tinynet.testing.definitions`.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tinynet.autograd import Op
from tinynet.backend import array_module
from tinynet.memory import as_strided, first_axis_last

Pair = int | tuple[int, int]


@dataclass(frozen=True)
class Window:
    """The geometry of a sliding window, checked; pairs are (height, width)."""

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)

    @functools.cached_property
    def disjoint(self) -> bool:
        """Whether no two windows meet the same input cell."""
        sides = zip(self.kernel, self.dilation, self.stride, strict=True)
        return all(s > d * (k - 1) for k, d, s in sides)

    def tiles(self, size: tuple[int, int]) -> bool:
        """Whether each cell of an input (H, W) is in one window, and the padding in none."""
        return (
            self.kernel == self.stride
            and self.padding == (0, 0)
            and all(d == 1 or k == 1 for d, k in zip(self.dilation, self.kernel, strict=True))
            and all(n % k == 0 for n, k in zip(size, self.kernel, strict=True))
        )

    def output(self, name: str, shape: tuple[int, ...]) -> tuple[int, int]:
        """(OH, OW) for an input (N, C, H, W).

        Raises:
            ValueError: if the input has not four axes, or a window is larger than it with its
                padding.
        """
        if len(shape) != 4:
            raise ValueError(
                f"{name}: input has shape {tuple(shape)}; it must be (N, C, H, W): examples, "
                "channels, height, width"
            )
        (KH, KW), (SH, SW), (PH, PW), (DH, DW) = (
            self.kernel, self.stride, self.padding, self.dilation,
        )  # fmt: skip
        height, width = shape[2] + 2 * PH, shape[3] + 2 * PW
        tall, wide = DH * (KH - 1) + 1, DW * (KW - 1) + 1
        if tall > height or wide > width:
            raise ValueError(
                f"{name}: the window of {tall}x{wide} (kernel {self.kernel}, dilation "
                f"{self.dilation}) is larger than the padded input of {height}x{width} "
                f"(input {tuple(shape)}, padding {self.padding})"
            )
        return (height - tall) // SH + 1, (width - wide) // SW + 1

    @functools.cached_property
    def row_step(self) -> int:
        """Output rows so many apart look at rows that are a multiple of the dilation apart."""
        return self.dilation[0] // math.gcd(self.stride[0], self.dilation[0])

    def taps(self, OH: int, OW: int) -> list[tuple[int, int, slice, slice]]:
        """For each tap (i, j) of the window, the rows and columns of the padded input that it
        meets as the window visits all output cells."""
        rows = _met(self.kernel[0], self.stride[0], self.dilation[0], OH)
        columns = _met(self.kernel[1], self.stride[1], self.dilation[1], OW)
        return [(i, j, r, c) for i, r in enumerate(rows) for j, c in enumerate(columns)]


@functools.lru_cache(maxsize=256)
def _met(kernel: int, stride: int, dilation: int, cells: int) -> tuple[slice, ...]:
    """Along one axis, what each tap of the kernel meets."""
    end = stride * (cells - 1) + 1
    return tuple([slice(i * dilation, i * dilation + end, stride) for i in range(kernel)])


def pair(name: str, argument: str, value: Any, least: int) -> tuple[int, int]:
    """An integer, or two for (height, width), as two.

    Raises:
        TypeError: for anything but integers.
        ValueError: for one below `least`.
    """
    # the usual cases, without asking what a Sequence is
    if type(value) is int and value >= least:
        return value, value
    if type(value) is tuple and [*map(type, value)] == [int, int] and min(value) >= least:
        return value
    both = tuple(value) if isinstance(value, Sequence) else (value, value)
    try:
        both = tuple(map(operator.index, both))
    except TypeError:
        raise TypeError(f"{name}: {argument} is {value!r}; it must be an integer or two") from None
    if len(both) != 2:
        raise ValueError(f"{name}: {argument} is {value!r}; it must be an integer or two")
    if min(both) < least:
        raise ValueError(f"{name}: {argument} is {value}; it must be at least {least}")
    return both


def make_window(
    name: str, kernel_size: Pair, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1
) -> Window:
    """A window from numbers or pairs.

    Raises:
        ValueError: if kernel, stride or dilation is below 1 or padding below 0.
        TypeError: for anything but integers and pairs of them.
    """
    return _window(
        pair(name, "kernel_size", kernel_size, 1),
        pair(name, "stride", stride, 1),
        pair(name, "padding", padding, 0),
        pair(name, "dilation", dilation, 1),
    )


# One object for each geometry, so that what it works out is there in the next step.
_window = functools.lru_cache(maxsize=256)(Window)


def batch_last(x: Any) -> Any:
    """(N, C, H, W) -> (C, H, W, N), contiguous: a view if the bytes lie so already."""
    return first_axis_last(x)


def batch_first(x: Any) -> Any:
    """(C, H, W, N) -> (N, C, H, W), always a view."""
    return x.transpose(3, 0, 1, 2)


def padded(x: Any, padding: tuple[int, int], value: float = 0.0) -> Any:
    """(C, H, W, N) with PH rows and PW columns of `value` on each side; x itself for none."""
    PH, PW = padding
    if PH == 0 and PW == 0:
        return x
    C, H, W, N = x.shape
    y = array_module(x).full((C, H + 2 * PH, W + 2 * PW, N), value, dtype=x.dtype)
    y[:, PH : PH + H, PW : PW + W] = x
    return y


def zeros_with_border(shape: tuple[int, ...], window: Window, like: Any) -> Any:
    """Zeros for an input (C, H, W, N) with its padding, of the kind of the array `like`."""
    C, H, W, N = shape
    PH, PW = window.padding
    return array_module(like).zeros((C, H + 2 * PH, W + 2 * PW, N), like.dtype)


def without_border(x: Any, window: Window) -> Any:
    """A padded (C, H, W, N) without its padding: a view."""
    PH, PW = window.padding
    return x[:, PH : x.shape[1] - PH, PW : x.shape[2] - PW]


def window_view(x: Any, window: Window, OH: int, OW: int) -> Any:
    """v[c, i, j, p, q, n] = x[c, p SH + i DH, q SW + j DW, n] for a padded x (C, H, W, N): a view.

    It must not be written to: an entry of x stands in it once for each window that covers it.
    """
    (KH, KW), (SH, SW), (DH, DW) = window.kernel, window.stride, window.dilation
    sc, sh, sw, sn = x.strides
    shape = (x.shape[0], KH, KW, OH, OW, x.shape[3])
    return as_strided(x, shape, (sc, sh * DH, sw * DW, sh * SH, sw * SW, sn))


def add_windows(x: Any, col: Any, window: Window) -> None:
    """Its adjoint: add col (C, KH, KW, OH, OW, N) into the padded x (C, H, W, N).

    An input cell is in as many columns as windows cover it. Copying gave each of them its value,
    so its gradient is the sum of theirs: += and not =.
    """
    for i, j, rows, columns in window.taps(*col.shape[3:5]):
        x[:, rows, columns] += col[:, i, j]


@Op
def unfold(x: Any, *, window: Window) -> Any:
    """y[n, c KH KW + i KW + j, p OW + q] = padded x[n, c, p SH + i DH, q SW + j DW]: im2col.

    Derivation: every entry of y is one of x, so <gy, dy> = <each gy summed where it came from, dx>
        = <fold(gy), dx>.
        gx = fold(gy, output_size=x_shape[2:], window=window)
    Jacobian: selection; an input entry is selected once for each window that covers it.
    Kinks: none; linear.
    Cost: KH KW copies of x forward, as many additions backward; keeps the shape of x.
    Shapes: x (N, C, H, W), y (N, C KH KW, OH OW); dtype of x.
    Errors: ValueError if x has not four axes or the window is larger than the padded input.
    Source: K. Chellapilla, S. Puri and P. Simard, High performance convolutional neural networks
        for document processing (2006), section 2.
    """
    OH, OW = window.output("unfold", x.shape)
    view = window_view(padded(batch_last(x), window.padding), window, OH, OW)
    C, KH, KW, OH, OW, N = view.shape
    col = view.transpose(5, 0, 1, 2, 3, 4).copy()
    return col.reshape(N, C * KH * KW, OH * OW)


@unfold.rule("x")
def unfold_gx(gy: Any, x_shape: tuple[int, ...], window: Window) -> Any:
    return fold(gy, output_size=x_shape[2:], window=window)


@Op
def fold(x: Any, *, output_size: tuple[int, int], window: Window) -> Any:
    """y[n, c, h, w] = the sum of all x[n, c KH KW + i KW + j, p OW + q] with p SH + i DH = h + PH
    and q SW + j DW = w + PW: col2im, unfold's adjoint.

    Derivation: as each x is added into one y, <gy, dy> = <gy where each x went, dx>
        = <unfold(gy), dx>.
        gx = unfold(gy, window=window)
    Jacobian: the transpose of unfold's.
    Kinks: none; linear.
    Cost: n additions forward, n copies backward; keeps nothing.
    Shapes: x (N, C KH KW, OH OW), y (N, C, *output_size); dtype of x.
    Errors: ValueError if the columns are not as many as the windows of `output_size`.
    Source: K. Chellapilla, S. Puri and P. Simard (2006), section 2, read backwards.
    """
    H, W = output_size
    KH, KW = window.kernel
    OH, OW = window.output("fold", (1, 1, H, W))
    if x.ndim != 3 or x.shape[1] % (KH * KW) or x.shape[2] != OH * OW:
        raise ValueError(
            f"fold: input {tuple(x.shape)} must be (N, C * {KH * KW}, {OH * OW}) for a kernel "
            f"{window.kernel} that visits {OH}x{OW} cells of {H}x{W}"
        )
    N, C = x.shape[0], x.shape[1] // (KH * KW)
    col = x.transpose(1, 2, 0).reshape(C, KH, KW, OH, OW, N)
    y = zeros_with_border((C, H, W, N), window, x)
    add_windows(y, col, window)
    return batch_first(without_border(y, window))


@fold.rule("x")
def fold_gx(gy: Any, window: Window) -> Any:
    return unfold(gy, window=window)
