"""IDX, the file format of MNIST: a few bytes of header, then the numbers of one array.

A file is, byte for byte (all integers big-endian)::

    0  0  code  ndim            two zeros, the element type, the number of dimensions
    d_1  d_2  ...  d_ndim       each dimension, unsigned, 4 bytes
    x_1  x_2  ...               d_1 * d_2 * ... * d_ndim elements, the last index running fastest

and is often gzipped, which its first two bytes (1f 8b) tell. The format has no checksum, and a
file that was cut short or damaged on its way may still look like data; so everything that can be
checked is checked here, before memory is taken for it.

**Source**: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", section
"File formats"; deflate's limit: J. Gailly, M. Adler, "zlib technical details".
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import struct
import zlib
from typing import BinaryIO, NamedTuple, NoReturn

import numpy as np

# Element types by their code in the third byte; those of several bytes are big-endian.
TYPES: dict[int, np.dtype] = {
    0x08: np.dtype("u1"),
    0x09: np.dtype("i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}

_GZIP = b"\x1f\x8b"
_MAX_NDIM = 32  # what every NumPy can hold; the byte could say 255
_STEP = 1 << 20  # bytes unpacked at a time
_MAX_EXPANSION = 1032  # a byte of deflate never unpacks to more

_AGAIN = "the file is damaged or not an IDX file; delete it and get it again"


class DataError(ValueError):
    """A data file does not hold what it must hold; the message says which and what to do."""


class Unpacked(NamedTuple):
    """A checked IDX file: the bytes as they are in it once unpacked, and what they mean."""

    header: bytes
    dtype: np.dtype  # as in the file: big-endian
    shape: tuple[int, ...]
    payload: bytearray

    def array(self) -> np.ndarray:
        """The elements in this machine's byte order; one-byte types share the payload's memory."""
        raw = np.frombuffer(self.payload, self.dtype).reshape(self.shape)
        return raw.astype(self.dtype.newbyteorder("="), copy=False)

    def sha256(self) -> str:
        """SHA-256 of the unpacked file, header included, in hexadecimal.

        Of the unpacked one, because the same data gzipped twice need not give the same bytes.
        """
        digest = hashlib.sha256(self.header)
        digest.update(self.payload)
        return digest.hexdigest()


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """The array in an IDX file, plain or gzipped (told by content, not by name).

    Args:
        path: the file.

    Returns:
        A writable array of the shape in the header and this machine's byte order; its dtype is
        uint8, int8, int16, int32, float32 or float64, as the file says.

    Raises:
        DataError: if the first bytes, the type code or the number of dimensions are not IDX's; if
            the data are fewer or more bytes than the header claims; if the gzip stream is damaged.
            Memory grows with what the file really holds, never with a claim alone.
        OSError: if the file cannot be opened or read.

    **Cost**: one pass over the file; 1 MiB beside the result, and for types of more than one byte
    the result twice.

    **Source**: see the head of this file.
    """
    return unpack(path).array()


def unpack(
    path: str | os.PathLike[str], like: tuple[str, tuple[int, ...]] | None = None
) -> Unpacked:
    """`read_idx` before the bytes become an array.

    Args:
        path: the file.
        like: if given, the (dtype name, shape) that the header must have, checked before the data
            are read, so that a wrong file costs nothing.

    Raises:
        DataError, OSError: as `read_idx`; and DataError if the header is not `like`.
    """
    name = os.fspath(path)
    with open(name, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        zipped = file.read(2) == _GZIP
        file.seek(0)
        if not zipped:
            return _unpack(file, name, like, size, exact=True)
        try:
            with gzip.GzipFile(fileobj=file) as stream:
                return _unpack(stream, name, like, _MAX_EXPANSION * size, exact=False)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DataError(
                f"read_idx: {name}: its {size} bytes are not a whole gzip stream "
                f"({error}); {_AGAIN}"
            ) from error


def _unpack(
    file: gzip.GzipFile | BinaryIO,
    name: str,
    like: tuple[str, tuple[int, ...]] | None,
    limit: int,
    exact: bool,
) -> Unpacked:
    """Header and data; `limit` is how many bytes there are, or if not `exact` can at most be."""
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
    # The claim is now bounded by the file's size, but a gzipped one may still lie a thousandfold:
    # the buffer grows with what comes out. One byte past the claim is asked for, which finds data
    # too many and, where there are none, makes gzip check its checksum.
    payload = bytearray()
    while piece := file.read(min(_STEP, claim + 1 - len(payload))):
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
        _fail(name, f"an IDX file begins with 4 bytes of type, but it has only {len(magic)}")
    if magic[:2] != b"\0\0":
        _fail(name, f"an IDX file begins with the bytes 00 00, but it with {magic[:2].hex(' ')}")
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
    # An array without elements claims no bytes, yet NumPy counts its other dimensions.
    extent, most = math.prod(max(d, 1) for d in shape) * dtype.itemsize, np.iinfo(np.intp).max
    if extent > most:
        _fail(name, f"{_describe(dtype.name, shape)} span {extent} bytes, an array at most {most}")
    return magic + dims, dtype, shape


def _describe(dtype: str, shape: tuple[int, ...]) -> str:
    return f"{' x '.join(map(str, shape)) or 'one'} {dtype}"


def _fail(name: str, rule: str) -> NoReturn:
    raise DataError(f"read_idx: {name}: {rule}; {_AGAIN}")
