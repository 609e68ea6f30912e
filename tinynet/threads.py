"""Multithreading: cut large work, which NumPy does on one core, into pieces for several threads.

NumPy's loops and BLAS's products release Python's global lock while they run, so several Python
threads can run them at once. `for_each` hands out the pieces one by one: each free thread takes
the next, including the calling thread. If the other cores are busy, the caller does everything
itself and waits for no idle thread; only when the threads are first started does it wait for them,
at most a second. (A multi-threaded BLAS instead cuts each product into equal parts in advance and
waits for the slowest.)

Sums are cut by their size, never by the number of threads, and partial sums are added in the
order of the pieces, so the results are bit-identical for any number of threads. Within tinynet's
large products BLAS itself uses one thread; elsewhere in the process its setting is unchanged.
"""

from __future__ import annotations

import contextvars
import ctypes
import operator
import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np


class _OpenBLAS:
    """Access to OpenBLAS's number of threads; `found` is False if NumPy uses another BLAS."""

    def __init__(self) -> None:
        self.found = False
        try:  # NumPy's core is linked with OpenBLAS, so its symbols are found through the core
            # PyDLL holds Python's lock during a call; with CDLL another thread could take it
            core = ctypes.PyDLL(np._core._multiarray_umath.__file__)  # type: ignore[attr-defined]
        except (AttributeError, OSError):
            return
        for name in ("scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads"):
            if hasattr(core, name.format("set")):
                self.read, self.write = (
                    getattr(core, name.format(verb)) for verb in ("get", "set")
                )
                self.read.restype, self.write.restype = ctypes.c_int, None
                self.read.argtypes, self.write.argtypes = [], [ctypes.c_int]
                self.found = True
                return


def _touch_packing_buffer(barrier: threading.Barrier | None = None) -> None:
    """Run a product that makes BLAS write to the start of its packing buffer.

    OpenBLAS's inner loops read ahead of what they have packed. If that memory was never written
    to, a product takes up to twice as long (17 instead of 31 GFLOP/s for 16x150 by 150x512), and
    small products never write further than they read; this one writes 0.7 MiB. Concurrent products
    have separate buffers, so the threads of a team start theirs at a `barrier`.
    """
    a, b = np.ones((384, 384), "float32"), np.ones((384, 768), "float32")
    try:
        if barrier is not None:
            barrier.wait(1.0)
        a @ b
    except threading.BrokenBarrierError:  # the machine is too busy for speed to matter
        pass


class _Team:
    """Daemon threads that wait for work; a process can exit without stopping them."""

    def __init__(self, helpers: int) -> None:
        self.helpers = helpers
        self.jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self.free = threading.Lock()
        barrier = threading.Barrier(helpers + 1)
        try:
            for i in range(helpers):
                threading.Thread(
                    target=self._serve, args=(barrier,), name=f"tinynet-{i + 1}", daemon=True
                ).start()
            _touch_packing_buffer(barrier)
        except BaseException:  # an interrupt, or the thread limit: the caller never gets this team
            barrier.abort()
            self.end()
            raise

    def _serve(self, barrier: threading.Barrier) -> None:
        _touch_packing_buffer(barrier)
        while True:
            job = self.jobs.get()
            if job is None:
                return
            job.help()
            del job  # otherwise it keeps the arrays of finished work alive

    def end(self) -> None:
        """Tell the threads to exit, which frees their workspaces."""
        for _ in range(self.helpers):
            self.jobs.put(None)


class _Job:
    """Pieces for the caller and its helpers to process, and the errors of the helpers.

    It takes no lock, since a few locks would cost more than a small job. Each change of a list,
    deque or queue is atomic in Python (``n += 1`` is not). A helper enters `helping` before it
    looks at `pieces`, and the caller empties `pieces` before it looks at `helping`: either the
    helper finds nothing or the caller sees it. A helper leaves `helping` before it puts into
    `done`, so every helper that the caller sees there will put.
    """

    def __init__(self, function: Callable[[Any], object], pieces: deque[Any]) -> None:
        self.function: Callable[[Any], object] | None = function
        self.pieces = pieces
        self.errors: list[BaseException] = []
        self.helping: list[None] = []  # one entry per helper that may have a piece
        self.done: queue.SimpleQueue[None] = queue.SimpleQueue()  # one entry per helper that left
        self.context = contextvars.copy_context()  # carries the caller's np.errstate

    def help(self) -> None:
        """Process pieces until none is left; `function` is None once the job is finished."""
        if (function := self.function) is not None:
            self.context.copy().run(self._help, function)

    def _help(self, function: Callable[[Any], object]) -> None:
        self.helping.append(None)  # first, so that a caller that finds no pieces waits
        try:
            self._take(function)
        except BaseException as error:
            self.errors.append(error)
            self.pieces.clear()
        self.helping.pop()
        self.done.put(None)

    def _take(self, function: Callable[[Any], object]) -> None:
        while self.pieces:
            try:
                piece = self.pieces.popleft()
            except IndexError:  # another thread was faster
                return
            function(piece)

    def run(self) -> None:
        """Process pieces in the calling thread, then wait for the helpers."""
        assert self.function is not None
        try:
            self._take(self.function)
        finally:
            self.function = None
            self.pieces.clear()
            self._wait()
        errors, self.errors = self.errors, []
        if errors:
            try:
                raise errors[0]
            finally:
                del errors  # its traceback refers to this frame: the cycle would keep the arrays

    def _wait(self) -> None:
        """Wait until no helper has a piece; an interrupt is raised only after its last write."""
        interrupt: KeyboardInterrupt | None = None
        while self.helping:
            try:
                self.done.get()
            except KeyboardInterrupt as error:
                interrupt = error
        if interrupt is not None:
            try:
                raise interrupt
            finally:
                del interrupt  # as in `run`


