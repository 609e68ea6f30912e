"""The confusion matrix as a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinynet.nn.state import host_array
from tinynet.report.figures import BLUE, INK, ORANGE, new_figure, style
from tinynet.report.text import short_class_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_confusion(matrix: Any, names: Sequence[str] | None = None) -> Figure:
    """How often each class was predicted as each other.

    Args:
        matrix: counts (K, K); row i, column j counts the examples of class i predicted as j.
        names: of the K classes; by default their numbers.

    Returns:
        The figure. Right answers are blue, wrong ones orange. The opacity is the square root of the
        share of the row, so that a few mistakes are visible. Up to 20 classes, the cells show the
        counts.

    Raises:
        ValueError: if the matrix is not square or has no classes, or names are missing.
        ImportError: if matplotlib is missing.
    """
    counts = host_array("plot_confusion: matrix", matrix)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.size:
        raise ValueError(
            f"plot_confusion: matrix has shape {counts.shape}; it must be square, (K, K), K >= 1"
        )
    size = len(counts)
    labels = short_class_names(names, size)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with style():
        from matplotlib.colors import to_rgb

        inches = min(max(4.6, 0.46 * size), 9.0)
        figure = new_figure(inches, inches)
        ax = figure.subplots()
        # transparent where the share is 0, so that the background shows
        cells = np.empty((size, size, 4))
        cells[..., :3] = to_rgb(ORANGE)
        cells[np.arange(size), np.arange(size), :3] = to_rgb(BLUE)
        cells[..., 3] = np.sqrt(np.clip(np.nan_to_num(share), 0, 1))
        ax.imshow(cells, interpolation="none")
        if size <= 20:
            for i, j in np.ndindex(size, size):
                # white where it stands out better than the ink of a light or a dark page
                colour = "white" if cells[i, j, 3] > (0.85 if i == j else 0.93) else INK
                ax.text(j, i, f"{counts[i, j]:g}", ha="center", va="center", color=colour,
                        alpha=1.0 if counts[i, j] else 0.45,
                        fontsize=9 if counts.max() < 10_000 else 6,
                        in_layout=False)  # fmt: skip
        step = math.ceil(size / 25)
        ax.set_xticks(range(0, size, step), labels[::step])
        if max(map(len, labels)) > 3:
            # anchored at its end: a browser's letters may be wider than those measured here
            ax.tick_params(axis="x", rotation=90)
            for label in ax.get_xticklabels():
                label.set(ha="right", va="center", rotation_mode="anchor")
        ax.set_yticks(range(0, size, step), labels[::step])
        ax.set_xlabel("predicted class")
        ax.set_ylabel("true class")
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
    return figure
