"""grid_sample and affine_grid: values by definition, laws, gradients, errors."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import tinynet as tn
import tinynet.functional as F
from tinynet.testing import check_grads

RNG = np.random.default_rng(9)
X = RNG.standard_normal((2, 3, 4, 5))
GRID = RNG.uniform(-1.6, 1.6, (2, 3, 2, 2))


def identity(n):
    return tn.tensor(np.eye(n, n + 1)[None])


@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_the_identity_samples_every_pixel(mode, corners):
    x = tn.tensor(X[:1])
    y = F.grid_sample(x, F.affine_grid(identity(2), x.shape, corners), mode, "border", corners)
    np.testing.assert_allclose(y.data, x.data, atol=1e-12)


@pytest.mark.parametrize("corners", [False, True])
def test_resampling_is_interpolation(corners):
    """On a regular grid, bilinear samples with the border's pixels are `interpolate`."""
    x = tn.tensor(X[:1])
    grid = F.affine_grid(identity(2), (1, 3, 7, 9), corners)
    y = F.grid_sample(x, grid, padding_mode="border", align_corners=corners)
    want = F.interpolate(x, (7, 9), mode="bilinear", align_corners=corners)
    np.testing.assert_allclose(y.data, want.data, atol=1e-12)
    solid = tn.tensor(RNG.standard_normal((1, 2, 2, 3, 4)))
    grid = F.affine_grid(identity(3), (1, 2, 3, 5, 4), corners)
    y = F.grid_sample(solid, grid, padding_mode="border", align_corners=corners)
    want = F.interpolate(solid, (3, 5, 4), mode="trilinear", align_corners=corners)
    np.testing.assert_allclose(y.data, want.data, atol=1e-12)


def entry(x, h, w, mode, corners):
    """The pixel (h, w) of an image that goes on outside as the padding mode says."""
    at = []
    for k, m in ((h, x.shape[1]), (w, x.shape[2])):
        if not 0 <= k < m and mode == "zeros":
            return np.zeros(len(x))
        while not 0 <= k < m and mode == "reflection":
            k = (
                (-k if k < 0 else 2 * (m - 1) - k)
                if corners
                else (-1 - k if k < 0 else 2 * m - 1 - k)
            )
        at.append(min(max(k, 0), m - 1))
    return x[:, at[0], at[1]]


@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("mode", ["zeros", "border", "reflection"])
def test_bilinear_values(mode, corners):
    y = F.grid_sample(tn.tensor(X), tn.tensor(GRID), "bilinear", mode, corners)
    for n, p, q in np.ndindex(2, 3, 2):
        w, h = (
            (g + 1) / 2 * (m - 1) if corners else ((g + 1) * m - 1) / 2
            for g, m in zip(GRID[n, p, q], (5, 4), strict=True)
        )
        want = np.zeros(3)
        for i, j in itertools.product((0, 1), (0, 1)):
            r, c = math.floor(h) + i, math.floor(w) + j
            want += (1 - abs(h - r)) * (1 - abs(w - c)) * entry(X[n], r, c, mode, corners)
        np.testing.assert_allclose(y.data[n, :, p, q], want, atol=1e-12)


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_gradients_by_pixels_and_places(mode, padding):
    x = tn.tensor(X[:1, :1, :3, :3], requires_grad=True)
    grid = tn.tensor(GRID[:1, :2], requires_grad=True)
    check_grads(lambda x, grid: F.grid_sample(x, grid, mode, padding), [x, grid])


IMAGE = tn.zeros(2, 3, 4, 5)
PLACES = tn.zeros(2, 3, 2, 2)
REFUSED = [
    (lambda: F.grid_sample(IMAGE, PLACES[..., :1]), "grid_sample: input is .* grid"),
    (lambda: F.grid_sample(IMAGE, PLACES.double()), "of the same dtype"),
    (lambda: F.grid_sample(IMAGE, PLACES[:1]), "same number of examples"),
    (lambda: F.grid_sample(IMAGE, PLACES, "cubic"), "grid_sample: mode is 'cubic'"),
    (lambda: F.grid_sample(IMAGE, PLACES, padding_mode="wrap"), "padding_mode is 'wrap'"),
    (lambda: F.affine_grid(tn.zeros(1, 2, 2), (1, 1, 2, 2)), "affine_grid: theta is"),
]


@pytest.mark.parametrize(("call", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_what_does_not_fit_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
