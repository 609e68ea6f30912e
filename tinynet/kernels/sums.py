"""Sums that are as accurate along every axis as along the one that is fastest in memory.

NumPy adds in pairs only along the fastest axis. Along any other it adds row after row to one total,
and each addition rounds it: after n rows the relative error may be n/2 rounding units, 1 % for a
million rows of float32. Here blocks of rows are added first and then their totals, again in blocks,
so that no number goes through more than `BLOCK` additions a level and `ROWS` in the last. Blocks
lie side by side in one wide call, which is also quicker; those of a small matrix are multiplied by
a row of ones, which takes a third of the time.

Blocks are cut by size, never by the number of threads, so the bits are the same everywhere.

Source: N. Higham, The accuracy of floating point summation, SIAM J. Sci. Comput. 14 (1993),
section 2, for the errors of adding one by one and in pairs.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any, NamedTuple

import numpy as np

from tinynet.backend import Array, array_module, full, ndarray

add: Any = np.add  # as Any: its annotations do not accept `Array`

ROWS = 128  # at most so many numbers are added one by one
BLOCK = 32  # rows of a block
SMALL = 1 << 16  # entries of a matrix that BLAS multiplies in one thread, with the same bits
WIDE = 4096  # entries of blocks side by side: 16 KiB of float32 stay in the first-level cache


def sum(x: Array, axes: tuple[int, ...], keepdims: bool = False, dtype: Any = None) -> Array:
    """y = the sum of x over some axes.

    Args:
        x: any shape and memory order.
        axes: the axes to add along, each from 0 to ndim - 1.
        keepdims: whether they stay, with size 1.
        dtype: the dtype of a sum of integers or booleans; floats keep theirs.
    """
    if type(x) is not ndarray and array_module(x) is not np:  # CuPy adds in trees
        return x.sum(axis=axes, dtype=dtype, keepdims=keepdims)
    if axes == (0,) and x.ndim == 2 and x.dtype.kind == "f" and x.size <= SMALL:
        n = len(x)
        if n <= ROWS:
            y = _ones(n, x) @ x
        elif x.strides[0] == x.itemsize:  # the fastest axis
            y = add.reduce(x)  # along axis 0
        elif n <= 4 * ROWS:
            y = _ones(ROWS, x) @ x[:ROWS]
            for start in range(ROWS, n, ROWS):
                part = x[start : start + ROWS]
                y += _ones(len(part), x) @ part
        else:
            y = _of_rows(x.reshape(-1), n, x.shape[1], math.isqrt(n))
        return y.reshape(1, -1) if keepdims else y
    n = 1
    for a in axes:
        n *= x.shape[a]
    if n <= ROWS or x.dtype.kind != "f":
        return add.reduce(x, axis=axes, dtype=dtype, keepdims=keepdims)
    plan = _plan(x.shape, x.strides, axes)
    if plan is None:
        return add.reduce(x, axis=axes, keepdims=keepdims)
    y = x if plan.order is None else x.transpose(plan.order)
    if plan.flat is not None:
        y = _of_rows(y.reshape(-1), *plan.flat).reshape(plan.kept)
    else:
        if plan.together and plan.together_first:
            y = add.reduce(y, axis=plan.together, keepdims=True)
        for axis in plan.apart:
            y = _down(y, axis)
        if plan.together and not plan.together_first:
            y = add.reduce(y, axis=plan.together, keepdims=True)
    if plan.back is not None:
        y = y.transpose(plan.back)
    return y if keepdims else y.reshape(plan.shape)


_rows_of_ones: dict[tuple[int, Any, type], Array] = {}


def _ones(n: int, like: Array) -> Array:
    """A row of ones, whose product with a matrix is the sum of its columns."""
    key = n, like.dtype, type(like)
    row = _rows_of_ones.get(key)
    if row is None:
        row = _rows_of_ones[key] = full((n,), 1, like)
    return row


class _Plan(NamedTuple):
    """How to add.

    The axes from slowest to fastest, and the order back; of the axes in that order those to add
    together, first or last, and those to add one after the other; the shapes of the result. For a
    few rows that lie one after the other the arguments of `_of_rows` are all.
    """

    order: tuple[int, ...] | None
    back: tuple[int, ...] | None
    together: tuple[int, ...]
    together_first: bool
    apart: tuple[int, ...]
    kept: tuple[int, ...]
    shape: tuple[int, ...]
    flat: tuple[int, int, int] | None


@functools.lru_cache(maxsize=1024)
def _plan(shape: tuple[int, ...], strides: tuple[int, ...], axes: tuple[int, ...]) -> _Plan | None:
    """The plan for an array; None if NumPy's own sum is accurate."""
    order = tuple(sorted(range(len(shape)), key=lambda a: -abs(strides[a])))
    sizes, steps = [shape[a] for a in order], [abs(strides[a]) for a in order]
    long = [k for k, n in enumerate(sizes) if n > 1]
    reduced = [k for k in long if order[k] in axes]
    together: list[int] = []  # the fastest, as far as NumPy joins them to one axis, or they are few
    for k, after in zip(reversed(long), [None, *reversed(long)], strict=False):
        joined = after is None or steps[k] == sizes[after] * steps[after]
        few = math.prod(sizes[i] for i in [k, *together]) <= ROWS
        if k not in reduced or not (joined or few):
            break
        together.insert(0, k)
    # the longest first, since that leaves the least for the others
    apart = sorted((k for k in reduced if k not in together), key=lambda k: -sizes[k])
    n = math.prod(sizes[k] for k in apart)
    if n <= ROWS:
        return None
    flat = None
    if reduced == long[: len(reduced)] and not together and n < BLOCK * ROWS:
        ends = itertools.pairwise(long)
        inner = math.prod(sizes) // n
        if all(steps[k] == sizes[m] * steps[m] for k, m in ends) and n * inner <= BLOCK * WIDE:
            block = next((b for b in range(BLOCK, 2, -1) if n % b == 0 and n // b <= ROWS), BLOCK)
            flat = (n, inner, min(block, math.isqrt(n) if n % block else block))
    moved = order != tuple(range(len(shape)))
    return _Plan(
        order if moved else None,
        tuple(order.index(a) for a in range(len(shape))) if moved else None,
        tuple(together),
        math.prod(sizes[k] for k in together) >= BLOCK,  # shorter rows are slow to add
        tuple(apart),
        tuple(1 if a in axes else shape[a] for a in order),
        tuple(m for a, m in enumerate(shape) if a not in axes),
        flat,
    )


def _of_rows(x: Array, n: int, inner: int, block: int) -> Array:
    """The sum of n rows of `inner` entries, given one after the other."""
    wide = n // block
    used = wide * block * inner
    y = _ones(block, x) @ x[:used].reshape(block, -1)
    if used < x.size:
        rest = x[used:]
        y[: rest.size] += rest
    return _ones(wide, x) @ y.reshape(wide, inner)


def _down(x: Array, axis: int) -> Array:
    """x added along an axis, which keeps size 1; the last axes are the fastest in memory."""
    n = x.shape[axis]
    if n <= ROWS:
        return add.reduce(x, axis=axis, keepdims=True)
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    inner = math.prod(after)
    block = min(BLOCK, math.isqrt(n))
    wide = min(n // block, max(1, WIDE // max(inner, 1)))
    if x.strides[axis] != inner * x.itemsize and inner >= ROWS:
        wide = 1  # blocks of rows with gaps are not one wide row
    high = n // (block * wide)
    used = high * block * wide
    rows = _part(x, axis, 0, used).reshape(*before, high, block, wide, *after)
    y = add.reduce(rows, axis=axis + 1).reshape(*before, high * wide, *after)
    if used < n:
        rest = _part(x, axis, used, n)
        if n - used > high * wide:
            rest = _down(rest, axis)
        some = _part(y, axis, 0, rest.shape[axis])
        some += rest
    return _down(y, axis)


def _part(x: Array, axis: int, start: int, stop: int) -> Array:
    """x[start:stop] along an axis."""
    return x[(slice(None),) * axis + (slice(start, stop),)]
