"""MNIST: 60,000 and 10,000 handwritten digits of 28x28 pixels.

**Source**: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
recognition", Proc. IEEE 86 (11), 1998; the files: Y. LeCun, C. Cortes, C. Burges, CC BY-SA 3.0.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tinynet.data.idx import DataError, Unpacked, unpack

# Mean and standard deviation over all pixels of the 60,000 training images, after division by
# 255. To normalise: (images - MNIST_MEAN) / MNIST_STD; for the test images the same two numbers.
MNIST_MEAN = 0.1307
MNIST_STD = 0.3081


class _File(NamedTuple):
    stem: str  # as in train-images-idx3-ubyte, or train-images.idx3-ubyte
    shape: tuple[int, ...]
    sha256: str  # of the unpacked file, header included

    def names(self) -> list[str]:
        kind = f"idx{len(self.shape)}-ubyte"
        return [f"{self.stem}{dot}{kind}{end}" for dot in "-." for end in ("", ".gz")]


_IMAGES, _LABELS = "images", "labels"
_FILES = {
    (True, _IMAGES): _File(
        "train-images",
        (60000, 28, 28),
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    (True, _LABELS): _File(
        "train-labels",
        (60000,),
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    (False, _IMAGES): _File(
        "t10k-images",
        (10000, 28, 28),
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    (False, _LABELS): _File(
        "t10k-labels",
        (10000,),
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
}


def mnist(
    root: str | os.PathLike[str] | None = None, train: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """MNIST's images and labels, read from files that are already on this machine.

    The files are the four of the original distribution, gzipped or not: train-images-idx3-ubyte,
    train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (with a dot before
    "idx" they are found too). Their size, shape, label range and SHA-256 are checked at each load:
    a network trains on damaged images without complaint and only ends up worse.

    Args:
        root: the folder with the files, or with a folder ``mnist`` that has them. By default the
            environment's ``TINYNET_DATA``, then the user's cache, `cache_folder`.
        train: the 60,000 training images, or the 10,000 test images.

    Returns:
        images: float32, shape (N, 1, 28, 28), 0 (paper) to 1 (ink): the bytes divided by 255.
        labels: int64, shape (N,), 0 to 9.
        Both are fresh and writable.

    Raises:
        FileNotFoundError: if a file is in none of the folders; it lists them and the names.
        DataError: if a file is not MNIST's, bit for bit once unpacked.

    **Cost**: a third of a second for the training images; 4 bytes a pixel kept (188 MB), 5 while
    loading.

    **Source**: see the head of this file.
    """
    paths = {what: _find(_FILES[train, what], root) for what in (_IMAGES, _LABELS)}
    labels = _load(paths[_LABELS], _FILES[train, _LABELS]).array()
    images = _load(paths[_IMAGES], _FILES[train, _IMAGES]).array()
    count, height, width = images.shape
    pixels = np.divide(images, 255, dtype=np.float32).reshape(count, 1, height, width)
    return pixels, labels.astype(np.int64)


def cache_folder() -> Path:
    """Where data sets are kept between runs; the folder need not exist.

    ``$XDG_CACHE_HOME/tinynet`` if that is set to an absolute path, ``%LOCALAPPDATA%/tinynet`` on
    Windows, else ``~/.cache/tinynet``.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # the XDG specification: a relative path is to be ignored
        base = os.environ.get("LOCALAPPDATA", "") if sys.platform == "win32" else ""
    return Path(base or os.path.expanduser("~/.cache")) / "tinynet"


def _folders(root: str | os.PathLike[str] | None) -> list[Path]:
    """The folders to look in, first come, first served."""
    if root is not None:
        places = [Path(root).expanduser()]
    else:
        named = os.environ.get("TINYNET_DATA")
        places = [Path(named).expanduser()] if named else []
        places.append(cache_folder())
    return [folder for place in places for folder in (place, place / "mnist")]


def _find(file: _File, root: str | os.PathLike[str] | None) -> Path:
    folders = _folders(root)
    for folder in folders:
        for name in file.names():
            if (folder / name).is_file():
                return folder / name
    raise FileNotFoundError(
        f"mnist: no {file.names()[0]} in any of: {', '.join(map(str, folders))}; "
        f"any of these names would do: {', '.join(file.names())}; "
        f"put MNIST's four files into {folders[-1]}, or pass root= or set the environment's "
        "TINYNET_DATA to the folder that has them"
    )


def _load(path: Path, file: _File) -> Unpacked:
    """The file's bytes, if they are the right ones; the plainest complaint comes first."""
    found = unpack(path, like=("uint8", file.shape))
    if len(file.shape) == 1:
        labels = found.array()
        if labels.max() > 9:
            i = int(labels.argmax())
            raise DataError(
                f"mnist: {path}: labels are 0 to 9, but number {i} is {labels[i]}; "
                "the file is damaged; delete it and get it again"
            )
    if (digest := found.sha256()) != file.sha256:
        raise DataError(
            f"mnist: {path}: the SHA-256 of the unpacked bytes must be {file.sha256}, but is "
            f"{digest}: some of them differ from MNIST's; delete the file and get it again"
        )
    return found
