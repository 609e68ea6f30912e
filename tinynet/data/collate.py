"""From the items of a data set to a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinynet import backend
from tinynet.autograd import Value
from tinynet.creation import as_tensor, tensor
from tinynet.functions.stacking import stack


def default_collate(batch: Sequence[Any]) -> Any:
    """Make one batch of a list of items of equal structure.

    ===========================  =========================================================
    items                        batch
    ===========================  =========================================================
    Tensors, arrays              a Tensor with one axis more, in front
    floats                       a float64 Tensor (convert it with ``.float()``)
    integers, booleans           an int64 or bool Tensor
    NumPy's numbers              a Tensor of their dtype
    strings, bytes               the list of them
    tuples, lists                a list of batches, one for each place
    named tuples, dicts          the same, of batches
    ===========================  =========================================================

    Raises:
        TypeError: for other items.
        ValueError: if items differ in shape, length or keys, or there are none.

    >>> default_collate([(1, "a"), (2, "b")])
    [tensor([1, 2]), ['a', 'b']]
    """
    if not isinstance(batch, Sequence) or isinstance(batch, str | bytes):
        raise TypeError(f"default_collate: batch is a {type(batch).__name__}; it must be a list")
    if not batch:
        raise ValueError("default_collate: there must be at least 1 item, but there are 0")
    first = batch[0]
    if isinstance(first, Value):
        _same(batch, "shape", [tuple(x._data.shape) for x in batch if isinstance(x, Value)])
        return stack(list(batch))
    if isinstance(first, np.generic) and first.dtype.kind in "biuf":
        return as_tensor(np.array(batch))
    if backend.is_array(first) and first.dtype.kind in "biuf":
        _same(batch, "shape", [x.shape for x in batch if backend.is_array(x)])
        return as_tensor(backend.array_module(first).stack(batch))
    if isinstance(first, float):
        return tensor(list(batch), "float64")
    if isinstance(first, int):  # booleans too
        return tensor(list(batch))
    if isinstance(first, str | bytes):
        return list(batch)
    if isinstance(first, Mapping):
        _same(batch, "keys", [set(x) for x in batch if isinstance(x, Mapping)])
        found = {key: default_collate([item[key] for item in batch]) for key in first}
        return found if type(first) is dict else _like(first, found)
    if isinstance(first, Sequence):
        _same(batch, "length", [len(x) for x in batch if isinstance(x, Sequence)])
        parts = [default_collate(column) for column in zip(*batch, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else parts
    kind = f"array of {first.dtype}" if backend.is_array(first) else type(first).__name__
    raise TypeError(
        f"default_collate: an item holds a {kind}; items are made of Tensors, arrays, numbers, "
        "strings, lists, tuples and dicts; give the loader a collate_fn for others"
    )


def default_convert(item: Any) -> Any:
    """An item with its arrays and NumPy's numbers as Tensors; what else it holds stays.

    >>> default_convert((np.ones(2, "float32"), "a", 3))
    [tensor([1., 1.]), 'a', 3]
    """
    if (backend.is_array(item) or isinstance(item, np.generic)) and item.dtype.kind in "biuf":
        return as_tensor(item)
    return _mapped(default_convert, item, tuple_as=list)


def moved(batch: Any, device: str) -> Any:
    """A batch with its Tensors and arrays on `device`."""
    if isinstance(batch, Value):
        return batch.to(device)  # type: ignore[attr-defined]
    if backend.is_array(batch):
        return backend.to_device(batch, device)
    return _mapped(lambda part: moved(part, device), batch, tuple_as=tuple)


def _mapped(function: Any, item: Any, tuple_as: type) -> Any:
    """The structure of `item` with the function's value of each part."""
    if isinstance(item, Mapping):
        found = {key: function(value) for key, value in item.items()}
        return found if type(item) is dict else _like(item, found)
    if isinstance(item, tuple):
        parts = [function(part) for part in item]
        return type(item)(*parts) if hasattr(item, "_fields") else tuple_as(parts)
    if isinstance(item, list):
        return [function(part) for part in item]
    return item


def _like(mapping: Any, found: dict[Any, Any]) -> Any:
    """`found` in the class of `mapping` if that can be made of a dict."""
    try:
        return type(mapping)(found)
    except TypeError:  # a defaultdict, for one
        return found


def _same(batch: Sequence[Any], what: str, values: list[Any]) -> None:
    """Raise unless every item of the batch has the same shape, length or keys."""
    if len(values) < len(batch):
        kinds = sorted({type(x).__name__ for x in batch})
        raise TypeError(f"default_collate: items of one place differ in type: {', '.join(kinds)}")
    for i, value in enumerate(values):
        if value != values[0]:
            raise ValueError(
                f"default_collate: items must have the same {what}, but item 0 has {values[0]} and "
                f"item {i} has {value}; pad them, or give the loader a collate_fn"
            )
