"""Transforms that move pixels, against their definitions in loops and their symmetries."""

import math
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinynet import backend
from tinynet.data import transforms
from tinynet.data.transforms.affine import affine
from tinynet.data.transforms.resample import bilinear

seeds = st.integers(0, 2**32)
sizes = st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 6), st.integers(1, 6))


def images(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape)


def at(plane: np.ndarray, row: float, column: float, fill: float) -> float:
    """A plane between its pixels, by the definition."""

    def pixel(r: int, s: int) -> float:
        inside = 0 <= r < plane.shape[0] and 0 <= s < plane.shape[1]
        return float(plane[r, s]) if inside else fill

    r, s = math.floor(row), math.floor(column)
    f, g = row - r, column - s
    above = (1 - g) * pixel(r, s) + g * pixel(r, s + 1)
    below = (1 - g) * pixel(r + 1, s) + g * pixel(r + 1, s + 1)
    return (1 - f) * above + f * below


# --- between pixels -------------------------------------------------------------------------


@given(shape=sizes, seed=seeds, fill=st.sampled_from([0.0, -1.5]))
def test_bilinear_by_its_definition(shape: tuple[int, ...], seed: int, fill: float) -> None:
    x, rng = images(shape, seed), np.random.default_rng(seed)
    n, c, h, w = shape
    rows, columns = rng.uniform(-2, h + 1, (n, 3, 4)), rng.uniform(-2, w + 1, (n, 3, 4))
    rows[:, 0] = np.rint(rows[:, 0])  # whole numbers too
    y = bilinear(x, rows, columns, fill)
    assert y.shape == (n, c, 3, 4)
    for k, ch, i, j in np.ndindex(y.shape):
        expected = at(x[k, ch], rows[k, i, j], columns[k, i, j], fill)
        assert abs(y[k, ch, i, j] - expected) < 1e-12
    single = bilinear(x.astype("float32"), rows, columns, fill)
    assert single.dtype == np.float32
    assert np.allclose(single, y, atol=1e-6)


def test_bilinear_far_away_and_at_pixels(device: str) -> None:
    x = backend.to_device(images((2, 3, 4, 5)), device)
    rows, columns = (backend.to_device(a.astype(float), device) for a in np.mgrid[:4, :5])
    assert np.array_equal(
        backend.to_numpy(bilinear(x, rows[None], columns[None], 9.0)), backend.to_numpy(x)
    )
    far = backend.to_device(np.array([[[-1e300, -1.0, 4.0, 1e300]]]), device)
    outside = backend.to_numpy(bilinear(x, far, columns[None, :1, :4], 9.0))
    assert np.array_equal(outside, np.full((2, 3, 1, 4), 9.0))


# --- affine ---------------------------------------------------------------------------------


@given(shape=sizes, seed=seeds)
def test_affine_by_its_definition(shape: tuple[int, ...], seed: int) -> None:
    x, rng, (n, _, h, w) = images(shape, seed), np.random.default_rng(seed), shape
    degrees, scale = rng.uniform(-400, 400, n), rng.uniform(0.3, 3, n)
    shift = rng.uniform(-3, 3, (2, n))
    y = affine(x, degrees, shift, scale, 0.5)
    assert y.shape == x.shape
    centre = np.array([(h - 1) / 2, (w - 1) / 2])
    for k in range(n):
        t = math.radians(degrees[k])
        a = scale[k] * np.array([[math.cos(t), -math.sin(t)], [math.sin(t), math.cos(t)]])
        for i, j in np.ndindex(h, w):
            q = np.linalg.inv(a) @ (np.array([i, j]) - centre - shift[:, k]) + centre
            for c, plane in enumerate(x[k]):
                assert abs(y[k, c, i, j] - at(plane, *q, 0.5)) < 1e-9


@given(seed=seeds, turns=st.integers(-5, 5), size=st.integers(1, 8))
def test_quarter_turns_are_rot90(seed: int, turns: int, size: int) -> None:
    x = images((2, 3, size, size), seed)
    y = affine(x, np.full(2, 90.0 * turns), np.zeros((2, 2)), np.ones(2), 0.0)
    assert np.allclose(y, np.rot90(x, turns, (2, 3)), atol=1e-12)


@given(seed=seeds)
def test_nothing_to_do_is_the_identity(seed: int) -> None:
    x, rng = images((3, 2, 7, 4), seed).astype("float32"), np.random.default_rng(seed)
    assert np.array_equal(transforms.RandomRotation(0)(x, rng), x)
    still = transforms.RandomAffine(0, translate=(0, 0), scale=(1, 1))
    assert np.array_equal(still(x, rng), x)
    whole = transforms.RandomCrop((7, 4))(x, rng)
    assert np.array_equal(whole, x)
    assert not np.shares_memory(whole, x)
    square = x[:, :, :4]
    resized = transforms.RandomResizedCrop(4, scale=(1, 1), ratio=(1, 1))(square, rng)
    assert np.allclose(resized, square, atol=1e-6)


