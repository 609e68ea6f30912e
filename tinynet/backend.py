"""The one file that knows NumPy from CuPy.

Everything else finds its array module from the arrays it was given::

    xp = array_module(x)        # numpy, or cupy when x lives on a GPU
    y = xp.exp(x)

and asks this file for the few things on which the two differ: moving an array, adding into
repeated indices, a window view, the error function. CuPy is imported when a GPU is first asked
for, never before.

Devices are named as in PyTorch: ``"cpu"`` and ``"cuda"``. Random numbers always come from a
seeded NumPy generator on the host, so that a run starts from the same weights, shuffles and
dropout masks on either device.

>>> x = asarray([1.0, 2.0], dtype="float32")
>>> array_module(x).__name__, device_of(x), x.dtype.name
('numpy', 'cpu', 'float32')
"""

from __future__ import annotations

import math
import os
import sys
import threading
from typing import Any

import numpy as np

Array = Any  # numpy.ndarray or cupy.ndarray: CuPy ships no types that a checker could use

# The element types that a Tensor is made of, by PyTorch's names.
float32, float64 = np.dtype("float32"), np.dtype("float64")
int64, bool_ = np.dtype("int64"), np.dtype("bool")


class DeviceError(RuntimeError):
    """A device was asked for that this machine cannot give, or arrays of two devices met."""


# --- which module, which device -------------------------------------------------------------


def array_module(*arrays: Array) -> Any:
    """NumPy or CuPy, whichever the arrays belong to; Python scalars belong to both.

    Raises:
        DeviceError: if some are on the CPU and some on the GPU; it says which is where.
    """
    cupy = sys.modules.get("cupy")  # before somebody imported it no array of its type can exist
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
                f"arrays of different devices in one operation: {places}; "
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


def device_of(a: Array) -> str:
    """``"cpu"`` or ``"cuda"``."""
    cupy = sys.modules.get("cupy")
    return "cuda" if cupy is not None and isinstance(a, cupy.ndarray) else "cpu"


def probe() -> str | None:
    """Try the GPU: import CuPy, compile and run a kernel, multiply two matrices.

    ``import cupy`` succeeds on many machines where the first kernel fails (no driver, headers
    that the run-time compiler does not find, another architecture), so only running one tells.

    Returns:
        None if all of it worked, else one line that says what did not.
    """
    try:
        import cupy
    except ModuleNotFoundError:
        return (
            "CuPy is not installed; pip install 'tinynet[cuda12]' or 'tinynet[cuda13]', whichever "
            "the driver supports"
        )
    except Exception as error:  # a wheel for another CUDA or NumPy fails in ways of its own
        return f"CuPy is installed but cannot be imported ({_first_line(error)})"
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:
        return f"CuPy is installed but finds no working CUDA driver ({_first_line(error)})"
    if count == 0:
        return "CuPy is installed but there is no CUDA device"
    try:
        if float((cupy.arange(3, dtype="float32") * 2 + 1).sum()) != 9.0:
            return "a CUDA kernel ran and gave a wrong sum"
    except Exception as error:
        return f"a small CUDA kernel does not compile or run ({_first_line(error)})"
    try:
        if float((cupy.ones((2, 3), "float32") @ cupy.ones((3, 2), "float32")).sum()) != 12.0:
            return "a CUDA matrix product ran and gave a wrong result"
    except Exception as error:
        return f"a matrix product on the GPU fails ({_first_line(error)})"
    return None


def _first_line(error: BaseException) -> str:
    # CuPy frames some of its messages with rows of equals signs
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" =")]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def check_device(device: str) -> str:
    """The name of a device that works here.

    Raises:
        ValueError: for a name other than ``"cpu"`` and ``"cuda"``.
        DeviceError: for ``"cuda"`` where there is none, with the reason in one line.
    """
    if device not in ("cpu", "cuda"):
        raise ValueError(f"device {device!r} is not known; it is 'cpu' or 'cuda'")
    # A process in which one kernel has run needs no second look.
    if device == "cuda" and not _settings["cuda works"]:
        reason = probe()
        if reason is not None:
            raise DeviceError(f"device 'cuda' cannot be used: {reason}")
        _settings["cuda works"] = True
    return device


_settings: dict[str, Any] = {"device": None, "cuda works": False}


def set_default_device(device: str) -> None:
    """Where new tensors are made from now on; those that exist stay where they are."""
    _settings["device"] = check_device(device)


def default_device() -> str:
    """``set_default_device``'s value, else the environment's ``TINYNET_DEVICE``, else "cpu"."""
    if _settings["device"] is None:
        try:
            set_default_device(os.environ.get("TINYNET_DEVICE") or "cpu")
        except (ValueError, DeviceError) as error:
            raise type(error)(f"{error} (asked for by TINYNET_DEVICE)") from None
    return str(_settings["device"])


# --- moving ---------------------------------------------------------------------------------


