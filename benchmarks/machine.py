"""The machine and the versions behind the figures, without names of people or hosts."""

from __future__ import annotations

import os
import pathlib
import platform
import re
from typing import Any

import numpy as np


def cpu_model() -> str:
    """The processor's name according to the system."""
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    text = cpuinfo.read_text() if cpuinfo.exists() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.M)
    return found[1] if found else platform.processor() or platform.machine()


def blas() -> str:
    """NumPy's BLAS and its version, and with threadpoolctl its kernels and threads."""
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    text = f"{built.get('name', 'unknown')} {built.get('version', '')}".strip()
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return text
    own = pathlib.Path(np.__file__).parent.parent / "numpy.libs"
    for library in threadpool_info():
        path = pathlib.Path(library["filepath"])
        if library["user_api"] == "blas" and path.is_relative_to(own):
            text += f", {library.get('architecture')}, {library['num_threads']} threads"
    return text


def describe(threads: int, versions: dict[str, str]) -> dict[str, Any]:
    """The facts to print above the figures."""
    return {
        "cpu": cpu_model(),
        "cpus": os.cpu_count(),
        "threads": threads,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numpy_blas": blas(),
        **versions,
    }
