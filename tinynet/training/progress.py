"""The progress of a run: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from collections.abc import Mapping
from types import ModuleType
from typing import Any, TextIO

from tinynet import console
from tinynet.report.text import metrics_as_text, time_as_text

_REDRAW = 0.1  # seconds between two updates of the bar


class Progress:
    """Shows the current epoch, and messages, on a stream.

    On a terminal this is tqdm's bar, with messages above it; elsewhere, or without tqdm, at most
    one line every `interval` seconds, without carriage returns. If the stream cannot be written (a
    full disk, a closed pipe), the output is dropped and the run goes on.

    Args:
        total: examples in an epoch, if known.
        epochs: epochs in the run, if known.
        interval: seconds between two lines.
        stream: by default the standard output.
    """

    def __init__(
        self, total: int | None, epochs: int | None, interval: float, stream: TextIO | None
    ) -> None:
        self.total, self.epochs, self.interval = total, epochs, interval
        self.stream = sys.stdout if stream is None else stream
        self._tqdm: ModuleType | None = None
        self._bar: Any = None
        self._start, self._before = 0.0, 0  # at the epoch's start: time, examples seen
        self._next = math.inf  # time of the next update
        if _is_terminal(self.stream):
            try:
                import tqdm
            except ImportError:
                self.write("(for a progress bar: pip install 'tinynet[train]')")
            else:
                self._tqdm = tqdm

    def title(self, epoch: int) -> str:
        """The name of an epoch: "epoch 3/10", or "epoch 3"."""
        return f"epoch {epoch}" + (f"/{self.epochs}" if self.epochs else "")

    def begin(self, epoch: int, seen: int) -> None:
        """Begin an epoch (1, 2, ...), or continue it after `seen` examples."""
        self._start, self._before = time.perf_counter(), seen
        self._next = self._start + self.interval
        self._title = self.title(epoch)
        if self._tqdm is not None:
            with _stream_errors_ignored():
                self._bar = self._tqdm.tqdm(
                    total=self.total, initial=seen, desc=self._title, unit=" examples",
                    unit_scale=True, leave=False, file=self.stream, **_width(self.stream),
                )  # fmt: skip
            self._next = self._start + _REDRAW

    def due(self) -> bool:
        """Whether it is time to call `show`."""
        return time.perf_counter() >= self._next

    def show(self, seen: int, metrics: Mapping[str, float]) -> None:
        """Show the number of examples seen in the epoch and its metrics so far."""
        now = time.perf_counter()
        if self._bar is not None:
            self._next = now + _REDRAW
            with _stream_errors_ignored():
                self._bar.set_postfix_str(metrics_as_text(metrics, "=", ", "), refresh=False)
                self._bar.update(seen - self._bar.n)
            return
        self._next = now + self.interval
        rate = (seen - self._before) / max(now - self._start, 1e-9)
        parts = [self._title, str(seen)]
        if self.total:
            parts = [self._title, f"{seen / self.total:.0%}", f"{seen}/{self.total}"]
        parts += [f"{rate:.0f} examples/s", metrics_as_text(metrics)]
        if self.total and rate > 0:
            parts.append(f"{time_as_text(max(self.total - seen, 0) / rate)} left")
        self.write("  ".join(p for p in parts if p))

    def end(self) -> None:
        """Remove the bar at the end of the epoch or the run."""
        self._next = math.inf
        bar, self._bar = self._bar, None
        if bar is not None:
            with _stream_errors_ignored():
                bar.close()

    def write(self, message: str) -> None:
        """Print a line, above the bar if there is one."""
        with _stream_errors_ignored():
            if self._bar is not None and self._tqdm is not None:
                self._tqdm.tqdm.write(console.printable(message, self.stream), file=self.stream)
            else:
                console.write(message, self.stream)


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # not a file, or closed
        return False


def _width(stream: TextIO) -> dict[str, Any]:
    """tqdm's options: follow the terminal's size, or 80 by 24 if the reported width is 0.

    Terminals in containers and recordings report 0, for which tqdm shows nothing.
    """
    with contextlib.suppress(OSError, AttributeError):
        if os.get_terminal_size(stream.fileno()).columns == 0:
            return {"ncols": 80, "nrows": 24}
    return {"dynamic_ncols": True}


def _stream_errors_ignored() -> contextlib.AbstractContextManager[None]:
    return contextlib.suppress(OSError, ValueError)  # ValueError: closed
