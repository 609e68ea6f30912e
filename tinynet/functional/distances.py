"""Lengths, distances and angles of vectors."""

from __future__ import annotations

from typing import Any

from tinynet.dtypes import in_float32
from tinynet.functions.arguments import number, one_axis, some_axes
from tinynet.functions.norms import vector_norm
from tinynet.functions.public import function
from tinynet.ops import arithmetic, broadcast, reduction
from tinynet.ops.reduction import Dim
from tinynet.tensor import Tensor


@function
@in_float32
def normalize(input: Tensor, p: float = 2.0, dim: Dim = 1, eps: float = 1e-12) -> Any:
    """x / max(|x|_p, eps): vectors along `dim` scaled to length 1.

    Args:
        input: any shape, floats.
        p: the norm (sum |x_i|^p)^(1/p).
        dim: the axis or axes of the vectors.
        eps: the smallest divisor.
    """
    axes = some_axes("normalize", dim, input.ndim)
    order = float(number("normalize", "p", p))
    norm = vector_norm("normalize", input, order, axes, True) if axes else arithmetic.abs(input)
    return input / arithmetic.clamp(norm, min=float(eps))


@function
@in_float32
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Any:
    """<x1, x2> / (max(|x1|, eps) max(|x2|, eps)) along `dim`; the shapes broadcast."""
    wide = (x1 * x2).shape
    a, b = (broadcast.expand(x, shape=wide or (1,)) for x in (x1, x2))
    axis = one_axis("cosine_similarity", dim, a.ndim)
    low = float(eps)
    a = a / arithmetic.clamp(reduction.norm(a, dim=axis, keepdim=True), min=low)
    b = b / arithmetic.clamp(reduction.norm(b, dim=axis, keepdim=True), min=low)
    return reduction.sum(a * b, dim=axis)
