"""Element types by PyTorch's names, and the dtype of a result."""

from __future__ import annotations

from typing import Any

import numpy as np

float32, float64 = np.dtype("float32"), np.dtype("float64")
int64, bool_ = np.dtype("int64"), np.dtype("bool")


def as_dtype(name: Any) -> Any:
    """The NumPy dtype of that name, which CuPy uses too.

    Raises:
        TypeError: for an unknown name.
    """
    try:
        return np.dtype(name)
    except TypeError:
        raise TypeError(
            f"{name!r} is neither a device ('cpu', 'cuda') nor a dtype ('float32', 'float64', ...)"
        ) from None


def is_new_float(dtype: Any, arrays: list[Any], options: dict[str, Any]) -> bool:
    """Whether a result has a floating-point dtype that no input has and no option requests.

    NumPy converts integers to float64, even when combined with float32. The engine casts such a
    result to float32, PyTorch's default, so that a network keeps its dtype.
    """
    if dtype.kind != "f" or "dtype" in options:
        return False
    return not any(hasattr(a, "dtype") and a.dtype == dtype for a in arrays)


def _wider(a: Any, b: Any) -> Any:
    """The dtype of a sum of two arrays: floats beat integers, whatever their sizes."""
    if (a.kind == "f") != (b.kind == "f"):
        return a if a.kind == "f" else b
    return a if a == b else np.promote_types(a, b)


_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2}
_OF_NUMBER = {bool: bool_, int: int64, float: float32}


def category(dtype: Any) -> int:
    """0 for booleans, 1 for integers, 2 for floats."""
    return _CATEGORY[dtype.kind]


def result_dtype(operands: Any) -> Any:
    """PyTorch's dtype of a sum: arrays with axes decide before 0-d arrays, these before numbers.

    A later group counts only where its category (boolean, integer, float) is higher: float32 plus
    a 0-d float64 array is float32, int32 plus 1.5 is float32, int32 plus a 0-d float64 is float64.
    """
    groups: list[Any] = [None, None, None]
    for a in operands:
        dtype = getattr(a, "dtype", None)
        if dtype is None:
            k, dtype = 2, _OF_NUMBER.get(type(a), float32)
        else:
            k = 0 if a.ndim else 1
        groups[k] = dtype if groups[k] is None else _wider(groups[k], dtype)
    numbers, zero_d, result = groups[2], groups[1], groups[0]
    for lower in (zero_d, numbers):
        if result is None:
            result = lower
        elif lower is not None and category(lower) > category(result):
            result = _wider(result, lower)
    return result


def numpy_dtype(operands: Any) -> Any:
    """NumPy's dtype of a sum of arrays and numbers."""
    return np.result_type(*(getattr(a, "dtype", a) for a in operands))


def largest(dtype: Any) -> float:
    """The largest number of a floating-point dtype."""
    return float(np.finfo(dtype).max)
