"""Independent definitions of the simpler operations as loops, for `op_cases`.

Those of convolution, pooling and softmax are in `tinynet.testing.definitions`.
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


def expand(x: Array, shape: tuple[int, ...]) -> Array:
    y = np.zeros(shape)
    for at in np.ndindex(*shape):
        tail = at[len(shape) - x.ndim :]
        y[at] = x[tuple(0 if n == 1 else k for n, k in zip(x.shape, tail, strict=True))]
    return y


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


def cumsum(x: Array, dim: int) -> Array:
    y = np.zeros(x.shape)
    for at in np.ndindex(*x.shape):
        row = list(at)
        for k in range(at[dim] + 1):
            row[dim] = k
            y[at] += x[tuple(row)]
    return y


def permute(x: Array, dims: tuple[int, ...]) -> Array:
    y = np.zeros([x.shape[d] for d in dims])
    for at in np.ndindex(*y.shape):
        source = [0] * x.ndim
        for k, d in zip(at, dims, strict=True):
            source[d] = k
        y[at] = x[tuple(source)]
    return y


def cat(*xs: Array, dim: int = 0) -> Array:
    axis = dim % xs[0].ndim
    shape = list(xs[0].shape)
    shape[axis] = sum(x.shape[axis] for x in xs)
    y, start = np.zeros(shape), 0
    for x in xs:
        for at in np.ndindex(*x.shape):
            y[(*at[:axis], start + at[axis], *at[axis + 1 :])] = x[at]
        start += x.shape[axis]
    return y


def taken_from(shape: tuple[int, ...], index: Any) -> Array:
    """For each entry of x[index], its index in the flattened x."""
    return np.arange(math.prod(shape)).reshape(shape)[index]


def getitem(x: Array, index: Any) -> Array:
    places = taken_from(x.shape, index)
    flat = [float(v) for v in x.flat]
    return np.array([flat[k] for k in np.ravel(places)]).reshape(np.shape(places))


def index_add(*xs: Array, shape: tuple[int, ...], indices: tuple[Any, ...]) -> Array:
    y = [0.0] * math.prod(shape)
    for x, index in zip(xs, indices, strict=True):
        for k, v in zip(np.ravel(taken_from(shape, index)), np.ravel(x), strict=True):
            y[k] += v
    return np.array(y).reshape(shape)


def split(x: Array, sizes: tuple[int, ...], dim: int) -> tuple[Array, ...]:
    pieces, start = [], 0
    for size in sizes:
        pieces.append(np.take(x, range(start, start + size), dim))
        start += size
    return tuple(pieces)


def unbind(x: Array, dim: int) -> tuple[Array, ...]:
    return tuple(np.take(x, k, dim) for k in range(x.shape[dim]))


def topk(x: Array, k: int, dim: int, largest: bool = True) -> tuple[Array, Array]:
    moved = np.moveaxis(x, dim, -1)
    values, positions = np.zeros((*moved.shape[:-1], k)), np.zeros((*moved.shape[:-1], k), "int64")
    for at in np.ndindex(*moved.shape[:-1]):
        row = list(moved[at])
        order = sorted(range(len(row)), key=lambda i: (-row[i] if largest else row[i], i))
        for j, i in enumerate(order[:k]):
            values[(*at, j)], positions[(*at, j)] = row[i], i
    return np.moveaxis(values, -1, dim), np.moveaxis(positions, -1, dim)


def matmul(a: Array, b: Array) -> Array:
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = np.broadcast_to(a, lead + a.shape[-2:]), np.broadcast_to(b, lead + b.shape[-2:])
    y = np.zeros((*lead, a.shape[-2], b.shape[-1]))
    for at in np.ndindex(*lead):
        for i, j, k in np.ndindex(a.shape[-2], b.shape[-1], a.shape[-1]):
            y[(*at, i, j)] += a[(*at, i, k)] * b[(*at, k, j)]
    return y


def linear(x: Array, w: Array, b: Array | None = None) -> Array:
    y = np.zeros((x.shape[0], w.shape[0]))
    for n, j in np.ndindex(*y.shape):
        y[n, j] = (0.0 if b is None else b[j]) + math.fsum(x[n] * w[j])
    return y


def einsum(*xs: Array, subscripts: str) -> Array:
    left, out = subscripts.split("->")
    terms = left.split(",")
    sizes = {c: n for t, x in zip(terms, xs, strict=True) for c, n in zip(t, x.shape, strict=True)}
    y = np.zeros([sizes[c] for c in out])
    for values in itertools.product(*(range(n) for n in sizes.values())):
        at = dict(zip(sizes, values, strict=True))
        product = math.prod(
            float(x[tuple(at[c] for c in t)]) for t, x in zip(terms, xs, strict=True)
        )
        y[tuple(at[c] for c in out)] += product
    return y


def cross_entropy_rows(x: Array, q: Array) -> Array:
    y = np.zeros((x.shape[0], *x.shape[2:]))
    for n, c, *rest in np.ndindex(*x.shape):
        column = [float(v) for v in x[(n, slice(None), *rest)]]
        y[(n, *rest)] -= q[(n, c, *rest)] * (x[(n, c, *rest)] - log_sum_exp(column))
    return y


# --- windows over any number of spatial axes; what `definitions` spells out for two ---------------


def meetings(window: Any, size: Any) -> Iterator[tuple[Any, Any, Any]]:
    """(cell, tap, place) for each output cell and tap of the window; None for a place outside."""
    axes = list(
        zip(size, window.kernel, window.stride, window.padding, window.dilation, strict=True)
    )
    cells = [
        [p for p in range(n + 2 * pad) if p * s + d * (k - 1) < n + 2 * pad]
        for n, k, s, pad, d in axes
    ]
    for cell in itertools.product(*cells):
        for tap in itertools.product(*map(range, window.kernel)):
            place = tuple(
                p * s + i * d - pad for p, i, (_, _, s, pad, d) in zip(cell, tap, axes, strict=True)
            )
            inside = all(0 <= h < n for h, n in zip(place, size, strict=True))
            yield cell, tap, place if inside else None


def cells_of(window: Any, size: Any) -> tuple[int, ...]:
    last = max(cell for cell, _, _ in meetings(window, size))
    return tuple(p + 1 for p in last)


def conv(x: Array, w: Array, b: Array | None = None, *, window: Any, groups: int = 1) -> Array:
    N, OC, CG, size = len(x), len(w), w.shape[1], x.shape[2:]
    y = np.zeros((N, OC, *cells_of(window, size)))
    y += np.reshape(0.0 if b is None else b, (1, -1, *[1] * len(size)))
    for (cell, tap, place), o, c in itertools.product(meetings(window, size), range(OC), range(CG)):
        if place is not None:
            at = (slice(None), o // (OC // groups) * CG + c, *place)
            y[(slice(None), o, *cell)] += w[(o, c, *tap)] * x[at]
    return y


def conv_input(gy: Array, w: Array, *, size: Any, window: Any, groups: int = 1) -> Array:
    OC, CG = w.shape[:2]
    gx = np.zeros((len(gy), CG * groups, *size))
    for (cell, tap, place), o, c in itertools.product(meetings(window, size), range(OC), range(CG)):
        if place is not None:
            at = (slice(None), o // (OC // groups) * CG + c, *place)
            gx[at] += w[(o, c, *tap)] * gy[(slice(None), o, *cell)]
    return gx


def conv_weight(gy: Array, x: Array, *, window: Any, groups: int = 1) -> Array:
    OC, CG, size = gy.shape[1], x.shape[1] // groups, x.shape[2:]
    gw = np.zeros((OC, CG, *window.kernel))
    for (cell, tap, place), o, c in itertools.product(meetings(window, size), range(OC), range(CG)):
        if place is not None:
            at = (slice(None), o // (OC // groups) * CG + c, *place)
            gw[(o, c, *tap)] += math.fsum(gy[(slice(None), o, *cell)] * x[at])
    return gw


def im2col(x: Array, *, window: Any) -> Array:
    N, C, *size = x.shape
    cells = cells_of(window, size)
    col = np.zeros((N, C, *window.kernel, *cells))
    for cell, tap, place in meetings(window, size):
        if place is not None:
            col[(slice(None), slice(None), *tap, *cell)] = x[(slice(None), slice(None), *place)]
    return col.reshape(N, C * math.prod(window.kernel), math.prod(cells))


def col2im(col: Array, *, output_size: Any, window: Any) -> Array:
    N, C = len(col), col.shape[1] // math.prod(window.kernel)
    col = col.reshape(N, C, *window.kernel, *cells_of(window, output_size))
    x = np.zeros((N, C, *output_size))
    for cell, tap, place in meetings(window, output_size):
        if place is not None:
            x[(slice(None), slice(None), *place)] += col[(slice(None), slice(None), *tap, *cell)]
    return x


def max_pool(x: Array, *, window: Any) -> Array:
    y = np.full((*x.shape[:2], *cells_of(window, x.shape[2:])), -np.inf)
    for cell, _, place in meetings(window, x.shape[2:]):
        if place is not None:
            at = (slice(None), slice(None), *cell)
            y[at] = np.maximum(y[at], x[(slice(None), slice(None), *place)])
    return y


def sum_pool(x: Array, *, window: Any) -> Array:
    w = np.ones((x.shape[1], 1, *window.kernel))
    return conv(x, w, window=window, groups=x.shape[1])


def sum_unpool(x: Array, *, size: Any, window: Any) -> Array:
    w = np.ones((x.shape[1], 1, *window.kernel))
    return conv_input(x, w, size=size, window=window, groups=x.shape[1])


def max_unpool(x: Array, *, argmax: Array, size: Any, window: Any) -> Array:
    y = np.zeros((*x.shape[:2], *size))
    for cell, tap, place in meetings(window, size):
        number = np.ravel_multi_index(tap, window.kernel)
        for n, c in np.ndindex(*x.shape[:2]):
            if place is not None and argmax[(n, c, *cell)] == number:
                y[(n, c, *place)] += x[(n, c, *cell)]
    return y


def gather_at_argmax(x: Array, *, argmax: Array, window: Any) -> Array:
    y = np.zeros(argmax.shape)
    for cell, tap, place in meetings(window, x.shape[2:]):
        number = np.ravel_multi_index(tap, window.kernel)
        for n, c in np.ndindex(*x.shape[:2]):
            if place is not None and argmax[(n, c, *cell)] == number:
                y[(n, c, *cell)] = x[(n, c, *place)]
    return y
