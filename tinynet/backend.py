"""The only file that distinguishes NumPy from CuPy.

Everything else finds its array module from the arrays it was given::

    xp = array_module(x)        # numpy, or cupy when x lives on a GPU
    y = xp.exp(x)

and uses this file for functions that differ between the two, for new arrays (`empty`, `zeros`,
`full`, ...), and for `check`, the only way to read a value on the host. CuPy is imported only when
a GPU is first requested.

Devices are named as in PyTorch: ``"cpu"`` and ``"cuda"``.

>>> x = asarray([1.0, 2.0], dtype="float32")
>>> array_module(x).__name__, device_of(x), x.dtype.name
('numpy', 'cpu', 'float32')
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from tinynet.dtypes import as_dtype, float32, float64

Array = Any  # numpy.ndarray or cupy.ndarray: CuPy ships no types that a checker could use
ndarray, generic = np.ndarray, np.generic
F = TypeVar("F", bound=Callable[..., Any])


class DeviceError(RuntimeError):
    """Device unavailable, or arrays on different devices in one operation."""


# --- array modules and devices --------------------------------------------------------------


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


def plain_array(a: Any) -> Array:
    """The array without its class, if that is a subclass of NumPy's with other rules.

    A `numpy.matrix` would multiply as a matrix. A class that handles NumPy's functions itself
    (NEP 18) is kept: it stands for NumPy's arrays, such as one that records what is called.

    Raises:
        TypeError: for a masked array, whose mask would be lost, and for anything but an array.
    """
    if type(a) is np.ndarray:
        return a
    if isinstance(a, np.ndarray):
        if type(a).__array_function__ is not np.ndarray.__array_function__:
            return a
        if isinstance(a, np.ma.MaskedArray):
            raise TypeError("tensor: a masked array would lose its mask; call .filled(value) on it")
        return a.view(np.ndarray)
    if is_array(a) or isinstance(a, np.generic):
        return as_array(a)
    raise TypeError(f"tensor: data is a {type(a).__name__}; make a tensor with tinynet.tensor")


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


# --- conversion -----------------------------------------------------------------------------


def asarray(data: Any, dtype: Any = None, device: str | None = None) -> Array:
    """Convert `data` to an array, copying only if necessary.

    Args:
        data: an array of either module, or (nested lists of) numbers.
        dtype: element type; by default that of the data, and float32 for Python floats.
        device: by default that of the data if it is an array, else the default device.
    """
    if is_array(data):
        data = plain_array(data)
    else:
        # NumPy scalars, also in a list, keep their dtype; Python floats become float32
        try:
            plain = np.asarray(data)
        except ValueError as error:  # a ragged list
            raise TypeError(f"tensor: data must be numbers of one shape ({error})") from None
        if plain.dtype.kind not in "biuf":
            kind = "None" if data is None else f"{type(data).__name__} of {plain.dtype}"
            raise TypeError(f"tensor: data must be numbers, not {kind}")
        if dtype is None and plain.dtype == float64 and not _has_numpy_float(data):
            plain = plain.astype(float32)
        data, device = plain, device or default_device()
    if dtype is not None:
        data = data.astype(dtype, copy=False)
    return data if device is None else to_device(data, device)


def _has_numpy_float(data: Any) -> bool:
    if isinstance(data, list | tuple):
        return any(_has_numpy_float(d) for d in data)
    return isinstance(data, np.generic | np.ndarray) and data.dtype == float64


def full_on(shape: tuple[int, ...], value: float, dtype: Any, device: Any = None) -> Array:
    """A new array filled with `value`, by default on the default device."""
    dtype, device = as_dtype(dtype), check_device(as_device(device or default_device()))
    xp = np if device == "cpu" else sys.modules["cupy"]
    return xp.full(shape, value, dtype)


def sequence_on(first: float, step: float, count: int, dtype: Any, device: Any = None) -> Array:
    """first, first + step, ..., `count` numbers, by default on the default device."""
    dtype, device = as_dtype(dtype), check_device(as_device(device or default_device()))
    xp = np if device == "cpu" else sys.modules["cupy"]
    whole = isinstance(first, int) and isinstance(step, int)
    return (first + step * xp.arange(count, dtype="int64" if whole else "float64")).astype(dtype)


def may_share_memory(a: Array, b: Array) -> bool:
    """Whether a change of one array may change the other."""
    return (
        bool(array_module(a, b).may_share_memory(a, b)) if device_of(a) == device_of(b) else False
    )


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


def address(a: Array) -> int:
    """Where the first entry lies in the memory of its device."""
    return int(a.ctypes.data if isinstance(a, np.ndarray) else a.data.ptr)


def to_device(a: Array, device: str) -> Array:
    """The array on `device`: `a` itself if it is there already, else a copy."""
    if device_of(a) == check_device(device):
        return a
    return to_numpy(a) if device == "cpu" else sys.modules["cupy"].asarray(a)


def to_numpy(a: Array) -> np.ndarray:
    """Convert to a NumPy array, for printing, plotting and files; the only way off the GPU."""
    return a.get() if device_of(a) == "cuda" else np.asarray(a)


def array_of(x: Any) -> Array:
    """`x` itself if it is an array, else a 0-d array of the number in NumPy's default dtype."""
    return x if is_array(x) else np.asarray(x)


