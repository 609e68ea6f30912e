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
