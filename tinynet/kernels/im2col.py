"""im2col and col2im for any number of spatial axes. `tinynet.window` defines the sizes.

**Memory order.** Shapes are (N, C, H, W), but convolution and pooling store N innermost: an array
(C, H, W, N) in C order, viewed with its axes permuted (`batch_first`). Then every slice that they
take consists of long contiguous runs, a matrix product gives the output without a transposition,
and elementwise operations in between keep the order.

`im2col` and `col2im` in `tinynet.testing.definitions` have the formulas as nested loops.

Source: K. Chellapilla, S. Puri and P. Simard, High performance convolutional neural networks for
document processing (2006), section 2.
"""

from __future__ import annotations

import math

from tinynet.backend import Array, full, zeros
from tinynet.memory import as_strided, first_axis_last
from tinynet.window import Window

# (N, C, H, W) -> (C, H, W, N), contiguous: a view if the memory order is already so
batch_last = first_axis_last


def batch_first(x: Array) -> Array:
    """(C, H, W, N) -> (N, C, H, W), always a view."""
    last = x.ndim - 1
    return x.transpose(last, *range(last))


def padded(x: Array, window: Window, value: float = 0.0) -> Array:
    """(C, H, W, N) with the cells that the window adds, filled with `value`; x itself if none."""
    if not window.pads:
        return x
    C, *size, N = x.shape
    y = full((C, *window.padded(size), N), value, x)
    y[window.inside(size)] = x
    return y


def window_view(x: Array, window: Window) -> Array:
    """v[c, i, j, p, q, n] = x[n, c, p SH + i DH - PH, q SW + j DW - PW], 0 outside x: a view.

    Do not write to it: an entry of x appears once for each window that covers it.
    """
    cells = window.output("unfold", x.shape)
    x = padded(batch_last(x), window)
    of_c, *steps, of_n = x.strides
    along_taps = [s * d for s, d in zip(steps, window.dilation, strict=True)]
    along_cells = [s * t for s, t in zip(steps, window.stride, strict=True)]
    shape = (x.shape[0], *window.kernel, *cells, x.shape[-1])
    return as_strided(x, shape, (of_c, *along_taps, *along_cells, of_n))


def im2col(x: Array, window: Window) -> Array:
    """col[c KH KW + i KW + j, (p OW + q) N + n]: each column is the window of an output cell.

    Args:
        x: (N, C, H, W).
        window: its geometry.

    Returns:
        (C KH KW, OH OW N).
    """
    view = window_view(x, window)
    rows, n = x.shape[1] * window.taps_count, len(window.kernel)
    return view.reshape(rows, math.prod(view.shape[1 + n :]))


def col2im(col: Array, shape: tuple[int, ...], window: Window) -> Array:
    """im2col's adjoint: x[n, c, h, w] = the sum of all entries of col that im2col copies it to.

    im2col copies an input cell to each window that covers it, so the cell's gradient is the sum of
    the copies' gradients: += instead of =.

    Args:
        col: (C KH KW, OH OW N), or with these axes split, as by groups.
        shape: (N, C, H, W).
        window: its geometry.
    """
    N, C, *size = shape
    cells = window.output("fold", shape)
    col = col.reshape(C, window.taps_count, *cells, N)
    x = zeros((C, *window.padded(size), N), col)
    for k, tap in enumerate(window.taps(cells)):
        x[tap] += col[:, k]
    return batch_first(x[window.inside(size)])
