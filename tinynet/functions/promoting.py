"""Which dtype a result has, by PyTorch's rules, and what a dtype can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.autograd import Value, raw
from tinynet.backend import is_array
from tinynet.dtypes import as_dtype, category, result_dtype, wider
from tinynet.functions.public import function, shown

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


def common_dtype(*operands: Any) -> Any:
    """The dtype of a result of Tensors, arrays and numbers; see `tinynet.dtypes.result_dtype`."""
    for a in operands:
        if not is_array(raw(a)) and not isinstance(a, bool | int | float):
            raise TypeError(f"result_type: an operand is {shown(a)}; it must be a Tensor or number")
    return result_dtype(map(raw, operands))


@function
def result_type(tensor1: Any, tensor2: Any) -> Any:
    """The dtype of ``tensor1 + tensor2``: Tensors or numbers."""
    return common_dtype(tensor1, tensor2)


@function
def promote_types(type1: Any, type2: Any) -> Any:
    """The smallest dtype that both dtypes convert to; with a floating-point one it is that."""
    return wider(as_dtype(type1), as_dtype(type2))


@function
def can_cast(from_: Any, to: Any) -> bool:
    """Whether a dtype may become another in place: never to a lower kind."""
    return category(as_dtype(from_)) <= category(as_dtype(to))


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
