"""Softmax and the losses fused with it, computed from logits.

The exponential of 89 overflows float32, so none of these takes the exponential of a logit. For
each row, with m = max_c x_c,

    ln sum_c e^(x_c) = m + ln sum_c e^(x_c - m)

holds exactly, every exponent is at most 0, and one of them is 0: the sum lies between 1 and C,
nothing overflows, and terms that underflow are smaller than the rounding error of that 1.
`tinynet.testing.definitions` has the formulas as loops.
"""

from __future__ import annotations

from typing import Any

from tinynet.autograd import Op
from tinynet.backend import array_module, full, quiet_range
from tinynet.dtypes import accumulates
from tinynet.kernels import sums
from tinynet.ops.broadcast import Elementwise, expand
from tinynet.ops.elementary import exp, exp_minus_abs, sigmoid
from tinynet.ops.reduction import Dim, axes_of, keepdims, sum
from tinynet.ops.shape import reshape


def _shifted(name: str, x: Any, dim: Dim) -> tuple[Any, Any, tuple[int, ...]]:
    """x - m, the maximum m with kept axes, and the axes; an infinite m is not subtracted."""
    xp = array_module(x)
    axes = axes_of(name, dim, x.ndim)
    if any(x.shape[i] == 0 for i in axes):
        raise ValueError(
            f"{name}: shape {tuple(x.shape)} has no entry along dim {dim}; it needs one"
        )
    m = x.max(axis=axes, keepdims=True)
    return x - xp.where(xp.isfinite(m), m, 0.0), m, axes


@Op
@accumulates
@quiet_range
def logsumexp(x: Any, *, dim: Dim, keepdim: bool = False) -> Any:
    """y = ln sum_c e^(x_c) over the axes `dim`.

    Derivation: dy = sum_c e^(x_c) dx_c / sum_c e^(x_c) = sum_c p_c dx_c, with p_c = e^(x_c - y), so
        <gy, dy> = <gy p, dx>.
        gx = keepdims(gy, "logsumexp", x_shape, dim) * p
    Jacobian: the row p, the softmax.
    Kinks: none; a smooth maximum, at most ln C above the maximum. A row that is all -Inf has no
        softmax, so its gradient is NaN.
    Cost: n exponentials forward and backward; keeps x and y.
    Shapes: that of x without `dim`, or with size 1 there (keepdim); dtype of x; -Inf for a row of
        -Inf. Errors: ValueError if there is no entry along `dim`; IndexError for a wrong axis.
    Source: P. Blanchard, D. Higham and N. Higham, Accurately computing the log-sum-exp and softmax
        functions, IMA J. Numer. Anal. 41 (2021), eq. 1.3 and section 4.
    """
    xp = array_module(x)
    shifted, m, axes = _shifted("logsumexp", x, dim)
    total = sums.sum(xp.exp(shifted), axes, keepdims=True)
    y = xp.log(xp.where(total == 0, 1.0, total)) + m  # total is 0 only if m, and so y, is -Inf
    return y if keepdim else y.reshape([n for i, n in enumerate(x.shape) if i not in axes])


@logsumexp.rule("x")
def logsumexp_gx(gy: Any, x: Any, y: Any, x_shape: tuple[int, ...], dim: Dim) -> Any:
    p = exp(x - keepdims(y, "logsumexp", x_shape, dim))
    return keepdims(gy, "logsumexp", x_shape, dim) * p


@Op
@accumulates
@quiet_range
def softmax(x: Any, *, dim: int) -> Any:
    """y_c = e^(x_c) / sum_k e^(x_k) along the axis `dim`.

    Derivation: ln y_c = x_c - lse(x), so dy_c = y_c (dx_c - sum_k y_k dx_k) and
        <gy, dy> = <y (gy - sum_c gy_c y_c), dx>.
        gx = y * (gy - sum(gy * y, dim=dim, keepdim=True))
    Jacobian: diag(y) - y y^T, diagonal minus rank one; its rows add up to 0, since adding a
        constant to all logits changes nothing.
    Kinks: none.
    Cost: n exponentials forward, 4n backward; keeps y.
    Shapes: that of x; dtype of x. Errors: ValueError if there is no entry along `dim`.
    Source: J. Bridle, Probabilistic interpretation of feedforward classification network outputs
        (1990); Blanchard, Higham and Higham (2021), eq. 1.2.
    """
    xp = array_module(x)
    shifted, _, axes = _shifted("softmax", x, dim)
    e = xp.exp(shifted)
    return e / sums.sum(e, axes, keepdims=True)


@softmax.rule("x")
def softmax_gx(gy: Any, y: Any, dim: int) -> Any:
    return y * (gy - sum(gy * y, dim=dim, keepdim=True))


