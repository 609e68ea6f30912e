"""Sampling at places between the pixels: grid_sample and affine_grid, for images and volumes.

Both are compositions. The places are differentiable: a sample is a sum of entries, each times a
weight that depends on the place, so the gradient goes to the entries and, by the weights, to the
places.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tinynet import backend
from tinynet.autograd import raw
from tinynet.backend import array_module
from tinynet.functions.operands import check_tensor, only_floats
from tinynet.functions.public import function
from tinynet.ops.indexing import getitem
from tinynet.ops.linalg import matmul, transposed
from tinynet.ops.shape import permute, reshape
from tinynet.window import ntuple

if TYPE_CHECKING:
    from tinynet.tensor import Tensor

_CUBIC = -0.75  # as in `interpolate`


@function
def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """y_ncpq = x_nc at the place grid_npq, between the pixels.

    Args:
        input: (N, C, H, W) or (N, C, D, H, W).
        grid: (N, OH, OW, 2), each (w, h) from -1, the left or upper edge, to 1; or
            (N, OD, OH, OW, 3), each (w, h, d).
        mode: "bilinear" (for volumes too): the two nearest pixels along each axis, weighted by
            distance. "nearest". "bicubic", for images: the four nearest, as in `interpolate`.
        padding_mode: what places outside see: "zeros", "border" (the nearest pixel), "reflection".
        align_corners: whether -1 and 1 are the centres of the first and last pixels, not their
            edges; by default False.

    Returns:
        (N, C, OH, OW) or (N, C, OD, OH, OW).

    Source: M. Jaderberg et al., Spatial transformer networks, arXiv:1506.02025, section 3.3.
    """
    only_floats("grid_sample", input)
    check_tensor("grid_sample", "grid", grid)
    n, x, dtype = len(input.shape) - 2, raw(input), raw(grid).dtype
    if n not in (2, 3) or len(grid.shape) != n + 2 or grid.shape[-1] != n or dtype != x.dtype:
        raise ValueError(
            f"grid_sample: input is {x.dtype} {tuple(x.shape)} and grid {dtype} "
            f"{tuple(grid.shape)}; for input (N, C, H, W) grid must be (N, OH, OW, 2), for "
            "(N, C, D, H, W) it must be (N, OD, OH, OW, 3), of the same dtype"
        )
    if grid.shape[0] != x.shape[0] or 0 in x.shape[1:]:
        raise ValueError(
            f"grid_sample: input {tuple(x.shape)} and grid {tuple(grid.shape)} must have the same "
            "number of examples, and the input no empty axis"
        )
    modes = ("bilinear", "nearest", "bicubic")[: 3 if n == 2 else 2]
    paddings = ("zeros", "border", "reflection")
    for argument, value, known in (("mode", mode, modes), ("padding_mode", padding_mode, paddings)):
        if value not in known:
            raise ValueError(
                f"grid_sample: {argument} is '{value}'; for input {tuple(x.shape)} it must be one "
                f"of {', '.join(known)}"
            )
    corners, size = bool(align_corners), x.shape[2:]
    example = backend.arange(len(x), x).reshape(-1, *(1,) * n)
    per_axis = []
    for axis, m in enumerate(size):
        at = getitem(grid, index=(..., n - 1 - axis))  # the grid names the last axis first
        at = (at + 1.0) * (0.5 * (m - 1)) if corners else (at + 1.0) * (0.5 * m) - 0.5
        inside = functools.partial(_inside, m=m, mode=padding_mode, align_corners=corners)
        per_axis.append(_TAPS[mode](at, inside, m))
    y: Any = 0.0
    for taps in itertools.product(*per_axis):
        places, weights, seen = zip(*taps, strict=True)
        entries = getitem(input, index=(example, slice(None), *places))  # (N, OH, OW, C)
        weight = functools.reduce(operator.mul, [w * s for w, s in zip(weights, seen, strict=True)])
        y = y + entries * reshape(weight, shape=(*weight.shape, 1))
    return permute(y, dims=(0, n + 1, *range(1, n + 1)))


def _inside(at: Any, m: int, mode: str, align_corners: bool) -> Any:
    """The places along an axis of size m, with those outside moved in as the mode says."""
    if mode == "zeros":
        return at
    xp, t = array_module(raw(at)), raw(at)
    slope, moved = 1.0, t
    if mode == "reflection":
        low, span = (0.0, m - 1.0) if align_corners else (-0.5, float(m))
        if span == 0.0:
            slope, moved = 0.0, t * 0.0
        else:
            far = xp.absolute(t - low)
            turns = xp.floor(far / span)
            back, rest = turns % 2.0, far - turns * span
            moved = low + rest + back * (span - 2.0 * rest)
            slope = (1.0 - 2.0 * back) * (1.0 - 2.0 * (t < low)).astype(t.dtype)
    clipped = xp.clip(moved, 0.0, m - 1.0)
    slope = slope * ((moved > 0.0) & (moved < m - 1.0)).astype(t.dtype)
    return at * slope + (clipped - t * slope)  # a line with the slope by `at`


def _tap(place: Any, m: int, dtype: Any) -> tuple[Any, Any]:
    """The index of a pixel, kept inside, and 1.0 or 0.0 for whether it was inside."""
    seen = ((place >= 0) & (place < m)).astype(dtype)
    return array_module(place).clip(place, 0, m - 1).astype("int64"), seen


def _linear(at: Any, inside: Callable[[Any], Any], m: int) -> list[Any]:
    at = inside(at)
    first = array_module(raw(at)).floor(raw(at))
    taps = ((first, (first + 1.0) - at), (first + 1.0, at - first))
    found = []
    for place, weight in taps:
        index, seen = _tap(place, m, raw(at).dtype)
        found.append((index, weight, seen))
    return found


def _nearest(at: Any, inside: Callable[[Any], Any], m: int) -> list[Any]:
    at = inside(at)
    index, seen = _tap(array_module(raw(at)).rint(raw(at)), m, raw(at).dtype)
    return [(index, at * 0.0 + 1.0, seen)]


def _cubic(at: Any, inside: Callable[[Any], Any], m: int) -> list[Any]:
    a, t = _CUBIC, raw(at)
    first = array_module(t).floor(t)
    d = at - first
    found = []
    for step, distance in ((-1, d + 1.0), (0, d), (1, 1.0 - d), (2, 2.0 - d)):
        if step in (0, 1):
            weight = ((a + 2.0) * distance - (a + 3.0)) * distance * distance + 1.0
        else:
            weight = ((a * distance - 5.0 * a) * distance + 8.0 * a) * distance - 4.0 * a
        index, seen = _tap(raw(inside(first + step)), m, t.dtype)
        found.append((index, weight, seen))
    return found


_TAPS: dict[str, Any] = {"bilinear": _linear, "nearest": _nearest, "bicubic": _cubic}


@function
def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """grid_nhw = theta_n (w, h, 1): the places in an image that an affine map takes pixels to.

    Args:
        theta: (N, 2, 3), or (N, 3, 4) for volumes.
        size: (N, C, H, W) or (N, C, D, H, W), of the output of `grid_sample`.
        align_corners: as in `grid_sample`.

    Returns:
        (N, H, W, 2) or (N, D, H, W, 3).

    Source: M. Jaderberg et al., Spatial transformer networks, arXiv:1506.02025, eq. 1.
    """
    only_floats("affine_grid", theta)
    if not isinstance(size, Sequence):
        raise TypeError(f"affine_grid: size is {size}; it must be the sizes of an output")
    sizes, t = tuple(size), raw(theta)
    n = len(sizes) - 2
    if n not in (2, 3) or tuple(t.shape) != (sizes[0], n, n + 1):
        raise ValueError(
            f"affine_grid: theta is {tuple(t.shape)} and size {sizes}; they must be (N, 2, 3) and "
            "(N, C, H, W), or (N, 3, 4) and (N, C, D, H, W)"
        )
    sizes = (sizes[0], *(ntuple("affine_grid", "size", m, 1, 1)[0] for m in sizes[1:]))
    base = backend.full((*sizes[2:], n + 1), 1.0, t)
    for axis, m in enumerate(sizes[2:]):
        i = backend.arange(m, t).astype(t.dtype)
        line = i * (2.0 / max(m - 1, 1)) - (m > 1) if align_corners else (2.0 * i + 1.0) / m - 1.0
        base[..., n - 1 - axis] = line.reshape([-1 if k == axis else 1 for k in range(n)])
    grid = matmul(base.reshape(-1, n + 1), transposed(theta))
    return reshape(grid, shape=(sizes[0], *sizes[2:], n))
