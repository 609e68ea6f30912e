"""What functions of inputs with spatial axes share: checks, and linear maps along an axis."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from tinynet.autograd import raw
from tinynet.backend import constant
from tinynet.dtypes import float32
from tinynet.ops.conversion import cast
from tinynet.ops.linalg import matmul, transposed
from tinynet.ops.shape import reshape

AXES = "DHW"


def by_example(n: int, f: Callable[..., Any], input: Any, *args: Any) -> Any:
    """f(n, input, *args) for an input with `n` spatial axes; it may lack the axis of examples.

    `f` gets (1, C, H, W) for (C, H, W), and its results, one or a pair, lose the axis again.

    Raises:
        ValueError: for another number of axes.
    """
    shape = input.shape
    if len(shape) == n + 2:
        return f(n, input, *args)
    if len(shape) == n + 1:
        return for_one_example(f, n, input, *args)
    axes = ", ".join(("C", *AXES[-n:]))
    raise ValueError(
        f"{f.__name__}: input has shape {tuple(shape)}; it must be (N, {axes}) or ({axes})"
    )


def for_one_example(f: Callable[..., Any], n: int, input: Any, *args: Any) -> Any:
    """f(n, input, *args) for an input without an axis of examples."""
    shape = tuple(input.shape)
    try:
        found = f(n, reshape(input, shape=(1, *shape)), *args)
    except ValueError as error:  # with the shape that was given
        raise ValueError(str(error).replace(str((1, *shape)), str(shape))) from None
    if isinstance(found, tuple):
        return tuple(reshape(y, shape=y.shape[1:]) for y in found)
    return reshape(found, shape=found.shape[1:])


def rounding_once(f: Callable[..., Any]) -> Callable[..., Any]:
    """f(n, input, ...) computed in float32 for a float16 input, and the result rounded once.

    Half precision would round after each addition of a sum, and overflow beyond 65504.
    """

    @functools.wraps(f)
    def computed(n: int, input: Any, *args: Any) -> Any:
        dtype = raw(input).dtype
        if dtype != "float16":
            return f(n, input, *args)
        y = f(n, cast(input, dtype=float32, back=dtype), *args)
        return cast(y, dtype=dtype, back=float32)

    return computed


def along_axis(matrix: list[list[float]], x: Any, axis: int) -> Any:
    """y[..., i, ...] = sum_k A_ik x[..., k, ...] along one axis of x, for a matrix of constants."""
    A = constant(matrix, raw(x), raw(x).dtype)
    if axis == len(x.shape) - 1:
        return matmul(x, transposed(A))
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    if len(after) > 1:  # the axes behind it in one
        x = reshape(x, shape=(*before, x.shape[axis], math.prod(after)))
    y = matmul(A, x)
    return y if len(after) == 1 else reshape(y, shape=(*before, len(matrix), *after))
