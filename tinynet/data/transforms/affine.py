"""Transforms that turn, scale and shift: RandomAffine and RandomRotation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinynet import backend
from tinynet.backend import Array
from tinynet.data.transforms.resample import bilinear
from tinynet.data.transforms.transform import Transform, around, interval, number, uniform


def affine(
    images: Array, degrees: np.ndarray, shift: np.ndarray, scale: np.ndarray, fill: float
) -> Array:
    """Each image turned by an angle t, scaled by s and shifted by (v, u), about its centre c.

    A point q of the input comes to ``A (q - c) + c + (v, u)``, so the output at p is the input at::

        q = A^-1 (p - c - (v, u)) + c          c = ((H - 1) / 2, (W - 1) / 2)

        A = s [[cos t, -sin t],                A^-1 = 1/s [[ cos t, sin t],
               [sin t,  cos t]]                            [-sin t, cos t]]

    with points as (row, column), rows counted downwards; read bilinearly between pixels.

    Args:
        images: float array of shape (N, C, H, W).
        degrees: t of each image, shape (N,); positive turns counter-clockwise as it is seen.
        shift: (v, u) of each image in pixels, shape (2, N); positive is down and right.
        scale: s of each image, shape (N,), greater than 0; above 1 enlarges.
        fill: the value outside of the image.

    Returns:
        shape and dtype of the images.
    """
    h, w = images.shape[2:]
    # On the host what each image needs only once, and what each row and each column needs.
    t = np.deg2rad(degrees)
    cos, sin = (np.cos(t) / scale)[:, None], (np.sin(t) / scale)[:, None]
    down = np.arange(h) - (h - 1) / 2 - shift[0][:, None]
    right = np.arange(w) - (w - 1) / 2 - shift[1][:, None]
    parts = (cos * down + (h - 1) / 2, sin * right, (w - 1) / 2 - sin * down, cos * right)
    device = backend.device_of(images)
    row_down, row_right, column_down, column_right = (backend.to_device(p, device) for p in parts)
    rows = row_down[:, :, None] + row_right[:, None, :]
    columns = column_down[:, :, None] + column_right[:, None, :]
    return bilinear(images, rows, columns, fill)


class RandomAffine(Transform):
    """Each image turned, scaled and shifted about its centre by numbers of its own.

    The output at the point p is the input at ``A^-1 (p - c - (v, u)) + c``, read bilinearly, with
    A the rotation by t times the scale s, as `affine` has them in full. t, s, v, u are uniform.

    Args:
        degrees: of t, the pair (least, greatest), or d for (-d, d); positive angles turn
            counter-clockwise.
        translate: (a, b): v is from -a H to a H, down, and u from -b W to b W, to the right; a
            and b are from 0 to 1. Shifts are not rounded to whole pixels. torchvision's pair is
            (width, height).
        scale: of s, the pair (least, greatest), greater than 0; above 1 enlarges.
        fill: the value outside of the image.

    Raises:
        TypeError, ValueError: if an argument is no such number or pair.
    """

    def __init__(
        self,
        degrees: float | tuple[float, float],
        translate: tuple[float, float] | None = None,
        scale: tuple[float, float] | None = None,
        fill: float = 0.0,
    ) -> None:
        name = "RandomAffine"
        self.degrees = around(name, "degrees", degrees, 0.0)
        self.translate = None if translate is None else _shares(name, translate)
        self.scale = None if scale is None else interval(name, "scale", scale, 0.0)
        if self.scale is not None and self.scale[0] == 0:
            raise ValueError(f"{name}: scale must be greater than 0, but is {scale!r}")
        self.fill = number(name, "fill", fill)

    def _apply(self, images: Array, rng: Any) -> Array:
        degrees = uniform(rng, self.degrees, images)
        shift, scale = np.zeros((2, len(images))), np.ones(len(images))
        if self.translate is not None:
            for i, share in enumerate(self.translate):
                most = share * images.shape[2 + i]
                shift[i] = uniform(rng, (-most, most), images)
        if self.scale is not None:
            scale = uniform(rng, self.scale, images)
        return affine(images, degrees, shift, scale, self.fill)


class RandomRotation(Transform):
    """Each image turned about its centre: `RandomAffine` with an angle alone.

    Args:
        degrees: of the angle, the pair (least, greatest), or d for (-d, d); positive angles turn
            counter-clockwise.
        fill: the value outside of the image.

    Raises:
        TypeError, ValueError: if an argument is no such number or pair.
    """

    def __init__(self, degrees: float | tuple[float, float], fill: float = 0.0) -> None:
        self.degrees = around("RandomRotation", "degrees", degrees, 0.0)
        self.fill = number("RandomRotation", "fill", fill)

    def _apply(self, images: Array, rng: Any) -> Array:
        degrees = uniform(rng, self.degrees, images)
        return affine(images, degrees, np.zeros((2, len(images))), np.ones(len(images)), self.fill)


def _shares(name: str, translate: Any) -> tuple[float, ...]:
    if isinstance(translate, str) or not isinstance(translate, Sequence) or len(translate) != 2:
        raise TypeError(f"{name}: translate must be a pair (height, width), but is {translate!r}")
    return tuple(number(name, "translate", share, 0.0, 1.0) for share in translate)
