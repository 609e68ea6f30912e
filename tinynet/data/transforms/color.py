"""Transforms of values that leave each pixel where it is: Normalize, Standardize, ColorJitter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinynet import backend
from tinynet.backend import Array
from tinynet.data.transforms.transform import Transform, around, number, per_image, uniform

# The shares of red, green and blue in a grey value: ITU-R BT.601's luma, rounded as there.
GREY = (0.299, 0.587, 0.114)


class Normalize(Transform):
    """Each channel by given numbers: ``y[n,c,h,w] = (x[n,c,h,w] - mean[c]) / std[c]``.

    With mean and standard deviation over the training images, these come to have 0 and 1 over
    all; use the same numbers for the test images. `Normalize(-mean/std, 1/std)` undoes it.

    Args:
        mean: a number for all channels, or one for each; in the unit of the images.
        std: likewise; greater than 0.

    Raises:
        TypeError, ValueError: if they are not finite numbers, of different lengths, or `std` not
            above 0; when called, if the images have another number of channels.

    >>> Normalize(0.5, 0.25)(np.ones((1, 1, 1, 2), "float32"))
    array([[[[2., 2.]]]], dtype=float32)
    """

    random = False

    def __init__(self, mean: float | Sequence[float], std: float | Sequence[float]) -> None:
        self.mean = _numbers("mean", mean)
        self.std = _numbers("std", std)
        if len(self.mean) != len(self.std) and 1 not in (len(self.mean), len(self.std)):
            raise ValueError(
                f"Normalize: mean has {len(self.mean)} numbers and std {len(self.std)}; give one "
                "for each channel, or one for all"
            )
        if min(self.std) <= 0:
            raise ValueError(f"Normalize: std must be greater than 0, but is {std!r}")

    def _apply(self, images: Array, rng: Any) -> Array:
        channels = images.shape[1]
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, channels):
                raise ValueError(
                    f"Normalize: {name} has {len(values)} numbers, but the images {images.shape} "
                    f"have {channels} channels"
                )
        y = images - _per_channel(self.mean, images)
        y /= _per_channel(self.std, images)
        return y


class Standardize(Transform):
    """Each image by its own numbers: ``y[n] = (x[n] - mean(x[n])) / max(std(x[n]), eps)``.

    Mean and standard deviation (of the population) run over channels, rows and columns; after it
    they are 0 and 1 in every image, whatever its light and contrast were.

    Args:
        eps: the least divisor, greater than 0, in the unit of the images; an image of one value
            becomes zeros.

    Raises:
        TypeError, ValueError: if `eps` is not a finite number above 0.
    """

    random = False

    def __init__(self, eps: float = 1e-6) -> None:
        self.eps = number("Standardize", "eps", eps)
        if self.eps <= 0:
            raise ValueError(f"Standardize: eps must be greater than 0, but is {eps!r}")

    def _apply(self, images: Array, rng: Any) -> Array:
        xp = backend.array_module(images)
        y = images - images.mean(axis=(1, 2, 3), keepdims=True)
        variance = (y * y).mean(axis=(1, 2, 3), keepdims=True)
        y /= xp.maximum(xp.sqrt(variance), self.eps)
        return y


class ColorJitter(Transform):
    """Other brightness, contrast and saturation for each image, in this order.

    With a factor of its own for each image and property, drawn uniformly, and every result cut
    off to [0, 1]::

        x = b x                                 brightness b
        x = c x + (1 - c) mean(grey(x))         contrast c; the mean over the image's pixels
        x = s x + (1 - s) grey(x)               saturation s, at each pixel

        grey(x) = 0.299 red + 0.587 green + 0.114 blue, or the one channel itself

    A factor of 1 changes nothing; at 0 the image is black, of one grey, without colour.

    Args:
        brightness, contrast, saturation: d at least 0, for factors from max(0, 1 - d) to 1 + d; or
            the pair (lowest, highest). 0 leaves the property alone and draws nothing.

    Images must be in [0, 1], and stay there, so this comes before `Normalize`. They have 3 channels
    in the order red, green, blue; or, without saturation, 1. torchvision takes the three in random
    order, and has the hue besides.

    Raises:
        TypeError, ValueError: if an argument is no such number or pair; when called, if images
            are outside of [0, 1] by more than 0.01, or have another number of channels.
    """

    def __init__(
        self,
        brightness: float | tuple[float, float] = 0.0,
        contrast: float | tuple[float, float] = 0.0,
        saturation: float | tuple[float, float] = 0.0,
    ) -> None:
        self.brightness = around("ColorJitter", "brightness", brightness, 1.0, 0.0)
        self.contrast = around("ColorJitter", "contrast", contrast, 1.0, 0.0)
        self.saturation = around("ColorJitter", "saturation", saturation, 1.0, 0.0)

    def _apply(self, images: Array, rng: Any) -> Array:
        channels = images.shape[1]
        if channels != 3 and (channels != 1 or self.saturation != (1.0, 1.0)):
            raise ValueError(
                f"ColorJitter: images must have 3 channels, or 1 without saturation, but "
                f"{images.shape} have {channels}"
            )
        if images.size and not (float(images.min()) >= -0.01 and float(images.max()) <= 1.01):
            raise ValueError(
                f"ColorJitter: images must be in [0, 1], but are from {float(images.min()):g} to "
                f"{float(images.max()):g}; put it before Normalize, and divide bytes by 255"
            )
        if self.brightness != (1.0, 1.0):
            images = _cut(images * per_image(uniform(rng, self.brightness, images), images))
        if self.contrast != (1.0, 1.0):
            mean = _grey(images).mean(axis=(1, 2, 3), keepdims=True)
            images = _mixed(images, mean, uniform(rng, self.contrast, images))
        if self.saturation != (1.0, 1.0):
            images = _mixed(images, _grey(images), uniform(rng, self.saturation, images))
        return images


def _numbers(argument: str, value: Any) -> tuple[float, ...]:
    values = value if isinstance(value, Sequence | np.ndarray) and np.ndim(value) else [value]
    if not len(values):
        raise ValueError(f"Normalize: {argument} must have 1 number or more, but has 0")
    return tuple(number("Normalize", argument, v) for v in values)


def _per_channel(values: tuple[float, ...], images: Array) -> Array:
    column = np.array(values, images.dtype).reshape(1, -1, 1, 1)
    return backend.to_device(column, backend.device_of(images))


def _grey(images: Array) -> Array:
    """The grey value of each pixel, in shape (N, 1, H, W)."""
    if images.shape[1] == 1:
        return images
    red, green, blue = (images[:, c : c + 1] for c in range(3))
    return GREY[0] * red + GREY[1] * green + GREY[2] * blue


def _mixed(images: Array, other: Array, factors: np.ndarray) -> Array:
    f = per_image(factors, images)
    return _cut(f * images + (1 - f) * other)


def _cut(images: Array) -> Array:
    xp = backend.array_module(images)
    return xp.clip(images, 0, 1, out=images)
