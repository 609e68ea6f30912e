"""Factorisations of matrices."""

from __future__ import annotations

from typing import NamedTuple

from tinynet.functions import matrices as of_matrices
from tinynet.functions.arguments import flag
from tinynet.functions.matrices import QR, matrices
from tinynet.functions.public import function, shown
from tinynet.ops import factorisation
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
