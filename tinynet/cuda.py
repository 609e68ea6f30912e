"""cuda: what programs ask about GPUs, by the names of `torch.cuda`.

>>> import tinynet as tn
>>> device = "cuda" if tn.cuda.is_available() else "cpu"
"""

from __future__ import annotations

from typing import Any

from tinynet import backend, random
from tinynet.backend import DeviceError


def is_available() -> bool:
    """Whether CuPy and a GPU work here."""
    try:
        return backend.check_device("cuda") == "cuda"
    except DeviceError:
        return False


def device_count() -> int:
    """The number of GPUs that tinynet uses: 1, CuPy's current one, or 0."""
    return int(is_available())


def current_device() -> int:
    """The number of the GPU in use."""
    backend.check_device("cuda")
    return 0


def synchronize(device: Any = None) -> None:
    """Wait until the GPU has done what it was given; without one there is nothing to wait for."""
    backend.synchronize()


def empty_cache() -> None:
    """Give memory that CuPy keeps for later back to the GPU."""
    backend.empty_cache()


def manual_seed(seed: int) -> None:
    """`tinynet.manual_seed`: random numbers are drawn on the host for either device."""
    random.manual_seed(seed)


manual_seed_all = manual_seed
