"""A strict stand-in for CuPy that computes with NumPy, for tests on machines without a GPU.

It detects mistakes that otherwise show only on a GPU: a NumPy function called on a device array,
operands on two devices, a name or keyword that CuPy lacks, an error that NumPy raises and CuPy does
not. Where the two differ, it behaves like CuPy 14 or raises::

    with cupy_standin.installed() as cupy:               # or install(monkeypatch, add_at=False)
        x = cupy.asarray(numpy_array)
        numpy_array + x                                  # TypeError

It is stricter than CuPy in a few places, because there CuPy copies between the devices unasked
or hands NumPy's functions on to its own: ``np.exp(x)``, ``np.sum(x)``, NumPy arrays as indices
or as the right side of an assignment, 0-d NumPy arrays as operands, and pickling.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import cupy_array
import cupy_names as names
import numpy as np
from cupy_array import (
    device_array,
    from_table,
    ndarray,
    operand,
    special,
    ufunc,
    ufuncs,
)
from cupy_names import (
    CompileException,
    CUDARuntimeError,
    Options,
    State,
    launch,
    multiply_matrices,
)
from numpy.lib import stride_tricks

# --- functions that differ from NumPy's -----------------------------------------------------


def array(
    obj: Any,
    dtype: Any = None,
    copy: Any = True,
    order: str = "K",
    subok: bool = False,
    ndmin: int = 0,
    *,
    blocking: bool = False,
) -> ndarray:
    on_device = isinstance(obj, ndarray)
    # What lies on the host is copied in any case.
    must_copy = True if copy or not on_device else None
    host = np.array(
        obj._host if on_device else obj, dtype, copy=must_copy, order=order, ndmin=ndmin
    )
    if host.dtype.kind not in "biufc":
        raise ValueError(f"Unsupported dtype {host.dtype}")
    return device_array(host, *([obj] if on_device else []))


def asarray(
    a: Any, dtype: Any = None, order: Any = None, *, copy: Any = None, blocking: bool = False
) -> ndarray:
    return array(a, dtype, bool(copy), order or "K")


def asnumpy(
    a: Any, stream: Any = None, order: str = "C", out: Any = None, *, blocking: bool = True
) -> np.ndarray:
    if isinstance(a, ndarray):
        return a.get(stream, order, out)
    return np.asarray(a, order=order)  # type: ignore[call-overload]


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    if (x is None) != (y is None):
        raise ValueError("Must provide both 'x' and 'y' or neither.")
    mask = operand(condition, scalars=False)
    launch()
    if x is None:
        return device_array(mask.nonzero())
    return device_array(np.where(mask, operand(x), operand(y)))


def _along(shape: tuple[int, ...], indices: ndarray, axis: int) -> tuple[Any, ...]:
    """The index of the entries that take_along_axis takes; its integers wrap like all others."""
    if operand(indices, scalars=False).dtype.kind not in "iu":
        raise IndexError("`indices` must be an integer array")
    if len(shape) != indices.ndim:
        raise ValueError("`indices` and `a` must have the same number of dimensions")
    axis = range(len(shape))[axis]
    grid = [device_array(g) for g in np.ix_(*(np.arange(n) for n in shape))]
    return (*grid[:axis], indices, *grid[axis + 1 :])


def take_along_axis(a: Any, indices: Any, axis: Any) -> ndarray:
    operand(a, scalars=False)
    if axis is None:
        a, axis = a.ravel(), 0
    return a[_along(a.shape, indices, axis)]


def put_along_axis(arr: Any, indices: Any, values: Any, axis: int) -> None:
    arr[_along(operand(arr, scalars=False).shape, indices, axis)] = values


def einsum(*operands: Any, **kwargs: Any) -> ndarray:
    subscripts, *arrays = operands
    unknown = set(kwargs) - {"out", "dtype", "casting", "optimize"}
    if unknown or not isinstance(subscripts, str):
        raise TypeError(f"einsum: needs subscripts as a text, and no {sorted(unknown)}")
    hosts = [operand(a, scalars=False) for a in arrays]
    if kwargs.get("out") is not None:
        arrays.append(kwargs["out"])
        kwargs["out"] = operand(kwargs["out"], scalars=False)
    multiply_matrices()
    with np.errstate(all="ignore"):
        return device_array(np.einsum(subscripts, *hosts, **kwargs), *arrays)


def result_type(*arrays_and_dtypes: Any) -> np.dtype:
    return np.result_type(*(a._host if isinstance(a, ndarray) else a for a in arrays_and_dtypes))


def get_array_module(*args: Any) -> Any:
    return cupy if any(isinstance(a, ndarray) for a in args) else np


def as_strided(x: Any, shape: Any = None, strides: Any = None) -> ndarray:
    # Made from the bare pointer in CuPy: the result has no `base` and can be written to.
    return device_array(stride_tricks.as_strided(operand(x, scalars=False), shape, strides))


def sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> ndarray:
    host = operand(x, scalars=False)
    return device_array(stride_tricks.sliding_window_view(host, window_shape, axis), x)


def scatter_add(a: Any, slices: Any, value: Any) -> None:
    ufuncs["add"]._at(a, slices, value)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> ndarray:
    host = operand(x, scalars=False)
    launch()
    return device_array(np.linalg.norm(host, ord, axis, keepdims))


# --- the device -----------------------------------------------------------------------------


def getDeviceCount() -> int:
    if State.options.driver_error is not None:
        raise CUDARuntimeError(State.options.driver_error)
    return State.options.devices


def is_available() -> bool:
    return State.options.driver_error is None and State.options.devices > 0


def synchronize() -> None:
    """Does nothing: every kernel has ended when its function returns."""


class Device:
    id = 0

    def __init__(self, device: Any = None) -> None:
        pass

    def synchronize(self) -> None:
        synchronize()


class Stream:
    null: Stream

    def synchronize(self) -> None:
        synchronize()


Stream.null = Stream()


class MemoryPool:
    """An empty pool, whose numbers can be printed."""

    def used_bytes(self) -> int:
        return 0

    def total_bytes(self) -> int:
        return 0

    def free_all_blocks(self) -> None:
        pass


# --- the modules ----------------------------------------------------------------------------


class _Module(ModuleType):
    """A module whose AttributeError says that the stand-in lacks the name."""

    def __init__(self, name: str, **content: Any) -> None:
        super().__init__(name)
        vars(self).update(content)

    def __getattr__(self, name: str) -> Any:
        if self.__name__.endswith("tricks") and name == "sliding_window_view":
            if not State.options.sliding_window:
                raise AttributeError("this CuPy is too old to have sliding_window_view")
            return sliding_window_view
        raise AttributeError(
            f"the stand-in for CuPy lacks {self.__name__}.{name}: either CuPy has no such name, "
            "or it is not yet in the tables of tests/cupy_names.py"
        )


def _modules() -> dict[str, ModuleType]:
    runtime = _Module(
        "cupy.cuda.runtime",
        getDeviceCount=getDeviceCount,
        deviceSynchronize=synchronize,
        CUDARuntimeError=CUDARuntimeError,
    )
    compiler = _Module("cupy.cuda.compiler", CompileException=CompileException)
    pool = MemoryPool()
    cuda = _Module(
        "cupy.cuda",
        runtime=runtime,
        compiler=compiler,
        is_available=is_available,
        Device=Device,
        Stream=Stream,
        MemoryPool=MemoryPool,
        get_current_stream=lambda device_id=-1: Stream.null,
    )
    tricks = _Module("cupy.lib.stride_tricks", as_strided=as_strided)
    lib = _Module("cupy.lib", stride_tricks=tricks)
    linalg = _Module("cupy.linalg", norm=norm)
    own = (array, asarray, asnumpy, where, take_along_axis, put_along_axis, einsum, result_type)
    content = {name: getattr(np, name) for name in names.SAME_AS_NUMPY}
    for line in names.FUNCTIONS + names.HOST_FUNCTIONS:
        function = from_table(line, np, host=line in names.HOST_FUNCTIONS)
        content[function.__name__] = function
    content |= ufuncs | {f.__name__: f for f in (*own, get_array_module, is_available)}
    cupy = _Module(
        "cupy",
        **content,
        __version__="14.2.0",
        take=cupy_array.take,
        matmul=cupy_array.matmul,
        get_default_memory_pool=lambda: pool,
        ndarray=ndarray,
        ufunc=ufunc,
        cuda=cuda,
        lib=lib,
        linalg=linalg,
    )
    functions = _Module("cupyx.scipy.special", **special)
    scipy = _Module("cupyx.scipy", special=functions)
    cupyx = _Module("cupyx", scatter_add=scatter_add, scipy=scipy)
    made = (cupy, cuda, runtime, compiler, lib, tricks, linalg, cupyx, scipy, functions)
    return {module.__name__: module for module in made}


MODULES = _modules()
cupy = MODULES["cupy"]


def install(monkeypatch: Any, **options: Any) -> Any:
    """Install the stand-in as CuPy until `monkeypatch` undoes it, and return the module.

    Args:
        monkeypatch: pytest's.
        options: the fields of `Options`.
    """
    monkeypatch.setattr(State, "options", Options(**options))
    # A real CuPy's submodules would be found by their full names, past the stand-in.
    for name in [n for n in sys.modules if n.partition(".")[0] in ("cupy", "cupyx")]:
        monkeypatch.delitem(sys.modules, name)
    for name, module in MODULES.items():
        # None is how sys.modules says that an import is to fail.
        monkeypatch.setitem(sys.modules, name, module if State.options.importable else None)
    return cupy


@contextmanager
def installed(**options: Any) -> Iterator[Any]:
    """`install` for a ``with`` block."""
    import pytest

    with pytest.MonkeyPatch.context() as monkeypatch:
        yield install(monkeypatch, **options)
