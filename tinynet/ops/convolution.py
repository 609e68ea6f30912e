"""Convolution by im2col: three bilinear operations, each one's derivative made of the other two.

    conv2d(x, w)           y_nopq = sum_cij  w_ocij  x_{n, c, p SH + i DH - PH, q SW + j DW - PW}
    conv2d_input(gy, w)    its adjoint by x: where y's gradient came from, through w
    conv2d_weight(gy, x)   its adjoint by w

With the columns col[cij, pqn] of x, each the window of an output cell, and w as a matrix w[o, cij],

    y = w col          gw = gy col^T          gx = col2im(w^T gy)

each one matrix product a row. The columns are KH KW times the input; here they are views of strips
that are KW times it (`strips`), made again in the backward and never kept, and made and used block
by block, while they are in the cache. Of gx the strips are made of all rows of gy that belong to a
row of x, so that the sum over the kernel's rows is in the product, and col2im sums along the width.

What the field calls convolution is correlation: the kernel is not flipped. The three formulas as
nested loops, which the tests compare with: `conv2d`, `conv2d_input`, `conv2d_weight` in
`tinynet.testing.definitions`.
"""

from __future__ import annotations

from typing import Any

from tinynet.autograd import Op
from tinynet.backend import array_module
from tinynet.kernels.products import matmul, product
from tinynet.memory import block_bytes, workspace
from tinynet.ops.reduction import sum
from tinynet.ops.strips import (
    Block,
    beside,
    blocks,
    col2im,
    columns,
    columns_at_a_time,
    meetings,
    row_blocks,
    side_by_side,
    too_short,
)
from tinynet.ops.windows import (
    Window,
    add_windows,
    batch_first,
    batch_last,
    padded,
    without_border,
)
from tinynet.threads import for_each, one_blas_thread


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
        of strips at a time in memory; keeps x and w.
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
    xp = array_module(x, w)
    dtype = xp.result_type(x, w) if b is None else xp.result_type(x, w, b)
    bias = None if b is None else b.reshape(groups, OC // groups, 1)
    short = too_short(OW * N, x)
    # (G, OC/G, K), in the order of the columns
    rows = w.reshape(groups, OC // groups, *w.shape[1:])
    rows = (rows if short else rows.swapaxes(2, 3)).reshape(groups, OC // groups, -1)
    xt = padded(batch_last(x), window.padding)
    y = xp.empty((groups, OC // groups, OH, OW * N), dtype)

    def compute(block: Block) -> None:
        col = columns(xt, window, OW, block, groups)
        part = beside(col, y, block, N)
        if short:
            part[0] = _multiply(rows, col[0])
        else:
            matmul(rows, col, out=part)  # (G, OC/G, K) @ (rows, G, K, cells)
        if bias is not None:
            part += bias  # now, while the block is in the cache

    for_each(compute, blocks(xt, window, OH, OW))
    return batch_first(y.reshape(OC, OH, OW, N))


def _multiply(a: Any, b: Any) -> Any:
    """(G, M, K) @ (G, K, N), on several threads if it is one large product."""
    return product(a[0], b[0])[None] if len(a) == 1 else matmul(a, b)


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
    Cost: as conv2d, and a copy of gy; keeps gy and w.
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
    if too_short(OW * N, gy):
        return _input_of_short_rows(gy, w, size, window, groups)
    xp, (PH, PW) = array_module(gy, w), window.padding
    # (G, C/G KW, KH, OC/G), the kernel's rows from the last to the first
    wt = w.reshape(groups, OC // groups, *w.shape[1:]).transpose(0, 2, 4, 3, 1)[:, :, :, ::-1]
    wt = xp.ascontiguousarray(wt).reshape(groups, -1, *wt.shape[3:])
    # (G, OH, OC/G, OW N)
    gt = batch_last(gy).reshape(groups, OC // groups, OH, OW * N).swapaxes(1, 2)
    gt = side_by_side(gt, window)
    x = xp.zeros((C, size[0], size[1] + 2 * PW, N), xp.result_type(gy, w))
    strip = C * window.kernel[1] * OW * N * x.itemsize
    limit = block_bytes(x)
    width = columns_at_a_time(strip, OW, limit)

    def compute(rows: range) -> None:
        of_x = x[:, rows.start - PH : rows.stop - PH]
        for left in range(0, OW, width):
            right = min(left + width, OW)
            strips = _gradient_of_strips(wt, gt, window, rows, slice(left * N, right * N), x)
            col2im(of_x[:, :, left * window.stride[1] :], strips, window, right - left)

    with one_blas_thread():  # once, and not in each of its many products
        for_each(compute, row_blocks(range(PH, PH + size[0]), strip, limit))
    return batch_first(x[:, :, PW : PW + size[1]])


def _gradient_of_strips(
    wt: Any, gt: Any, window: Window, rows: range, cells: slice, like: Any
) -> Any:
    """The gradient by the strips of some rows of x, (rows, G, C/G KW, cells), in a workspace.

    Each is w^T gy, summed over the kernel's rows that led to it within the product.
    """
    xp, (G, CKW) = array_module(wt, gt), wt.shape[:2]
    strips = workspace("columns", (len(rows), G, CKW, cells.stop - cells.start), like)
    found, unreached = meetings(window, rows, gt.shape[1])
    if unreached:
        strips[list(unreached)] = 0
    for meeting in found:
        of_w = wt[:, :, meeting.taps].reshape(G, CKW, -1)  # K: the taps and the channels of gy
        of_gy = meeting.neighbours(gt, cells)  # (G, rows, K, cells)
        out = strips[meeting.rows].swapaxes(0, 1)  # (G, rows, C/G KW, cells)
        xp.matmul(of_w[:, None], of_gy, out=out)
    return strips


def _input_of_short_rows(gy: Any, w: Any, size: Any, window: Window, groups: int) -> Any:
    """The same by columns written out: w^T gy, whose entries are added where they came from."""
    N, OC, OH, OW = gy.shape
    C, SH, xp = w.shape[1] * groups, window.stride[0], array_module(gy, w)
    (PH, PW), (KH, KW) = window.padding, window.kernel
    x = xp.zeros((C, size[0] + 2 * PH, size[1] + 2 * PW, N), xp.result_type(gy, w))
    wt = w.reshape(groups, OC // groups, -1).swapaxes(1, 2)
    gt = batch_last(gy).reshape(groups, OC // groups, OH, OW * N)
    for block in blocks(x, window, OH, OW):
        of_y = gt[:, :, block.rows].reshape(groups, OC // groups, block.count * OW * N)
        col = _multiply(wt, of_y).reshape(C, KH, KW, block.count, OW, N)
        add_windows(x[:, block.first * SH :], col, window)
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
    xp, xt = array_module(gy, x), padded(batch_last(x), window.padding)
    gt = batch_last(gy).reshape(groups, OC // groups, OH, OW * N)
    KH, KW = window.kernel
    found = blocks(xt, window, OH, OW)
    each = -(-len(found) // 8)  # eight sums at most: each is as large as the weight
    starts = range(0, len(found), each)
    shape = (len(starts), groups, KH * C // groups * KW, OC // groups)
    sums = xp.zeros(shape, xp.result_type(gy, x))
    # Rows whose products are made at once: of fewer than 500 numbers, as those of one row of a
    # first layer, NumPy keeps other threads from running.
    at_once = max(1, (1 << 16) // max(1, sums[:1].size))

    def compute(start: int) -> None:
        for block in found[start : start + each]:
            col = columns(xt, window, OW, block, groups)
            of_y = beside(col, gt, block, N).swapaxes(2, 3)
            for p in range(0, len(col), at_once):
                # (rows, G, K, cells) @ (rows, G, cells, OC/G); gy col^T takes BLAS twice as long
                a, b = col[p : p + at_once], of_y[p : p + at_once]
                sums[start // each] += _multiply(a[0], b[0]) if len(a) == 1 else matmul(a, b).sum(0)

    for_each(compute, starts)
    gw = sums.sum(0)
    if too_short(OW * N, x):
        gw = gw.reshape(groups, C // groups, KH, KW, OC // groups)
    else:
        gw = gw.reshape(groups, KH, C // groups, KW, OC // groups).swapaxes(1, 2)
    return gw.transpose(0, 4, 1, 2, 3).reshape(OC, C // groups, KH, KW)


@conv2d_weight.rule("gy")
def conv2d_weight_ggy(u: Any, x: Any, window: Window, groups: int) -> Any:
    return conv2d(x, u, window=window, groups=groups)


@conv2d_weight.rule("x")
def conv2d_weight_gx(u: Any, gy: Any, x_shape: Any, window: Window, groups: int) -> Any:
    return conv2d_input(gy, u, size=x_shape[2:], window=window, groups=groups)
