"""A strict stand-in for CuPy that computes with NumPy, for tests on machines without a GPU.

It detects mistakes that otherwise show only on a GPU: a NumPy function called on a device array,
operands on two devices, a name or keyword that CuPy lacks, an error that NumPy raises and CuPy does
not. Where the two differ, it behaves like CuPy 14 or raises::

    cupy = cupy_standin.install(monkeypatch)         # or install(monkeypatch, add_at=False)
    x = cupy.asarray(numpy_array)
    numpy_array + x                                  # TypeError

It is stricter than CuPy in a few places, because there CuPy copies between the devices unasked
or hands NumPy's functions on to its own: ``np.exp(x)``, ``np.sum(x)``, NumPy arrays as indices
or as the right side of an assignment, 0-d NumPy arrays as operands, and pickling.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import cupy_names as names
import numpy as np
from cupy_array import device_array, from_table, matmul, ndarray, operand, special, ufunc, ufuncs
from cupy_names import CUDARuntimeError, Options, State, launch, multiply_matrices
from numpy.lib import stride_tricks

# --- functions that differ from NumPy's -----------------------------------------------------


def asarray(a: Any, dtype: Any = None) -> ndarray:
    if isinstance(a, ndarray):
        return a if dtype is None else a.astype(dtype, copy=False)
    host = np.array(a, dtype)
    if host.dtype.kind not in "biufc":
        raise ValueError(f"Unsupported dtype {host.dtype}")
    return device_array(host)


def where(condition: Any, x: Any, y: Any) -> ndarray:
    mask = operand(condition, scalars=False)
    launch()
    return device_array(np.where(mask, operand(x), operand(y)))


def take_along_axis(a: Any, indices: Any, axis: int) -> ndarray:
    if operand(indices, scalars=False).dtype.kind not in "iu":
        raise IndexError("`indices` must be an integer array")
    if operand(a, scalars=False).ndim != indices.ndim:
        raise ValueError("`indices` and `a` must have the same number of dimensions")
    grid: list[Any] = [device_array(g) for g in np.ix_(*(np.arange(n) for n in a.shape))]
    grid[axis] = indices  # its integers wrap like all others
    return a[tuple(grid)]


def einsum(subscripts: str, *arrays: Any, optimize: bool = False) -> ndarray:
    hosts = [operand(a, scalars=False) for a in arrays]
    multiply_matrices()
    with np.errstate(all="ignore"):
        return device_array(np.einsum(subscripts, *hosts, optimize=optimize), *arrays)


def result_type(*arrays_and_dtypes: Any) -> np.dtype:
    return np.result_type(*(a._host if isinstance(a, ndarray) else a for a in arrays_and_dtypes))


def as_strided(x: Any, shape: Any = None, strides: Any = None) -> ndarray:
    # Made from the bare pointer in CuPy: the result has no `base` and can be written to.
    return device_array(stride_tricks.as_strided(operand(x, scalars=False), shape, strides))


def scatter_add(a: Any, slices: Any, value: Any) -> None:
    ufuncs["add"]._at(a, slices, value)


def getDeviceCount() -> int:
    if State.options.driver_error is not None:
        raise CUDARuntimeError(State.options.driver_error)
    return State.options.devices


# --- the modules ----------------------------------------------------------------------------


class _Module(ModuleType):
    """A module whose AttributeError says that the stand-in lacks the name."""

    def __init__(self, name: str, **content: Any) -> None:
        super().__init__(name)
        vars(self).update(content)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"the stand-in for CuPy lacks {self.__name__}.{name}: either CuPy has no such name, "
            "or it is not yet in the tables of tests/cupy_names.py"
        )


def _modules() -> dict[str, ModuleType]:
    runtime = _Module(
        "cupy.cuda.runtime", getDeviceCount=getDeviceCount, CUDARuntimeError=CUDARuntimeError
    )
    cuda = _Module("cupy.cuda", runtime=runtime)
    tricks = _Module("cupy.lib.stride_tricks", as_strided=as_strided)
    lib = _Module("cupy.lib", stride_tricks=tricks)
    from_tables = [from_table(line, np) for line in names.FUNCTIONS]
    own = (asarray, where, take_along_axis, einsum, result_type, matmul, ndarray, ufunc)
    linalg = _Module(
        "cupy.linalg", **{f.__name__: f for f in (from_table(n, np.linalg) for n in names.LINALG)}
    )
    content = {name: getattr(np, name) for name in names.SAME_AS_NUMPY} | ufuncs
    content |= {f.__name__: f for f in (*from_tables, *own)}
    cupy = _Module("cupy", **content, cuda=cuda, lib=lib, linalg=linalg)
    functions = _Module("cupyx.scipy.special", **special)
    scipy = _Module("cupyx.scipy", special=functions)
    cupyx = _Module("cupyx", scatter_add=scatter_add, scipy=scipy)
    made = (cupy, cuda, runtime, lib, linalg, tricks, cupyx, scipy, functions)
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
