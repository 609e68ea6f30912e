"""Pieces that a plain training loop calls: checkpoints, a record of the run, metrics, plots.

None of them hides the loop: forward, loss, backward and step stay in the user's own lines.
"""

from tinynet.training import metrics
from tinynet.training.checkpoint import Checkpoint
from tinynet.training.evaluation import Evaluation, evaluate
from tinynet.training.files import CheckpointError
from tinynet.training.history import HistoryError, read_history
from tinynet.training.interrupt import Interrupted
from tinynet.training.plots import (
    feature_maps,
    plot_confusion,
    plot_curves,
    plot_feature_maps,
    plot_filters,
    plot_mistakes,
    save_figure,
)
from tinynet.training.recorder import Recorder
from tinynet.training.report import write_report
from tinynet.training.stopping import EarlyStopping
from tinynet.training.summary import summary

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "EarlyStopping",
    "Evaluation",
    "HistoryError",
    "Interrupted",
    "Recorder",
    "evaluate",
    "feature_maps",
    "metrics",
    "plot_confusion",
    "plot_curves",
    "plot_feature_maps",
    "plot_filters",
    "plot_mistakes",
    "read_history",
    "save_figure",
    "summary",
    "write_report",
]
