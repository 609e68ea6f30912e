"""DataLoader: arrays in batches, shuffled anew each epoch, the same way in every run."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

from tinynet import backend
from tinynet.backend import Array


class DataLoader:
    """Batches of one or more arrays that run in step: images and their labels, say.

    Iterating it is one epoch. Batch k of epoch e holds the rows ``order[k*B : (k+1)*B]`` of every
    array, where B is the batch size and::

        order = 0, 1, ..., n-1                                     without shuffle
        order = np.random.default_rng([seed, e]).permutation(n)    with shuffle

    so the order is a function of (seed, e) and of nothing else: neither of what drew random
    numbers before, nor of the device, nor of how many batches an earlier epoch was left after.

    Epochs count from 0, and each ``iter()`` (each ``for``) moves on to the next; `epoch` is the
    one that the next ``iter()`` will run, and `set_epoch` chooses it. A run that goes on from a
    checkpoint calls ``set_epoch`` with the number of epochs done and sees what an uninterrupted
    run would have seen.

    Without shuffle a batch is a view: writing into it writes into the data. With shuffle it is a
    copy. Either keeps the memory order of its array; what order an operation wants is left to the
    operation. The last batch is smaller where B does not divide n, so an average over the data is
    the average of batches *weighted by their sizes*.

    Args:
        *arrays: NumPy or CuPy arrays of equal length n along their first axis.
        batch_size: rows in a batch, B.
        shuffle: whether each epoch has its own random order.
        seed: a non-negative integer.
        drop_last: whether to leave out the smaller batch at the end.
        device: ``"cpu"`` or ``"cuda"``, where each batch is moved to; by default it stays where
            its array is.

    Yields:
        A tuple of arrays, one for each of `arrays`, with 1 to B rows.

    Raises:
        TypeError: if an argument is not an array, or `batch_size` or `seed` not an integer.
        ValueError: if there are no arrays, or no rows, or the lengths differ; if
            ``batch_size < 1``, ``seed < 0`` or `device` is not known; if `drop_last` would leave
            no batch at all.
        DeviceError: if the device cannot be used.

    >>> loader = DataLoader(np.arange(5), np.arange(5) ** 2, batch_size=2)
    >>> for x, y in loader:
    ...     print(x, y)
    [0 1] [0 1]
    [2 3] [4 9]
    [4] [16]
    >>> len(loader)
    3
    """

    epoch: int

    def __init__(
        self,
        *arrays: Array,
        batch_size: int,
        shuffle: bool = False,
        seed: int = 0,
        drop_last: bool = False,
        device: str | None = None,
    ) -> None:
        self.length = _common_length(arrays)
        self.arrays = arrays
        self.batch_size = _integer("batch_size", batch_size, least=1)
        self.shuffle = shuffle
        self.seed = _integer("seed", seed, least=0)
        self.drop_last = drop_last
        self.device = None if device is None else backend.check_device(device)
        self.epoch = 0
        if len(self) == 0:
            raise ValueError(
                f"DataLoader: batch_size is {self.batch_size} and there are {self.length} rows, so "
                "drop_last would leave no batch; take a smaller batch_size or drop_last=False"
            )

    def __len__(self) -> int:
        """The number of batches in an epoch: n/B, rounded down with `drop_last` and up without."""
        spare = 0 if self.drop_last else self.batch_size - 1
        return (self.length + spare) // self.batch_size

    def set_epoch(self, epoch: int) -> None:
        """Make `epoch` (0, 1, ...) the one that the next ``iter()`` runs."""
        self.epoch = _integer("epoch", epoch, least=0)

    def __iter__(self) -> Iterator[tuple[Array, ...]]:
        # Counted here and not in the generator, whose first line runs only with the first batch.
        epoch = self.epoch
        self.epoch += 1
        return self._batches(epoch)

    def _batches(self, epoch: int) -> Iterator[tuple[Array, ...]]:
        order = None
        if self.shuffle:
            order = np.random.default_rng([self.seed, epoch]).permutation(self.length)
        for k in range(len(self)):
            rows: Any = slice(k * self.batch_size, (k + 1) * self.batch_size)
            if order is not None:
                rows = order[rows]
            yield tuple(self._take(a, rows) for a in self.arrays)

    def _take(self, array: Array, rows: Any) -> Array:
        if isinstance(rows, np.ndarray):
            rows = backend.to_device(rows, backend.device_of(array))
        # Not np.take: as quick on a C-ordered array, and of any other it first copies the whole.
        batch = array[rows]
        return batch if self.device is None else backend.to_device(batch, self.device)


def _common_length(arrays: tuple[Array, ...]) -> int:
    if not arrays:
        raise ValueError("DataLoader: there must be at least 1 array, but there are 0")
    for i, a in enumerate(arrays):
        if not backend.is_array(a):
            raise TypeError(
                f"DataLoader: argument {i} must be a NumPy or CuPy array, but is a "
                f"{type(a).__name__}; convert data with numpy.asarray and give options by name, "
                "as in DataLoader(x, y, batch_size=64)"
            )
        if a.ndim == 0:
            raise ValueError(
                f"DataLoader: argument {i} must have 1 dimension or more, but has 0; "
                "its first axis is the one that is cut into batches"
            )
    for i, a in enumerate(arrays):
        if len(a) != len(arrays[0]):
            raise ValueError(
                f"DataLoader: arrays must have equal lengths, but argument 0 has {len(arrays[0])} "
                f"rows and argument {i} has {len(a)}; pass the images and labels of the same part"
            )
    if len(arrays[0]) == 0:
        raise ValueError("DataLoader: there must be at least 1 row, but the arrays have 0")
    return len(arrays[0])


def _integer(name: str, value: Any, least: int) -> int:
    """`value` as an int, NumPy's integers included, and not below `least`."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise TypeError(
            f"DataLoader: {name} must be an integer, but is {value!r} ({type(value).__name__})"
        )
    if number < least:
        raise ValueError(f"DataLoader: {name} must be {least} or more, but is {number}")
    return number
