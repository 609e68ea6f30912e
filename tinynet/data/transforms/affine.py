"""RandomAffine and RandomRotation: rotate, scale and shift images."""

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
    """Rotate each image by an angle t, scale it by s and shift it by (v, u), about its centre c.

    A point q of the input moves to ``A (q - c) + c + (v, u)``, so the output at p is the input at::

        q = A^-1 (p - c - (v, u)) + c          c = ((H - 1) / 2, (W - 1) / 2)

        A = s [[cos t, -sin t],                A^-1 = 1/s [[ cos t, sin t],
               [sin t,  cos t]]                            [-sin t, cos t]]

    with points as (row, column), rows counted downwards, and bilinear interpolation.

    Args:
        images: float array of shape (N, C, H, W).
        degrees: t of each image, shape (N,); positive angles rotate counter-clockwise.
        shift: (v, u) of each image in pixels, shape (2, N); positive is down and right.
        scale: s of each image, shape (N,), greater than 0; above 1 enlarges.
        fill: the value outside the image.

    Returns:
        Shape and dtype of the images.
    """
    h, w = images.shape[2:]
    # The host computes the terms per image, row and column; the device computes those per pixel.
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
    """Rotates, scales and shifts each image about its centre by random amounts.

    The output at p = (row, column) is the input at ``A^-1 (p - c - (v, u)) + c``, interpolated
    bilinearly, where c is the image's centre and A the rotation by t times the scale s. t, s, v and
    u are uniform.

    Args:
        degrees: range of t as (lowest, highest), or d for (-d, d); positive angles rotate
            counter-clockwise.
        translate: (a, b), each from 0 to 1: v is from -a H to a H, down, and u from -b W to b W, to
            the right. Shifts are not rounded to whole pixels. torchvision's pair is (width,
            height).
        scale: range of s as (lowest, highest), greater than 0; above 1 enlarges.
        fill: the value outside the image.

    Raises:
        TypeError, ValueError: if an argument is not a number or pair in its range.
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
    """Rotates each image about its centre by a random angle, like `RandomAffine`.

    Args:
        degrees: range of the angle as (lowest, highest), or d for (-d, d); positive angles rotate
            counter-clockwise.
        fill: the value outside the image.

    Raises:
        TypeError, ValueError: if an argument is not a number or pair in its range.
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
