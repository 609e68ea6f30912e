"""Functions that give the entries another shape or another order of axes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tinynet.backend import check
from tinynet.functions.arguments import integers, one_axis, one_or_more, sizes_of, some_axes
from tinynet.functions.operands import several
from tinynet.functions.public import function, unrecorded
from tinynet.ops import broadcast, shape

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


@function
def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The entries in row-major order in another shape; see `tinynet.ops.shape.reshape`."""
    return _reshaped("reshape", input, shape)


@function
def view(input: Tensor, *size: Any) -> Tensor:
    """The same as `reshape`: it shares memory where it can and copies where it must."""
    return _reshaped("view", input, size)


def _reshaped(name: str, x: Tensor, given: tuple[Any, ...]) -> Tensor:
    sizes = sizes_of(name, given)
    if min(sizes, default=0) < -1 or sizes.count(-1) > 1:
        raise ValueError(f"{name}: shape {sizes} must have sizes >= 0, and one -1 at most")
    known = -math.prod(sizes)
    if -1 in sizes and not known:  # 0 times anything makes the entries
        raise ValueError(f"{name}: shape {sizes} has a size 0, so the -1 could be any number")
    return shape.reshape(x, shape=sizes)


@function
def view_as(input: Tensor, other: Tensor) -> Tensor:
    """The entries in row-major order in the shape of `other`."""
    return _reshaped("view_as", input, tuple(other.shape))


@function
def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """The entries in row-major order in the shape of `other`."""
    return _reshaped("reshape_as", input, tuple(other.shape))


@function
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Merge the axes from `start_dim` to `end_dim`, both included, into one."""
    first = one_axis("flatten", start_dim, input.ndim)
    last = one_axis("flatten", end_dim, input.ndim)
    if first > last:
        raise ValueError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    n = math.prod(input.shape[first : last + 1])  # -1 is ambiguous for an empty batch
    return shape.reshape(input, shape=(*input.shape[:first], n, *input.shape[last + 1 :]))


@function
def ravel(input: Tensor) -> Tensor:
    """The entries in row-major order along one axis."""
    return shape.reshape(input, shape=(input.numel(),))


@function
def unflatten(input: Tensor, dim: int, sizes: Any) -> Tensor:
    """Cut the axis `dim` into axes of the given sizes, one of which may be -1.

    Raises:
        ValueError: unless the product of the sizes is the size of `dim`.
    """
    at = one_axis("unflatten", dim, input.ndim)
    n, wanted = input.shape[at], integers("unflatten", "sizes", sizes)
    rest = -math.prod(wanted) if -1 in wanted else 0
    if rest > 0 and n % rest == 0:
        wanted = tuple(n // rest if m == -1 else m for m in wanted)
    if not wanted or min(wanted) < 0 or math.prod(wanted) != n:
        raise ValueError(f"unflatten: sizes {wanted} do not multiply to {n}, the size of dim {dim}")
    return shape.reshape(input, shape=(*input.shape[:at], *wanted, *input.shape[at + 1 :]))


@function
def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Remove all axes of size 1, or those of `dim`, one axis or several, that have size 1."""
    chosen = some_axes("squeeze", dim, input.ndim)
    kept = tuple(n for i, n in enumerate(input.shape) if n != 1 or i not in chosen)
    return shape.reshape(input, shape=kept)


@function
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """Insert an axis of size 1 at position `dim` (-1: at the end)."""
    at = one_axis("unsqueeze", dim, input.ndim + 1)
    return shape.reshape(input, shape=(*input.shape[:at], 1, *input.shape[at:]))


@function
def permute(input: Tensor, *dims: Any) -> Tensor:
    """The axes in another order; see `tinynet.ops.shape.permute`."""
    return shape.permute(input, dims=sizes_of("permute", dims, "dims"))


@function
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two axes exchanged: y[.., i, .., j, ..] = x[.., j, .., i, ..]."""
    a, b = one_axis("transpose", dim0, input.ndim), one_axis("transpose", dim1, input.ndim)
    dims = list(range(input.ndim))
    if dims:  # a tensor of shape () has nothing to exchange
        dims[a], dims[b] = b, a
    return shape.permute(input, dims=tuple(dims))


@function
def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """The same as `transpose`, by NumPy's name."""
    return transpose(input, axis0, axis1)


