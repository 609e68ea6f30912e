"""Forward hooks: functions called before or after a module's forward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Hook = Callable[..., Any]
Hooks = dict[object, Hook]  # in the order of registration, each with a unique key


class RemovableHandle:
    """Handle of a registered hook; `remove` or the end of a `with` block removes the hook."""

    def __init__(self, hooks: Hooks, hook: Hook) -> None:
        self._hooks, self._key = hooks, object()
        hooks[self._key] = hook

    def remove(self) -> None:
        """Remove the hook; a second call has no effect."""
        self._hooks.pop(self._key, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()
