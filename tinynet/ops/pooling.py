"""Pooling: the largest entry or the sum of each window. Sizes and memory order: `windows`.

Average pooling is the sum over windows divided by their size, and adaptive average pooling two
products with averaging matrices; both are compositions, in `functional`. The formulas as nested
loops: `tinynet.testing.definitions`.
"""

from __future__ import annotations

from typing import Any

from tinynet.autograd import Op, raw
from tinynet.backend import array_module
from tinynet.memory import block_bytes, workspace
from tinynet.ops.windows import (
    Window,
    batch_first,
    batch_last,
    padded,
    without_border,
    zeros_with_border,
)
from tinynet.threads import for_each, parts


@Op
def max_pool2d(x: Any, *, window: Window) -> Any:
    """y_ncpq = max_ij x_{n, c, p SH + i DH - PH, q SW + j DW - PW}, -Inf outside x.

    Derivation: dy = dx at the largest entry of the window, so <gy, dy> = <gy added there, dx>;
        an entry that wins several overlapping windows gets the sum.
        gx = pool_put(gy, winner=winner, size=raw(x).shape[2:], window=window)
    Jacobian: selection: one 1 a row.
    Kinks: among tied entries the first in reading order takes all of gy, as in PyTorch: a vertex
        of the subdifferential. Ties are the rule after a ReLU (a window of zeros), and gy is passed
        on once, not to each. The padding never wins over an entry and gets no gradient. In a window
        with a NaN, which equals nothing, the last takes it.
    Cost: KH KW comparisons a cell forward, four passes a tap backward; keeps x and y.
    Shapes: x (N, C, H, W), y (N, C, OH, OW) as in `windows`; dtype of x; NaN if there is one.
    Errors: ValueError if the window is larger than the padded input, or the padding larger than
        half of the kernel (a window could then lie wholly outside).
    Source: D. Scherer, A. Mueller and S. Behnke, Evaluation of pooling operations in convolutional
        architectures for object recognition (ICANN 2010).
    """
    OH, OW = window.output("max_pool2d", x.shape)
    check_padding("max_pool2d", window)
    xp = array_module(x)
    xt = padded(batch_last(x), window.padding, -float("inf"))
    y = xp.empty((xt.shape[0], OH, OW, xt.shape[3]), x.dtype)

    def compute(c: slice) -> None:
        best, *others = [xt[c, rows, columns] for _, _, rows, columns in window.taps(OH, OW)]
        if not others:
            y[c] = best
        for tap in others:  # the first two taps write y: no copy of one of them is needed
            best = xp.maximum(best, tap, out=y[c])

    for_each(compute, channels(xt))
    return batch_first(y)


@max_pool2d.rule("x")
def max_pool2d_gx(gy: Any, x: Any, y: Any, window: Window) -> Any:
    winner = _winner(raw(x), raw(y), window)
    return pool_put(gy, winner=winner, size=raw(x).shape[2:], window=window)


def _winner(x: Any, y: Any, window: Window) -> Any:
    """For each output cell (C, OH, OW, N), the number i KW + j of the first tap that is y.

    It is the number of taps before the first hit, so it is counted: comparing and adding bytes is
    ten times as fast as writing numbers through a mask.
    """
    OH, OW = y.shape[2:]
    # padded with NaN, which equals nothing: the padding does not win even over -Inf
    xt, yt = padded(batch_last(x), window.padding, float("nan")), batch_last(y)
    taps, xp = window.taps(OH, OW), array_module(x)
    winner = xp.zeros(yt.shape, "uint8" if len(taps) <= 256 else "int32")

    def compute(c: slice) -> None:
        other = workspace("mask", winner[c].shape, x, "bool")
        missed = workspace("missed", other.shape, x, "bool")
        missed[...] = True
        for _, _, rows, columns in taps[:-1]:
            xp.not_equal(xt[c, rows, columns], yt[c], out=other)
            xp.logical_and(missed, other, out=missed)
            winner[c] += missed.view("uint8")

    for_each(compute, channels(xt))
    return winner


@Op
def pool_put(x: Any, *, winner: Any, size: Any, window: Window) -> Any:
    """y_nchw = sum of x_ncpq over the windows (p, q) whose winning tap lies at (h, w).

    Derivation: each x is added at one place, so <gy, dy> = <gy at that place, dx>: pool_take.
        gx = pool_take(gy, winner=winner, window=window)
    Jacobian: the transpose of max_pool2d's.
    Kinks: none; linear, the winners being constant.
    Cost: three passes a tap forward, pool_take backward; keeps the winners, a byte a cell.
    Shapes: x (N, C, OH, OW), y (N, C, *size); dtype of x.
    Source: D. Scherer, A. Mueller and S. Behnke (ICANN 2010).
    """
    N, C, OH, OW = x.shape
    xt = batch_last(x)
    xp = array_module(x)
    if window.tiles(size):
        y = xp.empty((C, *size, N), x.dtype)
    else:
        y = zeros_with_border((C, *size, N), window, x)

    def compute(c: slice) -> None:
        won = workspace("mask", winner[c].shape, x, "bool")
        for k, (_, _, rows, columns) in enumerate(window.taps(OH, OW)):
            xp.equal(winner[c], k, out=won)
            if window.disjoint:
                xp.multiply(xt[c], won, out=y[c, rows, columns])
            else:
                y[c, rows, columns] += xt[c] * won

    for_each(compute, channels(y))
    return batch_first(without_border(y, window))


