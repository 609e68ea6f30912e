"""Properties of every transform, and the transforms that change values without moving pixels."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet import backend
from tinynet.data import transforms

MAKE: dict[str, Callable[[], Any]] = {
    "Compose": lambda: transforms.Compose(
        [
            transforms.RandomCrop(5, padding=1),
            transforms.ColorJitter(0.4, 0.4, 0.4),
            transforms.RandomAffine(20, (0.1, 0.1), (0.8, 1.2)),
            transforms.Normalize(0.4, 0.3),
        ]
    ),
    "Normalize": lambda: transforms.Normalize((0.1, 0.2, 0.3), 0.5),
    "Standardize": transforms.Standardize,
    "ColorJitter": lambda: transforms.ColorJitter(0.5, (0.2, 1.5), 0.9),
    "RandomCrop": lambda: transforms.RandomCrop((4, 6), padding=(1, 2), fill=0.5),
    "RandomHorizontalFlip": transforms.RandomHorizontalFlip,
    "RandomResizedCrop": lambda: transforms.RandomResizedCrop((5, 3)),
    "RandomAffine": lambda: transforms.RandomAffine(30, (0.2, 0.1), (0.7, 1.5), fill=0.2),
    "RandomRotation": lambda: transforms.RandomRotation(45),
}
DRAW = sorted(set(MAKE) - {"Normalize", "Standardize"})


def images(n: int = 6, dtype: str = "float32", seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, 3, 6, 7)).astype(dtype)


def test_the_tables_have_every_transform() -> None:
    assert set(MAKE) == set(transforms.__all__) - {"Lambda", "ToTensor", "Transform"}


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_new_array_of_the_same_type_on_the_same_device(
    name: str, dtype: str, device: str
) -> None:
    transform, host = MAKE[name](), images(dtype=dtype)
    expected = transform(host, np.random.default_rng(1))
    x = backend.to_device(host, device)
    y = transform(x, np.random.default_rng(1))
    assert backend.device_of(y) == device
    assert y.dtype == dtype
    assert y.shape[:2] == x.shape[:2]
    assert np.array_equal(backend.to_numpy(y), expected)  # the same numbers drawn
    assert np.array_equal(backend.to_numpy(x), images(dtype=dtype))  # nothing was written to
    assert not np.shares_memory(host, expected)
    assert expected.flags.c_contiguous


@pytest.mark.parametrize("name", MAKE)
def test_what_comes_out_depends_on_the_seed_alone(name: str) -> None:
    transform, x = MAKE[name](), images()
    again = MAKE[name]()
    one, other = (t(x, np.random.default_rng(5)) for t in (transform, again))
    assert np.array_equal(one, other)
    changed = transform(x, np.random.default_rng(6))
    assert np.array_equal(one, changed) == (name not in DRAW)


@pytest.mark.parametrize("name", MAKE)
def test_precision_memory_order_and_batches_of_none(name: str) -> None:
    transform = MAKE[name]()
    exact = transform(images(dtype="float64"), np.random.default_rng(2))
    y = transform(images(), np.random.default_rng(2))
    assert np.allclose(y, exact, rtol=1e-5, atol=1e-5)
    strided = np.asfortranarray(images())
    assert np.array_equal(transform(strided, np.random.default_rng(2)), y)
    reversed_twice = images()[:, :, ::-1].copy()[:, :, ::-1]
    assert np.array_equal(transform(reversed_twice, np.random.default_rng(2)), y)
    assert transform(images(0), np.random.default_rng(2)).shape == (0, *y.shape[1:])


@pytest.mark.parametrize("name", DRAW)
def test_each_image_has_random_numbers_of_its_own(name: str) -> None:
    x = np.repeat(images(1), 64, axis=0)
    y = MAKE[name]()(x, np.random.default_rng(3))
    assert len(np.unique(y.reshape(64, -1), axis=0)) >= (2 if name.endswith("Flip") else 8)


@pytest.mark.parametrize("name", MAKE)
def test_the_text_makes_the_same_transform(name: str) -> None:
    transform = MAKE[name]()
    expected, text = transform(images(), np.random.default_rng(4)), repr(transform)
    again = eval(text, vars(transforms))
    assert np.array_equal(again(images(), np.random.default_rng(4)), expected)
    assert repr(again) == text  # a call changes no attribute: threads share a transform


@pytest.mark.parametrize("name", sorted(set(MAKE) - {"Compose"}))
def test_images_that_are_none(name: str) -> None:
    transform, rng = MAKE[name](), np.random.default_rng()
    with pytest.raises(TypeError, match=rf"{name}: images must be a NumPy or CuPy array.* list"):
        transform([[1.0]], rng)
    with pytest.raises(TypeError, match=rf"{name}: images must be floats, but are uint8; .*/ 255"):
        transform(np.zeros((2, 3, 6, 6), "uint8"), rng)
    for shape in [(3, 6, 6), (2, 3, 0, 6)]:
        with pytest.raises(ValueError, match=rf"{name}: images must have shape \(N, C, H, W\)"):
            transform(np.zeros(shape), rng)


@pytest.mark.parametrize("name", DRAW)
def test_what_draws_needs_a_generator(name: str) -> None:
    for rng in (None, 0, np.random.RandomState(0)):
        with pytest.raises(TypeError, match=r"rng must be a numpy\.random\.Generator, not a "):
            MAKE[name]()(images(), rng)


def test_what_draws_nothing_needs_none() -> None:
    both = transforms.Compose([transforms.Standardize(), transforms.Normalize(0.0, 2.0)])
    assert np.array_equal(both(images()), transforms.Standardize()(images()) / 2)


def test_a_transform_of_ones_own() -> None:
    class Negative(transforms.Transform):
        random = False

        def _apply(self, images: Any, rng: Any) -> Any:
            return 1 - images

    assert np.array_equal(Negative()(images()), 1 - images())
    assert repr(Negative()) == "Negative()"
    with pytest.raises(NotImplementedError, match="Transform does not override _apply"):
        transforms.Transform()(images(), np.random.default_rng())


# --- Compose, Normalize, Standardize --------------------------------------------------------


def test_compose_is_one_after_the_other() -> None:
    parts = [transforms.RandomCrop(6, padding=2), transforms.RandomHorizontalFlip()]
    rng = np.random.default_rng(7)
    expected = parts[1](parts[0](images(), rng), rng)
    assert np.array_equal(transforms.Compose(parts)(images(), np.random.default_rng(7)), expected)
    functions = transforms.Compose([lambda x, rng: x + 1, lambda x, rng: x * 2])
    assert np.array_equal(functions(images()), (images() + 1) * 2)
    of_images = transforms.Compose([lambda x: x + 1, transforms.Normalize(0.0, 2.0), np.abs])
    found = of_images(images(), np.random.default_rng(0))
    assert np.array_equal(found, np.abs((images() + 1) / 2))
    x = images()
    assert transforms.Compose([])(x) is x


numbers = st.floats(-3, 3, allow_subnormal=False)
scales = st.floats(0.1, 5)


@given(mean=st.tuples(*[numbers] * 3), std=st.tuples(*[scales] * 3))
def test_normalize_by_channel_and_back(mean: Any, std: Any) -> None:
    x = images(dtype="float64")
    y = transforms.Normalize(mean, np.array(std))(x)
    for n, c in np.ndindex(x.shape[:2]):
        assert np.allclose(y[n, c], (x[n, c] - mean[c]) / std[c], rtol=1e-14, atol=0)
    back = [-m / s for m, s in zip(mean, std, strict=True)], [1 / s for s in std]
    assert np.allclose(transforms.Normalize(*back)(y), x, atol=1e-12)
    one = transforms.Normalize(mean[0], std)(x)
    assert np.array_equal(one, transforms.Normalize([mean[0]] * 3, std)(x))


@given(shift=numbers, scale=scales)
def test_standardize_by_image(shift: float, scale: float) -> None:
    x = images(dtype="float64")
    y = transforms.Standardize()(x)
    for before, after in zip(x, y, strict=True):
        assert np.allclose(after, (before - before.mean()) / before.std())
    assert np.allclose(transforms.Standardize()(x * scale + shift), y, atol=1e-9)
    flat = np.full((2, 1, 3, 3), shift, "float32")
    assert np.abs(transforms.Standardize(eps=0.1)(flat)).max() < 1e-5
    x[:] *= 1e-3
    assert np.allclose(
        transforms.Standardize(eps=2.0)(x), (x - x.mean((1, 2, 3))[:, None, None, None]) / 2
    )


# --- ColorJitter ----------------------------------------------------------------------------


def jittered(x: np.ndarray, b: float, c: float, s: float) -> np.ndarray:
    """One image of shape (3, H, W), by the definition."""
    x = np.clip(b * x, 0, 1)
    grey = 0.299 * x[0] + 0.587 * x[1] + 0.114 * x[2]
    x = np.clip(c * x + (1 - c) * grey.mean(), 0, 1)
    grey = 0.299 * x[0] + 0.587 * x[1] + 0.114 * x[2]
    return np.clip(s * x + (1 - s) * grey, 0, 1)


factors = st.floats(0, 3)


@given(b=factors, c=factors, s=factors, seed=st.integers(0, 99))
def test_color_jitter_of_given_factors(b: float, c: float, s: float, seed: int) -> None:
    x = images(3, "float64", seed)
    y = transforms.ColorJitter((b, b), (c, c), (s, s))(x, np.random.default_rng())
    for before, after in zip(x, y, strict=True):
        assert np.allclose(after, jittered(before, b, c, s), atol=1e-12)


def test_color_jitter_draws_from_its_ranges() -> None:
    half = np.full((2000, 1, 1, 1), 0.5)
    y = transforms.ColorJitter(brightness=0.4)(half, np.random.default_rng(0)) / 0.5
    assert 0.6 <= y.min() < 0.61
    assert 1.39 < y.max() <= 1.4
    assert abs(y.mean() - 1) < 0.02
    assert transforms.ColorJitter(brightness=3).brightness == (0.0, 4.0)
    x = images()
    rng = np.random.default_rng(0)
    assert np.array_equal(transforms.ColorJitter()(x, rng), x)
    assert rng.random() == np.random.default_rng(0).random()  # nothing was drawn


def test_color_jitter_of_one_channel() -> None:
    x = images(dtype="float64")[:, :1]
    y = transforms.ColorJitter(contrast=(0.5, 0.5))(x, np.random.default_rng())
    assert np.allclose(y, 0.5 * x + 0.5 * x.mean((1, 2, 3), keepdims=True))


def test_color_jitter_refuses_other_images() -> None:
    rng = np.random.default_rng()
    with pytest.raises(ValueError, match=r"3 channels, or 1 without saturation.*have 2"):
        transforms.ColorJitter(0.1)(images()[:, :2], rng)
    with pytest.raises(ValueError, match=r"3 channels, or 1 without saturation.*have 1"):
        transforms.ColorJitter(saturation=0.1)(images()[:, :1], rng)
    for wrong in (-0.5, 255.0, np.nan):
        x = images()
        x[0, 0, 0, 0] = wrong
        with pytest.raises(ValueError, match=rf"must be in \[0, 1\].*{wrong:g}.*before Normalize"):
            transforms.ColorJitter(0.1)(x, rng)


# --- wrong arguments ------------------------------------------------------------------------

RNG = np.random.default_rng()
ERRORS: list[tuple[str, Callable[[], Any], str]] = [
    ("T", lambda: transforms.Compose([3]), "Compose: transform 0 must be callable"),
    ("T", lambda: transforms.Normalize("a", 1), "mean must be a finite number, but is 'a'"),
    ("T", lambda: transforms.Normalize(0, [1, None]), "std must be a finite number, but is None"),
    ("V", lambda: transforms.Normalize(0, [1, 0]), "std must be greater than 0"),
    ("V", lambda: transforms.Normalize([], 1), "mean must have 1 number or more"),
    ("V", lambda: transforms.Normalize([1, 2], [1, 2, 3]), "mean has 2 numbers and std 3"),
    ("V", lambda: transforms.Normalize([1, 2], 1)(images()), "mean has 2 .* have 3 channels"),
    ("V", lambda: transforms.Standardize(0), "eps must be greater than 0, but is 0"),
    ("V", lambda: transforms.ColorJitter(-1), "brightness must be at least 0, but is -1"),
    ("V", lambda: transforms.ColorJitter(0, (2, 1)), r"contrast must be .* low first.*\(2, 1\)"),
    ("T", lambda: transforms.ColorJitter(0, 0, (1, 2, 3)), "saturation must be a pair"),
    ("V", lambda: transforms.RandomCrop(0), "size is 0; it must be at least 1"),
    ("T", lambda: transforms.RandomCrop(2.5), "size is 2.5; it must be an integer or two"),
    ("V", lambda: transforms.RandomCrop(3, padding=-1), "padding is -1; it must be at least 0"),
    ("T", lambda: transforms.RandomCrop(3, 1, "black"), "fill must be a finite number"),
    ("V", lambda: transforms.RandomCrop(9, 1)(images(), RNG), r"\(9, 9\).*\(1, 1\).*only \(8, 9\)"),
    ("V", lambda: transforms.RandomHorizontalFlip(1.5), "p must be at least 0 and at most 1"),
    ("T", lambda: transforms.RandomHorizontalFlip(True), "p must be a finite number, but is True"),
    ("V", lambda: transforms.RandomResizedCrop(4, (0, 1)), "scale must be greater than 0"),
    ("V", lambda: transforms.RandomResizedCrop(4, (0.5, 2)), "scale must be .* at most 1"),
    ("V", lambda: transforms.RandomResizedCrop(4, ratio=(0, 1)), "ratio must be greater than 0"),
    ("T", lambda: transforms.RandomResizedCrop(4, 0.5), "scale must be a pair"),
    ("V", lambda: transforms.RandomRotation(-5), "degrees must be at least 0, but is -5"),
    ("T", lambda: transforms.RandomRotation(float("inf")), "degrees must be a finite number"),
    ("V", lambda: transforms.RandomAffine((5, -5)), "degrees must be .* low first"),
    ("T", lambda: transforms.RandomAffine(0, 0.1), "translate must be a pair"),
    ("V", lambda: transforms.RandomAffine(0, (0.1, 1.1)), "translate must be .* at most 1"),
    ("V", lambda: transforms.RandomAffine(0, None, (0, 1)), "scale must be greater than 0"),
]


@pytest.mark.parametrize("case", ERRORS, ids=[message for _, _, message in ERRORS])
def test_wrong_arguments(case: tuple[str, Callable[[], Any], str]) -> None:
    kind, call, message = case
    with pytest.raises({"T": TypeError, "V": ValueError}[kind], match=message):
        call()
