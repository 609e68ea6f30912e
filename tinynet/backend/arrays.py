"""Arrays of NumPy or CuPy: converted, moved, made; and functions that differ between the two."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from tinynet.backend.devices import (
    Array,
    array_module,
    as_device,
    check_device,
    default_device,
    device_of,
    is_array,
)
from tinynet.dtypes import as_dtype, float32, float64

ndarray, generic = np.ndarray, np.generic
F = TypeVar("F", bound=Callable[..., Any])


# --- conversion -----------------------------------------------------------------------------


def plain_array(a: Any) -> Array:
    """The array without its class, if that is a subclass of NumPy's with other rules.

    A `numpy.matrix` would multiply as a matrix. A class that handles NumPy's functions itself
    (NEP 18) is kept: it stands for NumPy's arrays, such as one that records what is called.

    Raises:
        TypeError: for a masked array, whose mask would be lost, and for anything but an array.
    """
    if type(a) is np.ndarray:
        return a
    if isinstance(a, np.ndarray):
        if type(a).__array_function__ is not np.ndarray.__array_function__:
            return a
        if isinstance(a, np.ma.MaskedArray):
            raise TypeError("tensor: a masked array would lose its mask; call .filled(value) on it")
        return a.view(np.ndarray)
    if is_array(a) or isinstance(a, np.generic):
        return as_array(a)
    raise TypeError(f"tensor: data is a {type(a).__name__}; make a tensor with tinynet.tensor")


def asarray(data: Any, dtype: Any = None, device: str | None = None) -> Array:
    """Convert `data` to an array, copying only if necessary.

    Args:
        data: an array of either module, or (nested lists of) numbers.
        dtype: element type; by default that of the data, and float32 for Python floats.
        device: by default that of the data if it is an array, else the default device.
    """
    if is_array(data):
        data = plain_array(data)
    else:
        # NumPy scalars, also in a list, keep their dtype; Python floats become float32
        try:
            plain = np.asarray(data)
        except ValueError as error:  # a ragged list
            raise TypeError(f"tensor: data must be numbers of one shape ({error})") from None
        if plain.dtype.kind not in "biuf":
            kind = "None" if data is None else f"{type(data).__name__} of {plain.dtype}"
            raise TypeError(f"tensor: data must be numbers, not {kind}")
        if dtype is None and plain.dtype == float64 and not _has_numpy_float(data):
            plain = plain.astype(float32)
        data, device = plain, device or default_device()
    if dtype is not None:
        data = data.astype(dtype, copy=False)
    return data if device is None else to_device(data, device)


def _has_numpy_float(data: Any) -> bool:
    if isinstance(data, list | tuple):
        return any(_has_numpy_float(d) for d in data)
    return isinstance(data, np.generic | np.ndarray) and data.dtype == float64


def full_on(shape: tuple[int, ...], value: float, dtype: Any, device: Any = None) -> Array:
    """A new array filled with `value`, by default on the default device."""
    dtype, device = as_dtype(dtype), check_device(as_device(device or default_device()))
    xp = np if device == "cpu" else sys.modules["cupy"]
    return xp.full(shape, value, dtype)


def sequence_on(first: float, step: float, count: int, dtype: Any, device: Any = None) -> Array:
    """first, first + step, ..., `count` numbers, by default on the default device."""
    dtype, device = as_dtype(dtype), check_device(as_device(device or default_device()))
    xp = np if device == "cpu" else sys.modules["cupy"]
    whole = isinstance(first, int) and isinstance(step, int)
    return (first + step * xp.arange(count, dtype="int64" if whole else "float64")).astype(dtype)


def may_share_memory(a: Array, b: Array) -> bool:
    """Whether a change of one array may change the other."""
    return (
        bool(array_module(a, b).may_share_memory(a, b)) if device_of(a) == device_of(b) else False
    )


def address(a: Array) -> int:
    """Where the first entry lies in the memory of its device."""
    return int(a.ctypes.data if isinstance(a, np.ndarray) else a.data.ptr)


def to_device(a: Array, device: str) -> Array:
    """The array on `device`: `a` itself if it is there already, else a copy."""
    if device_of(a) == check_device(device):
        return a
    return to_numpy(a) if device == "cpu" else sys.modules["cupy"].asarray(a)


def to_numpy(a: Array) -> np.ndarray:
    """Convert to a NumPy array, for printing, plotting and files; the only way off the GPU."""
    return a.get() if device_of(a) == "cuda" else np.asarray(a)


def array_of(x: Any) -> Array:
    """`x` itself if it is an array, else a 0-d array of the number in NumPy's default dtype."""
    return x if is_array(x) else np.asarray(x)


