"""Inverse, solution and determinant of square matrices.

Every operation works on the last two axes, for each matrix of a batch. For the derivations:
<u, v> = tr(u^T v), so <g, a db c> = <a^T g c^T, db>.
"""

from __future__ import annotations

from typing import Any

from tinynet.autograd import Op, raw
from tinynet.backend import arange, array_module
from tinynet.ops.arithmetic import where
from tinynet.ops.linalg import matmul, transposed
from tinynet.ops.reduction import sum
from tinynet.ops.shape import reshape


def check_square(name: str, a: Any) -> None:
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ValueError(f"{name}: shape {tuple(a.shape)} must end in two equal sizes, as square "
                         "matrices have")  # fmt: skip


def diagonal_mask(n: int, like: Any) -> Any:
    """The mask of the diagonal."""
    k = arange(n, like)
    return k[:, None] == k[None, :]


def _matrix(x: Any) -> Any:
    """A number of a batch as a 1x1 matrix."""
    return reshape(x, shape=(*x.shape, 1, 1))


@Op
def inv(a: Any) -> Any:
    """y = a^-1, the matrix with a y = y a = I.

    Derivation: 0 = dI = da y + a dy, so dy = -y da y and <gy, dy> = <-y^T gy y^T, da>.
        ga = -matmul(matmul(transposed(y), gy), transposed(y))
    Jacobian: -y ⊗ y^T.
    Kinks: none; it exists unless a is singular.
    Cost: n^3 multiply-adds forward, 2n^3 backward; keeps y.
    Shapes: (..., n, n) -> (..., n, n); dtype of a. Errors: ValueError for a singular matrix.
    Source: M. Giles, An extended collection of matrix derivative results for forward and reverse
        mode algorithmic differentiation (2008), section 2.2.3.
    """
    check_square("inv", a)
    return array_module(a).linalg.inv(a)


@inv.rule("a")
def inv_ga(gy: Any, y: Any) -> Any:
    return -matmul(matmul(transposed(y), gy), transposed(y))


@Op
def solve(a: Any, b: Any) -> Any:
    """y = a^-1 b: the matrix with a y = b.

    Derivation: da y + a dy = db, so dy = a^-1 (db - da y). With gb = a^-T gy,
        <gy, dy> = <gb, db> - <gb y^T, da>.
        ga = -matmul(solve(transposed(a), gy), transposed(y))
        gb = solve(transposed(a), gy)
    Jacobian: a^-1 ⊗ I for b, -a^-1 ⊗ y^T for a.
    Kinks: none; it exists unless a is singular.
    Cost: n^3 / 3 + n^2 k multiply-adds forward, the same for each rule; keeps a and y.
    Shapes: (..., n, n) and (..., n, k) -> (..., n, k), with equal leading axes; dtype: the wider.
    Errors: ValueError for a singular matrix, and if the shapes do not fit.
    Source: Giles (2008), section 2.3.1.
    """
    check_square("solve", a)
    if b.ndim != a.ndim or a.shape[:-1] != b.shape[:-1]:
        raise ValueError(
            f"solve: matrices {tuple(a.shape)} and right sides {tuple(b.shape)} must be equal up "
            "to the last axis"
        )
    return array_module(a, b).linalg.solve(a, b)


@solve.rule("a")
def solve_ga(gy: Any, a: Any, y: Any) -> Any:
    return -matmul(solve(transposed(a), gy), transposed(y))


@solve.rule("b")
def solve_gb(gy: Any, a: Any) -> Any:
    return solve(transposed(a), gy)


@Op
def det(a: Any) -> Any:
    """y = det a, the signed volume of the parallelepiped of the rows.

    Derivation: y is linear in each entry, with the factor c_ij, its cofactor: dy = <c, da>.
        ga = _matrix(gy) * cofactors(a)
    Jacobian: the row of the cofactors, y a^-T if a is not singular.
    Kinks: none; a polynomial.
    Cost: n^3 / 3 multiply-adds forward, a singular value decomposition backward; keeps a.
    Shapes: (..., n, n) -> (...); dtype of a. Errors: ValueError unless the matrices are square.
    Source: J. Magnus and H. Neudecker, Matrix Differential Calculus, 3rd ed. (2019), section 8.3.
    """
    check_square("det", a)
    return array_module(a).linalg.det(a)


@det.rule("a")
def det_ga(gy: Any, a: Any) -> Any:
    return _matrix(gy) * cofactors(a)


def _products_without(s: Any, masks: Any) -> Any:
    """The products of the s (..., n) but those that the last axis of `masks` is true for."""
    xp = array_module(s)
    line = s.reshape(*s.shape[:-1], *[1] * (masks.ndim - 1), s.shape[-1])
    return xp.where(masks, 1.0, line).astype(s.dtype).prod(axis=-1)


