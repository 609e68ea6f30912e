"""Cases of the operations that slide a window: convolution, unfold and fold, pooling."""

from __future__ import annotations

import math
from typing import Any

import definitions_of_ops as loops
import numpy as np
from op_case import Case, n

from tinynet.window import Window

# x shape, OC, groups, window: strided, padded, dilated, grouped, with rows left over, empty, "same"
CONVOLUTIONS = [
    ((2, 3, 5, 4), 2, 1, Window((3, 2))),
    ((2, 2, 6, 5), 3, 1, Window((3, 2), (2, 3), (1, 2))),
    ((1, 2, 7, 6), 2, 1, Window((2, 3), (1, 2), (0, 1), (3, 2))),
    ((2, 4, 4, 3), 6, 2, Window((2, 3), (1, 1), (1, 1))),
    ((2, 3, 4, 3), 3, 3, Window((2, 2), (2, 1))),
    ((2, 2, 3, 4), 3, 1, Window((1, 1))),
    ((0, 2, 4, 3), 3, 1, Window((2, 2))),
    ((1, 1, 1, 1), 1, 1, Window((1, 1))),
    ((2, 2, 7), 4, 2, Window((3,), (2,), (1,), (2,))),
    ((2, 2, 5), 3, 1, Window((2,))),
    ((1, 2, 4, 3, 5), 2, 1, Window((2, 1, 3), (1, 2, 2), (1, 0, 1), (2, 1, 1))),
    ((2, 2, 4, 3), 3, 1, Window((2, 4), (1, 1), (0, 1), (1, 1), (1, 1))),
]
# x shape, window: tiling, overlapping, padded, dilated, with gaps, rounded up
POOLINGS = [
    ((2, 3, 4, 6), Window((2, 3), (2, 3))),
    ((2, 2, 5, 4), Window((3, 2), (1, 1), (1, 1))),
    ((1, 2, 6, 7), Window((2, 3), (2, 1), (1, 1), (2, 2))),
    ((2, 1, 5, 6), Window((2, 2), (3, 3))),
    ((0, 2, 4, 4), Window((2, 2), (2, 2))),
    ((1, 1, 1, 1), Window((1, 1))),
    ((2, 2, 6), Window((2,), (2,))),
    ((1, 2, 7), Window((3,), (1,), (1,), (2,))),
    ((1, 2, 4, 3, 4), Window((2, 1, 3), (2, 1, 1), (1, 0, 1))),
    ((2, 1, 5, 4), Window((3, 2), (3, 2), (1, 1), (), (1, 0)).rounded_up((5, 4))),
]


def _out(shape: Any, window: Window, OC: int) -> tuple[int, ...]:
    return (shape[0], OC, *window.output("test", shape))


def convolutions(problems: Any = CONVOLUTIONS) -> dict[str, list[Case]]:
    table: dict[str, list[Case]] = {"conv2d": [], "conv2d_input": [], "conv2d_weight": []}
    for k, (shape, OC, groups, window) in enumerate(problems):
        x, w = n(*shape), n(OC, shape[1] // groups, *window.kernel, seed=1)
        gy = n(*_out(shape, window, OC), seed=2)
        options = {"window": window, "groups": groups}
        b = n(OC, seed=3) if k % 2 else None
        table["conv2d"].append(Case([x, w, b], loops.conv, options))
        size = {"size": shape[2:]}
        table["conv2d_input"].append(Case([gy, w], loops.conv_input, {**options, **size}))
        table["conv2d_weight"].append(Case([gy, x], loops.conv_weight, options))
    return table


def windows(problems: Any = POOLINGS) -> dict[str, list[Case]]:
    names = "unfold fold max_pool2d max_unpool2d gather_at_argmax sum_pool2d sum_unpool2d".split()
    table: dict[str, list[Case]] = {name: [] for name in names}
    for shape, window in problems:
        N, C, *cells = _out(shape, window, shape[1])
        taps = math.prod(window.kernel)
        rng = np.random.default_rng(5)
        only, size = {"window": window}, {"size": shape[2:], "window": window}
        columns = n(N, C * taps, math.prod(cells), seed=1)
        image = {"output_size": shape[2:], "window": window}
        argmax = {"argmax": rng.integers(0, taps, (N, C, *cells)).astype("uint8")}
        pooled = n(N, C, *cells)
        table["unfold"].append(Case([n(*shape)], loops.im2col, only))
        table["fold"].append(Case([columns], loops.col2im, image))
        table["max_pool2d"].append(Case([n(*shape, kind="separated")], loops.max_pool, only))
        table["max_unpool2d"].append(Case([pooled], loops.max_unpool, {**argmax, **size}))
        gathered = Case([n(*shape)], loops.gather_at_argmax, {**argmax, **only})
        table["gather_at_argmax"].append(gathered)
        table["sum_pool2d"].append(Case([n(*shape)], loops.sum_pool, only))
        table["sum_unpool2d"].append(Case([pooled], loops.sum_unpool, size))
    # every entry negative: the padding must not win
    negative = -np.abs(n(2, 2, 5, 4, kind="separated"))
    table["max_pool2d"].append(
        Case([negative], loops.max_pool, {"window": Window((3, 2), (2, 2), (1, 1))})
    )
    return table
