"""What a loader takes from a data set: rows, all at once or item by item; and its transform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinynet import backend
from tinynet.autograd import Value
from tinynet.backend import Array
from tinynet.creation import as_tensor
from tinynet.data.dataset import ArrayDataset, IterableDataset, Subset, TensorDataset
from tinynet.memory import take_rows_last
from tinynet.tensor import Tensor


def dataset_of(data: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """The data set that a loader's arguments are, and the options by position after it."""
    first = data[0] if data else None
    if not data or backend.is_array(first):
        if any(isinstance(d, Value) for d in data):
            raise TypeError(
                "DataLoader: some arguments are arrays and some are Tensors; give arrays alone "
                "(t.numpy()), or Tensors alone (tinynet.as_tensor(a))"
            )
        return ArrayDataset(*data), ()
    if isinstance(first, Value):
        if len(data) > 1 and not _is_option(data[1]):
            return TensorDataset(*data), ()
        TensorDataset(first)  # raises for a Tensor without an axis
    elif not isinstance(first, IterableDataset) and not (
        hasattr(first, "__getitem__") and hasattr(first, "__len__")
    ):
        raise TypeError(
            f"DataLoader: argument 0 is a {type(first).__name__}; it must be arrays, Tensors, or a "
            "data set: an object with dataset[i] and len(dataset), or an IterableDataset"
        )
    if len(data) > 3 or not all(map(_is_option, data[1:])):
        given = ", ".join(type(d).__name__ for d in data[1:])
        raise TypeError(
            "DataLoader: after a data set, batch_size and shuffle may be given by position, but "
            f"there are {len(data) - 1} arguments ({given}); pass options by name"
        )
    return first, data[1:]


def _is_option(value: Any) -> bool:
    """Whether it may be a batch_size or shuffle: a number, True, False or None."""
    return value is None or isinstance(value, int | np.integer | np.bool_)


def rows_at_once(dataset: Any, turn: bool) -> Callable[[Any], Any] | None:
    """A function of a slice or an array of indices that returns the batch of those rows.

    None for a data set whose items have to be asked for one by one. The types are compared
    exactly: a subclass may make its items in another way.
    """
    if isinstance(dataset, Tensor):
        return lambda rows: _tensor_rows(dataset, rows, turn)
    if type(dataset) is TensorDataset:
        return lambda rows: [_tensor_rows(t, rows, turn) for t in dataset.tensors]
    if type(dataset) is ArrayDataset:
        return lambda rows: tuple(_array_rows(a, rows, turn) for a in dataset.arrays)
    if type(dataset) is Subset:
        inner = rows_at_once(dataset.dataset, turn)
        if inner is not None:
            indices = np.array([int(i) for i in dataset.indices], "int64")
            return lambda rows: inner(indices[rows])
    return None


def _tensor_rows(t: Tensor, rows: Any, turn: bool) -> Tensor:
    return t[rows] if t.requires_grad else as_tensor(_array_rows(t._data, rows, turn))


def _array_rows(array: Array, rows: Any, turn: bool) -> Array:
    """``array[rows]``; with `turn`, float images (N, C, H, W) have N innermost in memory."""
    if isinstance(rows, np.ndarray):
        device = backend.device_of(array)
        rows = backend.to_device(rows, device)
        plain = turn and array.ndim == 4 and array.dtype.kind == "f" and device == "cpu"
        if plain and array.flags.c_contiguous:
            return take_rows_last(array, rows).transpose(-1, *range(array.ndim - 1))
        # Not np.take, which first copies the whole array unless it is in C order.
    return array[rows]


def items_at(dataset: Any, length: int, rows: Any) -> list[Any]:
    """The items of some rows of a data set: a slice, or indices."""
    if isinstance(rows, slice):
        rows = range(*rows.indices(length))
    rows = rows.tolist() if isinstance(rows, np.ndarray) else list(rows)
    if hasattr(dataset, "__getitems__"):  # all at once
        return dataset.__getitems__(rows)
    return [dataset[i] for i in rows]


def transformed(
    batch: Any,
    transform: Callable[[Array, np.random.Generator], Array],
    rng: np.random.Generator,
    where: str,
) -> Any:
    """The batch with ``transform(array, rng)`` in the place of its first array."""
    if not isinstance(batch, tuple | list):
        raise TypeError(
            f"DataLoader: transform changes the first array of a tuple or list, but {where} is "
            f"a {type(batch).__name__}; transform the items in the data set"
        )
    first, *others = batch
    array = first._data if isinstance(first, Value) else first
    changed = transform(array, rng)
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
