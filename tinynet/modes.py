"""The switches of the engine: whether operations are recorded, and whether NaN and Inf raise.

Each thread has its own, so that a loader in the background does not change a training loop.
"""

from __future__ import annotations

import threading
from contextlib import ContextDecorator


class _Modes(threading.local):
    recording = True
    anomaly = False


modes = _Modes()


class set_grad_enabled(ContextDecorator):
    """Within it, or in a function that it decorates, operations are recorded or not."""

    def __init__(self, mode: bool) -> None:
        self.mode = mode

    def __enter__(self) -> None:
        self.before, modes.recording = modes.recording, self.mode

    def __exit__(self, *exc: object) -> None:
        modes.recording = self.before

    def _recreate_cm(self) -> set_grad_enabled:
        return set_grad_enabled(self.mode)  # a decorated function may call itself


def no_grad() -> set_grad_enabled:
    """Within it nothing is recorded: for evaluation, and for changing parameters."""
    return set_grad_enabled(False)


def enable_grad() -> set_grad_enabled:
    """Within it operations are recorded, also inside `no_grad`."""
    return set_grad_enabled(True)


def is_grad_enabled() -> bool:
    """Whether operations are recorded now, in this thread."""
    return modes.recording


class detect_anomaly(ContextDecorator):
    """Within it, the first forward or backward that makes a NaN or an Inf raises `AnomalyError`.

    The error names the operation, the shapes, and the line that called the operation; to have
    that line for a backward, run the forward inside as well. Every result is read once more, so
    it costs time; off, it costs nothing to speak of.

    >>> import tinynet as tn
    >>> x = tn.tensor([1.0, 0.0], requires_grad=True)
    >>> with tn.detect_anomaly():
    ...     x.norm(dim=()).sqrt().sum().backward()
    Traceback (most recent call last):
    ...
    tinynet.anomaly.AnomalyError: backward of sqrt made Inf ...
    """

    def __enter__(self) -> None:
        self.before, modes.anomaly = modes.anomaly, True

    def __exit__(self, *exc: object) -> None:
        modes.anomaly = self.before

    def _recreate_cm(self) -> detect_anomaly:
        return detect_anomaly()
