"""Attention: every query takes a weighted mean of the values."""

from __future__ import annotations

import math
from typing import Any

from tinynet import backend
from tinynet.autograd import Value, raw
from tinynet.functional.dropout import dropout
from tinynet.functions.products import matmul
from tinynet.functions.public import function, shown
from tinynet.ops import softmax
from tinynet.ops.arithmetic import where
from tinynet.tensor import Tensor


@function
def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """softmax(Q K^T scale + mask) V: each query takes the mean of the values, weighted by its keys.

    Args:
        query: (..., L, E).
        key: (..., S, E).
        value: (..., S, F).
        attn_mask: broadcast to (..., L, S): booleans, True where a query may look; or numbers that
            are added to the scores. A query that may look nowhere gets 0.
        dropout_p: the probability of dropping a weight. It applies in evaluation too: give 0 there.
        is_causal: let query i look at keys 0 to i only.
        scale: 1 / sqrt(E) by default, so that scores of independent normal entries have variance 1.
        enable_gqa: repeat the heads (axis -3) of key and value to those of the query.

    Returns:
        (..., L, F).

    Raises:
        ValueError: if a shape does not fit, or both a mask and is_causal are given.

    Source: A. Vaswani et al., Attention is all you need, arXiv:1706.03762, eq. 1.
    """
    name = "scaled_dot_product_attention"
    for argument, t in (("query", query), ("key", key), ("value", value)):
        if not isinstance(t, Value):
            raise TypeError(f"{name}: {argument} is {shown(t)}; it must be a Tensor")
        if t._data.ndim < 2:
            raise ValueError(f"{name}: {argument} has shape {t.shape}; it must be (..., L, E)")
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ValueError(
            f"{name}: query {query.shape}, key {key.shape}, value {value.shape} do not fit; they "
            "must be (..., L, E), (..., S, E) and (..., S, F)"
        )
    if is_causal and attn_mask is not None:
        raise ValueError(f"{name}: give attn_mask or is_causal=True, not both")
    if enable_gqa:
        key, value = (_repeated(name, t, query.shape[-3]) for t in (key, value))
    factor = 1.0 / math.sqrt(query.shape[-1]) if scale is None else float(scale)
    scores = matmul(query * factor, key.mT)
    if is_causal:
        rows, columns = (backend.arange(n, raw(scores)) for n in scores.shape[-2:])
        attn_mask = columns[None, :] <= rows[:, None]
    if attn_mask is None:
        weights = softmax.softmax(scores, dim=-1)
    else:
        weights = _masked(name, scores, attn_mask)
    return matmul(dropout(weights, dropout_p), value)


def _masked(name: str, scores: Any, mask: Any) -> Any:
    """softmax of the scores where the mask allows it; 0 for a row that it closes wholly."""
    m = raw(mask)
    if m.dtype.kind == "b":
        scores = where(m, scores, -math.inf)
    elif m.dtype.kind == "f":
        scores = scores + mask
    else:
        raise TypeError(f"{name}: attn_mask is {m.dtype}; it must be bool or float")
    closed = (raw(scores) == -math.inf).all(axis=-1)[..., None]
    return where(closed, 0.0, softmax.softmax(where(closed, 0.0, scores), dim=-1))


def _repeated(name: str, x: Any, heads: int) -> Any:
    have = x.shape[-3]
    if not have or heads % have:
        raise ValueError(
            f"{name}: {heads} heads of the query are no multiple of {have} of key or value"
        )
    lead, tail = x.shape[:-3], x.shape[-2:]
    wide = x.unsqueeze(-3).expand(*lead, have, heads // have, *tail)
    return wide.reshape(*lead, heads, *tail)
