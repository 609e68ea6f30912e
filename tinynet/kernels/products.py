"""Matrix products: `matmul` and `product` compute ``a @ b``, large ones on several threads."""

from __future__ import annotations

import numpy as np

from tinynet.backend import Array, array_module, empty
from tinynet.threads import for_each, one_blas_thread, touch_blas_memory

# In multiply-adds of one product:
MIN_FOR_BLAS_THREADS = 1 << 18  # below this OpenBLAS uses one thread anyway
MIN_FOR_PIECES = 1 << 22  # from here on two threads are faster than one
MIN_FOR_MANY_PIECES = 1 << 28  # from here on there is work for many threads


def matmul(a: Array, b: Array, out: Array | None = None) -> Array:
    """``a @ b`` on the calling thread alone, as other threads may be computing their own pieces."""
    xp = array_module(a, b)
    if xp is not np:
        return xp.matmul(a, b, out=out)
    touch_blas_memory()
    if a.shape[-2] * a.shape[-1] * b.shape[-1] < MIN_FOR_BLAS_THREADS:
        return np.matmul(a, b, out=out)
    with one_blas_thread():
        return np.matmul(a, b, out=out)


def product(a: Array, b: Array) -> Array:
    """``a @ b``; a large product of two matrices is split by rows, or by columns if there are more
    than twice as many columns.

    A piece of rows of y is contiguous, and BLAS was up to 1.4 times as fast; but with few rows, as
    in a small batch, BLAS would pack a large b again for every piece.
    """
    work = a.size * b.shape[-1]
    if work < MIN_FOR_BLAS_THREADS or array_module(a, b) is not np:
        return a @ b
    if a.ndim == b.ndim == 3 and len(a) == len(b) == 1:
        return product(a[0], b[0])[None]
    touch_blas_memory()
    if a.ndim != 2 or b.ndim != 2 or work < MIN_FOR_PIECES:
        return matmul(a, b)
    y = empty((a.shape[0], b.shape[1]), a, np.result_type(a, b))
    by_rows = 2 * y.shape[0] >= y.shape[1]
    length = y.shape[0] if by_rows else y.shape[1]
    size = max(16, -(-length // (16 if work >= MIN_FOR_MANY_PIECES else 4)))

    def compute(start: int) -> None:
        part = slice(start, start + size)
        if by_rows:
            np.matmul(a[part], b, out=y[part])
        else:
            np.matmul(a, b[:, part], out=y[:, part])

    with one_blas_thread():  # also if no worker threads are free
        for_each(compute, range(0, length, size))
    return y
