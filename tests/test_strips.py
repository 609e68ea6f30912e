"""Strips: blocks cover the output, columns are those of im2col, and rows meet as they should."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traced import peak

from tinynet import memory
from tinynet.memory import block_bytes, first_axis_last
from tinynet.ops import convolution, strips
from tinynet.ops.convolution import conv2d, conv2d_input, conv2d_weight
from tinynet.ops.windows import Window, batch_last, padded, unfold

PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))


@st.composite
def settings_of(draw: Any) -> tuple[Window, tuple[int, int, int, int], int]:
    """A window, the shape of an input that it fits in, and groups that divide the channels."""
    window = Window(
        draw(PAIRS), draw(PAIRS), draw(st.tuples(*[st.integers(0, 2)] * 2)), draw(PAIRS)
    )
    axes = zip(window.kernel, window.dilation, window.padding, strict=True)
    sides = [max(1, d * (k - 1) + 1 - 2 * p) + draw(st.integers(0, 6)) for k, d, p in axes]
    groups = draw(st.integers(1, 2))
    return window, (draw(st.integers(1, 3)), groups * draw(st.integers(1, 2)), *sides), groups


@pytest.mark.parametrize("limit", [1, 2_000, 1 << 20])
@settings(max_examples=60, deadline=None)
@given(case=settings_of(), shortest=st.sampled_from([0, 6, 256]))
def test_columns_of_all_blocks_are_those_of_im2col(limit: int, case: Any, shortest: int) -> None:
    window, shape, groups = case
    x = np.random.default_rng(0).standard_normal(shape)
    N, C = shape[:2]
    OH, OW = window.output("test", shape)
    KH, KW = window.kernel
    xt = padded(batch_last(x), window.padding)
    expected = unfold(x, window=window).reshape(N, groups, C // groups, KH, KW, OH, OW)
    got = np.full((groups, KH * C // groups * KW, OH, OW * N), np.nan)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strips, "block_bytes", lambda like: limit)
        patch.setattr(strips, "SHORTEST", shortest)
        for block in strips.blocks(xt, window, OH, OW):
            col = strips.columns(xt, window, OW, block, groups)
            part = strips.beside(col, got, block, N)
            assert np.shares_memory(part, got)
            assert np.isnan(part).all(), "a cell is in two blocks"
            part[...] = col
    if shortest > OW * N:
        got = got.reshape(groups, C // groups, KH, KW, OH, OW, N)
    else:
        got = got.reshape(groups, KH, C // groups, KW, OH, OW, N).swapaxes(1, 2)
    np.testing.assert_array_equal(got.transpose(6, 0, 1, 2, 3, 4, 5), expected)


@settings(max_examples=150, deadline=None)
@given(case=settings_of(), data=st.data())
def test_rows_meet_where_the_kernel_leads(case: Any, data: Any) -> None:
    """Each pair p, i with p SH + i DH = h is met once, and p goes up as i goes down."""
    window, shape, _ = case
    KH, SH, DH = window.kernel[0], window.stride[0], window.dilation[0]
    OH, OW = window.output("test", shape)
    height = shape[2] + 2 * window.padding[0]
    first = data.draw(st.integers(0, height - 1))
    rows = range(first, data.draw(st.integers(first + 1, height)))
    gy = np.arange(OH, dtype=float).reshape(1, OH, 1, 1) * np.ones((1, 1, 2, OW))
    gt = strips.side_by_side(gy, window)
    found, unreached = strips.meetings(window, rows, OH)
    pairs: dict[int, list[tuple[int, int]]] = {h: [] for h in rows}
    for meeting in found:
        met = meeting.neighbours(gt, slice(0, OW))[0, :, ::2, 0]  # of each row of x, its rows of gy
        assert met.shape[0] == meeting.count
        kernel_rows = range(KH)[::-1][meeting.taps]
        for h, ps in zip(rows[meeting.rows], met, strict=True):
            pairs[h] += zip(ps.astype(int).tolist(), kernel_rows, strict=True)
    for h, got in pairs.items():
        assert sorted(got) == [(p, i) for p in range(OH) for i in range(KH) if p * SH + i * DH == h]
        assert (h - first in unreached) == (not got)


def test_a_large_input_is_at_least_two_blocks_and_a_small_one_is_one() -> None:
    window = Window((5, 5))
    large = np.zeros((1, 28, 28, 64), "float32")
    assert [b.count for b in strips.blocks(large, window, 24, 24)] == [12, 12]
    assert len(strips.blocks(large[..., :11].copy(), window, 24, 24)) == 1
    image = np.zeros((3, 230, 230, 16), "float32")
    for k, s in ((3, 1), (3, 2), (7, 2), (11, 4), (1, 3)):
        side = (230 - k) // s + 1
        for block in strips.blocks(image, Window((k, k), (s, s)), side, side):
            rows = (block.count - 1) * s + k
            assert rows * 3 * k * (block.right - block.left) * 16 * 4 <= 3 * block_bytes(image)


@pytest.mark.parametrize(
    ("shape", "kernel", "stride"),
    [
        ((16, 32, 1, 4096), (1, 9), 1),
        ((16, 3, 224, 224), (7, 7), 2),
        ((4, 16, 2, 8192), (2, 31), 1),
    ],
)
def test_workspaces_stay_small_beside_the_input(shape: Any, kernel: Any, stride: int) -> None:
    """Beyond the arrays that come in and go out: strips of a few mebibytes, and a copy of gy."""
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
        calls.append((*a.shape, b.shape[1]))
        return a @ b

    monkeypatch.setattr(convolution, "product", counted)
    x, w, window = np.ones((1, 64, 64, 1)), np.ones((8, 64, 5, 1)), Window((5, 1))
    gy = conv2d(x, w, window=window)
    conv2d_weight(gy, x, window=window)
    conv2d_input(gy, w, size=(64, 1), window=window)
    assert calls == [(8, 320, 60), (320, 60, 8), (320, 8, 60)]


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
@pytest.mark.parametrize(
    "shape", [(9, 512), (9, 4, 16, 16), (128, 3, 32, 32), (8, 512), (9, 500), (1, 512), (9, 0, 8)]
)
def test_the_first_axis_goes_last_whatever_the_distance_of_rows(shape: Any, dtype: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 200, shape).astype(dtype)
    for a in (x, x[::-1], np.asfortranarray(x), np.broadcast_to(x[:1], shape)):
        y = first_axis_last(a)
        first_axis_last(a + 1)  # in the same workspace, which the result must not be in
        assert y.flags.c_contiguous
        np.testing.assert_array_equal(y, np.moveaxis(a, 0, -1), strict=True)
    if y.size:
        assert np.shares_memory(first_axis_last(np.moveaxis(y, -1, 0)), y), "a copy for nothing"


def test_the_first_axis_goes_last_in_pieces_of_a_block() -> None:
    x = np.random.default_rng(0).random((1000, 3 * 1024), "float32")
    memory._workspaces.buffers.clear()
    np.testing.assert_array_equal(first_axis_last(x), x.T)
    (kept,) = memory._workspaces.buffers.values()
    assert kept.nbytes < block_bytes(x) + 1000 * 64 + 1
