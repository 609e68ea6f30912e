"""Targets for tinynet, as ratios to eager PyTorch with its defaults, on two threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

GROWTH_TARGET = 1.1  # time per image at batch 1024 / at batch 64


@dataclass(frozen=True)
class Target:
    """The largest ratios that a workload should have.

    Attributes:
        workload: the workload's name.
        time: ratio to PyTorch's time.
        channels_last: ratio to PyTorch's time in that memory order.
        memory: ratio to PyTorch's peak memory.
    """

    workload: str
    time: float
    channels_last: float | None = None
    memory: float | None = None


TARGETS = (
    *(Target(f"lenet-{batch}", 0.5, 0.8, 1.0) for batch in (32, 64, 128, 256)),
    Target("chain", 0.5),
    Target("mlp-2-10-1", 0.4),
    *(Target(f"mlp-784-{batch}", 1.0, memory=1.0) for batch in (32, 128)),
    *(Target(f"cifar-{batch}", 0.9, memory=1.0) for batch in (32, 128)),
    Target("lenet-inference-1", 1.0),
    Target("lenet-inference-256", 0.5),
)


def verdicts(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Compare the results of `measure.full` with the targets.

    A row has "workload", "what" ("time", "channels_last" or "memory"), "target", "measured" and
    "hit"; the last two are None if it was not measured.
    """
    found = {result["name"]: result for result in results}
    rows = []
    for target in TARGETS:
        result = found.get(target.workload, {})
        times = {peer: spread["median"] for peer, spread in result.get("ratios", {}).items()}
        for what, most, measured in (
            ("time", target.time, times.get("torch")),
            ("channels_last", target.channels_last, times.get("torch-channels-last")),
            ("memory", target.memory, result.get("memory_ratios", {}).get("torch")),
        ):
            if most is None:
                continue
            rows.append({
                "workload": target.workload, "what": what, "target": most, "measured": measured,
                "hit": None if measured is None else measured <= most,
            })  # fmt: skip
    return rows


def growth_verdict(growth: dict[str, Any]) -> dict[str, Any] | None:
    """tinynet's time per image at batch 1024 / at batch 64; None if it was not measured."""
    of = {point["size"]: point["per_item"]["tinynet"] for point in growth.get("batch", [])}
    if not {64, 1024} <= of.keys():
        return None
    measured = of[1024] / of[64]
    return {"workload": "lenet-1024 by lenet-64", "what": "time per image",
            "target": GROWTH_TARGET, "measured": measured,
            "hit": measured <= GROWTH_TARGET}  # fmt: skip
