"""The tables of `test_public_names` for functions of each entry and of pairs of entries."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

import tinynet as tn
from tinynet.functions import angles, bounds, logical, operators, rounding, special

FAMILIES = [angles, bounds, logical, operators, rounding, special]
X = np.array([[0.31, -1.27, 0.83], [-0.58, 1.44, -0.12]])
Y = np.array([[1.21, 0.74, -0.47], [-1.63, 0.35, 0.92]])
INSIDE, POSITIVE = 0.5 * X, np.abs(X) + 0.3
MASK = X > 0


def _called(names: str, *inputs: Any) -> dict[str, tuple[Any, list[Any]]]:
    return {name: (lambda *x, f=name: getattr(tn.Tensor, f)(*x), list(inputs))
            for name in names.split()}  # fmt: skip


METHODS = {
    **_called(
        "absolute atan arctan asinh arcsinh cosh deg2rad digamma erfc exp2 expit expm1 frac neg "
        "negative nan_to_num rad2deg sinc sinh tan lgamma",
        X,
    ),
    **_called("acos asin arccos arcsin arctanh atanh erfinv", INSIDE),
    **_called("log1p log2 log10 logit reciprocal rsqrt", 0.3 * POSITIVE),
    **_called("acosh arccosh", POSITIVE + 1.0),
    **_called("add sub subtract rsub mul multiply atan2 arctan2 hypot fmax fmin logaddexp", X, Y),
    **_called("copysign div divide fmod logaddexp2 remainder true_divide", X, Y),
    **_called("floor ceil trunc fix round sgn sign", X * X),
    **_called("lerp addcmul addcdiv", X, Y, POSITIVE),
    **_called("float_power", POSITIVE, Y),
    "clip": (lambda x, low: x.clip(low, 1.0), [X, Y - 1.0]),
    "clamp_min": (lambda x, low: x.clamp_min(low), [X, Y]),
    "clamp_max": (lambda x, high: x.clamp_max(high), [X, Y]),
    "floor_divide": (lambda x, y: x.floor_divide(y) + x, [X, Y]),
    "positive": (lambda x: x.positive() * 2, [X]),
    "where": (lambda x, y: x.where(tn.tensor(MASK, device=x.device), y), [X, Y]),
    "xlogy": (lambda x, y: x.xlogy(y), [X, POSITIVE]),
    "__floordiv__": (lambda x, y: x // y + y, [X, Y]),
    "__ifloordiv__": (lambda x, y: operator.ifloordiv(x * 2, y) + x, [X, Y]),
    "__imod__": (lambda x, y: operator.imod(x * 2, y), [X, Y]),
    "__ipow__": (lambda x, y: operator.ipow(x * 2, y), [POSITIVE, Y]),
    "__mod__": (lambda x, y: x % y, [X, Y]),
    "__rfloordiv__": (lambda x: 5.0 // x + x, [X]),
    "__rmod__": (lambda x: 5.0 % x, [X]),
}
# functions whose float64 is in their name, or whose result is
WIDE = {"float_power"}
# comparisons, logic, positions
_WITHOUT = """
__iand__ __ior__ __ixor__ __lshift__ __rand__ __rlshift__ __ror__ __rrshift__ __rshift__ __rxor__
__xor__ allclose bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift
bitwise_xor eq equal gcd ge greater greater_equal gt heaviside isclose isinf isneginf isposinf
isreal lcm le less less_equal logical_and logical_not logical_or logical_xor lt ne not_equal signbit
"""
IN_PLACE = """
abs_ absolute_ acos_ addcdiv_ addcmul_ asin_ atan_ bitwise_and_ bitwise_not_ bitwise_or_
bitwise_xor_ ceil_ clamp_ clamp_max_ clamp_min_ clip_ cos_ cosh_ divide_ erf_ erfc_ erfinv_ exp2_
exp_ expm1_ floor_ floor_divide_ fmod_ frac_ lerp_ log10_ log1p_ log2_ log_ logical_and_
logical_not_ logical_or_ logical_xor_ logit_ multiply_ nan_to_num_ neg_ negative_ pow_ reciprocal_
relu_ remainder_ round_ rsqrt_ sigmoid_ sign_ sin_ sinh_ sqrt_ square_ subtract_ tan_ tanh_
true_divide_ trunc_
""".split()
NO_GRADIENT = {*_WITHOUT.split(), *IN_PLACE}
TOP_LEVEL_WITHOUT = {"isin"}
