"""Tensors that functions are given: checked, and in the dtype that PyTorch computes in.

Messages begin with "operand:"; `public.function` puts the name of the function called there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tinynet.autograd import Value, raw
from tinynet.backend import array_module, as_array, is_array, zeros
from tinynet.dtypes import category, float32, result_dtype
from tinynet.functions.public import shown
from tinynet.ops.arithmetic import where
from tinynet.ops.promotion import checked_operand, converted

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


def operands(*args: Any) -> list[Any]:
    """The operands, at least one of them a Tensor; NumPy's scalars as Python numbers."""
    checked = [checked_operand("operand", a) for a in args]
    if not any(isinstance(a, Value) for a in checked):
        raise TypeError(
            "operand: one of the operands must be a Tensor (make one with tinynet.tensor), not "
            + " and ".join(map(shown, args))
        )
    return checked


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


def check_tensor(name: str, what: str, value: Any) -> None:
    """Raise TypeError unless it is a Tensor or an array."""
    if not isinstance(value, Value) and not (is_array(value) and value.dtype.kind in "biuf"):
        raise TypeError(
            f"{name}: {what} is {shown(value)}; it must be a Tensor (make one with tinynet.tensor)"
        )


def tensors(input: Any, other: Any) -> tuple[Any, Any]:
    """The two, unless `other` is a number: PyTorch's rule for some functions of two tensors."""
    check_tensor("operand", "other", other)
    return input, other


def tensor_like(name: str, what: str, other: Any, like: Tensor) -> Tensor:
    """`other` if it is a Tensor, and an array as one."""
    check_tensor(name, what, other)
    return other if isinstance(other, Value) else like.result_type(other)  # type: ignore[return-value]


def tensors_of(name: str, tensors: Any) -> list[Tensor]:
    """A sequence of Tensors as a list.

    Raises:
        TypeError: if it is not a sequence, or if a member is not a Tensor.
        ValueError: if it is empty.
    """
    if isinstance(tensors, Value) and not tensors._data.ndim:
        raise TypeError(f"{name}: tensors is one number; it must be a list of Tensors")
    if not isinstance(tensors, Iterable) or isinstance(tensors, str | bytes):
        raise TypeError(f"{name}: tensors is {shown(tensors)}; it must be a list of Tensors")
    found = list(tensors)
    for k, t in enumerate(found):
        if not isinstance(t, Value):
            raise TypeError(f"{name}: number {k} of the tensors is {shown(t)}; it must be a Tensor")
    if not found:
        raise ValueError(f"{name}: the list of tensors is empty; give at least one")
    return found


def several(name: str, tensors: tuple[Any, ...]) -> list[Tensor]:
    """The Tensors of both ``f(a, b)`` and ``f([a, b])``."""
    one = len(tensors) == 1 and not isinstance(tensors[0], Value)
    return tensors_of(name, tensors[0] if one else tensors)


def constant_of(input: Tensor, array: Any) -> Tensor:
    """An array that broadcasts to the shape of `input`, recorded with the gradient 0.

    `where` takes every entry from `array`, so the result requires a gradient if `input` does.
    """
    return where(zeros(input.shape, input.data, "bool"), input, array)


# --- dtypes --------------------------------------------------------------------------------------


def to_dtype(x: Tensor, dtype: Any) -> Tensor:
    """`x` in the dtype that was asked for, or as it is for None."""
    return x if dtype is None else x.to(dtype=dtype)


def real(input: Any) -> Any:
    """A Tensor itself if it holds floats, else as float32."""
    return input if input.dtype.kind == "f" else input.to(float32)


def only_floats(name: str, x: Tensor, dtype: Any = None) -> Tensor:
    """`x` in `dtype`.

    Raises:
        TypeError: unless that is a floating-point dtype.
    """
    out = to_dtype(x, dtype)
    if out.dtype.kind != "f":
        fix = "convert it with .float()" if dtype is None else "it must be floating-point"
        raise TypeError(f"{name}: {'input' if dtype is None else 'dtype'} is {out.dtype}; {fix}")
    return out


def promoted(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The tensors in the dtype of their sum; see `tinynet.dtypes.result_dtype`."""
    dtype = result_dtype([t.data for t in tensors])
    return tuple(t if t.dtype == dtype else t.to(dtype) for t in tensors)


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
