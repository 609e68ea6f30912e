"""Operands of different dtypes in one: PyTorch's rules, before an operation meets NumPy's."""

from __future__ import annotations

from typing import Any

from tinynet import dtypes
from tinynet.autograd import Value, guards, raw
from tinynet.backend import is_array
from tinynet.ops.conversion import cast


def promoted(name: str, *operands: Any) -> tuple[Any, ...]:
    """The operands, converted where NumPy would give the result another dtype than PyTorch.

    For the rule see `dtypes.result_dtype`. Without a Tensor, as in the rules of operations, all
    stay as they are.
    """
    if not any([isinstance(a, Value) for a in operands]):
        return operands
    checked = [checked_operand(name, a) for a in operands]
    arrays = [raw(a) for a in checked]
    dtype = dtypes.result_dtype(arrays)
    if dtypes.numpy_dtype(arrays) == dtype:
        return tuple(checked)
    return tuple([converted(a, dtype) for a in checked])


def checked_operand(name: str, a: Any) -> Any:
    """`guards.operand`; None and arrays of anything but numbers raise too."""
    if isinstance(a, Value):
        return a
    if a is None:
        raise TypeError(f"{name}: an operand is None; it must be a Tensor, an array or a number")
    a = guards.operand(name, a)
    if is_array(a) and a.dtype.kind not in "biuf":
        raise TypeError(f"{name}: an operand is an array of {a.dtype}; it must hold real numbers")
    return a


def converted(a: Any, dtype: Any) -> Any:
    """An operand in that dtype; numbers stay. The gradient comes back in the operand's own."""
    array = raw(a)
    if not is_array(array) or array.dtype == dtype:
        return a
    if isinstance(a, Value):
        if dtype.kind == "f" and array.dtype.kind == "f":
            return cast(a, dtype=dtype, back=array.dtype)
        return a.result_type(array.astype(dtype))
    return array.astype(dtype)
