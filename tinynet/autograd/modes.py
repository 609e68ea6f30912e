"""The switches of the engine: whether operations are recorded, and which watcher is active.

Each thread has its own, so that a background loader does not affect a training loop.
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
        self.watcher: Any = None  # the innermost `tinynet.autograd.watcher.Watcher`


class _Thread(threading.local):
    def __init__(self) -> None:
        self.modes = Modes()


thread = _Thread()


class recording(ContextDecorator):
    """Context manager and decorator that switches recording on or off."""

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
                f"no_grad: {function.__name__} is a generator, whose body runs outside the "
                "decorator; use `with` inside it"
            )
        return super().__call__(function)

    def _recreate_cm(self) -> recording:
        return recording(self.mode)  # a decorated function may call itself


def no_grad() -> recording:
    """Context manager and decorator that disables recording: for evaluation and weight updates."""
    return recording(False)


def enable_grad() -> recording:
    """Context manager and decorator that enables recording, also inside `no_grad`."""
    return recording(True)


def is_grad_enabled() -> bool:
    """Whether operations are currently recorded in this thread."""
    return thread.modes.recording
