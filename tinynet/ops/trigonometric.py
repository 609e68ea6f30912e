"""Trigonometric and hyperbolic functions beside sin, cos and tanh, and their inverses.

1 - x^2 is computed as (1 - x)(1 + x), which keeps its digits where |x| is near 1.
"""

from __future__ import annotations

from typing import Any

from tinynet.autograd import Op, raw
from tinynet.backend import array_module
from tinynet.ops.arithmetic import where
from tinynet.ops.broadcast import Elementwise
from tinynet.ops.elementary import sqrt


@Op
def tan(x: Any) -> Any:
    """y = tan x = sin x / cos x, x in radians.

    Derivation: dy = dx / cos(x)^2 = (1 + tan(x)^2) dx, so <gy, dy> = <gy (1 + y^2), dx>.
        gx = gy * (y * y + 1.0)
    Jacobian: diagonal, diag(1 + y^2).
    Kinks: none; poles at odd multiples of pi/2, which no floating-point number is.
    Cost: n tangents forward, 3n backward; keeps y.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 4.20.
    """
    return array_module(x).tan(x)


@tan.rule("x")
def tan_gx(gy: Any, y: Any) -> Any:
    return gy * (y * y + 1.0)


@Op
def asin(x: Any) -> Any:
    """y = arcsin x, from -pi/2 to pi/2.

    Derivation: sin y = x, so cos(y) dy = dx with cos y = sqrt(1 - x^2), and
        <gy, dy> = <gy / sqrt(1 - x^2), dx>.
        gx = gy / sqrt((1.0 - x) * (x + 1.0))
    Jacobian: diagonal.
    Kinks: at x = -1 and x = 1 the derivative is Inf and is returned as such; NaN beyond.
    Cost: n arcsines forward, 5n backward; keeps x.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 4.24(ii).
    """
    return array_module(x).arcsin(x)


@asin.rule("x")
def asin_gx(gy: Any, x: Any) -> Any:
    return gy / sqrt((1.0 - x) * (x + 1.0))


@Op
def acos(x: Any) -> Any:
    """y = arccos x, from 0 to pi.

    Derivation: cos y = x, so -sin(y) dy = dx with sin y = sqrt(1 - x^2), and
        <gy, dy> = <-gy / sqrt(1 - x^2), dx>.
        gx = -(gy / sqrt((1.0 - x) * (x + 1.0)))
    Jacobian: diagonal.
    Kinks: at x = -1 and x = 1 the derivative is -Inf and is returned as such; NaN beyond.
    Cost: n arccosines forward, 6n backward; keeps x.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 4.24(ii).
    """
    return array_module(x).arccos(x)


@acos.rule("x")
def acos_gx(gy: Any, x: Any) -> Any:
    return -(gy / sqrt((1.0 - x) * (x + 1.0)))


@Op
def atan(x: Any) -> Any:
    """y = arctan x, from -pi/2 to pi/2.

    Derivation: tan y = x, so (1 + x^2) dy = dx and <gy, dy> = <gy / (1 + x^2), dx>.
        gx = gy / (x * x + 1.0)
    Jacobian: diagonal, diag(1/(1 + x^2)).
    Kinks: none.
    Cost: n arctangents forward, 3n backward; keeps x.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 4.24(ii).
    """
    return array_module(x).arctan(x)


@atan.rule("x")
def atan_gx(gy: Any, x: Any) -> Any:
    return gy / (x * x + 1.0)


@Elementwise
def hypot(a: Any, b: Any) -> Any:
    """y = sqrt(a^2 + b^2), without overflow in the squares.

    Derivation: y^2 = a^2 + b^2, so y dy = a da + b db and
        <gy, dy> = <gy a/y, da> + <gy b/y, db>.
        ga = gy * (a / where(raw(y) == 0, 1.0, y))
        gb = gy * (b / where(raw(y) == 0, 1.0, y))
    Jacobian: diagonal for each input.
    Kinks: at a = b = 0 the subdifferential is the unit disc; its centre is taken, 0 for both, as
        for `norm`.
    Cost: n roots forward, 3n backward for each input; keeps a, b and y.
    Shapes: a, b broadcast to y; dtype: the wider of the two.
    Errors: ValueError if the shapes do not broadcast.
    Source: F. H. Clarke, Optimization and Nonsmooth Analysis (1983), for the kink.
    """
    return array_module(a, b).hypot(a, b)


@hypot.rule("a")
def hypot_ga(gy: Any, a: Any, y: Any) -> Any:
    return gy * (a / where(raw(y) == 0, 1.0, y))


@hypot.rule("b")
def hypot_gb(gy: Any, b: Any, y: Any) -> Any:
    return gy * (b / where(raw(y) == 0, 1.0, y))


