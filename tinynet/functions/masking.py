"""Functions of a tensor and a mask of booleans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.autograd import Value, raw
from tinynet.backend import array_module, constant, full, is_array
from tinynet.functions.public import function, shown, unrecorded
from tinynet.functions.shaping import broadcast_shapes
from tinynet.memory import broadcast_to
from tinynet.ops import broadcast, indexing
from tinynet.ops.arithmetic import where

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


def _mask(name: str, mask: Any, x: Tensor) -> Any:
    """An array of booleans, copied.

    Raises:
        TypeError: for anything but booleans.
    """
    if isinstance(mask, bool | list):
        mask = constant(mask, x.data)
    found = raw(mask)
    if not is_array(found) or found.dtype.kind != "b":
        raise TypeError(f"{name}: mask is {shown(mask)}; it must be a tensor of booleans")
    return found.copy()


@function
def masked_fill(input: Tensor, mask: Any, value: Any) -> Tensor:
    """y = value where the mask is true, else x; the mask broadcasts.

    Args:
        input: any shape.
        mask: booleans.
        value: a number or a Tensor of shape (), converted to the dtype of x.
    """
    chosen = _mask("masked_fill", mask, input)
    if isinstance(value, Value):
        if value._data.ndim:
            raise ValueError(f"masked_fill: value is {shown(value)}; it must have shape ()")
        new: Any = value.to(input.dtype)  # type: ignore[attr-defined]
    elif isinstance(value, int | float):
        new = unrecorded(input, full((), value, input.data))
    else:
        raise TypeError(f"masked_fill: value is {shown(value)}; it must be a number")
    broadcast_shapes(chosen.shape, input.shape)
    return where(chosen, new, input)


@function
def masked_select(input: Tensor, mask: Any) -> Tensor:
    """The entries where the mask is true, in row-major order; x and mask broadcast."""
    chosen = _mask("masked_select", mask, input)
    together = broadcast_shapes(chosen.shape, input.shape)
    x = broadcast.expand(input, shape=together)
    return indexing.getitem(x, index=broadcast_to(chosen, together).copy())


@function
def masked_scatter(input: Tensor, mask: Any, source: Tensor) -> Tensor:
    """A copy of x with the entries of `source`, one after the other, where the mask is true."""
    name = "masked_scatter"
    chosen = _mask(name, mask, input)
    if source.dtype != input.dtype:
        raise TypeError(f"{name}: source is {shown(source)}; it must be a Tensor of {input.dtype}")
    together = broadcast_shapes(chosen.shape, input.shape)
    x, chosen = broadcast.expand(input, shape=together), broadcast_to(chosen, together)
    count, there = int(chosen.sum()), source.numel()
    if count > there:
        raise ValueError(f"{name}: source has {there} entries for {count} places of the mask")
    if not count:
        return x.clone()
    number = chosen.ravel().cumsum().reshape(together) - 1
    entries = source.flatten()
    new = indexing.getitem(entries, index=array_module(number).maximum(number, 0))
    return where(chosen, new, x)
