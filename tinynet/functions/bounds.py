"""The larger, the smaller, and what lies within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.autograd import raw
from tinynet.backend import array_module, is_array
from tinynet.dtypes import largest
from tinynet.functions.arguments import number
from tinynet.functions.operands import common, operands, tensors
from tinynet.functions.public import function
from tinynet.ops import arithmetic

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


@function
def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """y = min(max(x, low), high); see `tinynet.ops.arithmetic.clamp`.

    Args:
        input: any numbers.
        min: the low bounds, a number or a tensor; None for none.
        max: the high bounds; where they are lower than the low ones, y is `max`.

    A tensor of bounds gets the gradient of the entries that it replaces; at a tie x gets it.
    """
    if min is None and max is None:
        raise ValueError("clamp: give min, max or both")
    x, *bounds = common(input, *(b for b in (min, max) if b is not None))[0]
    low = None if min is None else bounds[0]
    high = None if max is None else bounds[-1]
    if not any(is_array(raw(b)) for b in bounds):
        return arithmetic.clamp(x, min=low, max=high)
    y = x
    if low is not None:
        y = arithmetic.where(_replaced("less", x, low), low, y)
    if high is not None:
        y = arithmetic.where(_replaced("greater", y, high), high, y)
    return y


def _replaced(comparison: str, x: Any, bound: Any) -> Any:
    """Where x is beyond the bound, or the bound is NaN."""
    xp = array_module(raw(x), raw(bound))
    return getattr(xp, comparison)(raw(x), raw(bound)) | (raw(bound) != raw(bound))


@function
def clip(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """`clamp` by NumPy's name."""
    return clamp(input, min, max)


@function
def clamp_min(input: Tensor, min: Any) -> Tensor:
    """y = max(x, low): `clamp` with one bound."""
    return clamp(input, min)


@function
def clamp_max(input: Tensor, max: Any) -> Tensor:
    """y = min(x, high): `clamp` with one bound."""
    return clamp(input, None, max)


@function
def maximum(input: Any, other: Any) -> Tensor:
    """The elementwise maximum; see `tinynet.ops.arithmetic.maximum`."""
    return arithmetic.maximum(*operands(input, other))


@function
def minimum(input: Any, other: Any) -> Tensor:
    """The elementwise minimum; see `tinynet.ops.arithmetic.minimum`."""
    return arithmetic.minimum(*operands(input, other))


@function
def fmax(input: Tensor, other: Tensor) -> Tensor:
    """The elementwise maximum, without NaN if one is a number. At a tie `input` gets all of gy."""
    (a, b), _ = common(*tensors(input, other))
    return arithmetic.where((raw(a) >= raw(b)) | (raw(b) != raw(b)), a, b)


@function
def fmin(input: Tensor, other: Tensor) -> Tensor:
    """The elementwise minimum, without NaN if one is a number. At a tie `input` gets all of gy."""
    (a, b), _ = common(*tensors(input, other))
    return arithmetic.where((raw(a) <= raw(b)) | (raw(b) != raw(b)), a, b)


@function
def nan_to_num(
    input: Tensor,
    nan: float | None = None,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Tensor:
    """x with numbers in place of NaN and of the infinities; what is replaced has no gradient.

    Args:
        input: any numbers.
        nan: in place of NaN, by default 0.
        posinf: in place of Inf, by default the largest number of the dtype.
        neginf: in place of -Inf, by default the lowest number of the dtype.
    """
    if input.dtype.kind != "f":
        return input.clone()
    x, xp, most = input.data, array_module(input.data), largest(input.dtype)
    replacements = (
        (xp.isnan(x), "nan", 0.0 if nan is None else nan),
        (x == float("inf"), "posinf", most if posinf is None else posinf),
        (x == -float("inf"), "neginf", -most if neginf is None else neginf),
    )
    for found, what, value in replacements:
        input = arithmetic.where(found, number("nan_to_num", what, value), input)
    return input
