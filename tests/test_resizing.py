"""Interpolation and shuffled pixels: definitions cell by cell, and the laws of each mode."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinynet as tn
import tinynet.functional as F
from tinynet import nn

RNG = np.random.default_rng(5)
MODES = {1: ["nearest", "nearest-exact", "linear", "area"],
         2: ["nearest", "nearest-exact", "bilinear", "bicubic", "area"],
         3: ["nearest", "trilinear", "area"]}  # fmt: skip
SIZES = {1: (6,), 2: (5, 6), 3: (3, 4, 5)}
CASES = [(n, mode) for n, modes in MODES.items() for mode in modes]


def kernel(mode):
    """The weight of an entry at distance d, and how far it reaches."""

    def cubic(d, a=-0.75):
        if d <= 1:
            return (a + 2) * d**3 - (a + 3) * d**2 + 1
        return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a if d < 2 else 0.0

    return cubic if mode == "bicubic" else lambda d: max(0.0, 1.0 - d)


def along(row, out, mode, align_corners, scale):
    """One row, resized by the definition: a sum over a row that goes on with its last entries."""
    n, weight = len(row), kernel(mode)
    y = []
    for i in range(out):
        if mode == "nearest":
            y.append(row[min(math.floor(i * scale), n - 1)])
        elif mode == "nearest-exact":
            y.append(row[min(math.floor((i + 0.5) * scale), n - 1)])
        elif mode == "area":
            cells = row[math.floor(i * n / out) : math.ceil((i + 1) * n / out)]
            y.append(math.fsum(cells) / len(cells))
        else:
            t = i * (n - 1) / max(out - 1, 1) if align_corners else (i + 0.5) * scale - 0.5
            near = range(math.floor(t) - 2, math.floor(t) + 4)
            y.append(math.fsum(weight(abs(t - k)) * row[min(max(k, 0), n - 1)] for k in near))
    return y


def resized(x, sizes, mode, align_corners=None, factor=None):
    for axis, out in enumerate(sizes, start=2):
        scale = 1 / factor if factor else x.shape[axis] / out
        x = np.apply_along_axis(along, axis, x, out, mode, align_corners, scale)
    return x


@pytest.mark.parametrize(("n", "mode"), CASES)
def test_values(n, mode):
    x = RNG.standard_normal((2, 1, *SIZES[n]))
    corners = [None] if mode.startswith("nearest") or mode == "area" else [False, True]
    for align_corners in corners:
        for sizes in ((7, 4, 9)[:n], (3, 8, 1)[:n], SIZES[n]):
            y = F.interpolate(tn.tensor(x), sizes, mode=mode, align_corners=align_corners)
            want = resized(x, sizes, mode, align_corners)
            np.testing.assert_allclose(y.data, want, atol=1e-12)
    for factor in (2, 1.75, 0.6):
        y = F.interpolate(tn.tensor(x), scale_factor=factor, mode=mode)
        sizes = tuple(math.floor(m * factor) for m in SIZES[n])
        want = resized(x, sizes, mode, False, None if mode == "area" else factor)
        np.testing.assert_allclose(y.data, want, atol=1e-12)
        y = F.interpolate(tn.tensor(x), scale_factor=factor, mode=mode, recompute_scale_factor=True)
        np.testing.assert_allclose(y.data, resized(x, sizes, mode), atol=1e-12)


@pytest.mark.parametrize(("n", "mode"), CASES)
def test_a_linear_map_with_its_adjoint(n, mode):
    """<A x, u> = <x, A^T u>, where backward computes A^T u; and constants stay."""
    x = tn.tensor(RNG.standard_normal((1, 2, *SIZES[n])), requires_grad=True)
    y = F.interpolate(x, (7, 4, 2)[:n], mode=mode)
    u = tn.tensor(RNG.standard_normal(y.shape))
    (y * u).sum().backward()
    assert math.isclose((y * u).sum().item(), (x * x.grad).sum().item(), rel_tol=1e-10)
    ones = F.interpolate(tn.ones(*x.shape, dtype="float64"), scale_factor=1.4, mode=mode)
    np.testing.assert_allclose(ones.data, 1.0, atol=1e-14)


def test_a_ramp_stays_a_ramp():
    ramp = tn.arange(8).double().reshape(1, 1, 1, 8)
    for mode in ("bilinear", "bicubic"):
        y = F.interpolate(ramp, (1, 15), mode=mode, align_corners=True).data[0, 0, 0]
        inside = y[4:-4]  # the cubic kernel repeats the last entry at the edges
        np.testing.assert_allclose(inside, np.arange(15)[4:-4] / 2, atol=1e-12)
    y = F.upsample_bilinear(ramp.reshape(1, 1, 8, 1), (15, 1)).data.ravel()
    np.testing.assert_allclose(y, np.arange(15) / 2, atol=1e-12)


def test_pixels_and_channels():
    x = tn.tensor(RNG.standard_normal((2, 8, 3, 2)), requires_grad=True)
    y = F.pixel_shuffle(x, 2)
    for c, h, w, i, j in np.ndindex(2, 3, 2, 2, 2):
        assert y.data[1, c, 2 * h + i, 2 * w + j] == x.data[1, 4 * c + 2 * i + j, h, w]
    assert F.pixel_unshuffle(y, 2).tolist() == x.tolist()
    assert F.pixel_shuffle(x[0], 2).tolist() == y[0].tolist()
    z = F.channel_shuffle(x, 2)
    assert [z.data[0, c, 0, 0] for c in range(8)] == [
        x.data[0, c % 2 * 4 + c // 2, 0, 0] for c in range(8)
    ]
    assert F.channel_shuffle(z, 4).tolist() == x.tolist()


def test_layers():
    x = tn.rand(1, 4, 3, 2)
    assert nn.Upsample(scale_factor=2)(x).shape == (1, 4, 6, 4)
    assert nn.UpsamplingNearest2d(scale_factor=2)(x).tolist() == nn.Upsample((6, 4))(x).tolist()
    assert nn.UpsamplingBilinear2d((5, 3))(x)[0, 0, 0, 0].item() == x[0, 0, 0, 0].item()
    assert nn.PixelUnshuffle(2)(nn.PixelShuffle(2)(x)).tolist() == x.tolist()
    assert nn.ChannelShuffle(2)(nn.ChannelShuffle(2)(x)).tolist() == x.tolist()
    assert str(nn.Upsample(scale_factor=2)) == "Upsample(scale_factor=2, mode='nearest')"


def test_bytes_may_be_resized_to_the_nearest():
    x = tn.tensor([[[1, 200]]], "uint8")
    assert F.interpolate(x, 4).tolist() == [[[1, 1, 200, 200]]]


X = tn.zeros(2, 4, 6, 5)
REFUSED = [
    (ValueError, lambda: F.interpolate(X), "interpolate: size is None and scale_factor is None"),
    (
        ValueError,
        lambda: F.interpolate(X, 3, 2.0),
        "interpolate: size is 3 and scale_factor is 2.0",
    ),
    (ValueError, lambda: F.interpolate(X, (1, 2, 3)), "interpolate: size is .* 2 axes"),
    (ValueError, lambda: F.interpolate(X, 0), "interpolate: size is 0"),
    (ValueError, lambda: F.interpolate(X, scale_factor=(1.0,) * 3), "2 of them for input"),
    (ValueError, lambda: F.interpolate(X, scale_factor=-1), "scale_factor is -1"),
    (ValueError, lambda: F.interpolate(X, scale_factor=0.1), r"makes \(0, 0\) of input"),
    (ValueError, lambda: F.interpolate(X, 3, mode="linear"), "is for 1 spatial axes"),
    (ValueError, lambda: F.interpolate(X[0], 3, mode="bicubic"), "is for 2 spatial axes"),
    (ValueError, lambda: F.interpolate(X, 3, mode="lanczos"), "mode is 'lanczos'"),
    (ValueError, lambda: F.interpolate(X, 3, align_corners=True), "align_corners is not for"),
    (ValueError, lambda: F.interpolate(X, 3, recompute_scale_factor=True), "needs scale_factor"),
    (ValueError, lambda: F.interpolate(X, 3, mode="bilinear", antialias=True), "antialias"),
    (ValueError, lambda: F.interpolate(X[0, 0], 3), r"interpolate: input has shape \(6, 5\)"),
    (TypeError, lambda: F.interpolate(X.long(), 3), "interpolate: input is int64"),
    (TypeError, lambda: F.upsample(X, "big"), "upsample: size is 'big'"),
    (ValueError, lambda: F.pixel_shuffle(X, 3), "pixel_shuffle: .* 4 channels.* = 9"),
    (ValueError, lambda: F.pixel_unshuffle(X, 2), "pixel_unshuffle: .* is 6x5"),
    (ValueError, lambda: F.pixel_shuffle(X[0, 0], 2), r"pixel_shuffle: .*\(\.\.\., C, H, W\)"),
    (ValueError, lambda: F.channel_shuffle(X, 3), "channel_shuffle: .* groups = 3"),
]


@pytest.mark.parametrize(("kind", "call", "words"), REFUSED, ids=[words for *_, words in REFUSED])
def test_what_does_not_fit_is_named(kind, call, words):
    with pytest.raises(kind, match=words):
        call()
