"""The arrays and functions of the stand-in for CuPy; `cupy_standin` makes modules of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import cupy_names as names
import numpy as np
import scipy.special
from cupy_names import State, launch, multiply_matrices

SCALARS = (bool, int, float, complex, np.generic)


# --- in and out of the device ---------------------------------------------------------------


class Flags(NamedTuple):
    """The flags of an array's layout that CuPy has; NumPy has more."""

    c_contiguous: bool
    f_contiguous: bool


class ndarray:
    """An array that hides the NumPy array that it computes with."""

    __slots__ = ("_base", "_host")
    __array_priority__ = 100
    # Real CuPy answers np.exp(x) by calling cupy.exp; code that relies on it breaks on the first
    # function that CuPy does not know, so that here none works.
    __array_ufunc__ = None
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, host: np.ndarray, base: ndarray | None) -> None:
        self._host, self._base = host, base

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. "
            "Please use `.get()` to construct a NumPy array explicitly."
        )

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        raise TypeError(f"numpy.{func.__name__} was called with a device array")

    def __reduce__(self) -> Any:
        raise TypeError("a device array would be pickled; files hold NumPy arrays only")

    # attributes
    shape = property(lambda self: self._host.shape)
    dtype = property(lambda self: self._host.dtype)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    nbytes = property(lambda self: self._host.nbytes)
    strides = property(lambda self: self._host.strides)
    base = property(lambda self: self._base)
    T = property(lambda self: device_array(self._host.T, self))

    @property
    def flags(self) -> Flags:
        return Flags(self._host.flags.c_contiguous, self._host.flags.f_contiguous)

    # the way out
    def get(self) -> np.ndarray:
        return self._host.copy()

    def item(self) -> Any:
        return self._host.item()

    def tolist(self) -> Any:
        return self._host.tolist()

    def view(self, dtype: Any) -> ndarray:
        return device_array(self._host.view(dtype), self)

    def take(self, indices: Any, axis: Any = None) -> ndarray:
        index = np.asarray(operand(indices))
        launch()
        return device_array(np.take(self._host, index, axis, mode="wrap"))

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(
                "The truth value of an array with no or more than one element is ambiguous. "
                "Use a.any() or a.all()"
            )
        return bool(self._host)

    def __int__(self) -> int:
        return int(self._host)

    def __float__(self) -> float:
        return float(self._host)

    def __repr__(self) -> str:
        return repr(self._host)

    def __len__(self) -> int:
        return len(self._host)

    def __iter__(self) -> Iterator[ndarray]:
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    def __getitem__(self, slices: Any) -> ndarray:
        index, arrays = host_index(self.shape, slices)
        if not arrays:
            return device_array(self._host[index], self)
        launch()
        return device_array(np.asarray(self._host[index], order="C"))

    def __setitem__(self, slices: Any, value: Any) -> None:
        host = operand(value)
        launch()
        with np.errstate(all="ignore"):
            self._host[host_index(self.shape, slices)[0]] = host

    def __neg__(self) -> ndarray:
        return ufuncs["negative"](self)

    def __invert__(self) -> ndarray:
        return ufuncs["invert"](self)

    def __matmul__(self, other: Any) -> ndarray:
        return NotImplemented if _defers(other) else matmul(self, other)

    def __rmatmul__(self, other: Any) -> ndarray:
        return matmul(other, self)


def device_array(result: Any, *sources: Any) -> Any:
    """Convert the result of a NumPy function to CuPy's: 0-d arrays instead of numbers.

    A result that shares the memory of one of `sources` is a view, and says so in its `base`.
    """
    if isinstance(result, list | tuple):
        return (list if isinstance(result, list) else tuple)(
            [device_array(r, *sources) for r in result]
        )
    if isinstance(result, SCALARS):
        result = np.asarray(result)
    if not isinstance(result, np.ndarray):
        return result  # None of a function that works in place
    base = None
    for source in sources:
        if result is source._host:
            return source
        if np.may_share_memory(result, source._host):
            base = source if source._base is None else source._base
    return ndarray(result, base)


