"""The data sets by name, and which copy of one is on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from tinynet.data.cifar import CIFAR10
from tinynet.data.files import DataSet, check, folders
from tinynet.data.mnist import FASHION_MNIST, MNIST

DATA_SETS = {dataset.name: dataset for dataset in (MNIST, FASHION_MNIST, CIFAR10)}


class Located(NamedTuple):
    """A data set that is on this machine, whole and checked."""

    title: str  # which copy, as a figure obtained from it should call it
    paths: tuple[Path, ...]


def locate(name: str, root: str | os.PathLike[str] | None = None) -> Located:
    """Which copy of a data set is there, and where; every file is read and checked.

    Args:
        name: ``"mnist"``, ``"fashion_mnist"`` or ``"cifar10"``, the functions' names.
        root: as theirs.

    Returns:
        title: ``"MNIST"``, ``"Fashion-MNIST"``, ``"CIFAR-10"`` or ``"CIFAR-10 (JPEG copy)"``.
        paths: the files, those of the training part first.

    Raises:
        ValueError: if there is no data set of that name.
        FileNotFoundError, DataError: as the data set's function.

    **Cost**: that of reading and hashing all files; a second for CIFAR-10.
    """
    if name not in DATA_SETS:
        raise ValueError(f"locate: name must be one of {', '.join(DATA_SETS)}, but is {name!r}")
    return locate_set(DATA_SETS[name], root)


def locate_set(dataset: DataSet, root: str | os.PathLike[str] | None = None) -> Located:
    """`locate` for any data set."""
    found = check(dataset, dataset.train + dataset.test, folders(dataset, root), root)
    return Located(found.title, tuple(dict.fromkeys(found.paths)))
