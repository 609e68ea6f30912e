"""Convolution over one, two or three axes, its transpose, unfold and fold.

There is one definition for all dimensions; `n` is the number of spatial axes. The formulas are
those of images (N, C, H, W); with one axis (W) or three (D, H, W) they have fewer or more indices.
Without an axis of examples, (C, H, W), the result has none either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.autograd import raw
from tinynet.functional.spatial import AXES, by_example, for_one_example, over_axes
from tinynet.functions.operands import check_tensor
from tinynet.functions.public import function
from tinynet.ops import convolution, windows
from tinynet.ops.shape import pad, reshape
from tinynet.window import Pair, Sizes, Window, make_window, ntuple, pair

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


@by_example
def conv(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
    *,
    n: int,
) -> Tensor:
    """y_nopq = b_o + sum_cij w_ocij x_{n, c, p SH + i DH - PH, q SW + j DW - PW}.

    Args:
        input: (N, C, H, W) or (C, H, W).
        weight: (OC, C / groups, KH, KW), in the dtype of the input.
        bias: (OC,) or None.
        stride, padding, dilation: an integer or a pair (height, width). padding may also be
            "valid" (0) or "same", which keeps H and W, for stride 1 only; if the total padding of
            an axis is odd, the extra row or column goes at the end.
        groups: the number of channel groups; each is convolved with its own weights.

    Returns:
        (N, OC, OH, OW) or (OC, OH, OW), with OH = (H + 2 PH - DH (KH - 1) - 1) // SH + 1.

    Raises:
        ValueError: if the sizes do not match; the message states them.
        TypeError: if the dtypes differ.

    See `tinynet.ops.convolution.conv2d` for the derivation.
    """
    _check_weight(n, input, weight, bias, "(OC, C / groups, {})")
    kernel: tuple[int, ...] = weight.shape[2:]
    end: tuple[int, ...] = ()
    if isinstance(padding, str):
        padding, end = named_padding("conv", padding, kernel, stride, dilation)
    window = make_window("conv", kernel, stride, padding, dilation, end, n=n)
    groups = groups if type(groups) is int else ntuple("conv", "groups", groups, 1, 1)[0]
    return convolution.conv2d(input, weight, bias, window=window, groups=groups)


conv1d, conv2d, conv3d = over_axes(conv, 1, 2, 3)


def _check_weight(n: int, x: Any, weight: Any, bias: Any, wanted: str) -> None:
    check_tensor("conv", "weight", weight)
    if len(weight.shape) != n + 2:
        wanted = wanted.format(", ".join(f"K{axis}" for axis in AXES[-n:]))
        raise ValueError(
            f"conv: weight has shape {tuple(weight.shape)}; it must be {wanted} for input "
            f"{tuple(x.shape)}"
        )
    if bias is not None:
        check_tensor("conv", "bias", bias)
    dtype = raw(x).dtype
    for name, other in (("weight", weight), ("bias", bias)):
        if other is not None and raw(other).dtype != dtype:
            raise TypeError(
                f"conv: input is {dtype} and {name} is {raw(other).dtype}; convert one with .to"
            )


def named_padding(
    name: str, padding: str, kernel: tuple[int, ...], stride: Sizes, dilation: Sizes
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The padding on each side, and the extra cells at the end, of "valid" or "same".

    Raises:
        ValueError: for other names, and for "same" with a stride other than 1.
    """
    n = len(kernel)
    if padding not in ("same", "valid"):
        raise ValueError(f"{name}: padding is {padding!r}; it must be 'same', 'valid' or integers")
    if padding == "valid":
        return (0,) * n, (0,) * n
    if max(ntuple(name, "stride", stride, n, 1)) > 1:
        raise ValueError(f"{name}: padding='same' requires stride 1; stride is {stride}")
    steps = ntuple(name, "dilation", dilation, n, 1)
    totals = [d * (k - 1) for d, k in zip(steps, kernel, strict=True)]
    return tuple(t // 2 for t in totals), tuple(t % 2 for t in totals)


@by_example
def conv_transpose(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
    *,
    n: int,
) -> Tensor:
    """y_nohw = b_o + sum of w_coij x_ncpq over all c, i, j, p, q with p SH + i DH - PH = h and
    q SW + j DW - PW = w: the adjoint of `conv2d` with the same weight.

    Args:
        input: (N, C, H, W) or (C, H, W).
        weight: (C, OC / groups, KH, KW), in the dtype of the input.
        bias: (OC,) or None.
        stride, padding, dilation: those of the convolution that this is the adjoint of.
        output_padding: rows and columns at the end of y, less than stride or dilation. A stride
            above 1 maps several input sizes of `conv2d` to one; this chooses among them.
        groups: the number of channel groups.

    Returns:
        (N, OC, OH, OW) or (OC, OH, OW), OH = (H - 1) SH - 2 PH + DH (KH - 1) + 1 + output_padding.

    Raises:
        ValueError: if the sizes do not match; the message states them.

    See `tinynet.ops.convolution.conv2d_input` for the derivation.
    """
    x: Any = input
    _check_weight(n, x, weight, bias, "(C, OC / groups, {})")
    window = make_window("conv", weight.shape[2:], stride, padding, dilation, n=n)
    groups = ntuple("conv", "groups", groups, 1, 1)[0]
    C, OC = weight.shape[0], weight.shape[1] * groups
    if x.shape[1] != C or C % groups:
        raise ValueError(
            f"conv: input {tuple(x.shape)} has {x.shape[1]} channels and weight "
            f"{tuple(weight.shape)} takes {C}; both must be equal and divisible by groups = "
            f"{groups}"
        )
    if bias is not None and tuple(bias.shape) != (OC,):
        raise ValueError(
            f"conv: bias {tuple(bias.shape)} must be ({OC},) for weight {tuple(weight.shape)} and "
            f"groups = {groups}"
        )
    more = ntuple("conv", "output_padding", output_padding, n, 0)
    if any(m >= max(s, d) for m, s, d in zip(more, window.stride, window.dilation, strict=True)):
        raise ValueError(
            f"conv: output_padding is {more}; it must be less than the stride {window.stride} or "
            f"the dilation {window.dilation}"
        )
    size = transposed_size(x.shape[2:], window, more)
    if min(size) < 1:
        raise ValueError(
            f"conv: input {tuple(x.shape)} with weight {tuple(weight.shape)} and padding "
            f"{window.padding} gives an output of size {size}; each must be at least 1"
        )
    # as many windows as fit `size`: output padding of a stride or more makes room for another
    beyond = [(0, m // s) for m, s in zip(more, window.stride, strict=True)]
    if any(e for _, e in beyond):
        x = pad(x, widths=((0, 0), (0, 0), *beyond))
    y = convolution.conv2d_input(x, weight, size=size, window=window, groups=groups)
    if bias is not None:
        y = y + reshape(bias, shape=(1, OC, *(1,) * n))
    return y


conv_transpose1d, conv_transpose2d, conv_transpose3d = over_axes(conv_transpose, 1, 2, 3)


def transposed_size(size: Any, window: Any, more: tuple[int, ...]) -> tuple[int, ...]:
    """(OH, OW) of `conv_transpose2d` for an input (H, W)."""
    sides = zip(
        size, window.kernel, window.stride, window.padding, window.dilation, more, strict=True
    )
    return tuple((h - 1) * s - 2 * p + d * (k - 1) + 1 + o for h, k, s, p, d, o in sides)


@function
def unfold(
    input: Tensor, kernel_size: Pair, dilation: Pair = 1, padding: Pair = 0, stride: Pair = 1
) -> Tensor:
    """im2col: (N, C, H, W) -> (N, C KH KW, OH OW); see `tinynet.ops.windows.unfold`.

    Without an axis of examples, (C, H, W) -> (C KH KW, OH OW).
    """
    return _unfold(input, kernel_size, dilation, padding, stride, n=2)


@by_example
def _unfold(
    x: Any, kernel_size: Pair, dilation: Pair, padding: Pair, stride: Pair, *, n: int
) -> Any:
    return windows.unfold(x, window=make_window("unfold", kernel_size, stride, padding, dilation))


@function
def fold(
    input: Tensor,
    output_size: Pair,
    kernel_size: Pair,
    dilation: Pair = 1,
    padding: Pair = 0,
    stride: Pair = 1,
) -> Tensor:
    """col2im: (N, C KH KW, OH OW) -> (N, C, *output_size); see `tinynet.ops.windows.fold`.

    Without an axis of examples, (C KH KW, OH OW) -> (C, *output_size).
    """
    window = make_window("fold", kernel_size, stride, padding, dilation)
    size = pair("fold", "output_size", output_size, 1)
    if len(input.shape) == 2:
        return for_one_example(_fold, input, size, window)
    return _fold(input, size, window)


def _fold(x: Any, size: Pair, window: Window) -> Any:
    return windows.fold(x, output_size=size, window=window)
