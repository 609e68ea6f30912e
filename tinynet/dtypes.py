"""Element types by PyTorch's names, and the dtype of a result."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

float16, float32, float64 = np.dtype("float16"), np.dtype("float32"), np.dtype("float64")
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


def same_kind(a: Any, b: Any) -> bool:
    """Whether both dtypes are floating-point, both integer, or both boolean."""
    return bool(a.kind == b.kind or (a.kind in "iu" and b.kind in "iu"))


def is_new_float(dtype: Any, arrays: list[Any], options: dict[str, Any]) -> bool:
    """Whether a result has a floating-point dtype that no input has and no option requests.

    NumPy converts integers to float64, even when combined with float32. The engine casts such a
    result to float32, PyTorch's default, so that a network keeps its dtype.
    """
    if dtype.kind != "f" or "dtype" in options:
        return False
    return not any(hasattr(a, "dtype") and a.dtype == dtype for a in arrays)


def in_float32(function: F, mixed: bool = True) -> F:
    """Make `function` compute a first argument of float16 in float32, and round its results once.

    A sum of float16 loses every term below half a unit of its total, and overflows at 65,504. For
    an operation the arguments are arrays, for a composition Tensors: then the two conversions are
    recorded, and the gradients are computed in float32 as well. If another argument is of a wider
    floating-point dtype, so is the result, or with `mixed` False a TypeError is raised.

    Source: P. Micikevicius et al., Mixed precision training, arXiv:1710.03740, section 3.3.
    """

    @functools.wraps(function)
    def wide(*args: Any, **options: Any) -> Any:
        try:
            narrow = args[0].dtype is float16
        except (IndexError, AttributeError):
            narrow = is_float16(options.get("input"))
        if not narrow:
            return function(*args, **options)
        if not mixed:
            arrays = [a for a in args if hasattr(a, "dtype")]
            names = [f"operand {i}" for i in range(1, len(arrays) + 1)]
            check_same_float(function.__name__, names, *arrays)
        y = function(*map(widened, args), **{k: widened(a) for k, a in options.items()})
        given = [a.dtype for a in (*args, *options.values()) if hasattr(a, "dtype")]
        if "dtype" in options or any(d.kind == "f" and d != float16 for d in given):
            return y
        return tuple(map(rounded, y)) if isinstance(y, tuple) else rounded(y)

    return wide  # type: ignore[return-value]


def in_float32_unmixed(function: F) -> F:
    """As `in_float32`; arguments of different floating-point dtypes raise a TypeError."""
    return in_float32(function, mixed=False)


def is_float16(a: Any) -> bool:
    return getattr(a, "dtype", None) is float16


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
