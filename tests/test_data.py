"""The data sets: exactly the published numbers, or an error that says what is wrong."""

import gzip
import hashlib
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module, resources
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynet.data import MNIST_MEAN, MNIST_STD, DataError, cache_folder, digits, mnist

module = import_module("tinynet.data.mnist")  # the package's name for it is the function's


def idx_bytes(a: np.ndarray) -> bytes:
    return bytes([0, 0, 8, a.ndim]) + struct.pack(f">{a.ndim}I", *a.shape) + a.tobytes()


# --- MNIST itself ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> Path:
    """The folder with MNIST's real files."""
    named = os.environ.get("TINYNET_DATA")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    for place in (folder, folder / "mnist"):
        if any(place.glob("train-images*")):
            return place
    pytest.skip(f"MNIST is not in {folder}; set TINYNET_DATA to the folder that has it")


@pytest.mark.parametrize(
    ("train", "counts"),
    [
        (True, [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]),
        (False, [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]),
    ],
)
def test_mnist(real: Path, train: bool, counts: list[int]) -> None:
    images, labels = mnist(real, train=train)
    assert images.shape == (sum(counts), 1, 28, 28)
    assert images.dtype == np.float32
    assert images.flags.c_contiguous
    assert images.flags.writeable
    assert (images.min(), images.max()) == (0, 1)
    assert labels.dtype == np.int64
    assert labels.flags.writeable
    assert np.bincount(labels).tolist() == counts
    if train:
        assert labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
        assert round(float(images.mean(dtype="float64")), 4) == MNIST_MEAN
        assert round(float(images.std(dtype="float64")), 4) == MNIST_STD
    # Not one byte was lost on the way to float32.
    raw = np.rint(images[:, 0] * 255).astype("uint8")
    file = module._FILES[train, "images"]
    assert hashlib.sha256(idx_bytes(raw)).hexdigest() == file.sha256


def test_one_flipped_bit_of_mnist(real: Path, tmp_path: Path) -> None:
    for file in (module._FILES[False, "images"], module._FILES[False, "labels"]):
        raw = bytearray(module.unpack(module._find(file, real)).payload)
        if len(file.shape) == 3:
            raw[1_000_000] ^= 1
        shaped = np.frombuffer(raw, "uint8").reshape(file.shape)
        (tmp_path / file.names()[1]).write_bytes(gzip.compress(idx_bytes(shaped), 1))
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte\.gz: the SHA-256 .* get it again"):
        mnist(tmp_path, train=False)


# --- the same code on a small data set in MNIST's place --------------------------------------

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 3, 4), dtype="uint8")
LABELS = np.array([3, 0, 9, 1, 1], "uint8")
CONTENT = {"images": idx_bytes(PIXELS), "labels": idx_bytes(LABELS)}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with four good files, and a table in which they are MNIST's."""
    table = {}
    folder = tmp_path_factory.mktemp("small")
    for (train, what), file in module._FILES.items():
        shape = (PIXELS if what == "images" else LABELS).shape
        digest = hashlib.sha256(CONTENT[what]).hexdigest()
        table[train, what] = file._replace(shape=shape, sha256=digest)
        (folder / file.names()[0]).write_bytes(CONTENT[what])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_FILES", table)
        yield folder


def same(got: tuple[np.ndarray, np.ndarray]) -> bool:
    images, labels = got
    return np.array_equal(images[:, 0], PIXELS / np.float32(255)) and np.array_equal(labels, LABELS)


@pytest.mark.parametrize("between", ["-", "."])
@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize("sub", [".", "mnist"])
def test_names_and_folders(small: Path, tmp_path: Path, between: str, end: str, sub: str) -> None:
    folder = tmp_path / sub
    folder.mkdir(exist_ok=True)
    for what, kind in (("images", "idx3"), ("labels", "idx1")):
        raw = gzip.compress(CONTENT[what]) if end else CONTENT[what]
        (folder / f"t10k-{what}{between}{kind}-ubyte{end}").write_bytes(raw)
    assert same(mnist(str(tmp_path), train=False))


def test_where_it_looks(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("TINYNET_DATA", raising=False)
    assert cache_folder() == tmp_path / "cache" / "tinynet"
    with pytest.raises(FileNotFoundError) as caught:
        mnist()
    cached = tmp_path / "cache" / "tinynet" / "mnist"
    for part in (str(cached.parent), str(cached), "train-images-idx3-ubyte.gz", "TINYNET_DATA"):
        assert part in str(caught.value)
    shutil.copytree(small, cached)
    assert same(mnist())
    monkeypatch.setenv("TINYNET_DATA", str(tmp_path / "empty"))
    assert same(mnist())  # the environment's folder has none, the cache has
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "train-labels-idx1-ubyte").write_bytes(b"broken")
    with pytest.raises(DataError, match="empty"):
        mnist()  # the first that is found counts, good or not
    assert same(mnist(small))
    with pytest.raises(FileNotFoundError) as caught:
        mnist(tmp_path / "nowhere")  # a folder that was named is the only one
    assert str(cached) not in str(caught.value)


