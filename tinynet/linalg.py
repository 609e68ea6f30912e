"""tinynet.linalg: linear algebra by PyTorch's names, as in ``torch.linalg``.

Matrices are in the last two axes. The factorisations and their derivatives are in
`tinynet.ops.inverses` and `tinynet.ops.factorisation`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from tinynet.backend import array_module
from tinynet.dtypes import in_float32
from tinynet.functions import matrices as of_matrices
from tinynet.functions import norms, products
from tinynet.functions.arguments import flag, number, one_axis, reduced_axes
from tinynet.functions.matrices import QR, SlogDet, matrices, solved, triangle
from tinynet.functions.norms import widened
from tinynet.functions.operands import tensor_like
from tinynet.functions.public import function, shown, unrecorded
from tinynet.ops import factorisation, inverses
from tinynet.tensor import Tensor


class SVD(NamedTuple):
    """What `svd` returns."""

    U: Tensor
    S: Tensor
    Vh: Tensor


class Eigh(NamedTuple):
    """What `eigh` returns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


# --- norms ---------------------------------------------------------------------------------------


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


# --- inverses and determinants -------------------------------------------------------------------


@function
def inv(A: Tensor) -> Tensor:
    """a^-1 of each square matrix; see `tinynet.ops.inverses.inv`."""
    return of_matrices.inverted("inv", A)


@function
def det(A: Tensor) -> Tensor:
    """The determinant of each square matrix; see `tinynet.ops.inverses.det`."""
    return inverses.det(matrices("det", A, square=True))


@function
def slogdet(A: Tensor) -> SlogDet:
    """The sign of the determinant and ln of its size; see `tinynet.ops.inverses.slogdet`."""
    return SlogDet(*inverses.slogdet(matrices("slogdet", A, square=True)))


@function
def solve(A: Tensor, B: Any, *, left: bool = True) -> Tensor:
    """The x with a x = b, or x a = b for `left` = False; see `tinynet.ops.inverses.solve`.

    b is a vector (or a batch of them, one for each matrix) if its shape is that of A without the
    last axis; else its last two axes are matrices, and the leading axes broadcast.
    """
    a = matrices("solve", A, square=True)
    b = tensor_like("solve", "B", B, a)
    left = flag("solve", "left", left)
    if b.ndim == 1 or (a.ndim - 1 == b.ndim and b.shape == a.shape[:-1]):
        if not left:
            raise RuntimeError("solve: left is False, which needs matrices B; this is a vector")
        if b.ndim == 1 and b.shape[0] != a.shape[-1]:
            raise RuntimeError(f"solve: shapes {a.shape} and {b.shape} do not fit")
        return solved("solve", a, b.unsqueeze(-1)).squeeze(-1)
    b = matrices("solve", b)
    return solved("solve", a, b) if left else solved("solve", a.mT, b.mT).mT


