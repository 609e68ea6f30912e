"""accelerator: the device to train on, by the names of `torch.accelerator`.

>>> import tinynet as tn
>>> acc = tn.accelerator
>>> device = acc.current_accelerator().type if acc.is_available() else "cpu"
"""

from __future__ import annotations

from tinynet import cuda
from tinynet.backend import device
from tinynet.cuda import device_count, empty_cache, is_available, synchronize

__all__ = ["current_accelerator", "device_count", "empty_cache", "is_available", "synchronize"]


def current_accelerator(check_available: bool = False) -> device | None:
    """The GPU, or None without one."""
    return device("cuda") if cuda.is_available() else None
