"""The worst mistakes of a classifier, as images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinynet.nn.state import host_array
from tinynet.report.figures import drawable, new_figure, style
from tinynet.report.text import short_class_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
        losses: in nats, (N,); without them the mistakes come in their order. NaN counts as worst.
        names: of the classes; by default their numbers.
        count: how many to show at most.

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
    wrong = np.flatnonzero(true != read)
    order = np.argsort(np.where(np.isnan(loss[wrong]), -np.inf, -loss[wrong]), kind="stable")
    worst = wrong[order[: max(1, count)]]
    # short names share a line with the number
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
        # fixed places: matplotlib's search for a layout takes longer than the drawing
        figure = new_figure(4.4, height, layout="none")
        figure.subplots_adjust(0.01, 0.05 / height, 0.99, 1 - words / height, 0.05, words / side)
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for ax in axes:
            ax.set_axis_off()
        if not titles:
            figure.text(0.5, 0.5, f"no mistakes in {len(true)} examples", ha="center", va="center")
        for ax, i, title in zip(axes, worst, titles, strict=False):
            ax.imshow(_as_picture(pixels[i]), cmap="gray", vmin=0, vmax=1, interpolation="none")
            ax.set_title(title, fontsize=8)
    return figure


def _as_picture(image: np.ndarray) -> np.ndarray:
    """(C, H, W) as matplotlib wants it: (H, W) or (H, W, 3), in [0, 1], 0 where not finite."""
    image = np.where(drawable(image), image.astype(float), 0.0)
    low, high = image.min(), image.max()
    if low < 0 or high > 1:
        image = (image - low) / (high - low)
    return image[0] if len(image) == 1 else image.transpose(1, 2, 0)
