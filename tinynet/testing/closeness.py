"""assert_close: that two results agree, to the precision of their dtype."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tinynet.autograd import Value
from tinynet.nn.state import host_array

# relative and absolute tolerances of PyTorch's function of this name
TOLERANCES = {"float16": (1e-3, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7)}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raise an AssertionError unless |actual - expected| <= atol + rtol |expected| everywhere.

    Args:
        actual: a tensor, array or number; or a list, tuple or dict of them.
        expected: the same.
        rtol, atol: the tolerances, given both or neither; by default 1.3e-6 and 1e-5 for float32,
            1e-7 and 1e-7 for float64, 1e-3 and 1e-5 for float16, 0 and 0 for integers. Of two
            dtypes the coarser counts.
        equal_nan: whether NaN agrees with NaN.
        check_device, check_dtype: whether devices and dtypes of tensors must be equal.
        msg: the message of the error, or a function of the message that it would have.
        allow_subclasses, check_layout, check_stride: no effect.
    """
    if (rtol is None) != (atol is None):
        raise ValueError("assert_close: give both rtol and atol, or neither")
    problem = _difference(actual, expected, "", (rtol, atol), equal_nan, check_dtype, check_device)
    if problem:
        raise AssertionError(msg(problem) if callable(msg) else msg or problem)


def _difference(
    a: Any, b: Any, where: str, given: Any, equal_nan: bool, check_dtype: bool, check_device: bool
) -> str:
    """What differs, or an empty text."""
    options = given, equal_nan, check_dtype, check_device
    at = f" at {where}" if where else ""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        if a.keys() != b.keys():
            return f"assert_close: the keys differ{at}: {sorted(a)} and {sorted(b)}"
        parts: Any = [(a[key], b[key], f"{where}[{key!r}]") for key in a]
    elif _is_list(a) and _is_list(b):
        if len(a) != len(b):
            return f"assert_close: the lengths differ{at}: {len(a)} and {len(b)}"
        parts = [(x, y, f"{where}[{k}]") for k, (x, y) in enumerate(zip(a, b, strict=True))]
    else:
        return _difference_of_arrays(a, b, at, *options)
    for x, y, place in parts:
        problem = _difference(x, y, place, *options)
        if problem:
            return problem
    return ""


def _is_list(a: Any) -> bool:
    return isinstance(a, Sequence) and not isinstance(a, str)


def _difference_of_arrays(
    a: Any, b: Any, at: str, given: Any, equal_nan: bool, check_dtype: bool, check_device: bool
) -> str:
    x, y = host_array("assert_close: actual", a), host_array("assert_close: expected", b)
    if x.shape != y.shape:
        return f"assert_close: the shapes differ{at}: {tuple(x.shape)} and {tuple(y.shape)}"
    tensors = isinstance(a, Value) and isinstance(b, Value)
    if tensors and check_device and a.device != b.device:
        return f"assert_close: the devices differ{at}: {a.device} and {b.device}"
    if tensors and check_dtype and x.dtype != y.dtype:
        return f"assert_close: the dtypes differ{at}: {x.dtype} and {y.dtype}"
    defaults = [TOLERANCES.get(str(d.dtype), (0.0, 0.0)) for d in (x, y)]
    rtol, atol = map(max, zip(*defaults, strict=True)) if given[0] is None else given
    wide = np.promote_types(np.promote_types(x.dtype, y.dtype), "float64")
    exact = x.dtype.kind in "iub" and y.dtype.kind in "iub" and not rtol and not atol
    near = not exact and np.isclose(x.astype(wide), y.astype(wide), rtol, atol, equal_nan)
    wrong = np.asarray(x != y if exact else ~near)  # int64 has numbers that float64 lacks
    if not wrong.any():
        return ""
    with np.errstate(invalid="ignore", divide="ignore"):
        gaps = np.abs(x.astype(wide) - y.astype(wide))
    gaps = np.where(wrong, np.where(np.isnan(gaps), math.inf, gaps), -1.0)
    place = tuple(int(k) for k in np.unravel_index(int(gaps.argmax()), gaps.shape))
    which = f" (the worst is entry {place})" if place else ""
    return (
        f"assert_close: {int(wrong.sum())} of {wrong.size} entries differ{at}{which}: "
        f"{x[place]} and {y[place]}, by {gaps[place]:.3g}; rtol {rtol:g} and atol {atol:g} allow "
        f"{atol + rtol * abs(float(y[place])):.3g}"
    )