@Op
@accumulates
@quiet_range
def log_softmax(x: Any, *, dim: int) -> Any:
    """y_c = x_c - ln sum_k e^(x_k) along the axis `dim`.

    Derivation: dy_c = dx_c - sum_k p_k dx_k with p = e^y, so <gy, dy> = <gy - p sum_c gy_c, dx>.
        gx = gy - exp(y) * sum(gy, dim=dim, keepdim=True)
    Jacobian: I - 1 p^T.
    Kinks: none.
    Cost: n exponentials forward and backward; keeps y.
    Shapes: that of x; dtype of x. Errors: ValueError if there is no entry along `dim`.
    Source: Blanchard, Higham and Higham, IMA J. Numer. Anal. 41 (2021), section 4.
    """
    xp = array_module(x)
    shifted, _, axes = _shifted("log_softmax", x, dim)
    return shifted - xp.log(sums.sum(xp.exp(shifted), axes, keepdims=True))


@log_softmax.rule("x")
def log_softmax_gx(gy: Any, y: Any, dim: int) -> Any:
    return gy - exp(y) * sum(gy, dim=dim, keepdim=True)


@Op
@accumulates
@quiet_range
def cross_entropy_rows(x: Any, q: Any) -> Any:
    """y_n = - sum_c q_nc ln p_nc, with p = softmax(x) along axis 1: row by row, from logits.

    Derivation: y = - sum_c q_c (x_c - lse(x)) = s lse(x) - sum_c q_c x_c with s = sum_c q_c, and
        d lse = sum_c p_c dx_c, so <gy, dy> = <gy (s p - q), dx> + <-gy ln p, dq>. For
        probabilities s is 1 and gx is gy (p - q): softmax minus one-hot.
        gx = gy * (softmax(x, dim=1) * sum(q, dim=1, keepdim=True) - q)
        gq = -(expand(gy, shape=x_shape) * log_softmax(x, dim=1))
    Jacobian: the row s p - q by x, and - ln p by q.
    Kinks: none. A row of zeros in q makes that row's loss 0.
    Cost: n exponentials and 3n forward, n exponentials and 4n backward; keeps x and q.
    Shapes: x, q (N, C, ...), y (N, ...); dtype of x.
    Errors: ValueError if the shapes differ or there is no class.
    Source: C. Bishop, Pattern Recognition and Machine Learning (2006), eq. 4.108 and 4.109.
    """
    if x.shape != q.shape or x.ndim < 2:
        raise ValueError(
            f"cross_entropy: logits {tuple(x.shape)} and target probabilities {tuple(q.shape)} "
            "must have the same shape (N, C, ...)"
        )
    log_p = log_softmax(x, dim=1)
    # 0 ln 0 is 0: a class of probability 0 adds nothing if its target is 0 too
    return -sums.sum(q * array_module(x).where(q == 0, 0.0, log_p), (1,))


@cross_entropy_rows.rule("x")
def cross_entropy_rows_gx(gy: Any, x: Any, q: Any, x_shape: tuple[int, ...]) -> Any:
    gy = reshape(gy, shape=(x_shape[0], 1, *x_shape[2:]))
    return gy * (softmax(x, dim=1) * sum(q, dim=1, keepdim=True) - q)


@cross_entropy_rows.rule("q")
def cross_entropy_rows_gq(gy: Any, x: Any, x_shape: tuple[int, ...]) -> Any:
    gy = reshape(gy, shape=(x_shape[0], 1, *x_shape[2:]))
    return -(expand(gy, shape=x_shape) * log_softmax(x, dim=1))


@Elementwise
@accumulates
@quiet_range
def bce_with_logits(x: Any, z: Any) -> Any:
    """y = - z ln s(x) - (1 - z) ln(1 - s(x)), s the sigmoid: entry by entry, from logits.

    Computed as (max(x, 0) - x z) + ln(1 + e^-|x|): no exponential overflows, and where the loss is
    small (z = 1 with large x, z = 0 with very negative x) the bracket is exactly 0, so that the
    logarithm keeps its precision.

    Derivation: ln s(x) = x - softplus(x) and ln(1 - s(x)) = -softplus(x), so y = softplus(x) - x z
        and dy = (s(x) - z) dx - x dz: <gy, dy> = <gy (s(x) - z), dx> + <-gy x, dz>.
        gx = gy * (sigmoid(x) - z)
        gz = -(gy * x)
    Jacobian: diagonal by each input.
    Kinks: none: the kinks of the two terms it is computed from cancel.
    Cost: n exponentials and logarithms forward, n sigmoids backward; keeps x and z.
    Shapes: x and z broadcast (`binary_cross_entropy_with_logits` requires equal shapes); dtype:
        the wider of both.
    Errors: ValueError if the shapes do not broadcast.
    Source: C. Bishop, Pattern Recognition and Machine Learning (2006), eq. 4.90 and 4.91.
    """
    xp = array_module(x, z)
    if isinstance(x, int | float):
        x = full((), x, z)  # a Python number has no dtype; its exponential is float64
    return (xp.maximum(x, 0.0) - x * z) + xp.log1p(exp_minus_abs(x))


@bce_with_logits.rule("x")
def bce_with_logits_gx(gy: Any, x: Any, z: Any) -> Any:
    return gy * (sigmoid(x) - z)


@bce_with_logits.rule("z")
def bce_with_logits_gz(gy: Any, x: Any) -> Any:
    return -(gy * x)
