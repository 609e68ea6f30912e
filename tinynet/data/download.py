"""Fetching a data set: from one mirror after the other, checked before it gets its name.

What is under a file's own name was whole and checked when it got it: everything else happens in
files named ``.NAME.RANDOM.part`` beside it, which are renamed or removed at the end. One that a
killed process left behind is removed by the next.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from tinynet.data.files import DataSet, Download, Loaded, check, home_folder, load
from tinynet.data.idx import DataError

try:
    import fcntl
except ImportError:  # Windows, where a file cannot be removed while it is open: as good as a lock
    fcntl = None  # type: ignore[assignment]

# Seconds for a connection, and between two pieces of an answer. One that keeps coming, however
# slowly, has all the time that it takes.
TIMEOUT = (4.0, 10.0)
_CHUNK = 1 << 16


class DownloadError(OSError):
    """No mirror gave a file; the message says what was tried, why it failed and what to do."""


def obtain(
    dataset: DataSet, train: bool, root: str | os.PathLike[str] | None, download: bool
) -> Loaded:
    """`load`, and where that fails, if `download`, `fetch` and `load`."""
    try:
        return load(dataset, train, root)
    except (FileNotFoundError, DataError):
        if not download:
            raise
    return load(dataset, train, fetch(dataset, root))


def fetch(
    dataset: DataSet,
    root: str | os.PathLike[str] | None = None,
    timeout: tuple[float, float] = TIMEOUT,
) -> Path:
    """Have all files of the data set in one folder, downloading those that are not there.

    Files in that folder that are damaged are replaced, those that are good stay. Two processes may
    do it at once; each downloads, and whichever is last leaves its copy.

    Args:
        dataset: which.
        root: the parent of the folder, or the folder itself if it has its name; by default the
            user's cache.
        timeout: seconds to wait for a connection and, at any time, for the next bytes.

    Returns:
        The folder. If it was not there and the first file cannot be had, it isn't there after.

    Raises:
        DownloadError: if no mirror gave one of the files.
        ImportError: if pooch is not installed.
        OSError: if the folder cannot be written to.
    """
    folder = home_folder(dataset, root)
    mirrors = list(dataset.mirrors)
    try:
        with _no_empty_folder(folder):
            _sweep(dataset, folder)
            for download in dataset.downloads:
                try:
                    check(dataset, download.files, [folder])
                except (FileNotFoundError, DataError):
                    _fetch_one(dataset, download, folder, mirrors, timeout)
    except DownloadError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise OSError(
            error.errno,
            f"fetch: {dataset.name}: cannot use {folder}: {reason}; "
            "make room or give another folder as root",
        ) from error
    return folder


def _fetch_one(
    dataset: DataSet,
    download: Download,
    folder: Path,
    mirrors: list[str],
    timeout: tuple[float, float],
) -> None:
    """Download one file and put it, or what it holds, in place.

    A mirror that fails goes to the end of `mirrors`, so that the next file begins with one that
    worked.
    """
    try:
        import pooch
        import requests
    except ImportError as error:
        raise ImportError(
            f"fetch: downloading needs pooch: pip install 'tinynet[train]'; or put "
            f"{dataset.title}'s files into {folder}"
        ) from error

    tried = []
    for mirror in tuple(mirrors):
        url = mirror + download.name
        with _part(folder, download.name) as (path, file), _bar(download) as bar:
            get = pooch.HTTPDownloader(
                progressbar=bar,
                chunk_size=_CHUNK,
                timeout=timeout,
                # the file as it is, for a server could else say that gzip is how it is sent
                headers={"Accept-Encoding": "identity"},
            )
            try:
                get(url, _Bounded(file, download.limit), None)
                file.flush()
                _install(dataset, download, folder, path, file)
                return
            except (requests.RequestException, ValueError) as error:
                tried.append(f"{url}: {_reason(error, path, timeout)}")
        mirrors.remove(mirror)
        mirrors.append(mirror)
    wanted = ", ".join(d.name for d in dataset.downloads)
    raise DownloadError(
        f"{dataset.name}: no mirror gave {download.name}: {'; '.join(tried)}; get {wanted} "
        f"elsewhere and put them into {folder}, or try again later"
    )


def _install(
    dataset: DataSet, download: Download, folder: Path, path: Path, file: BinaryIO
) -> None:
    """Check all that came, then rename it, or if it is an archive, the files out of it."""
    read = dataset.reader()
    arrays = {}
    for wanted in download.files:
        array, digest = read(wanted, path)
        if wanted.copies.get(digest) not in dataset.titles:
            raise DataError(f"the SHA-256 of {wanted.names[0]}, unpacked, is {digest}, not its own")
        arrays[wanted.names[0]] = array
    if download.name in arrays:
        _rename(file, path, folder / download.name)
        return
    for name, array in arrays.items():
        with _part(folder, name) as (path, file):
            file.write(array.data)
            file.flush()
            _rename(file, path, folder / name)


def _rename(file: BinaryIO, path: Path, name: Path) -> None:
    if fcntl is None:
        file.close()
    os.replace(path, name)


class _Bounded:
    """A file that takes no more than `limit` bytes: a mirror may send without end."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self.file = file
        self.left = limit

    def write(self, piece: bytes) -> None:
        self.left -= len(piece)
        if self.left < 0:
            raise DataError("it sends more bytes than the file has")
        self.file.write(piece)

    def flush(self) -> None:
        """Asked for after every piece; once at the end will do."""


