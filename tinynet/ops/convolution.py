"""Convolution by im2col: three bilinear operations, each one's derivative made of the other two.

    conv2d(x, w)           y_nopq = sum_cij  w_ocij  x_{n, c, p SH + i DH - PH, q SW + j DW - PW}
    conv2d_input(gy, w)    its adjoint by x: where y's gradient came from, through w
    conv2d_weight(gy, x)   its adjoint by w

With the columns col[cij, pqn] of x and w as a matrix w[o, cij] (`windows.im2col`, one copy),

    y = w col          gw = gy col^T          gx = col2im(w^T gy)

each one matrix product. The columns are KH KW times the input, so they are made again in the
backward and never kept, and made and used block by block, while they are in the cache. (What the
field calls convolution is correlation: the kernel is not flipped.) The three formulas as nested
loops, which the tests compare with: `conv2d`, `conv2d_input`, `conv2d_weight` in
`tinynet.testing.definitions`.
"""

from __future__ import annotations

import math
from typing import Any

from tinynet.autograd import Op
from tinynet.backend import array_module, workspace
from tinynet.ops.reduction import sum
from tinynet.ops.windows import (
    Block,
    Window,
    batch_first,
    batch_last,
    blocks,
    channel_pieces,
    col2im,
    im2col,
    padded,
    window_view,
    without_border,
    zeros_with_border,
)
from tinynet.parallel import for_each


def _check(name: str, x_shape: Any, w_shape: Any, groups: int) -> None:
    if len(w_shape) != 4:
        raise ValueError(
            f"{name}: weight has shape {tuple(w_shape)}; it must be (OC, C / groups, KH, KW)"
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
            f"{name}: input {tuple(x_shape)} has {C} channels, {C // groups} a group, but weight "
            f"{tuple(w_shape)} takes {w_shape[1]}; its second size must be C / groups"
        )


def _columns(x: Any, window: Window, OH: int, OW: int, groups: int) -> tuple[list[Any], Any]:
    """The blocks of the output cells of x (N, C, H, W); and a function of a block that makes its
    columns, as matrices (groups, C/groups KH KW, cells of all examples)."""
    xt = padded(batch_last(x), window.padding)
    view = window_view(xt, window, OH, OW)
    rows = xt.shape[0] // groups * window.kernel[0] * window.kernel[1]

    def columns(block: Block) -> Any:
        return im2col(view, block).reshape(groups, rows, -1)

    return list(blocks(xt, window, OH, OW)), columns


