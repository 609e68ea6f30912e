"""Scans and products along an axis: linear_recurrence, cumprod, prod, logcumsumexp.

All their derivatives are linear recurrences, run from the end. None divides by an entry, so that
all are right where entries are 0.
"""

from __future__ import annotations

from typing import Any

from tinynet.autograd import Op, raw
from tinynet.backend import array_module, empty
from tinynet.ops.arithmetic import where
from tinynet.ops.elementary import exp
from tinynet.ops.indexing import at_axis, getitem
from tinynet.ops.reduction import axis_of, keepdims
from tinynet.ops.shape import cat, flip, pad


def _at(x: Any, dim: int, k: Any) -> Any:
    return getitem(x, index=at_axis(dim, k))


def _later(x: Any, dim: int) -> Any:
    """x_1, ..., x_{n-1}, 0 along `dim`."""
    if x.shape[dim] == 0:
        return x
    widths = tuple((0, int(k == dim)) for k in range(len(x.shape)))
    return pad(_at(x, dim, slice(1, None)), widths=widths)


def _earlier(x: Any, dim: int, first: Any) -> Any:
    """first, x_0, ..., x_{n-2} along `dim`; `first` is a number."""
    if x.shape[dim] == 0:
        return x
    widths = tuple((int(k == dim), 0) for k in range(len(x.shape)))
    return pad(_at(x, dim, slice(0, -1)), widths=widths, value=first)


@Op
def linear_recurrence(a: Any, b: Any, *, dim: int) -> Any:
    """y_i = a_i y_{i-1} + b_i along the axis `dim`, with y_{-1} = 0.

    Derivation: dy_i = a_i dy_{i-1} + da_i y_{i-1} + db_i. Let r_i be the gradient of the loss by
        y_i through all later entries too: r_i = gy_i + a_{i+1} r_{i+1}, a recurrence from the end.
        Then <gy, dy> = sum_i r_i (da_i y_{i-1} + db_i).
        ga = linear_recurrence_gb(gy, a, dim) * _earlier(y, dim, 0.0)
        gb = flip(linear_recurrence(flip(later, dims=(dim,)), flip(gy, dims=(dim,)), dim=dim),
                  dims=(dim,))
    Jacobian: lower triangular: dy_i / db_j = a_{j+1} ... a_i.
    Kinks: none; a polynomial.
    Cost: n multiply-adds forward, one call of the array module for each position along `dim`; twice
        that backward; keeps a and y.
    Shapes: a and b have one shape, and y has it; dtype: the wider.
    Errors: ValueError if the shapes differ.
    Source: G. Blelloch, Prefix sums and their applications (1990), section 1.4.
    """
    if a.shape != b.shape:
        raise ValueError(
            f"linear_recurrence: shapes {tuple(a.shape)} and {tuple(b.shape)} differ; they must be "
            "equal"
        )
    y = empty(a.shape, b, array_module(a, b).result_type(a, b))
    for i in range(a.shape[dim]):
        at = at_axis(dim, i)
        y[at] = a[at] * y[at_axis(dim, i - 1)] + b[at] if i else b[at]
    return y


@linear_recurrence.rule("a")
def linear_recurrence_ga(gy: Any, a: Any, y: Any, dim: int) -> Any:
    return linear_recurrence_gb(gy, a, dim) * _earlier(y, dim, 0.0)


@linear_recurrence.rule("b")
def linear_recurrence_gb(gy: Any, a: Any, dim: int) -> Any:
    later = _later(a, dim)
    return flip(
        linear_recurrence(flip(later, dims=(dim,)), flip(gy, dims=(dim,)), dim=dim), dims=(dim,)
    )


@Op
def cumprod(x: Any, *, dim: int) -> Any:
    """y_i = x_0 x_1 ... x_i along the axis `dim`.

    Derivation: y_i = x_i y_{i-1} is a linear recurrence, with y_{-1} = 1. As in
        `linear_recurrence`, r_i = gy_i + x_{i+1} r_{i+1} and <gy, dy> = sum_i r_i y_{i-1} dx_i.
        gx = linear_recurrence_gb(gy, x, dim) * _earlier(y, dim, 1.0)
    Jacobian: lower triangular: dy_i / dx_j is the product without x_j.
    Kinks: none; a polynomial.
    Cost: n multiplications forward, 3n backward; keeps x and y.
    Shapes: that of x; dtype of x, int64 for integers and booleans.
    Errors: IndexError for an axis out of range.
    Source: G. Blelloch, Prefix sums and their applications (1990), section 1.4.
    """
    dtype = x.dtype if x.dtype.kind == "f" else "int64"
    return x.cumprod(axis=axis_of("cumprod", dim, x.ndim), dtype=dtype)


