"""Functions that create tensors from data, or filled with one number.

`sequences` has those that follow a rule, `sampling` those that draw.
"""

from __future__ import annotations

from typing import Any

from tinynet import backend, dtypes
from tinynet.autograd import Value
from tinynet.functions.arguments import number, shape_of
from tinynet.functions.copying import check_format
from tinynet.functions.public import function, shown
from tinynet.tensor import Tensor

# --- from data ----------------------------------------------------------------------------------


@function
def tensor(data: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Create a leaf tensor with a copy of `data`.

    Args:
        data: a number, a (nested) list of numbers, a NumPy or CuPy array, or a Tensor.
        dtype: by default that of `data`: float32 for Python floats, int64 for Python integers.
        requires_grad: whether to record operations on it.
        device: "cpu" or "cuda"; by default that of `data`, for numbers the default device.

    Raises:
        TypeError: if `data` is ragged or not numeric, or is integer with `requires_grad`.

    >>> tensor([1.0, 2.0], requires_grad=True)
    tensor([1., 2.], requires_grad=True)
    """
    data = data._data if isinstance(data, Value) else data
    array = _array(data, dtype, device)
    # the tensor must not share memory with the caller's array
    if backend.is_array(data) and backend.may_share_memory(array, data):
        array = array.copy()
    return Tensor(array).requires_grad_(requires_grad)


def _array(data: Any, dtype: Any, device: Any) -> Any:
    dtype = None if dtype is None else dtypes.as_dtype(dtype)
    device = None if device is None else backend.as_device(device)
    if isinstance(data, list | tuple) and _has_tensor(data):
        data = _without_tensors(data)
    if dtype is not None and dtype.kind in "iu" and not backend.is_array(data):
        _check_range(backend.asarray(data), dtype)
    array = backend.asarray(data, dtype, device)
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"tensor: data has dtype {array.dtype}; it must be real numbers or booleans"
        )
    if dtype is None and array.dtype.kind == "u" and not backend.is_array(data):
        _check_range(array, dtypes.int64)
    return array


def _check_range(given: Any, dtype: Any) -> None:
    """Raise ValueError for numbers that an integer dtype cannot hold; NumPy would wrap them."""
    limits = dtypes.iinfo(dtype)
    backend.check(
        (given >= limits.min) & (given <= limits.max),
        lambda: ValueError(
            f"tensor: a number in data is not one of {dtype}, which holds {limits.min} to "
            f"{limits.max}"
        ),
    )


def _has_tensor(data: Any) -> bool:
    """Whether the first number of nested lists is a Tensor."""
    while isinstance(data, list | tuple) and data:
        data = data[0]
    return isinstance(data, Value)


def _without_tensors(data: Any) -> Any:
    """Nested lists with Tensors replaced by lists of their numbers."""
    if isinstance(data, list | tuple):
        return [_without_tensors(d) for d in data]
    return data._data.tolist() if isinstance(data, Value) else data


@function
def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """Convert `data` to a tensor, sharing memory if possible; arguments as for `tensor`.

    An array is copied only to change its dtype or device; numbers and lists are always copied. A
    Tensor that already has the dtype and device is returned as is.

    >>> import numpy as np
    >>> a = np.zeros(2, "float32")
    >>> t = as_tensor(a)
    >>> a[0] = 1.0
    >>> t
    tensor([1., 0.])
    """
    if isinstance(data, Tensor):
        return data.to(device=device, dtype=dtype)
    return Tensor(_array(data, dtype, device))


@function
def asarray(
    obj: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    copy: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`as_tensor`, or `tensor` with copy=True; copy=False raises where a copy is needed."""
    if copy:
        return tensor(obj, dtype, requires_grad, device)
    out = as_tensor(obj, dtype, device)
    source = obj._data if isinstance(obj, Value) else obj
    shared = backend.is_array(source) and backend.may_share_memory(out.data, source)
    if copy is not None and not shared:
        raise ValueError(f"asarray: {shown(obj)} cannot become a tensor without a copy")
    return out.requires_grad_() if requires_grad else out


@function
def from_numpy(ndarray: Any) -> Tensor:
    """Create a CPU tensor that shares the memory of a NumPy array.

    Raises:
        TypeError: if `ndarray` is not a NumPy array of numbers.
    """
    if not isinstance(ndarray, backend.ndarray):
        raise TypeError(f"from_numpy: array is {shown(ndarray)}; it must be a NumPy array")
    return Tensor(_array(ndarray, None, None))


# --- filled with one number ---------------------------------------------------------------------


def check_layout(name: str, layout: Any) -> None:
    if layout is not None and not str(layout).endswith("strided"):
        raise ValueError(f"{name}: layout {layout} is not supported; every tensor is strided")


def filled(
    name: str, size: Any, value: Any, dtype: Any, requires_grad: Any, device: Any, layout: Any
) -> Tensor:
    check_layout(name, layout)
    array = backend.full_on(
        shape_of(name, size), value, "float32" if dtype is None else dtype, device
    )
    return Tensor(array).requires_grad_(requires_grad)


@function
def zeros(
    *size: Any,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of zeros of shape `size`, by default float32."""
    return filled("zeros", size, 0, dtype, requires_grad, device, layout)


@function
def ones(
    *size: Any,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of ones of shape `size`, by default float32."""
    return filled("ones", size, 1, dtype, requires_grad, device, layout)


@function
def empty(
    *size: Any,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """A tensor of shape `size` to be written to. It holds zeros, where PyTorch has anything."""
    check_format("empty", memory_format)
    return filled("empty", size, 0, dtype, requires_grad, device, layout)


@function
def full(
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of one number; the dtype is by default that of the number."""
    value = number("full", "fill_value", fill_value)
    dtype = _dtype_of(value) if dtype is None else dtype
    return filled("full", (size,), value, dtype, requires_grad, device, layout)


def _dtype_of(*numbers: Any) -> str:
    if any([isinstance(n, float) for n in numbers]):
        return "float32"
    return "bool" if all([isinstance(n, bool) for n in numbers]) else "int64"


def _like(
    name: str, x: Tensor, value: Any, dtype: Any, grad: Any, device: Any, format: Any, layout: Any
) -> Tensor:
    check_format(name, format)
    dtype = x.dtype if dtype is None else dtype
    device = x.device if device is None else device
    return filled(name, (x.shape,), value, dtype, grad, device, layout)


@function
def zeros_like(
    input: Tensor,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Zeros in the shape, dtype and on the device of another tensor."""
    return _like("zeros_like", input, 0, dtype, requires_grad, device, memory_format, layout)


@function
def ones_like(
    input: Tensor,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Ones in the shape, dtype and on the device of another tensor."""
    return _like("ones_like", input, 1, dtype, requires_grad, device, memory_format, layout)


@function
def empty_like(
    input: Tensor,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """`empty` in the shape, dtype and on the device of another tensor."""
    return _like("empty_like", input, 0, dtype, requires_grad, device, memory_format, layout)


@function
def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """One number in the shape, dtype and on the device of another tensor."""
    value = number("full_like", "fill_value", fill_value)
    return _like("full_like", input, value, dtype, requires_grad, device, memory_format, layout)
