"""The plan of a report's figures, which are drawn one by one on the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinynet.nn import Conv2d, Module
from tinynet.report.curves import plot_curves, quantities
from tinynet.report.layers import feature_maps, plot_feature_maps, plot_filters
from tinynet.report.mistakes import plot_confusion, plot_mistakes
from tinynet.report.text import class_name, is_number, label_of, metric_as_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LAYERS = 3  # most convolutions shown


class Planned(NamedTuple):
    """A figure to draw: its name in messages and files, heading, caption, and drawing function."""

    name: str
    heading: str
    caption: str
    draw: Callable[[], Figure]


def figures_of_run(
    history: Sequence[Mapping[str, Any]],
    model: Module | None,
    evaluation: Any,
    images: Any,
    names: Sequence[str] | None,
) -> Iterator[Planned]:
    """Plan the figures that the given data allow; planning does not need matplotlib.

    The evaluation is a `training.Evaluation`, or None; that part stands on this one.
    """
    for name, keys in quantities(history).items():
        yield Planned(name, label_of(name).capitalize(), _curves_caption(history, keys),
                      partial(plot_curves, history, only=[name]))  # fmt: skip
    if evaluation is not None:
        yield Planned("confusion", "Confusion matrix", _confusion_caption(evaluation, names),
                      lambda: plot_confusion(evaluation.confusion_matrix(), names))  # fmt: skip
    modules = [] if model is None else model.named_modules()
    found = [(name, layer) for name, layer in modules if isinstance(layer, Conv2d)]
    layers = found[:_LAYERS]
    for name, layer in layers:
        count, channels, height, width = layer.weight.shape
        yield Planned(f"filters-{name}", f"Filters of {name or 'the layer'}",
                      f"{count} filters of {height}x{width} over {channels} input "
                      f"channel{'s' if channels > 1 else ''}, all on one scale.",
                      partial(plot_filters, layer.weight))  # fmt: skip
    if model is not None and images is not None and layers:
        some = f", the first {len(layers)} of {len(found)}" if len(found) > len(layers) else ""
        yield Planned("feature-maps", "Feature maps",
                      f"Outputs of the convolutions{some} for test image 0, before the activation.",
                      lambda: _maps(model, images[0], [name for name, _ in layers]))  # fmt: skip
    if evaluation is not None and images is not None:
        wrong = int((evaluation.predictions != evaluation.labels).sum())
        yield Planned("mistakes", "The worst mistakes",
                      f"Of {wrong:,} wrong answers, those with the largest losses: the image's "
                      "number, its class → the predicted class.",
                      lambda: plot_mistakes(images, evaluation.labels, evaluation.predictions,
                                            evaluation.losses, names))  # fmt: skip


def _maps(model: Module, image: Any, layers: list[str]) -> Figure:
    return plot_feature_maps({"input": image, **feature_maps(model, image, layers)})


def _curves_caption(history: Sequence[Mapping[str, Any]], keys: list[str]) -> str:
    """The caption of a curve: "loss from 0.39 to 0.039, test loss from 0.12 to 0.053."."""
    parts = []
    for key in keys:
        values = [row[key] for row in history if is_number(row.get(key))]
        parts.append(
            f"{label_of(key)} from {metric_as_text(key, values[0])} to "
            f"{metric_as_text(key, values[-1])}"
        )
    return f"By epoch, {len(history)} in all: {', '.join(parts)}."


def _confusion_caption(evaluation: Any, names: Sequence[str] | None) -> str:
    matrix = evaluation.confusion_matrix()
    right = int(np.trace(matrix))
    text = f"{right:,} of {len(evaluation):,} right."
    np.fill_diagonal(matrix, 0)
    if matrix.any():
        i, j = np.unravel_index(matrix.argmax(), matrix.shape)
        text += (
            f" The most frequent mistake: {class_name(names, int(i))} taken for "
            f"{class_name(names, int(j))}, {matrix[i, j]:,} times."
        )
    return f"{text} Opacity is the square root of the share of the row."
