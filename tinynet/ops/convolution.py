"""Convolution by im2col: three bilinear operations; the derivatives of each are the other two.

    conv2d(x, w)           y_nopq = sum_cij  w_ocij  x_{n, c, p SH + i DH - PH, q SW + j DW - PW}
    conv2d_input(gy, w)    the gradient with respect to x: the adjoint for a fixed w
    conv2d_weight(gy, x)   the gradient with respect to w: the adjoint for a fixed x

A column of col[cij, pqn] is the window of x that an output cell sees. With w as a matrix w[o, cij]
and y as y[o, pqn],

    y = w col          gw = gy col^T          gx = col2im(w^T gy)

Each is im2col or col2im and one matrix product per group of channels. As is usual in deep learning,
convolution means correlation: the kernel is not flipped. With one or three spatial axes the
formulas have fewer or more indices.

Where output rows are long, on a CPU, `tinynet.kernels.convolution` computes the same three
functions without storing the columns. Tests compare both with the nested loops of `conv2d`,
`conv2d_input` and `conv2d_weight` in `tinynet.testing.definitions`.
"""

from __future__ import annotations

import math
from typing import Any

from tinynet.autograd import Op
from tinynet.dtypes import accumulates, check_same_float
from tinynet.kernels import convolution as rowwise
from tinynet.kernels.im2col import batch_first, batch_last, col2im, im2col
from tinynet.kernels.products import product
from tinynet.ops.reduction import sum
from tinynet.window import Window


@Op
@accumulates
def conv2d(x: Any, w: Any, b: Any = None, *, window: Window, groups: int = 1) -> Any:
    """y_nopq = b_o + sum_cij w_ocij x_{n, c, p SH + i DH - PH, q SW + j DW - PW}, 0 outside x.

    With groups, output channel o of group g sees only the input channels c of group g.

    Derivation: y is linear in x, in w and in b, so <gy, dy> has three parts. That of dx is
        sum_nopq gy_nopq sum_cij w_ocij dx = <conv2d_input(gy, w), dx>, summed by input cell; that
        of dw, summed by weight, is <conv2d_weight(gy, x), dw>; that of db is <sum_npq gy, db>.
        gx = conv2d_input(gy, w, size=x_shape[2:], window=window, groups=groups)
        gw = conv2d_weight(gy, x, window=window, groups=groups)
        gb = sum(gy, dim=(0, *range(2, len(gy.shape))))
    Jacobian: block Toeplitz for x, the Hankel matrix of columns for w, a column of ones for b.
    Kinks: none; bilinear in x and w.
    Cost: N OC OH OW C/groups KH KW multiply-adds forward, as many for gx and for gw; memory for
        the columns or a panel of them; keeps x and w.
    Shapes: x (N, C, H, W), w (OC, C/groups, KH, KW), b (OC,) or None, y (N, OC, OH, OW) with
        OH = (H + 2 PH - DH (KH - 1) - 1) // SH + 1; dtype: the wider.
    Errors: ValueError if channels and groups do not fit or the kernel is larger than the padded
        input.
    Source: V. Dumoulin and F. Visin, A guide to convolution arithmetic for deep learning,
        arXiv:1603.07285, sections 2 and 4; Y. LeCun et al., Proc. IEEE 86 (1998), section II.
    """
    y_shape = _check("conv2d", x.shape, w.shape, window, groups)
    if b is not None and b.shape != w.shape[:1]:
        raise ValueError(f"conv2d: bias {tuple(b.shape)} must be ({len(w)},) for weight {w.shape}")
    check_same_float("conv2d", ("input", "weight", "bias"), x, w, b)
    if rowwise.is_faster(y_shape, x):
        return rowwise.conv(x, w, b, window, groups)
    col = im2col(x, window)  # (C KH KW, OH OW N)
    y = product(_by_group(w, groups), _by_group(col, groups))  # (G, OC/G, OH OW N)
    if b is not None:
        y = y + _by_group(b, groups)
    return batch_first(y.reshape(*y_shape[1:], len(x)))


@conv2d.rule("x")
def conv2d_gx(gy: Any, w: Any, x_shape: Any, window: Window, groups: int) -> Any:
    return conv2d_input(gy, w, size=x_shape[2:], window=window, groups=groups)


@conv2d.rule("w")
def conv2d_gw(gy: Any, x: Any, window: Window, groups: int) -> Any:
    return conv2d_weight(gy, x, window=window, groups=groups)


@conv2d.rule("b")
def conv2d_gb(gy: Any) -> Any:
    return sum(gy, dim=(0, *range(2, len(gy.shape))))


