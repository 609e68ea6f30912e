"""An array that a training step must not lose: a strict subclass of NumPy's.

Whoever records a step's calls of NumPy sees them through a subclass of `numpy.ndarray`. What the
recorder misses, it replays wrongly. Three things escape it, and this class detects each:

* a result without the class: something stripped it, or allocated past the backend. `stripped`
  finds such arrays afterwards; an operation of this class refuses a plain array at once;
* a number read on the host: `bool`, `int`, `float`, `item` and the like raise, except in
  `tinynet.backend.check`, the one look that a replay repeats;
* random numbers drawn outside `tinynet.random`, which makes arrays by the backend too.

It computes with NumPy, so results must be those of plain arrays to the bit.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from op_case import cotangent

import tinynet as tn
from tinynet import backend, nn
from tinynet.autograd import Value


class HostRead(AssertionError):
    """A value was read on the host outside `tinynet.backend.check`."""


class PlainOperand(AssertionError):
    """A plain array met a recorded one: where it came from was not recorded."""


def _plain(x: Any) -> Any:
    """`x` with all recorded arrays in it as NumPy's, sharing their memory."""
    if isinstance(x, RecordingArray):
        return x.view(np.ndarray)
    if isinstance(x, tuple | list):
        return type(x)(_plain(v) for v in x)
    if isinstance(x, dict):
        return {k: _plain(v) for k, v in x.items()}
    if isinstance(x, np.ndarray | np.generic):
        raise PlainOperand(f"an array of shape {x.shape} and {x.dtype} is not a recorded one")
    return x


def recorded(x: Any) -> Any:
    """`x` with all arrays in it, and NumPy's numbers, as recorded ones."""
    if isinstance(x, np.ndarray | np.generic):
        return np.asarray(x).view(RecordingArray)
    if isinstance(x, tuple | list):  # NumPy's factorisations give named tuples
        return (list if isinstance(x, list) else tuple)(recorded(v) for v in x)
    if isinstance(x, dict):
        return {k: recorded(v) for k, v in x.items()}
    return x


def stripped(*arrays: Any) -> list[tuple[Any, ...]]:
    """Shapes of those that are not recorded."""
    return [np.shape(a) for a in arrays if type(a) is not RecordingArray]


def _call(function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    result = function(*_plain(args), **_plain(kwargs))
    out = kwargs.get("out")
    out = out[0] if isinstance(out, tuple) and len(out) == 1 else out
    return recorded(result) if out is None else out


def _read(function: Callable[..., Any]) -> Callable[..., Any]:
    """A method that calls `function` within `backend.check`, and raises anywhere else."""

    def read(self: RecordingArray, *args: Any) -> Any:
        frame = sys._getframe(1)
        if frame.f_code is not backend.check.__code__:
            name, line = frame.f_code.co_filename, frame.f_lineno
            raise HostRead(f"{function.__name__} of an array, at {name}:{line}")
        return function(_plain(self))

    return read


class RecordingArray(np.ndarray):
    """See the module."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(isinstance(a, Value) for a in inputs):
            return NotImplemented  # array - tensor is the Tensor's operator
        return _call(getattr(ufunc, method), inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        # np.empty(shape, like=x) comes without `like`: the result is to be of this class
        return _call(func, args, kwargs)

    # --- what NumPy hands to neither of the two ---

    def __getitem__(self, index: Any) -> Any:
        for i in index if isinstance(index, tuple) else (index,):
            if isinstance(i, RecordingArray) and i.dtype == bool:
                raise HostRead(f"the shape of x[mask] depends on a mask of shape {i.shape}")
        return recorded(_plain(self)[_plain(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        _plain(self)[_plain(index)] = _plain(value)

    def argmax(self, *args: Any, **kwargs: Any) -> Any:
        return recorded(_plain(self).argmax(*args, **kwargs))

    def argmin(self, *args: Any, **kwargs: Any) -> Any:
        return recorded(_plain(self).argmin(*args, **kwargs))

    # --- what a replay could not repeat ---

    __bool__, __int__, __float__, __index__ = map(_read, (bool, int, float, int))
    item, tolist = _read(np.ndarray.item), _read(np.ndarray.tolist)
    nonzero, tobytes = _read(np.ndarray.nonzero), _read(np.ndarray.tobytes)


# --- runs on both kinds of arrays --------------------------------------------------------------

Wrap = Callable[[Any], Any]


def plain(x: Any) -> Any:
    """The other wrap, beside `recorded`."""
    return x


def bits(arrays: Sequence[Any]) -> list[bytes]:
    return [a.view(np.ndarray).tobytes() for a in arrays]


def assert_recorded(run: Callable[[Wrap], Sequence[Any]]) -> None:
    """Recorded arrays give recorded results, bitwise equal to those of plain arrays."""
    want, found = run(plain), run(recorded)
    assert not stripped(*found)
    assert bits(found) == bits(want)
    assert {type(a) for a in want} == {np.ndarray}


def derivatives(y: Any, inputs: Sequence[tn.Tensor], wrap: Wrap) -> list[Any]:
    """y, its gradients, the same as Tensors of a graph, and the gradients of those."""
    seed = tn.Tensor(wrap(np.asarray(cotangent(y.shape, y.dtype))))
    if not y.requires_grad:
        return [y.data]
    first = tn.grad(y, inputs, seed, retain_graph=True, allow_unused=True)
    graph = tn.grad(y, inputs, seed, create_graph=True, allow_unused=True)
    tracked = [g for g in graph if g is not None and g.requires_grad]
    seeds = [tn.Tensor(wrap(np.asarray(cotangent(g.shape, g.dtype)))) for g in tracked]
    second = tn.grad(tracked, inputs, seeds, allow_unused=True) if tracked else ()
    return [a.data for a in (y, *first, *graph, *second) if a is not None]


def real(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).normal(size=shape).astype("float32")


def wrapped(module: nn.Module, wrap: Wrap) -> nn.Module:
    """The module with its parameters and buffers wrapped."""
    for t in (*module.parameters(), *module.buffers()):
        t.data = wrap(t.data)
    return module
