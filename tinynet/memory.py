"""Memory: layouts, strided views, workspaces, and the C library's allocator.

A training step allocates and frees the same arrays again and again, many of them megabytes. A new
array costs more in page faults than the arithmetic on it: 700 to 800 faults per LeNet step at
batch 64, a tenth to a fifth of its time. Two things avoid them. Temporaries that never leave their
operation live in a `workspace`. And when tinynet is imported on Linux with glibc, it tells the C
library to keep freed memory for the next array (`keep_freed_memory`); the process then holds on
to the most memory it ever used. ``TINYNET_TUNE_MALLOC=0`` leaves the allocator alone.

Source: the GNU C Library manual, section "Malloc Tunable Parameters" (mallopt).
"""

from __future__ import annotations

import math
import os
import sys
import threading
from typing import Any

import numpy as np

from tinynet.backend import Array, array_module, empty

# --- layouts and views ------------------------------------------------------------------------


def first_axis_last(x: Array) -> Array:
    """(N, A, B, ...) -> (A, B, ..., N), contiguous: a view if the bytes already lie in that order.

    Rows whose distance is a multiple of 2^11 bytes map to so few cache sets that each cache line
    is fetched again for each of its numbers. Such rows are first copied to rows that are padded by
    one cache line: 128 images of 3x32x32 take 0.35 ms instead of 2.7 ms.
    """
    xp = array_module(x)
    y = x.transpose(*range(1, x.ndim), 0)
    if xp is np and x.strides[0] % 2048 == 0 and x.flags.c_contiguous and len(x) > 8 and x.size:
        rows, line = x.reshape(len(x), -1), 64 // x.itemsize
        transposed = empty(rows.shape[::-1], x)
        # small blocks, so that the copy and its transpose are in the cache together
        length = max(line, block_bytes(x) // 4 // (len(x) * x.itemsize))
        padded = workspace("padded rows", (len(x), length + line), x)
        for start in range(0, len(transposed), length):
            block = rows[:, start : start + length]
            copy = padded[:, : block.shape[1]]
            copy[...] = block
            transposed[start : start + length] = copy.T
        return transposed.reshape(y.shape)
    return contiguous(y)


def is_contiguous(x: Array) -> bool:
    """Whether the bytes of `x` lie in C order without gaps, so that ``x.reshape(-1)`` is a view."""
    return bool(x.flags.c_contiguous)


def is_writable(x: Array) -> bool:
    """Whether `x` can be changed in place, as an array of a read-only file cannot."""
    return bool(getattr(x.flags, "writeable", True))  # CuPy's arrays always can


def contiguous(x: Array) -> Array:
    """`x` if it is contiguous, else a contiguous copy; unlike NumPy's, it keeps subclasses."""
    return x if is_contiguous(x) else x.copy()


def take_rows_last(x: Array, rows: Array) -> Array:
    """(N, A, B, ...), (n,) -> (A, B, ..., n), contiguous: x[rows] with its first axis last.

    Equal to `first_axis_last` of x[rows], but reads and writes each number once: a few rows at a
    time are transposed while they are in the cache.
    """
    flat, line = x.reshape(len(x), -1), 64 // x.itemsize
    length = flat.shape[1]
    y = empty((length, len(rows)), x)
    for start in range(0, len(rows), line):
        block = flat[rows[start : start + line]]
        if length * x.itemsize % 2048 == 0:  # see `first_axis_last`
            padded = workspace("padded rows", (len(block), length + line), x)[:, :length]
            padded[...] = block
            block = padded
        y[:, start : start + line] = block.T
    return y.reshape(*x.shape[1:], len(rows))


def as_strided(x: Array, shape: tuple[int, ...], strides: tuple[int, ...]) -> Array:
    """A read-only view of a contiguous `x` with the given strides in bytes.

    Entries of the view share memory, so adding into it would count some of them twice. CuPy
    cannot mark an array read-only.
    """
    xp = array_module(x)
    if xp is not np:
        return xp.lib.stride_tricks.as_strided(x, shape, strides)
    # NumPy's as_strided does the same in Python and takes five times as long
    kind = type(x) if isinstance(x, np.ndarray) else np.ndarray
    view = np.ndarray.__new__(kind, shape, x.dtype, x, 0, strides)
    view.setflags(write=False)
    return view


def broadcast_to(x: Array, shape: tuple[int, ...]) -> Array:
    """A read-only view of `x` broadcast to `shape`.

    Raises:
        ValueError: if it does not broadcast.
    """
    xp = array_module(x)
    # every mean needs this, and NumPy's broadcast_to is slow Python; as_strided would accept -1
    if xp is np and x.ndim == 0 and min(shape, default=0) >= 0:
        return as_strided(x, shape, (0,) * len(shape))
    return xp.broadcast_to(x, shape)


# --- workspaces -------------------------------------------------------------------------------


class _Workspaces(threading.local):
    """One flat buffer per name, dtype and class of arrays, separate for each thread."""

    def __init__(self) -> None:
        self.buffers: dict[tuple[str, Any, type], Array] = {}


_workspaces = _Workspaces()


def workspace(name: str, shape: tuple[int, ...], like: Array, dtype: Any = None) -> Array:
    """Uninitialised scratch memory on the device of `like`, valid until the next call for `name`.

    Temporaries that never leave their operation, such as the columns of a convolution, reuse the
    same memory each time: it has no page faults and is still in the cache. Operations that never
    run at the same time in a thread may share a name. CuPy has its own memory pool. The dtype is
    that of `like` by default.
    """
    dtype = like.dtype if dtype is None else np.dtype(dtype)
    if array_module(like) is not np:
        return empty(shape, like, dtype)
    size, key = math.prod(shape), (name, dtype, type(like))
    buffer = _workspaces.buffers.get(key)
    if buffer is None or buffer.size < size:
        buffer = _workspaces.buffers[key] = empty((size,), like, dtype)
    return buffer[:size].reshape(shape)


def block_bytes(like: Array) -> int:
    """The number of bytes of a large temporary to compute at a time.

    On the CPU as much as stays in the cache between being written and being read; on a GPU all of
    it, since each additional call costs more than the memory.
    """
    return 1 << 20 if array_module(like) is np else 1 << 62


# --- the C library's allocator ----------------------------------------------------------------

# <malloc.h>; the values are part of glibc's binary interface
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
_MIB = 1 << 20


def keep_freed_memory() -> bool:
    """Raise the thresholds above which freed memory goes back to the system.

    Returns:
        Whether it was done: False without glibc, or if ``TINYNET_TUNE_MALLOC`` is 0.
    """
    if not sys.platform.startswith("linux") or os.environ.get("TINYNET_TUNE_MALLOC") == "0":
        return False
    try:
        if not (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc"):
            return False
        import ctypes

        mallopt = ctypes.CDLL(None).mallopt
    except (ValueError, OSError, AttributeError):  # another C library
        return False
    # larger blocks are mapped one by one and unmapped when freed; glibc accepts at most 32 MiB
    done = mallopt(_M_MMAP_THRESHOLD, 32 * _MIB)
    # how much free memory to keep at the top of the heap, and how much to request in advance
    return bool(done and mallopt(_M_TRIM_THRESHOLD, 1024 * _MIB) and mallopt(_M_TOP_PAD, 64 * _MIB))
