"""Memory traced by Python, including NumPy's arrays."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable


def peak(f: Callable[[], object]) -> int:
    """The most bytes that Python and NumPy held at once during f()."""
    tracemalloc.start()
    try:
        f()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
