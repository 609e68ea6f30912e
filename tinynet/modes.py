"""The switches of the engine: whether operations are recorded, and whether NaN and Inf raise.

Each thread has its own, so that a loader in the background does not change a training loop.
"""

from __future__ import annotations

import inspect
import threading
from contextlib import ContextDecorator
from typing import Any


class _Modes(threading.local):
    recording = True
    anomaly = False


modes = _Modes()


class recording(ContextDecorator):
    """Within it, or in a function that it decorates, operations are recorded or not."""

    def __init__(self, mode: bool) -> None:
        self.mode = mode

    def __enter__(self) -> None:
        self.before, modes.recording = modes.recording, self.mode

    def __exit__(self, *exc: object) -> None:
        modes.recording = self.before

    def __call__(self, function: Any) -> Any:
        if inspect.isgeneratorfunction(function):
            raise TypeError(
                f"no_grad: {function.__name__} is a generator, whose body runs outside of the "
                "decorator; use `with` inside it"
            )
        return super().__call__(function)

    def _recreate_cm(self) -> recording:
        return recording(self.mode)  # a decorated function may call itself


def no_grad() -> recording:
    """Within it nothing is recorded: for evaluation, and for changing parameters."""
    return recording(False)


def enable_grad() -> recording:
    """Within it operations are recorded, also inside `no_grad`."""
    return recording(True)


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
    ...     x.sqrt().sum().backward()
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
