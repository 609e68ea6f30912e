"""Both cores, where NumPy uses one: large work cut into pieces for several threads.

NumPy's loops and BLAS's products release Python's global lock while they run, so threads of
Python can run several at once. `for_each` hands out the pieces one by one: whoever is free takes
the next, the calling thread among them. Where the other cores are busy with something else the
caller does it all, and waits for no thread that does not run; only when the threads are first
started it waits for them, a second at most. (A BLAS with threads of its own cuts each product in
equal parts beforehand and waits for the slowest.)

Sums are cut by their size and never by the number of threads, and partial sums are added in the
order of the pieces: the results are the same bits for any number of threads. Within tinynet's large
products BLAS itself uses one thread; elsewhere in the process it is left as it was.
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
    """The number of threads of the OpenBLAS under NumPy, if it is one: `found` says so."""

    def __init__(self) -> None:
        self.found = False
        try:  # NumPy's core is linked with it, so its names are found through the core
            # PyDLL keeps Python's lock: with CDLL another thread may take it meanwhile
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


def _touch_work_memory(together: threading.Barrier | None = None) -> None:
    """Have BLAS write to the first part of the memory that it packs matrices into, once.

    OpenBLAS's inner loops read ahead of what they have packed. Where that memory was never written
    to, a product takes up to twice as long (17 against 31 GFLOP/s for 16x150 by 150x512), and
    small products alone never write further than they read; this one writes 0.7 MiB. Each product
    that runs at a time has memory of its own, so the threads of a team start theirs `together`.
    """
    a, b = np.ones((384, 384), "float32"), np.ones((384, 768), "float32")
    try:
        if together is not None:
            together.wait(1.0)
        a @ b
    except threading.BrokenBarrierError:  # the machine is so busy that speed is no matter
        pass


class _Team:
    """Threads that wait for work. They are daemons: a process ends without stopping them."""

    def __init__(self, helpers: int) -> None:
        self.helpers = helpers
        self.jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self.free = threading.Lock()
        together = threading.Barrier(helpers + 1)
        try:
            for i in range(helpers):
                threading.Thread(
                    target=self._serve, args=(together,), name=f"tinynet-{i + 1}", daemon=True
                ).start()
            _touch_work_memory(together)
        except BaseException:  # an interrupt, or no more threads: nobody will know of this team
            together.abort()
            self.end()
            raise

    def _serve(self, together: threading.Barrier) -> None:
        _touch_work_memory(together)
        while True:
            job = self.jobs.get()
            if job is None:
                return
            job.help()
            del job  # or it would keep the arrays of what is done

    def end(self) -> None:
        """Have the threads end; their workspaces go with them."""
        for _ in range(self.helpers):
            self.jobs.put(None)


class _Job:
    """Pieces to be done by the caller and by whoever helps, and the errors of the helpers.

    It takes no lock, since a small job is over in less time than a few of them cost. Each change
    of a list, deque or queue is one step of Python's, which no other thread interrupts (``n += 1``
    is several). A helper enters `helping` before it looks at `pieces`; the caller empties `pieces`
    before it looks at `helping`: so either the helper finds nothing or the caller sees it. And a
    helper leaves `helping` before it puts into `done`: whoever is seen in there will put.
    """

    def __init__(self, function: Callable[[Any], object], pieces: deque[Any]) -> None:
        self.function: Callable[[Any], object] | None = function
        self.pieces = pieces
        self.errors: list[BaseException] = []
        self.helping: list[None] = []  # one entry for each helper that may have a piece
        self.done: queue.SimpleQueue[None] = queue.SimpleQueue()  # one for each that has left
        self.context = contextvars.copy_context()  # carries the caller's np.errstate

    def help(self) -> None:
        """Take pieces until there are none; `function` is None if it is all over."""
        if (function := self.function) is not None:
            self.context.copy().run(self._help, function)

    def _help(self, function: Callable[[Any], object]) -> None:
        self.helping.append(None)  # first: a caller that finds no pieces waits for those in here
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
            except IndexError:  # another was quicker
                return
            function(piece)

    def run(self) -> None:
        """The caller's part: take pieces too, then wait for those that others have taken."""
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
                del errors  # its traceback leads back here: a cycle would keep the arrays

    def _wait(self) -> None:
        """Until no helper has a piece; an interrupt waits too, as nobody may write on after it."""
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
    """How many threads, and the team that they are; made when it is first wanted."""

    def __init__(self) -> None:
        self.blas = _OpenBLAS()
        self.number = max(1, self.blas.read()) if self.blas.found else 1
        self.team: _Team | None = None
        self.lock = threading.Lock()
        self.making = threading.Lock()  # of a team
        self.alone = 0  # how many threads are within `one_blas_thread`
        self.touched = False  # whether BLAS has used its memory: see `_touch_work_memory`

    def current_team(self) -> _Team:
        with self.making:
            if self.team is None or self.team.helpers != self.number - 1:
                if self.team is not None:
                    self.team.end()
                    self.team = None
                with one_blas_thread():
                    self.team = _Team(self.number - 1)
                self.touched = True
            return self.team

    def renew(self) -> None:
        """In a forked process, which has no other threads, and whose locks may be held by them."""
        self.lock, self.making = threading.Lock(), threading.Lock()
        self.team = None
        if self.alone and self.blas.found:
            self.blas.write(self.number)
        self.alone = 0

    def touch(self) -> None:
        """Before a product outside of a team."""
        self.touched = True
        if self.blas.found:
            with one_blas_thread():
                _touch_work_memory()


_threads = _Threads()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.renew)


def touch_blas_memory() -> None:
    """Before a product outside of a team; see `_touch_work_memory`."""
    if not _threads.touched:
        _threads.touch()


def get_num_threads() -> int:
    """How many threads tinynet computes with; at first as many as NumPy's BLAS does."""
    return _threads.number


def set_num_threads(number: int) -> None:
    """Compute with `number` threads, the calling one included; NumPy's OpenBLAS likewise.

    Results do not depend on it. At first it is what OpenBLAS takes, from ``OPENBLAS_NUM_THREADS``
    or the CPUs that there are; with another BLAS under NumPy it is 1.

    Raises:
        ValueError: if `number` is below 1.
        TypeError: if it is not an integer.
    """
    number = operator.index(number)
    if number < 1:
        raise ValueError(f"set_num_threads: number must be at least 1, but is {number}")
    with _threads.lock:
        _threads.number = number
        if _threads.blas.found and not _threads.alone:
            _threads.blas.write(number)


class one_blas_thread:
    """Within it OpenBLAS uses the calling thread alone.

    A class, since one made by `contextlib` takes twice as long, twenty times in a step of LeNet.
    """

    entered = False

    def __enter__(self) -> None:
        if not _threads.blas.found or _threads.number == 1:
            return
        try:  # from before the change: an interrupt may come right after it
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
    """Call ``function(piece)`` for every piece, in no certain order, several at a time.

    The pieces must not write to the same memory. It pays where the calls of NumPy in a piece take
    100 microseconds or more each; shorter ones cost more to hand out than they save. Inside another
    `for_each` the pieces are done one by one. The first error is raised when none is running.
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
    """`count` things as slices of equal length: one a thread, or one if `size` is below `least`.

    For what is the same however it is cut, such as entries. Sums are not: cut those by their size.
    """
    number = 1 if size < least else _threads.number
    step = max(1, -(-count // number))
    return [slice(start, min(start + step, count)) for start in range(0, count, step)]
