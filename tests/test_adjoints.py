"""<A x, c> = <x, A^T c> for pairs of linear operations, over drawn shapes and geometries."""

from __future__ import annotations

import math
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinynet as tn
from tinynet.kernels import convolution as kernels
from tinynet.ops import broadcast, convolution, indexing, pooling, reduction, shape, windows
from tinynet.testing import GradientError, check_adjoint, definitions
from tinynet.testing.strategies import (
    Geometry,
    arrays,
    broadcastable_shapes,
    convolutions,
    poolings,
    shapes,
)
from tinynet.window import Window


def empty(*sizes: int) -> np.ndarray:
    """check_adjoint draws the numbers itself."""
    return np.empty(sizes)


def window_of(g: Geometry) -> Window:
    return Window(g.kernel, g.stride, g.padding, g.dilation)


@given(broadcastable_shapes())
def test_expand_and_sum_to(pair: tuple[tuple[int, ...], ...]) -> None:
    full = np.broadcast_shapes(*pair)
    for small in pair:
        check_adjoint(
            lambda x: broadcast.expand(x, shape=full),
            lambda c, small=small: broadcast.sum_to(c, shape=small),
            empty(*small),
        )


@given(convolutions())
def test_unfold_and_fold(g: Geometry) -> None:
    check_adjoint(
        lambda x: windows.unfold(x, window=window_of(g)),
        lambda c: windows.fold(c, output_size=(g.H, g.W), window=window_of(g)),
        empty(*g.x_shape),
    )


