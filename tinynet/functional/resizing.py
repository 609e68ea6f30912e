"""Images of another size: interpolation, and channels exchanged for pixels.

Interpolation is linear, and one linear map along each axis: a selection of entries for the nearest
one, a product with a matrix of weights for all other modes. Its adjoint, which backward computes,
is exact: the adjoint of the selection, and the product with the transpose.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tinynet import backend
from tinynet.autograd import raw
from tinynet.backend import array_module
from tinynet.functional.adaptive import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
)
from tinynet.functional.spatial import along_axis
from tinynet.functions.operands import only_floats
from tinynet.functions.public import function, unrecorded
from tinynet.ops.indexing import at_axis, getitem
from tinynet.ops.shape import permute, reshape
from tinynet.window import ntuple

if TYPE_CHECKING:
    from tinynet.tensor import Tensor

_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}
_MODES = ("nearest", "nearest-exact", "area", "bicubic", *_LINEAR.values())
_CUBIC = -0.75  # the slope parameter of the cubic kernel


@function
def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Resize an input with one to three spatial axes.

    With the scale s = n / out, output cell i lies at t = (i + 1/2) s - 1/2 of its axis, or, with
    align_corners, at t = i (n - 1) / (out - 1), so that the first and last cells coincide.

    Args:
        input: (N, C, W), (N, C, H, W) or (N, C, D, H, W).
        size: the output's spatial sizes, one number for all or one for each axis.
        scale_factor: instead of `size`: the output's sizes are floor(n scale_factor).
        mode: "nearest": x at floor(i s). "nearest-exact": x at floor((i + 1/2) s). "linear",
            "bilinear", "trilinear", by the number of axes: the two nearest, weighted by distance.
            "bicubic", for images: the four nearest, weighted by a cubic polynomial. "area": the
            mean of the entries that the cell covers, as `adaptive_avg_pool2d`.
        align_corners: see above; for the linear and cubic modes only, by default False.
        recompute_scale_factor: whether s is n / out even if `scale_factor` is given; otherwise s
            is 1 / scale_factor then.
        antialias: not supported.

    Returns:
        (N, C, *out).

    Source: R. Keys, Cubic convolution interpolation for digital image processing, IEEE Trans.
        Acoust., Speech, Signal Process. 29 (1981), with a = -3/4.
    """
    n = len(input.shape) - 2
    if n not in _LINEAR:
        raise ValueError(
            f"interpolate: input has shape {tuple(input.shape)}; it must have one to three spatial "
            "axes after (N, C)"
        )
    _check_mode(n, mode, align_corners, antialias)
    sizes, scales = _sizes(input.shape, size, scale_factor)
    if recompute_scale_factor:
        if scale_factor is None:
            raise ValueError("interpolate: recompute_scale_factor needs scale_factor, not size")
        scales = [None] * n
    if mode == "area":
        pools = {1: adaptive_avg_pool1d, 2: adaptive_avg_pool2d, 3: adaptive_avg_pool3d}
        return pools[n](input, sizes)
    nearest = mode in ("nearest", "nearest-exact")
    if raw(input).dtype != "uint8" or not nearest:
        only_floats("interpolate", input)
    y: Any = input
    for axis, (out, given) in enumerate(zip(sizes, scales, strict=True), start=2):
        m = input.shape[axis]
        if nearest:
            index = _nearest(m, out, given, mode == "nearest-exact", raw(input))
            y = getitem(y, index=at_axis(axis, index))
        elif m != out or given is not None:
            at = _positions(m, out, given, bool(align_corners))
            y = along_axis(_cubic(at, m) if mode == "bicubic" else _linear(at, m), y, axis)
    return y if raw(y).dtype.kind == "f" else unrecorded(input, raw(y))


def _check_mode(n: int, mode: str, align_corners: bool | None, antialias: bool) -> None:
    if mode not in _MODES:
        raise ValueError(f"interpolate: mode is '{mode}'; it must be one of {', '.join(_MODES)}")
    axes = next((k for k, name in _LINEAR.items() if name == mode), 2 if mode == "bicubic" else n)
    if axes != n:
        raise ValueError(
            f"interpolate: mode {mode!r} is for {axes} spatial axes; the input has {n}"
        )
    if align_corners is not None and mode in ("nearest", "nearest-exact", "area"):
        raise ValueError(f"interpolate: align_corners is not for mode {mode!r}; leave it out")
    if antialias:
        raise ValueError("interpolate: antialias=True is not supported")


def _sizes(
    shape: Sequence[int], size: Any, scale_factor: Any
) -> tuple[tuple[int, ...], list[float | None]]:
    """The output's sizes, and the scale factors that were given."""
    n = len(shape) - 2
    if (size is None) == (scale_factor is None):
        raise ValueError(
            f"interpolate: size is {size} and scale_factor is {scale_factor}; give one of them"
        )
    if size is not None:
        if isinstance(size, list | tuple) and len(size) != n:
            raise ValueError(f"interpolate: size is {size}; input {tuple(shape)} has {n} axes")
        return ntuple("interpolate", "size", size, n, 1), [None] * n
    factors = scale_factor if isinstance(scale_factor, Sequence) else (scale_factor,) * n
    if len(factors) != n or not all(isinstance(f, int | float) and f > 0 for f in factors):
        raise ValueError(
            f"interpolate: scale_factor is {scale_factor}; it must be a positive number or {n} of "
            f"them for input {tuple(shape)}"
        )
    sizes = tuple(math.floor(m * f) for m, f in zip(shape[2:], factors, strict=True))
    if min(sizes) < 1:
        raise ValueError(
            f"interpolate: scale_factor {scale_factor} makes {sizes} of input {tuple(shape)}; "
            "each size must be at least 1"
        )
    return sizes, [float(f) for f in factors]


