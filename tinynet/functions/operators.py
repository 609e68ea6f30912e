"""Sums, differences, products, quotients and remainders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.autograd import raw
from tinynet.backend import array_module, check, is_array
from tinynet.functions.arguments import number
from tinynet.functions.operands import common, on_arrays, operands, reals, refuse
from tinynet.functions.public import function, shown
from tinynet.ops import arithmetic, rounding

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


def _scaled(input: Any, other: Any, alpha: float) -> tuple[Any, Any]:
    """`input` and alpha times `other`, in their common dtype."""
    alpha = number("operand", "alpha", alpha)
    if alpha == 1 and not isinstance(alpha, bool):
        return input, other
    (input, other), dtype = common(input, other)
    if isinstance(alpha, float) and dtype.kind != "f":
        raise TypeError(f"operand: alpha is {alpha}, but {dtype} needs an integer")
    if isinstance(alpha, bool) and dtype.kind != "b":
        raise TypeError(f"operand: alpha is {alpha}, but {dtype} needs a number")
    return input, other * alpha


@function
def add(input: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """y = a + alpha b; see `tinynet.ops.arithmetic.add`."""
    return arithmetic.add(*_scaled(input, other, alpha))


@function
def sub(input: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """y = a - alpha b; see `tinynet.ops.arithmetic.sub`."""
    return arithmetic.sub(*_scaled(input, other, alpha))


@function
def subtract(input: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """`sub` by NumPy's name."""
    return sub(input, other, alpha=alpha)


@function
def rsub(input: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """y = b - alpha a."""
    other, input = _scaled(other, input, alpha)
    return arithmetic.sub(other, input)


@function
def mul(input: Tensor, other: Any) -> Tensor:
    """y = a b; see `tinynet.ops.arithmetic.mul`."""
    return arithmetic.mul(input, other)


@function
def multiply(input: Tensor, other: Any) -> Tensor:
    """`mul` by NumPy's name."""
    return mul(input, other)


@function
def div(input: Tensor, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """y = a / b; see `tinynet.ops.arithmetic.div`.

    Args:
        input: the dividend; integers without a rounding mode are divided as float32.
        other: the divisor.
        rounding_mode: "floor" or "trunc" (towards 0); integers then stay integers.
    """
    if rounding_mode is None:
        return arithmetic.div(*reals(input, other))
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode != "trunc":
        given = shown(rounding_mode)
        raise ValueError(f"div: rounding_mode is {given}; it must be 'floor' or 'trunc'")
    (input, other), dtype = common(input, other)
    if dtype.kind == "f":
        return rounding.staircase(arithmetic.div(input, other), steps="trunc")
    quotient = _whole("floor_divide", input, other, dtype)
    inexact = (quotient < 0) & (mul(quotient, other) != input)
    return arithmetic.add(quotient, inexact)


@function
def divide(input: Tensor, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """`div` by NumPy's name."""
    return div(input, other, rounding_mode=rounding_mode)


@function
def true_divide(input: Tensor, other: Any) -> Tensor:
    """y = a / b, `div` without rounding."""
    return div(input, other)


def _whole(name: str, a: Any, b: Any, dtype: Any) -> Any:
    """A division of integers; 0 as a divisor raises."""
    refuse(dtype, "b", "convert with .long()")
    divisor = raw(b)
    nonzero = divisor != 0
    if is_array(divisor):
        check(nonzero, lambda: RuntimeError("operand: integers are divided by 0"))
    elif not nonzero:
        raise RuntimeError("operand: integers are divided by 0")
    return on_arrays(name, a, b)


@function
def floor_divide(input: Any, other: Any) -> Tensor:
    """y = floor(a / b), rounded once; see `tinynet.ops.rounding.floor_divide`."""
    (input, other), dtype = common(input, other)
    if dtype.kind == "f":
        return rounding.floor_divide(input, other)
    return _whole("floor_divide", input, other, dtype)


@function
def remainder(input: Any, other: Any) -> Tensor:
    """y = a - b floor(a / b), with the sign of b; see `tinynet.ops.rounding.remainder`."""
    (input, other), dtype = common(input, other)
    if dtype.kind == "f":
        return rounding.remainder(input, other)
    return _whole("remainder", input, other, dtype)


@function
def fmod(input: Tensor, other: Any) -> Tensor:
    """y = a - b trunc(a / b), with the sign of a; see `tinynet.ops.rounding.fmod`."""
    (input, other), dtype = common(input, other)
    if dtype.kind == "f":
        return rounding.fmod(input, other)
    return _whole("fmod", input, other, dtype)


@function
def neg(input: Tensor) -> Tensor:
    """y = -x; see `tinynet.ops.arithmetic.neg`."""
    refuse(input, "b", "use logical_not, or convert with .long()")
    return arithmetic.neg(input)


@function
def negative(input: Tensor) -> Tensor:
    """`neg` by NumPy's name."""
    return neg(input)


@function
def positive(input: Tensor) -> Tensor:
    """y = x, the tensor itself."""
    refuse(input, "b", "convert with .long()")
    return input


@function
def abs(input: Tensor) -> Tensor:
    """y = |x|; see `tinynet.ops.arithmetic.abs`."""
    refuse(input, "b", "convert with .long()")
    return arithmetic.abs(input)


@function
def absolute(input: Tensor) -> Tensor:
    """`abs` by NumPy's name."""
    return abs(input)


@function
def lerp(input: Tensor, end: Any, weight: Any) -> Tensor:
    """y = a + w (b - a), computed from b where |w| >= 1/2, so that w = 1 gives b itself."""
    a, b, w = operands(input, end, weight)
    for name, other in (("end", b), ("weight", w)):
        if is_array(raw(other)) and raw(other).dtype != a.dtype:
            raise TypeError(f"lerp: input is {a.dtype}, {name} is {raw(other).dtype}; convert one")
    refuse(a, "iub", "convert with .float()")
    step = arithmetic.sub(b, a)
    if isinstance(w, int | float):
        return a + step * w if -0.5 < w < 0.5 else b - step * (1.0 - w)
    small = array_module(raw(w)).abs(raw(w)) < 0.5
    return arithmetic.where(small, a + step * w, b - step * (1.0 - w))


@function
def addcmul(input: Tensor, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
    """y = x + value a b."""
    (input, a, b), dtype = common(input, tensor1, tensor2)
    value = number("addcmul", "value", value)
    if isinstance(value, float) and dtype.kind != "f":
        raise TypeError(f"addcmul: value is {value}, but {dtype} needs an integer")
    product = arithmetic.mul(a, b)
    return input + (product if value == 1 else product * value)


@function
def addcdiv(input: Tensor, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
    """y = x + value a / b."""
    (input, a, b), dtype = common(input, tensor1, tensor2)
    refuse(dtype, "iub", "convert with .float()")
    quotient, value = arithmetic.div(a, b), number("addcdiv", "value", value)
    return input + (quotient if value == 1 else quotient * value)
