"""Cases of the operations that slide a window: convolution, unfold and fold, pooling."""

from __future__ import annotations

import math
from typing import Any

import definitions_of_ops as loops
import numpy as np
from op_case import Case, n

from tinynet.ops.windows import Window
from tinynet.testing import definitions


def _window(
    kernel: Any, stride: Any = (1, 1), padding: Any = (0, 0), dilation: Any = (1, 1)
) -> Any:
    return Window(kernel, stride, padding, dilation)


def _by_name(window: Window) -> dict[str, Any]:
    return {k: getattr(window, k) for k in ("kernel", "stride", "padding", "dilation")}


# x shape, OC, groups, window: strided, padded, dilated, grouped, with rows left over, empty
CONVOLUTIONS = [
    ((2, 3, 5, 4), 2, 1, _window((3, 2))),
    ((2, 2, 6, 5), 3, 1, _window((3, 2), (2, 3), (1, 2))),
    ((1, 2, 7, 6), 2, 1, _window((2, 3), (1, 2), (0, 1), (3, 2))),
    ((2, 4, 4, 3), 6, 2, _window((2, 3), (1, 1), (1, 1))),
    ((2, 3, 4, 3), 3, 3, _window((2, 2), (2, 1))),
    ((2, 2, 3, 4), 3, 1, _window((1, 1))),
    ((0, 2, 4, 3), 3, 1, _window((2, 2))),
    ((1, 1, 1, 1), 1, 1, _window((1, 1))),
]
# x shape, window: tiling, overlapping, padded, dilated, with gaps
POOLINGS = [
    ((2, 3, 4, 6), _window((2, 3), (2, 3))),
    ((2, 2, 5, 4), _window((3, 2), (1, 1), (1, 1))),
    ((1, 2, 6, 7), _window((2, 3), (2, 1), (1, 1), (2, 2))),
    ((2, 1, 5, 6), _window((2, 2), (3, 3))),
    ((0, 2, 4, 4), _window((2, 2), (2, 2))),
    ((1, 1, 1, 1), _window((1, 1))),
]


def _out(shape: Any, window: Window, OC: int) -> tuple[int, ...]:
    OH, OW = window.output("test", shape)
    return (shape[0], OC, OH, OW)


def convolutions() -> dict[str, list[Case]]:
    def forward(x: Any, w: Any, b: Any = None, *, window: Window, groups: int = 1) -> np.ndarray:
        return definitions.conv2d(x, w, b, **_window_options(window), groups=groups)

    def by_input(gy: Any, w: Any, *, size: Any, window: Window, groups: int = 1) -> np.ndarray:
        return definitions.conv2d_input(gy, w, size, **_window_options(window), groups=groups)

    def by_weight(gy: Any, x: Any, *, window: Window, groups: int = 1) -> np.ndarray:
        options = _by_name(window)
        return definitions.conv2d_weight(gy, x, options.pop("kernel"), **options, groups=groups)

    table: dict[str, list[Case]] = {"conv2d": [], "conv2d_input": [], "conv2d_weight": []}
    for k, (shape, OC, groups, window) in enumerate(CONVOLUTIONS):
        x, w = n(*shape), n(OC, shape[1] // groups, *window.kernel, seed=1)
        gy = n(*_out(shape, window, OC), seed=2)
        options = {"window": window, "groups": groups}
        b = n(OC, seed=3) if k % 2 else None
        table["conv2d"].append(Case([x, w, b], forward, options))
        size = {"size": shape[2:]}
        table["conv2d_input"].append(Case([gy, w], by_input, {**options, **size}))
        table["conv2d_weight"].append(Case([gy, x], by_weight, options))
    return table


def _window_options(window: Window) -> dict[str, Any]:
    options = _by_name(window)
    del options["kernel"]
    return options


def windows() -> dict[str, list[Case]]:
    def unfolded(x: Any, *, window: Window) -> np.ndarray:
        return definitions.im2col(x, **_by_name(window))

    def folded(x: Any, *, output_size: Any, window: Window) -> np.ndarray:
        return definitions.col2im(x, output_size, **_by_name(window))

    def largest(x: Any, *, window: Window) -> np.ndarray:
        return definitions.max_pool2d(x, **_by_name(window))

    def summed(x: Any, *, window: Window) -> np.ndarray:
        C = x.shape[1]
        w = np.ones((C, 1, *window.kernel))
        return definitions.conv2d(x, w, **_window_options(window), groups=C)

    def spread(x: Any, *, size: Any, window: Window) -> np.ndarray:
        C = x.shape[1]
        w = np.ones((C, 1, *window.kernel))
        return definitions.conv2d_input(x, w, size, **_window_options(window), groups=C)

    names = "unfold fold max_pool2d pool_put pool_take sum_pool2d sum_unpool2d".split()
    table: dict[str, list[Case]] = {name: [] for name in names}
    for shape, window in POOLINGS:
        N, C, OH, OW = _out(shape, window, shape[1])
        taps = math.prod(window.kernel)
        rng = np.random.default_rng(5)
        only, size = {"window": window}, {"size": shape[2:], "window": window}
        columns = n(N, C * taps, OH * OW, seed=1)
        image = {"output_size": shape[2:], "window": window}
        winner = {"winner": rng.integers(0, taps, (C, OH, OW, N)).astype("uint8")}
        table["unfold"].append(Case([n(*shape)], unfolded, only))
        table["fold"].append(Case([columns], folded, image))
        table["max_pool2d"].append(Case([n(*shape, kind="separated")], largest, only))
        table["pool_put"].append(Case([n(N, C, OH, OW)], loops.pool_put, {**winner, **size}))
        table["pool_take"].append(Case([n(*shape)], loops.pool_take, {**winner, **only}))
        table["sum_pool2d"].append(Case([n(*shape)], summed, only))
        table["sum_unpool2d"].append(Case([n(N, C, OH, OW)], spread, size))
    # every entry negative: the padding must not win
    negative = -np.abs(n(2, 2, 5, 4, kind="separated"))
    table["max_pool2d"].append(
        Case([negative], largest, {"window": _window((3, 2), (2, 2), (1, 1))})
    )
    return table
