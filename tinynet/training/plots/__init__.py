"""What a run looks like: curves, confusion, filters, feature maps, the worst mistakes.

Each function takes plain numbers (rows of a history, arrays) and returns a matplotlib Figure, which
`save_figure` writes as PNG or SVG::

    save_figure(plot_curves(history), "curves.svg")

They need ``pip install 'tinynet[train]'`` and no display. Colours are told apart by the
colour-blind; what is not finite is marked.
"""

from tinynet.training.plots.confusion import plot_confusion
from tinynet.training.plots.curves import plot_curves
from tinynet.training.plots.figures import save_figure
from tinynet.training.plots.images import (
    feature_maps,
    plot_feature_maps,
    plot_filters,
    plot_mistakes,
)

__all__ = [
    "feature_maps",
    "plot_confusion",
    "plot_curves",
    "plot_feature_maps",
    "plot_filters",
    "plot_mistakes",
    "save_figure",
]
