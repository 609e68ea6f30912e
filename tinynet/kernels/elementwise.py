"""Elementwise functions of large arrays: flat, in memory order, in pieces for several threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinynet import backend
from tinynet.backend import Array, array_module
from tinynet.memory import first_axis_last, workspace
from tinynet.threads import for_each

MIN_FOR_FLAT = 4096  # least entries for the flat path
ENTRIES_OF_PIECE = 1 << 18  # 1 MiB in float32; 60 microseconds of the fastest function


def relu(x: Array) -> Array:
    """y = max(x, 0)."""
    xp = array_module(x)

    def compute(x: Array, out: Array) -> None:
        xp.maximum(x, _zeros_like(x), out=out)

    return _elementwise(compute, x)


def gate(x: Array, gate: Array) -> Array:
    """y = x [gate > 0], in the memory order of the gate.

    x may be in C order, from a linear layer; the convolution before the gate needs its order.
    """
    xp = array_module(x, gate)

    def compute(x: Array, gate: Array, out: Array) -> None:
        positive = workspace("mask", gate.shape, gate, "bool")
        xp.multiply(x, xp.greater(gate, 0, out=positive), out=out)

    return _elementwise(compute, x, gate, order=gate)


def _elementwise(
    function: Callable[..., object], *arrays: Array, order: Array | None = None
) -> Array:
    """Apply ``function(*arrays, out=y)`` to a new array y of the first array's dtype and return y.

    On the CPU large arrays are passed flat, in memory order, in pieces of `ENTRIES_OF_PIECE`.

    Args:
        function: an elementwise function.
        arrays: its inputs, of one shape.
        order: the array whose memory order y takes, by default the first.
    """
    like = arrays[0] if order is None else order
    y = array_module(*arrays).empty_like(like, dtype=arrays[0].dtype)
    if y.size < MIN_FOR_FLAT or array_module(y) is not np:
        function(*arrays, out=y)
        return y
    out = y.ravel(order="K")  # a view, also for arrays with the strides of y
    flat = [_in_memory_order_of(y, a).ravel(order="K") for a in arrays]

    def compute(start: int) -> None:
        part = slice(start, start + ENTRIES_OF_PIECE)
        function(*[a[part] for a in flat], out=out[part])

    if out.size <= ENTRIES_OF_PIECE:
        function(*flat, out=out)
    else:
        for_each(compute, range(0, out.size, ENTRIES_OF_PIECE))
    return y


def _in_memory_order_of(y: Array, a: Array) -> Array:
    """`a` in the memory order of `y`."""
    if a.strides == y.strides:
        return a
    # The order of convolution and pooling.
    if y.transpose(*range(1, y.ndim), 0).flags.c_contiguous:
        return first_axis_last(a).transpose(-1, *range(y.ndim - 1))
    copy = array_module(y).empty_like(y, dtype=a.dtype)
    copy[...] = a
    return copy


_zeros: dict[tuple[Any, type], Array] = {}  # one read-only array a dtype and class of arrays


def _zeros_like(x: Array) -> Any:
    """Zeros to compare a flat `x` with, or 0 for a small `x`: NumPy's maximum of two arrays is four
    times as fast as that of an array and a number."""
    if x.size < MIN_FOR_FLAT or array_module(x) is not np:
        return 0
    kind = x.dtype, type(x)
    zeros = _zeros.get(kind)
    if zeros is None or zeros.size < x.size:
        zeros = backend.zeros((x.size,), x)
        zeros.flags.writeable = False
        _zeros[kind] = zeros
    return zeros[: x.size]
