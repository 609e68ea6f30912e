"""Rounding and signs. Functions with steps are recorded, with the gradient 0, as in PyTorch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tinynet.autograd import raw
from tinynet.backend import array_module
from tinynet.functions.arguments import integer
from tinynet.functions.operands import common, on_arrays, reals, refuse, tensors
from tinynet.functions.public import function
from tinynet.ops import arithmetic, rounding

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


def _rounded(input: Tensor, steps: str) -> Tensor:
    refuse(input, "b", "convert with .float()")
    if input.dtype.kind == "f":
        return rounding.staircase(input, steps=steps)
    return input.clone()


@function
def floor(input: Tensor) -> Tensor:
    """The largest whole number <= x; see `tinynet.ops.rounding.staircase`."""
    return _rounded(input, "floor")


@function
def ceil(input: Tensor) -> Tensor:
    """The smallest whole number >= x; see `tinynet.ops.rounding.staircase`."""
    return _rounded(input, "ceil")


@function
def trunc(input: Tensor) -> Tensor:
    """x without what follows the point; see `tinynet.ops.rounding.staircase`."""
    return _rounded(input, "trunc")


@function
def fix(input: Tensor) -> Tensor:
    """`trunc` by NumPy's name."""
    return trunc(input)


@function
def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """The nearest number with so many decimals, of two the even one (0.5 becomes 0)."""
    decimals = integer("round", "decimals", decimals)
    if decimals == 0:
        return _rounded(input, "rint")
    refuse(input, "iub", "only floats have decimals; convert with .float()")
    if decimals < 0:
        return _rounded(input / 10.0**-decimals, "rint") * 10.0**-decimals
    return _rounded(input * 10.0**decimals, "rint") / 10.0**decimals


@function
def frac(input: Tensor) -> Tensor:
    """y = x - trunc(x), with the sign of x and the slope 1."""
    refuse(input, "iub", "integers have no fraction; convert with .float()")
    return input - trunc(input)


@function
def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1, by the sign of each entry; NaN stays NaN."""
    if input.dtype.kind == "f":
        return rounding.staircase(input, steps="sign")
    return input.clone() if input.dtype.kind == "b" else on_arrays("sign", input)


@function
def sgn(input: Tensor) -> Tensor:
    """`sign`; in PyTorch the two differ for complex numbers."""
    return sign(input)


@function
def signbit(input: Tensor) -> Tensor:
    """Whether each entry is negative, or -0.0."""
    return on_arrays("signbit", input) if input.dtype.kind == "f" else input < 0


@function
def copysign(input: Tensor, other: Any) -> Tensor:
    """|a| with the sign of b, also of -0.0. At a = 0 the slope by a is 0, as that by b is."""
    a, b = reals(input, other)
    size = arithmetic.abs(a)
    if isinstance(b, int | float):
        return size * math.copysign(1.0, b)
    numbers = raw(b)
    unit = 1.0 - 2.0 * array_module(numbers).signbit(numbers).astype(numbers.dtype)
    ordinary = (numbers > 0) | (numbers < 0)
    return size * arithmetic.where(ordinary, rounding.staircase(b, steps="sign"), unit)


@function
def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """0 where x < 0, 1 where x > 0, and `values` where x = 0, without a gradient."""
    input, values = tensors(input, values)
    if raw(values).dtype != input.dtype:
        raise TypeError(
            f"heaviside: input is {input.dtype}, values are {raw(values).dtype}; convert one"
        )
    (x, values), dtype = common(input, values)
    return on_arrays("where", x == 0, values, x > 0, dtype=dtype)