@cumprod.rule("x")
def cumprod_gx(gy: Any, x: Any, y: Any, dim: int) -> Any:
    return linear_recurrence_gb(gy, x, dim) * _earlier(y, dim, 1.0)


@Op
def prod(x: Any, *, dim: int, keepdim: bool = False) -> Any:
    """y = x_0 x_1 ... x_{n-1} along the axis `dim`.

    Derivation: dy = sum_i (product of all x_j but x_i) dx_i. That product is the running product
        from the start up to i - 1 times the one from the end down to i + 1: dividing y by x_i
        would fail at 0.
        gx = keepdims(gy, "prod", x_shape, dim) * (left * right)
    Jacobian: the row of the products without one entry.
    Kinks: none; a polynomial.
    Cost: n multiplications forward, 4n backward; keeps x.
    Shapes: that of x without `dim`, or with size 1 there (keepdim); dtype of x, int64 for
        integers and booleans. An empty product is 1. Errors: IndexError for an axis out of range.
    Source: A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed. (2008), section 3.3
        (Speelpenning's product).
    """
    dtype = x.dtype if x.dtype.kind == "f" else "int64"
    return x.prod(axis=axis_of("prod", dim, x.ndim), dtype=dtype, keepdims=keepdim)


@prod.rule("x")
def prod_gx(gy: Any, x: Any, x_shape: tuple[int, ...], dim: int) -> Any:
    dim = dim % len(x_shape)
    left = cumprod(_earlier(x, dim, 1.0), dim=dim)
    right = flip(cumprod(_earlier(flip(x, dims=(dim,)), dim, 1.0), dim=dim), dims=(dim,))
    return keepdims(gy, "prod", x_shape, dim) * (left * right)


@Op
def logcumsumexp(x: Any, *, dim: int) -> Any:
    """y_i = ln(e^(x_0) + ... + e^(x_i)) along the axis `dim`.

    Derivation: dy_i = sum_{j <= i} e^(x_j - y_i) dx_j. Let r_j = sum_{i >= j} e^(y_j - y_i) gy_i,
        which is gy_j + e^(y_j - y_{j+1}) r_{j+1}: a recurrence from the end whose factors are at
        most 1, since y grows. Then <gy, dy> = sum_j e^(x_j - y_j) r_j dx_j.
        gx = exp(_difference(x, y)) * r
    Jacobian: lower triangular, row i the softmax of the first i + 1 entries.
    Kinks: none. Where the sum is still 0 (y is -Inf) the gradient is 0.
    Cost: 2n exponentials and logarithms forward, 2n exponentials backward, a call of the array
        module for each position along `dim`; keeps x and y.
    Shapes: that of x; dtype of x. Errors: IndexError for an axis out of range.
    Source: P. Blanchard, D. Higham and N. Higham, Accurately computing the log-sum-exp and softmax
        functions, IMA J. Numer. Anal. 41 (2021), eq. 1.3, for each step.
    """
    xp = array_module(x)
    axis = axis_of("logcumsumexp", dim, x.ndim)
    y = empty(x.shape, x)
    for i in range(x.shape[dim]):
        at = at_axis(axis, i)
        y[at] = xp.logaddexp(y[at_axis(axis, i - 1)], x[at]) if i else x[at]
    return y


@logcumsumexp.rule("x")
def logcumsumexp_gx(gy: Any, x: Any, y: Any, dim: int) -> Any:
    dim = dim % len(x.shape)
    last = _at(y, dim, slice(-1, None))  # its factor meets no later entry
    grown = cat(_at(y, dim, slice(1, None)), last, dim=dim)
    decay = exp(_difference(y, grown))
    shifted = _earlier(decay, dim, 0.0)
    r = linear_recurrence_gb(gy, shifted, dim)
    return exp(_difference(x, y)) * r


def _difference(x: Any, y: Any) -> Any:
    """x - y, and -Inf where both are -Inf."""
    empty_sum = raw(y) == -float("inf")
    return where(empty_sum, -float("inf"), x - where(empty_sum, 0.0, y))
