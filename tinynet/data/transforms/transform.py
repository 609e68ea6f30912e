"""The base class of transforms, Compose, and checks of arguments."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from tinynet import backend
from tinynet.autograd import Value
from tinynet.backend import Array
from tinynet.creation import as_tensor
from tinynet.tensor import Tensor


class Transform:
    """Base class of transforms: functions of a batch of images and a random generator.

    A subclass stores its arguments as attributes of the same names, which `repr` shows, and
    overrides `_apply(images, rng)`. Its images are checked and in C order. `_apply` must modify
    neither them nor the transform, since a loader calls it in several threads at once.
    """

    random = True  # whether it draws numbers, and so needs a generator

    def __call__(self, images: Array, rng: np.random.Generator | None = None) -> Array:
        """Transform a batch; returns a new array, or the same one if nothing changes.

        Args:
            images: NumPy or CuPy array of floats, shape (N, C, H, W); or a Tensor, also of one
                image, (C, H, W), which gives a Tensor.
            rng: the generator to draw from; optional if the class draws no numbers.

        Raises:
            TypeError: if `images` is not an array of floats, or `rng` not a generator.
            ValueError: if the shape is not (N, C, H, W).
        """
        name = type(self).__name__
        if isinstance(images, Value):
            return self._tensor(images, rng)
        if not backend.is_array(images):
            raise TypeError(
                f"{name}: images must be a NumPy or CuPy array, not a {type(images).__name__}"
            )
        if images.dtype.kind != "f":
            raise TypeError(
                f"{name}: images must be floats, but are {images.dtype}; "
                "convert bytes with images.astype('float32') / 255"
            )
        if images.ndim != 4 or 0 in images.shape[1:]:
            raise ValueError(
                f"{name}: images must have shape (N, C, H, W), with C, H and W 1 or more, but "
                f"have {images.shape}"
            )
        if self.random and not isinstance(rng, np.random.Generator):
            raise TypeError(
                f"{name}: rng must be a numpy.random.Generator, not a {type(rng).__name__}; make "
                "one with numpy.random.default_rng(seed), or give the transform to the loader, "
                "which makes one for each batch: DataLoader(..., transform=...)"
            )
        # So that the memory order changes nothing, not even the rounding of sums.
        return self._apply(backend.array_module(images).ascontiguousarray(images), rng)

    def _tensor(self, images: Any, rng: Any) -> Tensor:
        """A Tensor of a batch, or of one image (C, H, W), such as an item of a data set."""
        array = images._data
        if array.ndim == 3:
            return as_tensor(self(array[None], rng)[0])
        return as_tensor(self(array, rng))

    def _apply(self, images: Array, rng: Any) -> Array:
        raise NotImplementedError(f"{type(self).__name__} does not override _apply")

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({arguments})"


class Compose:
    """Applies transforms in order: ``f_m(... f_2(f_1(images, rng), rng) ..., rng)``.

    All draw from the same generator.

    Args:
        transforms: transforms, or any functions of (images, rng) or of images alone that return
            images.

    Raises:
        TypeError: if one of them is not callable.
    """

    def __init__(self, transforms: Iterable[Callable[..., Array]]) -> None:
        self.transforms = list(transforms)
        for i, transform in enumerate(self.transforms):
            if not callable(transform):
                raise TypeError(
                    f"Compose: transform {i} must be callable, as transform(images, rng), but is a "
                    f"{type(transform).__name__}"
                )

    def __call__(self, images: Array, rng: np.random.Generator | None = None) -> Array:
        for transform in self.transforms:
            images = transform(images, rng) if _takes_rng(transform) else transform(images)
        return images

    def __repr__(self) -> str:
        return f"Compose({self.transforms!r})"


def _takes_rng(function: Callable[..., Any]) -> bool:
    """Whether a function wants a generator: it has a parameter `rng`, or needs two arguments."""
    if isinstance(function, Transform | Compose):
        return True
    try:
        signature = inspect.signature(function)
    except ValueError:  # a function in C
        return False
    try:
        signature.bind(None)
    except TypeError:
        return True
    return "rng" in signature.parameters


def number(
    name: str, argument: str, value: Any, least: float = -math.inf, most: float = math.inf
) -> float:
    """`value` as a finite float from `least` to `most`; raises if it is not one."""
    try:
        converted = math.nan if isinstance(value, str | bool) else float(value)
    except (TypeError, ValueError):
        converted = math.nan
    if not math.isfinite(converted):
        raise TypeError(f"{name}: {argument} must be a finite number, but is {value!r}")
    if not least <= converted <= most:
        upper = f" and at most {most:g}" if most < math.inf else ""
        raise ValueError(f"{name}: {argument} must be at least {least:g}{upper}, but is {value!r}")
    return converted


def interval(
    name: str, argument: str, value: Any, least: float = -math.inf, most: float = math.inf
) -> tuple[float, float]:
    """Two finite numbers in order, each from `least` to `most`."""
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise TypeError(f"{name}: {argument} must be a pair (low, high), but is {value!r}")
    low, high = (number(name, argument, v, least, most) for v in value)
    if low > high:
        raise ValueError(f"{name}: {argument} must be (low, high), low first, but is {value!r}")
    return low, high


def around(
    name: str, argument: str, value: Any, middle: float, least: float = -math.inf
) -> tuple[float, float]:
    """The pair `value`, or (middle - d, middle + d) for a number d, clipped at `least`."""
    if isinstance(value, Sequence):
        return interval(name, argument, value, least)
    distance = number(name, argument, value, 0.0)
    return max(least, middle - distance), middle + distance


def uniform(rng: np.random.Generator, low_high: tuple[float, float], images: Array) -> np.ndarray:
    """One float64 number per image from the half-open interval, on the host."""
    return rng.uniform(*low_high, len(images))


def per_image(values: np.ndarray, images: Array) -> Array:
    """The values in shape (N, 1, 1, 1), with dtype and device of the images."""
    column = values.reshape(-1, 1, 1, 1).astype(images.dtype)
    return backend.to_device(column, backend.device_of(images))
