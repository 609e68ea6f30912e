"""Functions that create tensors by a rule: evenly spaced numbers, the identity, triangles."""

from __future__ import annotations

import math
from typing import Any

from tinynet import backend, dtypes
from tinynet.creation import filled, tensor
from tinynet.functions.arguments import integer, number, sizes_of
from tinynet.functions.public import function
from tinynet.tensor import Tensor


@function
def arange(
    *bounds: Any,
    start: Any = None,
    end: Any = None,
    step: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The numbers start, start + step, ... before `end`: ``arange(end)``, ``arange(start, end)``.

    Their dtype is by default int64, and float32 if one of the three is a float.

    Raises:
        ValueError: for step 0, and if `end` lies in the other direction.

    >>> arange(0, 1, 0.25)
    tensor([0.  , 0.25, 0.5 , 0.75])
    """
    given = list(bounds)
    if len(given) == 1 and end is None:
        given = [0 if start is None else start, *given]
    elif start is not None:
        given.insert(0, start)
    if end is not None:
        given = [*given, end] if given else [0, end]
    if step is not None:
        given.append(step)
    if not 2 <= len(given) <= 3:
        raise TypeError("arange: give an end, or start and end, and perhaps a step")
    first, last, by = [number("arange", "a bound", b) for b in (*given, 1)[:3]]
    if not all(map(math.isfinite, (first, last, by))):
        raise ValueError(f"arange: {first}, {last} and {by} must be finite")
    if dtype is not None and dtypes.as_dtype(dtype).kind != "f":
        first, last, by = int(first), int(last), int(by)
    if not by:
        raise ValueError("arange: step is 0; it must not be")
    if (last - first) * by < 0:
        raise ValueError(f"arange: step {by} leads away from {last}, starting at {first}")
    whole = not any([isinstance(n, float) for n in (first, last, by)])
    count = -((first - last) // by) if whole else math.ceil((last - first) / by)
    dtype = ("int64" if whole else "float32") if dtype is None else dtype
    array = backend.sequence_on(first, by, int(count), dtype, device)
    return Tensor(array).requires_grad_(requires_grad)


@function
def linspace(
    start: Any,
    end: Any,
    steps: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` numbers from `start` to `end`, both included, equally far apart; float32."""
    array = _line("linspace", start, end, steps, dtype, device)
    return tensor(array, "float32" if dtype is None else dtype, requires_grad)


@function
def logspace(
    start: Any,
    end: Any,
    steps: Any,
    base: float = 10.0,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` powers of `base`, with exponents as `linspace` has them; float32."""
    array = number("logspace", "base", base) ** _line("logspace", start, end, steps, dtype, device)
    return tensor(array, "float32" if dtype is None else dtype, requires_grad)


def _line(name: str, start: Any, end: Any, steps: Any, dtype: Any, device: Any) -> Any:
    """The numbers in float64, counted from the nearer end, so that both ends are exact."""
    first, last = number(name, "start", start), number(name, "end", end)
    n = integer(name, "steps", steps)
    if dtype is not None and dtypes.as_dtype(dtype).kind != "f":
        first, last = int(first), int(last)
    if n < 0:
        raise ValueError(f"{name}: steps is {n}; it must be at least 0")
    step = (last - first) / max(n - 1, 1)
    line = backend.sequence_on(0, 1, n, "float64", device)
    y = first + line * step
    late = line >= n / 2 if n > 1 else line < 0
    y[late] = (last - (n - 1 - line) * step)[late]
    return y


@function
def eye(
    n: Any,
    m: Any = None,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The identity matrix (n, n), or the first n rows and m columns of one; float32."""
    height = integer("eye", "n", n)
    out = filled("eye", (height, height if m is None else m), 0, dtype, False, device, layout)
    k = min(out.shape)
    places = backend.sequence_on(0, 1, k, "int64", out.device)
    out.data[places, places] = 1
    return out.requires_grad_(requires_grad)


@function
def tril_indices(
    row: Any,
    col: Any,
    offset: Any = 0,
    *,
    dtype: Any = None,
    device: Any = None,
    layout: Any = None,
) -> Tensor:
    """The rows and columns (2, n) of the entries of `tril`, in row-major order."""
    return _corner("tril_indices", row, col, offset, dtype, device, True)


@function
def triu_indices(
    row: Any,
    col: Any,
    offset: Any = 0,
    *,
    dtype: Any = None,
    device: Any = None,
    layout: Any = None,
) -> Tensor:
    """The rows and columns (2, n) of the entries of `triu`, in row-major order."""
    return _corner("triu_indices", row, col, offset, dtype, device, False)


def _corner(
    name: str, row: Any, col: Any, offset: Any, dtype: Any, device: Any, lower: bool
) -> Tensor:
    (height, width), k = sizes_of(name, (row, col)), integer(name, "offset", offset)
    if min(height, width) < 0:
        raise ValueError(f"{name}: {height} rows and {width} columns; both must be at least 0")
    kept = [(i, j) for i in range(height) for j in range(width)
            if (j - i <= k if lower else j - i >= k)]  # fmt: skip
    numbers = [[i for i, _ in kept], [j for _, j in kept]]
    return tensor(numbers, "int64" if dtype is None else dtype, device=device)
