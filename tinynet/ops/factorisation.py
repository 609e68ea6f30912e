"""Matrices: inverse, solve, determinant, Cholesky, QR, eigenvalues, singular values, pseudoinverse.

Every operation works on the last two axes, for each matrix of a batch. For the derivations:
<u, v> = tr(u^T v), so <g, a db c> = <a^T g c^T, db>, and a factor that is orthogonal, triangular or
diagonal has a differential of the matching kind.
"""

from __future__ import annotations

from typing import Any

from tinynet.autograd import Op, raw
from tinynet.backend import arange, array_module, eye
from tinynet.ops.arithmetic import where
from tinynet.ops.linalg import matmul, transposed
from tinynet.ops.reduction import sum
from tinynet.ops.shape import reshape


def _column(x: Any) -> Any:
    """(..., n) -> (..., n, 1)"""
    return reshape(x, shape=(*x.shape, 1))


def _row(x: Any) -> Any:
    """(..., n) -> (..., 1, n)"""
    return reshape(x, shape=(*x.shape[:-1], 1, x.shape[-1]))


def _matrix(x: Any) -> Any:
    """A number of a batch as a 1x1 matrix."""
    return reshape(x, shape=(*x.shape, 1, 1))


def _below(n: int, like: Any) -> Any:
    """The mask of the entries below the diagonal."""
    k = arange(n, like)
    return k[:, None] > k[None, :]


def _diagonal(n: int, like: Any) -> Any:
    """The mask of the diagonal."""
    k = arange(n, like)
    return k[:, None] == k[None, :]


def _on_diagonal(x: Any, matrix: Any) -> Any:
    """A matrix with x (..., n) on its diagonal and `matrix` elsewhere."""
    return where(_diagonal(x.shape[-1], raw(x)), _column(x), matrix)


def _check_square(name: str, a: Any) -> None:
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ValueError(f"{name}: shape {tuple(a.shape)} must end in two equal sizes, as square "
                         "matrices have")  # fmt: skip


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
    _check_square("inv", a)
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
    _check_square("solve", a)
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
    _check_square("det", a)
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
    _check_square("cofactors", a)
    xp = array_module(a)
    u, s, vt = xp.linalg.svd(a, full_matrices=False)
    sign = xp.linalg.det(u) * xp.linalg.det(vt)
    products = _products_without(s, _diagonal(s.shape[-1], s))
    return sign[..., None, None] * ((u * products[..., None, :]) @ vt)


@cofactors.rule("a")
def cofactors_ga(gy: Any, a: Any) -> Any:
    return cofactors_change(a, gy)


