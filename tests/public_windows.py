"""Functions that slide a window or resize, for the tables of `test_public_names`."""

from __future__ import annotations

from typing import Any

import numpy as np

import tinynet as tn
import tinynet.functional as F

RNG = np.random.default_rng(17)


def real(*shape: int) -> np.ndarray:
    """Distinct numbers, without ties or kinks."""
    n = int(np.prod(shape))
    return RNG.permutation(np.linspace(-2.0, 2.0, n + 2)[1:-1] + 0.013).reshape(shape)


LINE, IMAGE, SOLID = real(2, 2, 7), real(1, 2, 5, 4), real(1, 2, 3, 4, 3)
POSITIVE = [x - x.min() + 0.3 for x in (LINE, IMAGE, SOLID)]


def _unpooled(n: int) -> Any:
    pool, unpool = getattr(F, f"max_pool{n}d"), getattr(F, f"max_unpool{n}d")

    def f(x: Any) -> Any:
        y, places = pool(x, 2, return_indices=True)
        return unpool(y * y, places, 2, output_size=x.shape)

    return f


FUNCTIONS = {
    "conv1d": (
        lambda x, w, b: F.conv1d(x, w, b, 2, 1, 2) + F.conv1d(x[:, :, :5], w, padding="valid"),
        [LINE, real(3, 2, 2), real(3)],
    ),
    "conv3d": (
        lambda x, w, b: F.conv3d(x[0], w, b, padding="same", groups=2),
        [SOLID, real(2, 1, 2, 3, 1), real(2)],
    ),
    "conv_transpose1d": (
        lambda x, w, b: F.conv_transpose1d(x, w, b, 3, 1, 2, dilation=2),
        [LINE, real(2, 3, 2), real(3)],
    ),
    "conv_transpose2d": (
        lambda x, w, b: F.conv_transpose2d(x[0], w, b, (2, 1), 1, (1, 0), groups=2),
        [IMAGE, real(2, 1, 3, 2), real(2)],
    ),
    "conv_transpose3d": (
        lambda x, w: F.conv_transpose3d(x, w, None, 1, 0, (0, 1, 0), 1, (1, 2, 1)),
        [SOLID, real(2, 1, 1, 2, 2)],
    ),
    "max_pool1d": (lambda x: F.max_pool1d(x, 3, 2, 1, ceil_mode=True), [LINE]),
    "max_pool3d": (lambda x: F.max_pool3d(x[0], 2, ceil_mode=True), [SOLID]),
    "avg_pool1d": (lambda x: F.avg_pool1d(x, 3, 2, 1, True, False), [LINE]),
    "avg_pool3d": (lambda x: F.avg_pool3d(x[0], 2, 2, 1, True, divisor_override=3), [SOLID]),
    "lp_pool1d": (lambda x: F.lp_pool1d(x, 3, 2, 1), [POSITIVE[0]]),
    "lp_pool2d": (lambda x: F.lp_pool2d(x, 2, 2, ceil_mode=True), [POSITIVE[1]]),
    "lp_pool3d": (lambda x: F.lp_pool3d(x, 1.5, 2), [POSITIVE[2]]),
    "adaptive_avg_pool1d": (lambda x: F.adaptive_avg_pool1d(x, 3), [LINE]),
    "adaptive_avg_pool3d": (lambda x: F.adaptive_avg_pool3d(x[0], (2, None, 2)), [SOLID]),
    "adaptive_max_pool1d": (lambda x: F.adaptive_max_pool1d(x, 3), [LINE]),
    "adaptive_max_pool3d": (lambda x: F.adaptive_max_pool3d(x, 2), [SOLID]),
    "max_unpool1d": (_unpooled(1), [LINE]),
    "max_unpool2d": (_unpooled(2), [IMAGE]),
    "max_unpool3d": (_unpooled(3), [SOLID]),
    "interpolate": (
        lambda x, y, z: (
            F.interpolate(x, 5, mode="linear").sum()
            + F.interpolate(y, scale_factor=1.7, mode="bicubic")
            + F.interpolate(z, scale_factor=2, mode="trilinear", align_corners=True).sum()
        ),
        [LINE, IMAGE, SOLID],
    ),
    "upsample": (lambda x: F.upsample(x, (3, 6), mode="bilinear"), [IMAGE]),
    "upsample_bilinear": (lambda x: F.upsample_bilinear(x, scale_factor=2), [IMAGE]),
    "upsample_nearest": (lambda x: F.upsample_nearest(x, (3, 7)) * x[0, 0, 0, 0], [IMAGE]),
    "pixel_shuffle": (lambda x: F.pixel_shuffle(tn.cat([x, x * x], 1), 2), [IMAGE]),
    "pixel_unshuffle": (lambda x: F.pixel_unshuffle(x[:, :, :4], 2) * 2.0, [IMAGE]),
    "channel_shuffle": (lambda x: F.channel_shuffle(tn.cat([x, x * x], 1), 2), [IMAGE]),
    "grid_sample": (
        lambda x, g: F.grid_sample(x, g * 0.4, padding_mode="border"),
        [IMAGE, real(1, 2, 3, 2)],
    ),
    "affine_grid": (lambda t: F.affine_grid(t, (1, 1, 3, 2)), [real(1, 2, 3)]),
}