@Op
def cofactors(a: Any) -> Any:
    """y_ij = (-1)^(i + j) det(a without row i and column j), the derivative of det a by a_ij.

    With a = u diag(s) v^T, y = det(u v^T) u diag(p) v^T, where p_i is the product of all s_j but
    s_i: nothing is divided, so that singular matrices have cofactors too.

    Derivation: let m = u^T da v and k = det(u v^T). The second derivatives of a determinant at a
        diagonal matrix are the products p_ij of all s but s_i and s_j, so u^T dy v = k w with
        w_ii = sum_{j != i} p_ij m_jj and w_ij = -p_ij m_ji elsewhere. With n = u^T gy v,
        <gy, dy> = k (sum_{i != j} p_ij (n_ii m_jj - n_ij m_ji)): the same map, applied to gy.
        ga = cofactors_change(a, gy)
    Jacobian: symmetric, since it is a second derivative.
    Kinks: none; a polynomial.
    Cost: a singular value decomposition forward, and another backward; keeps a.
    Shapes: (..., n, n) -> (..., n, n); dtype of a.
    Errors: ValueError unless the matrices are square.
    Source: G. Stewart, On the adjugate matrix, Linear Algebra Appl. 283 (1998), section 2.
    """
    check_square("cofactors", a)
    xp = array_module(a)
    u, s, vt = xp.linalg.svd(a, full_matrices=False)
    sign = xp.linalg.det(u) * xp.linalg.det(vt)
    products = _products_without(s, diagonal_mask(s.shape[-1], s))
    return sign[..., None, None] * ((u * products[..., None, :]) @ vt)


@cofactors.rule("a")
def cofactors_ga(gy: Any, a: Any) -> Any:
    return cofactors_change(a, gy)


@Op
def cofactors_change(a: Any, x: Any) -> Any:
    """y = the derivative of `cofactors` at a in the direction x: sum_kl (d c_ij / d a_kl) x_kl.

    Derivation: y is linear in x with a symmetric matrix, so that <gy, dy> is <y of gy, dx> by x. By
        a it is a third derivative of the determinant, for which a must not be singular: with
        b = a^-1 and d = det a, <gy, y> = d (tr(b x) tr(b gy) - tr(b x b gy)), and db = -b da b,
        dd = d tr(b da). What <gy, dy> has beside da is `inner`, transposed.
        ga = _matrix(det(a)) * transposed(inner)
        gx = cofactors_change(a, gy)
    Jacobian: symmetric by x.
    Kinks: none; a polynomial.
    Cost: a singular value decomposition and n^3 products of n numbers forward; keeps a and x.
    Shapes: (..., n, n) twice -> (..., n, n); dtype: the wider.
    Errors: ValueError by a for a singular matrix.
    Source: Stewart (1998), section 2, differentiated.
    """
    xp = array_module(a, x)
    u, s, vt = xp.linalg.svd(a, full_matrices=False)
    n = s.shape[-1]
    sign = xp.linalg.det(u) * xp.linalg.det(vt)
    m = u.swapaxes(-1, -2) @ x @ vt.swapaxes(-1, -2)
    on = diagonal_mask(n, s)
    pairs = _products_without(s, on[:, None, :] | on[None, :, :])
    diagonal = (xp.where(on, 0.0, pairs) * (m * on).sum(axis=-2, keepdims=True)).sum(axis=-1)
    w = xp.where(on, diagonal[..., None], -pairs * m.swapaxes(-1, -2))
    return sign[..., None, None] * (u @ w.astype(s.dtype) @ vt)


@cofactors_change.rule("a")
def cofactors_change_ga(gy: Any, a: Any, x: Any) -> Any:
    b = inv(a)
    bx, bg = matmul(b, x), matmul(b, gy)
    bxbg, bgbx = matmul(bx, bg), matmul(bg, bx)
    trace_x, trace_g, trace = _trace(bx), _trace(bg), _trace(bxbg)
    inner = (
        (trace_x * trace_g - trace) * b
        - trace_g * matmul(bx, b)
        - trace_x * matmul(bg, b)
        + matmul(bxbg + bgbx, b)
    )
    return _matrix(det(a)) * transposed(inner)


@cofactors_change.rule("x")
def cofactors_change_gx(gy: Any, a: Any) -> Any:
    return cofactors_change(a, gy)


def _trace(x: Any) -> Any:
    """The trace as a 1x1 matrix."""
    n = x.shape[-1]
    return sum(where(diagonal_mask(n, raw(x)), x, 0.0), dim=(-2, -1), keepdim=True)


@Op
def slogdet(a: Any) -> Any:
    """y = (sign of det a, ln |det a|), which neither overflows nor underflows.

    Derivation: d ln |det a| = tr(a^-1 da) = <a^-T, da>; the sign is constant.
        ga = _matrix(gy[1]) * transposed(inv(a))
    Jacobian: a row of zeros, and a^-T.
    Kinks: none; a singular matrix has the logarithm -Inf, and no gradient.
    Cost: n^3 / 3 multiply-adds forward, n^3 backward; keeps a.
    Shapes: (..., n, n) -> (...) twice; dtype of a.
    Errors: ValueError unless the matrices are square; backward for a singular matrix.
    Source: Giles (2008), section 2.2.4.
    """
    check_square("slogdet", a)
    return tuple(array_module(a).linalg.slogdet(a))


@slogdet.rule("a")
def slogdet_ga(gy: Any, a: Any) -> Any:
    return _matrix(gy[1]) * transposed(inv(a))
