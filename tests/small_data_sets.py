"""Data sets of a few images, and a local server that serves them or fails."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.server
import io
import socket
import struct
import tarfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tinynet.data.cifar import cifar_set
from tinynet.data.files import DataSet
from tinynet.data.mnist import idx_set

rng = np.random.default_rng(0)


def idx_bytes(a: np.ndarray) -> bytes:
    return bytes([0, 0, 8, a.ndim]) + struct.pack(f">{a.ndim}I", *a.shape) + a.tobytes()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# --- MNIST's files, small: and another data set's under the same names ------------------------

PIXELS = rng.integers(0, 256, (5, 3, 4), dtype="uint8")
LABELS = np.array([3, 0, 9, 1, 1], "uint8")
FILES = {
    "train-images-idx3-ubyte": idx_bytes(PIXELS),
    "train-labels-idx1-ubyte": idx_bytes(LABELS),
    "t10k-images-idx3-ubyte": idx_bytes(PIXELS[::-1].copy()),
    "t10k-labels-idx1-ubyte": idx_bytes(LABELS[::-1].copy()),
}
ZIPPED = {f"{name}.gz": gzip.compress(content) for name, content in FILES.items()}
OTHER = {name: content[:-1] + b"\0" for name, content in FILES.items()}
OTHER["train-labels-idx1-ubyte"] = idx_bytes(LABELS // 2)


def small_mnist(*mirrors: str, title: str = "Small") -> DataSet:
    digests = {
        name.partition("-idx")[0]: (sha256(FILES[name]), sha256(OTHER[name])) for name in FILES
    }
    return idx_set("small", "mnist", title, mirrors, (3, 4), (5, 5), ("Small", "Other"), digests)


def write(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def overwrite(file: BinaryIO, content: bytes) -> None:
    """Set the content of an open file; on many disks ten times as fast as writing a new file."""
    file.seek(0)
    file.write(content)
    file.truncate()
    file.flush()


# --- CIFAR-10's layout, small: the official copy and the other --------------------------------

BATCHES = {
    name: b"".join(bytes([k]) + rng.bytes(3072) for k in rng.integers(0, 10, 4))
    for name in [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]
}
JPEG_BATCHES = {name: content[:-1] + b"\7" for name, content in BATCHES.items()}
ARCHIVE = "cifar-10-binary.tar.gz"


def archive_of(batches: dict[str, bytes]) -> bytes:
    """Like the official one: a folder, the batches in no particular order, and other files."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        folder = tarfile.TarInfo("cifar-10-batches-bin")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in [("readme.html", b"<html>"), *reversed(batches.items())]:
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


ARCHIVED = archive_of(BATCHES)


def small_cifar(*mirrors: str, archive: bytes = ARCHIVED) -> DataSet:
    digests = {name: (sha256(BATCHES[name]), sha256(JPEG_BATCHES[name])) for name in BATCHES}
    return cifar_set(mirrors, 4, digests, sha256(archive), limit=200_000)


# --- a server with a folder for each way to fail ----------------------------------------------

CONTENT = {**ZIPPED, ARCHIVE: ARCHIVED}
BOMB = gzip.compress(FILES["train-labels-idx1-ubyte"] + bytes(900_000), 9)  # 1 KB
PAUSE = 0.1  # between the pieces of a slow answer


@dataclass
class Server:
    address: str
    asked: list[str] = field(default_factory=list)  # "403/train-labels-idx1-ubyte.gz", ...
    release: threading.Event = field(default_factory=threading.Event)  # of those that hang

    def mirror(self, kind: str) -> str:
        return f"{self.address}/{kind}/"


class _Handler(http.server.BaseHTTPRequestHandler):
    """GET /KIND/NAME: send the file NAME in the way that KIND names."""

    server: _HTTPServer

    def do_GET(self) -> None:
        state = self.server.state
        state.asked.append(self.path[1:])
        kind, _, name = self.path[1:].partition("/")
        content = CONTENT[name]
        if kind == "403":
            self.send_error(403)
            return
        if kind == "page":  # a login page, with status 200
            content = b"<html>Please log in</html>"
        elif kind == "wrong":  # right size and form, one bit flipped
            plain = bytearray(gzip.decompress(content))
            plain[-1] ^= 1
            content = gzip.compress(plain)
        elif kind == "cut":  # a whole answer with half of the file
            content = content[: len(content) // 2]
        elif kind == "bomb":
            content = BOMB
        self.send_response(200)
        if kind not in ("endless", "nolength"):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        getattr(self, f"send_{kind}", self.wfile.write)(content)

    def send_hang(self, content: bytes) -> None:
        self.wfile.write(content[:10])
        self.server.state.release.wait(60)

    def send_reset(self, content: bytes) -> None:
        self.wfile.write(content[: len(content) // 2])
        linger = struct.pack("ii", 1, 0)  # close by a reset
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.rfile.close()
        self.wfile.close()
        self.connection.close()

    def send_short(self, content: bytes) -> None:
        """Fewer bytes than Content-Length."""
        self.wfile.write(content[:-5])

    def send_nolength(self, content: bytes) -> None:
        """No Content-Length, and the connection ends too early."""
        self.wfile.write(content[:-5])

    def send_endless(self, content: bytes) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.wfile.write(bytes(1 << 16))

    def send_slow(self, content: bytes) -> None:
        """The first requested file in sixteen pieces, the others at once."""
        if "train-labels" not in self.path:
            self.wfile.write(content)
            return
        step = max(1, len(content) // 16)
        for i in range(0, len(content), step):
            with contextlib.suppress(OSError):
                self.wfile.write(content[i : i + step])
            time.sleep(PAUSE)

    def log_message(self, *_: object) -> None:
        pass


class _HTTPServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    state: Server

    def handle_error(self, *_: object) -> None:
        """Ignore clients that disconnect, which several tests do."""


@contextlib.contextmanager
def serve() -> Iterator[Server]:
    with _HTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.state = Server(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server.state
        finally:
            server.state.release.set()
            server.shutdown()
            thread.join()
