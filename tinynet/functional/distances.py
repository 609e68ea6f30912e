"""Lengths, distances and angles of vectors."""

from __future__ import annotations

import math
from typing import Any

from tinynet.autograd import raw
from tinynet.functions.public import function
from tinynet.ops import arithmetic, broadcast, elementary, reduction
from tinynet.ops.arithmetic import where
from tinynet.ops.reduction import Dim, axes_of, axis_of
from tinynet.tensor import Tensor


def p_norm(x: Any, p: float, dim: Dim, keepdim: bool) -> Any:
    """(sum |x_i|^p)^(1/p) along `dim`; the gradient at 0 is 0."""
    p = float(p)
    if p == 2.0:
        return reduction.norm(x, dim=dim, keepdim=keepdim)
    size = arithmetic.abs(x)
    if p == 1.0:
        return reduction.sum(size, dim=dim, keepdim=keepdim)
    if p == math.inf:
        return reduction.amax(size, dim=dim, keepdim=keepdim)
    if p == -math.inf:
        return reduction.amin(size, dim=dim, keepdim=keepdim)
    if p == 0.0:
        return reduction.sum(where(raw(x) == 0, size * 0.0, size * 0.0 + 1.0), dim=dim,
                             keepdim=keepdim)  # fmt: skip
    positive = raw(size) > 0  # a slope at 0 may be infinite, or 0^(1/p - 1)
    terms = where(
        positive, elementary.pow(where(positive, size, 1.0), p), 0.0 if p > 0 else math.inf
    )
    total = reduction.sum(terms, dim=dim, keepdim=keepdim)
    fine = raw(total) > 0
    return where(fine, elementary.pow(where(fine, total, 1.0), 1.0 / p), 0.0)


@function
def normalize(input: Tensor, p: float = 2.0, dim: Dim = 1, eps: float = 1e-12) -> Any:
    """x / max(|x|_p, eps): vectors along `dim` scaled to length 1.

    Args:
        input: any shape, floats.
        p: the norm (sum |x_i|^p)^(1/p).
        dim: the axis or axes of the vectors.
        eps: the smallest divisor.
    """
    axes = axes_of("normalize", dim, max(input.ndim, 1)) if input.ndim else ()
    norm = p_norm(input, p, axes, True) if axes else arithmetic.abs(input)
    return input / arithmetic.clamp(norm, min=float(eps))


@function
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Any:
    """<x1, x2> / (max(|x1|, eps) max(|x2|, eps)) along `dim`; the shapes broadcast."""
    wide = (x1 * x2).shape
    a, b = (broadcast.expand(x, shape=wide or (1,)) for x in (x1, x2))
    axis = axis_of("cosine_similarity", dim, a.ndim)
    low = float(eps)
    a = a / arithmetic.clamp(reduction.norm(a, dim=axis, keepdim=True), min=low)
    b = b / arithmetic.clamp(reduction.norm(b, dim=axis, keepdim=True), min=low)
    return reduction.sum(a * b, dim=axis)
