"""Pooling tap by tap, with channels on several threads. `tinynet.window` defines the sizes.

A tap meets as many cells of x as y has, so pooling is one elementwise call per tap, without
columns. Arrays are (N, C, H, W) with N innermost in memory (`im2col`).

`max_pool2d` and `avg_pool2d` in `tinynet.testing.definitions` have the formulas as nested loops.
"""

from __future__ import annotations

from tinynet.backend import Array, array_module, empty, zeros
from tinynet.kernels.im2col import batch_first, batch_last, padded
from tinynet.kernels.sums import ROWS
from tinynet.memory import block_bytes, workspace
from tinynet.threads import for_each, parts
from tinynet.window import Window


def _channels(x: Array) -> list[slice]:
    """The channels of x (C, H, W, N), split into parts for several threads."""
    return parts(x.shape[0], x.nbytes, 3 * block_bytes(x) // 2)


def _lowest(x: Array) -> float:
    """What no entry is below: -Inf, or the smallest integer."""
    return -float("inf") if x.dtype.kind == "f" else -(1 << (8 * x.dtype.itemsize - 1))


def max_pool(x: Array, window: Window) -> Array:
    """y_ncpq = max_ij x_{n, c, p SH + i DH - PH, q SW + j DW - PW}, -Inf outside x."""
    cells = window.output("max_pool2d", x.shape)
    xp, xt = array_module(x), padded(batch_last(x), window, _lowest(x))
    y = empty((xt.shape[0], *cells, xt.shape[-1]), x)

    def compute(c: slice) -> None:
        part, out = xt[c], y[c]
        best, *others = [part[tap] for tap in window.taps(cells)]
        if not others:
            out[...] = best
        for tap in others:  # the first two taps write y, which saves a copy
            best = xp.maximum(best, tap, out=out)

    for_each(compute, _channels(xt))
    return batch_first(y)


def first_argmax(x: Array, y: Array, window: Window) -> Array:
    """a_ncpq = the index i KW + j of the first tap of the window whose x is y_ncpq.

    It equals the number of taps before that one. Counting those, by comparing and adding bytes, is
    ten times as fast as writing indices through a mask.
    """
    # NaN equals nothing, so padding is never chosen, not even beside -Inf.
    outside = float("nan") if x.dtype.kind == "f" else _lowest(x)
    xt, yt = padded(batch_last(x), window, outside), batch_last(y)
    taps, xp = window.taps(y.shape[2:]), array_module(x)
    argmax = zeros(yt.shape, x, "uint8" if len(taps) <= 256 else "int32")

    def compute(c: slice) -> None:
        part, best, count = xt[c], yt[c], argmax[c]
        other = workspace("mask", best.shape, x, "bool")
        missed = workspace("missed", best.shape, x, "bool")
        missed[...] = True
        for tap in taps[:-1]:
            xp.not_equal(part[tap], best, out=other)
            xp.logical_and(missed, other, out=missed)
            count += missed.view("uint8")

    for_each(compute, _channels(xt))
    return batch_first(argmax)


def scatter(x: Array, argmax: Array, size: tuple[int, ...], window: Window) -> Array:
    """y_nchw = sum of x_ncpq over the windows (p, q) whose tap argmax_ncpq lies at (h, w)."""
    xt, at, xp = batch_last(x), batch_last(argmax), array_module(x)
    shape = (xt.shape[0], *window.padded(size), xt.shape[-1])
    y = empty(shape, x) if window.tiles(size) else zeros(shape, x)

    def compute(c: slice) -> None:
        part, where, out = xt[c], at[c], y[c]
        hit = workspace("mask", where.shape, x, "bool")
        for k, tap in enumerate(window.taps(x.shape[2:])):
            xp.equal(where, k, out=hit)
            if window.disjoint:
                xp.multiply(part, hit, out=out[tap])
            else:
                out[tap] += part * hit

    for_each(compute, _channels(y))
    return batch_first(y[window.inside(size)])


def gather(x: Array, argmax: Array, window: Window) -> Array:
    """y_ncpq = x_nchw at the tap argmax_ncpq of the window (p, q): scatter's adjoint."""
    cells = window.output("gather_at_argmax", x.shape)
    xp, xt, at = array_module(x), padded(batch_last(x), window), batch_last(argmax)
    y = zeros((xt.shape[0], *cells, xt.shape[-1]), x)
    for k, tap in enumerate(window.taps(cells)):
        xp.copyto(y, xt[tap], where=at == k)
    return batch_first(y)


def sum_pool(x: Array, window: Window) -> Array:
    """y_ncpq = sum_ij x_{n, c, p SH + i DH - PH, q SW + j DW - PW}, 0 outside x."""
    xt = padded(batch_last(x), window)
    return batch_first(_total([xt[t] for t in window.taps(window.output("sum_pool2d", x.shape))]))


def _total(taps: list[Array]) -> Array:
    """The sum of the taps, those of a large window in halves, so that few are added one by one."""
    if len(taps) > ROWS:
        half = len(taps) // 2
        y = _total(taps[:half])
        y += _total(taps[half:])
        return y
    y = taps[0].copy()
    for tap in taps[1:]:
        y += tap
    return y


def sum_unpool(x: Array, size: tuple[int, ...], window: Window) -> Array:
    """y_nchw = sum of x_ncpq over the windows (p, q) that cover (h, w): sum_pool's adjoint."""
    xt = batch_last(x)
    y = zeros((xt.shape[0], *window.padded(size), xt.shape[-1]), x)
    for tap in window.taps(x.shape[2:]):
        y[tap] += xt
    return batch_first(y[window.inside(size)])
