"""pad: more entries around the last axes, constant or taken from the tensor itself."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from tinynet.functions.public import function
from tinynet.functions.repeating import flip
from tinynet.ops import broadcast, shape
from tinynet.tensor import Tensor


@function
def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Any:
    """Pad the last axes; negative widths crop.

    For an axis with entries a b c d and the widths (2, 2)::

        constant   0 0 a b c d 0 0        replicate  a a a b c d d d
        reflect    c b a b c d c b        circular   c d a b c d a b

    Args:
        input: any shape; for the modes other than constant two to five axes, of which the last
            ones are padded: all but the first one (no batch) or two.
        pad: the widths (before, after) of the last axis, then of the second to last, and so on.
        mode: "constant", "reflect", "replicate" or "circular".
        value: the number to pad with, 0 by default; only for "constant".

    Raises:
        ValueError: for an odd number of widths, more pairs than axes, or widths larger than what
            the axis can be reflected (its size minus 1) or wrapped (its size).
    """
    if mode not in ("constant", "reflect", "replicate", "circular"):
        raise ValueError(
            f"pad: mode is {mode!r}; it must be 'constant', 'reflect', 'replicate' or 'circular'"
        )
    try:
        widths = [operator.index(w) for w in pad]
    except TypeError:
        raise TypeError(f"pad: pad is {pad!r}; it must be a sequence of integers") from None
    if len(widths) % 2 or len(widths) // 2 > input.ndim:
        raise ValueError(
            f"pad: pad is {tuple(pad)}; it must be pairs (before, after), at most one for each "
            f"axis of shape {input.shape}"
        )
    pairs = [(widths[i], widths[i + 1]) for i in range(0, len(widths), 2)]
    pairs += [(0, 0)] * (input.ndim - len(pairs))
    pairs.reverse()
    for n, (a, b) in zip(input.shape, pairs, strict=True):
        if n + a + b < 0:
            raise ValueError(f"pad: widths {(a, b)} remove more than the {n} entries of an axis")
    if mode == "constant":
        grow = tuple((max(a, 0), max(b, 0)) for a, b in pairs)
        number = 0.0 if value is None else value
        number = type(number)(number) if isinstance(number, int | bool) else float(number)
        return shape.pad(_cropped(input, pairs), widths=grow, value=number)
    if value is not None and value != 0:
        raise ValueError(f"pad: value is for mode 'constant', not for {mode!r}")
    padded = len(widths) // 2
    if input.ndim not in (padded + 1, padded + 2) or not 1 <= padded <= 3:
        raise ValueError(
            f"pad: mode {mode!r} pads the last 1, 2 or 3 axes of a tensor with one or two more; "
            f"pad is {tuple(pad)} and input has shape {input.shape}"
        )
    if mode == "circular":  # wraps what is left after the crop; the others crop afterwards
        input = _cropped(input, pairs)
        pairs = [(max(a, 0), max(b, 0)) for a, b in pairs]
    for axis, (a, b) in enumerate(pairs):
        if axis >= input.ndim - padded:
            input = _extended(input, axis, a, b, mode)
    return _cropped(input, pairs)


def _cropped(x: Any, pairs: Sequence[tuple[int, int]]) -> Any:
    cut = tuple((max(-a, 0), max(-b, 0)) for a, b in pairs)
    return shape.crop(x, widths=cut) if any(c != (0, 0) for c in cut) else x


def _extended(x: Any, axis: int, before: int, after: int, mode: str) -> Any:
    """x with entries of its own on both sides of an axis."""
    n = x.shape[axis]
    most = {"reflect": n - 1, "circular": n, "replicate": max(before, after) if n else 0}[mode]
    if max(before, after) > max(most, 0):
        raise ValueError(
            f"pad: widths {(before, after)} are too large for mode {mode!r} along axis {axis} of "
            f"size {n}; they can be at most {max(most, 0)}"
        )

    def part(start: int, stop: int) -> Any:
        widths = [(0, 0)] * x.ndim
        widths[axis] = (start, n - stop)
        return shape.crop(x, widths=tuple(widths))

    def edge(position: int, times: int) -> Any:
        sizes = [times if i == axis else m for i, m in enumerate(x.shape)]
        return broadcast.expand(part(position, position + 1), shape=tuple(sizes))

    pieces = [x]
    if before > 0:
        if mode == "reflect":
            first = flip(part(1, before + 1), axis)
        else:
            first = part(n - before, n) if mode == "circular" else edge(0, before)
        pieces.insert(0, first)
    if after > 0:
        if mode == "reflect":
            last = flip(part(n - 1 - after, n - 1), axis)
        else:
            last = part(0, after) if mode == "circular" else edge(n - 1, after)
        pieces.append(last)
    return shape.cat(*pieces, dim=axis) if len(pieces) > 1 else x