def _rows(gy: Any, groups: int) -> Any:
    """gy (N, OC, OH, OW) as matrices (groups, OC/groups, OH OW N)."""
    N, OC, OH, OW = gy.shape
    return batch_last(gy).reshape(groups, OC // groups, OH * OW * N)


@Op
def conv2d(x: Any, w: Any, b: Any = None, *, window: Window, groups: int = 1) -> Any:
    """y_nopq = b_o + sum_cij w_ocij x_{n, c, p SH + i DH - PH, q SW + j DW - PW}, 0 outside x.

    With groups, output channel o of group g sees only the input channels c of group g.

    Derivation: y is linear in x, in w and in b. <gy, dy by x> = sum_nopq gy_nopq sum_cij w_ocij dx
        = <conv2d_input(gy, w), dx>, the sum taken by input cell; taken by weight it is
        <conv2d_weight(gy, x), dw>; and <gy, db repeated over n, p, q> = <sum_npq gy, db>.
        gx = conv2d_input(gy, w, size=x_shape[2:], window=window, groups=groups)
        gw = conv2d_weight(gy, x, window=window, groups=groups)
        gb = sum(gy, dim=(0, 2, 3))
    Jacobian: block Toeplitz by x, the Hankel matrix of the columns by w, a column of ones by b.
    Kinks: none; bilinear in x and w.
    Cost: N OC OH OW C/groups KH KW multiply-adds forward, as many for gx and for gw; a block
        of columns at a time in memory; keeps x and w.
    Shapes: x (N, C, H, W), w (OC, C/groups, KH, KW), b (OC,) or None, y (N, OC, OH, OW) with
        OH = (H + 2 PH - DH (KH - 1) - 1) // SH + 1; dtype: the wider.
    Errors: ValueError if channels and groups do not fit or the kernel is larger than the padded
        input.
    Source: V. Dumoulin and F. Visin, A guide to convolution arithmetic for deep learning,
        arXiv:1603.07285, sections 2 and 4; Y. LeCun et al., Proc. IEEE 86 (1998), section II.
    """
    OH, OW = window.output("conv2d", x.shape)
    _check("conv2d", x.shape, w.shape, groups)
    N, OC = x.shape[0], w.shape[0]
    if b is not None and b.shape != (OC,):
        raise ValueError(f"conv2d: bias {tuple(b.shape)} must be ({OC},) for weight {w.shape}")
    rows, xp = w.reshape(groups, OC // groups, -1), array_module(x, w)
    dtype = xp.result_type(x, w) if b is None else xp.result_type(x, w, b)
    bias = None if b is None else b.reshape(groups, OC // groups, 1)
    y = xp.empty((groups, OC // groups, OH * OW * N), dtype)
    parts, columns = _columns(x, window, OH, OW, groups)

    def compute(block: Block) -> None:
        part = y[:, :, block.cells(OW, N)]
        xp.matmul(rows, columns(block), out=part)  # (OC/G, CKK/G) @ (CKK/G, cells)
        if bias is not None:
            part += bias  # now, while the block is in the cache

    for_each(compute, parts)
    return batch_first(y.reshape(OC, OH, OW, N))


@conv2d.rule("x")
def conv2d_gx(gy: Any, w: Any, x_shape: Any, window: Window, groups: int) -> Any:
    return conv2d_input(gy, w, size=x_shape[2:], window=window, groups=groups)


@conv2d.rule("w")
def conv2d_gw(gy: Any, x: Any, window: Window, groups: int) -> Any:
    return conv2d_weight(gy, x, window=window, groups=groups)


@conv2d.rule("b")
def conv2d_gb(gy: Any) -> Any:
    return sum(gy, dim=(0, 2, 3))


@Op
def conv2d_input(gy: Any, w: Any, *, size: Any, window: Window, groups: int = 1) -> Any:
    """x_nchw = sum of w_ocij gy_nopq over all o, i, j, p, q with p SH + i DH - PH = h and
    q SW + j DW - PW = w: conv2d's adjoint by its input, also known as transposed convolution.

    Derivation: call the cotangent u, of the shape of x. <u, conv2d_input(dgy, w)> =
        <conv2d(u, w), dgy> by adjointness, and <u, conv2d_input(gy, dw)> = <gy, conv2d(u, dw)> =
        <conv2d_weight(gy, u), dw>.
        ggy = conv2d(u, w, window=window, groups=groups)
        gw = conv2d_weight(gy, u, window=window, groups=groups)
    Jacobian: the transpose of conv2d's by x.
    Kinks: none; bilinear.
    Cost: as conv2d; keeps gy and w.
    Shapes: gy (N, OC, OH, OW), w (OC, C/groups, KH, KW), y (N, C, *size); dtype: the wider.
    Errors: as conv2d's; ValueError if gy is not the shape of its output.
    Source: V. Dumoulin and F. Visin, arXiv:1603.07285, section 4.
    """
    N, OC, OH, OW = gy.shape
    C = w.shape[1] * groups
    shape = (N, C, *size)
    _check("conv2d_input", shape, w.shape, groups)
    if window.output("conv2d_input", shape) != (OH, OW):
        raise ValueError(f"conv2d_input: {gy.shape} is no output for an input of {shape}")
    xp = array_module(gy, w)
    rows, weights = _rows(gy, groups), w.reshape(groups, OC // groups, *w.shape[1:])
    x = zeros_with_border((C, *size, N), window, gy, xp.result_type(gy, w))

    def compute(channels: slice) -> None:  # of x: whole groups, or a part of the only one
        part = x[channels]
        first, last = channels.start * groups // C, -(-channels.stop * groups // C)
        wt = weights[first:last, :, channels if groups == 1 else slice(None)]
        wt = wt.reshape(last - first, OC // groups, -1).swapaxes(1, 2)
        for block in blocks(part, window, OH, OW, scale=3):  # of col2im's many short calls, fewer
            of_y = rows[first:last, :, block.cells(OW, N)]
            col = workspace("conv2d_input", (*wt.shape[:2], of_y.shape[2]), x)
            xp.matmul(wt, of_y, out=col)  # (CKK/G, OC/G) @ (OC/G, cells)
            col2im(part, col, window, block)

    columns = window.kernel[0] * window.kernel[1] * OH * OW * N
    # whole groups, or three channels and more: fewer make a poor matrix product
    least = C // groups if groups > 1 else 3
    for_each(compute, channel_pieces(C, columns // 3, x, least))
    return batch_first(without_border(x, window))


@conv2d_input.rule("gy")
def conv2d_input_ggy(u: Any, w: Any, window: Window, groups: int) -> Any:
    return conv2d(u, w, window=window, groups=groups)


@conv2d_input.rule("w")
def conv2d_input_gw(u: Any, gy: Any, window: Window, groups: int) -> Any:
    return conv2d_weight(gy, u, window=window, groups=groups)


@Op
def conv2d_weight(gy: Any, x: Any, *, window: Window, groups: int = 1) -> Any:
    """w_ocij = sum_npq gy_nopq x_{n, c, p SH + i DH - PH, q SW + j DW - PW}: conv2d's adjoint by w.

    Derivation: call the cotangent u, of the shape of w. <u, conv2d_weight(dgy, x)> =
        <conv2d(x, u), dgy> by adjointness, and <u, conv2d_weight(gy, dx)> = <gy, conv2d(dx, u)> =
        <conv2d_input(gy, u), dx>.
        ggy = conv2d(x, u, window=window, groups=groups)
        gx = conv2d_input(gy, u, size=x_shape[2:], window=window, groups=groups)
    Jacobian: the transpose of conv2d's by w.
    Kinks: none; bilinear.
    Cost: as conv2d, and up to eight partial sums of the weight's size; keeps gy and x.
    Shapes: gy (N, OC, OH, OW), x (N, C, H, W), y (OC, C/groups, KH, KW); dtype: the wider.
    Errors: as conv2d's.
    Source: V. Dumoulin and F. Visin, arXiv:1603.07285, section 4.
    """
    N, OC, OH, OW = gy.shape
    C = x.shape[1]
    if window.output("conv2d_weight", x.shape) != (OH, OW) or x.shape[0] != N:
        raise ValueError(f"conv2d_weight: {gy.shape} is no output for an input of {x.shape}")
    _check("conv2d_weight", x.shape, (OC, C // groups, *window.kernel), groups)
    rows, xp = _rows(gy, groups), array_module(gy, x)
    parts, columns = _columns(x, window, OH, OW, groups)
    size = C // groups * window.kernel[0] * window.kernel[1]
    step = -(-len(parts) // 8)  # eight sums at most: each is as large as the weight
    starts = range(0, len(parts), step)
    sums = xp.zeros((len(starts), groups, size, OC // groups), xp.result_type(gy, x))

    def compute(start: int) -> None:
        for block in parts[start : start + step]:
            col, of_y = columns(block), rows[:, :, block.cells(OW, N)]
            # (CKK/G, cells) @ (cells, OC/G): the other way round BLAS takes up to twice as long
            if col.shape[2] < 256:
                sums[start // step] += col @ of_y.swapaxes(1, 2)
                continue
            # A sum of products over some cells each: while a product has under 500 entries, as that
            # of a first layer has, NumPy keeps other threads from running.
            n = math.gcd(8, col.shape[2])
            col = col.reshape(groups, size, n, -1).swapaxes(1, 2)
            of_y = of_y.reshape(groups, OC // groups, n, -1).transpose(0, 2, 3, 1)
            sums[start // step] += (col @ of_y).sum(1)

    for_each(compute, starts)
    return sums.sum(0).swapaxes(1, 2).reshape(OC, C // groups, *window.kernel)


@conv2d_weight.rule("gy")
def conv2d_weight_ggy(u: Any, x: Any, window: Window, groups: int) -> Any:
    return conv2d(x, u, window=window, groups=groups)


@conv2d_weight.rule("x")
def conv2d_weight_gx(u: Any, gy: Any, x_shape: Any, window: Window, groups: int) -> Any:
    return conv2d_input(gy, u, size=x_shape[2:], window=window, groups=groups)
