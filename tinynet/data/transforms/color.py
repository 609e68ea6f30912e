"""Normalize, Standardize and ColorJitter: change values without moving pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinynet import backend
from tinynet.backend import Array
from tinynet.data.transforms.transform import Transform, around, number, per_image, uniform

# Weights of red, green and blue in a grey value: luma of ITU-R BT.601.
GREY = (0.299, 0.587, 0.114)


class Normalize(Transform):
    """Normalises each channel with fixed numbers: ``y[n,c,h,w] = (x[n,c,h,w] - mean[c]) / std[c]``.

    With the mean and standard deviation of the training images, their mean becomes 0 and their
    standard deviation 1; use the same numbers for the test images. `Normalize(-mean/std, 1/std)` is
    the inverse.

    Args:
        mean: a number for all channels, or one for each; in the unit of the images.
        std: a number for all channels, or one for each; greater than 0.

    Raises:
        TypeError, ValueError: if a number is not finite, the lengths differ, or `std` is not
            greater than 0; when called, if the images have a different number of channels.

    >>> Normalize(0.5, 0.25)(np.ones((1, 1, 1, 2), "float32"))
    array([[[[2., 2.]]]], dtype=float32)
    """

    random = False

    def __init__(self, mean: float | Sequence[float], std: float | Sequence[float]) -> None:
        self.mean = _numbers("mean", mean)
        self.std = _numbers("std", std)
        if len(self.mean) != len(self.std) and 1 not in (len(self.mean), len(self.std)):
            raise ValueError(
                f"Normalize: mean has {len(self.mean)} numbers and std {len(self.std)}; pass one "
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
    """Standardises each image: ``y[n] = (x[n] - mean(x[n])) / max(std(x[n]), eps)``.

    Mean and (population) standard deviation run over channels, rows and columns. They are 0 and 1
    afterwards in every image, whatever its brightness and contrast.

    Args:
        eps: the smallest divisor, greater than 0, in the unit of the images; a constant image
            becomes zeros.

    Raises:
        TypeError, ValueError: if `eps` is not a finite number greater than 0.
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
    """Randomly changes brightness, contrast and saturation of each image, in this order.

    The factors are uniform and independent for each image; every result is clipped to [0, 1]::

        x = b x                                 brightness b
        x = c x + (1 - c) mean(grey(x))         contrast c; the mean over the image's pixels
        x = s x + (1 - s) grey(x)               saturation s, at each pixel

        grey(x) = 0.299 red + 0.587 green + 0.114 blue, or the one channel itself

    A factor of 1 changes nothing. A factor of 0 makes the image black, uniformly grey, or
    colourless. torchvision applies the three in random order, and also changes the hue.

    Images must be in [0, 1], so apply this before `Normalize`. They have 3 channels (red, green,
    blue), or 1 channel if saturation is unchanged.

    Args:
        brightness, contrast, saturation: d >= 0 for factors from max(0, 1 - d) to 1 + d, or the
            pair (lowest, highest). 0 leaves the property unchanged and draws no numbers.

    Raises:
        TypeError, ValueError: if an argument is not a number or pair in its range; when called, if
            images exceed [0, 1] by more than 0.01, or have a different number of channels.
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
            images = _clip(images * per_image(uniform(rng, self.brightness, images), images))
        if self.contrast != (1.0, 1.0):
            mean = _grey(images).mean(axis=(1, 2, 3), keepdims=True)
            images = _blend(images, mean, uniform(rng, self.contrast, images))
        if self.saturation != (1.0, 1.0):
            images = _blend(images, _grey(images), uniform(rng, self.saturation, images))
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


def _blend(images: Array, other: Array, factors: np.ndarray) -> Array:
    f = per_image(factors, images)
    return _clip(f * images + (1 - f) * other)


def _clip(images: Array) -> Array:
    xp = backend.array_module(images)
    return xp.clip(images, 0, 1, out=images)