class _Threads:
    """The number of threads, and their team, created on first use."""

    def __init__(self) -> None:
        self.blas = _OpenBLAS()
        self.number = max(1, self.blas.read()) if self.blas.found else 1
        self.team: _Team | None = None
        self.lock = threading.Lock()
        self.team_lock = threading.Lock()
        self.alone = 0  # the number of threads within `one_blas_thread`
        self.touched = False  # whether `_touch_packing_buffer` has run

    def current_team(self) -> _Team:
        with self.team_lock:
            if self.team is None or self.team.helpers != self.number - 1:
                if self.team is not None:
                    self.team.end()
                    self.team = None
                with one_blas_thread():
                    self.team = _Team(self.number - 1)
                self.touched = True
            return self.team

    def reset_after_fork(self) -> None:
        """A forked process has no other threads, but they may have held its locks."""
        self.lock, self.team_lock = threading.Lock(), threading.Lock()
        self.team = None
        if self.alone and self.blas.found:
            self.blas.write(self.number)
        self.alone = 0


_threads = _Threads()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.reset_after_fork)


def touch_blas_memory() -> None:
    """Call before a product outside a team; see `_touch_packing_buffer`."""
    if not _threads.touched:
        _threads.touched = True
        if _threads.blas.found:
            with one_blas_thread():
                _touch_packing_buffer()


def get_num_threads() -> int:
    """The number of threads that tinynet computes with, initially that of NumPy's BLAS."""
    return _threads.number


def set_num_threads(number: int) -> None:
    """Set the number of threads for tinynet and for NumPy's OpenBLAS.

    Results do not depend on it. The initial value is OpenBLAS's, from ``OPENBLAS_NUM_THREADS`` or
    the number of CPUs; with another BLAS under NumPy it is 1.

    Args:
        number: at least 1; the calling thread counts.

    Raises:
        ValueError: if `number` is below 1.
        TypeError: if it is not an integer.
    """
    number = operator.index(number)
    if number < 1:
        raise ValueError(f"set_num_threads: number is {number}; it must be at least 1")
    with _threads.lock:
        _threads.number = number
        if _threads.blas.found and not _threads.alone:
            _threads.blas.write(number)


class one_blas_thread:
    """Context manager that restricts OpenBLAS to the calling thread.

    It is entered twenty times per LeNet step; one made by `contextlib` takes twice as long.
    """

    entered = False

    def __enter__(self) -> None:
        if not _threads.blas.found or _threads.number == 1:
            return
        try:  # before the change, since an interrupt may come right after it
            with _threads.lock:
                self.entered, _threads.alone = True, _threads.alone + 1
                if _threads.alone == 1:
                    _threads.blas.write(1)
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *exc: object) -> None:
        if self.entered:
            with _threads.lock:
                self.entered, _threads.alone = False, _threads.alone - 1
                if not _threads.alone:
                    _threads.blas.write(_threads.number)


def for_each(function: Callable[[Any], object], pieces: Iterable[Any]) -> None:
    """Call ``function(piece)`` for every piece, in any order, several at a time.

    Pieces must not write to the same memory. Threads pay off if each NumPy call in a piece takes
    100 microseconds or more; shorter pieces cost more to hand out than they save. Inside another
    `for_each` the pieces run one by one. The first error is raised once no piece is running.
    """
    waiting = deque(pieces)
    if len(waiting) > 1 and _threads.number > 1:
        team = _threads.current_team()
        if team.free.acquire(blocking=False):
            try:
                with one_blas_thread():
                    job = _Job(function, waiting)
                    for _ in range(min(team.helpers, len(waiting) - 1)):
                        team.jobs.put(job)
                    job.run()
            finally:
                team.free.release()
            return
    for piece in waiting:
        function(piece)


def parts(count: int, size: int, least: int) -> list[slice]:
    """Cut `count` items into equal slices, one per thread, or one if `size` is below `least`.

    Use it for results that do not depend on the cut. Sums do: cut them by their size.
    """
    number = 1 if size < least else _threads.number
    step = max(1, -(-count // number))
    return [slice(start, min(start + step, count)) for start in range(0, count, step)]
