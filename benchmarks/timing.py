"""Times and agreement of runs that alternate in one process."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.sides import Run

# float32 has seven digits, each side sums in a different order, and Adam takes a full step even
# where a gradient is almost 0. With the weights of seed 0 (`Side.model`) the losses of three steps
# agree to six digits in every workload; in the fourth step those of cifar at 128 diverge.
TOLERANCE = 1e-4
COMPARED_STEPS = 3
PAUSE = 0.05  # seconds; a library's threads keep spinning for a while after its last call
MOST_STEPS = 200  # per turn


def spread(values: list[float]) -> dict[str, float]:
    """The median and quartiles of some figures."""
    q1, median, q3 = np.percentile(values, [25, 50, 75]).tolist()
    return {"median": median, "q1": q1, "q3": q3}


def turn(run: Run, seconds: float) -> float:
    """The median time of a step, in seconds, over steps that take about `seconds` in total."""
    gc.collect()
    time.sleep(PAUSE)
    run.restart()
    for _ in range(2):  # allocates memory, wakes threads
        run.step()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 3 or (len(times) < MOST_STEPS and time.perf_counter() < end):
        start = time.perf_counter()
        run.step()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def alternate(runs: Mapping[str, Run], turns: int, seconds: float) -> dict[str, list[float]]:
    """Each side's time of a step in each turn, in seconds.

    Sides take turns, in the opposite order every other time, so that disturbances of the machine
    affect all of them.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(turns):
        for name in list(runs)[:: -1 if number % 2 else 1]:
            times[name].append(turn(runs[name], seconds))
    return times


def ratios(ours: list[float], theirs: list[float]) -> dict[str, float]:
    """Our time / theirs, turn by turn, since neighbouring turns saw the same machine."""
    return spread([a / b for a, b in zip(ours, theirs, strict=True)])


def first_results(run: Run, steps: int = COMPARED_STEPS) -> list[np.ndarray]:
    """The results of the first steps."""
    run.restart()
    return [run.observe(run.step()) for _ in range(steps)]


def agreement(ours: list[np.ndarray], theirs: list[Any]) -> dict[str, Any]:
    """Compare the results of both sides' first steps.

    Returns:
        "difference": the largest over all steps and numbers, relative for numbers above 1;
        "equal": whether it is at most `TOLERANCE`.
    """
    largest = 0.0
    for a, b in zip(ours, theirs, strict=True):
        if a.shape != b.shape:
            return {"difference": float("inf"), "equal": False}
        difference = np.abs(a - b) / np.maximum(1.0, np.abs(b))
        # a NaN would pass the comparison with `TOLERANCE` unnoticed
        largest = max(largest, float(np.nan_to_num(difference, nan=np.inf).max()))
    return {"difference": largest, "equal": largest <= TOLERANCE}
