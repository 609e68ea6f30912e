"""The data sets: exactly the published numbers, or an error that says what is wrong."""

import gzip
import hashlib
import shutil
from importlib import import_module, resources
from pathlib import Path

import numpy as np
import pytest
import small_data_sets as small
from hypothesis import given
from hypothesis import strategies as st
from small_data_sets import FILES, LABELS, OTHER, PIXELS, idx_bytes, small_mnist, write

from tinynet.data import (
    FASHION_MNIST_CLASSES,
    FASHION_MNIST_MEAN,
    FASHION_MNIST_STD,
    MNIST_MEAN,
    MNIST_STD,
    DataError,
    cache_folder,
    digits,
    fashion_mnist,
    locate,
    mnist,
)
from tinynet.data.files import SYSTEM_FOLDER, folders, home_folder

module = import_module("tinynet.data.mnist")  # the package's name for it is the function's
images_of = module.images_and_labels


# --- MNIST itself ---------------------------------------------------------------------------


def check(
    images: np.ndarray, labels: np.ndarray, counts: list[int], mean: float, std: float, sha256: str
) -> None:
    assert images.shape == (sum(counts), 1, 28, 28)
    assert images.dtype == np.float32
    assert images.flags.c_contiguous
    assert images.flags.writeable
    assert (images.min(), images.max()) == (0, 1)
    assert labels.dtype == np.int64
    assert labels.flags.writeable
    assert np.bincount(labels).tolist() == counts
    # Not one byte was lost on the way to float32.
    raw = np.rint(images[:, 0] * 255).astype("uint8")
    assert hashlib.sha256(idx_bytes(raw)).hexdigest() == sha256
    if len(labels) == 60_000:
        share, pixels = np.bincount(raw.ravel(), minlength=256) / raw.size, np.arange(256) / 255
        center = share @ pixels
        assert round(center, 4) == mean
        assert round(np.sqrt(share @ (pixels - center) ** 2), 4) == std


@pytest.mark.parametrize(
    ("train", "counts"),
    [
        (True, [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]),
        (False, [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]),
    ],
)
def test_mnist(mnist_root: Path, train: bool, counts: list[int]) -> None:
    images, labels = mnist(mnist_root, train=train)
    sha256 = module._DIGESTS["train-images" if train else "t10k-images"][0]
    check(images, labels, counts, MNIST_MEAN, MNIST_STD, sha256)
    if train:
        assert labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]


@pytest.mark.parametrize("train", [True, False])
def test_fashion_mnist(train: bool) -> None:
    try:
        images, labels = fashion_mnist(train=train)
    except FileNotFoundError:
        pytest.skip("Fashion-MNIST is not there: install Debian's dataset-fashion-mnist")
    counts = [6000 if train else 1000] * len(FASHION_MNIST_CLASSES)
    sha256 = module._DIGESTS["train-images" if train else "t10k-images"][1]
    check(images, labels, counts, FASHION_MNIST_MEAN, FASHION_MNIST_STD, sha256)
    if train:
        first = [FASHION_MNIST_CLASSES[k] for k in labels[:4]]
        assert first == ["Ankle boot", "T-shirt/top", "T-shirt/top", "Dress"]


def test_one_is_not_the_other(mnist_root: Path) -> None:
    folder = mnist_root / "mnist"
    with pytest.raises(
        DataError,
        match=r"^fashion_mnist: expected Fashion-MNIST's t10k-labels.*, but .* is MNIST's; put",
    ):
        fashion_mnist(folder, train=False)
    assert locate("mnist", folder).title == "MNIST"
    assert {path.parent for path in locate("mnist", folder).paths} == {folder}
    with pytest.raises(ValueError, match="'mnst'"):
        locate("mnst")


# --- the same code on a small data set -------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with four good files."""
    return write(tmp_path_factory.mktemp("small"), FILES)


def load(root: Path | str | None, train: bool = True) -> bool:
    """Whether the small data set loads from there correctly."""
    images, labels = images_of(small_mnist(), root, train, False)
    step = 1 if train else -1
    return np.array_equal(images[:, 0], PIXELS[::step] / np.float32(255)) and np.array_equal(
        labels, LABELS[::step]
    )


@pytest.mark.parametrize("between", ["-", "."])
@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize("sub", [".", "mnist"])
def test_names_and_folders(tmp_path: Path, between: str, end: str, sub: str) -> None:
    write(
        tmp_path / sub,
        {
            name.replace("-idx", f"{between}idx") + end: gzip.compress(raw) if end else raw
            for name, raw in FILES.items()
        },
    )
    assert load(str(tmp_path))
    assert load(tmp_path, train=False)