def asarray(data: Any, dtype: Any = None, device: str | None = None) -> Array:
    """`data` as an array, copied only where it must be.

    Args:
        data: an array of either module, or (nested) numbers.
        dtype: element type; by default the data's own, and float32 for Python floats.
        device: by default the data's own if it is an array, else the default device.
    """
    if not is_array(data):
        # A NumPy scalar and a list of NumPy numbers have a type of their own; Python's have not.
        try:
            plain = np.asarray(data)
        except ValueError as error:  # a ragged list
            raise TypeError(f"tensor: data must be numbers of one shape ({error})") from None
        if plain.dtype.kind not in "biuf":
            raise TypeError(
                f"tensor: data must be numbers, not {type(data).__name__} of {plain.dtype}"
            )
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


def full(shape: tuple[int, ...], value: float, dtype: Any, device: str | None = None) -> Array:
    """An array of one number, made where it is wanted; by default on the default device."""
    dtype, device = as_dtype(dtype), check_device(device or default_device())
    xp = np if device == "cpu" else sys.modules["cupy"]
    return xp.full(shape, value, dtype)


def to_device(a: Array, device: str) -> Array:
    """The array on that device: itself if it is there, else a copy."""
    if device_of(a) == check_device(device):
        return a
    return to_numpy(a) if device == "cpu" else sys.modules["cupy"].asarray(a)


def to_numpy(a: Array) -> np.ndarray:
    """The array as NumPy's, for printing, plotting and files; the only way off the GPU."""
    return a.get() if device_of(a) == "cuda" else np.asarray(a)


def as_array(y: Any) -> Array:
    """`y` itself if it is an array; a 0-d array for the scalar that NumPy's reductions return."""
    return y if type(y) is np.ndarray or not isinstance(y, np.generic) else np.asarray(y)


def is_new_float(y: Array, arrays: list[Any], options: dict[str, Any]) -> bool:
    """Whether a result has a floating-point type that no input has and nobody asked for.

    NumPy makes float64 of integers, also where they meet float32; a network's numbers are to stay
    what they are, so that such results are made float32, PyTorch's default.
    """
    if y.dtype.kind != "f" or "dtype" in options:
        return False
    return not any(is_array(a) and a.dtype == y.dtype for a in arrays)


ndarray = np.ndarray
PLAIN = frozenset({float, int, bool, type(None), np.ndarray})


def operand(name: str, a: Any) -> Any:
    """What a Tensor may be combined with: an array, a Python number, None for a missing one.

    A NumPy scalar becomes Python's number, because under NumPy 2 ``float32_array *
    np.float64(2)`` is float64, and ``float32_array * 2.0`` is not.
    """
    if type(a) in PLAIN or is_array(a):
        return a
    if isinstance(a, np.generic | int | float):
        return a.item() if isinstance(a, np.generic) else a
    raise TypeError(
        f"{name}: an operand is a {type(a).__name__}; it must be a Tensor, an array or a number "
        "(make one with tinynet.tensor)"
    )


def as_dtype(name: Any) -> Any:
    """The element type of that name, NumPy's object for both modules.

    Raises:
        TypeError: if there is none of that name.
    """
    try:
        return np.dtype(name)
    except TypeError:
        raise TypeError(
            f"{name!r} is neither a device ('cpu', 'cuda') nor a dtype ('float32', 'float64', ...)"
        ) from None


def format_array(array: np.ndarray, indent: int) -> str:
    """The numbers with commas, four decimals, later lines indented; long ones shortened."""
    return np.array2string(array, separator=", ", precision=4, prefix=" " * indent, threshold=200)


# --- what the two do differently ------------------------------------------------------------


def scatter_add(target: Array, index: Any, values: Array) -> None:
    """``target[index] += values`` in which repeated indices add up.

    Plain ``+=`` keeps only the last of several values for one place. CuPy before 12 has no
    ``add.at`` and keeps the function in a module of its own.
    """
    xp = array_module(target, values)
    if hasattr(xp.add, "at"):
        xp.add.at(target, index, values)
    else:
        import cupyx

        cupyx.scatter_add(target, index, values)


