"""Fetching: every way in which a mirror or a run can fail, with local servers."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import small_data_sets as small
from small_data_sets import Server, small_cifar, small_mnist, write
from traced import peak
from waiting import wait_for

from tinynet.data import DataError, DownloadError, cifar
from tinynet.data.download import fetch
from tinynet.data.files import load

pytest.importorskip("pooch")
TIMEOUT = (30.0, 30.0)  # much, for a busy machine
IMPATIENT = (30.0, 1.0)
NAMES = sorted(small.ZIPPED)
mnist_of = sys.modules["tinynet.data.mnist"].images_and_labels


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: Server) -> None:
    """No proxy, no local data, and an empty list of requests."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("TINYNET_DATA", raising=False)
    server.asked.clear()


def content_of(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def is_good(root: Path) -> bool:
    """All four files exist under their names, complete, and nothing else."""
    dataset = small_mnist()
    images, labels = mnist_of(dataset, root, True, False)
    assert np.array_equal(images[:, 0], small.PIXELS / np.float32(255))
    assert labels.tolist() == small.LABELS.tolist()
    load(dataset, False, root)
    return content_of(root / "mnist") == NAMES


# --- mirrors that fail ------------------------------------------------------------------------

REASONS = {
    "403": r"HTTP 403 Forbidden",
    "page": r"must hold|bytes must be 00 00, but are 3c 68",
    "hang": r"no bytes for 1 s",
    "reset": r"[Rr]eset|broken",
    "short": r"IncompleteRead",
    "nolength": r"not a complete gzip stream",
    "cut": r"not a complete gzip stream",
    "wrong": r"train-labels-idx1-ubyte\.gz, unpacked, has the unknown SHA-256 [0-9a-f]{64}",
    "bomb": r"its header claims 5 bytes of data \(5 uint8\), but it has 6 or more",
    "endless": r"the mirror sends more bytes than the file has",
}


@pytest.mark.parametrize("kind", REASONS)
def test_the_next_mirror_is_taken(server: Server, tmp_path: Path, kind: str) -> None:
    start = time.perf_counter()
    dataset = small_mnist(*map(server.mirror, (kind, "good", "good")))
    fetch(dataset, tmp_path, IMPATIENT if kind == "hang" else TIMEOUT)
    assert time.perf_counter() - start < 25  # in truth a tenth; hanging, one second
    assert is_good(tmp_path)
    # It failed once and was not asked again while the other one worked.
    assert [path for path in server.asked if path.startswith(kind)] == [f"{kind}/{NAMES[3]}"]


def test_nobody_there(server: Server, tmp_path: Path) -> None:
    mirrors = ("http://127.0.0.1:1/", "http://no-such-host.invalid/", server.mirror("good"))
    fetch(small_mnist(*mirrors), tmp_path, TIMEOUT)
    assert is_good(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="what a full queue does differs")
def test_no_answer_to_a_connection(server: Server, tmp_path: Path) -> None:
    """A socket whose queue is full never answers, like a firewall that drops packets."""
    with contextlib.ExitStack() as stack:
        deaf = stack.enter_context(socket.socket())
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(deaf.getsockname())
        mirror = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        with pytest.raises(DownloadError, match=r": no connection in 0\.5 s; get "):
            fetch(small_mnist(mirror), tmp_path, (0.5, 10.0))
        fetch(small_mnist(mirror, *map(server.mirror, ("good", "good"))), tmp_path, (0.5, 10.0))
    assert is_good(tmp_path)


def test_one_error_that_says_it_all(server: Server, tmp_path: Path) -> None:
    mirrors = [*map(server.mirror, REASONS), "http://127.0.0.1:1/"]
    with pytest.raises(DownloadError) as caught:
        fetch(small_mnist(*mirrors), tmp_path, IMPATIENT)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    where = 0
    for mirror, reason in zip(mirrors, [*REASONS.values(), "refused"], strict=True):
        where = message.index(f"{mirror}{NAMES[3]}: ", where)
        assert re.search(reason, message[where:].partition("; ")[0]), (mirror, message[where:])
    assert all(name in message[where:] for name in NAMES)
    assert f"put them into {tmp_path / 'mnist'}" in message[where:]
    assert content_of(tmp_path) == []  # no folder either
    assert ".part" not in message


def test_slow_is_not_failed(server: Server, tmp_path: Path) -> None:
    """Sixteen pieces, 0.1 s apart: the timeout applies to each piece, not to all."""
    dataset = small_mnist(server.mirror("slow"))
    start = time.perf_counter()
    fetch(dataclasses.replace(dataset, downloads=dataset.downloads[:1]), tmp_path, IMPATIENT)
    assert time.perf_counter() - start > 1.5
    assert content_of(tmp_path / "mnist") == [NAMES[3]]


@pytest.mark.parametrize("kind", ["endless", "bomb"])
def test_what_never_ends_takes_no_memory(server: Server, tmp_path: Path, kind: str) -> None:
    def fail(kind: str) -> None:
        with pytest.raises(DownloadError):
            fetch(small_mnist(server.mirror(kind)), tmp_path, TIMEOUT)

    fail("403")  # so that what the imports take is not counted
    assert peak(lambda: fail(kind)) < 4 << 20


# --- what is there already --------------------------------------------------------------------


def test_only_what_is_missing_or_damaged(server: Server, tmp_path: Path) -> None:
    folder = write(tmp_path / "mnist", small.ZIPPED)
    damaged = bytearray(small.ZIPPED[NAMES[0]])
    damaged[len(damaged) // 2] ^= 1
    (folder / NAMES[0]).write_bytes(damaged)
    (folder / NAMES[1]).unlink()
    (folder / NAMES[1][:-3]).write_bytes(b"truncated")
    kept = [(folder / name).stat().st_ino for name in NAMES[2:]]
    with pytest.raises(DataError):
        load(small_mnist(), False, tmp_path)
    fetch(small_mnist(server.mirror("good")), tmp_path, TIMEOUT)
    assert sorted(server.asked) == [f"good/{name}" for name in NAMES[:2]]
    assert [(folder / name).stat().st_ino for name in NAMES[2:]] == kept
    assert load(small_mnist(), False, tmp_path).title == "Small"
    fetch(small_mnist(server.mirror("403")), tmp_path, TIMEOUT)  # all there: nothing is asked
    assert len(server.asked) == 2


def test_download_when_needed(server: Server, tmp_path: Path) -> None:
    dataset = small_mnist(server.mirror("good"))
    with pytest.raises(FileNotFoundError, match="download=True"):
        mnist_of(dataset, tmp_path, True, False)
    assert not server.asked
    images, labels = mnist_of(dataset, tmp_path, True, True)
    assert images.flags.writeable
    assert labels.dtype == np.int64
    assert len(server.asked) == 4
    assert is_good(tmp_path)
    mnist_of(dataset, tmp_path, False, True)
    mnist_of(dataset, tmp_path / "mnist", False, True)  # the folder itself
    assert len(server.asked) == 4
    mnist_of(dataset, None, False, True)  # into the cache
    assert content_of(tmp_path / "cache" / "tinynet" / "mnist") == NAMES


def test_another_data_set_s_files_are_not_overwritten(server: Server, tmp_path: Path) -> None:
    write(tmp_path, small.OTHER)
    images, _ = mnist_of(small_mnist(server.mirror("good")), tmp_path, True, True)
    assert np.array_equal(images[:, 0], small.PIXELS / np.float32(255))
    assert is_good(tmp_path)
    assert all((tmp_path / name).read_bytes() == small.OTHER[name] for name in small.OTHER)


# --- CIFAR-10's archive -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["403", "short", "page", "cut", "endless"])
def test_cifar(server: Server, tmp_path: Path, kind: str) -> None:
    dataset = small_cifar(server.mirror(kind), server.mirror("good"))
    images, _ = cifar.images_and_labels(dataset, tmp_path, True, True)
    assert images.shape == (20, 3, 32, 32)
    folder = tmp_path / "cifar-10-batches-bin"
    assert {name: (folder / name).read_bytes() for name in content_of(folder)} == small.BATCHES
    assert load(dataset, False, tmp_path).title == "CIFAR-10"


def test_cifar_from_an_archive_that_is_not_the_official_one(server: Server, tmp_path: Path) -> None:
    dataset = small_cifar(server.mirror("good"), archive=b"another")
    with pytest.raises(
        DownloadError, match=r"the archive's SHA-256 must be [0-9a-f]+, or [0-9a-f]+ .*, but is"
    ):
        fetch(dataset, tmp_path, TIMEOUT)
    assert content_of(tmp_path) == []


def test_of_folders_only_new_and_empty_ones_are_removed(server: Server, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with pytest.raises(DownloadError):
        fetch(small_mnist(server.mirror("403")), tmp_path / "old" / "new" / "newer", TIMEOUT)
    assert content_of(tmp_path / "old") == []
    (tmp_path / "old" / "mnist").mkdir()
    with pytest.raises(DownloadError):
        fetch(small_mnist(server.mirror("403")), tmp_path / "old", TIMEOUT)
    assert content_of(tmp_path / "old") == ["mnist"]
    small.CONTENT.pop(NAMES[0], None)
    try:
        with pytest.raises(DownloadError):
            fetch(small_mnist(server.mirror("good")), tmp_path / "part", TIMEOUT)
    finally:
        small.CONTENT.update(small.ZIPPED)
    assert NAMES[0] not in content_of(tmp_path / "part" / "mnist")  # and those that came stay
    assert NAMES[3] in content_of(tmp_path / "part" / "mnist")


# --- runs that end in the middle, and two at once ---------------------------------------------

SCRIPT = """
import pathlib, sys
sys.path.insert(0, sys.argv[1])
import small_data_sets as small
from tinynet.data.download import fetch
fetch(small.small_mnist(sys.argv[2]), pathlib.Path(sys.argv[3]), (60.0, 60.0))
"""


@contextlib.contextmanager
def fetching(mirror: str, root: Path, before: str = "") -> Iterator[subprocess.Popen[str]]:
    """A process that fetches the small data set; killed at the end if it still runs."""
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", before + SCRIPT, here, mirror, str(root)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=Path(here).parent) as run:
        try:
            yield run
        finally:
            run.kill()


def wait_for_request(server: Server, run: subprocess.Popen[str], number: int = 1) -> None:
    assert wait_for(lambda: len(server.asked) == number or run.poll() is not None)
    assert run.poll() is None, run.communicate()


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_and_kill(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "mnist"
    with fetching(server.mirror("hang"), tmp_path) as run:
        wait_for_request(server, run)
        run.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in run.communicate()[1]
    assert content_of(tmp_path) == []

    left = []
    for number in (2, 3):  # the second removes what the first left, and is killed in its turn
        with fetching(server.mirror("hang"), tmp_path) as run:
            wait_for_request(server, run, number)
        left += content_of(folder)
        assert len(left) == number - 1
        assert re.fullmatch(rf"\.{NAMES[3]}\.[0-9a-f]{{8}}\.part", left[-1])  # not its final name
    assert left[0] != left[1]
    with pytest.raises(FileNotFoundError):
        load(small_mnist(), True, tmp_path)
    fetch(small_mnist(server.mirror("good")), tmp_path, TIMEOUT)
    assert is_good(tmp_path)


def test_two_at_once(server: Server, tmp_path: Path) -> None:
    mirror = server.mirror("slow")
    with fetching(mirror, tmp_path) as one, fetching(mirror, tmp_path) as two:
        for run in (one, two):
            _, complaint = run.communicate(timeout=60)
            assert run.returncode == 0, complaint
    assert is_good(tmp_path)
    assert server.asked.count(f"slow/{NAMES[3]}") == 2  # they did run at once


def test_one_that_is_running_is_left_alone(server: Server, tmp_path: Path) -> None:
    with fetching(server.mirror("hang"), tmp_path) as run:
        wait_for_request(server, run)
        (part,) = content_of(tmp_path / "mnist")
        fetch(small_mnist(server.mirror("good")), tmp_path, TIMEOUT)
        assert part in content_of(tmp_path / "mnist")


# --- a folder that cannot be used, and what is not installed ----------------------------------


def test_full_disk(server: Server, tmp_path: Path) -> None:
    """A file size limit of 20 bytes simulates a disk with that much space."""
    pytest.importorskip("resource")
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))\n"
    with fetching(server.mirror("good"), tmp_path, before=limit) as run:
        _, complaint = run.communicate(timeout=60)
    assert run.returncode == 1
    assert f"fetch: small: cannot use {tmp_path / 'mnist'}: File too large; make room" in complaint
    assert content_of(tmp_path) == []  # no folder either
    assert len(server.asked) == 1  # no other mirror could help


def test_a_file_in_the_folder_s_place(server: Server, tmp_path: Path) -> None:
    (tmp_path / "mnist").write_bytes(b"")
    with pytest.raises(OSError, match=r"cannot use .*mnist: .*another folder as root"):
        fetch(small_mnist(server.mirror("good")), tmp_path, TIMEOUT)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_read_only_folder(server: Server, tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(PermissionError, match="cannot use"):
            fetch(small_mnist(server.mirror("good")), tmp_path, TIMEOUT)
    finally:
        tmp_path.chmod(0o755)


def test_without_pooch(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match=r"pip install 'tinynet\[train\]'"):
        fetch(small_mnist(server.mirror("good")), tmp_path, TIMEOUT)
    write(tmp_path / "mnist", small.ZIPPED)
    fetch(small_mnist(), tmp_path, TIMEOUT)  # nothing to do, nothing needed


def test_a_bar_on_a_terminal_alone(
    server: Server,
    tmp_path: Path,
    terminal: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("tqdm")
    fetch(small_mnist(server.mirror("good")), tmp_path / "a", TIMEOUT)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys, "stderr", terminal)
    fetch(small_mnist(server.mirror("403"), server.mirror("good")), tmp_path / "b", TIMEOUT)
    assert all(name in terminal.getvalue() for name in NAMES)


def test_files_can_be_read_by_others(server: Server, tmp_path: Path) -> None:
    fetch(small_mnist(server.mirror("good")), tmp_path, TIMEOUT)
    plain = tmp_path / "plain"
    plain.touch()
    assert (tmp_path / "mnist" / NAMES[0]).stat().st_mode == plain.stat().st_mode
