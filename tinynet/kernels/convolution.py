"""Convolution by row-wise im2col (MEC): columns at 1/KH of their size, panel by panel.

The three functions compute what `tinynet.ops.convolution` defines with im2col, one matrix product
and col2im. They are faster where rows are long, on a CPU (`is_faster`).

The column of an output cell is its window of x, KH KW C numbers, so stored columns take KH KW times
the memory of the input. A *lowered row* is a row of x unrolled along the width alone,

    low[h, c, j, q, n] = x[c, h, q SW + j DW, n],

which takes KW times the memory. The columns of output row p are the KH lowered rows that it reads,
one after the other. Those of the next output row begin SH lowered rows later and overlap the first
if SH < KH. So the columns are an overlapping view of the lowered rows, a matrix for each output
row, without a copy. With dilation, the lowered rows of an output row are DH apart; output rows are
then processed phase by phase (`panels.phases`).

Lowered rows are computed and used panel by panel, while they are in the cache; the backward
computes them again. For gx, a lowered row is computed from all rows of gy that its row of x
contributes to: the product sums over the kernel's rows, and col2im only along the width.

Arrays have N innermost (`im2col`). With G groups, the channels c are those of one group.

Source: M. Cho and D. Brand, MEC: memory-efficient convolution for deep neural network (ICML 2017),
arXiv:1706.06873.
"""

from __future__ import annotations

import functools
from typing import Any

from tinynet.backend import Array, array_module, device_of, empty, zeros
from tinynet.kernels.im2col import batch_first, batch_last, padded
from tinynet.kernels.panels import (
    PANEL_BYTES,
    Panel,
    SameTaps,
    by_taps,
    columns_of_panel,
    panels,
    phases,
    row_panels,
)
from tinynet.kernels.products import matmul, product
from tinynet.memory import as_strided, contiguous, workspace
from tinynet.threads import for_each, one_blas_thread, touch_blas_memory
from tinynet.window import Window

# Least cells of an output row, OW N, for one product per row. From 64 to 256 cells a small problem
# takes as long either way, a large one 0.6 to 0.95 of the time.
MIN_ROW = 64
MAX_PARTIAL_SUMS = 8  # of the weight's gradient; each is as large as the weight
# Entries of the weight's gradient that one NumPy call computes, over several rows: with fewer than
# 500, as in a first layer, NumPy keeps other threads from running.
ENTRIES_OF_CALL = 1 << 16


def is_faster(y_shape: tuple[int, ...], like: Array) -> bool:
    """Whether this method is faster: on a CPU, with output rows long enough for a product each.

    Args:
        y_shape: (N, OC, OH, OW).
        like: an array on the device that computes.
    """
    return len(y_shape) <= 4 and y_shape[0] * y_shape[-1] >= MIN_ROW and device_of(like) == "cpu"


