"""Functions with steps: rounding, signs, and the quotients and remainders made with them."""

from __future__ import annotations

from typing import Any

from tinynet.autograd import Op, raw
from tinynet.backend import array_module
from tinynet.ops.broadcast import Elementwise


@Op
def staircase(x: Any, *, steps: str) -> Any:
    """y = f(x), where f, named by `steps`, is floor, ceil, trunc, rint or sign.

    Derivation: f is constant between its steps, dy = 0 dx, so <gy, dy> = <0, dx>.
        gx = gy * 0.0
    Jacobian: zero.
    Kinks: at a step the function jumps; 0 is taken there too. rint takes a half to the even
        neighbour.
    Cost: n forward and backward; keeps nothing.
    Shapes: any; dtype of x. NaN stays NaN.
    Source: IEEE 754-2019, section 5.9, for the rounding.
    """
    return getattr(array_module(x), steps)(x)


@staircase.rule("x")
def staircase_gx(gy: Any) -> Any:
    return gy * 0.0


@Elementwise
def floor_divide(a: Any, b: Any) -> Any:
    """y = floor(a / b), rounded once: the whole number q with a = q b + remainder(a, b).

    Derivation: constant between its steps, dy = 0 da + 0 db, so <gy, dy> = <0, da> + <0, db>.
        ga = gy * 0.0
        gb = gy * 0.0
    Jacobian: zero.
    Kinks: at a step the function jumps; 0 is taken there too.
    Cost: n divisions forward, n backward for each input; keeps nothing.
    Shapes: a, b broadcast to y; dtype: the wider of the two.
    Errors: ValueError if the shapes do not broadcast.
    Source: D. E. Knuth, The Art of Computer Programming 1, 3rd ed. (1997), section 1.2.4.
    """
    return array_module(a, b).floor_divide(a, b)


@floor_divide.rule("a")
def floor_divide_ga(gy: Any) -> Any:
    return gy * 0.0


@floor_divide.rule("b")
def floor_divide_gb(gy: Any) -> Any:
    return gy * 0.0


@Elementwise
def remainder(a: Any, b: Any) -> Any:
    """y = a - b floor(a / b), with the sign of b: Python's a % b.

    Derivation: with q = floor(a / b), constant between its steps, dy = da - q db, so
        <gy, dy> = <gy, da> + <-gy q, db>.
        ga = gy
        gb = -(gy * floor_divide(raw(a), raw(b)))
    Jacobian: the identity for a, diag(-q) for b.
    Kinks: y jumps where a is a multiple of b; the slopes 1 and -q are taken there too.
    Cost: n remainders forward, n divisions and 2n backward for b; keeps a and b.
    Shapes: a, b broadcast to y; dtype: the wider of the two.
    Errors: ValueError if the shapes do not broadcast.
    Source: D. E. Knuth, The Art of Computer Programming 1, 3rd ed. (1997), section 1.2.4.
    """
    return array_module(a, b).remainder(a, b)


@remainder.rule("a")
def remainder_ga(gy: Any) -> Any:
    return gy


@remainder.rule("b")
def remainder_gb(gy: Any, a: Any, b: Any) -> Any:
    return -(gy * floor_divide(raw(a), raw(b)))


@Elementwise
def fmod(a: Any, b: Any) -> Any:
    """y = a - b trunc(a / b), with the sign of a: C's fmod.

    Derivation: with q = trunc(a / b), constant between its steps, dy = da - q db, so
        <gy, dy> = <gy, da> + <-gy q, db>.
        ga = gy
        gb = -(gy * staircase(raw(a) / raw(b), steps="trunc"))
    Jacobian: the identity for a, diag(-q) for b.
    Kinks: y jumps where a is a multiple of b; the slopes 1 and -q are taken there too.
    Cost: n remainders forward, n divisions and 3n backward for b; keeps a and b.
    Shapes: a, b broadcast to y; dtype: the wider of the two.
    Errors: ValueError if the shapes do not broadcast.
    Source: IEEE 754-2019, section 5.3.1, whose remainder rounds q to the nearest instead.
    """
    return array_module(a, b).fmod(a, b)


@fmod.rule("a")
def fmod_ga(gy: Any) -> Any:
    return gy


@fmod.rule("b")
def fmod_gb(gy: Any, a: Any, b: Any) -> Any:
    return -(gy * staircase(raw(a) / raw(b), steps="trunc"))
