"""The switches of the engine: whether operations are recorded, and who watches them.

Each thread has its own, so that a loader in the background does not change a training loop.
"""

from __future__ import annotations

import inspect
import threading
from contextlib import ContextDecorator
from typing import Any


class Modes:
    """The switches of one thread."""

    __slots__ = ("recording", "watcher")

    def __init__(self) -> None:
        self.recording = True
        self.watcher: Any = None  # the innermost; see `tinynet.autograd.watcher`


class _Thread(threading.local):
    def __init__(self) -> None:
        self.modes = Modes()


thread = _Thread()


class recording(ContextDecorator):
    """Within it, or in a function that it decorates, operations are recorded or not."""

    def __init__(self, mode: bool) -> None:
        self.mode = mode

    def __enter__(self) -> None:
        modes = thread.modes
        self.before, modes.recording = modes.recording, self.mode

    def __exit__(self, *exc: object) -> None:
        thread.modes.recording = self.before

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
    return thread.modes.recording
