"""Element types by PyTorch's names, and the dtype of a result."""

from __future__ import annotations

from typing import Any

import numpy as np

float16, float32, float64 = np.dtype("float16"), np.dtype("float32"), np.dtype("float64")
uint8, int8, int16 = np.dtype("uint8"), np.dtype("int8"), np.dtype("int16")
int32, int64, bool_ = np.dtype("int32"), np.dtype("int64"), np.dtype("bool")
half, float_, double = float16, float32, float64
short, int_, long = int16, int32, int64


def as_dtype(name: Any) -> Any:
    """The NumPy dtype of that name, which CuPy uses too.

    Raises:
        TypeError: for an unknown name, and for types that are no real numbers.
    """
    try:
        if name is None:  # NumPy would take float64
            raise TypeError
        dtype = np.dtype(name)
    except TypeError:
        raise TypeError(
            f"dtype: {name!r} is neither a device ('cpu', 'cuda') nor a dtype ('float32', "
            "'float64', ...)"
        ) from None
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise TypeError(f"dtype: {dtype} is not supported; it must be of real numbers or booleans")
    return dtype


def is_new_float(dtype: Any, arrays: list[Any], options: dict[str, Any]) -> bool:
    """Whether a result has a floating-point dtype that no input has and no option requests.

    NumPy converts integers to float64, even when combined with float32. The engine casts such a
    result to float32, PyTorch's default, so that a network keeps its dtype.
    """
    if dtype.kind != "f" or "dtype" in options:
        return False
    return not any(hasattr(a, "dtype") and a.dtype == dtype for a in arrays)


class finfo:
    """What a floating-point dtype can hold, as Python numbers.

    >>> finfo("float32").eps == 2.0**-23
    True
    """

    def __init__(self, type: Any = "float32") -> None:
        self.dtype = as_dtype(type)
        if self.dtype.kind != "f":
            raise TypeError(f"finfo: {self.dtype} is not a floating-point dtype; use iinfo")
        limits: Any = np.finfo(self.dtype)
        self.bits = int(limits.bits)
        self.eps, self.max, self.min = float(limits.eps), float(limits.max), float(limits.min)
        self.tiny = self.smallest_normal = float(limits.tiny)
        self.resolution = float(limits.resolution)

    def __repr__(self) -> str:
        return f"finfo({self.dtype}: eps={self.eps:g}, max={self.max:g}, tiny={self.tiny:g})"


class iinfo:
    """What an integer dtype can hold, as Python numbers.

    >>> iinfo("uint8").max
    255
    """

    def __init__(self, type: Any) -> None:
        self.dtype = as_dtype(type)
        if self.dtype.kind not in "iu":
            raise TypeError(f"iinfo: {self.dtype} is not an integer dtype; use finfo")
        limits = np.iinfo(self.dtype)
        self.bits, self.min, self.max = int(limits.bits), int(limits.min), int(limits.max)

    def __repr__(self) -> str:
        return f"iinfo({self.dtype}: min={self.min}, max={self.max})"