def conv(x: Array, w: Array, b: Array | None, window: Window, groups: int) -> Array:
    """y_nopq = b_o + sum_cij w_ocij x_{n, c, p SH + i DH - PH, q SW + j DW - PW}.

    Args:
        x: (N, C, H, W), or (N, C, W).
        w: (OC, C / G, KH, KW).
        b: (OC,) or None.
        window: kernel, stride, padding and dilation.
        groups: G.
    """
    if x.ndim == 3:  # an image of height 1
        return conv(x[:, :, None], w[:, :, None], b, _of_images(window), groups)[:, :, 0]
    N, OC, (OH, OW) = len(x), len(w), window.output("conv", x.shape)
    xp, xt = array_module(x, w), padded(batch_last(x), window)
    dtype = xp.result_type(x, w) if b is None else xp.result_type(x, w, b)
    bias = None if b is None else b.reshape(groups, OC // groups, 1)
    # (G, OC/G, K), each row in the order of the columns: i, c, j
    wt = w.reshape(groups, OC // groups, *w.shape[1:]).swapaxes(2, 3)
    wt = wt.reshape(groups, OC // groups, -1)
    y = empty((groups, OC // groups, OH, OW * N), x, dtype)

    def compute(panel: Panel) -> None:
        part = panel.of(y, N)
        xp.matmul(wt, columns(xt, window, panel, groups), out=part)
        if bias is not None:
            part += bias  # now, while the panel is in the cache

    touch_blas_memory()
    with one_blas_thread():
        for_each(compute, _panels(xt, window, OH, OW))
    return batch_first(y.reshape(OC, OH, OW, N))


def conv_input(gy: Array, w: Array, size: Any, window: Window, groups: int) -> Array:
    """conv's adjoint by x: x_nchw = sum of w_ocij gy_nopq over all o, i, j, p, q with
    p SH + i DH - PH = h and q SW + j DW - PW = w.

    Args:
        gy: (N, OC, OH, OW), or (N, OC, OW).
        w: (OC, C / G, KH, KW).
        size: (H, W), or (W,).
        window: kernel, stride, padding and dilation.
        groups: G.
    """
    if gy.ndim == 3:
        gy, w, size = gy[:, :, None], w[:, :, None], (1, *size)
        return conv_input(gy, w, size, _of_images(window), groups)[:, :, 0]
    (N, OC, OH, OW), C = gy.shape, w.shape[1] * groups
    xp, (PH, PW) = array_module(gy, w), window.padding
    # (G, C/G KW, KH, OC/G), with the kernel's rows reversed
    wt = w.reshape(groups, OC // groups, *w.shape[1:]).transpose(0, 2, 4, 3, 1)[:, :, :, ::-1]
    wt = contiguous(wt).reshape(groups, -1, *wt.shape[3:])
    gt = batch_last(gy).reshape(groups, OC // groups, OH, OW * N).swapaxes(1, 2)
    gt = _phase_by_phase(gt, phases(window))  # (G, OH, OC/G, OW N)
    x = zeros((C, size[0], window.padded(size)[1], N), gy, xp.result_type(gy, w))
    row_bytes = C * window.kernel[1] * OW * N * x.itemsize
    width = columns_of_panel(row_bytes, OW, PANEL_BYTES)

    def compute(rows: range) -> None:
        of_x = x[:, rows.start - PH : rows.stop - PH]
        for left in range(0, OW, width):
            cells = range(left, min(left + width, OW))
            low = _gradient_of_lowered(wt, gt, window, rows, slice(left * N, cells.stop * N), x)
            add_lowered(of_x[:, :, left * window.stride[1] :], low, window, len(cells))

    touch_blas_memory()
    with one_blas_thread():
        for_each(compute, row_panels(range(PH, PH + size[0]), row_bytes, PANEL_BYTES))
    return batch_first(x[:, :, PW : PW + size[1]])


def conv_weight(gy: Array, x: Array, window: Window, groups: int) -> Array:
    """conv's adjoint by w: w_ocij = sum_npq gy_nopq x_{n, c, p SH + i DH - PH, q SW + j DW - PW}.

    Args:
        gy: (N, OC, OH, OW), or (N, OC, OW).
        x: (N, C, H, W), or (N, C, W).
        window: kernel, stride, padding and dilation.
        groups: G.
    """
    if x.ndim == 3:
        return conv_weight(gy[:, :, None], x[:, :, None], _of_images(window), groups)[:, :, 0]
    (N, OC, OH, OW), CG, (KH, KW) = gy.shape, x.shape[1] // groups, window.kernel
    xp, xt = array_module(gy, x), padded(batch_last(x), window)
    gt = batch_last(gy).reshape(groups, OC // groups, OH, OW * N)
    found = _panels(xt, window, OH, OW)
    panels_of_sum = -(-len(found) // MAX_PARTIAL_SUMS)
    starts = range(0, len(found), panels_of_sum)
    shape = (len(starts), groups, KH * CG * KW, OC // groups)
    sums = zeros(shape, gy, xp.result_type(gy, x))
    rows_of_call = max(1, ENTRIES_OF_CALL // max(1, sums[:1].size))

    def compute(start: int) -> None:
        for panel in found[start : start + panels_of_sum]:
            col = columns(xt, window, panel, groups)
            of_y = panel.of(gt, N).swapaxes(2, 3)
            for p in range(0, len(col), rows_of_call):
                # (rows, G, K, cells) @ (rows, G, cells, OC/G); BLAS: twice as fast as gy col^T
                a, b = col[p : p + rows_of_call], of_y[p : p + rows_of_call]
                g = product(a[0], b[0]) if len(a) == 1 else matmul(a, b).sum(0)
                sums[start // panels_of_sum] += g

    for_each(compute, starts)
    gw = sums.sum(0).reshape(groups, KH, CG, KW, OC // groups)
    return gw.transpose(0, 4, 2, 1, 3).reshape(OC, CG, KH, KW)


@functools.lru_cache(maxsize=256)
def _of_images(window: Window) -> Window:
    """A one-dimensional window as a window over images of height 1."""
    return Window(
        (1, *window.kernel),
        (1, *window.stride),
        (0, *window.padding),
        (1, *window.dilation),
        (0, *window.end),
    )


def _panels(x: Array, window: Window, OH: int, OW: int) -> tuple[Panel, ...]:
    """The panels of all output cells for a padded x (C, H, W, N)."""
    C, _, _, N = x.shape
    row_bytes = C * window.kernel[1] * OW * N * x.itemsize
    return panels(window, OH, OW, row_bytes, PANEL_BYTES)


def columns(x: Array, window: Window, panel: Panel, groups: int) -> Array:
    """v[p, g, (i, c, j), (q, n)] = x[c of g, p SH + i DH, q SW + j DW, n] for p, q in the panel.

    A view of the lowered rows in a workspace: read-only, valid until the next call.
    """
    (KH, KW), (SH, SW), (DH, DW) = window.kernel, window.stride, window.dilation
    C, H, _, N = x.shape
    OW, between = panel.right - panel.left, panel.between
    sc, sh, sw, sn = x.strides
    top, height = panel.first * SH, (panel.count - 1) * between + KH
    low = as_strided(x, (H, C, KW, panel.right, N), (sh, sc, sw * DW, sw * SW, sn))
    low = low[top : top + (height - 1) * DH + 1 : DH, :, :, panel.left :]
    low = low.reshape(height, groups, C // groups, KW, OW, N).swapaxes(0, 1)
    copy = workspace("columns", low.shape, low)
    copy[...] = low
    cells = OW * N
    return as_strided(
        copy, (panel.count, groups, KH * (C // groups) * KW, cells),
        (between * copy.strides[1], copy.strides[0], cells * copy.itemsize, copy.itemsize),
    )  # fmt: skip


def add_lowered(x: Array, low: Array, window: Window, OW: int) -> None:
    """col2im along the width: add lowered rows (rows, G, C/G KW, OW N) to x (C, rows, W, N).

    A cell of x gets the sum over all windows that cover it along the width.
    """
    C, rows, _, N = x.shape
    KW, SW, DW = window.kernel[1], window.stride[1], window.dilation[1]
    low = low.reshape(rows, C, KW, OW, N).swapaxes(0, 1)
    for j in range(KW):
        x[:, :, j * DW : j * DW + SW * (OW - 1) + 1 : SW] += low[:, :, j]


def _phase_by_phase(gt: Array, step: int) -> Array:
    """gt (G, OH, OC/G, OW N), contiguous, with its rows phase by phase: rows that contribute to one
    row of x become neighbours."""
    xp = array_module(gt)
    if step > 1:
        gt = xp.concatenate([gt[:, p::step] for p in range(step)], axis=1)
    return contiguous(gt)


def _gradient_of_lowered(
    wt: Array, gt: Array, window: Window, rows: range, cells: slice, like: Array
) -> Array:
    """The gradient of the lowered rows of some rows of x, (rows, G, C/G KW, cells), in a workspace.

    Each is w^T gy; the product also sums over the kernel's rows that read it.
    """
    xp, (G, CKW) = array_module(wt, gt), wt.shape[:2]
    low = workspace("columns", (len(rows), G, CKW, cells.stop - cells.start), like)
    found, unread = by_taps(window, rows, gt.shape[1])
    if unread:
        low[list(unread)] = 0
    for same in found:
        of_w = wt[:, :, same.taps].reshape(G, CKW, -1)  # K: taps and channels of gy
        of_gy = rows_of(gt, same)[..., cells]  # (G, rows, K, cells)
        xp.matmul(of_w[:, None], of_gy, out=low[same.rows].swapaxes(0, 1))
    return low


def rows_of(gt: Array, same: SameTaps) -> Array:
    """v[g, h, (p, o), (q, n)] = gy[o of g, p, q, n] for each row h and its p, as a view."""
    G, OH, OC, cells = gt.shape
    shape = (G, OH - same.depth + 1, same.depth * OC, cells)
    size = gt.itemsize  # gt.strides may be anything along an axis of length 1
    strides = (OH * OC * cells * size, OC * cells * size, cells * size, size)
    return as_strided(gt, shape, strides)[:, same.first : same.first + same.count]
