"""Functions that join several tensors."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from tinynet.autograd import Value
from tinynet.functions.arguments import integer, one_axis
from tinynet.functions.operands import several, tensors_of
from tinynet.functions.promoting import common_dtype
from tinynet.functions.public import function, shown
from tinynet.functions.shaping import broadcast_tensors
from tinynet.ops import shape

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


def _joined(name: str, tensors: list[Tensor], dim: Any) -> Tensor:
    """`cat`; an empty tensor of one axis fits everything, as in PyTorch."""
    if any([not t.ndim for t in tensors]):
        raise ValueError(f"{name}: a tensor of shape () has no axis to join along; use stack")
    dtype = common_dtype(*(t.data for t in tensors))
    tensors = [t.to(dtype) for t in tensors]
    tensors = [t for t in tensors if t.shape != (0,)] or tensors[:1]
    at = one_axis(name, dim, tensors[0].ndim)
    _check_shapes(name, tensors, at)
    return shape.cat(*tensors, dim=at)


def _check_shapes(name: str, tensors: list[Tensor], but: int | None) -> None:
    shapes = list(dict.fromkeys(t.shape for t in tensors))
    rests = {tuple(-1 if i == but else n for i, n in enumerate(s)) for s in shapes}
    if len(rests) != 1:
        where = "" if but is None else f" except along dim {but}"
        raise ValueError(f"{name}: shapes {', '.join(map(str, shapes))} must be equal{where}")


@function
def cat(tensors: Any, dim: int = 0) -> Tensor:
    """Join tensors along the axis `dim`; see `tinynet.ops.shape.cat`."""
    return _joined("cat", tensors_of("cat", tensors), dim)


@function
def concat(tensors: Any, dim: int = 0) -> Tensor:
    """The same as `cat`."""
    return cat(tensors, dim)


@function
def concatenate(tensors: Any, dim: int = 0) -> Tensor:
    """The same as `cat`, by NumPy's name."""
    return cat(tensors, dim)


@function
def stack(tensors: Any, dim: int = 0) -> Tensor:
    """Stack tensors of equal shape along a new axis `dim`.

    Raises:
        ValueError: if there are no tensors or their shapes differ.
    """
    return _stacked("stack", tensors_of("stack", tensors), dim)


def _stacked(name: str, tensors: list[Tensor], dim: Any) -> Tensor:
    _check_shapes(name, tensors, None)
    at = one_axis(name, dim, tensors[0].ndim + 1)
    return _joined(name, [t.unsqueeze(at) for t in tensors], at)


@function
def hstack(tensors: Any) -> Tensor:
    """Join side by side: along axis 1, and vectors along their only axis."""
    found = [atleast_1d(t) for t in tensors_of("hstack", tensors)]
    return _joined("hstack", found, 0 if found[0].ndim == 1 else 1)


@function
def vstack(tensors: Any) -> Tensor:
    """Join one below the other: along axis 0, vectors as rows."""
    return _joined("vstack", [atleast_2d(t) for t in tensors_of("vstack", tensors)], 0)


@function
def row_stack(tensors: Any) -> Tensor:
    """The same as `vstack`."""
    return vstack(tensors)


@function
def dstack(tensors: Any) -> Tensor:
    """Join along axis 2; a vector of n counts as (1, n, 1), a matrix gets a last axis of 1."""
    return _joined("dstack", [atleast_3d(t) for t in tensors_of("dstack", tensors)], 2)


@function
def column_stack(tensors: Any) -> Tensor:
    """Join along axis 1, numbers and vectors as columns."""
    found = tensors_of("column_stack", tensors)
    found = [t.reshape(t.numel(), 1) if t.ndim <= 1 else t for t in found]
    return _joined("column_stack", found, 1)


def _each(name: str, tensors: tuple[Any, ...], lift: Any) -> Any:
    """`lift` of one tensor, or of each of several."""
    if len(tensors) == 1 and isinstance(tensors[0], Value):
        return lift(tensors[0])
    return tuple([lift(t) for t in several(name, tensors)])


