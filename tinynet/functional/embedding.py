"""Rows of tables: embedding, bags of rows, one-hot vectors; and the check of class labels."""

from __future__ import annotations

from typing import Any

from tinynet import backend
from tinynet.autograd import Value, no_grad, raw
from tinynet.functions.public import function, shown
from tinynet.ops.arithmetic import where
from tinynet.ops.indexing import getitem, index_add, plain_index
from tinynet.ops.reduction import amax, sum
from tinynet.tensor import Tensor


def _rows(name: str, input: Any, weight: Any) -> Any:
    """The indices as an array, checked against the table."""
    if not isinstance(weight, Value) or weight._data.ndim != 2:
        found = getattr(weight, "shape", shown(weight))
        raise ValueError(f"{name}: weight is {found}; it must be a Tensor of shape (V, D)")
    index = plain_index(input, raw(weight))
    if not backend.is_array(index) or index.dtype.kind not in "iu":
        raise IndexError(f"{name}: input must be a tensor or array of integers")
    rows = weight._data.shape[0]
    backend.check(
        (index >= 0) & (index < rows),
        lambda: IndexError(
            f"{name}: indices range from {int(index.min())} to {int(index.max())}; they must be "
            f"from 0 to {rows - 1}"
        ),
    )
    return index


def _padding_row(name: str, padding_idx: int | None, rows: int) -> int | None:
    """`padding_idx` counted from the start."""
    if padding_idx is None:
        return None
    if not -rows <= padding_idx < rows:
        raise ValueError(f"{name}: padding_idx is {padding_idx}; the weight has {rows} rows")
    return int(padding_idx) % rows


def _shorten(index: Any, weight: Any, max_norm: float, norm_type: float) -> None:
    """Scale rows that are used and longer than `max_norm` down to it, in place."""
    w, p = weight._data, float(norm_type)
    xp = backend.array_module(w)
    used = backend.zeros((w.shape[0],), w, "bool")
    used[index] = True
    size = xp.abs(w)
    norms = size.max(axis=1) if p == float("inf") else (size**p).sum(axis=1) ** (1.0 / p)
    factor = xp.where(used & (norms > max_norm), max_norm / (norms + 1e-7), 1.0)
    with no_grad():
        weight.mul_(xp.expand_dims(factor.astype(w.dtype), 1))


def _looked_up(
    name: str,
    input: Any,
    weight: Any,
    padding_idx: int | None,
    max_norm: float | None,
    norm_type: float,
    scale_grad_by_freq: bool,
    sparse: bool,
) -> tuple[Any, Any]:
    """The rows, and their indices."""
    if sparse:
        raise ValueError(f"{name}: sparse gradients are not supported; leave sparse=False")
    index = _rows(name, input, weight)
    if max_norm is not None:
        _shorten(index, weight, float(max_norm), norm_type)
    y = getitem(weight, index=index)
    if scale_grad_by_freq:
        w, xp = raw(weight), backend.array_module(raw(weight))
        counts = backend.zeros((w.shape[0],), w)
        backend.index_add(counts, index, backend.full((), 1.0, w))
        fixed = y.detach()
        y = fixed + (y - fixed) * xp.expand_dims(1.0 / counts[index], -1)  # y - y is exactly 0
    if padding_idx is not None:
        keep = backend.array_module(index).expand_dims(index != padding_idx, -1)
        y = where(keep, y, y.detach())
    return y, index


