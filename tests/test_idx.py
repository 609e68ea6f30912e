"""read_idx: every valid file is read exactly, every broken one raises DataError."""

import gzip
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from small_data_sets import overwrite
from traced import peak

from tinynet.data import DataError, read_idx

CODES = {"uint8": 8, "int8": 9, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}


def header(dtype: str, shape: tuple[int, ...]) -> bytes:
    return bytes([0, 0, CODES[dtype], len(shape)]) + struct.pack(f">{len(shape)}I", *shape)


def idx_bytes(a: np.ndarray) -> bytes:
    return header(a.dtype.name, a.shape) + a.astype(a.dtype.newbyteorder(">")).tobytes()


arrays = st.sampled_from(sorted(CODES)).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=5, min_side=0))
)
few_bytes = hnp.arrays("uint8", st.tuples(st.integers(1, 9), st.integers(1, 9)))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file, rewritten by each example."""
    return tmp_path_factory.mktemp("idx") / "x.idx"


# --- whole files ----------------------------------------------------------------------------


@given(a=arrays, zipped=st.booleans())
@settings(deadline=None)
def test_round_trip(path: Path, a: np.ndarray, zipped: bool) -> None:
    raw = idx_bytes(a)
    path.write_bytes(gzip.compress(raw, 1) if zipped else raw)
    b = read_idx(path)
    assert b.dtype == a.dtype
    assert b.dtype.isnative
    assert b.shape == a.shape
    assert b.tobytes() == a.tobytes()  # NaNs too
    assert b.flags.writeable
    assert b.flags.aligned
    assert b.flags.c_contiguous


def test_by_hand(path: Path) -> None:
    path.write_bytes(bytes.fromhex("00000b02 00000002 00000001 0102 fffe"))
    assert read_idx(str(path)).tolist() == [[258], [-2]]


def test_gzip_of_several_members(path: Path) -> None:
    a = np.arange(40, dtype="uint8")
    raw = idx_bytes(a)
    path.write_bytes(gzip.compress(raw[:20]) + gzip.compress(raw[20:]))
    assert np.array_equal(read_idx(path), a)


def test_more_than_one_step(path: Path) -> None:
    a = np.random.default_rng(0).integers(0, 4, 3_000_001, dtype="uint8")
    for raw in (idx_bytes(a), gzip.compress(idx_bytes(a), 1)):
        path.write_bytes(raw)
        assert np.array_equal(read_idx(path), a)


def test_reading_takes_no_second_copy(path: Path) -> None:
    a = np.random.default_rng(0).integers(0, 256, 16 << 20, dtype="uint8")
    path.write_bytes(idx_bytes(a))
    assert peak(lambda: read_idx(path)) < 1.25 * a.nbytes


# --- broken files ---------------------------------------------------------------------------


@given(a=few_bytes, data=st.data(), zipped=st.booleans())
@settings(deadline=None)
def test_truncated(path: Path, a: np.ndarray, data: st.DataObject, zipped: bool) -> None:
    raw = gzip.compress(idx_bytes(a), 1) if zipped else idx_bytes(a)
    path.write_bytes(raw[: data.draw(st.integers(0, len(raw) - 1))])
    with pytest.raises(DataError, match=r"x\.idx.* again"):
        read_idx(path)


@given(a=few_bytes, tail=st.binary(min_size=1, max_size=50), place=st.integers(0, 2))
@settings(deadline=None)
def test_grown(path: Path, a: np.ndarray, tail: bytes, place: int) -> None:
    raw = idx_bytes(a)
    # gzip allows zeros for padding behind a stream, so there the tail must begin otherwise
    files = (raw + tail, gzip.compress(raw + tail, 1), gzip.compress(raw, 1) + b"\1" + tail)
    path.write_bytes(files[place])
    with pytest.raises(DataError, match=r"x\.idx.* again"):
        read_idx(path)


BROKEN = {
    "empty": (b"", "4 bytes of type, but this one has 0 bytes"),
    "a web page": (b"<html>403 Forbidden</html>", "bytes must be 00 00, but are 3c 68"),
    "type code": (b"\0\0\x0a\1\0\0\0\1x", "must be one of 08, .*but is 0a"),
    "dimensions": (b"\0\0\x08\xff" + bytes(1020), "at most 32 dimensions.*255"),
    "header cut": (b"\0\0\x08\3\0\0\0\1", "3 dimensions take 12 bytes, but it has only 4"),
    "data cut": (header("int16", (2, 3)) + bytes(11), "claims 12 bytes.*2 x 3 int16.*has 11"),
    "data grown": (header("int16", (2, 3)) + bytes(13), "claims 12 bytes.*2 x 3 int16.*has 13"),
    "no elements, yet endless": (header("int8", (0,) + 4 * (2**32 - 1,)), "span .* at most"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_messages(path: Path, kind: str) -> None:
    raw, message = BROKEN[kind]
    for stored in (raw, gzip.compress(raw)) if kind not in ("data cut", "data grown") else (raw,):
        path.write_bytes(stored)
        with pytest.raises(DataError, match=rf"^read_idx: .*x\.idx: .*{message}.* get it again$"):
            read_idx(path)


def test_missing_file_is_an_os_error(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_idx(path.with_name("nowhere"))


def mutant(raw: bytes, rng: np.random.Generator) -> bytes:
    """A damaged copy: cut, grown, bits flipped, header or rest replaced, or several of these."""
    b = bytearray(raw)
    for kind in rng.integers(0, 9, rng.integers(1, 4)):
        if kind == 0:
            del b[rng.integers(0, len(b) + 1) :]
        elif kind == 1:
            b += rng.bytes(rng.integers(1, 30))
        elif kind == 2:
            b[: rng.integers(1, 9)] = bytes(
                [0, 0, rng.choice([*CODES.values(), 7]), rng.integers(0, 40)]
            )
        elif kind == 3:  # other counts, from a few too many to as many as there can be
            at = 4 * rng.integers(1, 4)
            b[at : at + 4] = int(2 ** rng.uniform(0, 32)).to_bytes(4, "big")
        elif kind == 4:
            b[rng.integers(1, 5) :] = rng.bytes(rng.integers(0, 60))
        elif b:
            for bit in rng.integers(0, 8 * len(b), rng.integers(1, 9)):
                b[bit // 8] ^= 1 << bit % 8
    return bytes(b)


@pytest.mark.parametrize("count", [1000, pytest.param(10_000, marks=pytest.mark.long)])
def test_mutants(path: Path, count: int) -> None:
    """Each gives the array that its bytes describe, or a DataError."""
    rng = np.random.default_rng(0)
    seeds = [idx_bytes(np.arange(24).reshape(2, 3, 4).astype(dtype)) for dtype in CODES]
    outcomes = {True: 0, False: 0}
    with open(path, "w+b") as file:
        for i in range(count):
            raw = mutant(seeds[i % len(seeds)], rng)
            stored = raw
            if i % 2:  # damaged before it was gzipped, or after
                stored = gzip.compress(raw, 1)
                if i % 4 == 3:
                    stored = mutant(stored, rng)
            overwrite(file, stored)
            try:
                a = read_idx(path)
            except DataError:
                outcomes[False] += 1
                continue
            outcomes[True] += 1
            # a damaged gzip stream may hold the same data, or be an IDX file that is not zipped
            assert idx_bytes(a) in ((raw, stored) if i % 4 == 3 else (raw,))
    assert min(outcomes.values()) > count / 20


# --- memory ---------------------------------------------------------------------------------


def reject(path: Path, raw: bytes, message: str) -> int:
    """The peak memory while `raw` is rejected with this message."""
    path.write_bytes(raw)

    def read() -> None:
        with pytest.raises(DataError, match=message):
            read_idx(path)

    return peak(read)


@pytest.mark.parametrize("shape", [(2**31,), (60000, 2**16, 2**15), 9 * (2**32 - 1,)])
def test_huge_claim_costs_nothing(path: Path, shape: tuple[int, ...]) -> None:
    raw = header("uint8", shape) + bytes(1000)
    assert reject(path, raw, "has 1000|span") < 1 << 20
    assert reject(path, gzip.compress(raw), "has [0-9]+ at most|span") < 1 << 20


def test_a_believable_claim_takes_memory_as_data_come(path: Path) -> None:
    data = os.urandom(1 << 20)  # does not compress, so the file could hold a thousand times that
    raw = header("uint8", (900 << 20,)) + data
    assert reject(path, gzip.compress(raw, 1), f"claims {900 << 20} .*has {1 << 20};") < 6 << 20


def test_gzip_bomb(path: Path) -> None:
    bomb = gzip.compress(header("uint8", (10,)) + bytes(32 << 20), 1)
    assert reject(path, bomb, "claims 10 bytes.*has 11 or more") < 1 << 20
