"""Samplers: the order in which a loader takes the items of a data set.

A sampler is anything whose ``iter()`` yields indices. Those of this file that draw random numbers
have a `seed` and an `epoch`: the order of epoch e depends on (seed, e) alone. Each ``iter()`` runs
the next epoch, and `set_epoch` chooses it. A `DataLoader` calls `set_epoch` before each of its
epochs, and so resumes in the middle of one. Write `set_epoch` into a sampler of your own if its
order changes from epoch to epoch.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

import numpy as np

from tinynet.autograd import Value
from tinynet.backend import to_numpy
from tinynet.random import Generator

T = TypeVar("T", covariant=True)


class Sampler(Generic[T]):
    """Base class of samplers; override ``__iter__``, and ``__len__`` if the length is known."""

    def __init__(self, data_source: Any = None) -> None:
        pass

    def __iter__(self) -> Iterator[T]:
        raise NotImplementedError(f"{type(self).__name__} does not override __iter__")


class SequentialSampler(Sampler[int]):
    """Yields 0, 1, ..., n - 1."""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class _Drawn(Sampler[int]):
    """A sampler whose epoch e is drawn with ``np.random.default_rng([seed, e])``."""

    num_samples: Any

    def __init__(self, generator: Any, seed: int) -> None:
        self.seed = as_seed(type(self).__name__, generator, seed)
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch (0, 1, ...) that the next ``iter()`` runs."""
        self.epoch = integer(f"{type(self).__name__}.set_epoch: epoch", epoch, 0)

    def _draw(self, rng: np.random.Generator) -> np.ndarray:
        raise NotImplementedError

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng([self.seed, self.epoch])
        self.epoch += 1
        return iter(self._draw(rng).tolist())

    def __len__(self) -> int:
        return int(self.num_samples)


class RandomSampler(_Drawn):
    """Yields indices from 0 to n - 1 in random order: each once, or with replacement.

    Args:
        data_source: the data set, of length n.
        replacement: whether to draw each index independently of the others.
        num_samples: how many to draw, by default n. Without replacement, a number above n takes
            several orders one after the other.
        generator: a random generator, from which one number is drawn as the seed.
        seed: the seed, without a generator.

    >>> order = np.random.default_rng([1, 0]).permutation(5).tolist()
    >>> list(RandomSampler(range(5), seed=1)) == order
    True
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Any = None,
        *,
        seed: int = 0,
    ) -> None:
        if not isinstance(replacement, bool):
            raise TypeError(f"RandomSampler: replacement must be a bool, but is {replacement!r}")
        self.data_source, self.replacement = data_source, replacement
        self._num_samples = num_samples
        if num_samples is not None:
            self._num_samples = integer("RandomSampler: num_samples", num_samples, 1)
        super().__init__(generator, seed)

    @property
    def num_samples(self) -> int:
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def _draw(self, rng: np.random.Generator) -> np.ndarray:
        n, count = len(self.data_source), self.num_samples
        if self.replacement:
            return rng.integers(n, size=count)
        orders = [rng.permutation(n) for _ in range(0, count, max(n, 1))]
        return np.concatenate([*orders, np.arange(0)])[:count]


class SubsetRandomSampler(_Drawn):
    """Yields the given indices in random order; the last arguments are `RandomSampler`'s."""

    def __init__(self, indices: Sequence[int], generator: Any = None, *, seed: int = 0) -> None:
        self.indices = indices
        super().__init__(generator, seed)

    @property
    def num_samples(self) -> int:
        return len(self.indices)

    def _draw(self, rng: np.random.Generator) -> np.ndarray:
        return np.array([int(i) for i in self.indices], "int64")[rng.permutation(len(self.indices))]


class WeightedRandomSampler(_Drawn):
    """Yields indices i with probability w_i / sum_j w_j.

    Args:
        weights: w, finite numbers of at least 0, not all 0; their sum need not be 1.
        num_samples: how many to draw.
        replacement: whether an index can be drawn more than once. Without, the next index is drawn
            with the weights of those that are left.
        generator, seed: as for `RandomSampler`.
    """

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Any = None,
        *,
        seed: int = 0,
    ) -> None:
        name = "WeightedRandomSampler"
        self.num_samples = integer(f"{name}: num_samples", num_samples, 1)
        if not isinstance(replacement, bool):
            raise TypeError(f"{name}: replacement must be a bool, but is {replacement!r}")
        self.replacement = replacement
        plain = to_numpy(weights.detach()._data) if isinstance(weights, Value) else weights  # type: ignore[attr-defined]
        try:
            self.weights = np.array(plain, "float64")
        except (TypeError, ValueError):
            raise TypeError(f"{name}: weights must be numbers, but are {weights!r}") from None
        w = self.weights
        if w.ndim != 1 or not np.isfinite(w).all() or (w < 0).any() or not w.sum() > 0:
            raise ValueError(
                f"{name}: weights of shape {w.shape} must be one row of finite numbers >= 0, not "
                "all 0"
            )
        if not replacement and np.count_nonzero(w) < self.num_samples:
            raise ValueError(
                f"{name}: num_samples is {self.num_samples} without replacement, but "
                f"{np.count_nonzero(w)} weights are above 0"
            )
        super().__init__(generator, seed)

    def _draw(self, rng: np.random.Generator) -> np.ndarray:
        p = self.weights / self.weights.sum()
        return rng.choice(len(p), self.num_samples, replace=self.replacement, p=p)


class BatchSampler(Sampler[list[int]]):
    """Yields lists of `batch_size` indices of a sampler.

    The last list is shorter if the indices do not fill it, or dropped with `drop_last`.

    >>> list(BatchSampler(range(5), 2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        self.sampler = sampler
        self.batch_size = integer("BatchSampler: batch_size", batch_size, 1)
        if not isinstance(drop_last, bool):
            raise TypeError(f"BatchSampler: drop_last must be a bool, but is {drop_last!r}")
        self.drop_last = drop_last

    @property
    def seed(self) -> int:
        """The sampler's seed, 0 if it has none."""
        return getattr(self.sampler, "seed", 0)

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the sampler, if it has epochs."""
        if hasattr(self.sampler, "set_epoch"):
            self.sampler.set_epoch(epoch)

    def __iter__(self) -> Iterator[list[int]]:
        return self._batches(iter(self.sampler))  # takes the epoch now, not at the first batch

    def _batches(self, indices: Iterator[int]) -> Iterator[list[int]]:
        batch: list[int] = []
        for i in indices:
            batch.append(i)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        spare = 0 if self.drop_last else self.batch_size - 1
        return (len(self.sampler) + spare) // self.batch_size  # type: ignore[arg-type]


def as_seed(where: str, generator: Any, seed: Any) -> int:
    """The seed: `seed` itself, or without it one number drawn from `generator`."""
    if generator is None:
        return integer(f"{where}: seed", seed, 0)
    if not isinstance(generator, np.random.Generator | Generator):
        raise TypeError(
            f"{where}: generator is a {type(generator).__name__}; it must be a random generator, "
            "such as tinynet.Generator().manual_seed(0), or give seed=0"
        )
    return int(generator.integers(2**63 - 1))


def integer(what: str, value: Any, least: int) -> int:
    """`value` as an int of at least `least`; accepts NumPy's integers."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise TypeError(f"{what} must be an integer, but is {value!r} ({type(value).__name__})")
    if number < least:
        raise ValueError(f"{what} must be {least} or more, but is {number}")
    return number
