"""Which dtype a result has, by PyTorch's rules, and what a dtype can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinynet.autograd import Value, raw
from tinynet.backend import is_array
from tinynet.dtypes import as_dtype, bool_, float32, int64
from tinynet.functions.public import function, shown

if TYPE_CHECKING:
    from tinynet.tensor import Tensor

_ORDER = {"b": 0, "u": 1, "i": 1, "f": 2}  # a kind wins over those before it


def common_dtype(*operands: Any) -> Any:
    """The dtype of a result of Tensors, arrays and numbers.

    Tensors with axes decide among themselves. One of shape (), and then a number, counts only if
    its kind (boolean, integer, floating-point) is a higher one.
    """
    ranks: list[list[Any]] = [[], [], []]
    for a in map(raw, operands):
        if is_array(a):
            ranks[0 if a.ndim else 1].append(a.dtype)
        elif isinstance(a, bool | int | float):
            dtype = bool_ if isinstance(a, bool) else int64 if isinstance(a, int) else float32
            ranks[2].append(dtype)
        else:
            raise TypeError(f"result_type: an operand is {shown(a)}; it must be a Tensor or number")
    found: Any = None
    for dtypes in ranks:
        for dtype in dtypes[:1] if len(set(dtypes)) == 1 else [_widest(dtypes)] if dtypes else []:
            if found is None or _ORDER[dtype.kind] > _ORDER[found.kind]:
                found = dtype
    return found


def _widest(dtypes: list[Any]) -> Any:
    floats = [d for d in dtypes if d.kind == "f"]  # an integer does not widen float32
    return np.result_type(*(floats or dtypes))


@function
def result_type(tensor1: Any, tensor2: Any) -> Any:
    """The dtype of ``tensor1 + tensor2``: Tensors or numbers."""
    return common_dtype(tensor1, tensor2)


@function
def promote_types(type1: Any, type2: Any) -> Any:
    """The smallest dtype that both dtypes convert to; with a floating-point one it is that."""
    return _widest([as_dtype(type1), as_dtype(type2)])


@function
def can_cast(from_: Any, to: Any) -> bool:
    """Whether a dtype may become another in place: never to a lower kind."""
    return _ORDER[as_dtype(from_).kind] <= _ORDER[as_dtype(to).kind]


@function
def is_tensor(obj: Any) -> bool:
    """Whether it is a Tensor."""
    return isinstance(obj, Value)


@function
def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype is a floating-point one."""
    return bool(input.dtype.kind == "f")


@function
def is_complex(input: Tensor) -> bool:
    """Whether the numbers are complex: never, as there are none here."""
    return False


@function
def numel(input: Tensor) -> int:
    """The number of entries."""
    return int(input.data.size)
