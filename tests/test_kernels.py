"""Kernels equal their definitions; panels cover the output; lowered rows overlap correctly."""

from __future__ import annotations

from typing import Any
from unittest import mock

import definitions_of_ops as loops
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traced import peak

from tinynet.kernels import convolution, elementwise, panels, pooling
from tinynet.kernels.im2col import batch_last, col2im, im2col, padded
from tinynet.ops import convolution as textbook
from tinynet.ops.convolution import conv2d, conv2d_input, conv2d_weight
from tinynet.testing.strategies import arrays
from tinynet.window import Window, make_window, ntuple


@st.composite
def problems(draw: Any, least: int = 2, most: int = 2) -> tuple[Window, tuple[int, ...], int]:
    """A window, the shape of an input that it fits in, and groups that divide the channels."""
    n = draw(st.integers(least, most))
    sizes = st.tuples(*[st.integers(1, 3)] * n)
    window = Window(
        draw(sizes), draw(sizes), draw(st.tuples(*[st.integers(0, 2)] * n)), draw(sizes)
    )
    sides = zip(window.kernel, window.dilation, window.padding, strict=True)
    size = [max(1, d * (k - 1) + 1 - 2 * p) + draw(st.integers(0, 6 // n)) for k, d, p in sides]
    groups = draw(st.integers(1, 2))
    return window, (draw(st.integers(1, 3)), groups * draw(st.integers(1, 2)), *size), groups


# --- each kernel and the textbook's operation, against loops --------------------------------------


@pytest.mark.parametrize("row_wise", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@settings(max_examples=40, deadline=None)
@given(case=problems(1, 3))
def test_convolutions_over_one_to_three_axes(row_wise: bool, dtype: str, case: Any) -> None:
    window, shape, groups = case
    (N, C, *size), OC = shape, 2 * groups
    shapes = shape, (OC, C // groups, *window.kernel), (OC,), (N, OC, *window.output("test", shape))
    rng, options = np.random.default_rng(0), {"window": window, "groups": groups}
    x, w, b, gy = (rng.standard_normal(s).astype(dtype) for s in shapes)
    with mock.patch.object(convolution, "MIN_ROW", 0 if row_wise else 1 << 30):
        for found, want in (
            (conv2d(x, w, b, **options), loops.conv(x, w, b, **options)),
            (conv2d_input(gy, w, size=size, **options),
             loops.conv_input(gy, w, size=size, **options)),
            (conv2d_weight(gy, x, **options), loops.conv_weight(gy, x, **options)),
        ):  # fmt: skip
            tolerance = 1e-4 if dtype == "float32" else 1e-12
            assert found.dtype == dtype
            np.testing.assert_allclose(found, want, rtol=tolerance, atol=tolerance)


def test_kernels_take_over_where_rows_are_long_and_have_the_same_signature() -> None:
    x, w, b = (
        np.ones((64, 2, 9, 9), "float32"),
        np.ones((4, 2, 3, 3), "float32"),
        np.ones(4, "float32"),
    )
    window = Window((3, 3))
    y = conv2d(x, w, b, window=window)
    with mock.patch.object(convolution, "is_faster", return_value=False):
        textbook = conv2d(x, w, b, window=window)
    np.testing.assert_allclose(convolution.conv(x, w, b, window, 1), textbook, strict=True)
    np.testing.assert_array_equal(convolution.conv(x, w, b, window, 1), y, strict=True)
    assert convolution.is_faster(y.shape, x)
    assert not convolution.is_faster((1, 4, 7, 7), x)
    assert not convolution.is_faster((64, 4, 7, 7, 7), x)


@settings(max_examples=60, deadline=None)
@given(case=problems(1, 3))
def test_im2col_and_col2im_over_one_to_three_axes(case: Any) -> None:
    window, shape, _ = case
    x = np.random.default_rng(0).standard_normal(shape)
    want = loops.im2col(x, window=window)
    col = im2col(x, window)
    assert col.shape == (want.shape[1], want.shape[2] * len(x))
    by_example = col.reshape(*want.shape[1:], len(x)).transpose(2, 0, 1)
    np.testing.assert_array_equal(by_example, want)
    back = loops.col2im(want, output_size=shape[2:], window=window)
    np.testing.assert_allclose(col2im(col, shape, window), back, rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(case=problems(1, 3), tied=st.booleans())
def test_poolings_over_one_to_three_axes(case: Any, tied: bool) -> None:
    window, shape, _ = case
    window = Window(window.kernel, window.stride, tuple(k // 2 for k in window.kernel))
    rng = np.random.default_rng(0)
    x = rng.integers(0, 3, shape).astype("float64") if tied else rng.standard_normal(shape)
    y = pooling.max_pool(x, window)
    np.testing.assert_array_equal(y, loops.max_pool(x, window=window), strict=True)
    argmax = pooling.first_argmax(x, y, window)
    assert argmax.shape == y.shape
    np.testing.assert_array_equal(pooling.gather(x, argmax, window), y)
    first = loops.columns(x, window, -np.inf).argmax(2).reshape(y.shape)
    np.testing.assert_array_equal(argmax, first)
    for found, want in (
        (pooling.scatter(y, argmax, shape[2:], window),
         loops.max_unpool(y, argmax=argmax, size=shape[2:], window=window)),
        (pooling.sum_pool(x, window), loops.sum_pool(x, window=window)),
        (pooling.sum_unpool(y, shape[2:], window),
         loops.sum_unpool(y, size=shape[2:], window=window)),
    ):  # fmt: skip
        np.testing.assert_allclose(found, want, rtol=1e-12, atol=1e-12, strict=True)


@settings(max_examples=30, deadline=None)
@given(data=st.data(), dtype=st.sampled_from(["float32", "float64"]), flat=st.booleans())
def test_relu_and_gate(data: Any, dtype: str, flat: bool) -> None:
    """In any memory order of both, computed flat or not."""
    shape = (3, 4, 5)
    x, gate = (data.draw(arrays(shape, dtype=dtype)) for _ in range(2))
    with mock.patch.object(elementwise, "MIN_FOR_FLAT", 0 if flat else 1 << 30):
        np.testing.assert_array_equal(elementwise.relu(x), np.maximum(x, 0), strict=True)
        np.testing.assert_array_equal(elementwise.gate(x, gate), x * (gate > 0), strict=True)


# --- windows --------------------------------------------------------------------------------------


def test_equal_numbers_make_one_window() -> None:
    window = make_window("test", 3, 2, padding=(1, 1))
    assert window is make_window("test", (3, 3), (2, 2), 1)
    assert make_window("test", 3, n=1) == Window((3,))
    assert make_window("test", [1, 2, 3], n=3) == Window((1, 2, 3), (1, 1, 1), (0, 0, 0), (1, 1, 1))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Window((1, 2, 3, 4)), r"kernel is \(1, 2, 3, 4\); it must have one to three"),
        (lambda: Window((2, 2), (1,)), r"stride is \(1,\); it must have length 2 and entries"),
        (lambda: Window((2, 2), (1, 0)), r"stride is \(1, 0\); .* length 2 and entries >= 1"),
        (lambda: Window((3,), padding=(-1,)), r"padding is \(-1,\); .* length 1 and entries >= 0"),
        (lambda: ntuple("conv", "stride", (1, 1), 3, 1), "conv: stride .* an integer or three"),
        (lambda: ntuple("conv", "stride", (1, 1), 1, 1), "conv: stride .* must be an integer"),
        (lambda: Window((3,)).output("pool", (1, 1, 4, 4)), r"must be \(N, C, W\).*, width"),
        (lambda: Window((3,) * 3).output("pool", (1, 1, 4)), r"\(N, C, D, H, W\).*, depth, height"),
        (lambda: Window((3, 9)).output("pool", (1, 1, 4, 4)), "window of 3x9 .* input of 4x4"),
    ],
)
def test_a_wrong_window_is_told(make: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        make()


# --- panels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [3, 6_000, 3 << 20])
@settings(max_examples=60, deadline=None)
@given(case=problems())
def test_columns_of_all_panels_are_those_of_im2col(size: int, case: Any) -> None:
    window, shape, groups = case
    x = np.random.default_rng(0).standard_normal(shape)
    (N, C), (OH, OW), (KH, KW) = shape[:2], window.output("test", shape), window.kernel
    xt = padded(batch_last(x), window)
    want = im2col(x, window).reshape(groups, C // groups, KH, KW, OH, OW, N)
    got = np.full((groups, KH * C // groups * KW, OH, OW * N), np.nan)
    row_bytes = C * KW * OW * N * x.itemsize
    for panel in panels.panels(window, OH, OW, row_bytes, size):
        part = panel.of(got, N)
        assert np.shares_memory(part, got)
        assert np.isnan(part).all(), "a cell is in two panels"
        part[...] = convolution.columns(xt, window, panel, groups)
    got = got.reshape(groups, KH, C // groups, KW, OH, OW, N).swapaxes(1, 2)
    np.testing.assert_array_equal(got, want)


@settings(max_examples=150, deadline=None)
@given(case=problems(), data=st.data())
def test_rows_meet_where_the_kernel_leads(case: Any, data: Any) -> None:
    """Each pair p, i with p SH + i DH = h occurs once, and p increases as i decreases."""
    window, shape, _ = case
    KH, SH, DH = window.kernel[0], window.stride[0], window.dilation[0]
    OH, OW = window.output("test", shape)
    height = shape[2] + 2 * window.padding[0]
    first = data.draw(st.integers(0, height - 1))
    rows = range(first, data.draw(st.integers(first + 1, height)))
    gy = np.arange(OH, dtype=float).reshape(1, OH, 1, 1) * np.ones((1, 1, 2, OW))
    gt = convolution._phase_by_phase(gy, panels.phases(window))
    found, unread = panels.by_taps(window, rows, OH)
    pairs: dict[int, list[tuple[int, int]]] = {h: [] for h in rows}
    for same in found:
        met = convolution.rows_of(gt, same)[0, :, ::2, 0]  # of each row of x, its rows of gy
        assert met.shape[0] == same.count
        kernel_rows = range(KH)[::-1][same.taps]
        for h, ps in zip(rows[same.rows], met, strict=True):
            pairs[h] += zip(ps.astype(int).tolist(), kernel_rows, strict=True)
    for h, got in pairs.items():
        assert sorted(got) == [(p, i) for p in range(OH) for i in range(KH) if p * SH + i * DH == h]
        assert (h - first in unread) == (not got)


def test_a_large_input_is_at_least_two_panels_and_a_small_one_is_one() -> None:
    def found(C: int, k: int, s: int, side: int, N: int) -> Any:
        cells = (side - k) // s + 1
        return panels.panels(Window((k, k), (s, s)), cells, cells, C * k * cells * N * 4, 3 << 20)

    assert [p.count for p in found(1, 5, 1, 28, 64)] == [12, 12]
    assert len(found(1, 5, 1, 28, 11)) == 1
    for k, s in ((3, 1), (3, 2), (7, 2), (11, 4), (1, 3)):
        for panel in found(3, k, s, 230, 16):
            rows = (panel.count - 1) * s + k
            assert rows * 3 * k * (panel.right - panel.left) * 16 * 4 <= panels.PANEL_BYTES


@pytest.mark.parametrize(
    ("shape", "kernel", "stride"),
    [
        ((16, 32, 1, 4096), (1, 9), 1),
        ((16, 3, 224, 224), (7, 7), 2),
        ((4, 16, 2, 8192), (2, 31), 1),
    ],
)
def test_workspaces_stay_small_beside_the_input(shape: Any, kernel: Any, stride: int) -> None:
    """In addition to inputs and outputs: lowered rows, and a copy of gy."""
    x = np.ones(shape, "float32")
    w = np.ones((4, shape[1], *kernel), "float32")
    window = Window(kernel, (stride, stride))
    gy = conv2d(x, w, window=window)
    for function in (
        lambda: conv2d(x, w, window=window),
        lambda: conv2d_weight(gy, x, window=window),
        lambda: conv2d_input(gy, w, size=shape[2:], window=window),
    ):
        # each thread has workspaces of its own; the input is copied to have its examples innermost
        assert peak(function) < 2 * x.nbytes + 2 * gy.nbytes + 2 * 3 * 3.5 * (1 << 20)


def test_rows_of_few_cells_are_one_product(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, ...]] = []

    def counted(a: Any, b: Any) -> Any:
        calls.append((*a.shape, b.shape[2]))
        return a @ b

    monkeypatch.setattr(textbook, "product", counted)
    x, w, window = np.ones((1, 64, 64, 1)), np.ones((8, 64, 5, 1)), Window((5, 1))
    gy = conv2d(x, w, window=window)
    conv2d_weight(gy, x, window=window)
    conv2d_input(gy, w, size=(64, 1), window=window)
    assert calls == [(1, 8, 320, 60), (1, 320, 60, 8), (1, 320, 8, 60)]