def test_random_affine_draws_from_its_ranges() -> None:
    n, h, w = 3, 8, 6
    x = images((n, 2, h, w))
    options: dict[str, Any] = {"translate": (0.25, 0.5), "scale": (0.5, 2), "fill": 0.3}
    y = transforms.RandomAffine((-20, 50), **options)(x, np.random.default_rng(1))
    rng = np.random.default_rng(1)
    degrees = rng.uniform(-20, 50, n)
    shift = np.stack([rng.uniform(-2, 2, n), rng.uniform(-3, 3, n)])
    assert np.array_equal(y, affine(x, degrees, shift, rng.uniform(0.5, 2, n), 0.3))
    turned = transforms.RandomRotation(30, fill=0.3)(x, np.random.default_rng(1))
    degrees = np.random.default_rng(1).uniform(-30, 30, n)
    assert np.array_equal(turned, affine(x, degrees, np.zeros((2, n)), np.ones(n), 0.3))
    alone = transforms.RandomAffine(30, fill=0.3)
    assert alone.degrees == (-30.0, 30.0)
    assert np.array_equal(alone(x, np.random.default_rng(1)), turned)


def test_a_constant_image_stays_so_but_for_the_fill() -> None:
    x = np.full((20, 1, 9, 9), 0.7, "float32")
    turn = transforms.RandomAffine(180, (0.2, 0.2), (0.5, 2), fill=0.7)
    assert np.array_equal(turn(x, np.random.default_rng(0)), x)
    crop = transforms.RandomResizedCrop(5)
    assert np.array_equal(crop(x, np.random.default_rng(0)), x[:, :, :5, :5])


# --- crops and flips ------------------------------------------------------------------------


@given(
    shape=sizes,
    seed=seeds,
    padding=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    data=st.data(),
)
def test_random_crop_by_its_definition(
    shape: tuple[int, ...], seed: int, padding: tuple[int, int], data: Any
) -> None:
    n, c, h, w = shape
    oh = data.draw(st.integers(1, h + 2 * padding[0]))
    ow = data.draw(st.integers(1, w + 2 * padding[1]))
    x = images(shape, seed)
    crop = transforms.RandomCrop((oh, ow), padding, fill=-1.0)
    y = crop(x, np.random.default_rng(seed))
    rng = np.random.default_rng(seed)
    top = rng.integers(0, h + 2 * padding[0] - oh + 1, n)
    left = rng.integers(0, w + 2 * padding[1] - ow + 1, n)
    assert y.shape == (n, c, oh, ow)
    for k, ch, i, j in np.ndindex(y.shape):
        r, s = top[k] + i - padding[0], left[k] + j - padding[1]
        inside = 0 <= r < h and 0 <= s < w
        assert y[k, ch, i, j] == (x[k, ch, r, s] if inside else -1.0)


@given(shape=sizes, seed=seeds, p=st.floats(0, 1))
def test_flips(shape: tuple[int, ...], seed: int, p: float) -> None:
    x = images(shape, seed)
    y = transforms.RandomHorizontalFlip(p)(x, np.random.default_rng(seed))
    chosen = np.random.default_rng(seed).random(len(x)) < p
    for n, c, i, j in np.ndindex(x.shape):
        assert y[n, c, i, j] == x[n, c, i, x.shape[3] - 1 - j if chosen[n] else j]


@given(shape=sizes, size=st.tuples(st.integers(1, 4), st.integers(1, 4)), seed=seeds)
def test_resized_crop_by_its_definition(
    shape: tuple[int, ...], size: tuple[int, int], seed: int
) -> None:
    x, (n, _, h, w) = images(shape, seed), shape
    crop = transforms.RandomResizedCrop(size, scale=(0.2, 0.9))
    y = crop(x, np.random.default_rng(seed))
    top, left, height, width = crop._boxes(h, w, n, np.random.default_rng(seed))
    for k, c, i, j in np.ndindex(y.shape):
        row = top[k] + (i + 0.5) * height[k] / size[0] - 0.5
        column = left[k] + (j + 0.5) * width[k] / size[1] - 0.5
        row, column = min(max(row, 0), h - 1), min(max(column, 0), w - 1)
        assert abs(y[k, c, i, j] - at(x[k, c], row, column, 0.0)) < 1e-12


@given(
    h=st.integers(1, 50),
    w=st.integers(1, 50),
    scale=st.tuples(st.floats(0.01, 1), st.floats(0.01, 1)).map(sorted),
    ratio=st.tuples(st.floats(0.2, 4), st.floats(0.2, 4)).map(sorted),
    seed=seeds,
)
def test_boxes_of_resized_crops(h: int, w: int, scale: Any, ratio: Any, seed: int) -> None:
    crop = transforms.RandomResizedCrop(1, scale, ratio)
    top, left, height, width = crop._boxes(h, w, 50, np.random.default_rng(seed))
    slack = 1e-9
    assert np.all(top >= 0)
    assert np.all(left >= 0)
    assert np.all(top + height <= h + slack)
    assert np.all(left + width <= w + slack)
    # Where the whole image's ratio is among those asked for, a box of any area fits.
    if ratio[0] <= w / h <= ratio[1]:
        area = height * width / (h * w)
        assert np.all((area >= scale[0] - slack) & (area <= scale[1] + slack))
        shape = width / height
        assert np.all((shape >= ratio[0] - slack) & (shape <= ratio[1] + slack))


def test_boxes_spread_over_their_ranges() -> None:
    crop = transforms.RandomResizedCrop(1, (0.1, 0.5), (0.5, 2.0))
    top, left, height, width = crop._boxes(40, 40, 20_000, np.random.default_rng(0))
    area, ratio = height * width / 1600, np.log(width / height)
    assert abs(area.mean() - 0.3) < 0.004
    assert area.min() < 0.101
    assert area.max() > 0.499
    assert abs(ratio.mean()) < 0.01  # as often upright as lying
    assert ratio.max() > math.log(1.98)
    assert abs((top / (40 - height)).mean() - 0.5) < 0.01
    assert abs((left / (40 - width)).mean() - 0.5) < 0.01
