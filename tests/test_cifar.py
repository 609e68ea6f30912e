"""CIFAR-10: the binary layout, the two copies, the archive, and files that are none of these."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import small_data_sets as small
from small_data_sets import ARCHIVE, BATCHES, JPEG_BATCHES, overwrite, small_cifar, write
from traced import peak

from tinynet.data import (
    CIFAR10_CLASSES,
    CIFAR10_MEAN,
    CIFAR10_STD,
    DataError,
    cifar,
    cifar10,
    locate,
    read_cifar10,
)
from tinynet.data.cifar import cifar_set
from tinynet.data.files import load

images_of = cifar.images_and_labels
RECORD = 3073


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file, rewritten by each example."""
    return tmp_path_factory.mktemp("cifar") / "batch.bin"


def expected(names: list[str], batches: dict[str, bytes]) -> tuple[np.ndarray, np.ndarray]:
    """The layout by its description: image by image and plane by plane."""
    images, labels = [], []
    for name in names:
        for start in range(0, len(batches[name]), RECORD):
            record = batches[name][start : start + RECORD]
            planes = [record[1 + 1024 * c : 1 + 1024 * (c + 1)] for c in range(3)]
            rows = [[list(p[32 * i : 32 * (i + 1)]) for i in range(32)] for p in planes]
            images.append(rows)
            labels.append(record[0])
    return np.array(images, "float32") / np.float32(255), np.array(labels)


# --- the layout -------------------------------------------------------------------------------


