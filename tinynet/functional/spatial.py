"""What functions of inputs with spatial axes share: checks, and linear maps along an axis."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any, TypeVar

from tinynet.autograd import raw
from tinynet.backend import constant
from tinynet.functions.public import function
from tinynet.ops.linalg import matmul, transposed
from tinynet.ops.shape import reshape

AXES = "DHW"
F = TypeVar("F", bound=Callable[..., Any])


def over_axes(f: Callable[..., Any], *numbers: int) -> list[Any]:
    """The public functions of `f` for some numbers n of spatial axes: ``conv1d``, ... of ``conv``.

    They have the arguments of `f` without `n`, and its docstring, which describes images.
    """
    signature = inspect.signature(f)
    parameters = [p for p in signature.parameters.values() if p.name != "n"]
    signature = signature.replace(parameters=parameters)
    return [_over(f, n, signature) for n in numbers]


def _over(f: Callable[..., Any], n: int, signature: inspect.Signature) -> Callable[..., Any]:
    @functools.wraps(f)
    def public(*args: Any, **options: Any) -> Any:
        return f(*args, n=n, **options)

    public.__name__ = public.__qualname__ = f"{f.__name__}{n}d"
    public.__signature__ = signature  # type: ignore[attr-defined]
    if n != 2:
        public.__doc__ = f"As `{f.__name__}2d`, over {'one axis' if n == 1 else 'three axes'}."
    return function(public)


def by_example(f: F) -> F:
    """Let f(input, ..., n=n), with `n` spatial axes, take an input without an axis of examples.

    `f` gets (1, C, H, W) for (C, H, W), and its results, one or a pair, lose the axis again. For
    another number of axes than n + 2 and n + 1 a ValueError is raised.
    """

    @functools.wraps(f)
    def checked(input: Any, *args: Any, n: int, **options: Any) -> Any:
        shape = input.shape
        if len(shape) == n + 2:
            return f(input, *args, n=n, **options)
        if len(shape) == n + 1:
            return for_one_example(f, input, *args, n=n, **options)
        axes = ", ".join(("C", *AXES[-n:]))
        raise ValueError(
            f"{f.__name__}: input has shape {tuple(shape)}; it must be (N, {axes}) or ({axes})"
        )

    return checked  # type: ignore[return-value]


def for_one_example(f: Callable[..., Any], input: Any, *args: Any, **options: Any) -> Any:
    """f(input, ...) for an input without an axis of examples."""
    shape = tuple(input.shape)
    try:
        found = f(reshape(input, shape=(1, *shape)), *args, **options)
    except ValueError as error:  # with the shape that was given
        raise ValueError(str(error).replace(str((1, *shape)), str(shape))) from None
    if isinstance(found, tuple):
        return tuple(reshape(y, shape=y.shape[1:]) for y in found)
    return reshape(found, shape=found.shape[1:])


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
