"""Pooling layers over one, two or three axes; the functions are in `tinynet.functional`.

One definition for all dimensions: a class with `2d` in its name is the same for images, (N, C, H,
W), as the class with `1d` for (N, C, W) and that with `3d` for (N, C, D, H, W); N may be missing.
"""

from __future__ import annotations

from typing import Any, ClassVar

from tinynet import functional
from tinynet.functional.adaptive import OutputSizes
from tinynet.nn.module import Module
from tinynet.window import Sizes


class _Pool(Module):
    """Keeps its options under their names and shows those named in `_shown`."""

    _function: Any
    _shown: tuple[str, ...] = ("kernel_size", "stride", "padding")

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={getattr(self, name)}" for name in self._shown)


class _MaxPool(_Pool):
    _shown = (*_Pool._shown, "dilation", "ceil_mode")

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, input: Any) -> Any:
        return self._function(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
            self.return_indices,
        )  # fmt: skip


class MaxPool1d(_MaxPool):
    """As `MaxPool2d`, over one axis."""

    _function = staticmethod(functional.max_pool1d)


class MaxPool2d(_MaxPool):
    """The largest entry of each window; see `tinynet.functional.max_pool2d`.

    Args:
        kernel_size: the window (height, width); all sizes may be a pair or one number.
        stride: the distance between windows; defaults to `kernel_size`, so that windows tile.
        padding: at most half of `kernel_size`.
        dilation: the distance between the entries of a window.
        return_indices: whether to return the places of the maxima too, for `MaxUnpool2d`.
        ceil_mode: whether windows that pass the end are taken too.

    Shapes: (N, C, H, W) -> (N, C, OH, OW); without `ceil_mode`, entries that no full window covers
    are ignored.
    """

    _function = staticmethod(functional.max_pool2d)


class MaxPool3d(_MaxPool):
    """As `MaxPool2d`, over three axes."""

    _function = staticmethod(functional.max_pool3d)


class _MaxUnpool(_Pool):
    _axes: ClassVar[int]

    def __init__(self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding = padding

    def forward(self, input: Any, indices: Any, output_size: Any = None) -> Any:
        return self._function(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )

    def extra_repr(self) -> str:
        sizes = {"kernel_size": self.kernel_size, "stride": self.stride, "padding": self.padding}
        spread = {k: (v,) * self._axes if isinstance(v, int) else v for k, v in sizes.items()}
        return ", ".join(f"{k}={v}" for k, v in spread.items())


class MaxUnpool1d(_MaxUnpool):
    """As `MaxUnpool2d`, over one axis."""

    _axes = 1
    _function = staticmethod(functional.max_unpool1d)


class MaxUnpool2d(_MaxUnpool):
    """The maxima at the places they came from, zeros elsewhere; see `functional.max_unpool2d`.

    Args:
        kernel_size, stride, padding: those of the `MaxPool2d` that it undoes.

    Called with the pooled tensor, its indices and, where several sizes are possible, output_size.
    """

    _axes = 2
    _function = staticmethod(functional.max_unpool2d)


class MaxUnpool3d(_MaxUnpool):
    """As `MaxUnpool2d`, over three axes."""

    _axes = 3
    _function = staticmethod(functional.max_unpool3d)


class AvgPool1d(_Pool):
    """As `AvgPool2d`, over one axis and without `divisor_override`."""

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Any) -> Any:
        return functional.avg_pool1d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad,
        )  # fmt: skip


class _AvgPool(_Pool):
    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, input: Any) -> Any:
        return self._function(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad, self.divisor_override,
        )  # fmt: skip


class AvgPool2d(_AvgPool):
    """The mean of each window; see `tinynet.functional.avg_pool2d`.

    Args:
        kernel_size, padding: a number or a pair (height, width).
        stride: a number or a pair; defaults to `kernel_size`.
        ceil_mode: whether windows that pass the end are taken too.
        count_include_pad: whether the divisor includes the padding.
        divisor_override: a divisor for all windows instead.

    Shapes: (N, C, H, W) -> (N, C, OH, OW).
    """

    _function = staticmethod(functional.avg_pool2d)


class AvgPool3d(_AvgPool):
    """As `AvgPool2d`, over three axes."""

    _function = staticmethod(functional.avg_pool3d)


class _LPPool(_Pool):
    _shown = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(
        self,
        norm_type: float,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.norm_type, self.kernel_size = norm_type, kernel_size
        self.stride, self.ceil_mode = stride, ceil_mode

    def forward(self, input: Any) -> Any:
        return self._function(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )


class LPPool1d(_LPPool):
    """As `LPPool2d`, over one axis."""

    _function = staticmethod(functional.lp_pool1d)


class LPPool2d(_LPPool):
    """(sum x^p)^(1/p) of each window, p = `norm_type`; see `tinynet.functional.lp_pool2d`.

    Args:
        norm_type: p.
        kernel_size: the window (height, width), or one number for both.
        stride: likewise; defaults to `kernel_size`.
        ceil_mode: whether windows that pass the end are taken too.
    """

    _function = staticmethod(functional.lp_pool2d)


class LPPool3d(_LPPool):
    """As `LPPool2d`, over three axes."""

    _function = staticmethod(functional.lp_pool3d)


class _AdaptiveAvgPool(_Pool):
    _shown = ("output_size",)

    def __init__(self, output_size: OutputSizes) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Any) -> Any:
        return self._function(input, self.output_size)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """As `AdaptiveAvgPool2d`, over one axis."""

    _function = staticmethod(functional.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """Means over a grid of windows that covers an image of any size.

    Args:
        output_size: OH and OW, or one number for both; None keeps a size.

    Shapes: (N, C, H, W) -> (N, C, OH, OW).

    See `tinynet.functional.adaptive_avg_pool2d`.
    """

    _function = staticmethod(functional.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """As `AdaptiveAvgPool2d`, over three axes."""

    _function = staticmethod(functional.adaptive_avg_pool3d)


class _AdaptiveMaxPool(_Pool):
    _shown = ("output_size",)

    def __init__(self, output_size: OutputSizes, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size, self.return_indices = output_size, return_indices

    def forward(self, input: Any) -> Any:
        return self._function(input, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """As `AdaptiveMaxPool2d`, over one axis."""

    _function = staticmethod(functional.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """Maxima over a grid of windows that covers an image of any size.

    Args:
        output_size: OH and OW, or one number for both; None keeps a size.
        return_indices: whether to return the places of the maxima too.

    See `tinynet.functional.adaptive_max_pool2d`.
    """

    _function = staticmethod(functional.adaptive_max_pool2d)


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """As `AdaptiveMaxPool2d`, over three axes."""

    _function = staticmethod(functional.adaptive_max_pool3d)
