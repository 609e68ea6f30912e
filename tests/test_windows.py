"""What slides a window, in one to three dimensions: laws, loops, divisors, places, errors."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import tinynet as tn
import tinynet.functional as F
from tinynet import nn
from tinynet.window import Window

SIZES = {1: (7,), 2: (6, 5), 3: (4, 3, 5)}
RNG = np.random.default_rng(3)


def real(*shape):
    return tn.tensor(RNG.standard_normal(shape))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(
    "options",
    [{}, {"stride": 2, "padding": 1}, {"stride": 2, "dilation": 2, "padding": 1}, {"groups": 2}],
    ids=str,
)
def test_transposed_convolution_is_the_adjoint(n, options):
    """<conv(x, w), y> = <x, conv_transpose(y, w)>, with the output padding that x's size needs."""
    x, w = real(2, 4, *SIZES[n]), real(6, 4 // options.get("groups", 1), *(2, 1, 2)[:n])
    y = getattr(F, f"conv{n}d")(x, w, **options)
    u = real(*y.shape)
    layer = getattr(nn, f"ConvTranspose{n}d")(6, 4, (2, 1, 2)[:n], bias=False, **options).double()
    layer.load_state_dict({"weight": w})
    back = layer(u, output_size=SIZES[n])
    assert back.shape == x.shape
    assert math.isclose((y * u).sum().item(), (x * back).sum().item(), rel_tol=1e-10)


def test_output_padding_of_a_stride_or_more():
    """Rows that no input reaches are zeros, and the bias."""
    y = F.conv_transpose1d(tn.ones(1, 1, 2), tn.ones(1, 1, 2), tn.tensor([0.5]), 1, 0, 3, 1, 4)
    assert y.tolist() == [[[1.5, 1.5, 0.5, 0.5, 1.5, 1.5, 0.5, 0.5, 0.5]]]


@pytest.mark.parametrize("n", SIZES)
def test_without_an_axis_of_examples(n):
    x, w, wt = real(1, 2, *SIZES[n]), real(3, 2, *(2,) * n), real(2, 3, *(2,) * n)
    calls = {
        "conv": lambda f, x: f(x, w, padding=1),
        "conv_transpose": lambda f, x: f(x, wt, None, 2),
        "max_pool": lambda f, x: f(x, 2, ceil_mode=True, return_indices=True),
        "avg_pool": lambda f, x: f(x, 2),
        "lp_pool": lambda f, x: f(x * x + 1.0, 2, 2),
        "adaptive_avg_pool": lambda f, x: f(x, 2),
        "adaptive_max_pool": lambda f, x: f(x, 2, return_indices=True),
    }
    for name, call in calls.items():
        f = getattr(F, f"{name}{n}d")
        pairs = [call(f, x[0]), call(f, x)]
        pairs = [p if isinstance(p, tuple) else (p,) for p in pairs]
        for one, batch in zip(*pairs, strict=True):
            assert one.shape == batch.shape[1:], name
            assert one.tolist() == batch[0].tolist(), name
    y, places = F.max_pool2d(real(2, 4, 4), 2, return_indices=True)
    assert F.max_unpool2d(y, places, 2).shape == (2, 4, 4)
    columns = F.unfold(real(2, 4, 4), 2)
    assert columns.shape == (8, 9)
    assert F.fold(columns, 4, 2).shape == (2, 4, 4)


def averages(x, kernel, stride, padding, ceil_mode, count_include_pad, divisor):
    """avg_pool of the last axes as loops; the divisor by counting."""
    n, size = len(kernel), x.shape[2:]
    starts = []
    for m, k, s, p in zip(size, kernel, stride, padding, strict=True):
        found, start = [], -p
        while start + k <= m + p or (ceil_mode and start < m and start - s + k < m + p):
            found.append(start)
            start += s
        starts.append(found)
    y = np.zeros((*x.shape[:2], *map(len, starts)))
    for cell in np.ndindex(*y.shape[2:]):
        total, inside, with_padding = np.zeros(x.shape[:2]), 0, 0
        for tap in np.ndindex(*kernel):
            at = tuple(starts[a][cell[a]] + tap[a] for a in range(n))
            with_padding += all(h < m + p for h, m, p in zip(at, size, padding, strict=True))
            if all(0 <= h < m for h, m in zip(at, size, strict=True)):
                total += x[(slice(None), slice(None), *at)]
                inside += 1
        y[(slice(None), slice(None), *cell)] = total / (
            divisor or (with_padding if count_include_pad else inside)
        )
    return y


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("include", [False, True])
@pytest.mark.parametrize("n", SIZES)
def test_divisors_of_averages(n, include, ceil_mode):
    """Checked by counting: padding counts or does not, what ceil_mode adds never does."""
    x = real(1, 2, *SIZES[n])
    for kernel, stride, pads in itertools.product((2, 3), (1, 2, 3), (False, True)):
        sizes = (kernel,) * n, (stride,) * n, (int(pads),) * n
        options = {"divisor_override": 5} if n > 1 and stride == 2 else {}
        y = getattr(F, f"avg_pool{n}d")(x, *sizes, ceil_mode, include, **options)
        want = averages(x.data, *sizes, ceil_mode, include, options.get("divisor_override"))
        np.testing.assert_allclose(y.data, want, atol=1e-12, err_msg=f"{sizes}")


def test_the_last_window_of_ceil_mode_begins_in_the_input():
    assert F.max_pool1d(tn.ones(1, 1, 5), 2, 2, ceil_mode=True).shape == (1, 1, 3)
    assert F.max_pool1d(tn.ones(1, 1, 4), 1, 3, ceil_mode=True).shape == (1, 1, 2)
    # the window at 4 would begin in the padding after the input
    assert F.max_pool1d(tn.ones(1, 1, 3), 2, 4, 1, ceil_mode=True).shape == (1, 1, 1)
    assert Window((2,), (2,)).rounded_up((5,)).end == (1,)
    y = F.avg_pool1d(tn.ones(1, 1, 5), 2, ceil_mode=True)
    assert y.tolist() == [[[1.0, 1.0, 1.0]]]


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("adaptive", [False, True])
def test_places_of_maxima(n, adaptive):
    x = real(2, 3, *SIZES[n])
    if adaptive:
        y, places = getattr(F, f"adaptive_max_pool{n}d")(x, 2, return_indices=True)
    else:
        y, places = getattr(F, f"max_pool{n}d")(x, 3, 2, 1, 1, True, True)
    assert places.dtype == np.int64
    assert not places.requires_grad
    at = places.data.reshape(2, 3, -1)
    there = np.take_along_axis(x.data.reshape(2, 3, -1), at, 2)
    np.testing.assert_array_equal(there, y.data.reshape(2, 3, -1))


def test_places_beside_nan_infinity_and_in_integers():
    nan, inf = float("nan"), float("inf")
    x = tn.tensor([[[-inf, -inf, 1.0, nan, 2.0, 3.0]]])
    y, places = F.max_pool1d(x, 2, return_indices=True)
    assert str(y.tolist()) == "[[[-inf, nan, 3.0]]]"
    assert places.tolist() == [[[0, 3, 5]]]
    for dtype in ("uint8", "int8", "int64"):
        z = tn.tensor([[[0, 0, 3]]], dtype)
        y, places = F.max_pool1d(z, 2, 1, 1, return_indices=True)
        assert (y.dtype, y.tolist(), places.tolist()) == (
            z.dtype,
            [[[0, 0, 3, 3]]],
            [[[0, 0, 2, 2]]],
        )


@pytest.mark.parametrize("n", SIZES)
def test_unpooling_undoes_pooling(n):
    x = real(2, 3, *SIZES[n])
    y, places = getattr(F, f"max_pool{n}d")(x, 2, return_indices=True)
    back = getattr(F, f"max_unpool{n}d")(y, places, 2, output_size=SIZES[n])
    assert back.shape == x.shape
    assert np.array_equal(back.data, np.where(back.data != 0, x.data, 0.0))
    assert (back.data != 0).sum() == y.numel()


def test_unpooling_several_entries_to_one_place():
    """The last is kept, and each gets the gradient of the place."""
    x = tn.tensor([[[1.0, 2.0, 3.0]]], requires_grad=True)
    y = F.max_unpool1d(x, tn.tensor([[[0, 0, 4]]]), 2)
    assert y.tolist() == [[[2.0, 0.0, 0.0, 0.0, 3.0, 0.0]]]
    (y * tn.arange(1, 7).float()).sum().backward()
    assert x.grad.tolist() == [[[1.0, 1.0, 5.0]]]


def test_average_of_integers_rounds_towards_zero():
    y = F.avg_pool2d(tn.tensor([[[[-9, -8], [-5, -4]], [[9, 8], [5, 4]]]]), 2)
    assert (y.dtype, y.tolist()) == (np.int64, [[[[-6]], [[6]]]])


def test_adaptive_sizes_may_be_none():
    x = real(2, 3, 6, 5)
    assert F.adaptive_avg_pool2d(x, (None, 1)).shape == (2, 3, 6, 1)
    assert F.adaptive_max_pool2d(x, (3, None)).shape == (2, 3, 3, 5)
    np.testing.assert_allclose(F.adaptive_avg_pool2d(x, (3, 5)).data,
                               F.avg_pool2d(x, (2, 1)).data, atol=1e-12)  # fmt: skip


def test_lp_pool_is_a_norm_of_each_window():
    x = real(2, 3, 6, 5)
    want = np.linalg.norm(F.unfold(x, 3).data.reshape(2, 3, 9, 12), axis=2).reshape(2, 3, 4, 3)
    np.testing.assert_allclose(F.lp_pool2d(x, 2, 3, 1).data, want, atol=1e-12)


def test_means_of_half_precision_are_rounded_once():
    """To the float16 nearest to the mean, also where the sum is beyond float16's largest number."""
    for value in (0.1, 6e4):
        x = tn.tensor(np.full((1, 1, 64, 64), value), "float16", requires_grad=True)
        want = x.data[0, 0, 0, 0]
        for y in (F.avg_pool2d(x, 64), F.adaptive_avg_pool2d(x, 1)):
            assert (y.dtype, y.data.item()) == (np.float16, want)
        half = F.lp_pool2d(x * 0.5, 2, 1)
        assert (half.dtype, half.data[0, 0, 0, 0]) == (np.float16, want * np.float16(0.5))
    F.avg_pool2d(x, 2).backward(tn.ones(1, 1, 32, 32, dtype="float16"))
    assert x.grad.dtype == np.float16
    assert (x.grad.data == 0.25).all()


def test_lp_pool_at_zero():
    x = tn.zeros(1, 1, 4, requires_grad=True)
    with np.errstate(all="ignore"):
        F.lp_pool1d(x, 2, 2).sum().backward()
    assert np.isnan(x.grad.data).all()


X = tn.zeros(2, 4, 6, 5)
REFUSED = [
    (ValueError, lambda: F.conv1d(X, X), r"conv1d: input has shape .*\(N, C, W\) or \(C, W\)"),
    (ValueError, lambda: F.conv2d(X, tn.zeros(2, 4, 3), padding="same"), r"conv2d: weight .*KW"),
    (TypeError, lambda: F.conv2d(X, None), "conv2d: weight is None; it must be a Tensor"),
    (TypeError, lambda: F.conv2d(X, [1.0]), "conv2d: weight is a list"),
    (TypeError, lambda: F.conv2d(X, tn.zeros(2, 4, 3, 3).double()), "conv2d: input is float32 and"),
    (TypeError, lambda: F.conv2d([X], X), "conv2d: input is a list"),
    (TypeError, lambda: F.conv2d(X, tn.zeros(2, 4, 3, 3), stride=1.5), "conv2d: stride is 1.5"),
    (ValueError, lambda: F.conv_transpose2d(X, tn.zeros(2, 4, 3, 3)), "4 channels and .* takes 2"),
    (ValueError, lambda: F.conv_transpose2d(X, tn.zeros(4, 2, 3, 3), tn.zeros(3)), r"\(2,\)"),
    (
        ValueError,
        lambda: F.conv_transpose2d(X, tn.zeros(4, 2, 3, 3), output_padding=1),
        "conv_transpose2d: output_padding is .* less than the stride",
    ),
    (
        ValueError,
        lambda: F.conv_transpose2d(X, tn.zeros(4, 2, 1, 1), padding=3),
        "conv_transpose2d: .* output of size",
    ),
    (ValueError, lambda: F.max_pool1d(tn.zeros(0, 3), 1), "max_pool1d: .*at least 1"),
    (TypeError, lambda: F.max_pool2d(X > 0, 2), "max_pool2d: input is bool"),
    (
        TypeError,
        lambda: F.avg_pool2d(tn.zeros(1, 1, 2, 2, dtype="int32"), 2),
        "avg_pool2d: .*int32",
    ),
    (ValueError, lambda: F.avg_pool2d(X, 7), "avg_pool2d: the window of 7x7"),
    (ValueError, lambda: F.avg_pool2d(X, 2, divisor_override=0), "avg_pool2d: divisor_override"),
    (ValueError, lambda: F.lp_pool2d(X, 0, 2), "lp_pool2d: norm_type is 0"),
    (ValueError, lambda: F.adaptive_avg_pool2d(X, (1, 2, 3)), "adaptive_avg_pool2d: output_size"),
    (ValueError, lambda: F.adaptive_max_pool2d(X[:, :0], 2), "adaptive_max_pool2d: .*at least 1"),
    (ValueError, lambda: F.max_unpool2d(X, X, 2), "max_unpool2d: indices is float32"),
    (
        ValueError,
        lambda: F.max_unpool1d(tn.zeros(1, 1, 2), tn.tensor([[[0, 4]]]), 2),
        "max_unpool1d: indices range from 0 to 4",
    ),
    (
        ValueError,
        lambda: F.max_unpool1d(tn.zeros(1, 1, 2), tn.tensor([[[0, 3]]]), 2, output_size=(7,)),
        "max_unpool1d: output_size",
    ),
    (
        ValueError,
        lambda: nn.ConvTranspose2d(4, 1, 3, 2)(X, output_size=(9, 9)),
        r"ConvTranspose2d: output_size is \(9, 9\).* from \(13, 11\) to \(14, 12\)",
    ),
    (ValueError, lambda: nn.Conv3d(1, 1, 3, padding="full"), "Conv3d: padding is 'full'"),
    (ValueError, lambda: nn.ConvTranspose1d(1, 1, 3, padding_mode="reflect"), "must be 'zeros'"),
]


@pytest.mark.parametrize(("kind", "call", "words"), REFUSED, ids=[words for *_, words in REFUSED])
def test_what_does_not_fit_is_named_with_its_numbers(kind, call, words):
    with pytest.raises(kind, match=words):
        call()


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv1d(2, 3, 2, padding="same"),
        nn.Conv3d(2, 4, (1, 2, 1), 2, groups=2, bias=False),
        nn.ConvTranspose2d(2, 3, 3, 2, output_padding=1, dilation=2),
        nn.MaxPool1d(2, ceil_mode=True),
        nn.MaxPool3d(2),
        nn.AvgPool1d(3, 1, 1),
        nn.AvgPool3d(2, divisor_override=3),
        nn.LPPool2d(2, 2),
        nn.AdaptiveAvgPool1d(3),
        nn.AdaptiveMaxPool3d((None, 1, 2)),
        nn.Unfold(2, padding=1),
    ],
    ids=str,
)
def test_layers_are_their_functions(layer):
    n = 2 if isinstance(layer, nn.Unfold) else int(type(layer).__name__[-2])
    x = tn.rand(2, 2, *SIZES[n])
    y = layer(x)
    assert y.dtype == np.float32
    assert np.isfinite(y.data).all()
    assert layer(x[0]).tolist() == layer(x[:1])[0].tolist()


def test_layers_that_undo_each_other():
    x = tn.rand(2, 3, 6, 4)
    y, places = nn.MaxPool2d(2, return_indices=True)(x)
    assert nn.MaxUnpool2d(2)(y, places, output_size=x.shape).shape == x.shape
    assert nn.Fold((6, 4), 2, stride=2)(nn.Unfold(2, stride=2)(x)).tolist() == x.tolist()
