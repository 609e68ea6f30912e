"""Factorisations of matrices: Cholesky, QR, eigenvalues, singular values; the pseudoinverse.

Every operation works on the last two axes, for each matrix of a batch. For the derivations:
<u, v> = tr(u^T v), and a factor that is orthogonal, triangular or diagonal has a differential of
the matching kind.
"""

from __future__ import annotations

from typing import Any

from tinynet.autograd import Op, raw
from tinynet.backend import arange, array_module, eye
from tinynet.ops.arithmetic import where
from tinynet.ops.inverses import check_square, diagonal_mask, solve
from tinynet.ops.linalg import matmul, transposed
from tinynet.ops.shape import reshape


def _column(x: Any) -> Any:
    """(..., n) -> (..., n, 1)"""
    return reshape(x, shape=(*x.shape, 1))


def _row(x: Any) -> Any:
    """(..., n) -> (..., 1, n)"""
    return reshape(x, shape=(*x.shape[:-1], 1, x.shape[-1]))


def _below(n: int, like: Any) -> Any:
    """The mask of the entries below the diagonal."""
    k = arange(n, like)
    return k[:, None] > k[None, :]


def _on_diagonal(x: Any, matrix: Any) -> Any:
    """A matrix with x (..., n) on its diagonal and `matrix` elsewhere."""
    return where(diagonal_mask(x.shape[-1], raw(x)), _column(x), matrix)


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
    check_square("cholesky", a)
    return array_module(a).linalg.cholesky(a)


@cholesky.rule("a")
def cholesky_ga(gy: Any, y: Any) -> Any:
    half = _half_lower(matmul(transposed(y), gy))
    back = transposed(y)
    g = solve(back, transposed(solve(back, half)))  # l^-T half^T l^-1
    return (g + transposed(g)) * 0.5


def _half_lower(x: Any) -> Any:
    """The lower triangle, with half the diagonal."""
    n, array = x.shape[-1], raw(x)
    kept = where(_below(n, array), x, 0.0)
    return where(diagonal_mask(n, array), x * 0.5, kept)


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
    s = where(diagonal_mask(m.shape[-1], raw(m)), m, lower + transposed(lower))
    return transposed(solve(r, transposed(gq + matmul(q, s))))


def _gaps(x: Any) -> Any:
    """1 / (x_j - x_i), and 0 where the two are equal."""
    gap = _row(x) - _column(x)
    equal = raw(gap) == 0
    divisor = where(equal, 1.0, gap)
    return where(equal, 0.0, 1.0 / divisor)


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
        read, or the upper; of the gradient the symmetric part counts.
    Errors: ValueError unless the matrices are square, or if the iteration does not converge.
    Source: Giles (2008), section 3.1.
    """
    check_square("eigh", a)
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
        core = x diag(s) + diag(s) z + diag(gs), and left and right what lies beyond the spaces,
        <gu, du> + <gs, ds> + <gvt, dvt> = <u core v^T + left + right, da>.
        ga = matmul(matmul(u, core), vt) + left + right
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
    core = _on_diagonal(gs, x * _row(s) + _column(s) * z)
    none = raw(s) == 0
    divisor = where(none, 1.0, s)
    inverse = _row(where(none, 0.0, 1.0 / divisor))
    left = matmul((gu - matmul(u, matmul(ut, gu))) * inverse, vt)
    right = matmul(u, transposed((gv - matmul(v, matmul(vt, gv))) * inverse))
    return matmul(matmul(u, core), vt) + left + right


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