def as_array(y: Any) -> Array:
    """`y` itself if it is an array; a 0-d array for a scalar, as NumPy's reductions return."""
    return y if type(y) is np.ndarray or not isinstance(y, np.generic) else np.asarray(y)


def format_array(array: np.ndarray, indent: int) -> str:
    """Format with commas and four decimals, later lines indented, long arrays abridged."""
    return np.array2string(array, separator=", ", prefix=" " * indent, **_printing)


_printing: dict[str, Any] = {"precision": 4, "threshold": 200}


def set_printoptions(
    precision: int | None = None,
    threshold: int | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    sci_mode: bool | None = None,
) -> None:
    """How tensors are printed; what is not given stays.

    Args:
        precision: decimals.
        threshold: the number of entries above which a tensor is abridged.
        edgeitems: how many entries of each axis an abridged tensor shows at either end.
        linewidth: characters of a line.
        sci_mode: False to print numbers without an exponent.
    """
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems,
             "max_line_width": linewidth}  # fmt: skip
    if sci_mode is not None:
        _printing["suppress_small"] = not sci_mode
    _printing.update({k: v for k, v in given.items() if v is not None})


# --- new arrays, on the device of an existing one ----------------------------------------------


def _make(function: str, like: Array, *args: Any, dtype: Any = None) -> Array:
    """Call the array module of `like`, so that the result is on its device.

    NumPy receives `like` too, so that a subclass of its arrays can return its own kind (NEP 35).
    """
    xp = array_module(like)
    if xp is np and isinstance(like, np.ndarray):
        return getattr(np, function)(*args, dtype=dtype, like=like)
    return getattr(xp, function)(*args, dtype=dtype)


def empty(shape: tuple[int, ...], like: Array, dtype: Any = None) -> Array:
    """An uninitialised array on the device of `like`, in its dtype by default."""
    return _make("empty", like, shape, dtype=like.dtype if dtype is None else dtype)


def zeros(shape: tuple[int, ...], like: Array, dtype: Any = None) -> Array:
    """An array of zeros on the device of `like`, in its dtype by default."""
    return _make("zeros", like, shape, dtype=like.dtype if dtype is None else dtype)


def full(shape: tuple[int, ...], value: float, like: Array, dtype: Any = None) -> Array:
    """An array of one number on the device of `like`, in its dtype by default."""
    return _make("full", like, shape, value, dtype=like.dtype if dtype is None else dtype)


def arange(stop: int, like: Array, dtype: Any = "int64") -> Array:
    """The integers 0, ..., stop - 1 on the device of `like`."""
    return _make("arange", like, stop, dtype=dtype)


def eye(n: int, like: Array, dtype: Any = None) -> Array:
    """The identity matrix (n, n) on the device of `like`, in its dtype by default."""
    return _make("eye", like, n, dtype=like.dtype if dtype is None else dtype)


def constant(numbers: Any, like: Array, dtype: Any = None) -> Array:
    """A Python number, or nested lists of numbers, as an array on the device of `like`."""
    return _make("asarray", like, numbers, dtype=dtype)


# --- values on the host ------------------------------------------------------------------------


def check(condition: Array, error: Callable[[], Exception]) -> None:
    """Raise ``error()`` unless all entries of a boolean array are true.

    All checks of data (labels in range, indices in range) go through here: reading a value
    synchronises with the GPU, and a captured step has to repeat the check.

    Args:
        condition: a boolean array, on either device.
        error: makes the exception; called only on failure.
    """
    # as_array, because each method call on a NumPy scalar adds a string to Python's method cache
    if not bool(as_array(condition).all()):
        raise error()


def quiet_underflow(function: F) -> F:
    """Let numbers underflow to 0 within `function`, where 0 is right, whatever np.seterr says."""
    return np.errstate(under="ignore")(function)


def quiet_range(function: F) -> F:
    """As `quiet_underflow`; also let them overflow, where the result is right nevertheless."""
    return np.errstate(under="ignore", over="ignore")(function)


# --- functions that differ between NumPy and CuPy -------------------------------------------


def index_add(target: Array, index: Any, values: Array) -> None:
    """``target[index] += values``, where the values of a repeated index add up.

    Plain ``+=`` keeps only the last of them. CuPy before 12 has no ``add.at``; its function is in
    ``cupyx``.
    """
    xp = array_module(target, values)
    if hasattr(xp.add, "at"):
        xp.add.at(target, index, values)
    else:
        import cupyx

        cupyx.scatter_add(target, index, values)


def special(name: str, x: Array, *before: float) -> Array:
    """Apply a function of ``scipy.special`` to the numbers `before` and x, in the dtype of x."""
    xp, x = array_module(x), array_of(x)
    # imported on first use: SciPy would double the time that `import tinynet` takes
    if xp is np:
        from scipy import special as functions
    else:
        from cupyx.scipy import special as functions
    y = getattr(functions, name)(*before, x)
    return y.astype(x.dtype) if y.dtype != x.dtype and x.dtype.kind == "f" else y
