"""The switches of the engine: whether operations are recorded, and which watcher is active.

They are a context variable: each thread and each asyncio task has its own, so that a background
loader does not affect a training loop.
"""

from __future__ import annotations

import inspect
from contextlib import ContextDecorator
from contextvars import ContextVar
from typing import Any

# whether operations are recorded, and the innermost watcher (`tinynet.autograd.watcher`)
_modes: ContextVar[tuple[bool, Any]] = ContextVar("tinynet modes", default=(True, None))
modes, set_modes = _modes.get, _modes.set


class recording(ContextDecorator):
    """Context manager and decorator that switches recording on or off."""

    def __init__(self, mode: bool) -> None:
        self.mode = mode
        self.before: list[bool] = []  # one for each time it is entered

    def __enter__(self) -> None:
        before, watcher = modes()
        self.before.append(before)
        set_modes((self.mode, watcher))

    def __exit__(self, *exc: object) -> None:
        set_modes((self.before.pop(), modes()[1]))

    def __call__(self, function: Any) -> Any:
        for kind in ("generatorfunction", "coroutinefunction", "asyncgenfunction"):
            if getattr(inspect, f"is{kind}")(function):
                raise TypeError(
                    f"{'enable_grad' if self.mode else 'no_grad'}: {function.__name__} is a "
                    f"{kind.removesuffix('function')} function, whose body runs outside the "
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
    """Whether operations are currently recorded in this context."""
    return modes()[0]
