"""Atomic writes, and a lock that reserves a folder for one run."""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import re
import stat

# Errors on systems that cannot lock or sync a folder.
_NOT_FOR_FOLDERS = {errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.ENOSYS, errno.ENOLCK}


class CheckpointError(RuntimeError):
    """A file of weights or a checkpoint cannot be read, does not fit, or could not be saved."""


_made: list[str] = []  # folders that this process made, the outermost last
_process = os.getpid()


def make_folder(path: str) -> None:
    """Create a folder; it goes at the end of the process if nothing was written into it."""
    new, path = os.path.abspath(path), os.path.abspath(path)
    made = []
    while not os.path.exists(new):
        made.append(new)
        new = os.path.dirname(new)
    os.makedirs(path, exist_ok=True)
    _made.extend(made)


@atexit.register
def _remove_unused_folders() -> None:
    if os.getpid() == _process:  # not in a forked child
        for folder in sorted(_made, key=len, reverse=True):
            with contextlib.suppress(OSError):  # it is not empty
                os.rmdir(folder)


def write_atomically(path: str, data: bytes) -> None:
    """Write `data` to `path`; the file always holds either all old bytes or all new ones.

    The bytes go to a temporary file in the same folder and are synced to the disk; then the
    temporary file is renamed to `path` and the folder is synced. Without the first sync, a crash of
    the machine could leave the new name without its bytes. An existing file keeps its permission
    bits; its owner becomes the user who saves.

    Raises:
        OSError: if the disk is full, the folder read-only, ...; `path` is unchanged.
    """
    path = os.path.realpath(path)  # keeps a link and replaces the file it points to
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.{os.urandom(4).hex()}.tmp")
    try:
        # Not tempfile, whose files only their owner can read.
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(temporary, flags, 0o666), "wb") as file:
            with contextlib.suppress(FileNotFoundError):
                mode = stat.S_IMODE(os.stat(path).st_mode)
                if mode != stat.S_IMODE(os.fstat(file.fileno()).st_mode):
                    os.chmod(temporary, mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    with contextlib.suppress(PermissionError):  # Windows opens only files
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in _NOT_FOR_FOLDERS:
                raise
        finally:
            os.close(descriptor)


def remove_temporary(folder: str, names: tuple[str, ...]) -> None:
    """Remove temporary files of a process that was killed while writing one of `names`."""
    left = re.compile(r"\.(%s)\.[0-9a-f]{8}\.tmp" % "|".join(map(re.escape, names)))  # noqa: UP031
    for name in os.listdir(folder):
        if left.fullmatch(name):
            with contextlib.suppress(OSError):  # a read-only folder
                os.unlink(os.path.join(folder, name))


def lock_folder(folder: str) -> int | None:
    """Lock the folder for this process until the returned descriptor is closed.

    The kernel locks the folder itself: no lock file is needed, and the lock ends with the process.

    Returns:
        The descriptor; None where folders cannot be locked (Windows, some network disks).

    Raises:
        CheckpointError: if another run holds the lock.
    """
    try:
        import fcntl
    except ImportError:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno in _NOT_FOR_FOLDERS:
            return None
        raise CheckpointError(
            f"Checkpoint: folder {folder!r} is in use by another run, and two would overwrite each "
            "other's checkpoints; give this run another folder, or end (close) the other run"
        ) from None
    return descriptor
