"""Where a data set's files are looked for, and what makes them the right ones.

A data set is described by a `DataSet`: which files it has, what each may be called, and the
SHA-256 of each one's unpacked bytes. `load` finds the files and lets nothing else through.
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

# Where distributions put data sets: Debian's dataset-fashion-mnist, for one.
SYSTEM_FOLDER = Path("/usr/share/datasets")
_SHOWN = 6  # names of a folder's contents in a message


@dataclass(frozen=True)
class File:
    """A file of a data set."""

    names: tuple[str, ...]  # any of these; a download is stored under the first
    count: int  # of images, or of labels
    copies: Mapping[str, str]  # SHA-256 of the unpacked bytes: the title of the copy that it is of


@dataclass(frozen=True)
class Download:
    """A file on the mirrors, and the files of the data set that it is or holds."""

    name: str
    files: tuple[File, ...]
    limit: int  # no more bytes than this are taken from a mirror


# The elements of a file and the SHA-256 of its unpacked bytes; DataError if it is malformed.
Read = Callable[[File, Path], tuple[np.ndarray, str]]


@dataclass(frozen=True)
class DataSet:
    """A data set: its names, its files, and where they can be had."""

    name: str  # of the function that returns it
    folder: str  # of the folder that holds its files, in `root` and elsewhere
    titles: tuple[str, ...]  # the copies that are accepted, the official one first
    train: tuple[File, ...]
    test: tuple[File, ...]
    reader: Callable[[], Read]  # made anew for each load, so that it may keep an opened archive
    downloads: tuple[Download, ...]
    mirrors: tuple[str, ...]  # addresses that a download's name is appended to, first come first

    @property
    def title(self) -> str:
        return self.titles[0]


class Loaded(NamedTuple):
    """Files that were found and checked."""

    title: str  # "MNIST", or "CIFAR-10 (JPEG copy)": what to call results that come of them
    arrays: list[np.ndarray]
    paths: list[Path]


def cache_folder() -> Path:
    """Where data sets are kept between runs; the folder need not exist.

    ``$XDG_CACHE_HOME/tinynet`` if that is set to an absolute path, ``%LOCALAPPDATA%/tinynet`` on
    Windows, else ``~/.cache/tinynet``.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # the XDG specification: a relative path is to be ignored
        base = os.environ.get("LOCALAPPDATA", "") if sys.platform == "win32" else ""
    return Path(base or os.path.expanduser("~/.cache")) / "tinynet"


def home_folder(dataset: DataSet, root: str | os.PathLike[str] | None = None) -> Path:
    """The folder where a download goes: the data set's own in `root`, or else in the cache."""
    place = cache_folder() if root is None else Path(root).expanduser()
    return place if place.name == dataset.folder else place / dataset.folder


def folders(dataset: DataSet, root: str | os.PathLike[str] | None = None) -> list[Path]:
    """The folders to look in, first come, first served.

    `root` alone if it is given, else ``$TINYNET_DATA``, the user's cache, a distribution's
    package. In each, the data set's own folder comes first: files in it are surely meant for it,
    while MNIST's and Fashion-MNIST's have the same names.
    """
    if root is not None:
        places = [Path(root).expanduser()]
    else:
        named = os.environ.get("TINYNET_DATA")
        places = [Path(named).expanduser()] if named else []
        places += [cache_folder(), SYSTEM_FOLDER]
    return [folder for place in places for folder in (place / dataset.folder, place)]


def load(dataset: DataSet, train: bool, root: str | os.PathLike[str] | None = None) -> Loaded:
    """The files of one part, found in `folders` and checked bit for bit.

    Raises:
        FileNotFoundError: if a file is in none of the folders; it says what is in them instead.
        DataError: if a file is not the data set's, or the files are of different copies of it.
    """
    return check(dataset, dataset.train if train else dataset.test, folders(dataset, root), root)


def check(
    dataset: DataSet,
    files: tuple[File, ...],
    places: list[Path],
    root: str | os.PathLike[str] | None = None,
) -> Loaded:
    """`load` for any files of the data set and any folders; `root` is for the message alone."""
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
        which = ", ".join(f"{path} is of {title}" for title, _, path in chosen)
        raise DataError(
            f"{dataset.name}: the files must all be of one copy, but {which}; "
            "copies differ in their order, so together they repeat some images and lack others"
        )
    return Loaded(titles.pop(), [array for _, array, _ in chosen], [path for _, _, path in chosen])


def _first(
    dataset: DataSet, file: File, paths: list[Path], read: Read
) -> tuple[str, np.ndarray, Path]:
    """Title, elements and path of the first of `paths`, passing over files of other data sets."""
    others = []
    for path in paths:
        array, digest = read(file, path)
        title = file.copies.get(digest)
        if title is None:
            wanted = [d for d, t in file.copies.items() if t in dataset.titles]
            raise DataError(
                f"{dataset.name}: {path}: the SHA-256 of the unpacked bytes must be "
                f"{' or '.join(wanted)}, but is {digest}: some of them differ from "
                f"{dataset.title}'s; delete the file and get it again"
            )
        if title in dataset.titles:
            return title, array, path
        others.append(f"{path} is {title}'s")
    raise DataError(
        f"{dataset.name}: {dataset.title}'s {file.names[0]} was wanted, but {', '.join(others)}; "
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
        "root= or set the environment's TINYNET_DATA to the folder that has them, or have them "
        f"fetched by download=True or 'python -m tinynet.data fetch {dataset.name}'"
    )


def _contents(folder: Path) -> str:
    """What is in a folder, for a message: often it tells what went wrong."""
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        return error.strerror or "cannot be read"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"has {', '.join(names[:_SHOWN])}{more}" if names else "empty"