def operand(x: Any, scalars: bool = True) -> Any:
    """The NumPy side of an operand: a device array, or a number."""
    if isinstance(x, ndarray):
        return x._host
    if scalars and isinstance(x, SCALARS):
        return x
    raise TypeError(f"Unsupported type {type(x)}")


def output(out: Any) -> np.ndarray | None:
    """The NumPy side of an argument `out`."""
    if out is not None and not isinstance(out, ndarray):
        raise TypeError("Output arguments type must be cupy.ndarray")
    return None if out is None else out._host


def host_index(shape: tuple[int, ...], key: Any) -> tuple[tuple[Any, ...], bool]:
    """An index for the NumPy array, and whether there are arrays in it.

    Integers in an array are taken modulo the length of their axis, as CuPy's kernels do; a bare
    integer that is out of range is an error in both.
    """
    items = list(key) if isinstance(key, tuple) else [key]
    for i, k in enumerate(items):
        if isinstance(k, list):
            k = items[i] = device_array(np.asarray(k) if k else np.asarray(k, np.int32))
        if isinstance(k, ndarray):
            if k.dtype.kind not in "biu":
                raise IndexError(
                    "arrays used as indices must be of integer or boolean type. "
                    f"(actual: {k.dtype.type})"
                )
        elif isinstance(k, np.ndarray):
            raise TypeError(f"Unsupported type {type(k)} as an index: it lies on the host")
    used = [_axes_of(k) for k in items]
    if not any(k is Ellipsis for k in items):
        items.append(Ellipsis)  # NumPy then returns a view in 0 dimensions, not a scalar
        used.append(0)
    axis = 0
    for i, k in enumerate(items):
        if isinstance(k, ndarray):
            items[i] = k._host
            if k.dtype.kind in "iu" and axis < len(shape):
                if shape[axis] == 0 and k.size:
                    raise IndexError("cannot do a non-empty take from an empty axes.")
                items[i] = np.asarray(k._host.astype(np.int64) % max(shape[axis], 1))
        axis += len(shape) - sum(used) if k is Ellipsis else used[i]
    return tuple(items), any(isinstance(k, bool | np.bool_ | np.ndarray) for k in items)


def _axes_of(k: Any) -> int:
    """The number of axes that an item of an index covers."""
    if k is None or k is Ellipsis or isinstance(k, bool | np.bool_):
        return 0
    return k.ndim if isinstance(k, ndarray) and k.dtype.kind == "b" else 1


# --- functions from the tables --------------------------------------------------------------


class ufunc:
    """An elementwise function that accepts only the arguments that CuPy's accept."""

    def __init__(self, function: np.ufunc) -> None:
        self._function, self._short = function, function.__name__
        self.name = self.__name__ = f"cupy_{function.__name__}"
        self.nin, self.nout = function.nin, function.nout

    def __repr__(self) -> str:
        return f"<ufunc '{self.name}'>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        unknown = set(kwargs) - {"out", "dtype", "casting"}
        if unknown:
            raise TypeError(f"Wrong arguments {sorted(unknown)}")
        if not self.nin <= len(args) <= self.nin + 1:
            raise TypeError(f"Wrong number of arguments for {self.name!r}: {len(args)}")
        *inputs, out = args if len(args) > self.nin else (*args, kwargs.pop("out", None))
        hosts, kwargs["out"] = [operand(x) for x in inputs], output(out)
        launch()
        with np.errstate(all="ignore"):  # a GPU divides by zero in silence
            result = self._function(*hosts, order=State.options.order, **kwargs)
        return device_array(result) if out is None else out

    @property
    def at(self) -> Callable[..., None]:
        if not State.options.add_at:
            raise AttributeError("'ufunc' has no attribute 'at': this CuPy is older than 12")
        return self._at

    def _at(self, a: ndarray, indices: Any, b: Any = None) -> None:
        if self._short not in names.SCATTERS:
            raise NotImplementedError(f"`{self.name}.at` is not supported yet")
        index, _ = host_index(operand(a, scalars=False).shape, indices)
        integers = any(isinstance(k, np.ndarray) and k.dtype.kind != "b" for k in index)
        if integers and a.dtype.name not in names.SCATTER_DTYPES:
            raise TypeError(
                f"scatter_add only supports {', '.join(sorted(names.SCATTER_DTYPES))} "
                f"as data type, not {a.dtype}"
            )
        launch()
        self._function.at(a._host, index, np.asarray(operand(b)).astype(a.dtype))