@Op
def cofactors_change(a: Any, x: Any) -> Any:
    """y = the derivative of `cofactors` at a in the direction x: sum_kl (d c_ij / d a_kl) x_kl.

    Derivation: y is linear in x with a symmetric matrix, hence the rule of x. By a it is a third
        derivative of the determinant, for which a must not be singular: there c = det(a) a^-T and
        y = tr(a^-1 x) c - a^-T x^T c, which is differentiated line by line.
        ga = <gy, the derivative of that formula by a>
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
    on = _diagonal(n, s)
    pairs = _products_without(s, on[:, None, :] | on[None, :, :])
    diagonal = (xp.where(on, 0.0, pairs) * (m * on).sum(axis=-2, keepdims=True)).sum(axis=-1)
    w = xp.where(on, diagonal[..., None], -pairs * m.swapaxes(-1, -2))
    return sign[..., None, None] * (u @ w.astype(s.dtype) @ vt)


@cofactors_change.rule("a")
def cofactors_change_ga(gy: Any, a: Any, x: Any) -> Any:
    # f = <gy, y> = d (t_x t_g - t_xg), with d = det a, b = a^-1, t_x = tr(b x), t_g = tr(b^T... )
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
    return sum(where(_diagonal(n, raw(x)), x, 0.0), dim=(-2, -1), keepdim=True)


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
    _check_square("slogdet", a)
    return tuple(array_module(a).linalg.slogdet(a))


@slogdet.rule("a")
def slogdet_ga(gy: Any, a: Any) -> Any:
    return _matrix(gy[1]) * transposed(inv(a))


@Op
def cholesky(a: Any) -> Any:
    """y = l, the lower triangular matrix with a positive diagonal and a = l l^T.

    Derivation: da = dl l^T + l dl^T, so l^-1 da l^-T = m + m^T with m = l^-1 dl lower triangular:
        m = phi(l^-1 da l^-T), where phi takes the lower triangle with half the diagonal. Then
        <gy, l m> = <phi(l^T gy), l^-1 da l^-T>. a is symmetric; so is the gradient that is taken.
        ga = (g + transposed(g)) * 0.5
    Jacobian: that of the triangular Lyapunov equation above.
    Kinks: none; a must be positive definite.
    Cost: n^3 / 6 multiply-adds forward, some 3n^3 backward; keeps y.
    Shapes: (..., n, n) -> (..., n, n); dtype of a. Only the lower triangle of a is read.
    Errors: ValueError for a matrix that is not positive definite.
    Source: I. Murray, Differentiation of the Cholesky decomposition, arXiv:1602.07527, section 3.
    """
    _check_square("cholesky", a)
    return array_module(a).linalg.cholesky(a)


@cholesky.rule("a")
def cholesky_ga(gy: Any, y: Any) -> Any:
    half = _half_lower(matmul(transposed(y), gy))
    back = transposed(y)
    g = transposed(solve(back, transposed(solve(back, half))))  # l^-T half l^-1
    return (g + transposed(g)) * 0.5


def _half_lower(x: Any) -> Any:
    """The lower triangle, with half the diagonal."""
    n, array = x.shape[-1], raw(x)
    kept = where(_below(n, array), x, 0.0)
    return where(_diagonal(n, array), x * 0.5, kept)


@Op
def qr(a: Any) -> Any:
    """y = (q, r): a = q r, the columns of q orthonormal and r upper triangular, for tall matrices.

    Derivation: with c = da r^-1 and w = q^T c, q^T dq is skew and dr r^-1 upper triangular, and w
        is their sum: q^T dq = low(w) - low(w)^T, low the part below the diagonal. So
        dr = (w - q^T dq) r and dq = c - q w + q q^T dq. Collecting gq and gr,
        <gq, dq> + <gr, dr> = <(gq + q s) r^-T, da>, where s is the symmetric matrix that has below
        its diagonal, and on it, the entries of m = r gr^T - gq^T q.
        ga = transposed(solve(r, transposed(gq + matmul(q, s))))
    Jacobian: dense; zero for changes that only scale or rotate q within its columns.
    Kinks: none; the columns of a must be linearly independent.
    Cost: some 2mn^2 multiply-adds forward, 2mn^2 + n^3 backward; keeps q and r.
    Shapes: (..., m, n), m >= n -> (..., m, n) and (..., n, n); dtype of a.
    Errors: ValueError for wide matrices (`tinynet.qr` accepts them).
    Source: S. Walter and L. Lehmann, Algorithmic differentiation of linear algebra functions,
        arXiv:1001.1654, section 4.3.
    """
    if a.ndim < 2 or a.shape[-2] < a.shape[-1]:
        raise ValueError(
            f"qr: shape {tuple(a.shape)} must be matrices with at least as many rows as columns"
        )
    return tuple(array_module(a).linalg.qr(a))


@qr.rule("a")
def qr_ga(gy: Any, y: Any) -> Any:
    (gq, gr), (q, r) = gy, y
    m = matmul(r, transposed(gr)) - matmul(transposed(gq), q)
    lower = where(_below(m.shape[-1], raw(m)), m, 0.0)
    s = where(_diagonal(m.shape[-1], raw(m)), m, lower + transposed(lower))
    return transposed(solve(r, transposed(gq + matmul(q, s))))


def _gaps(x: Any) -> Any:
    """1 / (x_j - x_i), and 0 where the two are equal."""
    gap = _row(x) - _column(x)
    equal = raw(gap) == 0
    return where(equal, 0.0, 1.0 / where(equal, 1.0, gap))


@Op
def eigh(a: Any, *, upper: bool = False) -> Any:
    """y = (w, v): a = v diag(w) v^T for symmetric a, w in ascending order, v orthogonal.

    Derivation: with m = v^T da v and k = v^T dv, which is skew, m = k diag(w) - diag(w) k +
        diag(dw): dw_i = m_ii and k_ij = m_ij / (w_j - w_i). So <gw, dw> + <gv, dv> = <v (diag(gw) +
        f * (v^T gv)) v^T, da>, with f_ij = 1 / (w_j - w_i).
        ga = matmul(matmul(v, inner), transposed(v))
    Jacobian: dense; the eigenvalues by themselves have the rows v_i v_i^T.
    Kinks: where eigenvalues are equal their vectors are not unique and have no derivative; f is 0
        there, so that sums of functions of the eigenvalues keep their gradient. Vectors are defined
        up to their signs, and a gradient that depends on these means nothing.
    Cost: some 9n^3 multiply-adds forward, 4n^3 backward; keeps w and v.
    Shapes: (..., n, n) -> (..., n) and (..., n, n); dtype of a. Only the lower triangle of a is
        read, or the upper; the gradient is that for a symmetric a.
    Errors: ValueError unless the matrices are square, or if the iteration does not converge.
    Source: Giles (2008), section 3.1.
    """
    _check_square("eigh", a)
    return tuple(array_module(a).linalg.eigh(a, UPLO="U" if upper else "L"))


@eigh.rule("a")
def eigh_ga(gy: Any, y: Any) -> Any:
    (gw, gv), (w, v) = gy, y
    inner = _on_diagonal(gw, _gaps(w) * matmul(transposed(v), gv))
    return matmul(matmul(v, inner), transposed(v))


@Op
def svd(a: Any) -> Any:
    """y = (u, s, vt): a = u diag(s) vt, s >= 0 in descending order, u and vt^T with orthonormal
    columns.

    Derivation: with k = min(m, n), p = u^T da v, and the skew j = u^T du, l = v^T dv:
        p = j diag(s) + diag(ds) - diag(s) l. So ds_i = p_ii, and with f_ij = 1 / (s_j^2 - s_i^2),
        j = f * (p diag(s) + diag(s) p^T) and l = f * (diag(s) p + p^T diag(s)). Outside the column
        spaces, (I - u u^T) du = (I - u u^T) da v / s and (I - v v^T) dv = (I - v v^T) da^T u / s.
        Collecting gu, gs and gv = gvt^T, with x = f * (u^T gu - gu^T u), z = f * (v^T gv - gv^T v),
        ga = core + outside the spaces
    Jacobian: dense; the singular values by themselves have the rows u_i v_i^T.
    Kinks: as in `eigh`: for equal singular values f is 0. Beyond the spaces 1 / s is taken as 0
        for s = 0.
    Cost: some 14mk^2 multiply-adds forward, 6mk^2 backward; keeps u, s and vt.
    Shapes: (..., m, n) -> (..., m, k), (..., k), (..., k, n) with k = min(m, n); dtype of a.
    Errors: ValueError if the iteration does not converge.
    Source: J. Townsend, Differentiating the singular value decomposition (2016).
    """
    if a.ndim < 2:
        raise ValueError(f"svd: shape {tuple(a.shape)} must have two axes, as matrices have")
    return tuple(array_module(a).linalg.svd(a, full_matrices=False))


@svd.rule("a")
def svd_ga(gy: Any, y: Any) -> Any:
    (gu, gs, gvt), (u, s, vt) = gy, y
    squares = s * s
    f = _gaps(squares)
    ut, gv, v = transposed(u), transposed(gvt), transposed(vt)
    x = matmul(ut, gu)
    z = matmul(vt, gv)
    x, z = f * (x - transposed(x)), f * (z - transposed(z))
    core = x * _row(s) + _column(s) * z
    ga = matmul(matmul(u, where(_diagonal(s.shape[-1], raw(s)), _column(gs), core)), vt)
    none = raw(s) == 0
    inverse = where(none, 0.0, 1.0 / where(none, 1.0, s))
    if u.shape[-2] > s.shape[-1]:
        ga = ga + matmul((gu - matmul(u, matmul(ut, gu))) * _row(inverse), vt)
    if v.shape[-2] > s.shape[-1]:
        beyond = (gv - matmul(v, matmul(vt, gv))) * _row(inverse)
        ga = ga + matmul(u, transposed(beyond))
    return ga


@Op
def pinv(a: Any, *, rtol: Any, atol: Any = 0.0) -> Any:
    """y = v diag(1/s) u^T for a = u diag(s) v^T: the pseudoinverse, with 0 in the place of 1/s for
    s <= max(atol, rtol max(s)).

    Derivation: for constant rank dy = -y da y + y y^T da^T (I - a y) + (I - y a) da^T y^T y. With
        p = I - a y and q = I - y a, <gy, dy> is <-y^T gy y^T, da> + <p gy^T y y^T, da> +
        <y^T y gy^T q, da>.
        ga = -matmul(matmul(yt, gy), yt) + matmul(matmul(p, gt), matmul(y, yt))
             + matmul(matmul(yt, y), matmul(gt, q))
    Jacobian: dense; -y ⊗ y^T for square matrices of full rank.
    Kinks: where the rank changes y jumps; there it has no derivative, and the one for constant
        rank is taken.
    Cost: a singular value decomposition forward, 8 products backward; keeps a and y.
    Shapes: (..., m, n) -> (..., n, m); dtype of a.
    Errors: ValueError if the iteration does not converge.
    Source: G. Golub and V. Pereyra, The differentiation of pseudo-inverses and nonlinear least
        squares problems whose variables separate, SIAM J. Numer. Anal. 10 (1973), eq. 4.12.
    """
    xp = array_module(a)
    u, s, vt = xp.linalg.svd(a, full_matrices=False)
    top = s[..., :1]  # the largest comes first
    kept = s > xp.maximum(top * rtol, atol)
    inverse = xp.where(kept, 1.0 / xp.where(kept, s, 1.0), 0.0).astype(s.dtype)
    return (vt.swapaxes(-1, -2) * inverse[..., None, :]) @ u.swapaxes(-1, -2)


@pinv.rule("a")
def pinv_ga(gy: Any, a: Any, y: Any) -> Any:
    yt, gt = transposed(y), transposed(gy)
    p = eye(a.shape[-2], raw(a)) - matmul(a, y)
    q = eye(a.shape[-1], raw(a)) - matmul(y, a)
    return (
        -matmul(matmul(yt, gy), yt)
        + matmul(matmul(p, gt), matmul(y, yt))
        + matmul(matmul(yt, y), matmul(gt, q))
    )
