"""Data sets as objects: an item by its index, the number of items, and ways to combine them."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from tinynet import backend
from tinynet.autograd import Value
from tinynet.backend import Array
from tinynet.creation import as_tensor
from tinynet.data.sampler import as_seed
from tinynet.tensor import Tensor

T = TypeVar("T", covariant=True)


class Dataset(Generic[T]):
    """Base class of data sets: ``dataset[i]`` is item i, ``len(dataset)`` the number of items.

    Override ``__getitem__`` and ``__len__``. Several threads of a loader may call ``__getitem__``
    at once.

    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 10
    ...     def __getitem__(self, i):
    ...         return i, i * i
    >>> Squares()[3]
    (3, 9)
    """

    def __getitem__(self, index: Any) -> T:
        raise NotImplementedError(f"{type(self).__name__} does not override __getitem__")

    def __add__(self, other: Dataset[Any]) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T]):
    """Base class of data sets that are read from first to last, such as lines of a stream.

    Override ``__iter__``. A loader neither shuffles nor samples it.
    """

    def __iter__(self) -> Iterator[T]:
        raise NotImplementedError(f"{type(self).__name__} does not override __iter__")

    def __add__(self, other: Any) -> Any:
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Item i is the tuple of row i of each tensor.

    Args:
        *tensors: Tensors, or arrays, of equal length along their first axis.

    Raises:
        TypeError: for other arguments.
        ValueError: if there are none, one has no axis, or lengths differ.
    """

    def __init__(self, *tensors: Any) -> None:
        equal_length("TensorDataset", tensors)
        self.tensors = tuple(
            as_tensor(t.view(np.ndarray) if isinstance(t, np.ndarray) else t) for t in tensors
        )

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(t[index] for t in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class ArrayDataset(Dataset[tuple[Array, ...]]):
    """Item i is the tuple of row i of each array: what a loader makes of the arrays it is given."""

    def __init__(self, *arrays: Array) -> None:
        equal_length("DataLoader", arrays)
        # a matrix or another subclass would give batches of its own kind
        self.arrays = tuple(a.view(np.ndarray) if isinstance(a, np.ndarray) else a for a in arrays)

    def __getitem__(self, index: Any) -> tuple[Array, ...]:
        return tuple(a[index] for a in self.arrays)

    def __len__(self) -> int:
        return len(self.arrays[0])


class StackDataset(Dataset[Any]):
    """Item i is the tuple of item i of each data set, or a dict of them by name.

    >>> StackDataset(x=[1, 2], y="ab")[1]
    {'x': 2, 'y': 'b'}
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if bool(args) == bool(kwargs):
            raise ValueError("StackDataset: give data sets by position, or all of them by name")
        self.datasets: Any = kwargs or args
        parts = list(kwargs.values() or args)
        lengths = [len(d) for d in parts]
        if len(set(lengths)) > 1:
            raise ValueError(f"StackDataset: the data sets have the lengths {lengths}, not one")
        self._length = lengths[0]

    def __getitem__(self, index: int) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset[Any]):
    """The items of several data sets, one data set after the other; also ``one + other``.

    >>> both = ConcatDataset(["abc", "de"])
    >>> len(both), both[3], both[-1]
    (5, 'd', 'e')
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: there must be at least 1 data set, but there are 0")
        for i, dataset in enumerate(self.datasets):
            if isinstance(dataset, IterableDataset) or not hasattr(dataset, "__len__"):
                raise TypeError(
                    f"ConcatDataset: data set {i} is a {type(dataset).__name__}, which has no "
                    "items by index; use ChainDataset"
                )
        self.cumulative_sizes = list(itertools.accumulate(len(d) for d in self.datasets))

    def __getitem__(self, index: int) -> Any:
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"ConcatDataset: index {index} of a data set of {len(self)} items")
        which = bisect.bisect_right(self.cumulative_sizes, place)
        return self.datasets[which][place - ([0, *self.cumulative_sizes][which])]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


class ChainDataset(IterableDataset[Any]):
    """The items of several iterable data sets, one data set after the other."""

    def __init__(self, datasets: Iterable[Iterable[Any]]) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator[Any]:
        return itertools.chain.from_iterable(self.datasets)

    def __len__(self) -> int:
        return sum(map(len, self.datasets))  # type: ignore[arg-type]


class Subset(Dataset[Any]):
    """The items of a data set at the given indices."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(
    dataset: Any, lengths: Sequence[float], generator: Any = None, *, seed: int = 0
) -> list[Subset]:
    """Split a data set at random into parts that do not overlap.

    Args:
        dataset: of n items.
        lengths: of the parts: integers with the sum n, or fractions with the sum 1, such as
            [0.8, 0.2]. A fraction f is a part of floor(f n) items; the items left over go to the
            first parts, one to each.
        generator: a random generator, from which one number is drawn as the seed.
        seed: the seed, without a generator. The parts depend on it alone.

    Raises:
        ValueError: if the lengths do not add up, or one is negative.

    >>> train, test = random_split(range(10), [0.8, 0.2], seed=1)
    >>> len(train), len(test), sorted([*train, *test]) == list(range(10))
    (8, 2, True)
    """
    n = len(dataset)
    parts = [float(f) for f in lengths]
    if any(not math.isfinite(p) or p < 0 for p in parts):
        raise ValueError(f"random_split: lengths must be at least 0, but are {list(lengths)}")
    sizes = [math.floor(p) for p in parts]
    fractions = math.isclose(sum(parts), 1)
    if fractions:
        sizes = [math.floor(n * p) for p in parts]
        for i in range(n - sum(sizes)):
            sizes[i % len(sizes)] += 1
    if sum(sizes) != n or (sizes != parts and not fractions):
        raise ValueError(
            f"random_split: lengths {list(lengths)} must have the sum {n}, the number of items, or "
            "be fractions with the sum 1"
        )
    rng = np.random.default_rng(as_seed("random_split", generator, seed))
    order = rng.permutation(n).tolist()
    ends = list(itertools.accumulate(sizes))
    return [Subset(dataset, order[a:b]) for a, b in zip([0, *ends], ends, strict=False)]


def equal_length(where: str, arrays: tuple[Any, ...]) -> None:
    """Check that there are arrays, or Tensors, of one length along their first axis."""
    if not arrays:
        raise ValueError(f"{where}: there must be at least 1 array, but there are 0")
    for i, a in enumerate(arrays):
        if not (backend.is_array(a) or isinstance(a, Value)):
            raise TypeError(
                f"{where}: argument {i} must be a Tensor or a NumPy or CuPy array, but is a "
                f"{type(a).__name__}; convert data with numpy.asarray and pass options by name, "
                "as in DataLoader(x, y, batch_size=64)"
            )
        if isinstance(a, np.ma.MaskedArray):
            raise TypeError(
                f"{where}: argument {i} is a masked array, whose mask a network would ignore; fill "
                "it with a.filled(0), or leave the rows out"
            )
        if a.ndim == 0:
            raise ValueError(
                f"{where}: argument {i} must have 1 dimension or more, but has 0; batches are "
                "slices of its first axis"
            )
    for i, a in enumerate(arrays):
        if len(a) != len(arrays[0]):
            raise ValueError(
                f"{where}: arrays must have equal lengths, but argument 0 has {len(arrays[0])} "
                f"rows and argument {i} has {len(a)}; pass the images and labels of the same part"
            )
