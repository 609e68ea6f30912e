"""Defers Ctrl-C and SIGTERM to the end of a step."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import Any


class Interrupted(KeyboardInterrupt):
    """Ctrl-C (SIGINT) or SIGTERM stopped a run; the message says how to resume it."""


class Interrupts:
    """Records SIGINT and SIGTERM between `install` and `restore`; a second one stops at once.

    Only Python's default handlers are replaced: a signal that is ignored (as after nohup) stays
    ignored. Outside the main thread, where Python handles no signals, nothing happens.
    """

    def __init__(self) -> None:
        self.received: str | None = None  # the name of the signal
        self._before: dict[int, Any] = {}

    def install(self) -> None:
        self.received = None
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            before = signal.getsignal(number)
            if before in (signal.default_int_handler, signal.SIG_DFL):
                self._before[number] = before
                signal.signal(number, self._receive)

    def restore(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number, before in self._before.items():
            if signal.getsignal(number) == self._receive:
                signal.signal(number, before)
        self._before.clear()

    def _receive(self, number: int, frame: Any) -> None:
        if self.received is not None:
            self.restore()
            raise KeyboardInterrupt
        self.received = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        text = f"\n{self.received}: stops after this step; a second signal stops at once\n"
        # Not print, which the signal may have interrupted: Python's streams are not reentrant.
        with contextlib.suppress(OSError):
            os.write(2, text.encode())
