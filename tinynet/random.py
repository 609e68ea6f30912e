"""Random numbers: one seeded NumPy generator on the host, for either device.

A run therefore starts from the same weights, shuffles and dropout masks on CPU and GPU.
"""

from __future__ import annotations

import numpy as np

from tinynet.backend import Array, device_of, empty, to_device


class _Random:
    """The generator behind initialisation and dropout; made when first wanted."""

    generator: np.random.Generator | None = None


def manual_seed(seed: int) -> np.random.Generator:
    """Restart the random numbers of initialisation and dropout; returns their generator.

    >>> _ = manual_seed(0)
    >>> a = generator().random()
    >>> _ = manual_seed(0)
    >>> a == generator().random()
    True
    """
    _Random.generator = np.random.default_rng(seed)
    return _Random.generator


def generator() -> np.random.Generator:
    """NumPy's generator that initialisation and dropout draw from, on the host."""
    if _Random.generator is None:
        # An unseeded run is random, but it can say afterwards what its seed was.
        return manual_seed(int(np.random.SeedSequence().generate_state(1)[0]))
    return _Random.generator


def uniform(shape: tuple[int, ...], like: Array) -> Array:
    """float32 numbers in [0, 1), drawn on the host and placed beside the array `like`."""
    if device_of(like) == "cpu":
        y = empty(shape, like, "float32")
        generator().random(dtype="float32", out=y)
        return y
    return to_device(generator().random(shape, dtype="float32"), device_of(like))
