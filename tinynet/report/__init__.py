"""Plots of a run: curves, confusion matrix, filters, feature maps, mistakes; and a page of them.

Each plot takes plain numbers (rows of a history, arrays) and returns a matplotlib Figure, which
`save_figure` writes as PNG or SVG::

    save_figure(plot_curves(history), "curves.svg")

Plots need ``pip install 'tinynet[train]'`` but no display. Colour-blind readers can tell colours
apart, and values that are not finite are marked. `write_report` makes an HTML page of all plots.
"""

from tinynet.report.curves import plot_curves
from tinynet.report.figures import save_figure
from tinynet.report.layers import feature_maps, plot_feature_maps, plot_filters
from tinynet.report.mistakes import plot_confusion, plot_mistakes
from tinynet.report.page import write_report

__all__ = [
    "feature_maps",
    "plot_confusion",
    "plot_curves",
    "plot_feature_maps",
    "plot_filters",
    "plot_mistakes",
    "save_figure",
    "write_report",
]