def test_a_relative_cache_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "somewhere")
    assert cache_folder().is_absolute()
    assert cache_folder().name == "tinynet"


def replaced(small: Path, what: str, raw: bytes) -> str:
    """The complaint about the training files, of which one holds these bytes."""
    path = small / module._FILES[True, what].names()[0]
    try:
        path.write_bytes(raw)
        with pytest.raises(DataError) as caught:
            mnist(small)
    finally:
        path.write_bytes(CONTENT[what])
    assert str(path) in str(caught.value)
    return str(caught.value)


@given(what=st.sampled_from(["images", "labels"]), data=st.data())
@settings(deadline=None)
def test_any_flipped_bit_is_found(small: Path, what: str, data: st.DataObject) -> None:
    raw = bytearray(CONTENT[what])
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    replaced(small, what, bytes(raw))
    assert same(mnist(small))


def test_complaints(small: Path) -> None:
    fewer = replaced(small, "images", idx_bytes(PIXELS[:4]))
    assert "must say 5 x 3 x 4 uint8, but says 4 x 3 x 4 uint8" in fewer
    assert "but says 5 x 3 uint8" in replaced(small, "images", idx_bytes(PIXELS[:, :, 0]))
    high = replaced(small, "labels", idx_bytes(np.array([3, 0, 9, 10, 1], "uint8")))
    assert "labels are 0 to 9, but number 3 is 10" in high
    wrong = idx_bytes(LABELS[::-1].copy())
    other = replaced(small, "labels", wrong)
    assert hashlib.sha256(CONTENT["labels"]).hexdigest() in other
    assert hashlib.sha256(wrong).hexdigest() in other


# --- digits ---------------------------------------------------------------------------------


def test_digits() -> None:
    parts = [digits(train=True), digits(train=False)]
    counts = (
        [151, 161, 143, 131, 147, 154, 150, 136, 127, 138],
        [27, 21, 34, 52, 34, 28, 31, 43, 47, 42],
    )
    for (images, labels), per_class in zip(parts, counts, strict=True):
        count = sum(per_class)
        assert images.shape == (count, 1, 8, 8)
        assert images.dtype == np.float32
        assert images.flags.c_contiguous
        assert images.flags.writeable
        assert (images.min(), images.max()) == (0, 1)
        assert labels.shape == (count,)
        assert labels.dtype == np.int64
        assert labels.flags.writeable
        assert np.bincount(labels).tolist() == per_class
    pixels, labels = np.empty((1797, 8, 8), "uint8"), np.empty(1797, "uint8")
    held_out = np.arange(1797) % 5 == 4
    for (x, y), rows in zip(parts, (~held_out, held_out), strict=True):
        pixels[rows], labels[rows] = x[:, 0] * 16, y
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    digest = hashlib.sha256(pixels.tobytes() + labels.tobytes()).hexdigest()
    assert digest == "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"


def test_digits_are_fresh() -> None:
    digits()[0][:] = 7
    assert digits()[0].max() == 1


def test_digits_say_where_they_are_from() -> None:
    folder = resources.files("tinynet.data")
    assert len((folder / "digits.npz").read_bytes()) < 64_000
    licence = (folder / "digits.LICENSE.txt").read_text("utf-8")
    for text in (licence, digits.__globals__["__doc__"]):
        assert "CC BY 4.0" in text
        assert "10.24432/C50P49" in text


# --- the package ----------------------------------------------------------------------------


def test_importing_needs_no_extras() -> None:
    extras = ("cupy", "torch", "sklearn", "matplotlib", "pooch", "tqdm", "safetensors")
    code = f"import sys, tinynet.data; print([m for m in {extras} if m in sys.modules])"
    top = Path(str(module.__file__)).parents[2]  # where an uninstalled package is found, too
    run = subprocess.run([sys.executable, "-c", code], cwd=top, stdout=subprocess.PIPE, check=True)
    assert run.stdout.strip() == b"[]"


def test_digits_in_mnist_s_size():
    small, labels = digits(train=False)
    large, same = digits(train=False, size=28)
    assert large.shape == (359, 1, 28, 28)
    assert np.array_equal(labels, same)
    assert np.array_equal(large[:, :, 3:-2:3, 3:-2:3], small)  # the middle of each 3x3
    assert not large[:, :, :2].any()
    assert large.sum() == pytest.approx(9 * small.sum())
    with pytest.raises(ValueError, match="size is 32; it must be 8 or 28"):
        digits(size=32)
