"""Trigonometric and hyperbolic functions, and their inverses by both of their names."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tinynet.autograd import raw
from tinynet.backend import array_module
from tinynet.functions.operands import real, reals, tensors
from tinynet.functions.public import function
from tinynet.ops import arithmetic, elementary, trigonometric

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


@function
def sin(input: Tensor) -> Tensor:
    """y = sin x; see `tinynet.ops.elementary.sin`."""
    return elementary.sin(real(input))


@function
def cos(input: Tensor) -> Tensor:
    """y = cos x; see `tinynet.ops.elementary.cos`."""
    return elementary.cos(real(input))


@function
def tan(input: Tensor) -> Tensor:
    """y = tan x; see `tinynet.ops.trigonometric.tan`."""
    return trigonometric.tan(real(input))


@function
def asin(input: Tensor) -> Tensor:
    """y = arcsin x; see `tinynet.ops.trigonometric.asin`."""
    return trigonometric.asin(real(input))


@function
def arcsin(input: Tensor) -> Tensor:
    """`asin` by NumPy's name."""
    return asin(input)


@function
def acos(input: Tensor) -> Tensor:
    """y = arccos x; see `tinynet.ops.trigonometric.acos`."""
    return trigonometric.acos(real(input))


@function
def arccos(input: Tensor) -> Tensor:
    """`acos` by NumPy's name."""
    return acos(input)


@function
def atan(input: Tensor) -> Tensor:
    """y = arctan x; see `tinynet.ops.trigonometric.atan`."""
    return trigonometric.atan(real(input))


@function
def arctan(input: Tensor) -> Tensor:
    """`atan` by NumPy's name."""
    return atan(input)


@function
def atan2(input: Tensor, other: Tensor) -> Tensor:
    """The angle of the point (other, input); see `tinynet.ops.trigonometric.atan2`."""
    return trigonometric.atan2(*reals(*tensors(input, other)))


@function
def arctan2(input: Tensor, other: Any) -> Tensor:
    """`atan2` by NumPy's name."""
    return atan2(input, other)


@function
def hypot(input: Tensor, other: Tensor) -> Tensor:
    """y = sqrt(a^2 + b^2); see `tinynet.ops.trigonometric.hypot`."""
    return trigonometric.hypot(*reals(*tensors(input, other)))


@function
def sinh(input: Tensor) -> Tensor:
    """y = (e^x - e^-x) / 2; see `tinynet.ops.trigonometric.sinh`."""
    return trigonometric.sinh(real(input))


@function
def cosh(input: Tensor) -> Tensor:
    """y = (e^x + e^-x) / 2; see `tinynet.ops.trigonometric.cosh`."""
    return trigonometric.cosh(real(input))


@function
def tanh(input: Tensor) -> Tensor:
    """y = (e^x - e^-x) / (e^x + e^-x); see `tinynet.ops.elementary.tanh`."""
    return elementary.tanh(real(input))


@function
def asinh(input: Tensor) -> Tensor:
    """y = arsinh x; see `tinynet.ops.trigonometric.asinh`."""
    return trigonometric.asinh(real(input))


@function
def arcsinh(input: Tensor) -> Tensor:
    """`asinh` by NumPy's name."""
    return asinh(input)


@function
def acosh(input: Tensor) -> Tensor:
    """y = arcosh x; see `tinynet.ops.trigonometric.acosh`."""
    return trigonometric.acosh(real(input))


@function
def arccosh(input: Tensor) -> Tensor:
    """`acosh` by NumPy's name."""
    return acosh(input)


@function
def atanh(input: Tensor) -> Tensor:
    """y = artanh x; see `tinynet.ops.trigonometric.atanh`."""
    return trigonometric.atanh(real(input))


@function
def arctanh(input: Tensor) -> Tensor:
    """`atanh` by NumPy's name."""
    return atanh(input)


@function
def deg2rad(input: Tensor) -> Tensor:
    """y = x pi / 180."""
    return real(input) * (math.pi / 180.0)


@function
def rad2deg(input: Tensor) -> Tensor:
    """y = x 180 / pi."""
    return real(input) * (180.0 / math.pi)


@function
def sinc(input: Tensor) -> Tensor:
    """y = sin(pi x) / (pi x), and 1 at 0.

    Near 0 it is the series 1 - t^2/3! + t^4/5! - ... of t = pi x, whose derivatives, unlike those
    of the quotient, are right there too.
    """
    t = real(input) * math.pi
    near = array_module(raw(t)).abs(raw(t)) < 0.1
    small = arithmetic.where(near, t, 0.0)  # the series of a large t would overflow
    s = small * small
    series = 1.0 + s * (-1 / 6 + s * (1 / 120 + s * (-1 / 5040 + s * (1 / 362880))))
    masked = arithmetic.where(near, 1.0, t)
    return arithmetic.where(near, series, elementary.sin(masked) / masked)
