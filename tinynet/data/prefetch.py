"""Making things ahead of their use, on threads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


def prefetch(
    make: Callable[[int], T], numbers: Iterable[int], threads: int
) -> Generator[T, None, None]:
    """``make(number)`` for each of `numbers`, in their order, made by `threads` threads.

    While one result is in use, the next `threads` are made or wait; no more than that, and one
    more while the caller waits. What `make` raises is raised here, in its turn, with the traceback
    of the thread. However the generator ends (used up, closed, dropped, by an error or Ctrl-C),
    what is not begun is left undone and the threads end with what they are making. Nothing waits
    for that, the end of the process neither: a generator may be dropped by the garbage collector,
    in any thread and under any lock.

    >>> list(prefetch(lambda k: k * k, range(4), threads=2))
    [0, 1, 4, 9]
    """
    # Queues in C and nothing else: an interrupt in a lock of `concurrent.futures`, which is
    # Python, leaves it locked, and a thread that wants it then waits for ever.
    jobs: SimpleQueue[Any] = SimpleQueue()
    wanted = [True]  # emptied when the generator ends
    ahead: deque[SimpleQueue[Any]] = deque()
    try:
        for i in range(threads):
            name = f"DataLoader_{i}"
            threading.Thread(
                target=_serve, args=(make, jobs, wanted), name=name, daemon=True
            ).start()
        for number in numbers:
            result: SimpleQueue[Any] = SimpleQueue()
            jobs.put((number, result))
            ahead.append(result)
            if len(ahead) > threads:
                yield _made(ahead.popleft())
        while ahead:
            yield _made(ahead.popleft())
    finally:
        wanted.clear()
        for _ in range(threads):
            jobs.put(None)  # to those that wait for a job


def _serve(make: Callable[[int], T], jobs: SimpleQueue[Any], wanted: list[bool]) -> None:
    """A thread's work: put what was made, or the error of making it, into the queue of each job."""
    while (job := jobs.get()) is not None and wanted:
        number, result = job
        try:
            result.put((make(number), None))
        except BaseException as error:
            result.put((None, error))


def _made(result: SimpleQueue[Any]) -> Any:
    value, error = result.get()
    if error is None:
        return value
    try:
        raise error
    finally:
        del error  # its traceback leads back here: a cycle would keep what was made
