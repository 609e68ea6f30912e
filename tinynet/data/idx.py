"""IDX, MNIST's file format: a short header, then the elements of one array.

All integers are big-endian::

    0  0  code  ndim            two zeros, the element type, the number of dimensions
    d_1  d_2  ...  d_ndim       each dimension, unsigned, 4 bytes
    x_1  x_2  ...               d_1 * d_2 * ... * d_ndim elements, the last index running fastest

Many IDX files are gzipped, which shows in their first two bytes (1f 8b). The format has no
checksum, so a truncated or damaged file may still look like data. Everything that can be checked is
checked here before memory is allocated.

**Source**: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", section
"File formats"; deflate's limit: J. Gailly, M. Adler, "zlib technical details".
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from typing import BinaryIO, NamedTuple, NoReturn

import numpy as np

# Element types by the code in the third byte.
TYPES: dict[int, np.dtype] = {
    0x08: np.dtype("u1"),
    0x09: np.dtype("i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}

GZIP = b"\x1f\x8b"
_MAX_NDIM = 32  # every NumPy supports this many; the byte could say 255
STEP = 1 << 20  # bytes unpacked at a time
_MAX_EXPANSION = 1032  # most bytes that one byte of deflate unpacks to

_AGAIN = "the file is damaged or not an IDX file; delete it and get it again"


class DataError(ValueError):
    """Raised if a data file is damaged or is not the file expected."""


class Unpacked(NamedTuple):
    """A checked IDX file: its unpacked bytes and its header's meaning."""

    header: bytes
    dtype: np.dtype  # as in the file: big-endian
    shape: tuple[int, ...]
    payload: bytearray

    def array(self) -> np.ndarray:
        """The elements in this machine's byte order; one-byte types share the payload's memory."""
        raw = np.frombuffer(self.payload, self.dtype).reshape(self.shape)
        return raw.astype(self.dtype.newbyteorder("="), copy=False)

    def sha256(self) -> str:
        """SHA-256 of the unpacked file in hexadecimal, since gzip's bytes may differ each time."""
        import hashlib  # on first use: it would make `import tinynet` slower

        digest = hashlib.sha256(self.header)
        digest.update(self.payload)
        return digest.hexdigest()


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """Read the array in an IDX file, plain or gzipped (recognised by content, not by name).

    Args:
        path: the file.

    Returns:
        A writable array in this machine's byte order. Shape and dtype are those of the header:
        uint8, int8, int16, int32, float32 or float64.

    Raises:
        DataError: if the first bytes, the type code or the number of dimensions are invalid; if the
            file has fewer or more bytes than the header claims; if the gzip stream is damaged.
            Memory grows with the file's actual content, never with the header's claim alone.
        OSError: if the file cannot be opened or read.

    **Cost**: one pass over the file, and 1 MiB beside the result. Types of more than one byte
    take the result's memory twice.

    **Source**: Y. LeCun, C. Cortes, C. Burges, "The MNIST database", section "File formats".
    """
    return unpack(path).array()


def unpack(
    path: str | os.PathLike[str], like: tuple[str, tuple[int, ...]] | None = None
) -> Unpacked:
    """Read and check an IDX file without converting its bytes to an array.

    Args:
        path: the file.
        like: the (dtype name, shape) that the header must have, checked before the data are read.

    Raises:
        DataError, OSError: as in `read_idx`; DataError also if the header is not `like`.
    """
    name = os.fspath(path)
    with open(name, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        zipped = file.read(2) == GZIP
        file.seek(0)
        if not zipped:
            return _unpack(file, name, like, size, exact=True)
        try:
            with gzip.GzipFile(fileobj=file) as stream:
                return _unpack(stream, name, like, _MAX_EXPANSION * size, exact=False)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DataError(
                f"read_idx: {name}: its {size} bytes are not a complete gzip stream ({error}); "
                f"{_AGAIN}"
            ) from error


def _unpack(
    file: gzip.GzipFile | BinaryIO,
    name: str,
    like: tuple[str, tuple[int, ...]] | None,
    limit: int,
    exact: bool,
) -> Unpacked:
    """Read header and data; the file holds `limit` bytes, or at most so many if not `exact`."""
    header, dtype, shape = _read_header(file, name)
    if like is not None and (dtype.name, shape) != like:
        _fail(
            name,
            f"its header must say {_describe(*like)}, but says {_describe(dtype.name, shape)}",
        )
    claim = math.prod(shape) * dtype.itemsize
    claimed = f"its header claims {claim} bytes of data ({_describe(dtype.name, shape)})"
    have = limit - len(header)
    if claim > have or (exact and claim != have):
        _fail(name, f"{claimed}, but it has {have}" + ("" if exact else " at most"))
    # The file's size now bounds the claim, but that of a gzipped file may still be a thousand times
    # too high, so the buffer grows with the data. Asking for one byte more than claimed finds
    # surplus data and, at the end of the stream, makes gzip verify its checksum.
    payload = bytearray()
    while piece := file.read(min(STEP, claim + 1 - len(payload))):
        payload += piece
        if len(payload) > claim:
            _fail(name, f"{claimed}, but it has {len(payload)} or more")
    if len(payload) < claim:
        _fail(name, f"{claimed}, but it has {len(payload)}")
    return Unpacked(header, dtype, shape, payload)


def _read_header(
    file: gzip.GzipFile | BinaryIO, name: str
) -> tuple[bytes, np.dtype, tuple[int, ...]]:
    magic = file.read(4)
    if len(magic) < 4:
        _fail(name, f"an IDX file begins with 4 bytes of type, but this one has {len(magic)} bytes")
    if magic[:2] != b"\0\0":
        _fail(name, f"the first bytes must be 00 00, but are {magic[:2].hex(' ')}")
    code, ndim = magic[2], magic[3]
    if code not in TYPES:
        known = ", ".join(f"{c:02x}" for c in TYPES)
        _fail(name, f"the type code must be one of {known}, but is {code:02x}")
    if ndim > _MAX_NDIM:
        _fail(name, f"an array has at most {_MAX_NDIM} dimensions, but its header claims {ndim}")
    dims = file.read(4 * ndim)
    if len(dims) < 4 * ndim:
        _fail(name, f"{ndim} dimensions take {4 * ndim} bytes, but it has only {len(dims)}")
    dtype, shape = TYPES[code], struct.unpack(f">{ndim}I", dims)
    # NumPy limits the product of the other dimensions even if one is 0.
    extent, most = math.prod(max(d, 1) for d in shape) * dtype.itemsize, np.iinfo(np.intp).max
    if extent > most:
        _fail(name, f"{_describe(dtype.name, shape)} span {extent} bytes, an array at most {most}")
    return magic + dims, dtype, shape


def _describe(dtype: str, shape: tuple[int, ...]) -> str:
    return f"{' x '.join(map(str, shape)) or 'one'} {dtype}"


def _fail(name: str, rule: str) -> NoReturn:
    raise DataError(f"read_idx: {name}: {rule}; {_AGAIN}")
