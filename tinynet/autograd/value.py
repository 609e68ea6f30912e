"""Value: an array with its place in the graph; the base class of Tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from tinynet.autograd.versions import NEVER, share_version
from tinynet.backend import ndarray, plain_array


class Value:
    """An array and, unless it is a leaf, the node that computed it.

    Attributes:
        grad: the gradient accumulated by `backward`, or None.
        grad_fn: the node that computed it, None for a leaf.
        output_nr: its position among the outputs of that node.
        requires_grad: whether operations on it are recorded.
    """

    __slots__ = ("__weakref__", "_data", "_requires_grad", "_source", "_version", "grad")

    # What operations return: the direct subclass of Value, so that a Parameter times two is a
    # Tensor, not a Parameter.
    result_type: ClassVar[type[Value]]

    requires_grad: bool  # a property of Tensor, which checks what it is set to
    clone: Callable[[], Value]  # Tensor defines `clone` and `to`; both are recorded
    to: Callable[..., Value]

    def __init_subclass__(cls) -> None:
        if Value in cls.__bases__:
            cls.result_type = cls

    def __init__(self, data: Any, requires_grad: bool = False, source: Any = None) -> None:
        self._data = data if type(data) is ndarray else plain_array(data)
        # _source: the node that computed it; for outputs after the first, a pair of node and number
        self._requires_grad, self._source = requires_grad, source
        self._version: Any = NEVER
        self.grad: Any = None

    @property
    def grad_fn(self) -> Any:
        """The node that computed it, None for a leaf."""
        return self._source[0] if isinstance(self._source, tuple) else self._source

    @property
    def output_nr(self) -> int:
        """Its position among the outputs of that node."""
        return self._source[1] if isinstance(self._source, tuple) else 0

    def alias(self) -> Value:
        """A Value outside the graph that shares memory and version with this one."""
        out = self.result_type(self._data)
        share_version(out, self)
        return out


def raw(x: Any) -> Any:
    """The array of a Value; anything else unchanged."""
    return x._data if isinstance(x, Value) else x
