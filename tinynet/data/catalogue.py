"""Data sets by name, and the copies of them on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from tinynet.data.cifar import CIFAR10
from tinynet.data.files import DataSet, check, folders
from tinynet.data.mnist import FASHION_MNIST, MNIST

DATA_SETS = {dataset.name: dataset for dataset in (MNIST, FASHION_MNIST, CIFAR10)}
ALIASES = {
    "fashion": "fashion_mnist", "fashion-mnist": "fashion_mnist", "fashionmnist": "fashion_mnist",
    "cifar": "cifar10", "cifar-10": "cifar10",
}  # fmt: skip


class Located(NamedTuple):
    """A verified data set on this machine."""

    title: str  # names the copy, for use beside results
    paths: tuple[Path, ...]


def locate(name: str, root: str | os.PathLike[str] | None = None) -> Located:
    """Find a data set on this machine, and read and verify all its files.

    Args:
        name: ``"mnist"``, ``"fashion_mnist"`` or ``"cifar10"``, like the functions.
        root: as in these functions.

    Returns:
        title: ``"MNIST"``, ``"Fashion-MNIST"``, ``"CIFAR-10"`` or ``"CIFAR-10 (JPEG copy)"``.
        paths: the files, training files first.

    Raises:
        ValueError: if `name` is unknown.
        FileNotFoundError, DataError: as in the data set's function.

    **Cost**: reads and hashes all files; one second for CIFAR-10.
    """
    if name not in DATA_SETS:
        raise ValueError(f"locate: name must be one of {', '.join(DATA_SETS)}, but is {name!r}")
    return locate_set(DATA_SETS[name], root)


def locate_set(dataset: DataSet, root: str | os.PathLike[str] | None = None) -> Located:
    """`locate` for any `DataSet`."""
    found = check(dataset, dataset.train + dataset.test, folders(dataset, root), root)
    return Located(found.title, tuple(dict.fromkeys(found.paths)))
