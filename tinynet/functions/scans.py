"""Functions along a dimension: running sums, products and extremes, differences, integrals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.backend import arange, array_module, empty, zeros
from tinynet.dtypes import in_float32
from tinynet.functions.arguments import integer, number, one_axis
from tinynet.functions.operands import promoted, real, tensor_like, to_dtype
from tinynet.functions.public import function, unrecorded
from tinynet.functions.reducing import Pair
from tinynet.ops import reduction, scans, shape
from tinynet.ops.indexing import at_axis

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


def along(name: str, op: Any, input: Tensor, dim: Any) -> Tensor:
    """An operation along one axis; a tensor of shape () has one of size 1."""
    axis = one_axis(name, dim, input.ndim)
    return op(input, dim=axis) if input.ndim else op(input.reshape(1), dim=0).reshape(())


@function
def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The running sum along `dim`; see `tinynet.ops.reduction.cumsum`."""
    return to_dtype(along("cumsum", reduction.cumsum, to_dtype(input, dtype), dim), dtype)


@function
def cumprod(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The running product along `dim`; see `tinynet.ops.scans.cumprod`."""
    return to_dtype(along("cumprod", scans.cumprod, to_dtype(input, dtype), dim), dtype)


@function
@in_float32
def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """ln of the running sum of e^x along `dim`; see `tinynet.ops.scans.logcumsumexp`."""
    return along("logcumsumexp", scans.logcumsumexp, real(input), dim)


@function
def cummax(input: Tensor, dim: int) -> Pair:
    """The largest entry so far along `dim`, and its position, the latest of ties.

    The gradient goes to the entry at that position.
    """
    return _running("cummax", "greater_equal", input, dim)


@function
def cummin(input: Tensor, dim: int) -> Pair:
    """The smallest entry so far along `dim`, and its position, the latest of ties."""
    return _running("cummin", "less_equal", input, dim)


def _running(name: str, better: str, input: Tensor, dim: Any) -> Pair:
    axis = one_axis(name, dim, input.ndim)
    if not input.ndim:
        return Pair(input.clone(), unrecorded(input, arange(1, input.data).reshape(())))
    x, xp = input.data, array_module(input.data)
    positions = empty(x.shape, x, "int64")
    best: Any = None
    for i in range(x.shape[axis]):
        now = x[at_axis(axis, i)]
        if i == 0:
            best, at = now, zeros(now.shape, now, "int64")
        else:
            taken = getattr(xp, better)(now, best) | (now != now)  # NaN is better than all
            best, at = xp.where(taken, now, best), xp.where(taken, i, at)
        positions[at_axis(axis, i)] = at
    indices = unrecorded(input, positions)
    return Pair(input.gather(axis, indices), indices)


@function
def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None
) -> Tensor:
    """The n-th differences x_{i+1} - x_i along `dim`.

    Args:
        input: at least one axis.
        n: how often differences are taken.
        dim: the axis.
        prepend, append: tensors that are joined to `input` along `dim` first.
    """
    if not input.ndim:
        raise ValueError("diff: a tensor of shape () has no axis to take differences along")
    n = integer("diff", "n", n, least=0)
    axis = one_axis("diff", dim, input.ndim)
    if n == 0:
        return input.clone()
    if prepend is not None or append is not None:
        given = {"prepend": prepend, "input": input, "append": append}
        parts = [tensor_like("diff", what, t, input) for what, t in given.items() if t is not None]
        input = shape.cat(*promoted(*parts), dim=axis)
    for _ in range(min(n, input.shape[axis])):  # nothing is left after as many
        later, earlier = input[at_axis(axis, slice(1, None))], input[at_axis(axis, slice(0, -1))]
        input = later != earlier if input.dtype.kind == "b" else later - earlier
    return input


def _trapezoids(name: str, y: Tensor, x: Any, dx: Any, dim: Any) -> Tensor:
    """The areas between neighbours: (y_i + y_{i+1}) / 2 times the distance."""
    if not y.ndim:
        raise ValueError(f"{name}: y has shape (); it must have an axis to integrate along")
    axis = one_axis(name, dim, y.ndim)
    y = real(y)
    if x is None:
        width: Any = number(name, "dx", dx)
    else:
        x = tensor_like(name, "x", x, y)
        if not x.ndim:
            raise ValueError(f"{name}: x has shape (); it must be the points along dim {dim}")
        if x.ndim == 1:
            if x.shape[0] != y.shape[axis]:
                raise RuntimeError(
                    f"{name}: x has {x.shape[0]} points and y has {y.shape[axis]} along dim {dim}; "
                    "they must be equal"
                )
            width = x.diff().reshape(-1, *[1] * (y.ndim - 1 - axis))
        else:
            if x.ndim < y.ndim:
                x = x.reshape(*[1] * (y.ndim - x.ndim), *x.shape)
            elif x.ndim > y.ndim:
                y = y.reshape(*[1] * (x.ndim - y.ndim), *y.shape)
            axis = one_axis(name, dim, y.ndim)
            width = x.diff(dim=axis)
        width, y = (real(t) for t in promoted(width, y))
    pairs = y[at_axis(axis, slice(1, None))] + y[at_axis(axis, slice(0, -1))]
    return pairs * width / 2.0


@function
@in_float32
def trapezoid(y: Tensor, x: Any = None, *, dx: float = 1.0, dim: int = -1) -> Tensor:
    """The integral of y along `dim` by the trapezoidal rule.

    Args:
        y: the values.
        x: the points, or None if neighbours are `dx` apart.
        dx: the distance of neighbours.
        dim: the axis.
    """
    return _trapezoids("trapezoid", y, x, dx, dim).sum(_end(y, x, dim))


@function
def trapz(y: Tensor, x: Any = None, *, dx: float = 1.0, dim: int = -1) -> Tensor:
    """`trapezoid` by its older name."""
    return trapezoid(y, x, dx=dx, dim=dim)


@function
@in_float32
def cumulative_trapezoid(y: Tensor, x: Any = None, *, dx: float = 1.0, dim: int = -1) -> Tensor:
    """The integrals of y from its start to each later point, by the trapezoidal rule."""
    areas = _trapezoids("cumulative_trapezoid", y, x, dx, dim)
    return areas.cumsum(_end(y, x, dim))


def _end(y: Tensor, x: Any, dim: int) -> int:
    """The axis of the areas: `dim` counts the axes of the one of x and y that has more."""
    most = y.ndim if x is None else max(y.ndim, x.ndim)
    return one_axis("trapezoid", dim, most)
