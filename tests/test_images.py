"""Convolution and pooling through `functional`: PyTorch's signatures, and errors."""

from __future__ import annotations

import numpy as np
import pytest

import tinynet as tn
import tinynet.functional as F
from tinynet.testing import definitions

X, W = tn.zeros(2, 4, 6, 5), tn.zeros(8, 2, 3, 3)


def test_same_padding_keeps_the_size_and_puts_the_odd_row_last():
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 3, 6, 5)), rng.standard_normal((4, 3, 2, 3))
    y = F.conv2d(tn.tensor(x), tn.tensor(w), padding="same")
    padded = np.pad(x, ((0, 0), (0, 0), (0, 1), (1, 1)))
    assert y.shape == (2, 4, 6, 5)
    np.testing.assert_allclose(y.data, definitions.conv2d(padded, w), atol=1e-12)


def test_bytes_lie_with_the_examples_innermost():
    """Outputs of convolution and pooling pass through ReLU into the next layer without a copy."""
    y = F.max_pool2d(F.relu(F.conv2d(X, W, groups=2)), 2)
    assert y.data.transpose(1, 2, 3, 0).flags.c_contiguous
    assert np.shares_memory(y.data, y.flatten(1).data)  # flattening is a view


@pytest.mark.parametrize("options", [{"stride": (2, 1)}, {"dilation": (2, 3)},
                                     {"stride": (3, 2), "dilation": (2, 1)}], ids=str)  # fmt: skip
def test_panels_do_not_change_the_result(monkeypatch, options):
    from tinynet.kernels import convolution

    rng = np.random.default_rng(1)
    x = rng.standard_normal((3, 4, 7, 9))
    w, options = rng.standard_normal((6, 2, 3, 2)), {**options, "padding": 1, "groups": 2}
    results = []
    # by im2col and one product; row-wise with everything, some rows, one cell at a time
    for min_row, size in ((64, 3 << 20), (0, 3 << 20), (0, 15_000), (0, 3)):
        monkeypatch.setattr(convolution, "MIN_ROW", min_row)
        monkeypatch.setattr(convolution, "PANEL_BYTES", size)
        tx, tw = tn.tensor(x, requires_grad=True), tn.tensor(w, requires_grad=True)
        y = F.conv2d(tx, tw, **options)
        (y * y).sum().backward()
        results.append((y.data, tx.grad.data, tw.grad.data))
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("pool", [F.max_pool2d, F.adaptive_avg_pool2d, F.adaptive_max_pool2d])
def test_an_empty_batch_has_gradients_of_zero(pool):
    x, w = tn.zeros(0, 4, 6, 5, requires_grad=True), tn.zeros(8, 2, 3, 3, requires_grad=True)
    y = pool(F.conv2d(x, w, tn.zeros(8), padding=1, groups=2), (3, 2))
    assert y.shape == (0, 8, 2 if pool is F.max_pool2d else 3, 2)
    y.sum().backward()
    assert x.grad.shape == x.shape
    assert not w.grad.data.any()


REFUSED = [
    (lambda: F.conv2d(X, W), r"conv2d: input \(2, 4, 6, 5\) has 4 channels.*takes 2"),
    (lambda: F.conv2d(X, W, groups=3), "conv2d: 4 input .* 8 output channels .* groups = 3"),
    (lambda: F.conv2d(X, tn.zeros(8, 4, 9, 3), padding=1), "conv2d: .* 9x3 .* input of 8x7"),
    (lambda: F.conv2d(X, tn.zeros(8, 4, 3, 3), dilation=4), r"9x9 .*\(3, 3\), dilation \(4, 4\)\)"),
    (lambda: F.conv2d(X, W, tn.zeros(3), groups=2), r"conv2d: bias \(3,\) must be \(8,\)"),
    (lambda: F.conv2d(X[0], W), r"conv2d: input \(4, 6, 5\) has 4 channels"),
    (lambda: F.conv2d(X, tn.zeros(8, 4)), r"conv2d: weight has shape \(8, 4\)"),
    (lambda: F.max_pool2d(X, 2, 0), "max_pool2d: stride is 0; it must be at least 1"),
    (lambda: F.max_pool2d(X, 3, padding=2), r"max_pool2d: .*\(2, 2\) .* half .* \(3, 3\)"),
    (lambda: F.avg_pool2d(X, 3, padding=2), r"avg_pool2d: padding \(2, 2\)"),
    (lambda: F.adaptive_avg_pool2d(X, 0), "adaptive_avg_pool2d: output_size is 0"),
    (lambda: F.conv2d(X, tn.zeros(8, 4, 3), padding="same"), r"conv2d: weight .*\(8, 4, 3\)"),
    (lambda: F.conv2d(X[0], W, padding="same"), r"conv2d: input \(4, 6, 5\) has"),
    (lambda: F.conv2d(X[0], W[..., :2, :2], padding="same"), r"conv2d: input .*\(4, 6, 5\)"),
    (lambda: F.conv2d(X, W, padding="same", stride=2), "requires stride 1; stride is 2"),
    (lambda: F.conv2d(X, W, padding="full"), "'full'; it must be 'same', 'valid' or integers"),
    (lambda: F.fold(tn.zeros(1, 9, 4), (4, 4), 2), r"must be \(N, C \* 4, 9\)"),
]


@pytest.mark.parametrize(("call", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_what_does_not_fit_is_named_with_its_numbers(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_a_window_is_of_integers():
    with pytest.raises(TypeError, match=r"max_pool2d: kernel_size is \(2, 2\.5\)"):
        F.max_pool2d(X, (2, 2.5))
