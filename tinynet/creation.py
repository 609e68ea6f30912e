"""Functions that create tensors: from data, or from a rule. `sampling` has those that draw."""

from __future__ import annotations

import math
from typing import Any

from tinynet import backend, dtypes
from tinynet.autograd import Value
from tinynet.conversions import check_format
from tinynet.functions.arguments import integer, shape_of, shown, sizes_of
from tinynet.functions.public import function
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
    return backend.asarray(data, dtype, device)


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
    obj: Any, *, dtype: Any = None, device: Any = None, copy: Any = None, requires_grad: bool = False
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
        raise TypeError(f"from_numpy: {shown(ndarray)} is given; it must be a NumPy array")
    return Tensor(backend.asarray(ndarray))


# --- filled with one number ------------------------------------------------------------------------


def _filled(
    name: str, size: Any, value: Any, dtype: Any, requires_grad: Any, device: Any, layout: Any
) -> Tensor:
    if layout is not None and not str(layout).endswith("strided"):
        raise ValueError(f"{name}: layout {layout} is not supported; every tensor is strided")
    array = backend.full_on(shape_of(name, size), value, "float32" if dtype is None else dtype, device)
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
    return _filled("zeros", size, 0, dtype, requires_grad, device, layout)


@function
def ones(
    *size: Any,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of ones of shape `size`, by default float32."""
    return _filled("ones", size, 1, dtype, requires_grad, device, layout)


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
    return _filled("empty", size, 0, dtype, requires_grad, device, layout)


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
    number = _number("full", "fill_value", fill_value)
    dtype = _dtype_of(number) if dtype is None else dtype
    return _filled("full", (size,), number, dtype, requires_grad, device, layout)


def _number(name: str, what: str, value: Any) -> Any:
    """A Python number, of a number or a tensor of shape ()."""
    if hasattr(value, "item") and not getattr(value, "ndim", 0):
        value = value.item()
    if not isinstance(value, bool | int | float):
        raise TypeError(f"{name}: {what} is {shown(value)}; it must be a number")
    return value


def _dtype_of(*numbers: Any) -> str:
    if any([isinstance(n, float) for n in numbers]):
        return "float32"
    return "bool" if all([isinstance(n, bool) for n in numbers]) else "int64"


def _like(
    name: str, x: Any, value: Any, dtype: Any, grad: Any, device: Any, format: Any, layout: Any
) -> Tensor:
    check_format(name, format)
    if not isinstance(x, Value):
        raise TypeError(f"{name}: input is {shown(x)}; it must be a Tensor")
    dtype = x._data.dtype if dtype is None else dtype
    device = backend.device_of(x._data) if device is None else device
    return _filled(name, (tuple(x._data.shape),), value, dtype, grad, device, layout)


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
    number = _number("full_like", "fill_value", fill_value)
    return _like("full_like", input, number, dtype, requires_grad, device, memory_format, layout)


# --- by a rule ------------------------------------------------------------------------------------


@function
def arange(
    *bounds: Any,
    start: Any = None,
    end: Any = None,
    step: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The numbers start, start + step, ... before `end`: ``arange(end)``, ``arange(start, end)``.

    Their dtype is by default int64, and float32 if one of the three is a float.

    Raises:
        ValueError: for step 0, and if `end` lies in the other direction.

    >>> arange(0, 1, 0.25)
    tensor([0.  , 0.25, 0.5 , 0.75])
    """
    given = list(bounds)
    if len(given) == 1 and end is None:
        given = [0 if start is None else start, *given]
    elif start is not None:
        given.insert(0, start)
    if end is not None:
        given = [*given, end] if given else [0, end]
    if step is not None:
        given.append(step)
    if not 2 <= len(given) <= 3:
        raise TypeError("arange: give an end, or start and end, and perhaps a step")
    first, last, by = [_number("arange", "a bound", b) for b in (*given, 1)[:3]]
    if not by:
        raise ValueError("arange: step is 0; it must not be")
    if not all(map(math.isfinite, (first, last, by))):
        raise ValueError(f"arange: {first}, {last} and {by} must be finite")
    if (last - first) * by < 0:
        raise ValueError(f"arange: step {by} leads away from {last}, starting at {first}")
    whole = not any([isinstance(n, float) for n in (first, last, by)])
    count = -((first - last) // by) if whole else math.ceil((last - first) / by)
    dtype = ("int64" if whole else "float32") if dtype is None else dtype
    array = backend.sequence_on(first, by, int(count), dtype, device)
    return Tensor(array).requires_grad_(requires_grad)


@function
def linspace(
    start: Any,
    end: Any,
    steps: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` numbers from `start` to `end`, both included, equally far apart; float32."""
    array = _line("linspace", start, end, steps, device)
    return tensor(array, "float32" if dtype is None else dtype, requires_grad)


@function
def logspace(
    start: Any,
    end: Any,
    steps: Any,
    base: float = 10.0,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` powers of `base`, with exponents as `linspace` has them; float32."""
    array = _number("logspace", "base", base) ** _line("logspace", start, end, steps, device)
    return tensor(array, "float32" if dtype is None else dtype, requires_grad)


def _line(name: str, start: Any, end: Any, steps: Any, device: Any) -> Any:
    """The numbers in float64, counted from the nearer end, so that both ends are exact."""
    first, last = _number(name, "start", start), _number(name, "end", end)
    n = integer(name, "steps", steps)
    if n < 0:
        raise ValueError(f"{name}: steps is {n}; it must be at least 0")
    step = (last - first) / max(n - 1, 1)
    line = backend.sequence_on(0, 1, n, "float64", device)
    y = first + line * step
    late = line >= n / 2 if n > 1 else line < 0
    y[late] = (last - (n - 1 - line) * step)[late]
    return y


@function
def eye(
    n: Any,
    m: Any = None,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The identity matrix (n, n), or the first n rows and m columns of one; float32."""
    height = integer("eye", "n", n)
    out = _filled("eye", (height, height if m is None else m), 0, dtype, False, device, layout)
    k = min(out.shape)
    places = backend.sequence_on(0, 1, k, "int64", out.device)
    out.data[places, places] = 1
    return out.requires_grad_(requires_grad)


@function
def tril_indices(
    row: Any, col: Any, offset: Any = 0, *, dtype: Any = None, device: Any = None, layout: Any = None
) -> Tensor:
    """The rows and columns (2, n) of the entries of `tril`, in row-major order."""
    return _corner("tril_indices", row, col, offset, dtype, device, True)


@function
def triu_indices(
    row: Any, col: Any, offset: Any = 0, *, dtype: Any = None, device: Any = None, layout: Any = None
) -> Tensor:
    """The rows and columns (2, n) of the entries of `triu`, in row-major order."""
    return _corner("triu_indices", row, col, offset, dtype, device, False)


def _corner(
    name: str, row: Any, col: Any, offset: Any, dtype: Any, device: Any, lower: bool
) -> Tensor:
    (height, width), k = sizes_of((row, col), name), integer(name, "offset", offset)
    if min(height, width) < 0:
        raise ValueError(f"{name}: {height} rows and {width} columns; both must be at least 0")
    kept = [(i, j) for i in range(height) for j in range(width)
            if (j - i <= k if lower else j - i >= k)]  # fmt: skip
    numbers = [[i for i, _ in kept], [j for _, j in kept]]
    return tensor(numbers, "int64" if dtype is None else dtype, device=device)
