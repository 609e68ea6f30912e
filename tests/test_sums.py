"""Sums are as accurate along every axis, and in every memory order, as along the last.

They are held to math.fsum and to sums in float64. NumPy's own fail these tests, as a test shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynet as tn
from tinynet import functional as F
from tinynet.kernels import sums

# a float32 has 24 bits: a sum that is rounded once is off by 6e-8
ACCURATE = 1e-6


def layouts(x: np.ndarray) -> list[np.ndarray]:
    """x in several memory orders, with gaps, backwards, and broadcast along a new axis."""
    order = np.random.default_rng(x.size).permutation(x.ndim)
    gaps = np.repeat(x, 2, -1)[..., ::2]
    return [x, np.asfortranarray(x), x.transpose(order).copy().transpose(np.argsort(order)), gaps,
            np.flip(np.flip(x).copy())]  # fmt: skip


def error(found: Any, x: np.ndarray, axes: Any, keepdims: bool = False) -> float:
    want = x.sum(axis=axes, dtype="float64", keepdims=keepdims)
    assert found.shape == want.shape
    return float(np.abs(found / want - 1).max(initial=0))


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_every_axis_layout_and_size(data: Any) -> None:
    ndim = data.draw(st.integers(1, 4))
    most = {1: 20_000, 2: 600, 3: 200, 4: 40}[ndim]
    shape = tuple(data.draw(st.lists(st.integers(1, 7), min_size=ndim, max_size=ndim)))
    long = data.draw(st.integers(0, ndim - 1))
    shape = (*shape[:long], data.draw(st.integers(1, most)), *shape[long + 1 :])
    axes = tuple(sorted(data.draw(st.sets(st.integers(0, ndim - 1), min_size=1))))
    keepdims = data.draw(st.booleans())
    x = np.random.default_rng(0).uniform(250, 320, shape).astype("float32")
    for a in layouts(x):
        y = np.asarray(sums.sum(a, axes, keepdims))
        assert y.dtype == np.float32
        assert error(y, x, axes, keepdims) < ACCURATE
        double = np.asarray(sums.sum(a.astype("float64"), axes, keepdims))
        assert error(double, x, axes, keepdims) < 1e-14


@pytest.mark.parametrize("n", [129, 131, 997, 4096, 4099, 40_001, 300_000])
def test_each_cut_of_blocks_is_exact(n: int) -> None:
    """Integers below 2^24 add up without rounding, so every number must be added once."""
    rng = np.random.default_rng(0)
    for shape in ((n, 2), (n, 37), (2, n, 3)) if n < 20_000 else ((n, 2), (1, n, 3)):
        x = rng.integers(0, 40, shape).astype("float32")
        axis = x.shape.index(n)
        for a in layouts(x):
            np.testing.assert_array_equal(sums.sum(a, (axis,)), x.astype("int64").sum(axis))


def test_wide_rows_with_gaps_and_several_axes_apart() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 40, (300, 2, 5000)).astype("float32")
    np.testing.assert_array_equal(sums.sum(x[..., :-1], (0,)), x[..., :-1].sum(0))
    x = rng.integers(0, 9, (150, 3, 140, 2)).astype("float32")
    for axes in ((0, 2), (0, 1, 2), (0, 3), (0, 2, 3), (1, 2)):
        np.testing.assert_array_equal(sums.sum(x, axes), x.astype("int64").sum(axes))
    assert float(sums.sum(np.full((1000, 1000, 3), 0.1, "float32")[..., :2], (0, 1, 2))) == (
        pytest.approx(math.fsum([float(np.float32(0.1))] * 2_000_000), rel=1e-6)
    )


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=200, max_size=400))
@settings(max_examples=20, deadline=None)
def test_the_error_is_small_beside_the_sum_of_sizes(values: list[float]) -> None:
    """The bound of adding in blocks, for numbers of both signs."""
    x = np.array(values, "float32")
    found = sums.sum(np.stack([x, x], 1), (0,))
    assert found[0] == found[1]
    size = math.fsum(map(abs, values))
    assert abs(float(found[0]) - math.fsum(values)) <= (sums.ROWS + sums.BLOCK) * 2**-24 * size


def test_integers_booleans_and_empty_arrays() -> None:
    x = np.arange(600).reshape(300, 2)
    np.testing.assert_array_equal(sums.sum(x.astype("uint8"), (0,), dtype="int64"),
                                  x.astype("uint8").sum(0, dtype="int64"))  # fmt: skip
    assert sums.sum(x > 0, (0, 1), dtype="int64") == 599
    assert sums.sum(np.zeros((0, 3), "float32"), (0,)).tolist() == [0, 0, 0]
    assert sums.sum(np.zeros((300, 0), "float32"), (0,)).shape == (0,)


# --- everything that adds ----------------------------------------------------------------------

DRIFTING = np.random.default_rng(0).uniform(250, 320, (60_000, 2)).astype("float32")


def test_numpys_own_sum_drifts() -> None:
    assert error(DRIFTING.sum(0), DRIFTING, 0) > 3 * ACCURATE


def gradient(function: Callable[..., Any], *tensors: Any) -> Any:
    """The gradient by the last tensor of sum of f(...) * weights of 250 to 320."""
    y = function(*tensors)
    (g,) = tn.grad(y, tensors[-1], tn.tensor(DRIFTING.reshape(y.shape)))
    return g.data


def leaf(*shape: int) -> Any:
    return tn.ones(*shape, requires_grad=True)


ROWS = DRIFTING.astype("float64")
X = tn.tensor(DRIFTING)
TOTALS = {
    "sum": (lambda: X.sum(0).data, ROWS.sum(0)),
    "mean": (lambda: X.mean(0).data, ROWS.mean(0)),
    "var": (lambda: X.var(0).data, ROWS.var(0, ddof=1)),
    "std": (lambda: X.std(0).data, ROWS.std(0, ddof=1)),
    "norm": (lambda: X.norm(dim=0).data, np.sqrt((ROWS**2).sum(0))),
    "cumsum": (lambda: X.cumsum(0).data, ROWS.cumsum(0)),
    "einsum": (lambda: tn.einsum("ij->j", X).data, ROWS.sum(0)),
    "logsumexp": (lambda: (X * 0.01).logsumexp(0).data,
                  np.log(np.exp((DRIFTING * np.float32(0.01)).astype("float64")).sum(0))),
    "softmax": (lambda: 1 / (X * 0).softmax(0).data[0], np.full(2, 60_000.0)),
    "log_softmax": (lambda: -(X * 0).log_softmax(0).data[0], np.full(2, math.log(60_000))),
    "bias": (lambda: gradient(F.linear, tn.zeros(60_000, 3), tn.zeros(2, 3), leaf(2)), ROWS.sum(0)),
    "broadcast": (lambda: gradient(lambda b: b + tn.zeros(60_000, 2), leaf(2)), ROWS.sum(0)),
    "column": (lambda: gradient(lambda b: (b * tn.ones(2, 60_000)).T, leaf(2, 1)),
               ROWS.sum(0)[:, None]),
    "bias of a convolution": (
        lambda: gradient(F.conv2d, tn.zeros(60_000, 1, 1, 1), tn.zeros(2, 1, 1, 1), leaf(2)),
        ROWS.sum(0),
    ),
    "index": (lambda: gradient(lambda w: w[np.zeros(60_000, int)], leaf(3, 2))[0], ROWS.sum(0)),
    "embedding": (lambda: gradient(lambda w: F.embedding(tn.zeros(60_000, dtype="int64"), w),
                                   leaf(3, 2))[0], ROWS.sum(0)),
    "batch_norm": (lambda: F.batch_norm(X, None, None, training=True).data[:9],
                   ((ROWS - ROWS.mean(0)) / np.sqrt(ROWS.var(0) + 1e-5))[:9]),
    "mse_loss": (lambda: F.mse_loss(X, tn.zeros(60_000, 2)).data, (ROWS**2).mean()),
    "avg_pool2d": (lambda: F.avg_pool2d(X.T.reshape(1, 2, 250, 240), (250, 240)).data.ravel(),
                   ROWS.mean(0)),
}  # fmt: skip


@pytest.mark.parametrize("name", TOTALS)
def test_whatever_adds_rows_is_accurate(name: str) -> None:
    compute, want = TOTALS[name]
    found = compute()
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, want, 3e-6 if name == "batch_norm" else ACCURATE, 1e-5)


def test_a_large_table_with_few_repeats_keeps_its_dtype() -> None:
    for size, index in ((100_000, [5, 5, 7]), (3, [1] * 500)):
        w = leaf(size)
        (g,) = tn.grad(w[index].sum(), w)
        assert g.dtype == np.float32
        assert g.data.sum() == len(index)
