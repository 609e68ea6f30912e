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


def no_grad(function: Any = None) -> Any:
    """Context manager and decorator that disables recording: for evaluation and weight updates.

    Each of ``with no_grad():``, ``@no_grad()`` and ``@no_grad`` works.
    """
    return recording(False) if function is None else recording(False)(function)


def enable_grad(function: Any = None) -> Any:
    """Context manager and decorator that enables recording, also inside `no_grad`."""
    return recording(True) if function is None else recording(True)(function)


def inference_mode(mode: Any = True) -> Any:
    """As `no_grad`, by another of PyTorch's names; ``inference_mode(False)`` as `enable_grad`."""
    return recording(not mode) if isinstance(mode, bool) else recording(False)(mode)


class set_grad_enabled(recording):
    """Switch recording on or off at once; as a context manager, until the end of the block."""

    def __init__(self, mode: bool) -> None:
        super().__init__(bool(mode))
        self.outside = modes()[0]
        set_modes((self.mode, modes()[1]))

    def __enter__(self) -> None:
        super().__enter__()
        self.before[-1] = self.outside

    def __call__(self, function: Any) -> Any:
        set_modes((self.outside, modes()[1]))  # the decorator is for the function alone
        return super().__call__(function)


def is_grad_enabled() -> bool:
    """Whether operations are currently recorded in this context."""
    return modes()[0]
