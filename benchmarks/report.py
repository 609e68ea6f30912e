"""Results as aligned tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.sides import OURS


def table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Align columns two spaces apart, the first `left` to the left and the others to the right."""
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def milliseconds(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds * 1e3:.3f}" if seconds < 0.01 else f"{seconds * 1e3:.1f}"


def _ratio(spread: dict[str, float]) -> str:
    return f"{spread['median']:.2f} ({spread['q1']:.2f}-{spread['q3']:.2f})"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _megabytes(size: int | None) -> str:
    return "-" if size is None else f"{size / 1e6:.1f}"


def machine(facts: dict[str, Any]) -> str:
    """The machine and versions, one per line."""
    width = max(map(len, facts))
    return "\n".join(f"{key.ljust(width)}  {value}" for key, value in facts.items())


def times(results: Sequence[dict[str, Any]], peers: Sequence[str]) -> str:
    """Times of a step, their ratios, and whether the results agree."""
    header = ["workload", f"{OURS} ms"]
    for peer in peers:
        header += [f"{peer} ms", "ratio (quartiles)", "same work"]
    rows = []
    for result in results:
        row = [result["name"], milliseconds(result["times"][OURS]["median"])]
        for peer in peers:
            if peer not in result["times"]:
                row += ["-", "-", "-"]
                continue
            agreement = result["agreement"][peer]
            row += [
                milliseconds(result["times"][peer]["median"]),
                _ratio(result["ratios"][peer]),
                "yes" if agreement["equal"] else f"NO, by {agreement['difference']:.1g}",
            ]
        rows.append(row)
    return table(header, rows)


def resources(results: Sequence[dict[str, Any]], peers: Sequence[str]) -> str:
    """Peak memory above the imports, and the floor."""
    header = ["workload", f"{OURS} MB"]
    for peer in peers:
        header += [f"{peer} MB", "ratio"]
    header += ["floor ms", "time / floor"]
    rows = []
    for result in results:
        row = [result["name"], _megabytes(result["memory"].get(OURS))]
        for peer in peers:
            row += [
                _megabytes(result["memory"].get(peer)),
                _number(result["memory_ratios"].get(peer), 2),
            ]
        floor = result["floor_seconds"]
        row += [
            "< 0.001" if floor < 5e-7 else milliseconds(floor),
            _number(result["times"][OURS]["median"] / floor, 1) if floor >= 5e-7 else "-",
        ]
        rows.append(row)
    return table(header, rows)


def targets(rows: Sequence[dict[str, Any]]) -> str:
    """Targets and measurements, one line per workload and kind of target."""
    said = {True: "hit", False: "MISSED", None: "not measured"}
    lines = [
        [r["workload"], r["what"], f"{r['target']:.1f}", _number(r["measured"], 2), said[r["hit"]]]
        for r in rows
    ]
    return table(["target", "of", "at most", "measured", ""], lines)


SHOWN = 0.03  # an operation below this fraction of the step in every workload is in "all others"


def profiles(found: Sequence[dict[str, Any]]) -> str:
    """The time of each operation in a step, one column per workload."""
    columns = [
        {(r["phase"], r["name"]): r["seconds"] for r in profile["rows"]} for profile in found
    ]
    whole = [profile["step"] for profile in found]

    def share(key: tuple[str, str]) -> float:
        return max(times.get(key, 0.0) / step for times, step in zip(columns, whole, strict=True))

    phases = ("forward", "backward", "optimizer")
    shown = [key for key in dict.fromkeys(key for times in columns for key in times)
             if share(key) >= SHOWN]  # fmt: skip
    shown.sort(key=lambda key: (phases.index(key[0]), -share(key)))
    rows = [[*key, *(milliseconds(times.get(key)) for times in columns)] for key in shown]
    rest = [step - sum(times.get(key, 0.0) for key in shown)
            for times, step in zip(columns, whole, strict=True)]  # fmt: skip
    rows.append(["", "all others, the clock", *map(milliseconds, rest)])
    rows.append(["", "the step, mean", *map(milliseconds, whole)])
    rows.append(["", "median, no clock", *(milliseconds(p["plain"]) for p in found)])
    return table(["phase", "operation", *(p["workload"] for p in found)], rows, left=2)


def growth(points: Sequence[dict[str, Any]], unit: str) -> str:
    """Times per step and per item, for each size and side."""
    names = list(dict.fromkeys(name for point in points for name in point["times"]))
    header = [unit]
    for name in names:
        header += [f"{name} ms", "us each"]
    header.append("same work")
    rows = []
    for point in points:
        row = [str(point["size"])]
        for name in names:
            spread = point["times"].get(name)
            each = point["per_item"].get(name)
            row += [
                milliseconds(spread and spread["median"]),
                _number(None if each is None else each * 1e6, 1 if each and each > 1e-5 else 3),
            ]
        checks = point["agreement"].values()
        same = "yes" if all(check["equal"] for check in checks) else "NO"
        rows.append([*row, same if checks else "-"])
    return table(header, rows)
