"""One workload on all sides: the same work, times, memory, the share of BLAS and the floor."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import memory, products, timing
from benchmarks.floor import Rates, floor, multiply_adds, traffic
from benchmarks.sides import OURS, Run, Side
from benchmarks.timing import Spread
from benchmarks.workloads import Workload


@dataclass(frozen=True)
class Settings:
    """How thoroughly to measure.

    Attributes:
        threads: of every side.
        turns: of each side, on each workload.
        seconds: that a turn takes.
        quick: whether this is a look rather than a measurement.
        memory: whether to measure it.
        blas: whether to measure its share.
    """

    threads: int
    turns: int
    seconds: float
    quick: bool
    memory: bool = True
    blas: bool = True


def compare(workload: Workload, sides: Sequence[Side], settings: Settings) -> dict[str, Any]:
    """Times of a step on each side, their ratios, and whether all computed the same.

    The first side is ours. A side whose memory order makes no difference here is left out.
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
        "times": {
            name: {**dataclasses.asdict(Spread.of(values)), "turns": values}
            for name, values in times.items()
        },
        "ratios": {
            peer.name: dataclasses.asdict(timing.ratios(times[OURS], times[peer.name]))
            for peer in peers
        },
        "agreement": {
            peer.name: dataclasses.asdict(timing.agreement(results[OURS], results[peer.name]))
            for peer in peers
        },
    }


def full(
    workload: Workload, sides: Sequence[Side], settings: Settings, rates: Rates
) -> dict[str, Any]:
    """`compare`, and memory, the share of BLAS and the floor beside it."""
    result = compare(workload, sides, settings)
    steps, processes = (2, 1) if settings.quick else (5, 3)
    peaks = {
        name: memory.peak_bytes(name, workload, steps, settings.threads, processes)
        for name in (result["times"] if settings.memory else ())
    }
    ours = peaks.get(OURS)
    blas = None
    if settings.blas:
        blas = products.share(workload, settings.seconds, settings.threads)
    return {
        **result,
        "memory": peaks,
        "memory_ratios": {
            name: ours / peak for name, peak in peaks.items() if name != OURS and peak and ours
        },
        "blas": blas,
        "multiply_adds": multiply_adds(workload),
        "traffic_bytes": traffic(workload),
        "floor_seconds": floor(workload, rates),
    }
