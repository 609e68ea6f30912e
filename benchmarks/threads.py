"""The number of threads of each side, set before NumPy is imported and the same for all."""

from __future__ import annotations

import os
import sys

# the libraries read these once, on loading
VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def available() -> int:
    """The number of CPUs that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def limit(threads: int) -> None:
    """Limit this process and its children to `threads` threads and CPUs.

    The limit on CPUs (if the system supports it) also covers threads that a side starts besides
    BLAS's.

    Raises:
        ValueError: if there are fewer CPUs.
        RuntimeError: if NumPy is already imported with another number of threads.
    """
    known = available()
    if not 1 <= threads <= known:
        raise ValueError(f"threads is {threads}; it must be from 1 to {known}, the number of CPUs")
    chosen = dict.fromkeys(VARIABLES, str(threads))
    if "numpy" in sys.modules and any(os.environ.get(k) != v for k, v in chosen.items()):
        raise RuntimeError("NumPy was imported before the number of threads was set")
    os.environ.update(chosen)
    if threads < known and hasattr(os, "sched_setaffinity"):
        # the last CPUs: systems tend to do their own work on the first
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
