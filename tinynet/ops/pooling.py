"""Pooling: the largest entry or the sum of each window. `tinynet.window` defines the sizes.

Average pooling is sum pooling divided by the window's size; adaptive average pooling is two
products with averaging matrices. Both are compositions, in `functional`.
`tinynet.testing.definitions` has the formulas as nested loops.
"""

from __future__ import annotations

from typing import Any

from tinynet.autograd import Op, raw
from tinynet.dtypes import accumulates
from tinynet.kernels import pooling
from tinynet.kernels.pooling import first_argmax
from tinynet.window import Window


@Op
def max_pool2d(x: Any, *, window: Window) -> Any:
    """y_ncpq = max_ij x_{n, c, p SH + i DH - PH, q SW + j DW - PW}, -Inf outside x.

    Derivation: dy = dx at the largest entry of the window, so <gy, dy> = <gy added there, dx>;
        an entry that is the largest of several windows gets the sum.
        gx = max_unpool2d(gy, argmax=argmax, size=raw(x).shape[2:], window=window)
    Jacobian: a selection, with one 1 per row.
    Kinks: of tied entries the first in reading order gets all of gy, as in PyTorch, a vertex of
        the subdifferential. Ties are common after a ReLU (a window of zeros). The padding is never
        chosen over a number and gets no gradient. In a window with NaN, which equals nothing, the
        last tap is chosen; if it lies in the padding, gy is lost.
    Cost: KH KW comparisons per cell forward, four passes per tap backward; keeps x and y.
    Shapes: x (N, C, H, W), y (N, C, OH, OW) as in `window`; dtype of x; NaN if an entry is.
    Errors: ValueError if the window is larger than the padded input, or the padding larger than
        half of the kernel (a window could then lie entirely outside).
    Source: D. Scherer, A. Mueller and S. Behnke, Evaluation of pooling operations in convolutional
        architectures for object recognition (ICANN 2010).
    """
    check_padding("max_pool2d", window)
    return pooling.max_pool(x, window)


@max_pool2d.rule("x")
def max_pool2d_gx(gy: Any, x: Any, y: Any, window: Window) -> Any:
    argmax = first_argmax(raw(x), raw(y), window)
    return max_unpool2d(gy, argmax=argmax, size=raw(x).shape[2:], window=window)


@Op
@accumulates
def max_unpool2d(x: Any, *, argmax: Any, size: Any, window: Window) -> Any:
    """y_nchw = sum of x_ncpq over the windows (p, q) whose tap argmax_ncpq lies at (h, w).

    Unlike in PyTorch's max_unpool2d, argmax counts taps, and entries at the same place add up.

    Derivation: each x is added at one place, so <gy, dy> = <gy at that place, dx>.
        gx = gather_at_argmax(gy, argmax=argmax, window=window)
    Jacobian: the transpose of that of max_pool2d.
    Kinks: none; linear, as the argmax is constant.
    Cost: three passes per tap forward, gather_at_argmax backward; keeps argmax, one byte per cell.
    Shapes: x (N, C, OH, OW), y (N, C, *size); dtype of x.
    Source: D. Scherer, A. Mueller and S. Behnke (ICANN 2010).
    """
    return pooling.scatter(x, argmax, size, window)


@max_unpool2d.rule("x")
def max_unpool2d_gx(gy: Any, argmax: Any, x_shape: Any, window: Window) -> Any:
    return gather_at_argmax(gy, argmax=argmax, window=window)


@Op
def gather_at_argmax(x: Any, *, argmax: Any, window: Window) -> Any:
    """y_ncpq = x_nchw at the tap argmax_ncpq of the window (p, q): max_unpool2d's adjoint.

    Derivation: each y is one x, so <gy, dy> = <gy added at that x, dx>.
        gx = max_unpool2d(gy, argmax=argmax, size=x_shape[2:], window=window)
    Jacobian: that of max_pool2d.
    Kinks: none; linear, as the argmax is constant.
    Cost: three passes per tap forward, max_unpool2d backward; keeps the argmax.
    Shapes: x (N, C, H, W), y (N, C, OH, OW); dtype of x.
    Source: D. Scherer, A. Mueller and S. Behnke (ICANN 2010).
    """
    return pooling.gather(x, argmax, window)


@gather_at_argmax.rule("x")
def gather_at_argmax_gx(gy: Any, argmax: Any, x_shape: Any, window: Window) -> Any:
    return max_unpool2d(gy, argmax=argmax, size=x_shape[2:], window=window)


@Op
@accumulates
def sum_pool2d(x: Any, *, window: Window) -> Any:
    """y_ncpq = sum_ij x_{n, c, p SH + i DH - PH, q SW + j DW - PW}, 0 outside x.

    Derivation: each x is added to the y of every window that covers it, so <gy, dy> = <the sum
        of their gy, dx> = <sum_unpool2d(gy), dx>.
        gx = sum_unpool2d(gy, size=x_shape[2:], window=window)
    Jacobian: block Toeplitz with entries 0 and 1: a depthwise convolution with ones.
    Kinks: none; linear.
    Cost: KH KW additions per cell forward and backward; keeps the shape of x.
    Shapes: x (N, C, H, W), y (N, C, OH, OW) as in `window`; dtype of x.
    Errors: ValueError if the window is larger than the padded input.
    Source: Y. LeCun et al., Proc. IEEE 86 (1998), section II, sub-sampling.
    """
    return pooling.sum_pool(x, window)


@sum_pool2d.rule("x")
def sum_pool2d_gx(gy: Any, x_shape: Any, window: Window) -> Any:
    return sum_unpool2d(gy, size=x_shape[2:], window=window)


@Op
@accumulates
def sum_unpool2d(x: Any, *, size: Any, window: Window) -> Any:
    """y_nchw = sum of x_ncpq over the windows (p, q) that cover (h, w): sum_pool2d's adjoint.

    Derivation: each x is added to all cells of its window, so <gy, dy> = <gy summed over it, dx>.
        gx = sum_pool2d(gy, window=window)
    Jacobian: the transpose of that of sum_pool2d.
    Kinks: none; linear.
    Cost: KH KW additions per cell forward and backward; keeps nothing.
    Shapes: x (N, C, OH, OW), y (N, C, *size); dtype of x.
    Source: Y. LeCun et al., Proc. IEEE 86 (1998), section II, reversed.
    """
    return pooling.sum_unpool(x, size, window)


@sum_unpool2d.rule("x")
def sum_unpool2d_gx(gy: Any, window: Window) -> Any:
    return sum_pool2d(gy, window=window)


def check_padding(name: str, window: Window) -> None:
    """Raise ValueError if a window could lie entirely in the padding."""
    sides = zip(window.padding, window.kernel, strict=True)
    if window.pads and any(p > k // 2 for p, k in sides):
        raise ValueError(
            f"{name}: padding {window.padding} must be at most half of the kernel {window.kernel}"
        )
