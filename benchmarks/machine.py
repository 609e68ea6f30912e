"""The machine and the versions behind the figures, without names of people or hosts."""

from __future__ import annotations

import os
import pathlib
import platform
from typing import Any

import numpy as np


def cpu_model() -> str:
    """The processor's name according to the system."""
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def blas() -> str:
    """NumPy's BLAS and its version, and with threadpoolctl its kernels and threads."""
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    text = f"{built.get('name', 'unknown')} {built.get('version', '')}".strip()
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return text
    folder = pathlib.Path(np.__file__).parent.parent
    for library in threadpool_info():
        if library["user_api"] == "blas" and pathlib.Path(library["filepath"]).is_relative_to(
            folder / "numpy.libs"
        ):
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
