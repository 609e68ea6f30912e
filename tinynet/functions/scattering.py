"""Functions that put or add entries at positions, into a copy.

Where a position occurs twice, the last entry wins (on a GPU any of them), and only it gets a
gradient. Names that end in an underscore change the tensor itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet import backend
from tinynet.autograd import Value
from tinynet.backend import arange, array_module, check, full, is_array, zeros
from tinynet.functions.arguments import one_axis
from tinynet.functions.gathering import aligned, positions, rows
from tinynet.functions.operands import tensor_like
from tinynet.functions.public import function, shown, unrecorded
from tinynet.memory import broadcast_to
from tinynet.ops import arithmetic, broadcast, indexing
from tinynet.ops.indexing import at_axis

if TYPE_CHECKING:
    from tinynet.tensor import Tensor

REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


# --- at positions along an axis: index has as many axes as x --------------------------------------


@function
def scatter(
    input: Tensor, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: Any = None
) -> Tensor:
    """A copy of x with y[i, index[i, j, k], k] = src[i, j, k] for dim 1.

    Args:
        input: any shape.
        dim: the axis to index.
        index: integers >= 0, with as many axes as x.
        src: of the dtype of x, at least as large as `index` along each axis; or a number.
        value: a number, in the place of `src`.
        reduce: "add" or "multiply", to combine with the entry that is there.

    Raises:
        ValueError: if a shape does not fit.
        IndexError: if an index is out of range.
    """
    src = value if src is None else src
    if src is None:
        raise TypeError("scatter: src is None; it must be a Tensor or a number")
    if reduce is None:
        x, places, piece = _prepared("scatter", input, dim, index, src)
        return overwritten(x, places, piece).reshape(input.shape)
    if reduce not in ("add", "multiply"):
        raise ValueError(f'scatter: reduce is {shown(reduce)}; it must be "add" or "multiply"')
    way = {"add": "sum", "multiply": "prod"}[reduce]
    return _reduced("scatter", input, dim, index, src, way, True)


@function
def scatter_add(input: Tensor, dim: int, index: Any, src: Tensor) -> Tensor:
    """A copy of x with src[i, j, k] added at [i, index[i, j, k], k] for dim 1.

    `dim`, `index` and `src` are as in `scatter`; what belongs to one position adds up.
    """
    return _reduced("scatter_add", input, dim, index, src, "sum", True)


@function
def scatter_reduce(
    input: Tensor, dim: int, index: Any, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """A copy of x with the sum, product, mean, maximum or minimum of what `src` has for a position.

    Args:
        input: any shape.
        dim: the axis to index.
        index: integers >= 0, with as many axes as x.
        src: of the dtype of x, at least as large as `index` along each axis.
        reduce: "sum", "prod", "mean", "amax" or "amin".
        include_self: whether the entry of x counts too. Entries without a position stay.
    """
    return _reduced("scatter_reduce", input, dim, index, src, reduce, include_self)


def _reduced(
    name: str, x: Tensor, dim: Any, index: Any, src: Any, reduce: Any, include_self: bool
) -> Tensor:
    if reduce not in REDUCTIONS:
        ways = ", ".join(REDUCTIONS)
        raise ValueError(f"{name}: reduce is {shown(reduce)}; it must be one of {ways}")
    plain, places, piece = _prepared(name, x, dim, index, src)
    return combined(plain, places, piece, reduce, include_self).reshape(x.shape)


def _prepared(
    name: str, x: Tensor, dim: Any, index: Any, src: Any
) -> tuple[Tensor, tuple[Any, ...], Tensor]:
    """x with an axis, the positions as an index, and src in the shape of the index."""
    x, places, shape = aligned(name, x, dim, index)
    wide = places[0].shape if not shape or 0 in shape else shape
    if not isinstance(src, Value):
        if is_array(src) or not isinstance(src, int | float):
            raise TypeError(f"{name}: src is {shown(src)}; it must be a Tensor or a number")
        number = unrecorded(x, full((), src, x.data))
        return x, places, broadcast.expand(number, shape=wide)
    piece: Any = src
    if piece.dtype != x.dtype:
        raise TypeError(f"{name}: src is {piece.dtype} and input {x.dtype}; convert one with .to")
    if 0 in shape:
        return x, places, broadcast.expand(unrecorded(x, full((), 0, x.data)), shape=wide)
    if len(shape) != piece.ndim or any([n > m for n, m in zip(shape, piece.shape, strict=False)]):
        raise ValueError(
            f"{name}: src {piece.shape} must have as many axes as the index {shape}, and be at "
            "least as large along each"
        )
    return x, places, piece[tuple([slice(n) for n in shape])].reshape(wide)


def overwritten(x: Tensor, places: tuple[Any, ...], src: Tensor) -> Tensor:
    """A copy of x with x[places] = src: the number of the entry that each position gets is a
    constant, and the rest is a choice between the entries of src and x."""
    if not src.numel():
        return x.clone()
    winner = full(x.shape, -1, x.data, "int64")
    numbers = arange(src.numel(), x.data).reshape(src.shape)
    winner[places] = numbers
    taken = winner >= 0
    entries = src.flatten()
    new = indexing.getitem(entries, index=array_module(winner).maximum(winner, 0))
    return arithmetic.where(taken, new, x)


def combined(
    x: Tensor, places: tuple[Any, ...], src: Tensor, reduce: str, include_self: bool
) -> Tensor:
    """x, with the entries of src at `places` reduced into it."""
    count = zeros(x.shape, x.data, "int32")  # CuPy adds no int64 at indices
    _add(count, places, src.shape)
    hit = count > 0
    neutral = {"prod": 1, "amax": None, "amin": None}.get(reduce, 0)
    if reduce in ("amax", "amin"):
        return _extreme(x, places, src, reduce, hit, include_self)
    neutral = bool(neutral) if x.dtype.kind == "b" else neutral
    if not include_self:
        x = arithmetic.where(hit, neutral, x)
    if reduce == "prod":
        places = tuple([broadcast_to(p, src.shape) for p in places])
        for some in _rounds(places, src.shape, x):  # no position occurs twice in a round
            here = tuple([p[some] for p in places])
            x = overwritten(x, here, x[here] * src[some])
        return x
    total = x + indexing.index_add(src, shape=x.shape, indices=(places,)) if src.numel() else x
    if reduce == "sum":
        return total
    n = array_module(count).maximum(count + bool(include_self), 1)
    if x.dtype.kind != "f":
        return unrecorded(x, (total.data // n).astype(x.dtype))
    return total / unrecorded(x, n.astype(x.dtype))


def _add(count: Any, places: tuple[Any, ...], shape: tuple[int, ...]) -> None:
    backend.index_add(count, places, full(shape, 1, count))


def _extreme(
    x: Tensor, places: tuple[Any, ...], src: Tensor, reduce: str, hit: Any, include_self: bool
) -> Tensor:
    """The largest (or smallest) entries for each position; ties share the gradient equally."""
    largest = reduce == "amax"
    y = x.data.copy()
    if not include_self:  # start from an entry that each position has
        y[places] = src.data
    function = getattr(array_module(y), "maximum" if largest else "minimum")
    function.at(y, places, src.data)
    if x.dtype.kind != "f" or not (x.requires_grad or src.requires_grad):
        return unrecorded(x, y)
    mine = (x.data == y) & (include_self | ~hit)
    theirs = src.data == y[places]
    ties = zeros(y.shape, y, "int32") + mine
    backend.index_add(ties, places, theirs.astype("int32"))
    share = unrecorded(x, 1.0 / array_module(ties).maximum(ties, 1).astype(x.dtype))
    mine_of, theirs_of = (
        t - t.detach() for t in (x, src)
    )  # zeros, with the gradients of x and src
    spread = arithmetic.where(mine, mine_of, 0.0) + indexing.index_add(
        arithmetic.where(theirs, theirs_of, 0.0), shape=x.shape, indices=(places,)
    )
    return unrecorded(x, y) + arithmetic.where(ties > 0, spread * share, 0.0)


def _rounds(places: tuple[Any, ...], shape: tuple[int, ...], x: Tensor) -> list[Any]:
    """The entries of src in rounds: the first of every position, the second, and so on."""
    flat = zeros(shape, x.data, "int64")
    for p, n in zip(places, x.shape, strict=True):
        flat = flat * n + p
    seen: dict[int, int] = {}
    ranks = []
    for k in flat.ravel().tolist():
        ranks.append(seen.get(k, 0))
        seen[k] = ranks[-1] + 1
    found = []
    for r in range(max(ranks, default=-1) + 1):
        chosen = [i for i, rank in enumerate(ranks) if rank == r]
        mask = zeros((len(ranks),), x.data, "bool")
        mask[chosen] = True
        found.append(mask.reshape(shape))
    return found


# --- whole slices at positions along an axis: index is a vector -----------------------------------


def _slices(name: str, x: Tensor, dim: Any, index: Any, piece: Tensor) -> tuple[int, Any, Tensor]:
    """The axis, the positions, and the slices, with the shape of x but along the axis."""
    at, index = rows(name, x, dim, index)
    if piece.dtype != x.dtype:
        raise TypeError(
            f"{name}: source is {piece.dtype} and input {x.dtype}; convert one with .to"
        )
    if not x.ndim or not piece.ndim:
        wanted: tuple[int, ...] = (1,) * max(x.ndim, 1)
        fits = piece.numel() == 1 == index.size and x.ndim <= 1
        piece = piece.reshape(wanted) if fits else piece
    else:
        wanted = (*x.shape[:at], index.size, *x.shape[at + 1 :])
        fits = piece.shape == wanted
    if not fits:
        raise ValueError(
            f"{name}: source {piece.shape} for {index.size} positions along dim {dim} of shape "
            f"{x.shape} must have the shape {wanted}"
        )
    return at, index, piece


@function
def index_add(input: Tensor, dim: int, index: Any, source: Tensor, *, alpha: float = 1) -> Tensor:
    """A copy of x with alpha times the slices of `source` added at positions along `dim`."""
    at, index, piece = _slices("index_add", input, dim, index, source)
    piece = piece if alpha == 1 else piece * alpha
    x = input if input.ndim else input.reshape(1)
    if not index.size:
        return x.clone().reshape(input.shape)
    y = x + indexing.index_add(piece, shape=x.shape, indices=(at_axis(at, index),))
    return y.reshape(input.shape)


@function
def index_copy(input: Tensor, dim: int, index: Any, source: Tensor) -> Tensor:
    """A copy of x with the slices of `source` at positions along `dim`."""
    at, index, piece = _slices("index_copy", input, dim, index, source)
    x = input if input.ndim else input.reshape(1)
    return overwritten(x, at_axis(at, index), piece).reshape(input.shape)


@function
def index_fill(input: Tensor, dim: int, index: Any, value: Any) -> Tensor:
    """A copy of x with one number in the slices at positions along `dim`."""
    at, index = one_axis("index_fill", dim, input.ndim), positions("index_fill", index, input)
    x = input if input.ndim else input.reshape(1)
    n = x.shape[at]
    index = index.reshape(-1)
    check(
        (index >= -n) & (index < n),
        lambda: IndexError(f"index_fill: an index is out of range for {n}, the size of dim {dim}"),
    )
    hit = zeros((n, *(1,) * (x.ndim - at - 1)), x.data, "bool")
    hit[index] = True
    return x.masked_fill(hit, value).reshape(input.shape)


@function
def index_reduce(
    input: Tensor, dim: int, index: Any, source: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """A copy of x with slices of `source` reduced into positions, as in `scatter_reduce`."""
    if reduce not in REDUCTIONS[1:]:
        ways = ", ".join(REDUCTIONS[1:])
        raise ValueError(f"index_reduce: reduce is {shown(reduce)}; it must be one of {ways}")
    at, index, piece = _slices("index_reduce", input, dim, index, source)
    x = input if input.ndim else input.reshape(1)
    line = index.reshape([-1 if k == at else 1 for k in range(x.ndim)])
    places = indexing.along("index_reduce", broadcast_to(line, piece.shape), at, x.shape)
    return combined(x, places, piece, reduce, include_self).reshape(input.shape)


# --- at any positions -----------------------------------------------------------------------------


@function
def index_put(input: Tensor, indices: Any, values: Any, accumulate: bool = False) -> Tensor:
    """A copy of x with x[indices] = values, which broadcast; or added there.

    Args:
        input: any shape.
        indices: a tuple of integers or booleans, as in ``x[indices]``.
        values: a Tensor of the dtype of x, or a number.
        accumulate: whether to add, where repeated positions add up.
    """
    if not isinstance(indices, tuple | list):
        raise TypeError(f"index_put: indices is {shown(indices)}; it must be a tuple of Tensors")
    try:
        places = indexing.plain_index(tuple(indices), input.data)
    except (TypeError, ValueError):
        places = ("",)
    if any([isinstance(p, str) or (is_array(p) and p.dtype.kind not in "iub") for p in places]):
        raise IndexError("index_put: indices must be tensors of integers or booleans")
    if isinstance(values, int | float):
        values = unrecorded(input, full((), values, input.data))
    values = tensor_like("index_put", "values", values, input)
    if values.dtype != input.dtype:
        raise TypeError(
            f"index_put: values are {values.dtype} and input {input.dtype}; convert one"
        )
    shape = indexing.getitem(input.detach(), index=places).shape  # also checks the range
    piece = broadcast.expand(values, shape=shape)
    if accumulate:
        return input + indexing.index_add(piece, shape=input.shape, indices=(places,))
    return overwritten(input, places, piece)
