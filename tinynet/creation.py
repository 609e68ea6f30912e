"""Functions that create tensors: from data, filled with a number, or random."""

from __future__ import annotations

from typing import Any

from tinynet import backend, dtypes, random
from tinynet.autograd import Value
from tinynet.functions.shaping import sizes_of
from tinynet.tensor import Tensor


def tensor(
    data: Any, dtype: Any = None, requires_grad: bool = False, device: str | None = None
) -> Tensor:
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
    array = backend.asarray(data, None if dtype is None else dtypes.as_dtype(dtype), device)
    # the tensor must not share memory with the caller's array
    if backend.is_array(data) and array is data:
        array = array.copy()
    return Tensor(array).requires_grad_(requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: str | None = None) -> Tensor:
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
    return Tensor(backend.asarray(data, None if dtype is None else dtypes.as_dtype(dtype), device))


def from_numpy(array: Any) -> Tensor:
    """Create a CPU tensor that shares the memory of a NumPy array.

    Raises:
        TypeError: if `array` is not a NumPy array.
    """
    if not isinstance(array, backend.ndarray):
        raise TypeError(f"from_numpy: array is a {type(array).__name__}; it must be a NumPy array")
    return Tensor(array)


def zeros(
    *size: Any, dtype: Any = "float32", requires_grad: bool = False, device: str | None = None
) -> Tensor:
    """A tensor of zeros of shape `size`."""
    return Tensor(backend.full_on(sizes_of(size), 0, dtype, device)).requires_grad_(requires_grad)


def ones(
    *size: Any, dtype: Any = "float32", requires_grad: bool = False, device: str | None = None
) -> Tensor:
    """A tensor of ones of shape `size`."""
    return Tensor(backend.full_on(sizes_of(size), 1, dtype, device)).requires_grad_(requires_grad)


def randn(
    *size: Any, dtype: Any = "float32", requires_grad: bool = False, device: str | None = None
) -> Tensor:
    """Independent normal numbers with mean 0 and variance 1; `manual_seed` sets the seed."""
    array = random.generator().standard_normal(sizes_of(size))
    return tensor(array, dtype, requires_grad, device or backend.default_device())


def rand(
    *size: Any, dtype: Any = "float32", requires_grad: bool = False, device: str | None = None
) -> Tensor:
    """Independent uniform numbers in [0, 1); `manual_seed` sets the seed."""
    array = random.generator().random(sizes_of(size))
    return tensor(array, dtype, requires_grad, device or backend.default_device())


def arange(*bounds: int, device: str | None = None) -> Tensor:
    """The integers of ``range(*bounds)``, int64."""
    return tensor(list(range(*bounds)), "int64", device=device)