BROKEN = {
    "empty": (b"", "1 or more records of 3073 bytes, but its 0 bytes are 0 records and 0 bytes"),
    "a web page": (b"<html>403 Forbidden</html>", "its 26 bytes are 0 records and 26 bytes"),
    "cut": (bytes(2 * RECORD - 1), "its 6145 bytes are 1 records and 3072 bytes"),
    "grown": (bytes(2 * RECORD + 1), "its 6147 bytes are 2 records and 1 bytes"),
    "label": (bytes(RECORD) + b"\x0a" + bytes(3072), "record 1 has label 10"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_messages(path: Path, kind: str) -> None:
    raw, message = BROKEN[kind]
    path.write_bytes(raw)
    with pytest.raises(DataError, match=rf"^read_cifar10: .*batch\.bin: .*{message}.*get it again"):
        read_cifar10(path)


def test_missing_file_is_an_os_error(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_cifar10(path.with_name("nowhere"))


@pytest.mark.parametrize("count", [1000, pytest.param(10_000, marks=pytest.mark.long)])
def test_mutants(path: Path, count: int) -> None:
    """Each gives the arrays that its bytes describe, or a DataError."""
    rng = np.random.default_rng(0)
    whole = BATCHES["test_batch.bin"]
    good = 0
    with open(path, "w+b") as file:
        for _ in range(count):
            b = bytearray(whole[: RECORD * rng.integers(1, 5)])
            for kind in rng.integers(0, 4, rng.integers(1, 3)):
                if kind == 0:
                    del b[rng.integers(0, len(b) + 1) :]
                elif kind == 1:
                    b += rng.bytes(rng.choice([1, 100, RECORD]))
                elif kind == 2 and b:
                    for bit in rng.integers(0, 8 * len(b), rng.integers(1, 9)):
                        b[bit // 8] ^= 1 << bit % 8
                elif kind == 3:
                    del b[RECORD * rng.integers(0, 4) :]
            overwrite(file, b)
            try:
                x, y = read_cifar10(path)
            except DataError:
                continue
            good += 1
            assert (x.shape[1:], x.dtype, y.dtype) == ((3, 32, 32), np.uint8, np.uint8)
            assert x.flags.writeable
            assert y.flags.writeable
            together = np.concatenate([y[:, None], x.reshape(-1, 3072)], 1)
            assert y.max() <= 9
            assert together.tobytes() == b
    assert count / 20 < good < count - count / 20


def test_a_wrong_size_costs_nothing(path: Path) -> None:
    """A sparse file of a gigabyte in place of four records."""
    folder = write(path.parent / "huge", BATCHES)
    with open(folder / "test_batch.bin", "wb") as file:
        file.truncate(RECORD * 350_000)

    def read() -> None:
        with pytest.raises(DataError, match="must hold 4 records"):
            load(small_cifar(), False, folder)

    assert peak(read) < 1 << 20


# --- a small data set -------------------------------------------------------------------------


@pytest.mark.parametrize("sub", [".", "cifar-10-batches-bin"])
@pytest.mark.parametrize("kind", ["official", "jpeg", "archive"])
def test_copies(tmp_path: Path, sub: str, kind: str) -> None:
    """Both copies load and are told apart; the archive is read as it is."""
    batches = JPEG_BATCHES if kind == "jpeg" else BATCHES
    write(tmp_path / sub, {ARCHIVE: small.ARCHIVED} if kind == "archive" else batches)
    dataset = small_cifar()
    for train, names in ((True, list(BATCHES)[:5]), (False, ["test_batch.bin"])):
        images, labels = images_of(dataset, tmp_path, train, False)
        assert images.dtype == np.float32
        assert labels.dtype == np.int64
        for a, b in zip((images, labels), expected(names, batches), strict=True):
            assert np.array_equal(a, b)
            assert a.flags.writeable
            assert a.flags.c_contiguous
        title = "CIFAR-10 (JPEG copy)" if kind == "jpeg" else "CIFAR-10"
        assert load(dataset, train, tmp_path).title == title


def test_a_mixture_of_copies_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {**BATCHES, "data_batch_4.bin": JPEG_BATCHES["data_batch_4.bin"]})
    with pytest.raises(
        DataError, match=r"from one copy, but .*data_batch_4\.bin is from CIFAR-10 \(JPEG"
    ):
        images_of(small_cifar(), tmp_path, True, False)
    assert len(images_of(small_cifar(), tmp_path, False, False)[0]) == 4


def test_bytes_of_no_known_copy_are_refused(tmp_path: Path) -> None:
    unknown = bytearray(BATCHES["data_batch_2.bin"])
    unknown[7] ^= 1
    write(tmp_path, {**BATCHES, "data_batch_2.bin": bytes(unknown)})
    with pytest.raises(DataError, match=r"data_batch_2\.bin: the SHA-256 .* or .*, but is"):
        images_of(small_cifar(), tmp_path, True, False)
    assert len(read_cifar10(tmp_path / "data_batch_2.bin")[0]) == 4  # the layout is right


def test_a_damaged_archive_is_not_even_opened(tmp_path: Path) -> None:
    for i in (len(small.ARCHIVED) // 2, len(small.ARCHIVED) - 1):
        write(tmp_path, {ARCHIVE: small.ARCHIVED[:i]})
        with pytest.raises(DataError, match="archive's SHA-256 must be"):
            images_of(small_cifar(), tmp_path, True, False)


def test_an_archive_that_is_not_what_its_checksum_promises(tmp_path: Path) -> None:
    """This cannot happen, but the error would name it."""
    lacking = small.archive_of({k: v for k, v in BATCHES.items() if k != "data_batch_3.bin"})
    other = small.archive_of({**BATCHES, "data_batch_3.bin": b"short"})
    cut = small.ARCHIVED[: len(small.ARCHIVED) // 2]
    for archive, message in (
        (lacking, r"archive lacks data_batch_3\.bin"),
        (other, r"data_batch_3\.bin: the file must hold 4 records"),
        (cut, "archive is incomplete"),
    ):
        write(tmp_path, {ARCHIVE: archive})
        with pytest.raises(DataError, match=message):
            images_of(small_cifar(archive=archive), tmp_path, True, False)


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        cifar10(tmp_path)
    message = str(caught.value)
    assert f"{tmp_path / 'cifar-10-batches-bin'} (No such file" in message
    assert f"{tmp_path} (empty)" in message
    write(tmp_path, {f"image_{i}.png": b"" for i in range(9)})
    write(tmp_path, {"test_batch.bin": b""})
    with pytest.raises(FileNotFoundError) as caught:
        cifar10(tmp_path)
    for part in (
        "no data_batch_1.bin, data_batch_2.bin, data_batch_3.bin, data_batch_4.bin, data_batch_5",
        "has image_0.png, image_1.png, image_2.png, image_3.png, image_4.png, image_5.png and 4",
        f"called {ARCHIVE}",
        f"into {tmp_path / 'cifar-10-batches-bin'}",
        "TINYNET_DATA",
        "python -m tinynet.data fetch cifar10",
    ):
        assert part in str(caught.value)
    with pytest.raises(DataError, match=r"test_batch\.bin: the file must hold 10000 records"):
        cifar10(tmp_path, train=False)


# --- the real one, where it is ----------------------------------------------------------------


def test_real() -> None:
    named = os.environ.get("TINYNET_DATA")
    try:
        title, paths = locate("cifar10", named)
    except FileNotFoundError:
        pytest.skip("CIFAR-10 is not there: set TINYNET_DATA to the folder that holds it")
    assert title in ("CIFAR-10", "CIFAR-10 (JPEG copy)")
    images, labels = cifar10(paths[0].parent)
    assert images.shape == (50_000, 3, 32, 32)
    assert (images.min(), images.max()) == (0, 1)
    assert np.bincount(labels).tolist() == [5000] * 10
    assert title == load(cifar.CIFAR10, True, paths[0].parent).title
    assert np.abs(images[::50].mean((0, 2, 3)) - CIFAR10_MEAN).max() < 0.02
    assert np.abs(images[::50].std((0, 2, 3)) - CIFAR10_STD).max() < 0.02
    images, labels = cifar10(paths[0].parent, train=False)
    assert images.shape == (10_000, 3, 32, 32)
    assert np.bincount(labels).tolist() == [1000] * len(CIFAR10_CLASSES)


# --- the Python version -----------------------------------------------------------------------


def python_2_pickle(batch: bytes) -> bytes:
    """A batch in the opcodes that Python 2 wrote: its strings are bytes."""

    def string(text: bytes) -> bytes:
        return b"T" + len(text).to_bytes(4, "little") + text

    records = np.frombuffer(batch, "u1").reshape(-1, RECORD)
    n = len(records)
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + string(b"b")
    dtype = b"cnumpy\ndtype\n" + string(b"u1") + b"K\x00K\x01\x87R(K\x03" + string(b"|")
    array += b"\x87R(K\x01K" + bytes([n]) + b"M\x00\x0c\x86" + dtype
    array += b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89" + string(records[:, 1:].tobytes())
    labels = b"](" + b"".join(b"K" + bytes([k]) for k in records[:, 0]) + b"e"
    return b"\x80\x02}(" + string(b"data") + array + b"tb" + string(b"labels") + labels + b"u."


PICKLES = {name.removesuffix(".bin"): python_2_pickle(b) for name, b in BATCHES.items()}


def test_the_python_version_has_the_same_images(tmp_path: Path) -> None:
    """Its files, as Python 2 wrote them and as Python 3 does, and its archive."""
    expected_arrays = images_of(small_cifar(), write(tmp_path / "bin", BATCHES), True, False)
    again = {}
    for name, batch in BATCHES.items():
        records = np.frombuffer(batch, "u1").reshape(-1, RECORD)
        state = {"data": records[:, 1:].copy(), "labels": records[:, 0].tolist()}
        again[name.removesuffix(".bin")] = pickle.dumps(state, 2)
    archive = small.archive_of(PICKLES)
    dataset = cifar_set((), 4, small_cifar_digests(), small.sha256(b""), small.sha256(archive))
    for i, files in enumerate((PICKLES, again, {"cifar-10-python.tar.gz": archive})):
        root = tmp_path / str(i)
        write(root / "cifar-10-batches-py", files)
        for array, wanted in zip(
            images_of(dataset, root, True, False), expected_arrays, strict=True
        ):
            np.testing.assert_array_equal(array, wanted)
        assert load(dataset, False, root).title == "CIFAR-10"


def small_cifar_digests() -> dict[str, tuple[str, ...]]:
    return {n: (small.sha256(BATCHES[n]), small.sha256(JPEG_BATCHES[n])) for n in BATCHES}


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("touch evil",)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (
            {"data": Evil(), "labels": []},
            r"names posix\.system, which is not part|names nt\.system",
        ),
        ({"labels": [1]}, "'data'"),
        ({"data": np.zeros((1, 3072), "u1"), "labels": [10]}, "labels must be 0 to 9"),
        ({"data": np.zeros((2, 3072), "u1"), "labels": [1]}, r"uint8 \(2, 3072\) for 1 labels"),
        ({"data": np.zeros((1, 3072), "u1"), "labels": [1]}, "has 1 images; it must have 4"),
    ],
)
def test_pickles_that_are_refused(
    state: dict[str, object], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pickles = {**PICKLES, "test_batch": pickle.dumps(state, 2)}
    folder = write(tmp_path / "cifar-10-batches-py", pickles)
    with pytest.raises(DataError, match=f"test_batch looks like CIFAR-10's Python.*{message}"):
        load(small_cifar(), False, folder.parent)
    assert not (tmp_path / "evil").exists()
