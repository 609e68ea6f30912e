"""Checks of arguments that many functions share: integers, axes, sizes, numbers, flags.

Each takes the function's name, the argument's name and its value, and returns the value as Python
has it. PyTorch's rules: where an integer is meant, an integer tensor of shape () is one; where one
axis is meant it is an integer, where several may be meant an integer or a list of them. A tensor of
shape () has one axis, 0 or -1, of size 1. `operands` checks tensors.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

from tinynet.autograd import Value
from tinynet.backend import generic, is_array
from tinynet.functions.public import shown
from tinynet.ops.reduction import axes_of


def integer(name: str, what: str, value: Any, least: int | None = None) -> int:
    """`value` as a Python integer.

    Raises:
        TypeError: for anything but an integer, and for a boolean.
        ValueError: below `least`.
    """
    if type(value) is not int:
        dtype: Any = getattr(value, "dtype", None)  # of an array or a NumPy scalar
        not_one = dtype is not None and (dtype.kind not in "iu" or value.ndim)
        if isinstance(value, bool) or not_one or not hasattr(value, "__index__"):
            wanted = "one axis, an integer" if what == "dim" else "an integer"
            raise TypeError(f"{name}: {what} is {shown(value)}; it must be {wanted}")
        value = operator.index(value)
    if least is not None and value < least:
        raise ValueError(f"{name}: {what} is {value}; it must be at least {least}")
    return value


def is_list(value: Any) -> bool:
    """Whether it is several numbers: a list or tuple, or a tensor with axes."""
    if isinstance(value, Value) or is_array(value):
        return bool(value.ndim)
    return isinstance(value, list | tuple)


def integers(name: str, what: str, values: Any) -> tuple[int, ...]:
    """A sequence of integers, or a tensor of one axis, as a tuple."""
    if isinstance(values, Value) or is_array(values):
        values = values.tolist()
    if not isinstance(values, Iterable) or isinstance(values, str | bytes):
        raise TypeError(f"{name}: {what} is {shown(values)}; it must be integers")
    return tuple([integer(name, what, v) for v in values])


def one_or_more(name: str, what: str, value: Any) -> tuple[int, ...]:
    """An integer, or several, as a tuple."""
    return integers(name, what, (value,) if hasattr(value, "__index__") else value)


def sizes_of(name: str, given: tuple[Any, ...], what: str = "size") -> tuple[int, ...]:
    """``(2, 3)`` from both ``f(2, 3)`` and ``f((2, 3))``."""
    if [*map(type, given)] == [int] * len(given):  # the usual case
        return given
    one: Any = given[0] if len(given) == 1 else 0
    return integers(name, what, given if hasattr(one, "__index__") and not is_list(one) else one)


def shape_of(name: str, given: tuple[Any, ...]) -> tuple[int, ...]:
    """The shape of a new tensor.

    Raises:
        ValueError: for a negative size.
    """
    sizes = sizes_of(name, given)
    if min(sizes, default=0) < 0:
        raise ValueError(f"{name}: size {sizes} has a negative number; sizes must be at least 0")
    return sizes


def one_axis(name: str, dim: Any, ndim: int) -> int:
    """`dim` as an axis from 0 to ndim - 1, or 0 for a tensor of shape ().

    Raises:
        TypeError: for anything but an integer.
        IndexError: for an axis out of range.
    """
    return axes_of(name, integer(name, "dim", dim), ndim or 1)[0]


def some_axes(name: str, dim: Any, ndim: int) -> tuple[int, ...]:
    """`dim`, one axis or several, as distinct axes, all for None; () for a tensor of shape ()."""
    if dim is None:
        return tuple(range(ndim))
    found = axes_of(name, dim if type(dim) is int else one_or_more(name, "dim", dim), ndim or 1)
    return found if ndim else ()


def reduced_axes(name: str, dim: Any, ndim: int) -> tuple[int, ...]:
    """The axes to reduce: as `some_axes`, but () means all too."""
    return some_axes(name, None if type(dim) in (tuple, list) and not dim else dim, ndim)


def number(name: str, what: str, value: Any) -> Any:
    """`value` as a Python number; a NumPy scalar and a tensor of shape () hold one.

    Raises:
        TypeError: for anything else.
    """
    if (isinstance(value, Value | generic) or is_array(value)) and not value.ndim:
        value = value.item()
    if not isinstance(value, int | float):
        raise TypeError(f"{name}: {what} is {shown(value)}; it must be a number")
    return value


def flag(name: str, what: str, value: Any) -> bool:
    """`value` as a Python bool.

    Raises:
        TypeError: for anything but True, False, 0 and 1.
    """
    if type(value) is not bool:
        if isinstance(value, Value) or is_array(value) or value not in (True, False):
            raise TypeError(f"{name}: {what} is {shown(value)}; it must be True or False")
        value = bool(value)
    return value