ufuncs = {name: ufunc(getattr(np, name)) for name in names.UFUNCS}
# SciPy wraps this one in a function; CuPy's is a ufunc
zeta = scipy.special._ufuncs._zeta
special = {
    name: ufunc(zeta if name == "zeta" else getattr(scipy.special, name)) for name in names.SPECIAL
}


def _argument(name: str, value: Any, first: bool) -> Any:
    """One argument of a function from the tables, unwrapped or refused by what it should be."""
    if name == "out":
        return output(value)
    if name in names.SEQUENCES:
        if isinstance(value, ndarray | np.ndarray):
            raise TypeError(f"Unsupported type {type(value)}")
        return [operand(v, scalars=False) for v in value]
    if name in names.ARRAYS:
        return value if value is None and not first else operand(value, scalars=not first)
    if isinstance(value, ndarray | np.ndarray):
        raise TypeError(f"{name} must be plain Python, not {type(value)}")
    if name == "kind" and value not in (None, "stable"):
        raise ValueError("kind can only be None or 'stable'")
    return value


def from_table(line: str, owner: Any) -> Callable[..., Any]:
    """A function with the signature that `line` spells, which calls `owner`'s of that name."""
    name, _, rest = line.partition("(")
    signature = inspect.signature(eval(f"lambda {rest[:-1]}: None"))
    call = getattr(owner, name)

    def function(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments  # TypeError for arguments that CuPy lacks
        positional: list[Any] = []
        keywords: dict[str, Any] = {}
        sources: list[ndarray] = []
        for i, (argument, value) in enumerate(given.items()):
            parameter = signature.parameters[argument]
            values = value if parameter.kind is parameter.VAR_POSITIONAL else [value]
            hosts = [_argument(argument, v, i == 0) for v in values]
            sources += [v for v in values if isinstance(v, ndarray)]
            if parameter.default is parameter.empty:
                positional += hosts
            else:
                keywords[argument] = hosts[0]
        if name not in names.NO_KERNEL:
            launch()
        with np.errstate(all="ignore"):
            result = call(*positional, **keywords)
        return device_array(result, *sources)

    function.__name__ = function.__qualname__ = name
    function.__signature__ = signature  # type: ignore[attr-defined]
    return function


def matmul(*args: Any, out: Any = None) -> ndarray:
    left, right = (operand(x, scalars=False) for x in args)
    multiply_matrices()
    with np.errstate(all="ignore"):
        result = np.matmul(left, right, out=output(out))
    return device_array(result) if out is None else out


def _defers(other: Any) -> bool:
    """Whether an operator leaves the work to the other operand's class, by CuPy's rule."""
    if isinstance(other, (ndarray, *SCALARS)):
        return False
    if getattr(other, "__array_ufunc__", ...) is None:
        return True
    return getattr(other, "__array_priority__", 0) > ndarray.__array_priority__


def _operator(function: ufunc, form: str) -> Callable[..., Any]:
    def forward(self: ndarray, other: Any) -> Any:
        return NotImplemented if _defers(other) else function(self, other)

    def reflected(self: ndarray, other: Any) -> Any:
        return function(other, self)

    def in_place(self: ndarray, other: Any) -> Any:
        return NotImplemented if _defers(other) else function(self, other, out=self)

    return {"": forward, "r": reflected, "i": in_place}[form]


for _name, _function in names.OPERATORS.items():
    for _form in ("", "r", "i"):
        setattr(ndarray, f"__{_form}{_name}__", _operator(ufuncs[_function], _form))
for _name, _function in names.COMPARISONS.items():
    setattr(ndarray, f"__{_name}__", _operator(ufuncs[_function], ""))
for _line in names.METHODS:
    setattr(ndarray, _line.partition("(")[0], from_table(_line, np.ndarray))
