"""Document 001, one test for each entry of examples/EQUATIONS.md."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.signal
from equations import agrees, array, draw, only_right, parameters, recurrent, shapes, slopes

import tinynet as tn
import tinynet.functional as F
from tinynet import models, nn
from tinynet.testing import check_grads, definitions, jacobian


def convolution_as_printed(x, w, size):
    """y_ij = Σ_m Σ_n x_{i+m, j+n} w_mn, for i and j below `size`."""
    k = len(w)
    y = np.zeros((size, size))
    for i, j, m, n in np.ndindex(size, size, k, k):
        y[i, j] += x[i + m, j + n] * w[m, n]
    return y


def listing():
    """The network of section 5.2, without its soft-max."""
    features = [nn.Conv2d(1, 6, 5), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.MaxPool2d(2)]
    return nn.Sequential(*features, nn.Flatten(), nn.Linear(256, 120), nn.Linear(120, 10))


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def test_e1_1_one_set_of_weights_for_any_length(rng):
    w, u = draw(rng, 3, 2), draw(rng, 3, 3)
    long = draw(rng, 9, 2)
    for length in (1, 4, 9):
        h = recurrent(long[:length], w, u)
        assert h.shape == (length, 3)
        assert agrees(h, recurrent(long, w, u)[:length], 1e-12)


def test_e1_2_derivatives_of_a_whole_network_by_themselves(rng):
    labels = np.array([1, 0])

    def network(x, w, v):
        y = F.avg_pool2d(F.conv2d(x, w).tanh(), 2).flatten(1)
        return F.cross_entropy(F.linear(y, v), labels)

    check_grads(network, [draw(rng, 2, 1, 6, 6), draw(rng, 2, 1, 3, 3), draw(rng, 3, 8)])


def test_e1_3_convolution_and_pooling_save_work(rng):
    w = draw(rng, 2, 1, 3, 3)
    J = array(jacobian(lambda x: F.conv2d(x, w), draw(rng, 1, 1, 8, 8))).reshape(72, 64)
    assert (J != 0).sum() == 2 * 6**2 * 3**2  # its multiplications; a linear layer has 72 x 64
    assert parameters(nn.Conv2d(1, 6, 5)) == 156
    assert 28**2 * (6 * 24**2) + 6 * 24**2 == 2_712_960  # linear, for the same sizes
    pooled = F.max_pool2d(tn.zeros(1, 6, 24, 24), 2)
    assert pooled.numel() * 4 == 6 * 24**2


def test_e1_4_convolution_lacks_the_stride_and_the_channels(rng):
    x, w = draw(rng, 1, 1, 9, 9), draw(rng, 1, 1, 3, 3)
    image, kernel = array(x)[0, 0], array(w)[0, 0]
    assert agrees(convolution_as_printed(image, kernel, 7), F.conv2d(x, w)[0, 0])
    only_right(
        printed=convolution_as_printed(image, kernel, 4),
        right=definitions.conv2d(array(x), array(w), stride=(2, 2))[0, 0],
        measured=F.conv2d(x, w, stride=2)[0, 0],
    )
    x, w, b = draw(rng, 2, 3, 9, 9), draw(rng, 4, 3, 3, 3), draw(rng, 4)
    only_right(
        printed=convolution_as_printed(array(x)[0, 0], array(w)[0, 0], 4),
        right=definitions.conv2d(array(x), array(w), array(b), stride=(2, 2)),
        measured=F.conv2d(x, w, b, stride=2),
    )


def test_e1_5_what_is_called_convolution_is_correlation(rng):
    x, w = draw(rng, 1, 1, 6, 7), draw(rng, 1, 1, 3, 2)
    image, kernel = array(x)[0, 0], array(w)[0, 0]
    y = F.conv2d(x, w)[0, 0]
    assert agrees(y, scipy.signal.correlate2d(image, kernel, "valid"))
    assert agrees(y, scipy.signal.convolve2d(image, kernel[::-1, ::-1], "valid"))
    assert not agrees(y, scipy.signal.convolve2d(image, kernel, "valid"), 1e-3)


def test_e1_6_windows_are_not_kernels_and_overlap(rng):
    layer = nn.Conv2d(1, 6, 5)
    windows = F.unfold(tn.zeros(1, 1, 28, 28), 5).shape[2]
    tiles = (28 // 5) ** 2
    only_right(printed=(tiles, tiles), right=(24 * 24, 6), measured=(windows, len(layer.weight)))
    assert [shapes(nn.Sequential(layer), 1, n, n)[0][0] for n in (28, 32)] == [6, 6]


def test_e1_7_multiply_add_and_slide(rng):
    x, w = draw(rng, 2, 3, 6, 6), draw(rng, 4, 3, 3, 3)
    columns = F.unfold(x, 3)
    assert agrees(array(w).reshape(4, -1) @ array(columns), array(F.conv2d(x, w)).reshape(2, 4, 16))


@pytest.mark.parametrize(("n", "k", "stride"), [(28, 5, 1), (12, 5, 1), (9, 3, 2), (10, 3, 2)])
def test_e1_8_kernel_and_stride_choose_what_an_output_sees(n, k, stride):
    w = tn.ones(1, 1, k, k, dtype="float64")
    x = tn.zeros(1, 1, n, n, dtype="float64").requires_grad_()
    y = F.conv2d(x, w, stride=stride)
    assert y.shape[2] == (n - k) // stride + 1
    for p, q in ((0, 0), (1, 2)):
        (g,) = tn.grad(y[0, 0, p, q], [x], retain_graph=True)
        seen = np.argwhere(array(g)[0, 0])
        assert seen.min(0).tolist() == [p * stride, q * stride]
        assert seen.max(0).tolist() == [p * stride + k - 1, q * stride + k - 1]


def test_e1_9_symmetry_helps_symmetric_kernels_only(rng):
    x, w = draw(rng, 1, 1, 6, 6), draw(rng, 1, 1, 3, 3)
    mirrored = w + w.flip(3)

    def folded(w):
        """Columns j and 2 - j of the window are added first: 2/3 of the multiplications."""
        outer = tn.stack([x[..., :-2] + x[..., 2:], x[..., 1:-1]], 4)
        return sum(outer[:, :, m : m + 4, :, j] * w[0, 0, m, j] for m in range(3) for j in range(2))

    assert agrees(folded(mirrored), F.conv2d(x, mirrored))
    only_right(
        printed=folded(w),
        right=(w.reshape(1, 9) @ F.unfold(x, 3)).reshape(1, 1, 4, 4),
        measured=F.conv2d(x, w),
    )


def test_e1_10_pooling_takes_the_largest_or_the_mean(rng):
    x = draw(rng, 2, 3, 6, 8)
    tiles = array(x).reshape(2, 3, 3, 2, 4, 2)
    assert agrees(F.max_pool2d(x, 2), tiles.max((3, 5)))
    assert agrees(F.avg_pool2d(x, 2), tiles.mean((3, 5)))


def test_e1_11_sizes_of_the_first_convolution_and_pool():
    first = nn.Sequential(nn.Conv2d(1, 6, 5, stride=1), nn.MaxPool2d(2, stride=2))
    assert shapes(first, 1, 28, 28) == [(6, 24, 24), (6, 12, 12)]


def test_e1_12_the_list_has_half_of_the_listing():
    listed = [nn.Conv2d(1, 6, 5), nn.Linear(12 * 12 * 6, 120), nn.Linear(120, 10)]
    assert parameters(*listed) == 105_166
    only_right(
        printed=(1, parameters(*listed)),
        right=(2, parameters(listing())),
        measured=(2, parameters(models.LeNet())),
    )


def test_e1_13_lenet_5_adds_up_and_squashes(rng):
    scale, shift = draw(rng, 1, 6, 1, 1), draw(rng, 1, 6, 1, 1)

    def subsample(x):
        return (scale * 4 * F.avg_pool2d(x, 2) + shift).sigmoid()

    maps = shapes(nn.Sequential(nn.Conv2d(1, 6, 5)), 1, 32, 32)[0]
    small = subsample(tn.zeros(1, *maps, dtype="float64"))
    connections = small.numel() * (2 * 2 + 1)
    only_right(
        printed=(parameters(nn.MaxPool2d(2)), connections),
        right=(scale.numel() + shift.numel(), connections),
        measured=(12, 5880),  # LeCun et al. 1998, section II.B, of layer S2
    )
    check_grads(subsample, draw(rng, 1, 6, 4, 4))


def test_e1_14_sizes_of_the_listing():
    sides = [(6, 24, 24), (6, 12, 12), (16, 8, 8), (16, 4, 4), (256,), (120,), (10,)]
    assert shapes(listing(), 1, 28, 28) == sides
    assert parameters(listing()) == 34_622


def test_e1_15_bytes_divided_by_255_lie_between_0_and_1():
    x = np.arange(256, dtype="uint8").reshape(-1, 1, 16, 16).astype("float32") / 255.0
    assert x.dtype == np.float32
    assert (x.min(), x.max()) == (0, 1)


def test_e1_16_soft_max_twice(rng):
    label = np.array([3])
    perfect = tn.tensor(1e3 * np.eye(10)[[3]])

    def twice(x):
        return F.cross_entropy(F.softmax(x, 1), label)

    only_right(printed=twice(perfect), right=F.cross_entropy(perfect, label), measured=0)
    assert twice(perfect).item() == pytest.approx(math.log(1 + 9 / math.e))  # 1.4612, its least
    logits = draw(rng, 1, 10)
    only_right(
        printed=tn.grad(twice(logits), [logits])[0],
        right=F.softmax(logits, 1) - np.eye(10)[[3]],
        measured=slopes(lambda x: -F.softmax(x, 1)[0, 3].log(), logits),
    )


def test_e1_17_from_logits_means_that_the_loss_takes_the_soft_max(rng):
    logits, label = draw(rng, 1, 10).abs() + 0.1, np.array([3])
    only_right(
        printed=-logits[0, 3].log(),
        right=-F.softmax(logits, 1)[0, 3].log(),
        measured=F.cross_entropy(logits, label),
    )


def test_e1_18_volumes_of_the_proceedings_tell_the_year():
    """One volume a year: 1 is of 1913, 78 of 1990 (Werbos), 86 of 1998 (LeCun et al.)."""
    known = {1: 1913, 78: 1990, 86: 1998}
    a_year, start = np.polyfit(list(known), list(known.values()), 1)
    for volume, year in ((95, 1998), (95, 2015), (26, 2014), (13, 2010), (12, 2014)):
        on_the_line = a_year * volume + start
        # years are held to half of one: relative agreement would take 2014 for 2015
        only_right(printed=year - 1900, right=volume + 12, measured=on_the_line - 1900)
    assert len(range(117, 110 + 1)) == 0  # "pages 117 to 110" are none
