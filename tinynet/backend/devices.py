"""Which array module an array belongs to, and the device that it is on: "cpu" or "cuda"."""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np

Array = Any  # numpy.ndarray or cupy.ndarray: CuPy ships no types that a checker could use


class DeviceError(RuntimeError):
    """Device unavailable, or arrays on different devices in one operation."""


# --- array modules --------------------------------------------------------------------------------


def array_module(*arrays: Array) -> Any:
    """NumPy or CuPy, whichever the arrays belong to; Python scalars go with either.

    Raises:
        DeviceError: if some are on the CPU and some on the GPU.
    """
    cupy = sys.modules.get("cupy")  # no CuPy array can exist before CuPy is imported
    if cupy is None:
        return np
    found: Any = None
    for a in arrays:
        if isinstance(a, cupy.ndarray):
            module: Any = cupy
        elif isinstance(a, np.ndarray):
            module = np
        else:
            continue
        if found is not None and found is not module:
            places = ", ".join(
                f"argument {i} {tuple(b.shape)} on {device_of(b)}"
                for i, b in enumerate(arrays)
                if is_array(b)
            )
            raise DeviceError(
                f"arrays on different devices in one operation: {places}; "
                "move one with .to('cpu') or .to('cuda')"
            )
        found = module
    return np if found is None else found


def is_array(a: object) -> bool:
    """Whether `a` is an array of either module."""
    if isinstance(a, np.ndarray):
        return True
    cupy = sys.modules.get("cupy")
    return cupy is not None and isinstance(a, cupy.ndarray)


# --- devices --------------------------------------------------------------------------------------


class device(str):
    """A device by PyTorch's way of naming it: ``device("cuda")`` is "cuda", and so is "cuda:0".

    Attributes:
        type: "cpu" or "cuda".
        index: 0 for a GPU, None for the CPU.

    Raises:
        ValueError: for another name; tinynet uses one GPU, CuPy's current one.
    """

    def __new__(cls, type: str, index: int | None = None) -> device:
        name = str(type) if index is None else f"{type}:{index}"
        if name not in ("cpu", "cpu:0", "cuda", "cuda:0"):
            raise ValueError(f"device: {name!r} is not one of 'cpu', 'cuda', 'cuda:0'")
        return super().__new__(cls, name.partition(":")[0])

    @property
    def type(self) -> str:
        return str(self)

    @property
    def index(self) -> Any:
        return 0 if self == "cuda" else None


def device_of(a: Array) -> str:
    """``"cpu"`` or ``"cuda"``."""
    cupy = sys.modules.get("cupy")
    return "cuda" if cupy is not None and isinstance(a, cupy.ndarray) else "cpu"


def probe() -> str | None:
    """Try the GPU: import CuPy, compile and run a kernel, multiply two matrices.

    ``import cupy`` succeeds on many machines where the first kernel fails (no driver, headers
    missing for the run-time compiler, another architecture), so a kernel has to run.

    Returns:
        None if everything worked, else one line that says what failed.
    """
    failure = "CuPy is installed but cannot be imported"
    try:
        import cupy

        failure = "CuPy is installed but finds no working CUDA driver"
        if cupy.cuda.runtime.getDeviceCount() == 0:
            return "CuPy is installed but there is no CUDA device"
        failure = "a small CUDA kernel does not compile or run"
        if float((cupy.arange(3, dtype="float32") * 2 + 1).sum()) != 9.0:
            return "a CUDA kernel ran and gave a wrong sum"
        failure = "a matrix product on the GPU fails"
        if float((cupy.ones((2, 3), "float32") @ cupy.ones((3, 2), "float32")).sum()) != 12.0:
            return "a CUDA matrix product ran and gave a wrong result"
    except Exception as error:  # a wheel for another CUDA or NumPy raises all kinds of errors
        if isinstance(error, ModuleNotFoundError) and error.name == "cupy":
            return (
                "CuPy is not installed; pip install 'tinynet[cuda12]' or 'tinynet[cuda13]', "
                "whichever the driver supports"
            )
        return f"{failure} ({_first_line(error)})"
    return None


def _first_line(error: BaseException) -> str:
    # CuPy frames some of its messages with rows of equals signs
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" =")]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def as_device(device: Any) -> str:
    """ "cpu" or "cuda", for PyTorch's "cuda:0" too.

    Raises:
        ValueError: for another name.
    """
    kind, colon, number = str(device).partition(":")
    if kind not in ("cpu", "cuda") or (colon and number != "0"):
        raise ValueError(f"device: device {str(device)!r} is not known; use 'cpu' or 'cuda'")
    return kind


def is_device(name: str) -> bool:
    """Whether a name is that of a device rather than of a dtype."""
    return name.partition(":")[0] in ("cpu", "cuda")


def check_device(device: str) -> str:
    """Return `device` if it works here.

    Raises:
        ValueError: for a name other than ``"cpu"`` and ``"cuda"``.
        DeviceError: for ``"cuda"`` if it cannot be used, with the reason in one line.
    """
    if device not in ("cpu", "cuda"):
        raise ValueError(f"device {device!r} is not known; it must be 'cpu' or 'cuda'")
    if device == "cuda" and not _settings["cuda works"]:  # probed once per process
        reason = probe()
        if reason is not None:
            raise DeviceError(f"device 'cuda' cannot be used: {reason}")
        _settings["cuda works"] = True
    return device


_settings: dict[str, Any] = {"device": None, "cuda works": False}


def set_default_device(device: str) -> None:
    """Set the device on which new tensors are created; existing ones stay where they are.

    Args:
        device: "cpu" or "cuda".

    Raises:
        ValueError: for another name.
        DeviceError: if the device cannot be used.
    """
    _settings["device"] = check_device(device)


def default_device() -> str:
    """The value of `set_default_device`, else ``TINYNET_DEVICE`` if it is set, else "cpu"."""
    if _settings["device"] is None:
        try:
            set_default_device(os.environ.get("TINYNET_DEVICE") or "cpu")
        except (ValueError, DeviceError) as error:
            raise type(error)(f"{error} (requested by TINYNET_DEVICE)") from None
    return str(_settings["device"])


def synchronize() -> None:
    """Wait for the GPU, if it was used."""
    if _settings["cuda works"]:
        import cupy

        cupy.cuda.get_current_stream().synchronize()


def empty_cache() -> None:
    """Free the memory that CuPy keeps, if the GPU was used."""
    if _settings["cuda works"]:
        import cupy

        cupy.get_default_memory_pool().free_all_blocks()