def _nearest(n: int, out: int, factor: float | None, exact: bool, like: Any) -> Any:
    """floor(i s) or floor((i + 1/2) s), in float32, as in PyTorch, so that the same is chosen."""
    i = backend.arange(out, like).astype("float32")
    scale = n / out if factor is None else 1.0 / factor
    # the scale, too, is rounded to float32
    at = (i + 0.5 if exact else i) * backend.full((), scale, like, "float32")
    return array_module(like).minimum(at.astype("int64"), n - 1)


def _positions(n: int, out: int, factor: float | None, align_corners: bool) -> list[float]:
    """Where each output cell lies between the entries of an axis."""
    if align_corners:
        return [i * (n - 1) / (out - 1) if out > 1 else 0.0 for i in range(out)]
    scale = n / out if factor is None else 1.0 / factor
    return [(i + 0.5) * scale - 0.5 for i in range(out)]


def _linear(at: list[float], n: int) -> list[list[float]]:
    """The weights of the two entries around each position; the first and last reach outwards."""
    rows = [[0.0] * n for _ in at]
    for row, t in zip(rows, at, strict=True):
        t = min(max(t, 0.0), n - 1.0)
        k = math.floor(t)
        row[k] += 1.0 - (t - k)
        row[min(k + 1, n - 1)] += t - k
    return rows


def _cubic(at: list[float], n: int) -> list[list[float]]:
    """The weights of the four entries around each position; those outside are the nearest inside.

    With d the distance from the position, a weight is (a+2) d^3 - (a+3) d^2 + 1 for d <= 1 and
    a d^3 - 5a d^2 + 8a d - 4a for 1 < d < 2.
    """
    a, rows = _CUBIC, [[0.0] * n for _ in at]
    for row, t in zip(rows, at, strict=True):
        for k in range(math.floor(t) - 1, math.floor(t) + 3):
            d = abs(t - k)
            near = ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0
            far = ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a
            row[min(max(k, 0), n - 1)] += near if d <= 1.0 else far
    return rows


@function
def upsample(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """`interpolate`, by its older name."""
    return interpolate(input, size, scale_factor, mode, align_corners)


@function
def upsample_nearest(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
) -> Tensor:
    """`interpolate` with mode "nearest"."""
    return interpolate(input, size, scale_factor, "nearest")


@function
def upsample_bilinear(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
) -> Tensor:
    """`interpolate` with mode "bilinear" and align_corners."""
    return interpolate(input, size, scale_factor, "bilinear", align_corners=True)


# --- channels and pixels ------------------------------------------------------------------------


@function
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """y[c, h r + i, w r + j] = x[c r^2 + i r + j, h, w]: (..., C r^2, H, W) -> (..., C, H r, W r).

    Source: W. Shi et al., arXiv:1609.05158, eq. 4.
    """
    (r,) = ntuple("pixel_shuffle", "upscale_factor", upscale_factor, 1, 1)
    *lead, C, H, W = _image_shape("pixel_shuffle", input)
    if C % (r * r):
        raise ValueError(
            f"pixel_shuffle: input {tuple(input.shape)} has {C} channels; they must be divisible "
            f"by upscale_factor^2 = {r * r}"
        )
    x, k = reshape(input, shape=(*lead, C // (r * r), r, r, H, W)), len(lead)
    x = permute(x, dims=(*range(k), k, k + 3, k + 1, k + 4, k + 2))
    return reshape(x, shape=(*lead, C // (r * r), H * r, W * r))


@function
def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """The inverse of `pixel_shuffle`: (..., C, H r, W r) -> (..., C r^2, H, W)."""
    (r,) = ntuple("pixel_unshuffle", "downscale_factor", downscale_factor, 1, 1)
    *lead, C, H, W = _image_shape("pixel_unshuffle", input)
    if H % r or W % r:
        raise ValueError(
            f"pixel_unshuffle: input {tuple(input.shape)} is {H}x{W}; both sizes must be divisible "
            f"by downscale_factor = {r}"
        )
    x, k = reshape(input, shape=(*lead, C, H // r, r, W // r, r)), len(lead)
    x = permute(x, dims=(*range(k), k, k + 2, k + 4, k + 1, k + 3))
    return reshape(x, shape=(*lead, C * r * r, H // r, W // r))


def _image_shape(name: str, input: Any) -> tuple[int, ...]:
    if len(input.shape) < 3:
        raise ValueError(
            f"{name}: input has shape {tuple(input.shape)}; it must be (C, H, W) or (..., C, H, W)"
        )
    return tuple(input.shape)


@function
def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Channels dealt out among groups: channel g C/G + c of x is channel c G + g of y.

    Args:
        input: (N, C, ...).
        groups: G, which must divide C.

    Source: X. Zhang et al., ShuffleNet, arXiv:1707.01083, section 3.1.
    """
    (G,) = ntuple("channel_shuffle", "groups", groups, 1, 1)
    if len(input.shape) < 3 or input.shape[1] % G:
        raise ValueError(
            f"channel_shuffle: input has shape {tuple(input.shape)}; it must be (N, C, ...) with C "
            f"divisible by groups = {G}"
        )
    N, C, *size = input.shape
    x = reshape(input, shape=(N, G, C // G, *size))
    x = permute(x, dims=(0, 2, 1, *range(3, 3 + len(size))))
    return reshape(x, shape=(N, C, *size))
