"""Element types by PyTorch's names, and the dtype of a result."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

float16, float32, float64 = np.dtype("float16"), np.dtype("float32"), np.dtype("float64")
uint8, int8, int16 = np.dtype("uint8"), np.dtype("int8"), np.dtype("int16")
int32, int64, bool_ = np.dtype("int32"), np.dtype("int64"), np.dtype("bool")
half, float_, double = float16, float32, float64
short, int_, long = int16, int32, int64


def as_dtype(name: Any) -> Any:
    """The NumPy dtype of that name, which CuPy uses too.

    Raises:
        TypeError: for an unknown name, and for types other than real numbers.
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


def wider(a: Any, b: Any) -> Any:
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
        groups[k] = dtype if groups[k] is None else wider(groups[k], dtype)
    numbers, zero_d, result = groups[2], groups[1], groups[0]
    for lower in (zero_d, numbers):
        if result is None:
            result = lower
        elif lower is not None and category(lower) > category(result):
            result = wider(result, lower)
    return result


def numpy_dtype(operands: Any) -> Any:
    """NumPy's dtype of a sum of arrays and numbers."""
    return np.result_type(*(getattr(a, "dtype", a) for a in operands))


def largest(dtype: Any) -> float:
    """The largest number of a floating-point dtype."""
    return float(np.finfo(dtype).max)


# A sum of float16 loses every term below half a unit of its total, and overflows at 65,504. So what
# adds up is computed in float32 and rounded once. Source: P. Micikevicius et al., Mixed precision
# training, arXiv:1710.03740, section 3.3.


def accumulates(forward: F) -> F:
    """Mark the forward of an operation that adds up; `autograd.guards` sees to float16."""
    forward.accumulates = True  # type: ignore[attr-defined]
    return forward


def in_float32(function: F) -> F:
    """Make a composition compute a first Tensor of float16 in float32, and round its results once.

    The conversions are recorded, so the gradients are computed in float32 as well. If another
    argument is of a wider floating-point dtype, so is the result.
    """

    @functools.wraps(function)
    def wide(*args: Any, **options: Any) -> Any:
        first = args[0] if args else options.get("input")
        if getattr(first, "dtype", None) is not float16:
            return function(*args, **options)
        y = function(*map(widened, args), **{k: widened(a) for k, a in options.items()})
        given = [a.dtype for a in (*args, *options.values()) if hasattr(a, "dtype")]
        if "dtype" in options or any(d.kind == "f" and d != float16 for d in given):
            return y
        return tuple(map(rounded, y)) if isinstance(y, tuple) else rounded(y)

    return wide  # type: ignore[return-value]


def is_float16(a: Any) -> bool:
    return getattr(a, "dtype", None) is float16


def only_float16(arrays: Sequence[Any]) -> bool:
    """Whether all floating-point arrays are float16, and there is one."""
    found = False
    for a in arrays:
        dtype = getattr(a, "dtype", None)
        if dtype is float32 or dtype is float64:
            return False
        found = found or dtype is float16
    return found


def widened(a: Any) -> Any:
    """float16 in float32; anything else as it is."""
    return _cast(a, float32) if is_float16(a) else a


def rounded(y: Any) -> Any:
    """float32 in float16; anything else as it is."""
    return _cast(y, float16) if y.dtype == float32 else y


def _cast(a: Any, dtype: Any) -> Any:
    """An array, or a Tensor, in another dtype."""
    return a.astype(dtype) if hasattr(a, "astype") else a.to(dtype)


def check_same_float(name: str, names: Sequence[str], *operands: Any) -> None:
    """Raise TypeError if some operands, arrays or None, have different floating-point dtypes.

    NumPy would compute in the wider, and one float64 array would make a whole network float64.
    """
    dtype = operands[0].dtype
    for a in operands:
        if a is not None and a.dtype is not dtype:
            break
    else:
        return
    floats = {
        k: a.dtype
        for k, a in zip(names, operands, strict=False)
        if a is not None and a.dtype.kind == "f"
    }
    if len(set(floats.values())) > 1:
        (first, one), (second, other) = next(
            (p, q) for p in floats.items() for q in floats.items() if p[1] != q[1]
        )
        raise TypeError(
            f"{name}: {first} is {one} and {second} is {other}; convert one with .to, as in "
            f"x.to({str(other)!r})"
        )


def get_default_dtype() -> Any:
    """The dtype of tensors made from Python's floats: float32."""
    return float32


def set_default_dtype(d: Any, /) -> None:
    """Accept float32, the dtype of tensors made from Python's floats.

    Raises:
        ValueError: for another dtype.
    """
    if as_dtype(d) != float32:
        raise ValueError(
            f"set_default_dtype: {as_dtype(d)} is not supported; Python's floats become float32. "
            "Give dtype= where a tensor is made, or convert with .double() and model.double()"
        )
