"""Checks of arguments that many functions share: axes, sizes, integers, lists of tensors."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tinynet.autograd import Value
from tinynet.backend import is_array
from tinynet.functions.public import shown
from tinynet.ops.reduction import axes_of, axis_of

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


def integer(name: str, what: str, value: Any) -> int:
    """`value` as a Python int; NumPy's integers and integer tensors of shape () count as one.

    Raises:
        TypeError: for everything else, booleans too.
    """
    wanted = "one axis" if what == "dim" else "an integer"
    dtype: Any = getattr(value, "dtype", None)  # of an array or a NumPy scalar
    if isinstance(value, bool) or (dtype is not None and (dtype.kind not in "iu" or value.ndim)):
        raise TypeError(f"{name}: {what} is {shown(value)}; it must be {wanted}")
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: {what} is {shown(value)}; it must be {wanted}") from None


def integers(name: str, what: str, values: Any) -> tuple[int, ...]:
    """A sequence of integers, or a tensor of one axis, as a tuple."""
    if isinstance(values, Value) or is_array(values):
        values = values.tolist()
    if not isinstance(values, Iterable) or isinstance(values, str | bytes):
        raise TypeError(f"{name}: {what} is {shown(values)}; it must be integers")
    return tuple([integer(name, what, v) for v in values])


def sizes_of(given: tuple[Any, ...], name: str = "shape", what: str = "size") -> tuple[int, ...]:
    """``(2, 3)`` from both ``f(2, 3)`` and ``f((2, 3))``."""
    one: Any = given[0] if len(given) == 1 else 0
    vector = (isinstance(one, Value) or is_array(one)) and one.ndim
    return integers(name, what, one if vector or not hasattr(one, "__index__") else given)


def shape_of(name: str, given: tuple[Any, ...]) -> tuple[int, ...]:
    """The shape of a new tensor.

    Raises:
        ValueError: for a negative size.
    """
    sizes = sizes_of(given, name)
    if min(sizes, default=0) < 0:
        raise ValueError(f"{name}: size {sizes} has a negative number; sizes must be at least 0")
    return sizes


def axis(name: str, dim: Any, ndim: int) -> int:
    """`dim` as an axis from 0 to ndim - 1; a tensor of shape () has an axis 0 of size 1.

    Raises:
        TypeError: for anything but an integer.
        IndexError: for an axis out of range.
    """
    return axis_of(name, integer(name, "dim", dim), max(ndim, 1))


def axes(name: str, dims: Any, ndim: int) -> tuple[int, ...]:
    """`dims`, one axis or several, as distinct axes from 0 to ndim - 1."""
    given = (integer(name, "dim", dims),) if hasattr(dims, "__index__") else dims
    return axes_of(name, integers(name, "dims", given), max(ndim, 1))


def tensors_of(name: str, tensors: Any) -> list[Tensor]:
    """A sequence of Tensors as a list.

    Raises:
        TypeError: if it is no sequence, or if a member is not a Tensor.
        ValueError: if it is empty.
    """
    if isinstance(tensors, Value) and not tensors._data.ndim:
        raise TypeError(f"{name}: tensors is one number; it must be a list of Tensors")
    if not isinstance(tensors, Iterable) or isinstance(tensors, str | bytes):
        raise TypeError(f"{name}: tensors is {shown(tensors)}; it must be a list of Tensors")
    found = list(tensors)
    for k, t in enumerate(found):
        if not isinstance(t, Value):
            raise TypeError(f"{name}: number {k} of the tensors is {shown(t)}; it must be a Tensor")
    if not found:
        raise ValueError(f"{name}: the list of tensors is empty; give at least one")
    return found


def several(name: str, tensors: tuple[Any, ...]) -> list[Tensor]:
    """The Tensors of both ``f(a, b)`` and ``f([a, b])``."""
    one = len(tensors) == 1 and not isinstance(tensors[0], Value)
    return tensors_of(name, tensors[0] if one else tensors)
