"""Random numbers: one seeded NumPy generator on the host, for either device.

A run therefore has the same initial weights, shuffles and dropout masks on CPU and GPU.
"""

from __future__ import annotations

import numpy as np

from tinynet.backend import Array, device_of, empty, to_device


class _Random:
    """Holder of the generator behind initialisation and dropout, created on first use."""

    generator: np.random.Generator | None = None


def manual_seed(seed: int) -> np.random.Generator:
    """Seed the generator of initialisation and dropout, and return it.

    Args:
        seed: a non-negative integer.

    >>> _ = manual_seed(0)
    >>> a = generator().random()
    >>> _ = manual_seed(0)
    >>> a == generator().random()
    True
    """
    _Random.generator = np.random.default_rng(seed)
    return _Random.generator


def generator() -> np.random.Generator:
    """The NumPy generator that initialisation and dropout draw from, on the host."""
    if _Random.generator is None:
        # random, but the seed can be read from the generator afterwards
        return manual_seed(int(np.random.SeedSequence().generate_state(1)[0]))
    return _Random.generator


def uniform(shape: tuple[int, ...], like: Array) -> Array:
    """float32 numbers in [0, 1), drawn on the host and moved to the device of `like`."""
    if device_of(like) == "cpu":
        y = empty(shape, like, "float32")
        generator().random(dtype="float32", out=y)
        return y
    return to_device(generator().random(shape, dtype="float32"), device_of(like))
