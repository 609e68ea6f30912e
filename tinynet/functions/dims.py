"""Checks of arguments: dimensions, dtypes, numbers, flags, other tensors.

PyTorch's rules: `dim` is an integer where one dimension is meant; where several may be meant it is
an integer or a tuple, and None, and for a sum (), are all of them. A tensor is never a dimension.
A tensor of shape () has one dimension, 0 or -1, of size 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.autograd import Value
from tinynet.backend import array_module, is_array, zeros
from tinynet.dtypes import as_dtype
from tinynet.functions.public import a_kind_of
from tinynet.ops.arithmetic import where
from tinynet.ops.reduction import axes_of

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


def one_dim(name: str, dim: Any, ndim: int, what: str = "dim") -> int:
    """`dim` as an axis from 0 to ndim - 1, or 0 for a tensor of shape ().

    Raises:
        TypeError: for anything but an integer.
        IndexError: for an axis out of range.
    """
    if isinstance(dim, bool | Value) or is_array(dim) or not hasattr(dim, "__index__"):
        raise TypeError(f"{name}: {what} is {said(dim)}; it must be one axis, an integer")
    axes = axes_of(name, dim, ndim)
    return axes[0] if axes else 0


def dims_of(name: str, dim: Any, ndim: int, empty_is_all: bool = True) -> tuple[int, ...]:
    """`dim`, an integer or several, as a tuple of axes; None, and (), are all of them."""
    if dim is None:
        return tuple(range(ndim))
    if not isinstance(dim, tuple | list):
        return (one_dim(name, dim, ndim),) if ndim else axes_of(name, one_dim(name, dim, 0), 0)
    for d in dim:
        one_dim(name, d, ndim)
    axes = axes_of(name, tuple(dim), ndim)
    return axes if dim or not empty_is_all else tuple(range(ndim))


def said(dim: Any) -> str:
    """A wrong argument in an error message."""
    if isinstance(dim, Value) or is_array(dim):
        return f"a tensor of shape {tuple(dim.shape)}"
    if hasattr(dim, "item"):  # NumPy's numbers
        return repr(dim.item())
    return repr(dim) if isinstance(dim, int | float | str | tuple | list | None) else a_kind_of(dim)


def number_of(name: str, value: Any, what: str) -> int:
    """`value` as a Python integer.

    Raises:
        TypeError: for anything else.
    """
    if isinstance(value, bool | Value) or is_array(value) or not hasattr(value, "__index__"):
        raise TypeError(f"{name}: {what} is {said(value)}; it must be an integer")
    return int(value)


def flag_of(name: str, value: Any, what: str) -> bool:
    """`value` as a Python bool.

    Raises:
        TypeError: for anything but True, False, 0 and 1.
    """
    if type(value) is bool:
        return value
    if isinstance(value, Value) or is_array(value) or value not in (True, False):
        raise TypeError(f"{name}: {what} is {said(value)}; it must be True or False")
    return bool(value)


def converted(x: Tensor, dtype: Any) -> Tensor:
    """`x` in the dtype that was asked for, or as it is for None."""
    return x if dtype is None else x.to(dtype_of(dtype))


def dtype_of(dtype: Any) -> Any:
    """The dtype of that name.

    Raises:
        TypeError: for anything but a dtype of numbers or booleans.
    """
    known = as_dtype(dtype) if isinstance(dtype, str | type) else dtype
    if getattr(known, "kind", "") not in ("b", "i", "u", "f") or isinstance(known, Value):
        raise TypeError(
            f"dtype: {said(dtype)} is no dtype; it must be 'float32', 'int64' or the like"
        )
    return known


def as_float(x: Tensor, dtype: Any = None) -> Tensor:
    """`x` in `dtype`; integers and booleans without one become float32."""
    return converted(x, "float32" if dtype is None and x.dtype.kind != "f" else dtype)


def only_floats(name: str, x: Tensor, dtype: Any = None) -> Tensor:
    """`x` in `dtype`.

    Raises:
        TypeError: unless that is a floating-point dtype.
    """
    out = converted(x, dtype)
    if out.dtype.kind != "f":
        raise TypeError(f"{name}: dtype is {out.dtype}; convert to a float with .float()")
    return out


def at_axis(axis: int, k: Any) -> tuple[Any, ...]:
    """The index of the entry, or the slice, k along `axis`."""
    return (slice(None),) * axis + (k,)


def constant_of(input: Tensor, array: Any) -> Tensor:
    """An array that broadcasts to the shape of `input`, recorded with the gradient 0.

    The choice never falls on `input`.
    """
    return where(zeros(input.shape, input.data, "bool"), input, array)


def tensor_like(name: str, other: Any, like: Tensor, what: str = "other") -> Tensor:
    """`other` if it is a Tensor, and an array as one.

    Raises:
        TypeError: for anything else.
    """
    if isinstance(other, Value):
        return other  # type: ignore[return-value]
    if is_array(other):
        return like.result_type(other)  # type: ignore[return-value]
    raise TypeError(
        f"{name}: {what} is {a_kind_of(other)}; it must be a Tensor (make one with tinynet.tensor)"
    )


def promoted(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The tensors in the widest of their dtypes, by PyTorch's rule: a float beats all integers."""
    kinds = {t.dtype.kind for t in tensors}
    floats = [t.dtype for t in tensors if t.dtype.kind == "f"]
    dtypes = floats if "f" in kinds else [t.dtype for t in tensors]
    xp = array_module(*(t.data for t in tensors))
    dtype = xp.result_type(*dtypes)
    return tuple(t if t.dtype == dtype else t.to(dtype) for t in tensors)