@contextlib.contextmanager
def _no_empty_folder(folder: Path) -> Iterator[None]:
    """Of the folder and its parents, those that were not there and are empty are removed."""
    new = [path for path in (folder, *folder.parents) if not os.path.lexists(path)]
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # the first that is not empty ends it
            for path in new:
                path.rmdir()


@contextlib.contextmanager
def _part(folder: Path, name: str) -> Iterator[tuple[Path, BinaryIO]]:
    """A new file to write to, removed at the end unless it was renamed; locked meanwhile."""
    while True:
        # here, as another process whose fetch failed may have removed it
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f".{name}.{secrets.token_hex(4)}.part"
        file = open(path, "xb")  # noqa: SIM115  # closed below
        try:
            _lock(file, wait=True)
            if path.exists():  # else it was swept away in the moment before it was locked
                yield path, file
                return
        finally:
            try:
                file.close()  # on a full disk this fails, too
            finally:
                path.unlink(missing_ok=True)


def _sweep(dataset: DataSet, folder: Path) -> None:
    """Remove what processes that were killed have left."""
    names = {d.name for d in dataset.downloads}
    names |= {file.names[0] for d in dataset.downloads for file in d.files}
    for path in (p for name in names for p in folder.glob(f".{name}.*.part")):
        # another process may be about to remove it, or still be writing to it
        with contextlib.suppress(OSError), open(path, "rb") as file:
            if fcntl is None:
                file.close()
            if _lock(file, wait=False):
                path.unlink()


def _lock(file: BinaryIO, wait: bool) -> bool:
    """Whether the file is now this process's alone, until it is closed."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # held by another; or a file system without locks
        return False
    return True


@contextlib.contextmanager
def _bar(download: Download) -> Iterator[Any]:
    """A progress bar on a terminal, else False."""
    bar: Any = False
    if sys.stderr is not None and sys.stderr.isatty():
        with contextlib.suppress(ImportError):
            from tqdm import tqdm

            # a total from the start, for without one a bar has no truth value; the real one comes
            name, most = download.name, download.limit
            bar = tqdm(desc=name, total=most, unit="B", unit_scale=True, leave=False)
    try:
        yield bar
    finally:
        if bar is not False:
            bar.close()


def _reason(error: Exception, path: Path, timeout: tuple[float, float]) -> str:
    """Why a mirror failed, in a few words where there are some."""
    import requests

    if isinstance(error, DataError):  # its advice is for files that stay
        return str(error).rpartition(f"{path}: ")[2].partition("; ")[0]

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection in {timeout[0]:g} s"
    if isinstance(error, requests.Timeout) or "Read timed out" in str(error):
        return f"no bytes for {timeout[1]:g} s"
    # what lies behind it, without the name of the object that says so
    cause = getattr(error.args[0], "reason", None) if error.args else None
    return (str(cause).partition("): ")[2] if cause else "") or str(error) or type(error).__name__
