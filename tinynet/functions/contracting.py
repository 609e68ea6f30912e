"""einsum: sums of products by Einstein's summation convention."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

from tinynet.autograd import Value
from tinynet.backend import is_array
from tinynet.functions.public import function, shown
from tinynet.ops import linalg, shape

if TYPE_CHECKING:
    from tinynet.tensor import Tensor

_LETTERS = string.ascii_uppercase + string.ascii_lowercase


def _from_sublists(args: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """The equation and the operands of einsum(a, [0, 1], b, [1, 2], [0, 2])."""
    pairs = len(args) // 2
    terms = []
    for letters in (*args[1 : 2 * pairs : 2], *args[2 * pairs :]):
        if not isinstance(letters, tuple | list):
            raise TypeError(
                f"einsum: found {shown(letters)} where the list of an operand's axes must be; "
                "give an equation first, or a list of integers after each operand"
            )
        term = ""
        for k in letters:
            if k is not Ellipsis and not (isinstance(k, int) and 0 <= k < len(_LETTERS)):
                raise ValueError(f"einsum: an axis is {shown(k)}; it must be from 0 to 51, or ...")
            term += "..." if k is Ellipsis else _LETTERS[k]
        terms.append(term)
    left = ",".join(terms[:pairs])
    return left + ("->" + terms[pairs] if len(terms) > pairs else ""), args[: 2 * pairs : 2]


def _axes(term: str, ndim: int) -> list[str]:
    """The letter of each axis, "." for those of "..."; empty if they do not fit."""
    named = len(term.replace("...", ""))
    axes = list(term.replace("...", "." * (ndim - named)))
    return axes if len(axes) == ndim else []


def _broadcast(terms: list[str], operands: tuple[Any, ...]) -> tuple[list[str], tuple[Any, ...]]:
    """Without the axes of size 1 whose letter has another size in another operand."""
    all_axes = [_axes(t, x.ndim) for t, x in zip(terms, operands, strict=True)]
    sizes: dict[str, int] = {}
    for axes, x in zip(all_axes, operands, strict=True):
        for letter, n in zip(axes, x.shape, strict=False):
            sizes[letter] = n if sizes.get(letter, 1) == 1 else sizes[letter]
    new_terms, new_operands = [], []
    for term, axes, x in zip(terms, all_axes, operands, strict=True):
        pairs = list(zip(axes, x.shape, strict=False))
        own = {c: {n for d, n in pairs if d == c} for c in axes}
        ones = {c for c, found in own.items() if found == {1} and c != "." and sizes[c] != 1}
        if ones:
            kept = [n for c, n in pairs if c not in ones]
            x = shape.reshape(x, shape=tuple(kept))
            term = "".join(c for c in term if c not in ones)
        new_terms.append(term)
        new_operands.append(x)
    return new_terms, tuple(new_operands)


@function
def einsum(equation: Any, *operands: Any) -> Tensor:
    """Sum products of entries, by Einstein's summation convention, e.g. "bij,bjk->bik".

    Args:
        equation: the subscripts of each operand, separated by commas, then "->" and those of the
            output. "..." stands for any number of axes, which broadcast. Without "->" the output
            has "..." and then, in alphabetical order, the letters that occur once.
        operands: the tensors. A letter's axes have one size, or 1.

    The letters may also be lists of integers from 0 to 51, with ... for "...", each after its
    operand, and at the end, if it is given, that of the output: einsum(a, [0, 1], b, [1, 2]).

    Raises:
        ValueError: if the equation does not match the operands.

    See `tinynet.ops.linalg.einsum`.
    """
    if not isinstance(equation, str):
        equation, operands = _from_sublists((equation, *operands))
    if len(operands) == 1 and isinstance(operands[0], tuple | list):
        operands = tuple(operands[0])
    for x in operands:
        if not isinstance(x, Value) and not is_array(x):
            raise TypeError(f"einsum: an operand is {shown(x)}; it must be a Tensor")
    equation = equation.replace(" ", "")
    left, arrow, out = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise ValueError(f"einsum: {len(terms)} terms in {equation!r} for {len(operands)} operands")
    if not arrow:
        letters = left.replace("...", "").replace(",", "")
        out = "..." * ("..." in left) + "".join(c for c in sorted(letters) if letters.count(c) == 1)
    terms, operands = _broadcast(terms, operands)
    if "..." not in left:
        return linalg.einsum(*operands, subscripts=",".join(terms) + "->" + out)
    free = [c for c in _LETTERS if c not in equation]
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
