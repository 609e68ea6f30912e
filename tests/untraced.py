"""Suspends coverage for tests that repeat one thing many times, which tracing makes slow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def untraced() -> Iterator[None]:
    """Coverage is not measured inside."""
    try:
        from coverage import Coverage
    except ImportError:
        yield
        return
    running = Coverage.current()
    if running is None:
        yield
        return
    running.stop()
    try:
        yield
    finally:
        running.start()
