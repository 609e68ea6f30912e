"""The confusion matrix as a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinynet.training.plots.figures import BLUE, INK, ORANGE, as_array, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def class_names(names: Sequence[str] | None, count: int) -> list[str]:
    """A name for each class, one line and at most 14 letters; by default its number."""
    if names is None:
        return [str(i) for i in range(count)]
    if len(names) != count:
        raise ValueError(f"{len(names)} names for {count} classes; give one name for each class")
    lines = [" ".join(str(name).split()) for name in names]
    return [line if len(line) <= 14 else f"{line[:13]}…" for line in lines]


def plot_confusion(matrix: Any, names: Sequence[str] | None = None) -> Figure:
    """How often each class was taken for each other.

    Args:
        matrix: shape (K, K), counts: row i, column j says how many examples of class i were
            predicted as j.
        names: of the K classes; by default their numbers.

    Returns:
        The figure: right answers blue, wrong ones orange, the stronger the larger their share of
        the row, as its square root, so that a few mistakes are seen. Up to 20 classes the counts
        are written into the cells.

    Raises:
        ValueError: if the matrix is not square or has no classes, or names are missing.
        ImportError: if matplotlib is missing.
    """
    counts = as_array(matrix)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.size:
        raise ValueError(
            f"plot_confusion: matrix has shape {counts.shape}; it must be square, (K, K), K >= 1"
        )
    size = len(counts)
    labels = class_names(names, size)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with style():
        from matplotlib.colors import to_rgb

        inches = min(max(4.6, 0.46 * size), 9.0)
        figure = new_figure(inches, inches)
        ax = figure.subplots()
        # a share of nothing is transparent: whatever is behind the figure
        cells = np.empty((size, size, 4))
        cells[..., :3] = to_rgb(ORANGE)
        cells[np.arange(size), np.arange(size), :3] = to_rgb(BLUE)
        cells[..., 3] = np.sqrt(np.clip(np.nan_to_num(share), 0, 1))
        ax.imshow(cells, interpolation="none")
        if size <= 20:
            for i, j in np.ndindex(size, size):
                # white from where it stands out better than a light or a dark page's own ink
                colour = "white" if cells[i, j, 3] > (0.85 if i == j else 0.93) else INK
                ax.text(j, i, f"{counts[i, j]:g}", ha="center", va="center", color=colour,
                        alpha=1.0 if counts[i, j] else 0.45,
                        fontsize=9 if counts.max() < 10_000 else 6,
                        in_layout=False)  # fmt: skip
        step = math.ceil(size / 25)
        ax.set_xticks(range(0, size, step), labels[::step])
        if max(map(len, labels)) > 3:
            # held at its end: a browser's letters may be wider than those measured here
            ax.tick_params(axis="x", rotation=90)
            for label in ax.get_xticklabels():
                label.set(ha="right", va="center", rotation_mode="anchor")
        ax.set_yticks(range(0, size, step), labels[::step])
        ax.set_xlabel("predicted class")
        ax.set_ylabel("true class")
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
    return figure
