"""Random numbers: one seeded NumPy generator on the host, for either device.

A run therefore has the same initial weights, shuffles and dropout masks on CPU and GPU.

A forked process draws other numbers than its parent and its siblings: the i-th fork draws from the
parent's state and i, so that a seeded program still has the same numbers every time.

A loader's batch draws from a generator of its own (`drawing_from`): several threads that took
numbers from one generator would get other numbers in each run.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from tinynet.backend import Array, device_of, empty, to_device


class Generator:
    """A generator of random numbers of one's own, by PyTorch's name.

    It has the methods of NumPy's generator, which is `numpy`.

    >>> a, b = Generator().manual_seed(1), Generator().manual_seed(1)
    >>> a.random() == b.random()
    True
    """

    numpy: np.random.Generator

    def __init__(self, device: str = "cpu") -> None:
        self.seed()

    def manual_seed(self, seed: int) -> Generator:
        """Start again from a seed, and return the generator itself."""
        self.numpy, self._seed = np.random.default_rng(seed), seed
        return self

    def seed(self) -> int:
        """Start again from a random seed, and return it."""
        return self.manual_seed(int(np.random.SeedSequence().generate_state(1)[0]))._seed

    def initial_seed(self) -> int:
        """The seed that it started from."""
        return self._seed

    def __getattr__(self, name: str) -> Any:
        if name == "numpy":  # not yet there, while a copy is made
            raise AttributeError(name)
        return getattr(self.numpy, name)


class _Random:
    """Holder of the generator behind initialisation and dropout, created on first use."""

    generator: np.random.Generator | None = None
    forks: int = 0


class _Own:
    """The generator of a block within `drawing_from`, created on first use."""

    def __init__(self, make: Callable[[], np.random.Generator]) -> None:
        self.make = make
        self.generator: np.random.Generator | None = None


_own: ContextVar[_Own | None] = ContextVar("tinynet random numbers", default=None)


@contextmanager
def drawing_from(make: Callable[[], np.random.Generator]) -> Iterator[None]:
    """Within the block, in this thread, random numbers come from ``make()``."""
    token = _own.set(_Own(make))
    try:
        yield
    finally:
        _own.reset(token)


def manual_seed(seed: int) -> np.random.Generator:
    """Seed the generator of initialisation and dropout, and return it.

    In an item of a data set that a loader asks for, only that loader's batch is affected.

    Args:
        seed: a non-negative integer.

    >>> _ = manual_seed(0)
    >>> a = generator().random()
    >>> _ = manual_seed(0)
    >>> a == generator().random()
    True
    """
    holder = _own.get() or _Random
    holder.generator = np.random.default_rng(seed)
    return holder.generator


def seed() -> int:
    """Seed the generator with a random number, and return that number."""
    number = int(np.random.SeedSequence().generate_state(1)[0])
    manual_seed(number)
    return number


def get_rng_state() -> dict[str, Any]:
    """The state of the generator, for `set_rng_state`."""
    return copy.deepcopy(dict(generator().bit_generator.state))


def set_rng_state(new_state: Any) -> None:
    """Go on from a state that `get_rng_state` returned."""
    generator().bit_generator.state = new_state


@contextmanager
def fork_rng(devices: Any = (), enabled: bool = True) -> Iterator[None]:
    """Draw within the block without changing what is drawn after it."""
    state = get_rng_state()
    try:
        yield
    finally:
        if enabled:
            set_rng_state(state)


def generator() -> np.random.Generator:
    """The NumPy generator that initialisation and dropout draw from, on the host."""
    own = _own.get()
    if own is not None:
        if own.generator is None:
            own.generator = own.make()
        return own.generator
    if _Random.generator is None:
        seed()
    return _Random.generator  # type: ignore[return-value]


def uniform(shape: tuple[int, ...], like: Array) -> Array:
    """float32 numbers in [0, 1), drawn on the host and moved to the device of `like`."""
    if device_of(like) == "cpu":
        y = empty(shape, like, "float32")
        generator().random(dtype="float32", out=y)
        return y
    return to_device(generator().random(shape, dtype="float32"), device_of(like))


def _count_fork() -> None:
    _Random.forks += 1


def _reseed_in_child() -> None:
    if _Random.generator is not None:
        drawn = _Random.generator.integers(2**63, size=4).tolist()
        _Random.generator.bit_generator.state = np.random.default_rng(
            [*drawn, _Random.forks]
        ).bit_generator.state


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(before=_count_fork, after_in_child=_reseed_in_child)
