"""Inverses, determinants, systems of equations, the rank."""

from __future__ import annotations

from typing import Any

from tinynet.backend import array_module
from tinynet.functions import matrices as of_matrices
from tinynet.functions.arguments import flag, number
from tinynet.functions.matrices import SlogDet, matrices, solved, triangle
from tinynet.functions.operands import tensor_like
from tinynet.functions.public import function, unrecorded
from tinynet.ops import factorisation, inverses
from tinynet.tensor import Tensor


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
