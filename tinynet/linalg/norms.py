"""Norms of vectors and matrices, and what a norm says of a matrix."""

from __future__ import annotations

from typing import Any

from tinynet.dtypes import in_float32
from tinynet.functions import matrices as of_matrices
from tinynet.functions import norms
from tinynet.functions.arguments import number, one_axis, reduced_axes
from tinynet.functions.matrices import matrices
from tinynet.functions.norms import widened
from tinynet.functions.public import function, shown
from tinynet.tensor import Tensor


@function
@in_float32
def norm(
    A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The norm of a vector or matrix.

    Args:
        A: floating-point.
        ord: the order; None is the length of all entries. See `vector_norm` and `matrix_norm`.
        dim: one axis for vectors, two for matrices; None for those of A, which has one or two.
        keepdim: keep the axes, with size 1.
        dtype: what A is converted to first.
    """
    x = widened("norm", A, dtype)
    axes = reduced_axes("norm", dim, x.ndim)
    if ord is None:
        return norms.vector_norm("norm", x, 2.0, axes, keepdim)
    if dim is None and x.ndim > 2:
        raise RuntimeError(f"norm: A has {x.ndim} axes; with ord it must have 1 or 2, or give dim")
    if len(axes) == 2:
        return norms.matrix_norm("norm", x, ord, axes, keepdim)
    if len(axes) > 2:
        raise RuntimeError(f"norm: dim is {dim}; it must be one axis or two")
    return norms.vector_norm("norm", x, float(number("norm", "ord", ord)), axes, keepdim)


@function
@in_float32
def vector_norm(
    x: Tensor, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """(sum |x_i|^ord)^(1/ord) along `dim`, or over all entries.

    For ord = 0 it is the number of entries other than 0, for Inf and -Inf the largest and the
    smallest |x_i|.
    """
    a = widened("vector_norm", x, dtype)
    axes = reduced_axes("vector_norm", dim, a.ndim)
    return norms.vector_norm(
        "vector_norm", a, float(number("vector_norm", "ord", ord)), axes, keepdim
    )


@function
@in_float32
def matrix_norm(
    A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The norm of matrices: "fro", "nuc", 1, -1, 2, -2, Inf or -Inf.

    The same as `norm` with two axes; see `tinynet.functions.norms.matrix_norm`.
    """
    x = widened("matrix_norm", A, dtype)
    if not isinstance(dim, tuple | list) or len(dim) != 2:
        raise RuntimeError(f"matrix_norm: dim is {shown(dim)}; it must be a pair of axes")
    if x.ndim < 2:
        raise RuntimeError(f"matrix_norm: shape {x.shape} must have two axes, as matrices have")
    axes = (one_axis("matrix_norm", dim[0], x.ndim), one_axis("matrix_norm", dim[1], x.ndim))
    return norms.matrix_norm("matrix_norm", x, ord, axes, keepdim)


@function
def cond(A: Tensor, p: Any = None) -> Tensor:
    """The condition number |a| |a^-1|; by default that of the norm 2, max(s) / min(s)."""
    if p is None or p in (2, -2):
        s = of_matrices.svdvals(matrices("cond", A))
        largest, smallest = s.amax(-1), s.amin(-1)
        return smallest / largest if p == -2 else largest / smallest
    a = matrices("cond", A, square=True)
    axes = (a.ndim - 2, a.ndim - 1)
    b = of_matrices.inverted("cond", a)
    return norms.matrix_norm("cond", a, p, axes) * norms.matrix_norm("cond", b, p, axes)
