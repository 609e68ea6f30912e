"""Time and error of tinynet's sums beside NumPy's own, alternating, on one thread.

    python benchmarks/sums.py

Numbers are between 250 and 320, in float32. Each line gives the shape and the axes; for C order,
Fortran's order and rows with gaps the ratio of tinynet's time to NumPy's, the best of the turns of
each; and the largest relative errors, of NumPy and of tinynet, beside a sum in float64.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from tinynet.kernels import sums

CASES: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((10_000_000, 2), (0,)), ((10_000_000, 2), (0, 1)), ((2, 10_000_000), (1,)),
    ((1_000_000, 20), (0,)), ((100_000, 200), (0,)), ((10_000, 2000), (0,)),
    ((1000, 20_000), (0,)), ((200, 100_000), (0,)), ((100, 100_000), (1,)),
    ((100_000, 16, 3, 3), (0, 2, 3)), ((64, 6, 24, 24), (0, 2, 3)), ((300, 300, 7), (0, 1)),
    ((2000, 50, 2, 10), (0, 2)), ((10, 700, 3), (1,)), ((1000, 1000), (0,)), ((4000, 100), (0,)),
    ((1000, 2), (0,)), ((256, 64), (0,)), ((200, 3), (0,)), ((131, 3), (0,)), ((128, 10), (0,)),
    ((64, 10), (0,)),
]  # fmt: skip


def best(functions: list[Callable[[], Any]], calls: int, turns: int) -> list[float]:
    """The least time of each function in seconds per call; the functions take turns."""
    times = [float("inf")] * len(functions)
    for _ in range(turns):
        for k, f in enumerate(functions):
            start = time.perf_counter()
            for _ in range(calls):
                f()
            times[k] = min(times[k], (time.perf_counter() - start) / calls)
    return times


def compare(x: np.ndarray, axes: tuple[int, ...], turns: int) -> tuple[float, float, float, float]:
    """NumPy's time, the ratio of tinynet's to it, and the errors of both."""
    own, ours = lambda: x.sum(axis=axes), lambda: sums.sum(x, axes)
    first, second = best([own, ours], max(2, 200_000 // x.size), turns)
    want = x.sum(axis=axes, dtype="float64")
    errors = [float(np.abs(f() / want - 1).max()) for f in (own, ours)]
    return first, second / first, errors[0], errors[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--turns", type=int, default=7, help="turns of each side (default 7)")
    parser.add_argument("--most", type=int, default=1 << 25, help="entries of the largest array")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    print(f"{'shape and axes':34}{'NumPy':>10}  {'C':>6}{'F':>6}{'gaps':>6}   errors")
    for shape, axes in CASES:
        x = rng.random(shape, "float32") * 70 + 250
        if x.size > options.most:
            continue
        wide = np.empty((*shape[:-1], shape[-1] + 1), "float32")[..., :-1]
        wide[...] = x
        found = [compare(a, axes, options.turns) for a in (x, np.asfortranarray(x), wide)]
        ratios = "".join(f"{ratio:6.2f}" for _, ratio, _, _ in found)
        errors = " and ".join(f"{max(f[k] for f in found):.0e}" for k in (2, 3))
        print(f"{f'{shape} {axes}':34}{found[0][0] * 1e6:8.1f}us  {ratios}   {errors}")


if __name__ == "__main__":
    main()
