"""Ask the C library to keep freed memory for the next array, where that is known to help.

A training step makes and drops the same arrays again and again, many of them megabytes. glibc
gives such blocks back to the system at once, and every page of the next one costs a page fault:
700 to 800 a LeNet step at batch 64, a tenth to a fifth of its time. Told to keep them, it has none.

The price is that the process holds on to the most memory that it ever used. It is done once, when
tinynet is imported, on Linux with glibc alone; ``TINYNET_TUNE_MALLOC=0`` leaves the allocator as
it is.

Source: the GNU C Library manual, section "Malloc Tunable Parameters" (mallopt).
"""

from __future__ import annotations

import os
import sys

# <malloc.h>; the values are part of glibc's binary interface
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
_MIB = 1 << 20


def keep_freed_memory() -> bool:
    """Set the thresholds above which freed memory goes back to the system.

    Returns:
        Whether it was done: not on other systems, and not if the environment's
        TINYNET_TUNE_MALLOC is 0.
    """
    if not sys.platform.startswith("linux") or os.environ.get("TINYNET_TUNE_MALLOC") == "0":
        return False
    try:
        if not (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc"):
            return False
        import ctypes

        mallopt = ctypes.CDLL(None).mallopt
    except (ValueError, OSError, AttributeError):  # another C library
        return False
    # From this size on, a block is mapped by itself and unmapped when freed; 32 MiB is the most
    # that glibc takes.
    done = mallopt(_M_MMAP_THRESHOLD, 32 * _MIB)
    # Free memory at the top of the heap that is kept, and what is asked for beyond a need.
    return bool(done and mallopt(_M_TRIM_THRESHOLD, 1024 * _MIB) and mallopt(_M_TOP_PAD, 64 * _MIB))
