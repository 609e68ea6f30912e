"""Forward hooks: functions that are called before and after a module's forward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Hook = Callable[..., Any]
Hooks = dict[object, Hook]  # in the order of registering; each under a key of its own


class RemovableHandle:
    """What registering a hook returns: `remove` takes the hook off, as does the end of a `with`."""

    def __init__(self, hooks: Hooks, hook: Hook) -> None:
        self._hooks, self._key = hooks, object()
        hooks[self._key] = hook

    def remove(self) -> None:
        """Take the hook off; nothing happens if it is off already."""
        self._hooks.pop(self._key, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()
