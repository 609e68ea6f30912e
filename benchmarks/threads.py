"""How many threads each side may use: settled before NumPy is imported, the same for all."""

from __future__ import annotations

import os
import sys

# the libraries read these once, when they are loaded
VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def available() -> int:
    """How many CPUs this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def limit(threads: int) -> None:
    """Have this process and those that it starts use that many threads and CPUs.

    The process is also confined to so many CPUs where the system can do that: then whatever a
    side starts besides BLAS, it has no more cores than the other.

    Raises:
        ValueError: if there are not that many CPUs.
        RuntimeError: if NumPy was imported before, and so has chosen already.
    """
    known = available()
    if not 1 <= threads <= known:
        raise ValueError(f"{threads} threads are not known here; known are 1 to {known}")
    chosen = dict.fromkeys(VARIABLES, str(threads))
    if "numpy" in sys.modules and any(os.environ.get(k) != v for k, v in chosen.items()):
        raise RuntimeError("NumPy was imported before the number of threads was set")
    os.environ.update(chosen)
    if threads < known and hasattr(os, "sched_setaffinity"):
        # the last ones: systems tend to do their own work on the first
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
