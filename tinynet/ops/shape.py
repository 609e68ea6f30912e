"""Rearrangement without arithmetic: reshape, permute, flip, cat, split, unbind, pad and crop.

All are linear, and all except `pad` and `crop` permute the entries, so the adjoint is the inverse.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from tinynet.autograd import Op
from tinynet.backend import array_module, full
from tinynet.ops.indexing import at_axis, getitem


@Op
def reshape(x: Any, *, shape: tuple[int, ...]) -> Any:
    """y = x in another shape, with the entries in C order; one size may be -1 and is inferred.

    Derivation: dy = reshape(dx), so <gy, dy> = <gy in the shape of x, dx>.
        gx = reshape(gy, shape=x_shape)
    Jacobian: the identity.
    Kinks: none; linear.
    Cost: nothing if a view is possible, else a copy; keeps the shape of x.
    Shapes: as many entries as x; dtype of x. Errors: ValueError if the counts differ.
    Source: none needed: renaming of indices.
    """
    try:
        return x.reshape(shape)
    except ValueError:
        raise ValueError(
            f"reshape: shape {tuple(x.shape)} has {x.size} entries, which do not make {shape}"
            + (f" with {math.prod(shape)}" if -1 not in shape else "")
        ) from None


@reshape.rule("x")
def reshape_gx(gy: Any, x_shape: tuple[int, ...]) -> Any:
    return reshape(gy, shape=x_shape)


@Op
def permute(x: Any, *, dims: tuple[int, ...]) -> Any:
    """y[i_dims[0], i_dims[1], ...] = x[i_0, i_1, ...]: axis k of y is axis dims[k] of x.

    Derivation: dy = permute(dx), so <gy, dy> = <gy permuted back, dx>.
        gx = permute(gy, dims=tuple(back))
    Jacobian: a permutation.
    Kinks: none; linear.
    Cost: nothing (a view); keeps nothing.
    Shapes: that of x, reordered; dtype of x.
    Errors: ValueError unless `dims` names every axis once.
    Source: none needed: renaming of indices.
    """
    try:
        if len(dims) != x.ndim:  # transpose would reverse the axes for an empty dims
            raise ValueError
        return x.transpose(dims)
    except (ValueError, IndexError):  # CuPy raises IndexError for an axis out of range
        raise ValueError(f"permute: dims {dims} must name each of {x.ndim} axes once") from None


@permute.rule("x")
def permute_gx(gy: Any, dims: tuple[int, ...]) -> Any:
    back = [0] * len(dims)
    for k, d in enumerate(dims):
        back[d % len(dims)] = k
    return permute(gy, dims=tuple(back))


@Op
def flip(x: Any, *, dims: tuple[int, ...]) -> Any:
    """y[..., i, ...] = x[..., n - 1 - i, ...] along each axis of `dims`.

    Derivation: flip is its own inverse, so <gy, dy> = <gy, flip(dx)> = <flip(gy), dx>.
        gx = flip(gy, dims=dims)
    Jacobian: a symmetric permutation.
    Kinks: none; linear.
    Cost: nothing (a view); keeps nothing.
    Shapes: that of x; dtype of x. Errors: IndexError for an axis out of range.
    Source: none needed: renaming of indices.
    """
    if any(not -x.ndim <= d < x.ndim for d in dims):
        raise IndexError(f"flip: dims {dims} are out of range for {x.ndim} axes")
    axes = {d % x.ndim for d in dims}
    return x[tuple(slice(None, None, -1) if i in axes else slice(None) for i in range(x.ndim))]


@flip.rule("x")
def flip_gx(gy: Any, dims: tuple[int, ...]) -> Any:
    return flip(gy, dims=dims)


@Op
def cat(*xs: Any, dim: int = 0) -> Any:
    """y = x_0, x_1, ... concatenated along the axis `dim`.

    Derivation: dy = dx_0, dx_1, ... concatenated, so <gy, dy> = sum_k <piece k of gy, dx_k>.
        gxs = getitem(gy, index=at_axis(dim % len(xs_shape[i]), piece))
    Jacobian: for each input, a block of columns of the identity.
    Kinks: none; linear.
    Cost: n copies forward, nothing backward (views); keeps the shapes.
    Shapes: equal except along `dim`, where sizes add up; dtype: the widest.
    Errors: ValueError for no input, or if other sizes differ; IndexError for an axis out of range.
    Source: none needed: renaming of indices.
    """
    if not xs:
        raise ValueError("cat: give at least one tensor")
    n = xs[0].ndim
    if not -n <= dim < n:
        raise IndexError(f"cat: dim {dim} is out of range for {n} axes")
    rests = {tuple(m for i, m in enumerate(x.shape) if i != dim % n) for x in xs}
    if len(rests) != 1 or any(x.ndim != n for x in xs):
        raise ValueError(
            f"cat: shapes {', '.join(str(tuple(x.shape)) for x in xs)} must be equal except at "
            f"dim {dim}"
        )
    return array_module(*xs).concatenate(xs, axis=dim)


@cat.rule("xs")
def cat_gx(gy: Any, i: int, xs_shape: Sequence[tuple[int, ...]], dim: int) -> Any:
    start = sum(shape[dim] for shape in xs_shape[:i])
    piece = slice(start, start + xs_shape[i][dim])
    return getitem(gy, index=at_axis(dim % len(xs_shape[i]), piece))


@Op
def split(x: Any, *, sizes: tuple[int, ...], dim: int) -> Any:
    """y_0, y_1, ... = x cut along the axis `dim` into pieces of the given sizes: cat's adjoint.

    Derivation: dy_k is piece k of dx, so sum_k <gy_k, dy_k> = <gy_0, gy_1, ... concatenated, dx>.
        gx = cat(*gy, dim=dim)
    Jacobian: the identity, cut into blocks of rows.
    Kinks: none; linear.
    Cost: nothing forward (views), n copies backward for any number of pieces; keeps nothing.
    Shapes: that of x except along `dim`; dtype of x.
    Errors: ValueError unless the sizes are >= 0 and add up to the size of `dim`.
    Source: none needed: renaming of indices.
    """
    ends = list(itertools.accumulate(sizes, initial=0))
    if min(sizes, default=0) < 0 or ends[-1] != x.shape[dim]:
        raise ValueError(
            f"split: sizes {list(sizes)} must be >= 0 and add up to {x.shape[dim]}, the size of "
            f"dim {dim}"
        )
    pieces = [at_axis(dim, slice(a, b)) for a, b in itertools.pairwise(ends)]
    return tuple([x[piece] for piece in pieces])


@split.rule("x")
def split_gx(gy: Any, dim: int) -> Any:
    return cat(*gy, dim=dim)


@Op
def unbind(x: Any, *, dim: int) -> Any:
    """y_k = x[..., k, ...], the slices along the axis `dim`, without that axis.

    Derivation: dy_k = dx[..., k, ...], so sum_k <gy_k, dy_k> = <gy_0, gy_1, ... stacked, dx>.
        gx = cat(*(reshape(g, shape=_with_one(g.shape, dim)) for g in gy), dim=dim)
    Jacobian: the identity, cut into blocks of rows.
    Kinks: none; linear.
    Cost: nothing forward (views), n copies backward; keeps nothing.
    Shapes: that of x without `dim`; dtype of x. Errors: ValueError if `dim` has size 0.
    Source: none needed: renaming of indices.
    """
    if x.shape[dim] == 0:
        raise ValueError(f"unbind: shape {tuple(x.shape)} has no entry along dim {dim}")
    return tuple([x[at_axis(dim, k)] for k in range(x.shape[dim])])


@unbind.rule("x")
def unbind_gx(gy: Any, dim: int) -> Any:
    return cat(*(reshape(g, shape=_with_one(g.shape, dim)) for g in gy), dim=dim)


def _with_one(shape: tuple[int, ...], dim: int) -> tuple[int, ...]:
    return (*shape[:dim], 1, *shape[dim:])


@Op
def pad(x: Any, *, widths: tuple[tuple[int, int], ...], value: float = 0.0) -> Any:
    """y = x with widths[k] = (before, after) entries of `value` added along each axis k.

    Derivation: the border is constant, so dy = dx inside it and <gy, dy> = <crop(gy), dx>.
        gx = crop(gy, widths=widths)
    Jacobian: the identity over rows of zeros.
    Kinks: none; affine, and linear for value 0.
    Cost: one copy forward, nothing backward (a view); keeps nothing.
    Shapes: one pair per axis, none negative; dtype of x. Errors: ValueError otherwise.
    Source: none needed: renaming of indices.
    """
    _check_widths("pad", x, widths)
    shape = [before + n + after for n, (before, after) in zip(x.shape, widths, strict=True)]
    y = full(tuple(shape), value, x)
    y[_inside(widths, y.shape)] = x
    return y


@pad.rule("x")
def pad_gx(gy: Any, widths: tuple[tuple[int, int], ...]) -> Any:
    return crop(gy, widths=widths)


@Op
def crop(x: Any, *, widths: tuple[tuple[int, int], ...]) -> Any:
    """y = x without its first and last widths[k] = (before, after) entries along each axis k.

    Derivation: dy = dx inside; the rest does not enter, so <gy, dy> = <pad(gy) with zeros, dx>.
        gx = pad(gy, widths=widths)
    Jacobian: a selection.
    Kinks: none; linear.
    Cost: nothing forward (a view), one copy backward; keeps nothing.
    Shapes: one pair per axis, none negative, at most the size in total; dtype of x.
    Errors: ValueError otherwise.
    Source: none needed: renaming of indices.
    """
    _check_widths("crop", x, widths)
    if any(before + after > n for n, (before, after) in zip(x.shape, widths, strict=True)):
        raise ValueError(f"crop: widths {widths} exceed shape {tuple(x.shape)}")
    return x[_inside(widths, x.shape)]


@crop.rule("x")
def crop_gx(gy: Any, widths: tuple[tuple[int, int], ...]) -> Any:
    return pad(gy, widths=widths)


def _check_widths(name: str, x: Any, widths: tuple[tuple[int, int], ...]) -> None:
    if len(widths) != x.ndim or any(w < 0 for pair in widths for w in pair):
        raise ValueError(f"{name}: widths {widths} must be {x.ndim} pairs of numbers >= 0")


def _inside(widths: tuple[tuple[int, int], ...], shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(b, n - a) for n, (b, a) in zip(shape, widths, strict=True))