@Op
@accumulates
def conv2d_input(gy: Any, w: Any, *, size: Any, window: Window, groups: int = 1) -> Any:
    """x_nchw = sum of w_ocij gy_nopq over all o, i, j, p, q with p SH + i DH - PH = h and
    q SW + j DW - PW = w: conv2d's adjoint by x, also known as transposed convolution.

    Derivation: let the cotangent be u, in the shape of x. <u, conv2d_input(dgy, w)> =
        <conv2d(u, w), dgy> by adjointness, and <u, conv2d_input(gy, dw)> = <gy, conv2d(u, dw)> =
        <conv2d_weight(gy, u), dw>.
        ggy = conv2d(u, w, window=window, groups=groups)
        gw = conv2d_weight(gy, u, window=window, groups=groups)
    Jacobian: the transpose of that of conv2d for x.
    Kinks: none; bilinear.
    Cost: that of conv2d; keeps gy and w.
    Shapes: gy (N, OC, OH, OW), w (OC, C/groups, KH, KW), y (N, C, *size); dtype: the wider.
    Errors: those of conv2d; ValueError if gy does not have the shape of its output.
    Source: V. Dumoulin and F. Visin, arXiv:1603.07285, section 4.
    """
    x_shape = (gy.shape[0], w.shape[1] * groups, *size)
    if _check("conv2d_input", x_shape, w.shape, window, groups) != gy.shape:
        raise ValueError(f"conv2d_input: gy {gy.shape} is not an output for input {x_shape}")
    if rowwise.is_faster(gy.shape, gy):
        return rowwise.conv_input(gy, w, size, window, groups)
    wt, gyt = _by_group(w, groups).swapaxes(1, 2), _by_group(batch_last(gy), groups)
    gcol = product(wt, gyt)  # (G, C/G KH KW, OH OW N)
    return col2im(gcol, x_shape, window)


@conv2d_input.rule("gy")
def conv2d_input_ggy(u: Any, w: Any, window: Window, groups: int) -> Any:
    return conv2d(u, w, window=window, groups=groups)


@conv2d_input.rule("w")
def conv2d_input_gw(u: Any, gy: Any, window: Window, groups: int) -> Any:
    return conv2d_weight(gy, u, window=window, groups=groups)


@Op
@accumulates
def conv2d_weight(gy: Any, x: Any, *, window: Window, groups: int = 1) -> Any:
    """w_ocij = sum_npq gy_nopq x_{n, c, p SH + i DH - PH, q SW + j DW - PW}: conv2d's adjoint by w.

    Derivation: let the cotangent be u, in the shape of w. <u, conv2d_weight(dgy, x)> =
        <conv2d(x, u), dgy> by adjointness, and <u, conv2d_weight(gy, dx)> = <gy, conv2d(dx, u)> =
        <conv2d_input(gy, u), dx>.
        ggy = conv2d(x, u, window=window, groups=groups)
        gx = conv2d_input(gy, u, size=x_shape[2:], window=window, groups=groups)
    Jacobian: the transpose of that of conv2d for w.
    Kinks: none; bilinear.
    Cost: that of conv2d, and up to eight partial sums of the weight's size; keeps gy and x.
    Shapes: gy (N, OC, OH, OW), x (N, C, H, W), y (OC, C/groups, KH, KW); dtype: the wider.
    Errors: those of conv2d_input.
    Source: V. Dumoulin and F. Visin, arXiv:1603.07285, section 4.
    """
    w_shape = (gy.shape[1], x.shape[1] // groups, *window.kernel)
    if (shape := _check("conv2d_weight", x.shape, w_shape, window, groups)) != gy.shape:
        raise ValueError(f"conv2d_weight: gy {gy.shape} must be {shape} for input {x.shape}")
    if rowwise.is_faster(gy.shape, x):
        return rowwise.conv_weight(gy, x, window, groups)
    col, gyt = _by_group(im2col(x, window), groups), _by_group(batch_last(gy), groups)
    gw = product(col, gyt.swapaxes(1, 2))  # BLAS takes twice as long for the transpose gy col^T
    return gw.swapaxes(1, 2).reshape(w_shape)


@conv2d_weight.rule("gy")
def conv2d_weight_ggy(u: Any, x: Any, window: Window, groups: int) -> Any:
    return conv2d(x, u, window=window, groups=groups)


@conv2d_weight.rule("x")
def conv2d_weight_gx(u: Any, gy: Any, x_shape: Any, window: Window, groups: int) -> Any:
    return conv2d_input(gy, u, size=x_shape[2:], window=window, groups=groups)


def _by_group(a: Any, groups: int) -> Any:
    """(C, A, B, ...) -> (G, C/G, A B ...), a matrix for each group."""
    return a.reshape(groups, len(a) // groups, math.prod(a.shape[1:]))


def _check(name: str, x_shape: Any, w_shape: Any, window: Window, groups: int) -> Any:
    """The shape of the output, (N, OC, OH, OW).

    Raises:
        ValueError: if input, weight, window and groups do not match.
    """
    cells = window.output(name, x_shape)
    if len(w_shape) != len(x_shape):
        kernel = ", ".join(f"K{axis}" for axis in window.axes)
        raise ValueError(
            f"{name}: weight has shape {tuple(w_shape)}; it must be (OC, C / groups, {kernel})"
        )
    C, OC = x_shape[1], w_shape[0]
    if C < 1 or OC < 1:
        raise ValueError(
            f"{name}: input {tuple(x_shape)} and weight {tuple(w_shape)} must have 1 channel or "
            "more each"
        )
    if groups < 1 or C % groups or OC % groups:
        raise ValueError(
            f"{name}: {C} input channels and {OC} output channels must both be divisible by "
            f"groups = {groups}"
        )
    if w_shape[1] != C // groups:
        raise ValueError(
            f"{name}: input {tuple(x_shape)} has {C} channels, {C // groups} per group, but weight "
            f"{tuple(w_shape)} takes {w_shape[1]}; its second size must be C / groups"
        )
    return (x_shape[0], OC, *cells)