def as_array(y: Any) -> Array:
    """`y` itself if it is an array; a 0-d array for a scalar, as NumPy's reductions return."""
    return y if type(y) is np.ndarray or not isinstance(y, np.generic) else np.asarray(y)


# --- new arrays, on the device of an existing one ----------------------------------------------


def _make(function: str, like: Array, *args: Any, dtype: Any = None) -> Array:
    """Call the array module of `like`, so that the result is on its device.

    NumPy receives `like` too, so that a subclass of its arrays can return its own kind (NEP 35).
    """
    xp = array_module(like)
    if xp is np and isinstance(like, np.ndarray):
        return getattr(np, function)(*args, dtype=dtype, like=like)
    return getattr(xp, function)(*args, dtype=dtype)


def empty(shape: tuple[int, ...], like: Array, dtype: Any = None) -> Array:
    """An uninitialised array on the device of `like`, in its dtype by default."""
    return _make("empty", like, shape, dtype=like.dtype if dtype is None else dtype)


def zeros(shape: tuple[int, ...], like: Array, dtype: Any = None) -> Array:
    """An array of zeros on the device of `like`, in its dtype by default."""
    return _make("zeros", like, shape, dtype=like.dtype if dtype is None else dtype)


def full(shape: tuple[int, ...], value: float, like: Array, dtype: Any = None) -> Array:
    """An array of one number on the device of `like`, in its dtype by default."""
    return _make("full", like, shape, value, dtype=like.dtype if dtype is None else dtype)


def arange(stop: int, like: Array, dtype: Any = "int64") -> Array:
    """The integers 0, ..., stop - 1 on the device of `like`."""
    return _make("arange", like, stop, dtype=dtype)


def eye(n: int, like: Array, dtype: Any = None) -> Array:
    """The identity matrix (n, n) on the device of `like`, in its dtype by default."""
    return _make("eye", like, n, dtype=like.dtype if dtype is None else dtype)


def constant(numbers: Any, like: Array, dtype: Any = None) -> Array:
    """A Python number, or nested lists of numbers, as an array on the device of `like`."""
    return _make("asarray", like, numbers, dtype=dtype)


# --- values on the host ------------------------------------------------------------------------


def check(condition: Array, error: Callable[[], Exception]) -> None:
    """Raise ``error()`` unless all entries of a boolean array are true.

    All checks of data (labels in range, indices in range) go through here: reading a value
    synchronises with the GPU, and a captured step has to repeat the check.

    Args:
        condition: a boolean array, on either device.
        error: makes the exception; called only on failure.
    """
    # as_array, because each method call on a NumPy scalar adds a string to Python's method cache
    if not bool(as_array(condition).all()):
        raise error()


def quiet_underflow(function: F) -> F:
    """Let numbers underflow to 0 within `function`, where 0 is right, whatever np.seterr says."""
    return np.errstate(under="ignore")(function)


def quiet_range(function: F) -> F:
    """As `quiet_underflow`; also let them overflow, where the result is right nevertheless."""
    return np.errstate(under="ignore", over="ignore")(function)


# --- functions that differ between NumPy and CuPy -------------------------------------------


def index_add(target: Array, index: Any, values: Array) -> None:
    """``target[index] += values``, where the values of a repeated index add up.

    Plain ``+=`` keeps only the last of them. CuPy before 12 has no ``add.at``; its function is in
    ``cupyx``.
    """
    xp = array_module(target, values)
    if hasattr(xp.add, "at"):
        xp.add.at(target, index, values)
    else:
        import cupyx

        cupyx.scatter_add(target, index, values)


def special(name: str, x: Array, *before: float) -> Array:
    """Apply a function of ``scipy.special`` to the numbers `before` and x, in the dtype of x."""
    xp, x = array_module(x), array_of(x)
    # imported on first use: SciPy would double the time that `import tinynet` takes
    if xp is np:
        from scipy import special as functions
    else:
        from cupyx.scipy import special as functions
    y = getattr(functions, name)(*before, x)
    return y.astype(x.dtype) if y.dtype != x.dtype and x.dtype.kind == "f" else y
