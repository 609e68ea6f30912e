"""Fetches data sets from mirrors, and verifies files before naming them.

A download is written to ``.NAME.RANDOM.part`` and renamed to NAME only once it is verified. A
.part file left behind by a killed process is removed by the next fetch.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from tinynet.data.files import DataSet, Download, Loaded, check, home_folder, load
from tinynet.data.idx import DataError

try:
    import fcntl
except ImportError:  # Windows: an open file cannot be removed, which is as good as a lock
    fcntl = None  # type: ignore[assignment]

TIMEOUT = (4.0, 10.0)  # seconds to connect, and between two pieces; the total is not limited
_CHUNK = 1 << 16


class DownloadError(OSError):
    """Raised if every mirror failed; the message lists the addresses tried and why each failed."""


def obtain(
    dataset: DataSet, train: bool, root: str | os.PathLike[str] | None, download: bool
) -> Loaded:
    """`load`; if that fails and `download` is set, `fetch` and `load` again."""
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
    """Download a data set's missing or damaged files into one folder.

    Two processes may fetch at once: each downloads, and the last one's copy stays.

    Args:
        dataset: the data set to fetch.
        root: the parent of the folder, or the folder itself if it has the data set's name; by
            default the user's cache.
        timeout: seconds to wait for a connection, and for the next bytes.

    Returns:
        The folder. If nothing could be fetched, a new folder is removed again.

    Raises:
        DownloadError: if every mirror failed for one of the files.
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
            "make room or pass another folder as root",
        ) from error
    return folder


def _fetch_one(
    dataset: DataSet,
    download: Download,
    folder: Path,
    mirrors: list[str],
    timeout: tuple[float, float],
) -> None:
    """Download one file, or an archive of files, into `folder`.

    A mirror that fails moves to the end of `mirrors`, so the next file starts with one that works.
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
                # or a server may declare the .gz file a transfer encoding, and requests unpacks it
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
        f"{dataset.name}: every mirror failed for {download.name}: {'; '.join(tried)}; get "
        f"{wanted} elsewhere and put them into {folder}, or try again later"
    )


def _install(
    dataset: DataSet, download: Download, folder: Path, path: Path, file: BinaryIO
) -> None:
    """Verify the download, then rename it, or write out the files of an archive."""
    read = dataset.reader()
    arrays = {}
    for wanted in download.files:
        array, digest = read(wanted, path)
        if wanted.copies.get(digest) not in dataset.titles:
            raise DataError(f"{wanted.names[0]}, unpacked, has the unknown SHA-256 {digest}")
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
    """A file that takes at most `limit` bytes: a mirror may never stop sending."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self.file = file
        self.left = limit

    def write(self, piece: bytes) -> None:
        self.left -= len(piece)
        if self.left < 0:
            raise DataError("the mirror sends more bytes than the file has")
        self.file.write(piece)

    def flush(self) -> None:
        """Does nothing: pooch flushes after every piece, once at the end is enough."""


@contextlib.contextmanager
def _no_empty_folder(folder: Path) -> Iterator[None]:
    """Removes the folder and its parents at the end where they are new and empty."""
    new = [path for path in (folder, *folder.parents) if not os.path.lexists(path)]
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # stops at the first that is not empty
            for path in new:
                path.rmdir()


@contextlib.contextmanager
def _part(folder: Path, name: str) -> Iterator[tuple[Path, BinaryIO]]:
    """A new locked file to write to, removed at the end unless it was renamed."""
    while True:
        # inside the loop: another process whose fetch failed may remove the folder
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f".{name}.{os.urandom(4).hex()}.part"
        file = open(path, "xb")  # noqa: SIM115  # closed below
        try:
            _lock(file, wait=True)
            if path.exists():  # else another process swept it away before it was locked
                yield path, file
                return
        finally:
            try:
                file.close()  # fails on a full disk
            finally:
                path.unlink(missing_ok=True)


def _sweep(dataset: DataSet, folder: Path) -> None:
    """Remove the .part files of killed processes."""
    names = {d.name for d in dataset.downloads}
    names |= {file.names[0] for d in dataset.downloads for file in d.files}
    for path in (p for name in names for p in folder.glob(f".{name}.*.part")):
        # another process may have removed the file, or may still write to it
        with contextlib.suppress(OSError), open(path, "rb") as file:
            if fcntl is None:
                file.close()
            if _lock(file, wait=False):
                path.unlink()


def _lock(file: BinaryIO, wait: bool) -> bool:
    """Lock the file for this process until it is closed; returns whether that worked."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # locked by another process, or a file system without locks
        return False
    return True


@contextlib.contextmanager
def _bar(download: Download) -> Iterator[Any]:
    """A progress bar on a terminal, else False."""
    bar: Any = False
    if sys.stderr is not None and sys.stderr.isatty():
        with contextlib.suppress(ImportError):
            from tqdm import tqdm

            # pooch sets the real total, but first tests the bar's truth value, which needs one
            name, most = download.name, download.limit
            bar = tqdm(desc=name, total=most, unit="B", unit_scale=True, leave=False)
    try:
        yield bar
    finally:
        if bar is not False:
            bar.close()


def _reason(error: Exception, path: Path, timeout: tuple[float, float]) -> str:
    """Why a mirror failed, in a few words."""
    import requests

    if isinstance(error, DataError):  # without the advice, which is meant for files that stay
        return str(error).rpartition(f"{path}: ")[2].partition("; ")[0]

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection in {timeout[0]:g} s"
    if isinstance(error, requests.Timeout) or "Read timed out" in str(error):
        return f"no bytes for {timeout[1]:g} s"
    # urllib3's reason, without the name of its connection object
    cause = getattr(error.args[0], "reason", None) if error.args else None
    return (str(cause).partition("): ")[2] if cause else "") or str(error) or type(error).__name__
