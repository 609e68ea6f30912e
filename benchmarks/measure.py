"""Measures one workload on all sides: agreement, times, memory, the floor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import memory, timing
from benchmarks.floor import Rates, floor, multiply_adds, traffic
from benchmarks.sides import OURS, Run, Side
from benchmarks.workloads import Workload


@dataclass(frozen=True)
class Settings:
    """How thoroughly to measure.

    Attributes:
        threads: number of threads of every side.
        turns: number of turns per side and workload.
        seconds: duration of a turn.
        quick: whether to take only a quick look.
        memory: whether to measure peak memory.
    """

    threads: int
    turns: int
    seconds: float
    quick: bool
    memory: bool = True


def compare(workload: Workload, sides: Sequence[Side], settings: Settings) -> dict[str, Any]:
    """Times of a step on each side, their ratios, and whether the results agree.

    The first side is ours. channels_last is skipped for workloads without images.
    """
    ours, *peers = [s for s in sides if workload.images or s.name != "torch-channels-last"]
    batches = workload.batches()
    model = None if workload.kind == "chain" else ours.model(workload)
    state = None if model is None else model.state_dict()
    runs = {
        side.name: Run(side, workload, side.tensors(workload, batches), state)
        for side in (ours, *peers)
    }
    results = {name: timing.first_results(run) for name, run in runs.items()}
    times = timing.alternate(runs, settings.turns, settings.seconds)
    return {
        "name": workload.name,
        "kind": workload.kind,
        "batch": workload.batch,
        "times": {n: {**timing.spread(values), "turns": values} for n, values in times.items()},
        "ratios": {p.name: timing.ratios(times[OURS], times[p.name]) for p in peers},
        "agreement": {p.name: timing.agreement(results[OURS], results[p.name]) for p in peers},
    }


def full(
    workload: Workload, sides: Sequence[Side], settings: Settings, rates: Rates
) -> dict[str, Any]:
    """`compare`, and also memory and the floor."""
    result = compare(workload, sides, settings)
    steps, processes = (2, 1) if settings.quick else (5, 3)
    peaks = {
        name: memory.peak_bytes(name, workload, steps, settings.threads, processes)
        for name in (result["times"] if settings.memory else ())
    }
    ours = peaks.get(OURS)
    return {
        **result,
        "memory": peaks,
        "memory_ratios": {
            name: ours / peak for name, peak in peaks.items() if name != OURS and peak and ours
        },
        "multiply_adds": multiply_adds(workload),
        "traffic_bytes": traffic(workload),
        "floor_seconds": floor(workload, rates),
    }
