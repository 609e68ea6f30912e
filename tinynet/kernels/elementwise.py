"""Elementwise functions of large arrays: flat, as the bytes lie, in pieces for several threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from tinynet import backend
from tinynet.backend import Array, array_module
from tinynet.memory import first_axis_last, workspace
from tinynet.threads import for_each

MIN_FOR_FLAT = 4096  # entries from which on the flat path pays
ENTRIES_OF_PIECE = 1 << 18  # a mebibyte, 60 microseconds of the quickest function


def relu(x: Array) -> Array:
    """y = max(x, 0)."""
    xp = array_module(x)

    def compute(x: Array, out: Array) -> None:
        xp.maximum(x, _zeros_like(x), out=out)

    return _elementwise(compute, x)


def gate(x: Array, gate: Array) -> Array:
    """y = x [gate > 0], in the memory order of the gate.

    x may come from a linear layer, row by row; the convolution before the gate wants its order.
    """
    xp = array_module(x, gate)

    def compute(x: Array, gate: Array, out: Array) -> None:
        positive = workspace("mask", gate.shape, gate, "bool")
        xp.multiply(x, xp.greater(gate, 0, out=positive), out=out)

    return _elementwise(compute, x, gate, order=gate)


def _elementwise(
    function: Callable[..., object], *arrays: Array, order: Array | None = None
) -> Array:
    """A new array of the first one's dtype, filled by ``function(*arrays, out=array)``.

    The arrays have one shape, and the function works entry by entry: on the CPU it gets large ones
    as they lie in memory, flat, in pieces of up to `ENTRIES_OF_PIECE` entries.

    Args:
        function: what fills `out`.
        arrays: what it is given.
        order: the array in whose memory order the result lies, by default the first.
    """
    like = arrays[0] if order is None else order
    y = array_module(*arrays).empty_like(like, dtype=arrays[0].dtype)
    if y.size < MIN_FOR_FLAT or array_module(y) is not np:
        function(*arrays, out=y)
        return y
    out = y.ravel(order="K")  # a view; so are those of arrays with the strides of y
    flat = [_laid_like(y, a).ravel(order="K") for a in arrays]

    def compute(start: int) -> None:
        part = slice(start, start + ENTRIES_OF_PIECE)
        function(*[a[part] for a in flat], out=out[part])

    if out.size <= ENTRIES_OF_PIECE:
        function(*flat, out=out)
    else:
        for_each(compute, range(0, out.size, ENTRIES_OF_PIECE))
    return y


def _laid_like(y: Array, a: Array) -> Array:
    """The numbers of `a` in the memory order of `y`."""
    if a.strides == y.strides:
        return a
    # as convolution and pooling lay images
    if y.transpose(*range(1, y.ndim), 0).flags.c_contiguous:
        return first_axis_last(a).transpose(-1, *range(y.ndim - 1))
    copy = array_module(y).empty_like(y, dtype=a.dtype)
    copy[...] = a
    return copy


class _Zeros(threading.local):
    """One read-only array of zeros a dtype and class of arrays; of each thread its own."""

    def __init__(self) -> None:
        self.by_kind: dict[tuple[Any, type], Array] = {}


_zeros = _Zeros()


def _zeros_like(x: Array) -> Any:
    """What to compare a flat `x` with instead of 0: NumPy's maximum of two arrays is four times as
    fast as that of an array and a number, which shows from `MIN_FOR_FLAT` entries on."""
    if x.size < MIN_FOR_FLAT or array_module(x) is not np:
        return 0
    kind = x.dtype, type(x)
    zeros = _zeros.by_kind.get(kind)
    if zeros is None or zeros.size < x.size:
        zeros = _zeros.by_kind[kind] = backend.zeros((x.size,), x)
        zeros.flags.writeable = False
    return zeros[: x.size]
