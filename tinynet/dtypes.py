"""Element types: their names, and which type a result has."""

from __future__ import annotations

from typing import Any

import numpy as np

# The element types a Tensor is made of, by PyTorch's names.
float32, float64 = np.dtype("float32"), np.dtype("float64")
int64, bool_ = np.dtype("int64"), np.dtype("bool")


def as_dtype(name: Any) -> Any:
    """The element type of that name, NumPy's object for both modules.

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
    """Whether a result has a floating-point type that no input has and no option asked for.

    NumPy makes float64 of integers, even where they meet float32. A network keeps its type, so
    the engine makes such a result float32, PyTorch's default.
    """
    if dtype.kind != "f" or "dtype" in options:
        return False
    return not any(hasattr(a, "dtype") and a.dtype == dtype for a in arrays)
