"""The checks for mutants: the cases of `op_cases`, and the conventions at kinks."""

from __future__ import annotations

from typing import Any

import numpy as np
from op_case import Case, is_real, n
from op_cases import table
from op_cases_windows import convolutions, windows

from tinynet.ops import registry
from tinynet.window import Window


def _size(case: Case) -> int:
    return sum(a.size for a in case.inputs if isinstance(a, np.ndarray))


def cases_of(name: str) -> list[Case]:
    """The operation's cases that have numbers, the most revealing first."""
    square = {"matmul": [n(3, 3), n(3, 3, seed=1)], "linear": [n(3, 3), n(3, 3, seed=1), n(3)]}
    cases = [c for c in TABLE[name] if all(np.size(a) for a in c.inputs)] + _EXTRA.get(name, [])
    cases += [Case(square[name], lambda *a: a)] if name in square else []
    return sorted(cases, key=lambda c: (_size(c) < 4, _size(c)))


def some_of(cases: list[Case]) -> list[Case]:
    """The smallest cases, and the smallest with most inputs, as order 2 is slow."""
    fewest = sorted(cases, key=lambda c: (_size(c) < 4, -sum(map(is_real, c.inputs)), _size(c)))
    return [c for c in cases if any(c is s for s in (*cases[:4], *fewest[:3]))]


TABLE = table()
# one more of stride, padding or dilation keeps the size of the output: only the numbers tell
_ROOMY = Window((2, 2), (4, 5))
_EXTRA = {**convolutions([((1, 2, 7, 8), 2, 1, _ROOMY)] * 2), **windows([((1, 1, 7, 8), _ROOMY)])}
CASES = {name: cases_of(name) for name in registry()}

_nan, _x = np.nan, np.array([0.0, 1.0, -1.0])
_pair = [np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])]
_window = {"window": Window((1, 2), (1, 2))}
_last = np.eye(257)[-1]
# What is chosen at kinks, and in corners that are too large or too small for the table: inputs,
# options, and the gradients for a cotangent of ones.
PINS: dict[str, list[tuple[list[Any], dict[str, Any], list[list[float]]]]] = {
    "abs": [([_x], {}, [[0, 1, -1]])],
    "relu": [([_x], {}, [[0, 1, 0]])],
    "leaky_relu": [([_x], {"negative_slope": 0.1}, [[0.1, 1, 0.1]])],
    "elu": [([_x[:2]], {"alpha": 0.4}, [[0.4, 1]])],
    "maximum": [(_pair, {}, [[0.5, 0, 1], [0.5, 1, 0]])],
    "minimum": [(_pair, {}, [[0.5, 1, 0], [0.5, 0, 1]])],
    "clamp": [
        ([np.array([-1.0, 0.5, 2.0, -1.5, 2.5, _nan])], {"min": -1.0, "max": 2.0},
         [[1, 1, 1, 0, 0, 0]]),
        ([np.array([-1.0, -1.5, _nan])], {"min": -1.0}, [[1, 0, 0]]),
        ([np.array([2.0, 2.5, _nan])], {"max": 2.0}, [[1, 0, 0]]),
    ],
    "pow": [
        ([np.zeros(3), np.array([0.0, 1.0, 2.0])], {}, [[0, 1, 0], [0, 0, 0]]),
        ([np.array([0.0, 2.0]), 0], {}, [[0, 0]]),
    ],
    "hypot": [([np.zeros(1), np.zeros(1)], {}, [[0], [0]])],
    "atan2": [([np.zeros(1), np.zeros(1)], {}, [[0], [0]])],
    "norm": [([np.zeros(2)], {}, [[0, 0]])],
    "amax": [([_pair[0][[0, 0]]], {}, [[0.5, 0.5]]), ([np.array([_nan, 1.0])], {}, [[0, 0]])],
    "amin": [([_pair[0][[0, 0]]], {}, [[0.5, 0.5]]), ([np.array([_nan, 1.0])], {}, [[0, 0]])],
    "cumsum": [([np.array(2.0)], {"dim": 0}, [[1]])],
    "logcumsumexp": [([np.array([-800.0, 0.0])], {"dim": 0}, [[1, 1]])],
    "max_pool2d": [
        ([np.zeros((1, 1, 1, 4))], _window, [[1, 0, 1, 0]]),
        ([_last.reshape(1, 1, 1, 257)], {"window": Window((1, 257))}, [_last.tolist()]),
    ],
}  # fmt: skip