@given(convolutions(), st.integers(0, 2**32 - 1))
def test_convolution_and_its_adjoints(g: Geometry, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, w = rng.standard_normal(g.x_shape), rng.standard_normal(g.w_shape)
    options: Any = {"window": window_of(g), "groups": g.groups}
    check_adjoint(
        lambda x: convolution.conv2d(x, w, **options),
        lambda c: convolution.conv2d_input(c, w, size=(g.H, g.W), **options),
        empty(*g.x_shape),
    )
    check_adjoint(
        lambda w: convolution.conv2d(x, w, **options),
        lambda c: convolution.conv2d_weight(c, x, **options),
        empty(*g.w_shape),
    )
    check_adjoint(
        lambda c: convolution.conv2d_weight(c, x, **options),
        lambda w: convolution.conv2d(x, w, **options),
        empty(*g.y_shape),
    )


@given(poolings())
def test_sum_pool_and_unpool(g: Geometry) -> None:
    check_adjoint(
        lambda x: pooling.sum_pool2d(x, window=window_of(g)),
        lambda c: pooling.sum_unpool2d(c, size=(g.H, g.W), window=window_of(g)),
        empty(*g.x_shape),
    )


@given(poolings(), st.integers(0, 2**32 - 1))
def test_gathering_and_scattering_at_the_argmax(g: Geometry, seed: int) -> None:
    taps = np.random.default_rng(seed).integers(0, math.prod(g.kernel), g.y_shape)
    options: Any = {"argmax": taps.astype("uint8"), "window": window_of(g)}
    check_adjoint(
        lambda x: pooling.gather_at_argmax(x, **options),
        lambda c: pooling.max_unpool2d(c, size=(g.H, g.W), **options),
        empty(*g.x_shape),
    )


@given(shapes(), st.data())
def test_pad_and_crop(sizes: tuple[int, ...], data: Any) -> None:
    pair = st.tuples(st.integers(0, 3), st.integers(0, 3))
    widths = tuple(data.draw(pair) for _ in sizes)
    check_adjoint(
        lambda x: shape.pad(x, widths=widths),
        lambda c: shape.crop(c, widths=widths),
        empty(*sizes),
    )


@given(shapes(min_dims=1, min_side=1), st.data())
def test_getitem_and_index_add(sizes: tuple[int, ...], data: Any) -> None:
    parts = []
    for n in sizes:
        integers = st.lists(st.integers(-n, n - 1), max_size=4).map(lambda v: np.array(v, "int64"))
        parts.append(data.draw(st.one_of(st.integers(-n, n - 1), st.slices(n), integers)))
        if isinstance(parts[-1], np.ndarray):
            break  # one array of integers is enough; more would have to broadcast
    index = tuple(parts)
    check_adjoint(
        lambda x: indexing.getitem(x, index=index),
        lambda c: indexing.index_add(c, shape=sizes, indices=(index,)),
        empty(*sizes),
    )


@given(shapes(min_dims=1), st.data())
def test_rearrangements(sizes: tuple[int, ...], data: Any) -> None:
    n = len(sizes)
    x = empty(*sizes)
    dim = data.draw(st.integers(-n, n - 1))
    check_adjoint(lambda x: shape.flip(x, dims=(dim,)), lambda c: shape.flip(c, dims=(dim,)), x)
    check_adjoint(
        lambda x: reduction.cumsum(x, dim=dim),
        lambda c: np.flip(np.cumsum(np.flip(c, dim), dim), dim),
        x,
    )
    flat = (math.prod(sizes),)
    check_adjoint(
        lambda x: shape.reshape(x, shape=flat), lambda c: shape.reshape(c, shape=sizes), x
    )
    others = [data.draw(st.integers(0, 3)) for _ in range(2)]
    pieces = [empty(*(k if a == dim % n else m for a, m in enumerate(sizes))) for k in others]
    before = (slice(None),) * (dim % n)
    start = pieces[0].shape[dim]
    check_adjoint(
        lambda x: shape.cat(pieces[0] * 0.0, x, pieces[1] * 0.0, dim=dim),
        lambda c: c[(*before, slice(start, start + sizes[dim]))],
        x,
    )


# --- the fast operations against their loop definitions, over drawn geometries -------------------


# From `min_row` cells a row on, convolution is row-wise; below it is im2col and one product.
@pytest.mark.parametrize("min_row", [0, 64])
@given(g=convolutions(), data=st.data())
def test_convolutions_equal_their_definitions(min_row: int, g: Geometry, data: Any) -> None:
    x, w = data.draw(arrays(g.x_shape)), data.draw(arrays(g.w_shape))
    gy = data.draw(arrays(g.y_shape))
    options: Any = {"window": window_of(g), "groups": g.groups}
    loops: Any = {**g.window, "groups": g.groups}
    kernel = loops.pop("kernel")
    want = (
        definitions.conv2d(x, w, **loops),
        definitions.conv2d_input(gy, w, (g.H, g.W), **loops),
        definitions.conv2d_weight(gy, x, kernel, **loops),
    )
    with mock.patch.object(kernels, "MIN_ROW", min_row):
        found = (
            convolution.conv2d(x, w, **options),
            convolution.conv2d_input(gy, w, size=(g.H, g.W), **options),
            convolution.conv2d_weight(gy, x, **options),
        )
    for a, b in zip(found, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12, strict=True)


@given(convolutions(), st.data())
def test_im2col_and_col2im_equal_their_definitions(g: Geometry, data: Any) -> None:
    x = data.draw(arrays(g.x_shape))
    col = windows.unfold(x, window=window_of(g))
    np.testing.assert_array_equal(col, definitions.im2col(x, **g.window), strict=True)
    found = windows.fold(col, output_size=(g.H, g.W), window=window_of(g))
    want = definitions.col2im(col, (g.H, g.W), **g.window)
    np.testing.assert_allclose(found, want, rtol=1e-12, strict=True)


@given(poolings(dilated=False), st.sampled_from(["separated", "tied"]), st.data())
def test_poolings_equal_their_definitions(g: Geometry, kind: str, data: Any) -> None:
    x = tn.Tensor(data.draw(arrays(g.x_shape, kind)))
    loops = {k: v for k, v in g.window.items() if k != "dilation"}
    y = tn.functional.max_pool2d(x, g.kernel, g.stride, g.padding)
    np.testing.assert_array_equal(y.numpy(), definitions.max_pool2d(x.numpy(), **loops))
    for include in (True, False):
        y = tn.functional.avg_pool2d(x, g.kernel, g.stride, g.padding, count_include_pad=include)
        want = definitions.avg_pool2d(x.numpy(), **loops, count_include_pad=include)
        np.testing.assert_allclose(y.numpy(), want, rtol=1e-12, atol=1e-14)


@given(st.tuples(*(st.integers(1, 7) for _ in range(4))), st.data())
def test_adaptive_pooling_equals_its_definition(sizes: tuple[int, ...], data: Any) -> None:
    H, W, OH, OW = sizes
    x = tn.Tensor(data.draw(arrays((1, 2, H, W))))
    y = tn.functional.adaptive_avg_pool2d(x, (OH, OW))
    want = definitions.adaptive_avg_pool2d(x.numpy(), (OH, OW))
    np.testing.assert_allclose(y.numpy(), want, rtol=1e-12, atol=1e-14)


# --- check_adjoint itself ------------------------------------------------------------------------

A = np.arange(6.0).reshape(2, 3) + 1.0


def test_check_adjoint_takes_tensors_and_arrays() -> None:
    assert check_adjoint(lambda x: A @ x, lambda c: A.T @ c, np.ones(3)) < 1e-15
    a = tn.tensor(A)
    check_adjoint(lambda x: a @ x, lambda c: a.T @ c, tn.ones(3, dtype="float64"))


@pytest.mark.parametrize(
    ("linear", "adjoint", "error", "text"),
    [
        (lambda x: A @ x, lambda c: A[:, ::-1].T @ c, GradientError, "not transposes"),
        (lambda x: A @ x, lambda c: A.T @ c * 1.0001, GradientError, "relative error"),
        (lambda x: A @ x, lambda c: c, GradientError, r"shape \(2,\).*must be \(3,\)"),
        (lambda x: A @ x + 1.0, lambda c: A.T @ c, GradientError, "not transposes"),
        (lambda x: tn.tensor(x), lambda c: c, TypeError, "must return the same type"),
    ],
)
def test_check_adjoint_has_teeth(
    linear: Any, adjoint: Any, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        check_adjoint(linear, adjoint, np.ones(3))


def test_check_adjoint_notices_what_is_not_linear() -> None:
    def scaled(x: np.ndarray) -> np.ndarray:  # <f(x), c> = <x, g(c)> at the two points drawn
        return x * (2.0 if calls.append(1) or len(calls) == 1 else 3.0)

    calls: list[int] = []
    with pytest.raises(GradientError, match="not linear"):
        check_adjoint(scaled, lambda c: 2.0 * c, np.ones(3))
    with pytest.raises(TypeError, match="float32"):
        check_adjoint(lambda x: x, lambda c: c, np.ones(3, "float32"))
    with pytest.raises(TypeError, match="list"):
        check_adjoint(lambda x: x, lambda c: c, [1.0])