def test_where_it_looks(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("TINYNET_DATA", raising=False)
    assert cache_folder() == tmp_path / "cache" / "tinynet"
    with pytest.raises(FileNotFoundError) as caught:
        load(None)
    cached = tmp_path / "cache" / "tinynet" / "mnist"
    for part in (str(cached.parent), str(cached), "train-images-idx3-ubyte.gz", "TINYNET_DATA"):
        assert part in str(caught.value)
    shutil.copytree(folder, cached)
    assert load(None)
    monkeypatch.setenv("TINYNET_DATA", str(tmp_path / "empty"))
    assert load(None)  # the environment's folder has none, the cache has
    write(tmp_path / "empty", {"train-labels-idx1-ubyte": b"broken"})
    with pytest.raises(DataError, match="empty"):
        load(None)  # the first that is found counts, good or not
    assert load(folder)
    with pytest.raises(FileNotFoundError) as caught:
        load(tmp_path / "nowhere")  # a folder that was named is the only one
    assert str(cached) not in str(caught.value)


def test_the_order_of_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TINYNET_DATA", str(tmp_path / "named"))
    places = [tmp_path / "named", tmp_path / "cache" / "tinynet", SYSTEM_FOLDER]
    assert folders(module.FASHION_MNIST) == [
        folder for place in places for folder in (place / "fashion-mnist", place)
    ]
    assert folders(module.MNIST, "~") == [Path.home() / "mnist", Path.home()]
    assert home_folder(module.MNIST, tmp_path) == tmp_path / "mnist"
    assert home_folder(module.MNIST, tmp_path / "mnist") == tmp_path / "mnist"
    assert home_folder(module.MNIST) == tmp_path / "cache" / "tinynet" / "mnist"


def test_another_data_set_under_the_same_names(tmp_path: Path) -> None:
    """It is skipped for the right one; without a right one, the error names it."""
    write(tmp_path, OTHER)
    wanted = r"expected Small's train-labels-idx1-ubyte\.gz, but .* is Other's"
    with pytest.raises(DataError, match=wanted):
        load(tmp_path)
    write(tmp_path / "mnist", FILES)
    assert load(tmp_path)
    write(tmp_path, FILES)
    write(tmp_path / "mnist", OTHER)
    assert load(tmp_path)
    _, labels = images_of(small_mnist(title="Other"), tmp_path, True, False)
    assert np.array_equal(labels, LABELS // 2)


def test_a_folder_with_other_things(tmp_path: Path) -> None:
    write(tmp_path, {"digits.csv": b"", **dict.fromkeys(("a", "b", "c", "d", "e", "f", "g"), b"")})
    with pytest.raises(FileNotFoundError) as caught:
        load(tmp_path)
    assert "no train-labels-idx1-ubyte.gz, train-images-idx3-ubyte.gz in" in str(caught.value)
    assert "(has a, b, c, d, digits.csv, e and 2 more)" in str(caught.value)
    assert f"into {tmp_path / 'mnist'}" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_relative_cache_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "somewhere")
    assert cache_folder().is_absolute()
    assert cache_folder().name == "tinynet"


def replaced(folder: Path, what: str, raw: bytes) -> str:
    """The error for the training files if one of them holds these bytes."""
    (name,) = (name for name in FILES if name.startswith(f"train-{what}"))
    path = folder / name
    try:
        path.write_bytes(raw)
        with pytest.raises(DataError) as caught:
            load(folder)
    finally:
        path.write_bytes(FILES[name])
    assert str(path) in str(caught.value)
    return str(caught.value)


@given(what=st.sampled_from(["images", "labels"]), data=st.data())
def test_any_flipped_bit_is_found(folder: Path, what: str, data: st.DataObject) -> None:
    raw = bytearray(idx_bytes(PIXELS if what == "images" else LABELS))
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    replaced(folder, what, bytes(raw))
    assert load(folder)


def test_complaints(folder: Path) -> None:
    fewer = replaced(folder, "images", idx_bytes(PIXELS[:4]))
    assert "must say 5 x 3 x 4 uint8, but says 4 x 3 x 4 uint8" in fewer
    assert "but says 5 x 3 uint8" in replaced(folder, "images", idx_bytes(PIXELS[:, :, 0]))
    high = replaced(folder, "labels", idx_bytes(np.array([3, 0, 9, 10, 1], "uint8")))
    assert "labels must be 0 to 9, but label 3 is 10" in high
    wrong = idx_bytes(LABELS[::-1].copy())
    other = replaced(folder, "labels", wrong)
    assert small.sha256(idx_bytes(LABELS)) in other
    assert small.sha256(wrong) in other


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
