"""Plots of the results. Only this file imports Matplotlib, and only --plot imports this file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from benchmarks.targets import TARGETS
from benchmarks.workloads import GROWTH

COLOURS = {"tinynet": "#1b6ca8", "torch": "#d1603d", "torch-channels-last": "#8a8d3f"}


def _ratios(axes: Any, results: Sequence[dict[str, Any]], peers: Sequence[str]) -> None:
    """One point per workload and peer, with quartiles, and a tick at the target."""
    places = {result["name"]: len(results) - 1 - i for i, result in enumerate(results)}
    for number, peer in enumerate(peers):
        shown = [r for r in results if peer in r["ratios"]]
        spreads = [r["ratios"][peer] for r in shown]
        axes.errorbar(
            [s["median"] for s in spreads],
            [places[r["name"]] - 0.22 * number for r in shown],
            xerr=[
                [s["median"] - s["q1"] for s in spreads],
                [s["q3"] - s["median"] for s in spreads],
            ],
            fmt="o", capsize=3, color=COLOURS[peer], label=f"time / {peer}'s, quartiles",
        )  # fmt: skip
    marked = [t for t in TARGETS if t.workload in places]
    axes.plot(
        [t.time for t in marked], [places[t.workload] for t in marked],
        "|", markersize=16, markeredgewidth=2, color="black", label="target for torch",
    )  # fmt: skip
    others = [t for t in marked if t.channels_last is not None and len(peers) > 1]
    axes.plot(
        [t.channels_last for t in others], [places[t.workload] - 0.22 for t in others],
        "|", markersize=12, markeredgewidth=2, color=COLOURS["torch-channels-last"],
        label="target for channels_last",
    )  # fmt: skip
    axes.axvline(1, color="grey", linewidth=0.8)
    axes.set_yticks(list(places.values()), list(places))
    axes.set_ylim(-0.8, len(results) - 0.4)
    axes.set_xlim(left=0)
    axes.set_xlabel("tinynet's time / peer's time: tinynet is faster left of 1")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, fontsize=8, frameon=False)


def _times(axes: Any, results: Sequence[dict[str, Any]]) -> None:
    """tinynet's own times, without peers."""
    names = [result["name"] for result in results][::-1]
    values = [result["times"]["tinynet"]["median"] * 1e3 for result in results][::-1]
    axes.plot(values, names, "o", color=COLOURS["tinynet"])
    for name, value in zip(names, values, strict=True):
        axes.annotate(f"{value:.3g}", (value, name), (6, 4), textcoords="offset points", fontsize=8)
    axes.set_xscale("log")
    axes.set_xlim(min(values) / 1.5, max(values) * 1.5)
    axes.set_ylim(-0.6, len(results) - 0.4)
    axes.set_xlabel("time per step, ms")


def _growth(axes: Any, kind: str, points: Sequence[dict[str, Any]]) -> None:
    for name in points[0]["times"]:
        axes.plot(
            [point["size"] for point in points],
            [point["per_item"][name] * 1e6 for point in points],
            "o-", color=COLOURS[name], label=name, markersize=4,
        )  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks([p["size"] for p in points], [str(p["size"]) for p in points])
    axes.minorticks_off()
    low, high = axes.get_ylim()
    axes.set_ylim(low / 1.3, high * 1.3)
    ticks = [m * 10.0**e for e in range(-4, 6) for m in (1, 2, 5) if low / 1.3 <= m * 10.0**e
             <= high * 1.3]  # fmt: skip
    axes.set_yticks(ticks, [f"{t:g}" for t in ticks])
    axes.grid(alpha=0.3)
    axes.set_xlabel(GROWTH[kind][0])
    each = {"batch": "image", "side": "pixel of 16 images", "depth": "layer"}[kind]
    axes.set_ylabel(f"µs per {each}")
    axes.legend(fontsize=8)


def save(
    path: str, results: Sequence[dict[str, Any]], growth: dict[str, Any], peers: Sequence[str],
    facts: dict[str, Any],
) -> None:  # fmt: skip
    """Plot the ratios, and the growth if it was measured, to a PNG or SVG file."""
    kinds = [kind for kind in growth if growth[kind]]
    tall = 1.6 + 0.42 * len(results) if results else 0.0
    figure = plt.figure(figsize=(11, tall + (3.6 if kinds else 0)), layout="constrained")
    heights = [h for h in (tall, 3.6 if kinds else 0.0) if h]
    rows = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    if results:
        axes = rows[0].subplots()
        shown = [p for p in peers if any(p in r["ratios"] for r in results)]
        _ratios(axes, results, shown) if shown else _times(axes, results)
    if kinds:
        for axes, kind in zip(rows[-1].subplots(1, len(kinds), squeeze=False)[0], kinds,
                              strict=True):  # fmt: skip
            _growth(axes, kind, growth[kind])
    title = f"{facts['cpu']}, threads: {facts['threads']}, NumPy {facts['numpy']}"
    figure.suptitle(title + (f", torch {facts['torch']}" if "torch" in facts else ""), fontsize=9)
    figure.savefig(path, dpi=130)
    plt.close(figure)
