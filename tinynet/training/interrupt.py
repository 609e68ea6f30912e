"""Ctrl-C that waits for the end of a step."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import Any


class Interrupted(KeyboardInterrupt):
    """A run was stopped by Ctrl-C (SIGINT) or SIGTERM; the message says how to go on."""


class Interrupts:
    """Notes SIGINT and SIGTERM between `install` and `restore`; a second one stops at once.

    Only Python's own answer is replaced: a signal that is ignored (as after nohup) stays ignored.
    Outside the main thread, where Python lets nobody handle signals, nothing happens.

    Attributes:
        received: the name of the signal, or None.
    """

    def __init__(self) -> None:
        self.received: str | None = None
        self._before: dict[int, Any] = {}

    def install(self) -> None:
        self.received = None
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            before = signal.getsignal(number)
            if before in (signal.default_int_handler, signal.SIG_DFL):
                self._before[number] = before
                signal.signal(number, self._note)

    def restore(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number, before in self._before.items():
            if signal.getsignal(number) == self._note:
                signal.signal(number, before)
        self._before.clear()

    def _note(self, number: int, frame: Any) -> None:
        if self.received is not None:
            self.restore()
            raise KeyboardInterrupt
        self.received = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        # not print: the signal may have come in the middle of one, which Python does not allow
        with contextlib.suppress(OSError):
            os.write(2, f"\n{self.received}: stops after this step; again: at once\n".encode())