@function
def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The row weight[i] for each index i in `input`; the gradients of a repeated row add up.

    Args:
        input: integers from 0 to V - 1, of any shape.
        weight: (V, D).
        padding_idx: a row that gets no gradient.
        max_norm: scale rows that are used and longer than this down to it, in place.
        norm_type: the p of the norm for `max_norm`.
        scale_grad_by_freq: divide the gradient of each use of a row by the number of its uses.
        sparse: must be False.

    Returns:
        (*input.shape, D).

    Raises:
        IndexError: for indices that are not integers from 0 to V - 1.
        ValueError: if the weight is not a matrix, or `padding_idx` is not one of its rows.
    """
    rows = getattr(weight, "shape", (0,))[:1]
    padding = _padding_row("embedding", padding_idx, rows[0]) if rows else None
    y, _ = _looked_up(
        "embedding", input, weight, padding, max_norm, norm_type, scale_grad_by_freq, sparse
    )
    return y


@function
def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """The mean, sum or maximum of the rows weight[i] in each bag of indices.

    Args:
        input: integers (B, L), a bag in each row; or (L,), all bags one after another.
        weight: (V, D).
        offsets: for input (L,), where each bag starts: (B,), the first of them 0.
        max_norm, norm_type, scale_grad_by_freq, sparse: as in `embedding`.
        mode: "mean", "sum" or "max".
        per_sample_weights: of the shape of the input: factors of the rows; only for "sum".
        include_last_offset: whether the last of the offsets is the end of the last bag.
        padding_idx: an index that is left out of the bags.

    Returns:
        (B, D); zeros for an empty bag.

    Raises:
        ValueError: if a shape or an option does not fit.
    """
    name, x = "embedding_bag", raw(input)
    if mode not in ("mean", "sum", "max"):
        raise ValueError(f"{name}: mode is {mode!r}; it must be 'mean', 'sum' or 'max'")
    if per_sample_weights is not None and mode != "sum":
        raise ValueError(f"{name}: per_sample_weights need mode='sum', not {mode!r}")
    if per_sample_weights is not None and tuple(per_sample_weights.shape) != tuple(x.shape):
        raise ValueError(
            f"{name}: per_sample_weights {tuple(per_sample_weights.shape)} and input "
            f"{tuple(x.shape)} must have the same shape"
        )
    if x.ndim == 2 and offsets is not None:
        raise ValueError(f"{name}: offsets are for an input (L,); this one is {tuple(x.shape)}")
    if x.ndim not in (1, 2) or (x.ndim == 1 and (offsets is None or raw(offsets).ndim != 1)):
        raise ValueError(f"{name}: input must be (B, L), or (L,) with offsets (B,)")
    padding = _padding_row(name, padding_idx, weight.shape[0])
    y, index = _looked_up(
        name, x.reshape(-1), weight, padding, max_norm, norm_type, scale_grad_by_freq, sparse
    )
    bag, bags = _bags(x, None if offsets is None else raw(offsets), include_last_offset)
    xp = backend.array_module(index)
    member = bag[None, :] == backend.arange(bags, index)[:, None]  # (B, L)
    if padding is not None:
        member = member & (index != padding)
    if mode == "max":
        spread = where(xp.expand_dims(member, -1), y.unsqueeze(0), -float("inf"))
        empty = ~member.any(axis=1)[:, None]
        if not spread.shape[1]:
            return sum(spread, dim=1)
        return where(empty, 0.0, amax(where(empty[:, :, None], 0.0, spread), dim=1))
    kept = where(xp.expand_dims(member.any(axis=0), -1), y, 0.0)
    if per_sample_weights is not None:
        kept = kept * per_sample_weights.reshape(-1, 1)
    total = index_add(kept, shape=(bags, weight.shape[1]), indices=(bag,))
    if mode == "sum":
        return total
    return total / xp.maximum(member.sum(axis=1), 1)[:, None].astype(y.dtype)


def _bags(x: Any, offsets: Any, include_last: bool) -> tuple[Any, int]:
    """The bag of each index, and the number of bags."""
    if offsets is None:
        bag = backend.arange(x.shape[0], x)[:, None] + backend.zeros(x.shape, x, "int64")
        return bag.reshape(-1), x.shape[0]
    if include_last:
        if not offsets.shape[0]:
            raise ValueError("embedding_bag: include_last_offset needs at least one offset")
        offsets = offsets[:-1]
    if offsets.shape[0]:
        backend.check(
            (offsets[:1] == 0) & (offsets[-1:] <= x.shape[0]),
            lambda: ValueError(
                f"embedding_bag: offsets run from {int(offsets[0])} to {int(offsets[-1])}; they "
                f"must start at 0 and stay within the {x.shape[0]} indices"
            ),
        )
    started = offsets[None, :] <= backend.arange(x.shape[0], x)[:, None]
    return started.sum(axis=1) - 1, offsets.shape[0]


@function
def one_hot(tensor: Any, num_classes: int = -1) -> Tensor:
    """Rows with 1 at the label and 0 elsewhere, int64; shape (*tensor.shape, num_classes).

    Args:
        tensor: labels, integers from 0 to num_classes - 1.
        num_classes: -1 for the largest label plus 1.

    Raises:
        TypeError: for labels that are not integers.
        ValueError: for labels out of range.
    """
    labels = raw(tensor)
    if num_classes == -1 and backend.is_array(labels):
        if not labels.size:
            raise ValueError("one_hot: tensor is empty; give num_classes")
        num_classes = int(labels.max()) + 1
    check_labels("one_hot", labels, num_classes)
    numbers = backend.arange(num_classes, labels)
    return Tensor((labels[..., None] == numbers).astype("int64"))


def check_labels(name: str, labels: Any, classes: int, ignore_index: int | None = None) -> None:
    """Raise unless the labels are integers from 0 to classes - 1, or `ignore_index`.

    GPUs need the check too: there, an index out of range wraps around silently, and label 10 of 10
    classes would train class 0.
    """
    if not backend.is_array(labels) or labels.dtype.kind not in "iu":
        kind = getattr(labels, "dtype", type(labels).__name__)
        raise TypeError(f"{name}: labels must be integers, not {kind}; convert them with .long()")
    right = (labels >= 0) & (labels < classes)
    if ignore_index is not None:
        right = right | (labels == ignore_index)
    backend.check(
        right,
        lambda: ValueError(
            f"{name}: label {int(labels[~right].ravel()[0])} is out of range for {classes} "
            f"classes; it must be from 0 to {classes - 1}"
        ),
    )
