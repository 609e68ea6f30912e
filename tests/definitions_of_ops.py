"""Independent definitions of the operations for `op_cases`: loops and sums over a window's columns.

Where NumPy has the function itself, as for `cat`, the cases take NumPy's.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

Array = np.ndarray


def entrywise(function: Callable[..., float]) -> Callable[..., Array]:
    """Apply a function of Python floats to each entry after broadcasting."""

    def apply(*arrays: Any) -> Array:
        found = np.broadcast_arrays(*arrays)
        y = np.zeros(found[0].shape)
        for at in np.ndindex(*y.shape):
            y[at] = function(*(a[at].item() for a in found))
        return y

    return apply


def sum_to(x: Array, shape: tuple[int, ...]) -> Array:
    y = np.zeros(shape)
    for at in np.ndindex(*x.shape):
        tail = at[x.ndim - len(shape) :]
        y[tuple(0 if n == 1 else k for n, k in zip(shape, tail, strict=True))] += x[at]
    return y


def reduced(
    function: Callable[[list[float]], float], x: Array, dim: Any = None, keepdim: bool = False
) -> Array:
    """Apply a function of a list to the entries along `dim`, for each index of the other axes."""
    dims = range(x.ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
    gone = {d % x.ndim for d in dims}
    y = np.zeros([1 if k in gone else n for k, n in enumerate(x.shape)])
    for at in np.ndindex(*y.shape):
        ranges = [range(x.shape[k]) if k in gone else [at[k]] for k in range(x.ndim)]
        y[at] = function([float(x[place]) for place in itertools.product(*ranges)])
    return y if keepdim else y.reshape([n for k, n in enumerate(x.shape) if k not in gone])


def log_sum_exp(values: Iterable[float]) -> float:
    return math.log(math.fsum(math.exp(v) for v in values))


def taken_from(shape: tuple[int, ...], index: Any) -> Array:
    """For each entry of x[index], its index in the flattened x."""
    return np.arange(math.prod(shape)).reshape(shape)[index]


def getitem(x: Array, index: Any) -> Array:
    return np.ravel(x)[taken_from(x.shape, index)]


def index_add(*xs: Array, shape: tuple[int, ...], indices: tuple[Any, ...]) -> Array:
    y = [0.0] * math.prod(shape)
    for x, index in zip(xs, indices, strict=True):
        for k, v in zip(np.ravel(taken_from(shape, index)), np.ravel(x), strict=True):
            y[k] += v
    return np.array(y).reshape(shape)


# --- windows over any number of spatial axes; what `definitions` spells out for two ---------------

_ALL = slice(None)


def cells_of(window: Any, size: Any) -> tuple[int, ...]:
    """How many steps along each axis keep the window in the padded input."""
    padded = [n + 2 * p + e for n, p, e in zip(size, window.padding, window.end, strict=True)]
    sides = zip(padded, window.kernel, window.stride, window.dilation, strict=True)
    return tuple(len(range(0, n - d * (k - 1), s)) for n, k, s, d in sides)


def meetings(window: Any, size: Any) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """(tap, cell, place): which place each tap of each output cell sees, if none in the padding.

    Taps and cells are numbered in reading order.
    """
    for k, tap in enumerate(np.ndindex(*window.kernel)):
        for m, cell in enumerate(np.ndindex(*cells_of(window, size))):
            steps = zip(cell, tap, window.stride, window.padding, window.dilation, strict=True)
            place = tuple(p * s + i * d - pad for p, i, s, pad, d in steps)
            if all(0 <= h < n for h, n in zip(place, size, strict=True)):
                yield k, m, place


def columns(x: Array, window: Any, outside: float = 0.0) -> Array:
    """col[n, c, tap, cell]: what the window sees, `outside` in the padding."""
    size = x.shape[2:]
    shape = (*x.shape[:2], math.prod(window.kernel), math.prod(cells_of(window, size)))
    col = np.full(shape, outside)
    for tap, cell, place in meetings(window, size):
        col[:, :, tap, cell] = x[(_ALL, _ALL, *place)]
    return col


def added(col: Array, window: Any, size: Any) -> Array:
    """The adjoint of `columns`: each entry is added to the place that it was read from."""
    x = np.zeros((*col.shape[:2], *size))
    for tap, cell, place in meetings(window, size):
        x[(_ALL, _ALL, *place)] += col[:, :, tap, cell]
    return x


def _by_group(a: Array, axis: int, groups: int) -> Array:
    """The channels on `axis` as (G, C/G), and all that follows as one axis."""
    each = a.shape[axis] // groups
    return a.reshape(*a.shape[:axis], groups, each, math.prod(a.shape[axis + 1 :]))


def conv(x: Array, w: Array, b: Array | None = None, *, window: Any, groups: int = 1) -> Array:
    col, N, cells = columns(x, window), len(x), cells_of(window, x.shape[2:])
    col = col.reshape(N, groups, w[0].size, math.prod(cells))
    y = np.einsum("gok,ngkp->ngop", _by_group(w, 0, groups), col).reshape(N, len(w), *cells)
    return y if b is None else y + b.reshape(-1, *[1] * len(cells))


def conv_input(gy: Array, w: Array, *, size: Any, window: Any, groups: int = 1) -> Array:
    col = np.einsum("gok,ngop->ngkp", _by_group(w, 0, groups), _by_group(gy, 1, groups))
    shape = (len(gy), w.shape[1] * groups, math.prod(window.kernel), col.shape[-1])
    return added(col.reshape(shape), window, size)


def conv_weight(gy: Array, x: Array, *, window: Any, groups: int = 1) -> Array:
    col = columns(x, window)
    shape = (gy.shape[1], x.shape[1] // groups, *window.kernel)
    col = col.reshape(len(x), groups, math.prod(shape[1:]), col.shape[-1])
    return np.einsum("ngop,ngkp->gok", _by_group(gy, 1, groups), col).reshape(shape)


def im2col(x: Array, *, window: Any) -> Array:
    col = columns(x, window)
    return col.reshape(len(x), col.shape[1] * col.shape[2], col.shape[3])


def col2im(col: Array, *, output_size: Any, window: Any) -> Array:
    N, rows, cells = col.shape
    taps = math.prod(window.kernel)
    return added(col.reshape(N, rows // taps, taps, cells), window, output_size)


def max_pool(x: Array, *, window: Any) -> Array:
    y = columns(x, window, -np.inf).max(2)
    return y.reshape(*x.shape[:2], *cells_of(window, x.shape[2:]))


def sum_pool(x: Array, *, window: Any) -> Array:
    return columns(x, window).sum(2).reshape(*x.shape[:2], *cells_of(window, x.shape[2:]))


def _one_row(x: Array) -> Array:
    """(N, C, OH, OW) -> (N, C, 1, cells), to broadcast against the taps of a column."""
    return x.reshape(*x.shape[:2], 1, math.prod(x.shape[2:]))


def sum_unpool(x: Array, *, size: Any, window: Any) -> Array:
    return added(_one_row(x).repeat(math.prod(window.kernel), 2), window, size)


def max_unpool(x: Array, *, argmax: Array, size: Any, window: Any) -> Array:
    taps = np.arange(math.prod(window.kernel))[:, None]
    return added(np.where(_one_row(argmax) == taps, _one_row(x), 0.0), window, size)


def gather_at_argmax(x: Array, *, argmax: Array, window: Any) -> Array:
    y = np.take_along_axis(columns(x, window), _one_row(argmax).astype(int), 2)
    return y.reshape(argmax.shape)


def inverse_of_erf(x: float) -> float:
    """By bisection: erf increases, and erf(4) is 1 - 2e-8."""
    low, high = -4.0, 4.0
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if math.erf(middle) < x else (low, middle)
    return low


def digamma(x: float) -> float:
    """psi(x) = psi(x + 1) - 1/x, up to where the asymptotic series is exact (DLMF 5.11.2)."""
    total = 0.0
    while x < 20.0:
        total, x = total - 1.0 / x, x + 1.0
    series = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132)
    return total + math.log(x) - 0.5 / x - sum(c / x ** (2 * k + 2) for k, c in enumerate(series))


def polygamma(n: int) -> Callable[[float], float]:
    """(-1)^(n+1) n! times the sum of 1/(x + k)^(n+1), its tail by Euler and Maclaurin's formula."""

    def at(x: float) -> float:
        total, s = math.fsum((x + k) ** -(n + 1.0) for k in range(200)), n + 1
        x += 200
        total += x**-n / n + 0.5 * x**-s + s * x ** -(s + 1.0) / 12
        total -= s * (s + 1) * (s + 2) * x ** -(s + 3.0) / 720
        return (-1.0) ** (n + 1) * math.factorial(n) * total

    return at
