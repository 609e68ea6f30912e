"""im2col and col2im as operations, `unfold` and `fold`. `tinynet.window` defines the sizes.

`im2col` and `col2im` in `tinynet.testing.definitions` have the formulas as nested loops.
"""

from __future__ import annotations

import math
from typing import Any

from tinynet.autograd import Op
from tinynet.dtypes import accumulates
from tinynet.kernels.im2col import batch_first, col2im, window_view
from tinynet.window import Window


@Op
def unfold(x: Any, *, window: Window) -> Any:
    """y[n, c KH KW + i KW + j, p OW + q] = padded x[n, c, p SH + i DH, q SW + j DW]: im2col.

    Derivation: every entry of y is an entry of x, so <gy, dy> = <gy added at that entry, dx>
        = <fold(gy), dx>.
        gx = fold(gy, output_size=x_shape[2:], window=window)
    Jacobian: a selection of each input entry once for each window that covers it.
    Kinks: none; linear.
    Cost: KH KW copies of x forward, as many additions backward; keeps the shape of x.
    Shapes: x (N, C, H, W), y (N, C KH KW, OH OW); dtype of x.
    Errors: ValueError if x does not have four axes or the window is larger than the padded input.
    Source: K. Chellapilla, S. Puri and P. Simard, High performance convolutional neural networks
        for document processing (2006), section 2.
    """
    cells = window.output("unfold", x.shape)
    col = batch_first(window_view(x, window)).copy()  # (N, C, KH, KW, OH, OW)
    return col.reshape(len(x), x.shape[1] * window.taps_count, math.prod(cells))


@unfold.rule("x")
def unfold_gx(gy: Any, x_shape: tuple[int, ...], window: Window) -> Any:
    return fold(gy, output_size=x_shape[2:], window=window)


@Op
@accumulates
def fold(x: Any, *, output_size: tuple[int, ...], window: Window) -> Any:
    """y[n, c, h, w] = the sum of all x[n, c KH KW + i KW + j, p OW + q] with p SH + i DH = h + PH
    and q SW + j DW = w + PW: col2im, unfold's adjoint.

    Derivation: each x is added to one y, so <gy, dy> = <gy at that y, dx>
        = <unfold(gy), dx>.
        gx = unfold(gy, window=window)
    Jacobian: the transpose of that of unfold.
    Kinks: none; linear.
    Cost: n additions forward, n copies backward; keeps nothing.
    Shapes: x (N, C KH KW, OH OW), y (N, C, *output_size); dtype of x.
    Errors: ValueError if there are not as many columns as windows of `output_size`.
    Source: K. Chellapilla, S. Puri and P. Simard (2006), section 2, reversed.
    """
    cells = window.output("fold", (1, 1, *output_size))
    taps, count = window.taps_count, math.prod(cells)
    if x.ndim != 3 or x.shape[1] % taps or x.shape[2] != count:
        raise ValueError(
            f"fold: input {tuple(x.shape)} must be (N, C * {taps}, {count}) for a kernel "
            f"{window.kernel} that visits {cells} cells of {tuple(output_size)}"
        )
    return col2im(x.transpose(1, 2, 0), (len(x), x.shape[1] // taps, *output_size), window)


@fold.rule("x")
def fold_gx(gy: Any, window: Window) -> Any:
    return unfold(gy, window=window)
