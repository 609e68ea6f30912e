"""Operands of functions of two and more: checked, and in the dtype that PyTorch computes in.

Messages begin with "operand:"; `public.function` puts the name of the function called there.
"""

from __future__ import annotations

from typing import Any

from tinynet.autograd import Value, raw
from tinynet.backend import array_module, as_array, generic, is_array
from tinynet.dtypes import category, float32, result_dtype
from tinynet.functions.public import a_kind_of
from tinynet.ops.promotion import checked_operand, converted


def operands(*args: Any) -> list[Any]:
    """The operands, at least one of them a Tensor; NumPy's scalars as Python numbers."""
    checked = [checked_operand("operand", a) for a in args]
    if not any(isinstance(a, Value) for a in checked):
        raise TypeError(
            "operand: one of the operands must be a Tensor (make one with tinynet.tensor), not "
            + " and ".join(map(a_kind_of, args))
        )
    return checked


def number(name: str, a: Any) -> Any:
    """An option as a Python number; a NumPy scalar or a 0-d Tensor is turned into one."""
    if isinstance(a, generic) or (isinstance(a, Value) and a._data.size == 1):
        a = raw(a).item()
    if not isinstance(a, int | float):
        raise TypeError(f"operand: {name} is {a_kind_of(a)}; it must be a number")
    return a


def common(*args: Any) -> tuple[list[Any], Any]:
    """The operands in their common dtype, and that dtype; numbers stay numbers."""
    first, second = args[:2]
    if len(args) == 2 and isinstance(first, Value):  # the usual cases, in a third of the time
        dtype = first._data.dtype
        if isinstance(second, Value):
            if second._data.dtype is dtype:
                return [first, second], dtype
        elif dtype.kind == "f" and type(second) in (int, float):
            return [first, second], dtype
    checked = operands(*args)
    dtype = result_dtype([raw(a) for a in checked])
    return [converted(a, dtype) for a in checked], dtype


def reals(*args: Any) -> list[Any]:
    """The operands in their common floating-point dtype, float32 if they have none."""
    checked = operands(*args)
    dtype = result_dtype([raw(a) for a in checked])
    return [converted(a, dtype if dtype.kind == "f" else float32) for a in checked]


def tensors(input: Any, other: Any) -> tuple[Any, Any]:
    """The two, if `other` is no number: PyTorch's rule for some functions of two tensors."""
    if not isinstance(other, Value) and not is_array(other):
        raise TypeError(
            f"operand: other is {a_kind_of(other)}; it must be a Tensor (make one with "
            "tinynet.tensor)"
        )
    return input, other


def real(input: Any) -> Any:
    """A Tensor itself if it holds floats, else as float32."""
    return input if input.dtype.kind == "f" else input.to(float32)


def refuse(input: Any, kinds: str, instead: str) -> None:
    """Raise a TypeError if the dtype is of one of NumPy's `kinds`: b, iu, f."""
    dtype = input if hasattr(input, "kind") else input.dtype
    if dtype.kind in kinds:
        raise TypeError(f"operand: not defined for {dtype}; {instead}")


def on_arrays(function: str, *args: Any, dtype: Any = None) -> Any:
    """A function of NumPy's and CuPy's of the operands' arrays, as a Tensor without a gradient."""
    arrays, kind = [], Value
    for a in args:
        if isinstance(a, Value):
            kind, a = a.result_type, a._data
        arrays.append(a)
    try:
        y = getattr(array_module(*arrays), function)(*arrays)
    except ValueError as error:
        shapes = [tuple(a.shape) for a in arrays if is_array(a)]
        if "broadcast" not in str(error):
            raise
        raise ValueError(
            f"operand: shapes {' and '.join(map(str, shapes))} do not broadcast; counted from the "
            "last axis, sizes must be equal or one of them 1"
        ) from None
    y = as_array(y)
    return kind(y if dtype is None or y.dtype == dtype else y.astype(dtype))


def check_in_place(name: str, result: Any, shape: tuple[int, ...], dtype: Any) -> None:
    """Raise unless a tensor of that shape and dtype can hold the result."""
    if category(result.dtype) > category(dtype):
        raise RuntimeError(
            f"{name}: the result is {result.dtype}, which a tensor of {dtype} cannot hold; compute "
            f"a new tensor with {name.strip('_')}, or convert this one first"
        )
    if result.shape != shape:
        raise ValueError(
            f"{name}: the result has shape {result.shape}, the tensor {shape}, and a change in "
            "place cannot enlarge a tensor; compute a new one"
        )