def first_axis_last(x: Array) -> Array:
    """(N, A, B, ...) -> (A, B, ..., N), contiguous: a view if the bytes lie so already.

    Rows 2^11 bytes apart, or a multiple of it, share so few places of a cache that each line of
    theirs is fetched anew for each of its numbers: 2.7 ms for 128 images of 3x32x32, 0.35 ms by
    way of a copy whose rows lie a line farther apart.
    """
    xp = array_module(x)
    y = x.transpose(*range(1, x.ndim), 0)
    if xp is np and x.strides[0] % 2048 == 0 and x.flags.c_contiguous and len(x) > 8 and x.size:
        rows, line = x.reshape(len(x), -1), 64 // x.itemsize
        turned = np.empty(rows.shape[::-1], x.dtype)
        length = max(line, block_bytes(x) // (len(x) * x.itemsize))
        apart = workspace("rows apart", (len(x), length + line), x)
        for start in range(0, len(turned), length):
            part = rows[:, start : start + length]
            copy = apart[:, : part.shape[1]]
            copy[...] = part
            turned[start : start + length] = copy.T
        return turned.reshape(y.shape)
    return xp.ascontiguousarray(y)


def as_strided(x: Array, shape: tuple[int, ...], strides: tuple[int, ...]) -> Array:
    """A view of a contiguous `x` with these strides in bytes, never to be written through.

    Entries of such a view share memory, so adding into it would count some of them twice; NumPy
    can mark it read-only, CuPy cannot.
    """
    xp = array_module(x)
    if xp is not np:
        return xp.lib.stride_tricks.as_strided(x, shape, strides)
    # NumPy's as_strided does the same in Python, in five times the time
    view: np.ndarray = np.ndarray(shape, x.dtype, x, 0, strides)
    view.setflags(write=False)
    return view


def broadcast_to(x: Array, shape: tuple[int, ...]) -> Array:
    """`x` repeated to that shape: a view, never to be written through.

    Raises:
        ValueError: if it does not broadcast.
    """
    xp = array_module(x)
    # NumPy's broadcast_to is Python too, and each mean needs it; but a view takes -1 for 1
    if xp is np and x.ndim == 0 and min(shape, default=0) >= 0:
        return as_strided(x, shape, (0,) * len(shape))
    return xp.broadcast_to(x, shape)


def special(name: str, x: Array) -> Array:
    """A function of ``scipy.special``, entry by entry, in the dtype of `x` if that is a float."""
    xp = array_module(x)
    x = xp.asarray(x)  # a plain number too
    # imported when first wanted: SciPy would double the time that `import tinynet` takes
    if xp is np:
        from scipy import special as functions
    else:
        from cupyx.scipy import special as functions
    y = getattr(functions, name)(x)
    return y.astype(x.dtype) if y.dtype != x.dtype and x.dtype.kind == "f" else y


class _Workspaces(threading.local):
    """One flat buffer a name and dtype, and one of zeros; of each thread its own."""

    def __init__(self) -> None:
        self.buffers: dict[tuple[str, Any], np.ndarray] = {}
        self.zeros: dict[Any, np.ndarray] = {}


_workspaces = _Workspaces()


def workspace(name: str, shape: tuple[int, ...], like: Array, dtype: Any = None) -> Array:
    """Uninitialised scratch memory beside `like`, in its dtype, until `name` is asked for again.

    A fresh array costs more in page faults than the arithmetic on it, and is in no cache, so
    temporaries that never leave their operation (the columns of a convolution) are written to the
    same memory each time. Operations that are never at work at once in a thread share a name, and
    so the memory. CuPy has a memory pool that does this.
    """
    xp, dtype = array_module(like), like.dtype if dtype is None else np.dtype(dtype)
    if xp is not np:
        return xp.empty(shape, dtype)
    size = math.prod(shape)
    buffer = _workspaces.buffers.get((name, dtype))
    if buffer is None or buffer.size < size:
        buffer = _workspaces.buffers[name, dtype] = np.empty(size, dtype)
    return buffer[:size].reshape(shape)


FLAT = 4096


def zero_for(x: Array) -> Any:
    """What to compare a flat `x` with instead of 0: NumPy's maximum of two arrays is four times as
    fast as that of an array and a number, which shows from `FLAT` entries on."""
    if x.size < FLAT or array_module(x) is not np:
        return 0
    zeros = _workspaces.zeros.get(x.dtype)
    if zeros is None or zeros.size < x.size:
        zeros = _workspaces.zeros[x.dtype] = np.zeros(x.size, x.dtype)
        zeros.flags.writeable = False
    return zeros[: x.size]


def block_bytes(like: Array) -> int:
    """How much of a large temporary to make at a time.

    On the CPU as much as stays in the cache between being written and being read; on a GPU all of
    it, since there every further call costs more than memory does.
    """
    return 1 << 20 if array_module(like) is np else 1 << 62


# --- random numbers -------------------------------------------------------------------------


class _Random:
    """The generator behind initialisation and dropout; made when it is first wanted."""

    generator: np.random.Generator | None = None


def manual_seed(seed: int) -> np.random.Generator:
    """Start the random numbers of initialisation and dropout anew; returns their generator.

    >>> _ = manual_seed(0)
    >>> a = generator().random()
    >>> _ = manual_seed(0)
    >>> a == generator().random()
    True
    """
    _Random.generator = np.random.default_rng(seed)
    return _Random.generator


def generator() -> np.random.Generator:
    """NumPy's generator that initialisation and dropout draw from, on the host."""
    if _Random.generator is None:
        # An unseeded run is random, but it can say afterwards what its seed was.
        return manual_seed(int(np.random.SeedSequence().generate_state(1)[0]))
    return _Random.generator
