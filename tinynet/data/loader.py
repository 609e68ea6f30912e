"""DataLoader: batches of arrays or of a data set, reproducible from a seed, resumable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from itertools import count, islice
from operator import length_hint
from typing import Any

import numpy as np

from tinynet import backend
from tinynet.autograd import Value
from tinynet.backend import Array
from tinynet.creation import as_tensor
from tinynet.data.collate import default_collate, default_convert, moved
from tinynet.data.dataset import ArrayDataset, IterableDataset, dataset_of, rows_at_once
from tinynet.data.prefetch import prefetch
from tinynet.data.sampler import as_seed, integer
from tinynet.random import drawing_from


class DataLoader:
    """Iterates over batches of arrays of equal length, such as images and labels, or of a data set.

    One iteration is one epoch. Batch k of epoch e holds the rows ``order[k*B : (k+1)*B]`` of every
    array, or those items of the data set, where B is the batch size and::

        order = 0, 1, ..., n-1                                     without shuffle
        order = np.random.default_rng([seed, e]).permutation(n)    with shuffle

    The order depends on (seed, e) alone: not on random numbers drawn elsewhere, on the device, or
    on how many batches of earlier epochs were used. A `sampler` or `batch_sampler` gives another
    order; see `tinynet.data.sampler`.

    Epochs count from 0. Each ``iter()`` (each ``for``) starts the next one; `epoch` is the one that
    the next ``iter()`` will run, and `set_epoch` chooses it. `state_dict` and `load_state_dict`
    save and restore the position in the data, even within an epoch: a run resumed from a checkpoint
    sees the batches that an uninterrupted run would have seen.

    **Arrays** give batches that are tuples of arrays. Without shuffle these are views: writing into
    one writes into the data. With shuffle they are copies in the memory order of their array; float
    images (N, C, H, W) on the CPU without a `transform` have N innermost, which saves the
    convolution a copy. The last batch is smaller if B does not divide n, so an average over the
    data is the average over batches *weighted by their sizes*.

    **A data set** is an object with ``dataset[i]`` and ``len(dataset)``, such as a `Dataset`, a
    list or a Tensor; or an `IterableDataset`. `collate_fn` makes the batch of a list of items, by
    default `default_collate`, which makes Tensors. Several Tensors are a `TensorDataset`. The rows
    of Tensors are taken all at once, as quickly as those of arrays.

    A `transform` replaces the first array of each batch by ``transform(first, rng)``, after moving
    it to `device`; the other arrays stay as they are. In batch k of epoch e::

        rng = np.random.default_rng(np.random.SeedSequence([seed, e], spawn_key=(k,)))

    so the random numbers depend on (seed, e, k) alone. See `tinynet.data.transforms`.

    What the items of a data set and `collate_fn` draw with tinynet's functions, such as `tn.rand`,
    depends on (seed, e, k) too: it is the same for any number of threads and does not change what
    the loop draws. With `random` and `numpy.random` it is not so.

    `num_workers` threads prepare batches ahead of the loop, the same batches in the same order for
    any number of threads. At most ``num_workers + 1`` batches wait to be received. An error in a
    thread is raised in the loop; leaving the loop ends the threads. Several threads ask for items,
    collate and call `transform` at once, so none of these must modify itself. Threads pay off if
    that takes a good part of a step and a core is free, or if the step runs on a GPU; a batch of
    plain arrays takes less time to make than to hand over.

    Args:
        *data: NumPy or CuPy arrays of equal length n along their first axis; or Tensors; or one
            data set, after which `batch_size` and `shuffle` may be given by position.
        batch_size: rows per batch, B; None for items instead of batches.
        shuffle: whether to draw a new random order for each epoch.
        sampler: yields the indices of an epoch, instead of `shuffle`.
        batch_sampler: yields lists of indices, instead of `batch_size`, `shuffle` and `drop_last`.
        num_workers: number of threads that prepare batches; 0 makes each batch on request.
        collate_fn: makes a batch of a list of items.
        drop_last: whether to drop the last batch if it is smaller.
        generator: a random generator, from which one number is drawn as the seed.
        seed: a non-negative integer, without a generator.
        device: ``"cpu"`` or ``"cuda"``, the device to move batches to; by default they stay on
            their arrays' device.
        transform: called with the first array of a batch and a `numpy.random.Generator`; must
            return an array with as many rows, and not write into its argument.
        pin_memory, pin_memory_device, timeout, prefetch_factor, persistent_workers: PyTorch's
            options for its worker processes. They change no batch, and threads need none of them.

    Yields:
        For arrays a tuple of arrays with 1 to B rows, for a data set what `collate_fn` makes.

    Raises:
        TypeError: if an argument is neither an array nor a data set; if `batch_size`, `seed` or
            `num_workers` is not an integer; if `transform` is not callable or returns no array.
        ValueError: if there are no arrays or no rows, or lengths differ; if ``batch_size < 1``,
            ``seed < 0``, ``num_workers < 0`` or `device` is unknown; if `drop_last` would leave no
            batch; if `transform` changes the number of rows; if options exclude each other.
        DeviceError: if the device is unavailable.

    >>> loader = DataLoader(np.arange(5), np.arange(5) ** 2, batch_size=2)
    >>> for x, y in loader:
    ...     print(x, y)
    [0 1] [0 1]
    [2 3] [4 9]
    [4] [16]
    >>> len(loader)
    3
    >>> list(DataLoader([("a", 1), ("b", 2)], batch_size=2))
    [[['a', 'b'], tensor([1, 2])]]
    """

    epoch: int

    def __init__(
        self,
        *data: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        drop_last: bool = False,
        generator: Any = None,
        seed: int = 0,
        device: str | None = None,
        transform: Callable[[Array, np.random.Generator], Array] | None = None,
        pin_memory: bool = False,
        pin_memory_device: str = "",
        timeout: float = 0,
        worker_init_fn: None = None,
        multiprocessing_context: None = None,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        in_order: bool = True,
    ) -> None:
        self.dataset, by_position = dataset_of(data)
        batch_size, shuffle = by_position + (batch_size, shuffle)[len(by_position) :]
        self.batch_size = None if batch_size is None else _integer("batch_size", batch_size, 1)
        self.shuffle = bool(shuffle)
        self.sampler, self.batch_sampler = sampler, batch_sampler
        self.drop_last = drop_last
        self.seed = as_seed("DataLoader", generator, seed)
        self.device = None if device is None else backend.check_device(device)
        for name, function in (("transform", transform), ("collate_fn", collate_fn)):
            if function is not None and not callable(function):
                raise TypeError(
                    f"DataLoader: {name} must be callable, as "
                    f"{'transform(images, rng)' if name == 'transform' else 'collate_fn(items)'}, "
                    f"but is a {type(function).__name__}"
                )
        self.transform, self.collate_fn = transform, collate_fn
        self.num_workers = _integer("num_workers", num_workers, least=0)
        if worker_init_fn is not None or multiprocessing_context is not None or not in_order:
            raise ValueError(
                "DataLoader: worker_init_fn, multiprocessing_context and in_order=False are for "
                "worker processes, but the workers here are threads that keep the order; leave "
                "them out. A worker needs no seed: what the items draw with tinynet.rand and the "
                "like depends on the loader's seed, the epoch and the batch alone"
            )
        self.epoch = 0
        self._first = 0  # first batch of the next iter()
        self._place: list[int] | None = None  # [epoch, batches received] of the running iter()
        self._streams = isinstance(self.dataset, IterableDataset)
        self.length = 0 if self._streams else len(self.dataset)
        self._check_sampling()
        self._whole = None  # the function that takes the rows of a batch at once
        if collate_fn is None and self.batch_size is not None:
            turn = transform is None and self.device in (None, "cpu")
            self._whole = rows_at_once(self.dataset, turn)

    def _check_sampling(self) -> None:
        """Check the options that choose rows, and set `seed` and `batch_size` to the sampler's."""
        sampler = self.sampler if self.batch_sampler is None else self.batch_sampler
        if self._streams and (self.shuffle or sampler is not None):
            raise ValueError(
                "DataLoader: an IterableDataset has an order of its own, so shuffle, sampler and "
                "batch_sampler do not apply; shuffle inside of its __iter__"
            )
        if self.batch_sampler is not None and (
            self.batch_size != 1 or self.shuffle or self.drop_last or self.sampler is not None
        ):
            raise ValueError(
                "DataLoader: batch_sampler makes the batches, so leave out batch_size, shuffle, "
                "sampler and drop_last"
            )
        if self.sampler is not None and self.shuffle:
            raise ValueError("DataLoader: sampler chooses the order, so leave out shuffle")
        if self.batch_size is None and self.drop_last:
            raise ValueError("DataLoader: drop_last needs a batch_size, but it is None")
        if sampler is not None:
            self.seed = getattr(sampler, "seed", self.seed)
        if self.batch_sampler is not None:
            self.batch_size = getattr(self.batch_sampler, "batch_size", 0)
            self.drop_last = getattr(self.batch_sampler, "drop_last", False)
        elif sampler is None and not self._streams and len(self) == 0:
            if self.length == 0:
                what = "rows" if isinstance(self.dataset, ArrayDataset) else "items"
                raise ValueError(
                    f"DataLoader: there must be at least 1 {what[:-1]}, but "
                    f"{'the arrays have' if what == 'rows' else 'the data set has'} 0"
                )
            raise ValueError(
                f"DataLoader: batch_size is {self.batch_size} and there are {self.length} rows, so "
                "drop_last would leave no batch; take a smaller batch_size or drop_last=False"
            )

    def __len__(self) -> int:
        """The number of batches in an epoch: n/B, rounded down with `drop_last` and up without."""
        if self.batch_sampler is not None:
            return len(self.batch_sampler)  # type: ignore[arg-type]
        items: Any = self.dataset if self.sampler is None else self.sampler
        if not hasattr(items, "__len__"):
            raise TypeError(f"DataLoader: a {type(items).__name__} has no length")
        size = self.batch_size or 1
        return (len(items) + (0 if self.drop_last else size - 1)) // size

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
        most = length_hint(self, batch)
        if batch > most:
            raise ValueError(f"{where}: batch is {batch}, but an epoch has {most} batches")
        self.epoch, self._first, self._place = epoch, batch, None

    def _options(self) -> dict[str, int]:
        """Options that determine the batches, besides the data, the transform and the position."""
        return {
            "seed": self.seed,
            "batch_size": self.batch_size or 0,
            "shuffle": int(self.shuffle),
            "drop_last": int(self.drop_last),
            "length": self.length,
        }

    def __iter__(self) -> Iterator[Any]:
        # Counted here because the generator's first line runs only with the first batch.
        place = self._place = [self.epoch, self._first]
        self.epoch, self._first = self.epoch + 1, 0
        return self._batches(place)

    def _batches(self, place: list[int]) -> Iterator[Any]:
        epoch, first = place

        def make(job: tuple[int, Any]) -> Any:
            if self._whole is not None and self.transform is None:
                return self._batch(epoch, *job)
            seeds = np.random.SeedSequence([self.seed, epoch], spawn_key=(job[0], 1))
            with drawing_from(lambda: np.random.default_rng(seeds)):
                return self._batch(epoch, *job)

        jobs = zip(count(first), self._rows(epoch, first), strict=False)
        with closing(
            prefetch(make, jobs, self.num_workers) if self.num_workers else (make(j) for j in jobs)
        ) as batches:
            for batch in batches:
                place[1] += 1
                yield batch
                del batch  # or two batches would be in memory while the next one is made
        if self._place is place:
            self._place = None

    def _rows(self, epoch: int, first: int) -> Iterator[Any]:
        """The rows of each batch from the first one on; the items themselves if they stream."""
        size = self.batch_size
        sampler = self.sampler if self.batch_sampler is None else self.batch_sampler
        if sampler is None and not self._streams:
            order: Any = range(self.length)
            if self.shuffle:
                order = np.random.default_rng([self.seed, epoch]).permutation(self.length)
            for k in range(first, len(self)):
                if size is None:
                    yield int(order[k])
                elif self.shuffle:
                    yield order[k * size : (k + 1) * size]
                else:
                    yield slice(k * size, (k + 1) * size)
            return
        source: Any = self.dataset if sampler is None else sampler
        if hasattr(source, "set_epoch"):
            source.set_epoch(epoch)
        if self.batch_sampler is not None or size is None:
            yield from islice(iter(source), first, None)
            return
        items = islice(iter(source), first * size, None)
        while (batch := list(islice(items, size))) and not (self.drop_last and len(batch) < size):
            yield batch

    def _batch(self, epoch: int, k: int, rows: Any) -> Any:
        if self._whole is not None:
            batch = self._whole(np.array(rows, "int64") if isinstance(rows, list) else rows)
        elif self.batch_size is None:
            convert = self.collate_fn or default_convert
            batch = convert(rows if self._streams else self.dataset[rows])
        else:
            batch = (self.collate_fn or default_collate)(self._items(rows))
        if self.device is not None:
            batch = moved(batch, self.device)
        return batch if self.transform is None else self._transformed(batch, epoch, k)

    def _items(self, rows: Any) -> list[Any]:
        if self._streams:
            return rows
        if isinstance(rows, slice):
            rows = range(*rows.indices(self.length))
        rows = rows.tolist() if isinstance(rows, np.ndarray) else list(rows)
        if hasattr(self.dataset, "__getitems__"):  # all at once
            return self.dataset.__getitems__(rows)
        return [self.dataset[i] for i in rows]

    def _transformed(self, batch: Any, epoch: int, k: int) -> Any:
        where = f"batch {k} of epoch {epoch}"
        if not isinstance(batch, tuple | list):
            raise TypeError(
                f"DataLoader: transform changes the first array of a tuple or list, but {where} is "
                f"a {type(batch).__name__}; transform the items in the data set"
            )
        first, *others = batch
        array = first._data if isinstance(first, Value) else first
        # A spawn key rather than [seed, epoch, k]: trailing zeros of a seed are ignored, so
        # [seed, epoch, 0] would repeat the shuffle's random numbers.
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, epoch], spawn_key=(k,)))
        changed = self.transform(array, rng)  # type: ignore[misc]
        if not backend.is_array(changed):
            raise TypeError(
                f"DataLoader: transform must return an array, but returned a "
                f"{type(changed).__name__} for {where}"
            )
        if changed.shape[:1] != array.shape[:1]:
            raise ValueError(
                f"DataLoader: transform must keep the number of rows, but returned {changed.shape} "
                f"for {array.shape} in {where}"
            )
        return type(batch)([as_tensor(changed) if isinstance(first, Value) else changed, *others])


def get_worker_info() -> None:
    """None: a loader's workers are threads, and each item is asked for once."""
    return None


def _integer(name: str, value: Any, least: int) -> int:
    return integer(f"DataLoader: {name}", value, least)
