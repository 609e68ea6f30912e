"""Softmax and its relatives, and samples from a softmax."""

from __future__ import annotations

from typing import Any

from tinynet import backend, random
from tinynet.autograd import raw
from tinynet.dtypes import in_float32
from tinynet.functions import reducing
from tinynet.functions.arguments import one_axis
from tinynet.functions.operands import only_floats
from tinynet.functions.public import function
from tinynet.ops import softmax as ops
from tinynet.ops.indexing import along
from tinynet.tensor import Tensor


def _given(name: str, dim: int | None) -> int:
    if dim is None:
        raise TypeError(
            f"{name}: dim is missing; give the axis along which probabilities add up to 1, such as "
            "dim=1 for (N, C)"
        )
    return dim


@function
@in_float32
def softmax(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Any:
    """e^(x_c) / sum_k e^(x_k) along `dim`; see `tinynet.ops.softmax.softmax`.

    Args:
        input: any shape.
        dim: the axis; it must be given.
        dtype: the type to convert x to first.
    """
    return reducing.softmax(input, _given("softmax", dim), dtype)


@function
@in_float32
def softmin(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Any:
    """softmax(-x): the smallest entry gets the largest share."""
    return softmax(-1 * input, dim, dtype=dtype)


@function
@in_float32
def log_softmax(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Any:
    """ln of `softmax`, accurate where softmax underflows; see `tinynet.ops.softmax.log_softmax`."""
    return reducing.log_softmax(input, _given("log_softmax", dim), dtype)


@function
def gumbel_softmax(
    logits: Tensor, tau: float = 1.0, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Any:
    """softmax((x + g) / tau) with Gumbel noise g = -ln(-ln u), u uniform: a relaxed sample.

    The position of the largest entry is an exact sample from softmax(x).

    Args:
        logits: any shape, floats.
        tau: greater than 0; the smaller, the nearer to one-hot.
        hard: return the one-hot sample itself, with the gradient of the relaxed one.
        eps: no effect, as in PyTorch.
        dim: the axis of the categories.

    Source: E. Jang, S. Gu and B. Poole, arXiv:1611.01144, eqs. 1 and 2.
    """
    if not tau > 0:
        raise ValueError(f"gumbel_softmax: tau is {tau}; it must be greater than 0")
    x = raw(logits)
    only_floats("gumbel_softmax", logits)
    axis = one_axis("gumbel_softmax", dim, x.ndim)
    xp = backend.array_module(x)
    # half a step of the generator away from 0 and 1, where the logarithms are infinite
    u = random.uniform(x.shape, x).astype("float64") + 2.0**-25
    soft = ops.softmax((logits + (-xp.log(-xp.log(u))).astype(x.dtype)) / float(tau), dim=axis)
    if not hard:
        return soft
    best = xp.expand_dims(raw(soft).argmax(axis=axis), axis)
    one_hot = backend.zeros(x.shape, x)
    one_hot[along("gumbel_softmax", best, axis, x.shape)] = 1.0
    return one_hot - soft.detach() + soft
