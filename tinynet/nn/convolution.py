"""Layers that slide a window with weights: convolution, its transpose; and unfold and fold.

One definition for one, two and three axes; `_axes` is their number.
"""

from __future__ import annotations

from typing import Any

from tinynet import functional
from tinynet.functional.convolution import named_padding, transposed_size
from tinynet.nn.layers import at_least_one, initialise, new_parameter
from tinynet.nn.module import Module
from tinynet.window import Pair, Sizes, make_window, ntuple

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _Convolution(Module):
    """The parameters and options of both kinds."""

    _axes: int
    _transposed = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes,
        padding: Sizes | str,
        dilation: Sizes,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: str | None,
        dtype: Any,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        at_least_one(name, in_channels=in_channels, out_channels=out_channels, groups=groups)
        for argument, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups:
                raise ValueError(
                    f"{name}: {argument} is {channels} and groups is {groups}; groups must divide "
                    "it"
                )
        if padding_mode not in _PADDING_MODES[: 1 if self._transposed else None]:
            wanted = "'zeros'" if self._transposed else f"one of {', '.join(_PADDING_MODES)}"
            raise ValueError(f"{name}: padding_mode is {padding_mode!r}; it must be {wanted}")
        n = self._axes
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = ntuple(name, "kernel_size", kernel_size, n, 1)
        self.stride = ntuple(name, "stride", stride, n, 1)
        self.dilation = ntuple(name, "dilation", dilation, n, 1)
        self.padding_mode = padding_mode
        self.padding: tuple[int, ...] | str
        if isinstance(padding, str) and not self._transposed:
            named_padding(name, padding, self.kernel_size, self.stride, self.dilation)
            self.padding = padding
        else:
            self.padding = ntuple(name, "padding", padding, n, 0)
        of_weight = (out_channels, in_channels // groups)
        if self._transposed:
            of_weight = (in_channels, out_channels // groups)
        self.weight = new_parameter((*of_weight, *self.kernel_size), 0.0, device, dtype)
        self.bias = new_parameter((out_channels,), 0.0, device, dtype) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the initial parameters again."""
        initialise(self.weight, self.bias)

    def extra_repr(self) -> str:
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        zeros, ones = (0,) * self._axes, (1,) * self._axes
        defaults = {"padding": zeros, "dilation": ones, "output_padding": zeros, "groups": 1}
        for name, default in defaults.items():
            if (value := getattr(self, name, default)) != default:
                text += f", {name}={value}"
        if self.bias is None:
            text += ", bias=False"
        mode = self.padding_mode
        return text if mode == "zeros" else f"{text}, padding_mode={mode}"


class _Conv(_Convolution):
    _function: Any

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Any) -> Any:
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input, padding = self._padded(input), 0
        return self._function(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )

    def _padded(self, input: Any) -> Any:
        padding, end = self.padding, (0,) * self._axes
        if isinstance(padding, str):
            padding, end = named_padding(
                "pad", padding, self.kernel_size, self.stride, self.dilation
            )
        sides = [p + more for p, e in zip(padding, end, strict=True) for more in (e, 0)]
        # `pad` counts axes from the last, each with its begin before its end
        return functional.pad(input, tuple(reversed(sides)), mode=self.padding_mode)


class Conv1d(_Conv):
    """As `Conv2d`, over one axis: (N, C, W) -> (N, OC, OW), also without N."""

    _axes = 1
    _function = staticmethod(functional.conv1d)


class Conv2d(_Conv):
    """y_nopq = b_o + sum_cij w_ocij x_{n, c, p SH + i DH - PH, q SW + j DW - PW}.

    Args:
        in_channels, out_channels: C and OC.
        kernel_size: KH and KW, or one number for both.
        stride: SH and SW, or one number for both.
        padding: PH and PW or one number for both, "valid" for 0, or "same" to keep H and W (stride
            1 only).
        dilation: DH and DW, or one number for both: the distance between the taps of a kernel.
        groups: the number of channel groups, each convolved separately; must divide C and OC.
        bias: whether to add b.
        padding_mode: what the padding holds: "zeros", "reflect", "replicate" or "circular", as in
            `tinynet.functional.pad`.
        device, dtype: of the parameters; by default the default device and float32.

    Parameters: weight (OC, C / groups, KH, KW) and bias (OC,), both uniform in
    +-1 / sqrt(C / groups KH KW).

    Shapes: (N, C, H, W) -> (N, OC, OH, OW), OH = (H + 2 PH - DH (KH - 1) - 1) // SH + 1; also
    without N.

    See `tinynet.functional.conv2d`.
    """

    _axes = 2
    _function = staticmethod(functional.conv2d)


class Conv3d(_Conv):
    """As `Conv2d`, over three axes: (N, C, D, H, W) -> (N, OC, OD, OH, OW), also without N."""

    _axes = 3
    _function = staticmethod(functional.conv3d)


class _ConvTranspose(_Convolution):
    _transposed = True
    _function: Any

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip
        name = type(self).__name__
        self.output_padding = ntuple(name, "output_padding", output_padding, self._axes, 0)

    def forward(self, input: Any, output_size: Any = None) -> Any:
        more = self.output_padding if output_size is None else self._more(input, output_size)
        return self._function(
            input, self.weight, self.bias, self.stride, self.padding, more, self.groups,
            self.dilation,
        )  # fmt: skip

    def _more(self, input: Any, output_size: Any) -> tuple[int, ...]:
        """The output padding that gives `output_size`, the spatial sizes or the whole shape."""
        n, name, padding = self._axes, type(self).__name__, self.padding
        assert not isinstance(padding, str)
        window = make_window(name, self.kernel_size, self.stride, padding, self.dilation, n=n)
        least = transposed_size(input.shape[-n:], window, (0,) * n)
        given = tuple(output_size)
        size = given[-n:] if len(given) in (n, len(input.shape)) else ()
        more = tuple(g - m for g, m in zip(size, least, strict=False))
        if len(more) != n or any(not 0 <= m < s for m, s in zip(more, self.stride, strict=True)):
            most = tuple(m + s - 1 for m, s in zip(least, self.stride, strict=True))
            raise ValueError(
                f"{name}: output_size is {given}; for input {tuple(input.shape)} its {n} sizes "
                f"must be from {least} to {most}"
            )
        return more


class ConvTranspose1d(_ConvTranspose):
    """As `ConvTranspose2d`, over one axis."""

    _axes = 1
    _function = staticmethod(functional.conv_transpose1d)


class ConvTranspose2d(_ConvTranspose):
    """The adjoint of a convolution, with a bias: from few pixels to many.

    Args:
        in_channels, out_channels: C and OC.
        kernel_size, stride, padding, dilation: those of the convolution; a number or a pair.
        output_padding: rows and columns at the end of the output, fewer than the stride.
        groups: the number of channel groups; must divide C and OC.
        bias: whether to add b.
        padding_mode: "zeros".
        device, dtype: of the parameters; by default the default device and float32.

    Parameters: weight (C, OC / groups, KH, KW) and bias (OC,), both uniform in
    +-1 / sqrt(OC / groups KH KW).

    Shapes: (N, C, H, W) -> (N, OC, OH, OW), OH = (H - 1) SH - 2 PH + DH (KH - 1) + 1 +
    output_padding; also without N. ``layer(x, output_size)`` chooses output_padding for that size.

    See `tinynet.functional.conv_transpose2d`.
    """

    _axes = 2
    _function = staticmethod(functional.conv_transpose2d)


class ConvTranspose3d(_ConvTranspose):
    """As `ConvTranspose2d`, over three axes."""

    _axes = 3
    _function = staticmethod(functional.conv_transpose3d)


class Unfold(Module):
    """The windows of an image as columns: (N, C, H, W) -> (N, C KH KW, OH OW).

    Args:
        kernel_size, dilation, padding, stride: a number or a pair (height, width).
    """

    def __init__(
        self, kernel_size: Pair, dilation: Pair = 1, padding: Pair = 0, stride: Pair = 1
    ) -> None:
        super().__init__()
        self.kernel_size, self.dilation = kernel_size, dilation
        self.padding, self.stride = padding, stride

    def forward(self, input: Any) -> Any:
        return functional.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, "
            f"stride={self.stride}"
        )


class Fold(Module):
    """The sum of columns at the places of their windows: (N, C KH KW, OH OW) -> (N, C, H, W).

    Args:
        output_size: (H, W), or one number for both.
        kernel_size, dilation, padding, stride: a number or a pair (height, width).
    """

    def __init__(
        self,
        output_size: Pair,
        kernel_size: Pair,
        dilation: Pair = 1,
        padding: Pair = 0,
        stride: Pair = 1,
    ) -> None:
        super().__init__()
        self.output_size, self.kernel_size, self.dilation = output_size, kernel_size, dilation
        self.padding, self.stride = padding, stride

    def forward(self, input: Any) -> Any:
        return functional.fold(
            input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride
        )

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, "
            f"dilation={self.dilation}, padding={self.padding}, stride={self.stride}"
        )
