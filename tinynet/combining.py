"""Functions of several tensors, by PyTorch's names: cat, stack, where, maximum, minimum, einsum."""

from __future__ import annotations

from typing import Any

from tinynet.ops import arithmetic, linalg, shape
from tinynet.tensor import Tensor


def cat(tensors: Any, dim: int = 0) -> Tensor:
    """The tensors one after the other along `dim`; see `tinynet.ops.shape.cat`."""
    return shape.cat(*tensors, dim=dim)


def stack(tensors: Any, dim: int = 0) -> Tensor:
    """The tensors, all of one shape, along a new axis `dim`.

    Raises:
        ValueError: if there is none or the shapes differ.
    """
    tensors = list(tensors)
    shapes = {t.shape for t in tensors}
    if len(shapes) != 1:
        raise ValueError(f"stack: shapes {', '.join(map(str, shapes)) or 'of nothing'} differ")
    return shape.cat(*(t.unsqueeze(dim) for t in tensors), dim=dim)


def where(condition: Any, input: Any, other: Any) -> Tensor:
    """`input` where `condition`, `other` elsewhere; see `tinynet.ops.arithmetic.where`."""
    return arithmetic.where(condition, input, other)


def maximum(input: Any, other: Any) -> Tensor:
    """The larger of two, entry by entry; see `tinynet.ops.arithmetic.maximum`."""
    return arithmetic.maximum(input, other)


def minimum(input: Any, other: Any) -> Tensor:
    """The smaller of two, entry by entry; see `tinynet.ops.arithmetic.minimum`."""
    return arithmetic.minimum(input, other)


def einsum(equation: str, *operands: Any) -> Tensor:
    """Einstein summation: "bij,bjk->bik"; see `tinynet.ops.linalg.einsum`.

    "..." stands for any leading axes, which broadcast; without "->" the output has the letters
    that occur once, in alphabetical order, after "...".

    Raises:
        ValueError: if the equation does not fit the shapes.
    """
    equation = equation.replace(" ", "")
    left, arrow, out = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise ValueError(f"einsum: {len(terms)} terms in {equation!r} for {len(operands)} operands")
    if not arrow:
        letters = left.replace("...", "").replace(",", "")
        out = "..." * ("..." in left) + "".join(c for c in sorted(letters) if letters.count(c) == 1)
    if "..." not in left:
        return linalg.einsum(*operands, subscripts=",".join(terms) + "->" + out)
    free = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in equation]
    extra = [
        x.ndim - len(t.replace("...", "")) if "..." in t else 0
        for t, x in zip(terms, operands, strict=True)
    ]
    most = max(extra)
    if min(extra) < 0:
        raise ValueError(f"einsum: {equation!r} has more letters than an operand has axes")
    batch = free[:most]
    spelled, reshaped = [], []
    for term, x, n in zip(terms, operands, extra, strict=True):
        start = term.find("...")
        names = batch[most - n :]
        if start >= 0:
            # size 1 broadcasts against the others: such an axis is dropped, and its letter with it
            ones = [k for k in range(n) if x.shape[start + k] == 1]
            kept = tuple(m for k, m in enumerate(x.shape) if k - start not in ones)
            x = shape.reshape(x, shape=kept)
            names = [c for k, c in enumerate(names) if k not in ones]
            term = term.replace("...", "".join(names))
        spelled.append(term)
        reshaped.append(x)
    present = [c for c in batch if any(c in t for t in spelled)]
    full_out = out.replace("...", "".join(present))
    y = linalg.einsum(*reshaped, subscripts=",".join(spelled) + "->" + full_out)
    if "..." in out and len(present) < most:  # axes that were 1 in every operand come back as 1
        at = out.find("...")
        sizes = list(y.shape)
        restored, k = sizes[:at], at
        for c in batch:
            restored.append(sizes[k] if c in present else 1)
            k += c in present
        y = shape.reshape(y, shape=(*restored, *sizes[k:]))
    return y
