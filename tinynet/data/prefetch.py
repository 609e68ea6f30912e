"""Making things ahead of their use, on threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")


def prefetch(
    make: Callable[[int], T], numbers: Iterable[int], threads: int
) -> Generator[T, None, None]:
    """``make(number)`` for each of `numbers`, in their order, made by `threads` threads.

    While one result is in use, the next `threads` are made or wait; no more than that, and one
    more while the caller waits. What `make` raises is raised here, in its turn, with the traceback
    of the thread. However the generator ends (used up, closed, dropped, by an error or Ctrl-C),
    what is not begun is cancelled and the threads end with what they are making. Nothing waits for
    that: a generator may be dropped by the garbage collector, in any thread and under any lock.

    >>> list(prefetch(lambda k: k * k, range(4), threads=2))
    [0, 1, 4, 9]
    """
    # Imported when first wanted: it takes some milliseconds, and most loops do without.
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(threads, thread_name_prefix="DataLoader")
    ahead: deque[Future[T]] = deque()
    try:
        for number in numbers:
            ahead.append(pool.submit(make, number))
            if len(ahead) > threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
