"""Parameter: a tensor that is learnt."""

from __future__ import annotations

from typing import Any

from tinynet import backend
from tinynet.autograd import Value
from tinynet.autograd.versions import share_version
from tinynet.tensor import Tensor


class Parameter(Tensor):
    """A leaf that a module registers and an optimizer updates; operations on it return Tensors.

    Args:
        data: a Tensor or an array, whose memory is shared, or numbers.
        requires_grad: False for a frozen parameter.

    Raises:
        TypeError: for integers, unless `requires_grad` is False.
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(backend.asarray(data._data if isinstance(data, Value) else data))
        if isinstance(data, Value):
            share_version(self, data)
        self.requires_grad_(requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"
