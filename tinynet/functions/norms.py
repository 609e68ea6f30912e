"""Norms of vectors and matrices, and distances."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tinynet.autograd import raw
from tinynet.dtypes import as_dtype, in_float32
from tinynet.functions.arguments import number, one_axis, reduced_axes
from tinynet.functions.matrices import svdvals
from tinynet.functions.operands import (
    constant_of,
    only_floats,
    promoted,
    real,
    tensor_like,
    to_dtype,
)
from tinynet.functions.public import function
from tinynet.ops import arithmetic, reduction
from tinynet.ops.arithmetic import where
from tinynet.ops.elementary import pow

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


def vector_norm(
    name: str, x: Tensor, p: float, axes: tuple[int, ...], keepdim: bool = False
) -> Tensor:
    """(sum |x_i|^p)^(1/p) along `axes`, the number of entries other than 0 for p = 0, and the
    largest or smallest |x_i| for p = Inf or -Inf. At 0 its gradient is 0.

    Source: R. Horn and C. Johnson, Matrix Analysis, 2nd ed. (2013), section 5.2.
    """
    empty = any(x.shape[axis] == 0 for axis in axes)
    if empty and (p < 0 or math.isinf(p)):
        raise RuntimeError(
            f"{name}: shape {x.shape} has no entry along dim {axes}; the norm {p} needs one"
        )
    if p == 2:
        return reduction.norm(x, dim=axes, keepdim=keepdim)
    if p == 0:
        counted = constant_of(x, (raw(x) != 0).astype(x.dtype))
        return reduction.sum(counted, dim=axes, keepdim=keepdim)
    size = arithmetic.abs(x)
    if p == 1:
        return reduction.sum(size, dim=axes, keepdim=keepdim)
    if math.isinf(p):
        extreme = reduction.amax if p > 0 else reduction.amin
        return extreme(size, dim=axes, keepdim=keepdim)
    if p < 2:  # the slope of |x|^p at 0, or that of |x|^(p - 1), is infinite
        none = raw(size) == 0
        powers = where(none, 0.0 if p > 0 else math.inf, pow(where(none, 1.0, size), p))
    else:
        powers = pow(size, p)
    total = reduction.sum(powers, dim=axes, keepdim=keepdim)
    none = raw(total) == 0
    return where(none, 0.0 if p > 0 else math.inf, pow(where(none, 1.0, total), 1.0 / p))


def matrix_norm(
    name: str, x: Tensor, p: Any, axes: tuple[int, int], keepdim: bool = False
) -> Tensor:
    """The norm of matrices in two axes.

    "fro": the length of all entries; "nuc": the sum of the singular values; 2 and -2: the largest
    and smallest of them; 1 and -1: the largest and smallest sum of |x_ij| down a column; Inf and
    -Inf: along a row.

    Source: R. Horn and C. Johnson, Matrix Analysis, 2nd ed. (2013), section 5.6.
    """
    if axes[0] == axes[1]:
        raise RuntimeError(f"{name}: dim {axes} names an axis twice; a matrix has two")
    if p == "fro":
        return reduction.norm(x, dim=axes, keepdim=keepdim)
    p = p if isinstance(p, str) else float(number(name, "p", p))
    if p != "nuc" and not (isinstance(p, int | float) and abs(p) in (1, 2, math.inf)):
        raise RuntimeError(
            f"{name}: ord is {p!r}; a matrix norm is 'fro', 'nuc', 1, -1, 2, -2, Inf or -Inf"
        )
    if p != "nuc" and p > 0 and 0 in (x.shape[axes[0]], x.shape[axes[1]]):
        return reduction.sum(x, dim=axes, keepdim=keepdim)
    if p == "nuc" or abs(p) == 2:
        rest = [k for k in range(x.ndim) if k not in axes]
        s = svdvals(x.permute(*rest, *axes))
        if p == "nuc":
            y = s.sum(-1)
        elif s.shape[-1] == 0:
            raise RuntimeError(f"{name}: shape {x.shape} has no entry; the norm {p} needs one")
        else:
            y = s.amax(-1) if p > 0 else s.amin(-1)
        kept = [1 if k in axes else n for k, n in enumerate(x.shape)]
        return y.reshape(*kept) if keepdim else y
    down, across = axes if abs(p) == 1 else axes[::-1]
    if x.shape[across] == 0:
        raise RuntimeError(f"{name}: shape {x.shape} has no entry; the norm {p} needs one")
    sums = reduction.sum(arithmetic.abs(x), dim=down, keepdim=True)
    extreme = reduction.amax if p > 0 else reduction.amin
    y = extreme(sums, dim=across, keepdim=True)
    if keepdim:
        return y
    return y.reshape([n for k, n in enumerate(x.shape) if k not in axes])


def widened(name: str, x: Tensor, dtype: Any) -> Tensor:
    """`x` in `dtype`, which must be a float type that is not narrower."""
    only_floats(name, x)
    if dtype is not None and as_dtype(dtype).kind != "f":
        raise RuntimeError(f"{name}: dtype is {as_dtype(dtype)}; it must be a float")
    if dtype is not None and as_dtype(dtype).itemsize < x.dtype.itemsize:
        raise RuntimeError(
            f"{name}: dtype {as_dtype(dtype)} is narrower than the input's {x.dtype}"
        )
    return to_dtype(x, dtype)


@function
@in_float32
def norm(
    input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> Tensor:
    """The length of the entries along `dim`, or of all; see `tinynet.ops.reduction.norm`.

    Args:
        input: floating-point.
        p: the order: 2, "fro" and None are the length, (sum |x_i|^p)^(1/p) any other number, the
            largest |x_i| Inf, and the sum of the singular values of a matrix "nuc".
        dim: the axes; None for all.
        keepdim: keep the axes, with size 1.
        dtype: what `input` is converted to first.
    """
    x = only_floats("norm", input, dtype)
    if p == "nuc":
        axes = reduced_axes("norm", dim, x.ndim)
        if len(axes) != 2:
            raise RuntimeError(f"norm: 'nuc' needs two axes for the matrices, not {len(axes)}")
        return matrix_norm("norm", x, p, axes, keepdim)
    axes = reduced_axes("norm", dim, x.ndim)
    if p is None or p == "fro":
        p = 2.0
    elif isinstance(p, str):
        raise RuntimeError(f"norm: p is {p!r}; it must be a number, 'fro' or 'nuc'")
    return vector_norm("norm", x, float(number("norm", "p", p)), axes, keepdim)


@function
@in_float32
def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """Each slice along `dim`, scaled down to the norm `maxnorm` of order p if it is longer."""
    x = only_floats("renorm", input)
    if x.ndim < 2:
        raise RuntimeError(f"renorm: shape {x.shape} has {x.ndim} axes; it needs at least 2")
    axis = one_axis("renorm", dim, x.ndim)
    p, maxnorm = float(number("renorm", "p", p)), float(number("renorm", "maxnorm", maxnorm))
    if p <= 0:
        raise RuntimeError(f"renorm: p is {p}; it must be greater than 0")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: maxnorm is {maxnorm}; it must be at least 0")
    rest = tuple(k for k in range(x.ndim) if k != axis)
    length = vector_norm("renorm", x, p, rest, keepdim=True)
    return x * where(raw(length) > maxnorm, maxnorm / (length + 1e-7), 1.0)


# --- distances -----------------------------------------------------------------------------------


@function
@in_float32
def dist(input: Tensor, other: Any, p: float = 2) -> Tensor:
    """The norm of order p of all entries of input - other, which broadcast."""
    a, b = promoted(input, tensor_like("dist", "other", other, input))
    x = only_floats("dist", a - b)
    return vector_norm("dist", x, float(number("dist", "p", p)), tuple(range(x.ndim)))


@function
@in_float32
def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """The norm of order p of x1 - x2 + eps along the last axis: the distances of paired rows."""
    x2 = tensor_like("pairwise_distance", "x2", x2, x1)
    x = real(x1 - x2) + float(number("pairwise_distance", "eps", eps))
    axes = (x.ndim - 1,) if x.ndim else ()
    return vector_norm(
        "pairwise_distance", x, float(number("pairwise_distance", "p", p)), axes, keepdim
    )


@function
@in_float32
def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str | None = None) -> Tensor:
    """The distances d_ij = |x1_i - x2_j| of order p of all pairs of rows.

    Args:
        x1: (..., N, M); the leading axes broadcast.
        x2: (..., R, M).
        p: the order, at least 0.
        compute_mode: PyTorch's choice between two formulas. Differences are always taken entry by
            entry, which is exact also for rows that are close.
    """
    x2 = tensor_like("cdist", "x2", x2, x1)
    for name, x in (("x1", x1), ("x2", x2)):
        if x.ndim < 2:
            raise RuntimeError(f"cdist: {name} has shape {x.shape}; it needs at least 2 axes")
        only_floats("cdist", x)
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(
            f"cdist: x1 {x1.shape} and x2 {x2.shape} must have the same number of columns"
        )
    modes = (None, "use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist",
             "donot_use_mm_for_euclid_dist")  # fmt: skip
    if compute_mode not in modes:
        raise ValueError(f"cdist: compute_mode is {compute_mode!r}; it must be one of {modes}")
    order = float(number("cdist", "p", p))
    if order < 0:
        raise RuntimeError(f"cdist: p is {order}; it must be at least 0")
    x = x1.unsqueeze(-2) - x2.unsqueeze(-3)
    if x.shape[-1] == 0:
        return x.sum(-1)
    return vector_norm("cdist", x, order, (x.ndim - 1,))


@function
@in_float32
def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The distances of order p of all pairs of rows i < j of a matrix, row by row."""
    if input.ndim != 2:
        raise RuntimeError(f"pdist: shape {input.shape} has {input.ndim} axes; give a matrix")
    order = float(number("pdist", "p", p))
    if order < 0:
        raise RuntimeError(f"pdist: p is {order}; it must be at least 0")
    x = only_floats("pdist", input)
    n = x.shape[0]
    first = [i for i in range(n) for _ in range(i + 1, n)]
    second = [j for i in range(n) for j in range(i + 1, n)]
    difference = x[first] - x[second]
    if not first or x.shape[1] == 0:
        return difference.sum(-1)
    return vector_norm("pdist", difference, order, (1,))
