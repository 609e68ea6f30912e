"""Functions of matrices, in the last two axes: inverses, determinants, factorisations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from tinynet.autograd import raw
from tinynet.backend import arange, array_module, eye, full
from tinynet.functions.arguments import flag, integer
from tinynet.functions.operands import constant_of, only_floats
from tinynet.functions.public import function, unrecorded
from tinynet.ops import factorisation, inverses, shape
from tinynet.ops.arithmetic import where

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


class QR(NamedTuple):
    """What `qr` returns."""

    Q: Tensor
    R: Tensor


class SVD(NamedTuple):
    """What `svd` returns; in `linalg.svd` the last is `Vh`."""

    U: Tensor
    S: Tensor
    V: Tensor


class SlogDet(NamedTuple):
    """What `slogdet` returns."""

    sign: Tensor
    logabsdet: Tensor


def matrices(name: str, input: Tensor, square: bool = False) -> Tensor:
    """`input`, checked to be matrices of floats.

    Raises:
        RuntimeError: unless it has two axes, and they are equal where they must be.
        TypeError: unless it is floating-point.
    """
    only_floats(name, input)
    if input.ndim < 2:
        raise RuntimeError(f"{name}: shape {input.shape} must have two axes, as matrices have")
    if square and input.shape[-1] != input.shape[-2]:
        raise RuntimeError(
            f"{name}: shape {input.shape} must end in two equal sizes, as square matrices have"
        )
    if input.dtype.itemsize < 4:
        raise RuntimeError(f"{name}: dtype is {input.dtype}; convert to float32 with .float()")
    return input


def solvable(name: str, f: Any, *args: Any) -> Any:
    """f(*args); its ValueError, of a singular or indefinite matrix, becomes a RuntimeError."""
    try:
        return f(*args)
    except ValueError as error:
        text = str(error).rpartition(": ")[2]
        raise RuntimeError(f"{name}: {text}") from None


@function
def inverse(input: Tensor) -> Tensor:
    """a^-1 of each square matrix; see `tinynet.ops.inverses.inv`."""
    return inverted("inverse", input)


def inverted(name: str, a: Tensor) -> Tensor:
    return solvable(name, inverses.inv, matrices(name, a, square=True))


@function
def det(input: Tensor) -> Tensor:
    """The determinant of each square matrix; see `tinynet.ops.inverses.det`."""
    return inverses.det(matrices("det", input, square=True))


@function
def slogdet(input: Tensor) -> SlogDet:
    """The sign of the determinant and ln of its size; see `tinynet.ops.inverses.slogdet`."""
    return SlogDet(*inverses.slogdet(matrices("slogdet", input, square=True)))


@function
def logdet(input: Tensor) -> Tensor:
    """ln det a; -Inf for a singular matrix, and NaN for a negative determinant."""
    sign, size = inverses.slogdet(matrices("logdet", input, square=True))
    return where(raw(sign) < 0, math.nan, size)


@function
def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """The lower triangular l with l l^T = a; the upper l^T for `upper`.

    See `tinynet.ops.factorisation.cholesky`.
    """
    return cholesky_of("cholesky", input, upper)


def cholesky_of(name: str, input: Tensor, upper: Any) -> Tensor:
    a = matrices(name, input, square=True)
    upper = flag(name, "upper", upper)
    lower = solvable(name, factorisation.cholesky, a.mT if upper else a)
    return lower.mT if upper else lower


@function
def qr(input: Tensor, some: bool = True) -> QR:
    """a = q r, q with orthonormal columns and r upper triangular; see
    `tinynet.ops.factorisation.qr`.

    Args:
        input: (..., m, n).
        some: q (..., m, k), r (..., k, n) with k = min(m, n); else q is square, (..., m, m).
    """
    return qr_of("qr", input, "reduced" if flag("qr", "some", some) else "complete")


def qr_of(name: str, input: Tensor, mode: str) -> QR:
    a = matrices(name, input)
    m, n = a.shape[-2:]
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(f"{name}: mode is {mode!r}; it must be 'reduced', 'complete' or 'r'")
    if mode == "r":
        return QR(unrecorded(a, full((0,), 0.0, a.data)), qr_of(name, a, "reduced").R)
    if m < n:  # the first m columns determine q, and r = q^T a
        q, left = factorisation.qr(a[..., :m])
        r = shape.cat(left, q.mT @ a[..., m:], dim=-1)
        return QR(q, r)
    if mode == "complete" and m > n:
        if a.requires_grad:
            raise RuntimeError(
                f"{name}: the columns of a complete q beyond those of a are not unique and have no "
                "gradient; use the reduced form, or detach"
            )
        q, r = array_module(a.data).linalg.qr(a.data, mode="complete")
        return QR(unrecorded(a, q), unrecorded(a, r))
    return QR(*factorisation.qr(a))


@function
def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> SVD:
    """a = u diag(s) v^T; see `tinynet.ops.factorisation.svd`.

    Args:
        input: (..., m, n).
        some: u and v have min(m, n) columns; else they are square. The vectors added are any basis
            of the rest, and have no gradient.
        compute_uv: False for zeros in the place of u and v.
    """
    a = matrices("svd", input)
    if not flag("svd", "compute_uv", compute_uv):
        (m, n), lead = a.shape[-2:], a.shape[:-2]
        u, v = full((*lead, m, m), 0.0, a.data), full((*lead, n, n), 0.0, a.data)
        return SVD(unrecorded(a, u), svdvals(a), unrecorded(a, v))
    u, s, vt = svd_of("svd", a, complete=not flag("svd", "some", some))
    return SVD(u, s, vt.mT)


def svd_of(name: str, input: Tensor, complete: bool) -> tuple[Tensor, Tensor, Tensor]:
    """u, s and v^T."""
    a = matrices(name, input)
    u, s, vt = factorisation.svd(a)
    (m, n), k = a.shape[-2:], s.shape[-1]
    if complete and m != n:
        full_u, _, full_vt = array_module(a.data).linalg.svd(a.data, full_matrices=True)
        u = shape.cat(u, unrecorded(a, full_u[..., k:]), dim=-1)
        vt = shape.cat(vt, unrecorded(a, full_vt[..., k:, :]), dim=-2)
    return u, s, vt


def svdvals(a: Tensor) -> Tensor:
    """The singular values alone, in descending order."""
    return factorisation.svd(matrices("svdvals", a))[1]


@function
def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """The pseudoinverse of each matrix; see `tinynet.ops.factorisation.pinv`."""
    return factorisation.pinv(matrices("pinverse", input), rtol=float(rcond))


@function
def matrix_power(input: Tensor, n: int) -> Tensor:
    """a^n, by repeated squaring; the identity for n = 0, a power of the inverse for n < 0."""
    return powered("matrix_power", input, n)


def powered(name: str, input: Tensor, n: Any) -> Tensor:
    if input.ndim < 2 or input.shape[-1] != input.shape[-2]:
        raise RuntimeError(
            f"{name}: shape {input.shape} must end in two equal sizes, as square matrices have"
        )
    n = integer(name, "n", n)
    if n < 0:
        input, n = inverted(name, input), -n
    if n == 0:
        return constant_of(input, eye(input.shape[-1], input.data))
    square, y = input, None
    while n:
        if n % 2:
            y = square if y is None else y @ square
        n //= 2
        square = square @ square if n else square
    return y if y is not input else input.clone()  # type: ignore[return-value]


# --- triangles -----------------------------------------------------------------------------------


def triangle(a: Tensor, upper: bool, unit: bool = False) -> Tensor:
    """The upper or lower triangle of matrices, 0 elsewhere, with 1 on the diagonal for `unit`."""
    rows, columns = (arange(n, a.data) for n in a.shape[-2:])
    rows, columns = rows[:, None], columns[None, :]
    y = where(columns >= rows if upper else columns <= rows, a, 0.0)
    return where(columns == rows, 1.0, y) if unit else y


def solved(name: str, a: Tensor, b: Tensor) -> Tensor:
    """a^-1 b, where the leading axes broadcast."""
    if a.dtype != b.dtype:
        raise RuntimeError(f"{name}: dtypes {a.dtype} and {b.dtype} differ; convert with .to()")
    if a.shape[-2] != b.shape[-2]:
        raise RuntimeError(f"{name}: shapes {a.shape} and {b.shape} do not fit")
    lead = _broadcast(name, a.shape[:-2], b.shape[:-2])
    a, b = (x if x.shape[:-2] == lead else x.expand(*lead, *x.shape[-2:]) for x in (a, b))
    return solvable(name, inverses.solve, a, b)


def _broadcast(name: str, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    n = max(len(a), len(b))
    wide = [(1,) * (n - len(s)) + s for s in (a, b)]
    for p, q in zip(*wide, strict=True):
        if p != q and 1 not in (p, q):
            raise RuntimeError(f"{name}: the leading axes {a} and {b} do not broadcast")
    return tuple(q if p == 1 else p for p, q in zip(*wide, strict=True))
