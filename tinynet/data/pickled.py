"""CIFAR-10's Python version: pickles, of which only arrays of numbers are accepted.

A pickle may run any code that it names. The unpickler here knows the four names that an array
needs and refuses every other.

Source: the layout: the data set's page, https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from __future__ import annotations

import codecs
import pickle
from typing import Any, BinaryIO

import numpy as np

from tinynet.data.idx import DataError

_ARRAY = {
    "_reconstruct": np.empty(0).__reduce__()[0],  # in a module that NumPy 2 renamed
    "ndarray": np.ndarray,
    "dtype": np.dtype,
    "encode": codecs.encode,  # Python 3 writes bytes through it
}


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] not in ("numpy", "_codecs") or name not in _ARRAY:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is not part of an array")
        return _ARRAY[name]


def read_pickled(stream: BinaryIO, name: str, count: int | None) -> np.ndarray:
    """The file's images and labels as the binary version's records, uint8 (records, 3073).

    Raises:
        DataError: if it is not such a pickle, or has another number of records.
    """
    try:
        found = _ArrayUnpickler(stream, encoding="bytes").load()
        found = {k.decode() if isinstance(k, bytes) else k: v for k, v in found.items()}
        images, labels = found["data"], np.array(found["labels"])
        if images.dtype != np.uint8 or images.shape != (len(labels), 3072) or labels.ndim != 1:
            raise ValueError(f"data has {images.dtype} {images.shape} for {len(labels)} labels")
        if labels.dtype.kind not in "iu" or not 0 <= labels.min() <= labels.max() <= 9:
            raise ValueError("labels must be 0 to 9")
        if count not in (None, len(labels)):
            raise ValueError(f"it has {len(labels)} images; it must have {count}")
    except Exception as error:  # a damaged pickle raises all kinds of errors
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"read_cifar10: {name} looks like CIFAR-10's Python version, but cannot be read "
            f"({reason}); get it again, or the binary version"
        ) from None
    return np.concatenate([labels.astype(np.uint8)[:, None], images], axis=1)
