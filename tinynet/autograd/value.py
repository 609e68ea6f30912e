"""Value: an array with its place in the graph; the base class of Tensor."""

from __future__ import annotations

from typing import Any, ClassVar

from tinynet.autograd.versions import NEVER
from tinynet.backend import ndarray, plain_array


class Value:
    """An array and, unless it is a leaf, the node that computed it.

    Attributes:
        grad: the gradient accumulated by `backward`, or None.
        requires_grad: whether operations on it are recorded.
    """

    __slots__ = ("__weakref__", "_data", "_grad", "_hooks", "_requires_grad", "_source", "_version")

    # What operations return: the direct subclass of Value, so that a Parameter times two is a
    # Tensor, not a Parameter.
    result_type: ClassVar[type[Value]]

    grad: Any  # properties of Tensor, which check what they are set to
    requires_grad: bool

    def __init_subclass__(cls) -> None:
        if Value in cls.__bases__:
            cls.result_type = cls

    def __init__(self, data: Any, requires_grad: bool = False, source: Any = None) -> None:
        self._data = data if type(data) is ndarray else plain_array(data)
        # _source: the node that computed it; for outputs after the first, a pair of node and number
        self._requires_grad, self._source = requires_grad, source
        self._version: Any = NEVER
        self._grad: Any = None
        self._hooks: Any = None  # of a leaf; those of other tensors belong to their node


def raw(x: Any) -> Any:
    """The array of a Value; anything else unchanged."""
    return x._data if isinstance(x, Value) else x
