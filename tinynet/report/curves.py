"""Curves: each quantity of a run's history against the epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinynet.report.figures import BLUE, GREEN, ORANGE, drawable, new_figure, style
from tinynet.report.text import is_number, label_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Parts of the data: prefix of their keys, name, colour, line, marker.
_PARTS = (
    ("", "training", BLUE, "-", "o"),
    ("train_", "training", BLUE, "-", "o"),
    ("test_", "test", ORANGE, "--", "s"),
    ("val_", "validation", GREEN, "-.", "^"),
    ("valid_", "validation", GREEN, "-.", "^"),
)
_UNITS = {"loss": "loss (mean per example)", "seconds": "time since the start (s)"}


def quantities(history: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The quantities of a history with their keys, loss and accuracy first.

    >>> quantities([{"epoch": 1, "loss": 0.5, "test_loss": 0.6, "lr": 0.1, "note": "warm-up"}])
    {'loss': ['loss', 'test_loss'], 'lr': ['lr']}
    """
    found: dict[str, list[str]] = {}
    for key in dict.fromkeys(key for row in history for key in row):
        if key not in ("epoch", "step") and any(is_number(row.get(key)) for row in history):
            prefix = max((p for p, *_ in _PARTS if key.startswith(p)), key=len)
            found.setdefault(key.removeprefix(prefix), []).append(key)
    first = [name for name in ("loss", "accuracy") if name in found]
    return {name: found[name] for name in [*first, *(n for n in found if n not in first)]}


def plot_curves(history: Sequence[Mapping[str, Any]], only: Sequence[str] | None = None) -> Figure:
    """Each quantity of a history against the epoch, in a panel with a line per part of the data.

    Args:
        history: a row for each epoch, as `read_history` returns them: numbers under names such as
            ``loss``, ``test_loss``, ``accuracy``, ``lr``, ``seconds``; ``epoch`` (1, 2, ... where
            it is missing). Accuracies are from 0 to 1. Other entries are ignored.
        only: the quantities to draw (``"loss"`` includes ``test_loss``); all by default.

    Returns:
        The figure. A cross at the foot of a panel marks an epoch whose value is not finite.

    Raises:
        ValueError: if there is nothing to draw.
        ImportError: if matplotlib is missing.
    """
    found = quantities(history)
    wanted = list(found) if only is None else [name for name in only if name in found]
    if not wanted:
        raise ValueError(
            f"plot_curves: {len(history)} rows with no numbers for "
            f"{'any quantity' if only is None else list(only)}; there are {list(found)}"
        )
    epochs = [row["epoch"] if is_number(row.get("epoch")) else i + 1
              for i, row in enumerate(history)]  # fmt: skip
    columns = min(2, len(wanted))
    with style():
        figure = new_figure(4.6 * columns, 2.9 * math.ceil(len(wanted) / columns))
        axes = figure.subplots(math.ceil(len(wanted) / columns), columns, squeeze=False).ravel()
        for ax, name in zip(axes, wanted, strict=False):
            _curve(ax, name, epochs, {key: [row.get(key) for row in history]
                                      for key in found[name]})  # fmt: skip
        for ax in axes[len(wanted) :]:
            ax.remove()
    return figure


def _curve(ax: Axes, name: str, epochs: list[Any], lines: dict[str, list[Any]]) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    for key, values in lines.items():
        prefix = key.removesuffix(name)
        _, label, colour, line, marker = next(p for p in _PARTS if p[0] == prefix)
        y = np.array([float(v) if is_number(v) else math.nan for v in values])
        bad = np.array([is_number(v) for v in values]) & ~drawable(y)
        y[bad] = math.nan
        # Markers also show a single point, which has no line.
        ax.plot(epochs, y, line, color=colour, label=label, linewidth=1.8,
                marker=marker if len(epochs) <= 30 else None, markersize=4.5)  # fmt: skip
        if bad.any():
            ax.plot(np.array(epochs)[bad], np.zeros(bad.sum()), "x", color=colour, clip_on=False,
                    transform=ax.get_xaxis_transform(), label=f"{label}: not finite")  # fmt: skip
    ax.set_xlabel("epoch")
    if name.endswith("accuracy") or name.startswith("top"):
        ax.set_ylabel(f"{label_of(name)} (% of examples)")
        ax.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=""))
    else:
        ax.set_ylabel(_UNITS.get(name, label_of(name)))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.grid(axis="y")
    if name == "seconds":
        ax.set_ylim(bottom=0)
    if len(ax.lines) > 1:
        # Above the panel, where it does not cover a line.
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize=9,
                  handlelength=2.4, borderaxespad=0.2)  # fmt: skip
