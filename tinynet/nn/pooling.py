"""Pooling over the windows of images (N, C, H, W)."""

from __future__ import annotations

from typing import Any

from tinynet import functional
from tinynet.nn.module import Module
from tinynet.window import Pair


class MaxPool2d(Module):
    """The largest entry of each window; see `tinynet.functional.max_pool2d`.

    Args:
        kernel_size: the window (height, width); all arguments may be a pair or one number.
        stride: the distance between windows; defaults to `kernel_size`, so that windows tile.
        padding: at most half of `kernel_size`.
        dilation: the distance between the entries of a window.

    Shapes: (N, C, H, W) -> (N, C, OH, OW); entries that no full window covers are ignored.
    """

    def __init__(
        self, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0, dilation: Pair = 1
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation

    def forward(self, input: Any) -> Any:
        return functional.max_pool2d(
            input, self.kernel_size, self.stride, self.padding, self.dilation
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}"
        )


class AvgPool2d(Module):
    """The mean of each window; see `tinynet.functional.avg_pool2d`.

    Args:
        kernel_size, padding: a number or a pair (height, width).
        stride: a number or a pair; defaults to `kernel_size`.
        count_include_pad: whether the divisor includes the padding. Keyword-only, since PyTorch's
            `ceil_mode` comes before it and is not supported.

    Shapes: (N, C, H, W) -> (N, C, OH, OW).
    """

    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Pair = 0,
        *,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.count_include_pad = padding, count_include_pad

    def forward(self, input: Any) -> Any:
        return functional.avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            count_include_pad=self.count_include_pad,
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AdaptiveAvgPool2d(Module):
    """Means over a grid of windows that covers an image of any size.

    Args:
        output_size: OH and OW, or one number for both.

    Shapes: (N, C, H, W) -> (N, C, OH, OW).

    See `tinynet.functional.adaptive_avg_pool2d`.
    """

    def __init__(self, output_size: Pair) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Any) -> Any:
        return functional.adaptive_avg_pool2d(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"