@pool_put.rule("x")
def pool_put_gx(gy: Any, winner: Any, x_shape: Any, window: Window) -> Any:
    return pool_take(gy, winner=winner, window=window)


@Op
def pool_take(x: Any, *, winner: Any, window: Window) -> Any:
    """y_ncpq = x_nchw at the winning tap of the window (p, q): pool_put's adjoint.

    Derivation: each y is one x, so <gy, dy> = <gy added where it came from, dx>: pool_put.
        gx = pool_put(gy, winner=winner, size=x_shape[2:], window=window)
    Jacobian: max_pool2d's: one 1 a row.
    Kinks: none; linear, the winners being constant.
    Cost: three passes a tap forward, pool_put backward; keeps the winners.
    Shapes: x (N, C, H, W), y (N, C, OH, OW); dtype of x.
    Source: D. Scherer, A. Mueller and S. Behnke (ICANN 2010).
    """
    OH, OW = window.output("pool_take", x.shape)
    xp = array_module(x)
    xt = padded(batch_last(x), window.padding)
    y = xp.zeros((x.shape[1], OH, OW, x.shape[0]), x.dtype)
    for k, (_, _, rows, columns) in enumerate(window.taps(OH, OW)):
        xp.copyto(y, xt[:, rows, columns], where=winner == k)
    return batch_first(y)


@pool_take.rule("x")
def pool_take_gx(gy: Any, winner: Any, x_shape: Any, window: Window) -> Any:
    return pool_put(gy, winner=winner, size=x_shape[2:], window=window)


@Op
def sum_pool2d(x: Any, *, window: Window) -> Any:
    """y_ncpq = sum_ij x_{n, c, p SH + i DH - PH, q SW + j DW - PW}, 0 outside x.

    Derivation: each x is added to the y of every window that covers it, so <gy, dy> = <the gy of
        those windows summed, dx> = <sum_unpool2d(gy), dx>.
        gx = sum_unpool2d(gy, size=x_shape[2:], window=window)
    Jacobian: block Toeplitz, of zeros and ones: a convolution with ones, channel by channel.
    Kinks: none; linear.
    Cost: KH KW additions a cell forward and backward; keeps the shape of x.
    Shapes: x (N, C, H, W), y (N, C, OH, OW) as in `windows`; dtype of x.
    Errors: ValueError if the window is larger than the padded input.
    Source: Y. LeCun et al., Proc. IEEE 86 (1998), section II, sub-sampling.
    """
    OH, OW = window.output("sum_pool2d", x.shape)
    xt = padded(batch_last(x), window.padding)
    y: Any = None
    for _, _, rows, columns in window.taps(OH, OW):
        tap = xt[:, rows, columns]
        if y is None:
            y = tap.copy()
        else:
            y += tap
    return batch_first(y)


@sum_pool2d.rule("x")
def sum_pool2d_gx(gy: Any, x_shape: Any, window: Window) -> Any:
    return sum_unpool2d(gy, size=x_shape[2:], window=window)


@Op
def sum_unpool2d(x: Any, *, size: Any, window: Window) -> Any:
    """y_nchw = sum of x_ncpq over the windows (p, q) that cover (h, w): sum_pool2d's adjoint.

    Derivation: as each x is added to all cells of its window, <gy, dy> = <gy summed over it, dx>.
        gx = sum_pool2d(gy, window=window)
    Jacobian: the transpose of sum_pool2d's.
    Kinks: none; linear.
    Cost: KH KW additions a cell forward and backward; keeps nothing.
    Shapes: x (N, C, OH, OW), y (N, C, *size); dtype of x.
    Source: Y. LeCun et al., Proc. IEEE 86 (1998), section II, read backwards.
    """
    N, C, OH, OW = x.shape
    xt = batch_last(x)
    y = zeros_with_border((C, *size, N), window, x)
    for _, _, rows, columns in window.taps(OH, OW):
        y[:, rows, columns] += xt
    return batch_first(without_border(y, window))


@sum_unpool2d.rule("x")
def sum_unpool2d_gx(gy: Any, window: Window) -> Any:
    return sum_pool2d(gy, window=window)


def channels(x: Any) -> list[slice]:
    """The channels of x (C, H, W, N), in parts for several threads."""
    return parts(x.shape[0], x.nbytes, 3 * block_bytes(x) // 2)


def check_padding(name: str, window: Window) -> None:
    """Raise if a window could lie wholly in the padding."""
    if any(p > k // 2 for p, k in zip(window.padding, window.kernel, strict=True)):
        raise ValueError(
            f"{name}: padding {window.padding} must be at most half of the kernel {window.kernel}"
        )