@function
def swapdims(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """The same as `transpose`."""
    return transpose(input, dim0, dim1)


@function
def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; a vector and a number stay as they are."""
    if input.ndim > 2:
        raise ValueError(f"t: shape {input.shape} has more than two axes; use .mT or .permute")
    return shape.permute(input, dims=tuple(reversed(range(input.ndim))))


@function
def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Move the axes `source` to the positions `destination`; the others keep their order."""
    old = some_axes("movedim", one_or_more("movedim", "source", source), input.ndim)
    new = some_axes("movedim", one_or_more("movedim", "destination", destination), input.ndim)
    if len(old) != len(new):
        raise ValueError(f"movedim: {len(old)} axes cannot move to {len(new)} positions")
    place = dict(zip(new, old, strict=True))
    others = iter([i for i in range(input.ndim) if i not in old])
    dims = tuple([place[i] if i in place else next(others) for i in range(input.ndim)])
    return shape.permute(input, dims=dims)


@function
def moveaxis(input: Tensor, source: Any, destination: Any) -> Tensor:
    """The same as `movedim`, by NumPy's name."""
    return movedim(input, source, destination)


# --- broadcasting ---------------------------------------------------------------------------------


@function
def expand(input: Tensor, *size: Any) -> Tensor:
    """Repeat axes of size 1, and missing leading axes, to the given sizes; -1 keeps a size."""
    return _expanded("expand", input, sizes_of("expand", size))


def _expanded(name: str, x: Tensor, wanted: tuple[int, ...]) -> Tensor:
    lead = len(wanted) - x.ndim
    kept = tuple(x.shape[i - lead] if n == -1 and i >= lead else n for i, n in enumerate(wanted))
    if lead < 0 or min(kept, default=0) < 0:
        raise ValueError(
            f"{name}: shape {x.shape} does not broadcast to size {wanted}; give at least {x.ndim} "
            "sizes, and -1 only to keep an axis that is there"
        )
    return broadcast.expand(x, shape=kept)


@function
def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """`expand` to the shape of `other`."""
    return _expanded("expand_as", input, tuple(other.shape))


@function
def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """The same as `expand`."""
    return _expanded("broadcast_to", input, sizes_of("broadcast_to", (size,)))


@function
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """All tensors, expanded to the shape that they have together."""
    found = several("broadcast_tensors", tensors)
    together = broadcast_shapes(*(t.shape for t in found))
    return tuple([broadcast.expand(t, shape=together) for t in found])


@function
def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape of the sum of tensors of these shapes.

    Raises:
        ValueError: if they do not broadcast: counted from the last axis, sizes must be equal or 1.

    >>> broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    given = [sizes_of("broadcast_shapes", (s,), "a shape") for s in shapes]
    result = [1] * max(map(len, given), default=0)
    for sizes in given:
        for k in range(1, len(sizes) + 1):
            n, m = sizes[-k], result[-k]
            if n < 0 or (n != m and 1 not in (n, m)):
                raise ValueError(f"broadcast_shapes: {', '.join(map(str, given))} do not broadcast")
            result[-k] = m if n == 1 else n
    return tuple(result)


@function
def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """The positions in an array of `shape` of entries that are numbered in row-major order."""
    sizes = sizes_of("unravel_index", (shape,), "shape")
    if indices.dtype.kind not in "iu":
        raise TypeError(f"unravel_index: indices have dtype {indices.dtype}; they must be integers")
    if min(sizes, default=0) < 0:
        raise ValueError(f"unravel_index: shape {sizes} has a negative size")
    inside = (indices.data >= 0) & (indices.data < math.prod(sizes))
    check(
        inside,
        lambda: IndexError(f"unravel_index: indices must be from 0 to {math.prod(sizes) - 1}"),
    )
    found, rest = [], indices.data
    for n in reversed(sizes):
        found.append(unrecorded(indices, rest % n))
        rest = rest // n
    return tuple(reversed(found))
