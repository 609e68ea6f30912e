"""Hooks: functions that users attach to tensors and modules, and the handles that remove them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tinynet.autograd.value import Value, raw

Hook = Callable[..., Any]
Hooks = dict[object, Hook]  # in the order of registration, each with a unique key


class RemovableHandle:
    """Handle of a registered hook; `remove` or the end of a `with` block removes the hook."""

    def __init__(self, hooks: Hooks, hook: Hook, prepend: bool = False) -> None:
        self._hooks, self._key = hooks, object()
        earlier = dict(hooks)
        if prepend:
            hooks.clear()
        hooks[self._key] = hook
        hooks.update(earlier)

    def remove(self) -> None:
        """Remove the hook; a second call has no effect."""
        self._hooks.pop(self._key, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


@dataclass
class Attached:
    """What users attached to a tensor that a node computed.

    Attributes:
        kind: the type of the tensor.
        hooks: its hooks.
        retained: a weak reference to the tensor if it retains its gradient, else None.
    """

    kind: type[Value]
    hooks: Hooks = field(default_factory=dict)
    retained: Any = None


def hooked(hooks: Hooks, g: Any, kind: type[Value], create_graph: bool) -> Any:
    """The gradient after the hooks of a tensor, each of which may return another.

    Args:
        hooks: functions of the gradient as a Tensor.
        g: the gradient: an array or, with `create_graph`, a Value.
        kind: the type of the Tensor.
        create_graph: whether the gradient stays a Value.

    Raises:
        TypeError: if a hook returns anything but a Tensor or None.
        ValueError: if it has another shape.
    """
    for hook in tuple(hooks.values()):  # a tuple: a hook may remove itself
        changed = hook(g if isinstance(g, Value) else kind(g))
        if changed is None:
            continue
        if not isinstance(changed, Value):
            raise TypeError(
                f"register_hook: the hook returned a {type(changed).__name__}; it must return a "
                "Tensor or None"
            )
        if raw(changed).shape != raw(g).shape:
            raise ValueError(
                f"register_hook: the hook returned shape {tuple(raw(changed).shape)} for a "
                f"gradient of shape {tuple(raw(g).shape)}; they must be equal"
            )
        g = changed if create_graph else raw(changed)
    return g
