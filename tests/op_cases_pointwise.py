"""Cases of the operations of `exponential`, `trigonometric`, `special` and `rounding`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import definitions_of_ops as loops
import numpy as np
from op_case import Case, n


def _each(
    want: Callable[[float], float],
    to: Callable[[np.ndarray], np.ndarray] = np.array,
    **options: Any,
) -> list[Case]:
    """An elementwise operation, on normal numbers taken `to` its domain."""

    def definition(x: np.ndarray, **given: Any) -> np.ndarray:
        return loops.entrywise(want)(x)

    shapes: list[tuple[int, ...]] = [(2, 3), (), (0, 3)]
    return [Case([np.asarray(to(n(*s)))], definition, options) for s in shapes]


def _pairs(want: Callable[[float, float], float]) -> list[Case]:
    """A binary operation with broadcasting, numbers, and x twice."""
    shapes: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
        ((2, 3), (2, 3)), ((2, 1, 4), (3, 1)), ((), (2, 3)), ((0, 3), (3,)),
    ]  # fmt: skip
    definition = loops.entrywise(want)
    cases = [Case([n(*a), n(*b, seed=1)], definition) for a, b in shapes]
    cases += [Case([n(2, 3), 1.5], definition, layouts=False)]
    return [*cases, Case([1.5, n(2, 3)], definition, layouts=False)]


def _quotients(want: Callable[[float, float], float]) -> list[Case]:
    """a and b of both signs, whose quotient is far from whole numbers."""
    definition = loops.entrywise(want)
    b = np.array([[1.5, -0.7, 2.2], [-1.1, 0.4, -3.0]])
    quotient = np.array([[2.4, 1.3, -3.6], [-0.7, 5.5, 0.3]])
    a = np.array([[0.31], [-1.27], [2.45], [3.35]])
    return [
        Case([b * quotient, b], definition),
        Case([b, 0.8], definition, layouts=False),
        Case([7.3, b], definition, layouts=False),
        Case([a, np.array([0.8, -1.9])], definition),
        Case([np.array(2.9), np.array(-0.8)], definition),
        Case([np.zeros((0, 3)), np.ones(3)], definition),
    ]


def _inside(x: np.ndarray) -> np.ndarray:
    return 0.45 * np.tanh(x)  # twice as much is inside too


def _above(x: np.ndarray) -> np.ndarray:
    return 1.1 + x * x


def _positive(x: np.ndarray) -> np.ndarray:
    return 0.3 + np.abs(x)


def _off_whole(x: np.ndarray) -> np.ndarray:
    return np.round(3 * x) + 0.3


STEPS: dict[str, Callable[[float], float]] = {
    "floor": math.floor,
    "ceil": math.ceil,
    "trunc": math.trunc,
    "rint": round,
    "sign": lambda v: math.copysign(1.0, v),
}


def pointwise() -> dict[str, list[Case]]:
    two, three = loops.polygamma(1), loops.polygamma(2)
    return {
        "expm1": _each(math.expm1),
        "log1p": _each(math.log1p, _positive),
        "exp2": _each(lambda v: 2.0**v),
        "log2": _each(math.log2, _positive),
        "log10": _each(math.log10, _positive),
        "logaddexp": _pairs(lambda a, b: math.log(math.exp(a) + math.exp(b))),
        "logaddexp2": _pairs(lambda a, b: math.log2(2.0**a + 2.0**b)),
        "tan": _each(math.tan, _inside),
        "asin": _each(math.asin, _inside),
        "acos": _each(math.acos, _inside),
        "atan": _each(math.atan),
        "hypot": _pairs(math.hypot),
        "atan2": _pairs(math.atan2),
        "sinh": _each(math.sinh),
        "cosh": _each(math.cosh),
        "asinh": _each(math.asinh),
        "acosh": _each(math.acosh, _above),
        "atanh": _each(math.atanh, _inside),
        "erfc": _each(math.erfc),
        "erfinv": _each(loops.inverse_of_erf, _inside),
        "lgamma": [*_each(math.lgamma, _positive), *_each(math.lgamma, _off_whole)],
        "digamma": _each(loops.digamma, _positive),
        "polygamma": [*_each(two, _positive, n=1), *_each(three, _positive, n=2)],
        "staircase": [c for name, f in STEPS.items() for c in _each(f, _off_whole, steps=name)],
        "floor_divide": _quotients(lambda a, b: a // b),
        "remainder": _quotients(lambda a, b: a % b),
        "fmod": _quotients(math.fmod),
    }
