"""Products of tensors: matmul and einsum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.autograd import Value
from tinynet.backend import asarray
from tinynet.functions.public import function
from tinynet.ops import linalg, shape

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


@function
def matmul(input: Any, other: Any) -> Tensor:
    """The matrix product y_ij = sum_k a_ik b_kj, of matrices, batches of them, and vectors.

    As in PyTorch, a vector is a row on the left and a column on the right; see
    `tinynet.ops.linalg.matmul`.
    """
    kind: Any = next((x.result_type for x in (input, other) if isinstance(x, Value)), None)
    if kind is None:
        raise TypeError("matmul: input and other are no Tensors; one of them must be")
    # copies, since the caller may overwrite an array before backward reads it
    a: Any = input if isinstance(input, Value) else kind(asarray(input).copy())
    b: Any = other if isinstance(other, Value) else kind(asarray(other).copy())
    if a.ndim == 0 or b.ndim == 0:
        raise ValueError(f"matmul: shapes are {a.shape} and {b.shape}; multiply numbers with *")
    if a.ndim == 1:
        y = a.unsqueeze(0).matmul(b)
        return y.squeeze(-1 if b.ndim == 1 else -2) if b.ndim > 1 else y.reshape(())
    if b.ndim == 1:
        return a.matmul(b.unsqueeze(1)).squeeze(-1)
    if b.ndim == 2 and a.ndim > 2 and a.shape[-1] == b.shape[0]:
        # one large product, so that backward need not sum a batch of weight gradients
        return linalg.matmul(a.flatten(0, -2), b).reshape(*a.shape[:-1], b.shape[1])
    return linalg.matmul(a, b)


@function
def einsum(equation: str, *operands: Any) -> Tensor:
    """Sum products of entries, by Einstein's summation convention, e.g. "bij,bjk->bik".

    Args:
        equation: the subscripts of each operand, separated by commas, then "->" and those of the
            output. "..." stands for any number of axes, which broadcast. Without "->" the output
            has "..." and then, in alphabetical order, the letters that occur once.
        operands: the tensors.

    Raises:
        ValueError: if the equation does not match the operands.

    See `tinynet.ops.linalg.einsum`.
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
            # axes of size 1 broadcast: drop them and their letters
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
    if "..." in out and len(present) < most:  # restore axes that have size 1 in every operand
        at = out.find("...")
        sizes = iter(y.shape[at:])
        restored = [next(sizes) if c in present else 1 for c in batch]
        y = shape.reshape(y, shape=(*y.shape[:at], *restored, *sizes))
    return y
