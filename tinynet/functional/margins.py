"""Losses that are 0 once a score or distance is on the right side by a margin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinynet import backend
from tinynet.autograd import raw
from tinynet.dtypes import in_float32
from tinynet.functional.activations import logsigmoid
from tinynet.functional.embedding import check_labels
from tinynet.functional.losses import check_tensors, reduced
from tinynet.functions.norms import pairwise_distance
from tinynet.functions.public import function
from tinynet.ops import arithmetic, elementary
from tinynet.ops.arithmetic import where
from tinynet.ops.reduction import sum
from tinynet.ops.shape import reshape
from tinynet.tensor import Tensor


def _over(x: Any) -> Any:
    """max(x, 0), with slope 1 at 0: the margin itself is not yet right."""
    return arithmetic.clamp(x, min=0.0)


@function
@in_float32
def hinge_embedding_loss(
    input: Tensor, target: Any, margin: float = 1.0, *, reduction: str = "mean"
) -> Any:
    """x where t is 1, max(0, margin - x) where t is -1; averaged. x is a distance."""
    check_tensors("hinge_embedding_loss", input, target)
    t = raw(target)
    near = where(t != -1, input, 0.0)
    far = where(t != 1, _over(float(margin) - input), 0.0)
    return reduced("hinge_embedding_loss", near + far, reduction)


@function
@in_float32
def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Any, margin: float = 0.0, *, reduction: str = "mean"
) -> Any:
    """max(0, margin - t (x1 - x2)), averaged: t is 1 if x1 is to rank above x2, else -1."""
    check_tensors("margin_ranking_loss", input1, input2)
    check_tensors("margin_ranking_loss", input1, target)
    axes = {len(a.shape) for a in (input1, input2, target)}
    if len(axes) != 1:
        raise ValueError(
            f"margin_ranking_loss: input1 {tuple(input1.shape)}, input2 {tuple(input2.shape)} and "
            f"target {tuple(target.shape)} must have the same number of axes"
        )
    losses = _over(-(target * (input1 - input2)) + float(margin))
    return reduced("margin_ranking_loss", losses, reduction)


@function
@in_float32
def soft_margin_loss(input: Tensor, target: Any, *, reduction: str = "mean") -> Any:
    """ln(1 + e^(-t x)), averaged, with t 1 or -1: the logistic loss."""
    check_tensors("soft_margin_loss", input, target)
    return reduced("soft_margin_loss", elementary.softplus(-(target * input)), reduction)


def _rows(name: str, input: Any, target: Any, labels: bool) -> tuple[Any, Any, bool]:
    """Input (N, C) and target with a batch axis, and whether there was none."""
    check_tensors(name, input, target)
    single = len(input.shape) < 2
    if len(input.shape) > 2 or (input.shape and not input.shape[-1]):
        raise ValueError(f"{name}: input has shape {tuple(input.shape)}; it must be (N, C) or (C,)")
    x = reshape(input, shape=(1, raw(input).size)) if single else input
    t = raw(target)
    wanted = tuple(x.shape[:1]) if labels else tuple(x.shape)
    if tuple(t.shape) not in ((wanted,) if not single else (wanted, wanted[1:], ())):
        raise ValueError(
            f"{name}: target has shape {tuple(t.shape)}; for input {tuple(input.shape)} it must be "
            f"{wanted[1:] if single else wanted}"
        )
    return x, t.reshape(wanted), single


@function
@in_float32
def multi_margin_loss(
    input: Tensor,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    *,
    reduction: str = "mean",
) -> Any:
    """sum over c != t of max(0, margin - x_t + x_c)^p / C, averaged: the hinge of several classes.

    Args:
        input: scores (N, C) or (C,).
        target: labels t (N,) or ().
        p: 1 or 2.
        margin: how far the score of the label is to be above the others.
        weight: (C,): a factor of max(...)^p by the label.
        reduction: "mean", "sum" or "none".

    Source: K. Crammer and Y. Singer, On the algorithmic implementation of multiclass kernel-based
        vector machines, JMLR 2 (2001).
    """
    name = "multi_margin_loss"
    if p not in (1, 2):
        raise ValueError(f"{name}: p is {p}; it must be 1 or 2")
    x, t, single = _rows(name, input, target, labels=True)
    classes, xp = x.shape[1], backend.array_module(t)
    check_labels(name, t, classes)
    if weight is not None and tuple(weight.shape) != (classes,):
        raise ValueError(f"{name}: weight has shape {tuple(weight.shape)}; it must be ({classes},)")
    column = xp.expand_dims(t, 1)
    over = _over(float(margin) - x.gather(1, column) + x)
    over = over if p == 1 else over * over
    if weight is not None:
        over = over * raw(weight)[column]
    losses = sum(where(column == backend.arange(classes, t), 0.0, over), dim=1) / classes
    return reduced(name, losses.reshape(target.shape) if single else losses, reduction)


@function
@in_float32
def multilabel_margin_loss(input: Tensor, target: Any, *, reduction: str = "mean") -> Any:
    """sum over labels j and other classes i of max(0, 1 - x_j + x_i) / C, averaged.

    Args:
        input: scores (N, C) or (C,).
        target: of the same shape: the labels of an example, then -1 (what follows is ignored).
        reduction: "mean", "sum" or "none".
    """
    name = "multilabel_margin_loss"
    x, t, single = _rows(name, input, target, labels=False)
    classes, xp = x.shape[1], backend.array_module(t)
    check_labels(name, t, classes, -1)
    listed = (t < 0).cumsum(axis=1) == 0  # before the first -1
    label = xp.where(listed, t, 0)
    numbers = backend.arange(classes, t)
    is_label = (listed[:, :, None] & (label[:, :, None] == numbers)).any(axis=1)
    over = _over(1.0 - x.gather(1, label).unsqueeze(2) + x.unsqueeze(1))  # (N, labels, classes)
    pairs = listed[:, :, None] & ~is_label[:, None, :]
    losses = sum(where(pairs, over, 0.0), dim=(1, 2)) / classes
    return reduced(name, losses.reshape(()) if single else losses, reduction)


@function
@in_float32
def multilabel_soft_margin_loss(
    input: Tensor, target: Any, weight: Any = None, *, reduction: str = "mean"
) -> Any:
    """- z ln s(x) - (1 - z) ln s(-x), the mean over classes (the last axis), averaged.

    Args:
        input: logits (..., C).
        target: z of the same shape, 0 or 1.
        weight: (C,): factors of the classes.
        reduction: "mean", "sum" or "none".
    """
    name = "multilabel_soft_margin_loss"
    check_tensors(name, input, target)
    losses = -(target * logsigmoid(input) + (1.0 - target) * logsigmoid(-input))
    if weight is not None:
        losses = losses * weight
    if losses.ndim:
        losses = sum(losses, dim=-1) / losses.shape[-1]
    return reduced(name, losses, reduction)


@function
@in_float32
def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Any, margin: float = 0.0, *, reduction: str = "mean"
) -> Any:
    """1 - cos(x1, x2) where t is 1, max(0, cos(x1, x2) - margin) where t is -1; averaged.

    Args:
        input1, input2: (N, D) or (D,).
        target: (N,) or ().
        margin: the cosine that pairs of t = -1 are to stay below.
        reduction: "mean", "sum" or "none".
    """
    name = "cosine_embedding_loss"
    check_tensors(name, input1, input2)
    check_tensors(name, input1, target)
    a, b, t = tuple(input1.shape), tuple(input2.shape), tuple(target.shape)
    if len(t) > 1 or len(a) != len(t) + 1 or len(b) != len(t) + 1:
        raise ValueError(
            f"{name}: input1 {a}, input2 {b} and target {t} do not fit; they must be (N, D), "
            "(N, D) and (N,), or (D,), (D,) and ()"
        )
    tiny = 1e-12  # keeps the root away from 0, as in PyTorch
    dot = sum(input1 * input2, dim=-1)
    squares = (sum(input1 * input1, dim=-1) + tiny) * (sum(input2 * input2, dim=-1) + tiny)
    cosine = dot / elementary.sqrt(squares)
    near = where(raw(target) == 1, 1.0 - cosine, 0.0)
    far = where(raw(target) == -1, _over(cosine - float(margin)), 0.0)
    return reduced(name, near + far, reduction)


@function
@in_float32
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: str = "mean",
) -> Any:
    """max(0, margin + d(a, positive) - d(a, negative)), averaged; d is `pairwise_distance`.

    Args:
        anchor, positive, negative: (N, D) or (D,).
        margin: how much farther than the positive the negative is to be; greater than 0.
        p, eps: of the distance.
        swap: take d(positive, negative) for d(a, negative) where it is smaller.
        reduction: "mean", "sum" or "none".

    Source: F. Schroff, D. Kalenichenko and J. Philbin, FaceNet, arXiv:1503.03832, eq. 2; swap:
        V. Balntas et al., BMVC 2016.
    """
    shapes = [len(x.shape) for x in (anchor, positive, negative)]
    if len(set(shapes)) != 1:
        raise ValueError(
            "triplet_margin_loss: anchor, positive and negative have "
            f"{', '.join(map(str, shapes))} axes; they must have the same number"
        )
    return _triplet(
        "triplet_margin_loss", (anchor, positive, negative),
        lambda x, y: pairwise_distance(x, y, p, eps), margin, swap, reduction,
    )  # fmt: skip


@function
@in_float32
def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """`triplet_margin_loss` with another distance, by default `pairwise_distance`."""
    return _triplet(
        "triplet_margin_with_distance_loss", (anchor, positive, negative),
        distance_function or pairwise_distance, margin, swap, reduction,
    )  # fmt: skip


def _triplet(
    name: str,
    triple: tuple[Any, Any, Any],
    distance: Any,
    margin: float,
    swap: bool,
    reduction: str,
) -> Any:
    margin = float(margin)
    if not margin > 0:
        raise ValueError(f"{name}: margin is {margin}; it must be greater than 0")
    anchor, positive, negative = triple
    check_tensors(name, positive, negative)
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = arithmetic.minimum(far, distance(positive, negative))
    return reduced(name, _over(near - far + margin), reduction)