@function
def atleast_1d(*tensors: Any) -> Any:
    """The tensor, or each of several, with a leading axis of size 1 if it has shape ()."""
    return _each("atleast_1d", tensors, lambda t: t if t.ndim else t.reshape(1))


@function
def atleast_2d(*tensors: Any) -> Any:
    """The tensor, or each of several, with leading axes of size 1 up to two axes."""

    def lift(t: Tensor) -> Tensor:
        return t if t.ndim > 1 else t.reshape(1, t.numel())

    return _each("atleast_2d", tensors, lift)


@function
def atleast_3d(*tensors: Any) -> Any:
    """The tensor, or each of several, with three axes: (n,) as (1, n, 1), (n, m) as (n, m, 1)."""

    def lift(t: Tensor) -> Tensor:
        return t if t.ndim > 2 else atleast_2d(t).unsqueeze(2)

    return _each("atleast_3d", tensors, lift)


@function
def block_diag(*tensors: Any) -> Tensor:
    """A matrix with the given matrices along its diagonal and zeros elsewhere; vectors are rows."""
    found = several("block_diag", tensors)
    if any([t.ndim > 2 for t in found]):
        shapes = ", ".join(str(t.shape) for t in found)
        raise ValueError(f"block_diag: shapes {shapes} must have at most two axes")
    dtype = common_dtype(*(t.data for t in found))
    blocks = [atleast_2d(t).to(dtype) for t in found]
    height, width = (sum(b.shape[k] for b in blocks) for k in (0, 1))
    rows, up, left = [], 0, 0
    for b in blocks:
        n, m = b.shape
        rows.append(shape.pad(b, widths=((0, 0), (left, width - left - m))))
        up, left = up + n, left + m
    assert up == height
    return shape.cat(*rows, dim=0)


@function
def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Coordinates of a grid: y_k[i_0, i_1, ...] = x_k[i_k], one tensor for each given vector.

    Args:
        tensors: vectors, or numbers as vectors of one entry.
        indexing: "ij" for axes in the order of the vectors, "xy" with the first two exchanged.
    """
    found = several("meshgrid", tensors)
    if any([t.ndim > 1 for t in found]):
        shapes = ", ".join(str(t.shape) for t in found)
        raise ValueError(f"meshgrid: shapes {shapes} must have at most one axis")
    if len({t.dtype for t in found}) > 1:
        kinds = ", ".join(str(t.dtype) for t in found)
        raise TypeError(f"meshgrid: dtypes {kinds} must be equal; convert one with .to")
    if indexing not in ("ij", "xy"):
        raise ValueError(f'meshgrid: indexing is {shown(indexing)}; it must be "ij" or "xy"')
    n = len(found)
    lines = [
        t.reshape(*(t.numel() if i == k else 1 for i in range(n))) for k, t in enumerate(found)
    ]
    grids = broadcast_tensors(*lines)
    return grids if indexing == "ij" or n < 2 else tuple([g.transpose(0, 1) for g in grids])


@function
def cartesian_prod(*tensors: Any) -> Tensor:
    """All combinations of one entry from each vector, a row each, the last changing fastest."""
    found = several("cartesian_prod", tensors)
    if any([t.ndim != 1 for t in found]):
        shapes = ", ".join(str(t.shape) for t in found)
        raise ValueError(f"cartesian_prod: shapes {shapes} must have one axis")
    if len(found) == 1:
        return found[0]
    return _stacked("cartesian_prod", [g.flatten() for g in meshgrid(*found)], 1)


@function
def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All choices of r entries of a vector, a row each, in the order of their positions."""
    if input.ndim != 1:
        raise ValueError(f"combinations: shape {input.shape} must have one axis")
    r = integer("combinations", "r", r, least=0)
    choose: Any = itertools.combinations
    if with_replacement:
        choose = itertools.combinations_with_replacement
    rows = list(choose(range(input.numel()), r))
    if not rows or not r:  # PyTorch has no row of nothing either
        return input[:0].reshape(0, r) if r else input[:0]
    return input[rows]
