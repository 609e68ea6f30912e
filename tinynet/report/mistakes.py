"""Plots of a classifier's errors: the confusion matrix and the images of the worst mistakes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinynet.nn.state import host_array
from tinynet.report.figures import BLUE, INK, ORANGE, drawable, new_figure, style
from tinynet.report.text import short_class_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_confusion(matrix: Any, names: Sequence[str] | None = None) -> Figure:
    """The confusion matrix of a classifier.

    Args:
        matrix: counts (K, K); row i, column j counts the examples of class i predicted as j.
        names: the names of the K classes; by default their numbers.

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
        # Transparent where the share is 0, so that the background shows.
        cells = np.empty((size, size, 4))
        cells[..., :3] = to_rgb(ORANGE)
        cells[np.arange(size), np.arange(size), :3] = to_rgb(BLUE)
        cells[..., 3] = np.sqrt(np.clip(np.nan_to_num(share), 0, 1))
        ax.imshow(cells, interpolation="none")
        if size <= 20:
            for i, j in np.ndindex(size, size):
                # White where its contrast exceeds that of the ink of a light or dark page.
                colour = "white" if cells[i, j, 3] > (0.85 if i == j else 0.93) else INK
                ax.text(j, i, f"{counts[i, j]:g}", ha="center", va="center", color=colour,
                        alpha=1.0 if counts[i, j] else 0.45,
                        fontsize=9 if counts.max() < 10_000 else 6,
                        in_layout=False)  # fmt: skip
        step = math.ceil(size / 25)
        ax.set_xticks(range(0, size, step), labels[::step])
        if max(map(len, labels)) > 3:
            # Anchored at its end: a browser's font may be wider than the one measured here.
            ax.tick_params(axis="x", rotation=90)
            for label in ax.get_xticklabels():
                label.set(ha="right", va="center", rotation_mode="anchor")
        ax.set_yticks(range(0, size, step), labels[::step])
        ax.set_xlabel("predicted class")
        ax.set_ylabel("true class")
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
    return figure


def worst_mistakes(
    labels: np.ndarray, predictions: np.ndarray, losses: np.ndarray, count: int
) -> np.ndarray:
    """Indices of at most `count` misclassified examples, largest loss first, NaN before all."""
    wrong = np.flatnonzero(predictions != labels)
    losses = losses[wrong]
    return wrong[np.lexsort((-losses, ~np.isnan(losses)))][: max(count, 0)]


def plot_mistakes(
    images: Any,
    labels: Any,
    predictions: Any,
    losses: Any = None,
    names: Sequence[str] | None = None,
    count: int = 20,
) -> Figure:
    """The misclassified examples with the largest losses, the worst first.

    Args:
        images: (N, C, H, W) with C = 1 or 3, or (N, H, W), in [0, 1]; an image with other values
            is scaled from its smallest to its largest.
        labels: the true classes, (N,).
        predictions: the predicted classes, (N,).
        losses: in nats, (N,); NaN counts as the largest. Without them, mistakes keep their order.
        names: the names of the classes; by default their numbers.
        count: the largest number of images shown.

    Returns:
        The figure. Above each image: its number in `images`, its class → the predicted class, and
        its loss.

    Raises:
        ValueError: for arrays whose shapes do not match, or a class without a name.
        ImportError: if matplotlib is missing.
    """
    pixels = host_array("plot_mistakes: images", images)
    true = host_array("plot_mistakes: labels", labels)
    read = host_array("plot_mistakes: predictions", predictions)
    loss = np.zeros(len(true)) if losses is None else host_array("plot_mistakes: losses", losses)
    if pixels.ndim == 3:
        pixels = pixels[:, None]
    if pixels.ndim != 4 or pixels.shape[1] not in (1, 3):
        raise ValueError(
            f"plot_mistakes: images have shape {pixels.shape}; it must be (N, 1 or 3, H, W)"
        )
    if not pixels.shape[:1] == true.shape == read.shape == loss.shape:
        raise ValueError(
            f"plot_mistakes: {len(pixels)} images, labels of shape {true.shape}, predictions "
            f"{read.shape}, losses {loss.shape}; all must be (N,)"
        )
    classes = int(max(true.max(initial=-1), read.max(initial=-1))) + 1
    short = short_class_names(names, classes if names is None else max(classes, len(names)))
    worst = worst_mistakes(true, read, loss, count)
    # Short names share a line with the number.
    between = " " if max(map(len, short), default=0) <= 3 else "\n"
    titles = [
        f"#{i}:{between}{short[true[i]]}{between}→ {short[read[i]]}"
        + ("" if losses is None else f"\nloss {loss[i]:.2f}")
        for i in worst
    ]
    columns = 4
    rows = max(1, math.ceil(len(worst) / columns))
    with style():
        words, side = 0.15 * (5 if between == "\n" else 3), 1.05  # inches
        height = (words + side) * rows + 0.05
        # A fixed layout: matplotlib's layout search takes longer than the drawing.
        figure = new_figure(4.4, height, layout="none")
        figure.subplots_adjust(0.01, 0.05 / height, 0.99, 1 - words / height, 0.05, words / side)
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for ax in axes:
            ax.set_axis_off()
        if (true == read).all():
            figure.text(0.5, 0.5, f"no mistakes in {len(true)} examples", ha="center", va="center")
        for ax, i, title in zip(axes, worst, titles, strict=False):
            ax.imshow(_as_image(pixels[i]), cmap="gray", vmin=0, vmax=1, interpolation="none")
            ax.set_title(title, fontsize=8)
    return figure


def _as_image(image: np.ndarray) -> np.ndarray:
    """(C, H, W) in matplotlib's form: (H, W) or (H, W, 3), in [0, 1], 0 where not finite."""
    image = np.where(drawable(image), image.astype(float), 0.0)
    low, high = image.min(), image.max()
    if low < 0 or high > 1:
        image = (image - low) / ((high - low) or 1.0)
    return image[0] if len(image) == 1 else image.transpose(1, 2, 0)
