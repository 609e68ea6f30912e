"""RandomCrop, RandomResizedCrop and RandomHorizontalFlip."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinynet import backend, memory
from tinynet.backend import Array
from tinynet.data.transforms.resample import bilinear, padded
from tinynet.data.transforms.transform import Transform, interval, number
from tinynet.window import pair


class RandomCrop(Transform):
    """Crops each image at a random position: ``y[n,c,i,j] = x'[n, c, top[n]+i, left[n]+j]``.

    x' is x with `padding` on all sides. top is uniform on 0, ..., H + 2 PH - OH, and left on
    0, ..., W + 2 PW - OW. With padding p and the image's size, it moves by up to p pixels each way.
    The result has shape (N, C, OH, OW).

    Args:
        size: (OH, OW), or a number for both.
        padding: (PH, PW) in pixels, or a number for both.
        fill: the value of the padding.

    Raises:
        TypeError, ValueError: if an argument is not a number or pair in its range; when called, if
            the window is larger than the padded image.
    """

    def __init__(
        self, size: int | tuple[int, int], padding: int | tuple[int, int] = 0, fill: float = 0.0
    ) -> None:
        self.size = pair("RandomCrop", "size", size, 1)
        self.padding = pair("RandomCrop", "padding", padding, 0)
        self.fill = number("RandomCrop", "fill", fill)

    def _apply(self, images: Array, rng: Any) -> Array:
        oh, ow = self.size
        if any(self.padding):
            images = padded(images, self.padding, self.fill)
        n, c, h, w = images.shape
        if oh > h or ow > w:
            raise ValueError(
                f"RandomCrop: size is {self.size}, but with padding {self.padding} the images are "
                f"only {(h, w)}; take a smaller size or more padding"
            )
        top, left = rng.integers(0, h - oh + 1, n), rng.integers(0, w - ow + 1, n)
        # A view of all windows; indexing copies one per image, by whole rows.
        shape = (n, c, h - oh + 1, w - ow + 1, oh, ow)
        strides = images.strides + images.strides[2:]
        windows = memory.as_strided(images, shape, strides)
        device = backend.device_of(images)
        chosen = [backend.to_device(index, device) for index in (np.arange(n), top, left)]
        return windows[chosen[0], :, chosen[1], chosen[2]]


class RandomHorizontalFlip(Transform):
    """Flips each image left to right with probability p: ``y[n,c,h,w] = x[n, c, h, W-1-w]``.

    Args:
        p: the probability, from 0 to 1.

    Raises:
        TypeError, ValueError: if `p` is not a number from 0 to 1.
    """

    def __init__(self, p: float = 0.5) -> None:
        self.p = number("RandomHorizontalFlip", "p", p, 0.0, 1.0)

    def _apply(self, images: Array, rng: Any) -> Array:
        chosen = np.flatnonzero(rng.random(len(images)) < self.p)
        rows = backend.to_device(chosen, backend.device_of(images))
        y = images.copy()
        y[rows] = images[rows][..., ::-1]
        return y


class RandomResizedCrop(Transform):
    """Crops a random box from each image and resizes it to one size.

    The box covers a fraction a of the image's area, uniform on `scale`. Its ratio r of width to
    height has log r uniform on the part of `ratio` for which the box fits::

        height = sqrt(a H W / r)     top  uniform on [0, H - height]
        width  = sqrt(a H W r)       left uniform on [0, W - width]

        y[n,c,i,j] = x[n, c] at the row    top  + (i + 1/2) height / OH - 1/2
                            and the column left + (j + 1/2) width  / OW - 1/2

    interpolated bilinearly, with points beyond the outermost pixel centres moved onto them. If the
    box fits for no ratio, r is the nearest end of `ratio`, and the box is cut to the image. The box
    is not rounded to whole pixels. No filter is applied before shrinking. The result has shape
    (N, C, OH, OW).

    Args:
        size: (OH, OW), or a number for both.
        scale: range of a as (lowest, highest), in (0, 1].
        ratio: range of r as (lowest, highest), greater than 0.

    Raises:
        TypeError, ValueError: if an argument is not a number or pair in its range.

    Source: C. Szegedy et al., Going deeper with convolutions, arXiv:1409.4842, section 6.
    """

    def __init__(
        self,
        size: int | tuple[int, int],
        scale: tuple[float, float] = (0.08, 1.0),
        ratio: tuple[float, float] = (3 / 4, 4 / 3),
    ) -> None:
        name = type(self).__name__
        self.size = pair(name, "size", size, 1)
        self.scale = interval(name, "scale", scale, 0.0, 1.0)
        self.ratio = interval(name, "ratio", ratio, 0.0)
        for argument, (low, _) in (("scale", self.scale), ("ratio", self.ratio)):
            if low == 0:
                raise ValueError(f"{name}: {argument} must be greater than 0, but starts at 0")

    def _apply(self, images: Array, rng: Any) -> Array:
        h, w = images.shape[2:]
        top, left, height, width = self._boxes(h, w, len(images), rng)
        rows = _points(top, height, self.size[0], h)[:, :, None]
        columns = _points(left, width, self.size[1], w)[:, None, :]
        device = backend.device_of(images)
        rows, columns = backend.to_device(rows, device), backend.to_device(columns, device)
        return bilinear(images, rows, columns, 0.0)

    def _boxes(self, h: int, w: int, n: int, rng: Any) -> tuple[np.ndarray, ...]:
        area = rng.uniform(*self.scale, n) * (h * w)
        lowest, highest = map(math.log, self.ratio)
        # The box fits if area / H^2 <= r <= W^2 / area.
        low = np.clip(np.log(area / h**2), lowest, highest)
        high = np.clip(np.log(w**2 / area), lowest, highest)
        ratio = np.exp(low + rng.random(n) * (high - low))
        height, width = np.minimum(np.sqrt(area / ratio), h), np.minimum(np.sqrt(area * ratio), w)
        return rng.random(n) * (h - height), rng.random(n) * (w - width), height, width


def _points(start: np.ndarray, length: np.ndarray, count: int, size: int) -> np.ndarray:
    """The centres of `count` equal parts of each box along an axis, in pixels; shape (N, count)."""
    points = start[:, None] + (np.arange(count) + 0.5) * (length[:, None] / count) - 0.5
    return np.clip(points, 0, size - 1)
