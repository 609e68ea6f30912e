"""Strips: blocks cover the output, columns are those of im2col, and rows meet as they should."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynet.backend import block_bytes
from tinynet.ops import strips
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
@given(case=settings_of())
def test_columns_of_all_blocks_are_those_of_im2col(limit: int, case: Any) -> None:
    window, shape, groups = case
    x = np.random.default_rng(0).standard_normal(shape)
    N, C = shape[:2]
    OH, OW = window.output("test", shape)
    KH, KW = window.kernel
    xt = padded(batch_last(x), window.padding)
    expected = unfold(x, window=window).reshape(N, groups, C // groups, KH, KW, OH, OW)
    got = np.full((OH, groups, KH * C // groups * KW, OW * N), np.nan)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strips, "block_bytes", lambda like: limit)
        for block in strips.blocks(xt, window, OH, OW):
            part = got[block.rows][..., block.cells(N)]
            assert np.isnan(part).all(), "a cell is in two blocks"
            part[...] = strips.columns(xt, window, OW, block, groups)
    got = got.reshape(OH, groups, KH, C // groups, KW, OW, N).transpose(6, 1, 3, 2, 4, 0, 5)
    np.testing.assert_array_equal(got, expected)


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
        met = meeting.neighbours(gt)[0, :, ::2, 0]  # of each row of x, its rows of gy
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
    assert len(strips.blocks(large[..., :8].copy(), window, 24, 24)) == 1
    for block in strips.blocks(np.zeros((64, 66, 66, 32), "float32"), Window((3, 3)), 64, 64):
        height = block.count + 2
        assert height * 64 * 3 * (block.right - block.left) * 32 * 4 <= 3 * block_bytes(large)
