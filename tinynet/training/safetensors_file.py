"""Arrays and text in a safetensors file, with a digest by which damage is noticed.

Such a file is 8 bytes that hold the length of a header, the header (JSON: of each array its name,
type, shape and place, and free text by name), and the arrays' bytes. There is nothing in it that
could be executed. The library safetensors reads and writes it, and checks that the places fit the
file; what it does not notice is a flipped bit. So tinynet adds a SHA-256 of all arrays and texts,
and compares where there is one.

Source: the format's description, https://huggingface.co/docs/safetensors.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np

from tinynet.training.files import CheckpointError

# Of what is written, raised when an older reader would misunderstand it.
FORMAT = 1
DTYPES = frozenset(
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 "
    "float16 float32 float64 complex64".split()
)


def _library() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise ImportError(
            "weights and checkpoints are kept in safetensors files; to read and write them: "
            "pip install 'tinynet[train]'"
        ) from None
    return safetensors.numpy


def storable(where: str, array: np.ndarray) -> np.ndarray:
    """The array as it can be stored: C-ordered and in the machine's byte order.

    The library stores the bytes as they lie in memory. Of a transposed view it would silently
    store other numbers than the array has.

    Raises:
        TypeError: for an element type that the format has not; `where` names the array.
    """
    if array.dtype.name not in DTYPES:
        raise TypeError(
            f"{where} is an array of {array.dtype}, which a safetensors file cannot hold; convert "
            f"it to one of {', '.join(sorted(DTYPES))}"
        )
    return np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")


def _digest(arrays: dict[str, np.ndarray], metadata: dict[str, str]) -> str:
    texts = sorted(item for item in metadata.items() if item[0] != "sha256")
    digest = hashlib.sha256(json.dumps(texts).encode())
    for name in sorted(arrays):
        a = arrays[name]
        digest.update(json.dumps([name, a.dtype.name, a.shape]).encode())
        a = a.astype(a.dtype.newbyteorder("<"), copy=False)
        digest.update(a.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def to_bytes(arrays: dict[str, np.ndarray], metadata: dict[str, str]) -> bytes:
    """The content of a file that holds these.

    Args:
        arrays: by name; each as `storable` made it.
        metadata: text by name. "tinynet", of which the format is part, and "sha256" are added.

    Raises:
        CheckpointError: if the texts are longer than the format allows (100 MB).
    """
    library = _library()
    from tinynet.version import __version__

    made_by = json.dumps({"format": FORMAT, "version": __version__})
    metadata = {**metadata, "tinynet": made_by}
    if sum(map(len, metadata.values())) > 40_000_000:  # a quote takes two bytes in the file
        raise CheckpointError(
            "what is to be saved has more than 40 MB of numbers and text outside of arrays; keep "
            "long lists of numbers, such as a history, as arrays"
        )
    metadata["sha256"] = _digest(arrays, metadata)
    return library.save(arrays, metadata)


def from_bytes(data: bytes, where: str) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Arrays and texts from the content of a file; `where` names it in errors.

    Reading takes memory in proportion to the bytes that are there, whatever sizes they claim.

    Raises:
        CheckpointError: if it is no safetensors file, truncated, damaged, of a newer format, or
            has an array of a type that NumPy has not.
    """
    library = _library()
    try:
        arrays = library.load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        for name, a in arrays.items():
            if a.dtype == bool and (a.view(np.uint8) > 1).any():
                raise ValueError(f"array {name!r} of booleans holds other bytes than 0 and 1")
    except MemoryError:
        raise
    except KeyError as error:
        raise CheckpointError(
            f"{where} holds arrays of type {error.args[0]}, which NumPy has not; convert them to "
            "float32 where the file was made"
        ) from None
    except Exception as error:  # of the library, JSON and NumPy: there is no list of them
        raise CheckpointError(
            f"{where} is no whole safetensors file: it is truncated, damaged or of another kind "
            f"({len(data)} bytes; {error})"
        ) from None
    metadata = header.pop("__metadata__", None) or {}
    # in the file's order; an older version of the library gives read-only arrays
    arrays = {n: arrays[n] if arrays[n].flags.writeable else arrays[n].copy() for n in header}
    if "tinynet" in metadata:
        _check_format(metadata["tinynet"], where)
        if metadata.get("sha256") != _digest(arrays, metadata):
            raise CheckpointError(
                f"{where} is damaged: its content has another SHA-256 than was saved with it"
            )
    return arrays, metadata


def _check_format(made_by: str, where: str) -> None:
    try:
        made = json.loads(made_by)
        number, version = made["format"], made["version"]
        newer = number > FORMAT
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CheckpointError(f"{where} is damaged: it does not say its format") from None
    if newer:
        from tinynet.version import __version__

        raise CheckpointError(
            f"{where} is in format {number}, written by tinynet {version}; tinynet {__version__} "
            f"reads formats up to {FORMAT}: update it"
        )