@Elementwise
def atan2(a: Any, b: Any) -> Any:
    """y = the angle of the point (b, a), from -pi to pi: tan y = a / b.

    Derivation: a = r sin y and b = r cos y with r = hypot(a, b), so r^2 dy = b da - a db and
        <gy, dy> = <gy b/r^2, da> + <-gy a/r^2, db>. Dividing by r twice avoids its square.
        ga = gy * (b / r / r)
        gb = -(gy * (a / r / r))
    Jacobian: diagonal for each input.
    Kinks: the angle jumps by 2 pi where a = 0 and b < 0. It has no derivative at a = b = 0, where
        0 is used for both.
    Cost: n arctangents forward, n roots and 4n backward for each input; keeps a and b.
    Shapes: a, b broadcast to y; dtype: the wider of the two.
    Errors: ValueError if the shapes do not broadcast.
    Source: NIST Digital Library of Mathematical Functions, section 1.9(i), for the angle.
    """
    return array_module(a, b).arctan2(a, b)


def _radius(a: Any, b: Any) -> Any:
    """hypot(a, b), with 1 in place of 0."""
    r = hypot(a, b)
    return where(raw(r) == 0, 1.0, r)


@atan2.rule("a")
def atan2_ga(gy: Any, a: Any, b: Any) -> Any:
    r = _radius(a, b)
    return gy * (b / r / r)


@atan2.rule("b")
def atan2_gb(gy: Any, a: Any, b: Any) -> Any:
    r = _radius(a, b)
    return -(gy * (a / r / r))


@Op
def sinh(x: Any) -> Any:
    """y = sinh x = (e^x - e^-x) / 2.

    Derivation: dy = cosh(x) dx, so <gy, dy> = <gy cosh(x), dx>.
        gx = gy * cosh(x)
    Jacobian: diagonal, diag(cosh x).
    Kinks: none.
    Cost: n hyperbolic sines forward, n hyperbolic cosines and n products backward; keeps x.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 4.34.
    """
    return array_module(x).sinh(x)


@sinh.rule("x")
def sinh_gx(gy: Any, x: Any) -> Any:
    return gy * cosh(x)


@Op
def cosh(x: Any) -> Any:
    """y = cosh x = (e^x + e^-x) / 2.

    Derivation: dy = sinh(x) dx, so <gy, dy> = <gy sinh(x), dx>.
        gx = gy * sinh(x)
    Jacobian: diagonal, diag(sinh x).
    Kinks: none.
    Cost: n hyperbolic cosines forward, n hyperbolic sines and n products backward; keeps x.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 4.34.
    """
    return array_module(x).cosh(x)


@cosh.rule("x")
def cosh_gx(gy: Any, x: Any) -> Any:
    return gy * sinh(x)


@Op
def asinh(x: Any) -> Any:
    """y = arsinh x = ln(x + sqrt(x^2 + 1)).

    Derivation: sinh y = x, so cosh(y) dy = dx with cosh y = sqrt(x^2 + 1), and
        <gy, dy> = <gy / sqrt(x^2 + 1), dx>. `hypot` has no overflow in the square.
        gx = gy / hypot(x, 1.0)
    Jacobian: diagonal.
    Kinks: none.
    Cost: n inverse hyperbolic sines forward, n roots and n divisions backward; keeps x.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 4.38(ii).
    """
    return array_module(x).arcsinh(x)


@asinh.rule("x")
def asinh_gx(gy: Any, x: Any) -> Any:
    return gy / hypot(x, 1.0)


@Op
def acosh(x: Any) -> Any:
    """y = arcosh x = ln(x + sqrt(x^2 - 1)), at least 0.

    Derivation: cosh y = x, so sinh(y) dy = dx with sinh y = sqrt(x^2 - 1), and
        <gy, dy> = <gy / sqrt(x^2 - 1), dx>. Two roots have no overflow in the square.
        gx = gy / (sqrt(x - 1.0) * sqrt(x + 1.0))
    Jacobian: diagonal.
    Kinks: at x = 1 the derivative is Inf and is returned as such; NaN below.
    Cost: n inverse hyperbolic cosines forward, 2n roots and 4n backward; keeps x.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 4.38(ii).
    """
    return array_module(x).arccosh(x)


@acosh.rule("x")
def acosh_gx(gy: Any, x: Any) -> Any:
    return gy / (sqrt(x - 1.0) * sqrt(x + 1.0))


@Op
def atanh(x: Any) -> Any:
    """y = artanh x = ln((1 + x) / (1 - x)) / 2.

    Derivation: tanh y = x, so (1 - x^2) dy = dx and <gy, dy> = <gy / (1 - x^2), dx>.
        gx = gy / ((1.0 - x) * (x + 1.0))
    Jacobian: diagonal, diag(1/(1 - x^2)).
    Kinks: at x = -1 and x = 1 the value is -Inf and Inf, the derivative Inf; NaN beyond.
    Cost: n inverse hyperbolic tangents forward, 4n backward; keeps x.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 4.38(ii).
    """
    return array_module(x).arctanh(x)


@atanh.rule("x")
def atanh_gx(gy: Any, x: Any) -> Any:
    return gy / ((1.0 - x) * (x + 1.0))
