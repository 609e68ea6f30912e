"""Finds and verifies the files of a data set.

A `DataSet` lists the files, their possible names and the SHA-256 of their unpacked bytes. `load`
finds the files and accepts no others.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tinynet.data.idx import DataError

# Where Linux distributions install data sets, such as Debian's dataset-fashion-mnist.
SYSTEM_FOLDER = Path("/usr/share/datasets")
_SHOWN = 6  # file names of a folder that a message shows


@dataclass(frozen=True)
class File:
    """A file of a data set."""

    names: tuple[str, ...]  # possible names; a download is stored under the first
    count: int  # number of images or labels
    copies: Mapping[str, str]  # SHA-256 of the unpacked bytes: title of the copy


@dataclass(frozen=True)
class Download:
    """A file on the mirrors: one of the data set's files, or an archive of several."""

    name: str
    files: tuple[File, ...]
    limit: int  # most bytes to accept from a mirror


# Returns a file's elements and the SHA-256 of its unpacked bytes; raises DataError if malformed.
Read = Callable[[File, Path], tuple[np.ndarray, str]]


@dataclass(frozen=True)
class DataSet:
    """A data set: its names, files and mirrors."""

    name: str  # of the function that returns it
    folder: str  # name of the folder with its files, in `root` and elsewhere
    titles: tuple[str, ...]  # of accepted copies, the official one first
    train: tuple[File, ...]
    test: tuple[File, ...]
    reader: Callable[[], Read]  # called for each load, so a reader may keep an unpacked archive
    downloads: tuple[Download, ...]
    mirrors: tuple[str, ...]  # addresses to which a download's name is appended, in order
    others: tuple[str, ...] = ()  # folders where other programs keep the files

    @property
    def title(self) -> str:
        return self.titles[0]


class Loaded(NamedTuple):
    """Files found and verified."""

    title: str  # "MNIST", or "CIFAR-10 (JPEG copy)": names the copy, for use beside results
    arrays: list[np.ndarray]
    paths: list[Path]


def cache_folder() -> Path:
    """Return the folder where data sets are kept between runs; it need not exist.

    ``$XDG_CACHE_HOME/tinynet`` if that is set to an absolute path, ``%LOCALAPPDATA%/tinynet`` on
    Windows, else ``~/.cache/tinynet``.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # the XDG specification ignores relative paths
        base = os.environ.get("LOCALAPPDATA", "") if sys.platform == "win32" else ""
    return Path(base or os.path.expanduser("~/.cache")) / "tinynet"


def home_folder(dataset: DataSet, root: str | os.PathLike[str] | None = None) -> Path:
    """The folder for downloads: the data set's own in `root`, or by default in the cache."""
    place = cache_folder() if root is None else Path(root).expanduser()
    return place if place.name == dataset.folder else place / dataset.folder


def folders(dataset: DataSet, root: str | os.PathLike[str] | None = None) -> list[Path]:
    """The folders to search, in order.

    `root` alone if it is given, else ``$TINYNET_DATA``, the user's cache and `SYSTEM_FOLDER`. In
    each, the data set's own folder comes first, since the files of MNIST and Fashion-MNIST have the
    same names; then those where other programs keep the files, such as torchvision's.
    """
    if root is not None:
        places = [Path(root).expanduser()]
    else:
        named = os.environ.get("TINYNET_DATA")
        places = [Path(named).expanduser()] if named else []
        places += [cache_folder(), SYSTEM_FOLDER]
    found = []
    for place in places:
        others = [place / name for name in dataset.others if (place / name).is_dir()]
        found += [place / dataset.folder, *others, place]
    return found


def load(dataset: DataSet, train: bool, root: str | os.PathLike[str] | None = None) -> Loaded:
    """Load the training or test files, searched for in `folders` and verified bit for bit.

    Raises:
        FileNotFoundError: if a file is missing; lists the folders and their contents.
        DataError: if a file belongs to no known copy, or the files to different copies.
    """
    return check(dataset, dataset.train if train else dataset.test, folders(dataset, root), root)


def check(
    dataset: DataSet,
    files: tuple[File, ...],
    places: list[Path],
    root: str | os.PathLike[str] | None = None,
) -> Loaded:
    """`load` for any files of the data set and any folders; `root` only serves the message."""
    found = {
        file.names[0]: [p for place in places for n in file.names if (p := place / n).is_file()]
        for file in files
    }
    missing = [file for file in files if not found[file.names[0]]]
    if missing:
        raise FileNotFoundError(_not_found(dataset, missing, places, root))
    read = dataset.reader()
    chosen = [_first(dataset, file, found[file.names[0]], read) for file in files]
    titles = {title for title, _, _ in chosen}
    if len(titles) > 1:
        which = ", ".join(f"{path} is from {title}" for title, _, path in chosen)
        raise DataError(
            f"{dataset.name}: the files must all come from one copy, but {which}; copies differ "
            "in order, so a mix would repeat some images and lack others"
        )
    return Loaded(titles.pop(), [array for _, array, _ in chosen], [path for _, _, path in chosen])


def _first(
    dataset: DataSet, file: File, paths: list[Path], read: Read
) -> tuple[str, np.ndarray, Path]:
    """Title, elements and path of the first of `paths` that is not another data set's file."""
    others = []
    for path in paths:
        array, digest = read(file, path)
        title = file.copies.get(digest)
        if title is None:
            wanted = [d for d, t in file.copies.items() if t in dataset.titles]
            raise DataError(
                f"{dataset.name}: {path}: the SHA-256 of the unpacked bytes must be "
                f"{' or '.join(wanted)}, but is {digest}; delete the file and get it again"
            )
        if title in dataset.titles:
            return title, array, path
        others.append(f"{path} is {title}'s")
    raise DataError(
        f"{dataset.name}: expected {dataset.title}'s {file.names[0]}, but {', '.join(others)}; "
        f"put {dataset.title}'s files into a folder named {dataset.folder}"
    )


def _not_found(
    dataset: DataSet,
    missing: list[File],
    places: list[Path],
    root: str | os.PathLike[str] | None,
) -> str:
    wanted = ", ".join(file.names[0] for file in missing)
    looked = ", ".join(f"{place} ({_contents(place)})" for place in places)
    others = ", ".join(missing[-1].names[1:])
    return (
        f"{dataset.name}: no {wanted} in any of: {looked}; {missing[-1].names[0]} may also be "
        f"called {others}; put {dataset.title}'s files into {home_folder(dataset, root)}, pass "
        "root= or set the environment variable TINYNET_DATA to the folder that has them, or fetch "
        f"them with download=True or 'python -m tinynet.data fetch {dataset.name}'"
    )


def _contents(folder: Path) -> str:
    """A folder's contents, for a message: they often show what went wrong."""
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        return error.strerror or "cannot be read"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"has {', '.join(names[:_SHOWN])}{more}" if names else "empty"
