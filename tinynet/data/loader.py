"""DataLoader: batches of arrays, reshuffled each epoch and reproducible from a seed."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

import numpy as np

from tinynet import backend
from tinynet.backend import Array
from tinynet.data.prefetch import prefetch
from tinynet.memory import first_axis_last


class DataLoader:
    """Iterates over batches of one or more arrays of equal length, such as images and labels.

    One iteration is one epoch. Batch k of epoch e holds the rows ``order[k*B : (k+1)*B]`` of every
    array, where B is the batch size and::

        order = 0, 1, ..., n-1                                     without shuffle
        order = np.random.default_rng([seed, e]).permutation(n)    with shuffle

    The order depends on (seed, e) alone: not on random numbers drawn elsewhere, on the device, or
    on how many batches of earlier epochs were used.

    Epochs count from 0. Each ``iter()`` (each ``for``) starts the next one; `epoch` is the one that
    the next ``iter()`` will run, and `set_epoch` chooses it. `state_dict` and `load_state_dict`
    save and restore the position in the data, even within an epoch: a run resumed from a checkpoint
    sees the batches that an uninterrupted run would have seen.

    Without shuffle a batch is a view: writing into it writes into the data. With shuffle it is a
    copy in the memory order of its array; float images (N, C, H, W) on the CPU without a
    `transform` have N innermost, which saves the convolution a copy. The last batch is smaller if B
    does not divide n, so an average over the data is the average over batches *weighted by their
    sizes*.

    A `transform` replaces the first array of each batch by ``transform(first, rng)``, after moving
    it to `device`; the other arrays stay as they are. In batch k of epoch e::

        rng = np.random.default_rng(np.random.SeedSequence([seed, e], spawn_key=(k,)))

    so the random numbers depend on (seed, e, k) alone. See `tinynet.data.transforms`.

    `num_workers` threads prepare batches ahead of the loop, the same batches in the same order for
    any number of threads. At most ``num_workers + 1`` batches wait to be received. An error in a
    thread is raised in the loop; leaving the loop ends the threads. Several threads call
    `transform` at once, so it must not modify itself. Threads pay off if the transform takes a good
    part of a step and a core is free, or if the step runs on a GPU; a batch without a transform
    takes less time to make than to hand over.

    Args:
        *arrays: NumPy or CuPy arrays of equal length n along their first axis.
        batch_size: rows per batch, B.
        shuffle: whether to draw a new random order for each epoch.
        seed: a non-negative integer.
        drop_last: whether to drop the last batch if it is smaller.
        device: ``"cpu"`` or ``"cuda"``, the device to move batches to; by default they stay on
            their arrays' device.
        transform: called with the first array of a batch and a `numpy.random.Generator`; must
            return an array with as many rows, and not write into its argument.
        num_workers: number of threads that prepare batches; 0 makes each batch on request.

    Yields:
        A tuple of arrays, one for each of `arrays`, with 1 to B rows.

    Raises:
        TypeError: if an argument is not an array; if `batch_size`, `seed` or `num_workers` is not
            an integer; if `transform` is not callable or returns no array.
        ValueError: if there are no arrays or no rows, or lengths differ; if ``batch_size < 1``,
            ``seed < 0``, ``num_workers < 0`` or `device` is unknown; if `drop_last` would leave no
            batch; if `transform` changes the number of rows.
        DeviceError: if the device is unavailable.

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
        transform: Callable[[Array, np.random.Generator], Array] | None = None,
        num_workers: int = 0,
    ) -> None:
        self.length = _common_length(arrays)
        self.arrays = arrays
        self.batch_size = _integer("batch_size", batch_size, least=1)
        self.shuffle = shuffle
        self.seed = _integer("seed", seed, least=0)
        self.drop_last = drop_last
        self.device = None if device is None else backend.check_device(device)
        if transform is not None and not callable(transform):
            raise TypeError(
                "DataLoader: transform must be callable, as transform(images, rng), but is a "
                f"{type(transform).__name__}"
            )
        self.transform = transform
        self.num_workers = _integer("num_workers", num_workers, least=0)
        self.epoch = 0
        self._first = 0  # first batch of the next iter()
        self._place: list[int] | None = None  # [epoch, batches received] of the running iter()
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
        """Set the epoch (0, 1, ...) that the next ``iter()`` runs, from its first batch."""
        self.epoch = _integer("epoch", epoch, least=0)
        self._first, self._place = 0, None

    def state_dict(self) -> dict[str, int]:
        """Return the position in the data, and the options it depends on, as plain numbers.

        "epoch" and "batch" identify the next batch. In the body of a loop over epoch e that has
        received k batches they are e and k, even if k is the last; batches prepared ahead do not
        count. After the loop they are e + 1 and 0. After ``break`` or an error they stay e and k:
        call ``set_epoch(loader.epoch)`` to skip the rest of the epoch in the saved state as well.
        If several loops run at once, the last one started counts.

        >>> loader = DataLoader(np.arange(10), batch_size=2, shuffle=True)
        >>> batches = iter(loader)
        >>> _ = next(batches), next(batches)
        >>> state = loader.state_dict()
        >>> state["epoch"], state["batch"]
        (0, 2)
        >>> again = DataLoader(np.arange(10), batch_size=2, shuffle=True)
        >>> again.load_state_dict(state)
        >>> all(np.array_equal(a, b) for (a,), (b,) in zip(again, batches, strict=True))
        True
        >>> again.epoch
        1
        """
        epoch, batch = self._place or (self.epoch, self._first)
        return {"epoch": epoch, "batch": batch, **self._options()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Restore the position saved by `state_dict`; running loops are not affected.

        The next ``iter()`` yields the rest of that epoch, nothing if all batches had been received.
        The ``iter()`` after it runs the next epoch.

        Raises:
            ValueError: if keys are missing or unknown, an option differs from this loader's, or
                "batch" is too large; the loader is unchanged then.
            TypeError: if "epoch" or "batch" is not an integer.
        """
        where = "DataLoader.load_state_dict"
        options = self._options()
        wrong = sorted({"epoch", "batch", *options} ^ set(state_dict))
        if wrong:
            raise ValueError(f"{where}: keys missing or unknown: {', '.join(wrong)}")
        differ = [name for name, value in options.items() if state_dict[name] != value]
        if differ:
            saved = ", ".join(f"{name}={state_dict[name]}" for name in differ)
            mine = ", ".join(f"{name}={options[name]}" for name in differ)
            raise ValueError(
                f"{where}: the state was saved with {saved}, but this loader has {mine}, so its "
                "batches differ; create the loader with the saved options, or start over"
            )
        epoch = _integer("epoch", state_dict["epoch"], least=0)
        batch = _integer("batch", state_dict["batch"], least=0)
        if batch > len(self):
            raise ValueError(f"{where}: batch is {batch}, but an epoch has {len(self)} batches")
        self.epoch, self._first, self._place = epoch, batch, None

    def _options(self) -> dict[str, int]:
        """Options that determine the batches, besides the data, the transform and the position."""
        return {
            "seed": self.seed,
            "batch_size": self.batch_size,
            "shuffle": int(self.shuffle),
            "drop_last": int(self.drop_last),
            "length": self.length,
        }

    def __iter__(self) -> Iterator[tuple[Array, ...]]:
        # Counted here because the generator's first line runs only with the first batch.
        place = self._place = [self.epoch, self._first]
        self.epoch, self._first = self.epoch + 1, 0
        return self._batches(place)

    def _batches(self, place: list[int]) -> Iterator[tuple[Array, ...]]:
        epoch, first = place
        order = None
        if self.shuffle:
            order = np.random.default_rng([self.seed, epoch]).permutation(self.length)

        def make(k: int) -> tuple[Array, ...]:
            return self._batch(epoch, k, order)

        numbers = range(first, len(self))
        with closing(
            prefetch(make, numbers, self.num_workers)
            if self.num_workers
            else (make(k) for k in numbers)
        ) as batches:
            for batch in batches:
                place[1] += 1
                yield batch
                del batch  # or two batches would be in memory while the next one is made
        if self._place is place:
            self._place = None

    def _batch(self, epoch: int, k: int, order: np.ndarray | None) -> tuple[Array, ...]:
        rows: Any = slice(k * self.batch_size, (k + 1) * self.batch_size)
        if order is not None:
            rows = order[rows]
        batch = tuple(self._take(a, rows) for a in self.arrays)
        if self.transform is None:
            return batch
        # A spawn key rather than [seed, epoch, k]: trailing zeros of a seed are ignored, so
        # [seed, epoch, 0] would repeat the shuffle's random numbers.
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, epoch], spawn_key=(k,)))
        changed = self.transform(batch[0], rng)
        if not backend.is_array(changed):
            raise TypeError(
                f"DataLoader: transform must return an array, but returned a "
                f"{type(changed).__name__} for batch {k} of epoch {epoch}"
            )
        if changed.shape[:1] != batch[0].shape[:1]:
            raise ValueError(
                f"DataLoader: transform must keep the number of rows, but returned {changed.shape} "
                f"for {batch[0].shape} in batch {k} of epoch {epoch}"
            )
        return (changed, *batch[1:])

    def _take(self, array: Array, rows: Any) -> Array:
        if isinstance(rows, np.ndarray):
            rows = backend.to_device(rows, backend.device_of(array))
            if self._is_turned(array):  # now, while the batch is in the cache
                return first_axis_last(array[rows]).transpose(-1, *range(array.ndim - 1))
        # Not np.take, which first copies the whole array unless it is in C order.
        batch = array[rows]
        return batch if self.device is None else backend.to_device(batch, self.device)

    def _is_turned(self, array: Array) -> bool:
        """Whether batches have N innermost: images that go unchanged to a convolution."""
        devices = {backend.device_of(array), self.device or "cpu"}
        plain = array.ndim == 4 and array.dtype.kind == "f" and self.transform is None
        return plain and devices == {"cpu"} and array.flags.c_contiguous


def _common_length(arrays: tuple[Array, ...]) -> int:
    if not arrays:
        raise ValueError("DataLoader: there must be at least 1 array, but there are 0")
    for i, a in enumerate(arrays):
        if not backend.is_array(a):
            raise TypeError(
                f"DataLoader: argument {i} must be a NumPy or CuPy array, but is a "
                f"{type(a).__name__}; convert data with numpy.asarray and pass options by name, "
                "as in DataLoader(x, y, batch_size=64)"
            )
        if a.ndim == 0:
            raise ValueError(
                f"DataLoader: argument {i} must have 1 dimension or more, but has 0; "
                "batches are slices of its first axis"
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
    """`value` as an int of at least `least`; accepts NumPy's integers."""
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
