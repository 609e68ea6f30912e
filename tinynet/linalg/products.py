"""Products of matrices and vectors."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from tinynet.functions import matrices as of_matrices
from tinynet.functions import products
from tinynet.functions.arguments import one_axis
from tinynet.functions.operands import tensor_like
from tinynet.functions.public import function
from tinynet.tensor import Tensor


@function
def matmul(input: Tensor, other: Any) -> Tensor:
    """The matrix product, as `tinynet.matmul`."""
    return products.matmul(input, other)


@function
def matrix_power(A: Tensor, n: int) -> Tensor:
    """a^n, as `tinynet.matrix_power`."""
    return of_matrices.powered("matrix_power", A, n)


@function
def cross(input: Tensor, other: Any, *, dim: int = -1) -> Tensor:
    """The cross product of vectors of size 3 along `dim`; other axes broadcast."""
    other = tensor_like("cross", "other", other, input)
    return products.cross_along("cross", input, other, dim)


@function
def vecdot(x: Tensor, y: Any, *, dim: int = -1) -> Tensor:
    """sum_i x_i y_i along `dim`; other axes broadcast."""
    y = tensor_like("vecdot", "y", y, x)
    return (x * y).sum(one_axis("vecdot", dim, max(x.ndim, y.ndim)))


@function
def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of several matrices, in the order that takes the fewest multiplications.

    The first and the last may be vectors: a row and a column.

    Source: T. Cormen et al., Introduction to Algorithms, 3rd ed. (2009), section 15.2.
    """
    xs = list(tensors) if isinstance(tensors, tuple | list) else []
    if len(xs) < 2 or not all(isinstance(x, Tensor) for x in xs):
        raise RuntimeError("multi_dot: tensors must be a list of at least two Tensors")
    row, column = xs[0].ndim == 1, xs[-1].ndim == 1
    xs[0] = xs[0].unsqueeze(0) if row else xs[0]
    xs[-1] = xs[-1].unsqueeze(1) if column else xs[-1]
    for x in xs:
        if x.ndim != 2:
            raise RuntimeError(
                f"multi_dot: a shape is {x.shape}; it must be a matrix, or first or last a vector"
            )
    for x, y in itertools.pairwise(xs):
        if x.shape[1] != y.shape[0]:
            raise RuntimeError(f"multi_dot: shapes {x.shape} and {y.shape} do not fit")
        if x.dtype != y.dtype:
            raise RuntimeError(f"multi_dot: dtypes {x.dtype} and {y.dtype} differ")
    y = _chained(xs, _cuts([xs[0].shape[0], *(x.shape[1] for x in xs)]), 0, len(xs) - 1)
    if row and column:
        return y.reshape(())
    return y.squeeze(0) if row else y.squeeze(1) if column else y


def _cuts(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Where to cut each product of the matrices i to j, so that it costs least."""
    n = len(sizes) - 1
    cost: dict[tuple[int, int], float] = {(i, i): 0.0 for i in range(n)}
    cuts = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i, j] = math.inf
            for k in range(i, j):
                both = sizes[i] * sizes[k + 1] * sizes[j + 1]
                total = cost[i, k] + cost[k + 1, j] + both
                if total < cost[i, j]:
                    cost[i, j], cuts[i, j] = total, k
    return cuts


def _chained(xs: list[Tensor], cuts: dict[tuple[int, int], int], i: int, j: int) -> Tensor:
    if i == j:
        return xs[i]
    k = cuts[i, j]
    return _chained(xs, cuts, i, k) @ _chained(xs, cuts, k + 1, j)
