"""Functions that repeat, turn or shift the entries along axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.backend import arange
from tinynet.functions.arguments import (
    integer,
    integers,
    is_list,
    one_axis,
    one_or_more,
    sizes_of,
    some_axes,
)
from tinynet.functions.public import function, shown, unrecorded
from tinynet.ops import broadcast, shape
from tinynet.ops.indexing import at_axis

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


@function
def repeat(input: Tensor, *repeats: Any) -> Tensor:
    """Copies of x side by side, a number of times along each axis; axes may be added in front."""
    times = sizes_of("repeat", repeats, "repeats")
    if len(times) < input.ndim:
        raise ValueError(
            f"repeat: {len(times)} numbers {times} for the {input.ndim} axes of shape "
            f"{input.shape}; give one for each axis"
        )
    return _tiled("repeat", input, times)


@function
def tile(input: Tensor, *dims: Any) -> Tensor:
    """The same as `repeat`, where missing numbers count as 1."""
    times = sizes_of("tile", dims, "dims")
    return _tiled("tile", input, (1,) * (input.ndim - len(times)) + times)


def _tiled(name: str, x: Tensor, times: tuple[int, ...]) -> Tensor:
    if min(times, default=0) < 0:
        raise ValueError(f"{name}: numbers {times} must be at least 0")
    sizes = (1,) * (len(times) - x.ndim) + x.shape
    # every axis becomes two, (copies, entries), of which the first is expanded
    apart = tuple([m for n in sizes for m in (1, n)])
    copies = tuple([m for k, n in zip(times, sizes, strict=True) for m in (k, n)])
    y = broadcast.expand(shape.reshape(x, shape=apart), shape=copies)
    return shape.reshape(y, shape=tuple([k * n for k, n in zip(times, sizes, strict=True)]))


@function
def repeat_interleave(
    input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each entry along `dim` a number of times in a row; of all entries in a row for dim None.

    Args:
        input: any shape. Without `repeats`, the numbers themselves: then the result has position
            i for ``input[i]`` times.
        repeats: one number, or one for each entry along `dim`.
        dim: the axis.
        output_size: the size of the result along `dim`, if it is known; it is checked.
    """
    name = "repeat_interleave"
    if repeats is None:
        if input.ndim != 1 or input.dtype.kind not in "iu":
            raise TypeError(f"{name}: repeats is {shown(input)}; it must be a vector of integers")
        numbers = unrecorded(input, arange(input.numel(), input.data))
        return repeat_interleave(numbers, input, 0, output_size=output_size)
    x = input if dim is not None else input.flatten()
    at = one_axis(name, dim or 0, x.ndim)
    x = x if x.ndim else x.reshape(1)
    n = x.shape[at]
    if is_list(repeats):
        times = integers(name, "repeats", repeats)
        times = times * n if len(times) == 1 else times
    else:
        times = (integer(name, "repeats", repeats),) * n
    if len(times) != n:
        raise ValueError(f"{name}: {len(times)} repeats for {n} entries along dim {dim or 0}")
    if min(times, default=0) < 0:
        raise ValueError(f"{name}: repeats has the number {min(times)}; it must be at least 0")
    if output_size is not None and output_size != sum(times):
        raise ValueError(f"{name}: output_size is {output_size}; repeats add up to {sum(times)}")
    places = [i for i, k in enumerate(times) for _ in range(k)]
    return x[at_axis(at, places)]


@function
def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """The entries moved along axes, those pushed out at the end coming back at the start.

    y[(i + shift) mod n] = x[i]. Without `dims` the entries count as one row.
    """
    steps = one_or_more("roll", "shifts", shifts)
    turned = () if dims is None else one_or_more("roll", "dims", dims)
    if not turned:
        if len(steps) != 1:
            raise ValueError(f"roll: {len(steps)} shifts need as many dims")
        return roll(input.flatten(), steps[0], 0).reshape(input.shape)
    if len(steps) != len(turned):
        raise ValueError(f"roll: {len(steps)} shifts for {len(turned)} dims; they must be as many")
    y = input
    for step, dim in zip(steps, turned, strict=True):
        if not input.ndim:
            raise IndexError(f"roll: a tensor of shape () has no dim {dim}")
        at = one_axis("roll", dim, input.ndim)
        n = input.shape[at]
        if n and step % n:
            first, last = shape.split(y, sizes=(n - step % n, step % n), dim=at)
            y = shape.cat(last, first, dim=at)
    return y if y is not input else input.clone()


@function
def rot90(input: Tensor, k: int = 1, dims: Any = (0, 1)) -> Tensor:
    """Turn by k times 90 degrees in the plane of two axes, from the first towards the second."""
    plane = integers("rot90", "dims", dims)
    if len(plane) != 2:
        raise ValueError(f"rot90: dims {plane} must be two axes")
    if input.ndim < 2:
        raise ValueError(f"rot90: shape {input.shape} has no plane to turn; it needs two axes")
    a, b = some_axes("rot90", plane, input.ndim)
    turns = integer("rot90", "k", k) % 4
    if turns == 0:
        return input.clone()
    if turns == 2:
        return shape.flip(input, dims=(a, b))
    if turns == 1:
        return shape.flip(input, dims=(b,)).transpose(a, b)
    return shape.flip(input.transpose(a, b), dims=(b,))


@function
def flip(input: Tensor, *dims: Any) -> Tensor:
    """The entries in reverse order along the axes; see `tinynet.ops.shape.flip`."""
    return shape.flip(input, dims=some_axes("flip", sizes_of("flip", dims, "dims"), input.ndim))


@function
def fliplr(input: Tensor) -> Tensor:
    """The columns in reverse order: `flip` along axis 1."""
    if input.ndim < 2:
        raise ValueError(f"fliplr: shape {input.shape} has no axis 1; it needs two axes")
    return shape.flip(input, dims=(1,))


@function
def flipud(input: Tensor) -> Tensor:
    """The rows in reverse order: `flip` along axis 0."""
    if input.ndim < 1:
        raise ValueError("flipud: a tensor of shape () has no axis 0; it needs one axis")
    return shape.flip(input, dims=(0,))
