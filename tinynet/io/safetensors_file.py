"""Arrays and text in a safetensors file, with a digest that detects damage.

The file consists of the header's length (8 bytes), the header (JSON: the name, type, shape and
offsets of each array, and free text by name), and the arrays' bytes. Nothing in it can be executed.
The safetensors library reads and writes the file and checks that the offsets fit, but does not
detect a flipped bit. So tinynet adds a SHA-256 of all arrays and texts and checks it on reading.

Source: the format's description, https://huggingface.co/docs/safetensors.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from tinynet.io.files import CheckpointError
from tinynet.version import __version__

# Format number of new files; increased when older versions would misread them.
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
            "weights and checkpoints are safetensors files; to read and write them: "
            "pip install 'tinynet[train]'"
        ) from None
    return safetensors.numpy


def storable(where: str, array: np.ndarray) -> np.ndarray:
    """The array in C order and in the machine's byte order, ready to be stored.

    The library stores the bytes in memory order, which would silently be wrong for a transposed
    view.

    Raises:
        TypeError: for a dtype that the format lacks; `where` names the array.
    """
    if array.dtype.name not in DTYPES:
        raise TypeError(
            f"{where} is an array of {array.dtype}, which a safetensors file cannot hold; convert "
            f"it to one of {', '.join(sorted(DTYPES))}"
        )
    return np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")


def _digest(arrays: dict[str, np.ndarray], metadata: dict[str, str]) -> str:
    import hashlib  # on first use: it would make `import tinynet` slower

    texts = sorted(item for item in metadata.items() if item[0] != "sha256")
    digest = hashlib.sha256(json.dumps(texts).encode())
    for name in sorted(arrays):
        a = arrays[name]
        digest.update(json.dumps([name, a.dtype.name, a.shape]).encode())
        a = a.astype(a.dtype.newbyteorder("<"), copy=False)
        digest.update(a.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def to_bytes(arrays: dict[str, np.ndarray], metadata: dict[str, str]) -> bytes:
    """The content of a file that holds these arrays and texts.

    Args:
        arrays: arrays by name, each from `storable`.
        metadata: text by name. "tinynet" (format and version) and "sha256" are added.

    Raises:
        CheckpointError: if the texts are longer than the format allows (100 MB).
    """
    library = _library()
    made_by = json.dumps({"format": FORMAT, "version": __version__})
    metadata = {**metadata, "tinynet": made_by}
    if sum(map(len, metadata.values())) > 40_000_000:  # a quote takes two bytes in the file
        raise CheckpointError(
            "save: the state has more than 40 MB of numbers and text outside of arrays; store long "
            "lists of numbers, such as a history, as arrays"
        )
    metadata["sha256"] = _digest(arrays, metadata)
    return library.save(arrays, metadata)


def from_bytes(data: bytes, where: str) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Arrays and texts from the content of a file; `where` names the file in errors.

    Memory use is proportional to the length of `data`, whatever sizes the header claims.

    Raises:
        CheckpointError: if it is not a safetensors file, is truncated, damaged or in a newer
            format, or holds an array of a dtype that NumPy lacks.
    """
    library = _library()
    try:
        try:
            arrays = library.load(data)
        except KeyError:  # of a dtype that NumPy lacks
            arrays = _widened(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        for name, a in arrays.items():
            if a.dtype == bool and (a.view(np.uint8) > 1).any():
                raise ValueError(f"array {name!r} of booleans holds bytes other than 0 and 1")
    except MemoryError:
        raise
    except KeyError as error:
        raise CheckpointError(
            f"{where} holds arrays of type {error.args[0]}, which tinynet cannot read; "
            "convert them to float32 where the file was made"
        ) from None
    except Exception as error:  # the library does not document what it raises
        raise CheckpointError(
            f"{where} is not a complete safetensors file: it is truncated, damaged or of another "
            f"kind ({len(data)} bytes; {error})"
        ) from None
    metadata = header.pop("__metadata__", None) or {}
    # In the file's order. Older versions of the library return read-only arrays.
    arrays = {n: arrays[n] if arrays[n].flags.writeable else arrays[n].copy() for n in header}
    if "tinynet" in metadata:
        _check_format(metadata["tinynet"], where)
        if metadata.get("sha256") != _digest(arrays, metadata):
            raise CheckpointError(
                f"{where} is damaged: the SHA-256 of its content differs from the one saved with it"
            )
    return arrays, metadata


def _widened(data: bytes) -> dict[str, np.ndarray]:
    """The arrays of a file in which some are of 16 or 8 bits that NumPy lacks, those as float32.

    Raises:
        KeyError: for a type that is none of these.
    """
    import safetensors

    types = {
        "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2",
        "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
        "C64": "<c8", "BF16": "<u2", "F8_E5M2": "u1", "F8_E4M3": "u1",
    }  # fmt: skip
    arrays = {}
    for name, found in safetensors.deserialize(data):
        kind = found["dtype"]
        a = np.frombuffer(bytearray(found["data"]), types[kind]).reshape(found["shape"])
        if kind == "BF16":  # the upper half of a float32
            a = (a.astype(np.uint32) << 16).view(np.float32)
        elif kind == "F8_E5M2":  # the upper half of a float16
            a = (a.astype(np.uint16) << 8).view(np.float16).astype(np.float32)
        elif kind == "F8_E4M3":
            a = _E4M3[a]
        arrays[name] = a
    return arrays


def _e4m3() -> np.ndarray:
    """The 256 numbers of float8_e4m3fn: sign, 4 bits of exponent e, 3 of mantissa m.

    2^(e-7) (1 + m/8), and 2^-6 m/8 for e = 0; no Inf; all seven bits set are NaN.

    Source: P. Micikevicius et al., FP8 formats for deep learning, arXiv:2209.05433, table 1.
    """
    bits = np.arange(128)
    e, m = bits >> 3, bits & 7
    numbers = np.where(e == 0, m / 8 * 2.0**-6, (1 + m / 8) * 2.0 ** (e - 7))
    numbers[127] = np.nan
    return np.concatenate([numbers, -numbers]).astype(np.float32)


_E4M3 = _e4m3()


def _check_format(made_by: str, where: str) -> None:
    try:
        made = json.loads(made_by)
        number, version = made["format"], made["version"]
        newer = number > FORMAT
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CheckpointError(f"{where} is damaged: it has no valid format number") from None
    if newer:
        raise CheckpointError(
            f"{where} is in format {number}, written by tinynet {version}; tinynet {__version__} "
            f"reads formats up to {FORMAT}: update it"
        )
