"""Suspends coverage for tests that repeat one thing many times, which tracing makes slow."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def untraced() -> Iterator[None]:
    """Coverage is not measured inside."""
    coverage = sys.modules.get("coverage")
    running = coverage and coverage.Coverage.current()
    if running:
        running.stop()
    try:
        yield
    finally:
        if running:
            running.start()