@function
def solve_triangular(
    A: Tensor, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """The x with a x = b for triangular a, of which the other triangle is not read.

    Args:
        A: square matrices.
        B: matrices.
        upper: whether a is upper triangular.
        left: False for x a = b.
        unitriangular: take 1 for each entry of the diagonal.
    """
    name = "solve_triangular"
    a = matrices(name, A, square=True)
    b = matrices(name, tensor_like(name, "B", B, a))
    a = triangle(a, flag(name, "upper", upper), flag(name, "unitriangular", unitriangular))
    return solved(name, a, b) if flag(name, "left", left) else solved(name, a.mT, b.mT).mT


@function
def pinv(A: Tensor, rtol: Any = None, *, atol: Any = None, hermitian: bool = False) -> Tensor:
    """The pseudoinverse of each matrix; see `tinynet.ops.factorisation.pinv`.

    Singular values up to max(atol, rtol max(s)) count as 0.

    Args:
        A: (..., m, n).
        rtol: by default max(m, n) times the spacing of numbers at 1, or 0 if `atol` is given.
        atol: 0 by default.
        hermitian: whether A is symmetric; then only the lower triangle is read.
    """
    a = matrices("pinv", A, square=flag("pinv", "hermitian", hermitian))
    if hermitian:
        a = triangle(a, upper=False) + (a - triangle(a, upper=True)).mT
    rtol, atol = _tolerances("pinv", a, rtol, atol)
    return factorisation.pinv(a, rtol=rtol, atol=atol)


def _tolerances(name: str, a: Tensor, rtol: Any, atol: Any) -> tuple[Any, Any]:
    """Both as numbers or as arrays that broadcast against the singular values."""
    if rtol is None:
        eps = 2.0**-52 if a.dtype.itemsize == 8 else 2.0**-23
        rtol = eps * max(a.shape[-2:]) if atol is None else 0.0
    found = []
    for what, value in (("rtol", rtol), ("atol", 0.0 if atol is None else atol)):
        if isinstance(value, Tensor):
            found.append(value.data[..., None])
        else:
            found.append(float(number(name, what, value)))
    return found[0], found[1]


@function
def matrix_rank(A: Tensor, tol: Any = None, hermitian: bool = False, *, atol: Any = None,
                rtol: Any = None) -> Tensor:  # fmt: skip
    """The number of singular values above max(atol, rtol max(s)); `tol` is an older word for atol.

    `rtol` is by default max(m, n) times the spacing of numbers at 1, or 0 if `atol` is given.
    """
    a = matrices("matrix_rank", A, square=flag("matrix_rank", "hermitian", hermitian))
    rtol, atol = _tolerances("matrix_rank", a, rtol, tol if atol is None else atol)
    s = array_module(a.data).linalg.svd(a.data, compute_uv=False)
    if not s.size:
        return unrecorded(a, (s > 0).sum(axis=-1).astype("int64"))
    xp = array_module(s)
    limit = xp.maximum(atol, rtol * s.max(axis=-1, keepdims=True))
    return unrecorded(a, (s > limit).sum(axis=-1).astype("int64"))


# --- factorisations ------------------------------------------------------------------------------


@function
def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """The lower triangular l with l l^T = a; see `tinynet.ops.factorisation.cholesky`."""
    return of_matrices.cholesky_of("cholesky", A, upper)


@function
def qr(A: Tensor, mode: str = "reduced") -> QR:
    """a = q r; see `tinynet.ops.factorisation.qr`.

    Args:
        A: (..., m, n).
        mode: "reduced", "complete" for a square q, or "r" for r alone.
    """
    return of_matrices.qr_of("qr", A, mode)


@function
def svd(A: Tensor, full_matrices: bool = True) -> SVD:
    """a = u diag(s) vh; see `tinynet.ops.factorisation.svd`.

    With `full_matrices` u and vh are square. The vectors beyond the min(m, n) singular values are
    any basis of the rest, and have no gradient.
    """
    complete = flag("svd", "full_matrices", full_matrices)
    return SVD(*of_matrices.svd_of("svd", A, complete))


@function
def svdvals(A: Tensor) -> Tensor:
    """The singular values, in descending order."""
    return of_matrices.svdvals(matrices("svdvals", A))


@function
def eigh(A: Tensor, UPLO: str = "L") -> Eigh:
    """a = v diag(w) v^T of symmetric a; see `tinynet.ops.factorisation.eigh`.

    Args:
        A: square matrices, of which one triangle is read.
        UPLO: "L" for the lower, "U" for the upper.
    """
    return _eigh("eigh", A, UPLO)


@function
def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of symmetric matrices, in ascending order."""
    return _eigh("eigvalsh", A, UPLO).eigenvalues


def _eigh(name: str, A: Tensor, uplo: str) -> Eigh:
    a = matrices(name, A, square=True)
    if not isinstance(uplo, str) or uplo.upper() not in ("L", "U"):
        raise RuntimeError(f"{name}: UPLO is {shown(uplo)}; it must be 'L' or 'U'")
    return Eigh(*factorisation.eigh(a, upper=uplo.upper() == "U"))


# --- products ------------------------------------------------------------------------------------


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
