"""Prefetching on threads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from queue import SimpleQueue
from typing import Any, TypeVar

J = TypeVar("J")
T = TypeVar("T")


def prefetch(make: Callable[[J], T], jobs: Iterable[J], threads: int) -> Generator[T, None, None]:
    """Yield ``make(job)`` for each of `jobs` in order, computed by `threads` threads.

    At most `threads` results are computed ahead of the one in use, and one more while the caller
    waits. An exception in `make` is raised here, in its turn, with the thread's traceback. However
    the generator ends (exhausted, closed, dropped, by an error or Ctrl-C), jobs not yet started are
    cancelled and each thread ends after its current one. Nothing waits for the threads, not even
    the end of the process: the garbage collector may drop a generator in any thread and under any
    lock.

    >>> list(prefetch(lambda k: k * k, range(4), threads=2))
    [0, 1, 4, 9]
    """
    # SimpleQueue is in C. `concurrent.futures` is in Python: an interrupt may leave one of its
    # locks locked, and a thread then waits for it forever.
    waiting: SimpleQueue[Any] = SimpleQueue()
    active = [True]  # emptied when the generator ends
    ahead: deque[SimpleQueue[Any]] = deque()
    try:
        for i in range(threads):
            name = f"DataLoader_{i}"
            threading.Thread(
                target=_work, args=(make, waiting, active), name=name, daemon=True
            ).start()
        for job in jobs:
            result: SimpleQueue[Any] = SimpleQueue()
            waiting.put((job, result))
            ahead.append(result)
            if len(ahead) > threads:
                yield _result(ahead.popleft())
        while ahead:
            yield _result(ahead.popleft())
    finally:
        active.clear()
        for _ in range(threads):
            waiting.put(None)  # wakes the threads that wait for a job


def _work(make: Callable[[J], T], waiting: SimpleQueue[Any], active: list[bool]) -> None:
    """A thread's loop: puts (result, None) or (None, exception) into the queue of each job."""
    while (next_one := waiting.get()) is not None and active:
        job, result = next_one
        try:
            result.put((make(job), None))
        except BaseException as error:
            result.put((None, error))


def _result(result: SimpleQueue[Any]) -> Any:
    value, error = result.get()
    if error is None:
        return value
    try:
        raise error
    finally:
        del error  # its traceback refers to this frame: a cycle would keep the results alive
