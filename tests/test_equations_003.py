"""Document 003, one test for each entry of examples/EQUATIONS.md."""

from __future__ import annotations

import math

import numpy as np
import pytest
from equations import agrees, array, draw, only_right, parameters, shapes, slopes

import tinynet as tn
import tinynet.functional as F
from tinynet import nn
from tinynet.testing import check_grads, definitions, jacobian

# section 5.4: seconds, and microseconds a step, of epochs 2 to 10, each of 2800 steps
LOG = [(2, 817), (2, 765), (2, 769), (2, 776), (2, 777), (2, 773), (2, 778), (2, 782), (2, 776)]


def listing():
    """The network of section 5.2."""
    layers = [nn.Conv2d(1, 32, 3), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.MaxPool2d(2)]
    linear = [nn.Linear(576, 64), nn.Linear(64, 10)]
    return nn.Sequential(*layers, nn.Conv2d(64, 64, 3), nn.Flatten(), *linear)


def cross_entropy(p, y):
    """-(y ln p + (1 - y) ln(1 - p)), summed."""
    return -(y * p.log() + (1 - y) * (1 - p).log()).sum()


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def neuron(rng):
    """W (1, 3), x (3, 1), b (1, 1), y, and ŷ = σ(W x + b)."""
    w, x, b = draw(rng, 1, 3), draw(rng, 3, 1), draw(rng, 1, 1)
    return w, x, b, 1.0, (w @ x + b).sigmoid()


def test_e3_1_pruning_drops_numbers_and_quantising_drops_bytes(rng):
    w = array(draw(rng, 16, 20))
    pruned = np.where(np.abs(w) > np.median(np.abs(w)), w, 0)
    assert np.count_nonzero(pruned) == w.size // 2
    scale = np.abs(w).max() / 127
    small = np.round(w / scale).astype("int8")
    assert small.nbytes * 4 == w.astype("float32").nbytes
    assert np.abs(small * scale - w).max() <= scale / 2 + 1e-12
    assert small.size == w.size


def test_e3_2_slower_is_not_worse(rng):
    """The same layer by seven nested loops and by one matrix product."""
    x, w, labels = draw(rng, 12, 1, 5, 5), draw(rng, 4, 1, 3, 3), rng.integers(0, 4, 12)
    slow, quick = definitions.conv2d(array(x), array(w)), array(F.conv2d(x, w))
    assert agrees(slow, quick, 1e-12)
    errors = [np.mean(y.mean((2, 3)).argmax(1) != labels) for y in (slow, quick)]
    only_right(printed=True, right=False, measured=errors[0] != errors[1])


def test_e3_3_low_rank_and_sharing_save_parameters_below_a_rank(rng):
    m, n = 64, 100
    whole = parameters(nn.Linear(n, m, bias=False))
    for rank in range(1, 65):
        two = [nn.Linear(n, rank, bias=False), nn.Linear(rank, m, bias=False)]
        assert (parameters(*two) < whole) == (rank < m * n / (m + n))
    u, v, x = draw(rng, 4, 2), draw(rng, 2, 5), draw(rng, 3, 5)
    assert agrees(F.linear(F.linear(x, v), u), F.linear(x, u @ v))
    w = draw(rng, 3, 3)  # shared by two layers: its gradient is the sum over its places
    first = draw(rng, 3, 3)
    (g,) = tn.grad((w @ (w @ first)).tanh().sum(), [w])
    places = [w.detach().requires_grad_() for _ in range(2)]
    each = tn.grad((places[0] @ (places[1] @ first)).tanh().sum(), places)
    assert agrees(array(each[0]) + array(each[1]), g)


def test_e3_4_one_layer(neuron):
    w, x, b, _, y_hat = neuron
    z = math.fsum(float(p * q) for p, q in zip(array(w)[0], array(x)[:, 0], strict=True)) + b.item()
    assert y_hat.item() == pytest.approx(1 / (1 + math.exp(-z)))
    check_grads(lambda w, x, b: (w @ x + b).sigmoid(), [w, x, b])


def test_e3_5_cross_entropy_has_logarithms(rng):
    p, y = tn.tensor(rng.uniform(0.1, 0.9, 6)), tn.tensor([0.0, 1, 1, 0, 1, 0], "float64")
    as_printed = -(y / p) + (1 - y) / (1 - p)
    logits = (p / (1 - p)).log()
    measured = F.binary_cross_entropy_with_logits(logits, y, reduction="sum")
    # nor with both terms under the sum and its sign
    for printed in (as_printed.sum(), -(y / p + (1 - y) / (1 - p)).sum()):
        only_right(printed=printed, right=cross_entropy(p, y), measured=measured)
    # the term that is printed is the derivative of the term that is meant
    assert agrees(as_printed, slopes(lambda p: cross_entropy(p, y), p))
    # and as a loss it rewards the wrong answer: where y is 1 it falls without a bound towards p = 0
    assert slopes(lambda p: -1 / p, 0.7) > 0 > slopes(lambda p: cross_entropy(p, 1.0), 0.7)


def test_e3_6_a_deep_network_is_nested(rng):
    w = [draw(rng, 4, 3), draw(rng, 5, 4), draw(rng, 2, 5)]
    b, x = [draw(rng, n, 1) for n in (4, 5, 2)], draw(rng, 3, 1)
    nested = w[2] @ (w[1] @ (w[0] @ x + b[0]).sigmoid() + b[1]).sigmoid() + b[2]
    layers = [nn.Linear(3, 4), nn.Linear(4, 5), nn.Linear(5, 2)]
    model = nn.Sequential(layers[0], nn.Sigmoid(), layers[1], nn.Sigmoid(), layers[2]).double()
    for layer, weight, bias in zip(layers, w, b, strict=True):
        layer.load_state_dict({"weight": array(weight), "bias": array(bias)[:, 0]})
    assert agrees(model(x.detach().T).T, nested)


def test_e3_7_binary_cross_entropy(rng):
    logit = draw(rng, 5)
    for y in (tn.zeros(5, dtype="float64"), tn.ones(5, dtype="float64")):
        loss = F.binary_cross_entropy_with_logits(logit, y, reduction="sum")
        assert agrees(loss, cross_entropy(logit.sigmoid(), y))
        check_grads(lambda x, y=y: cross_entropy(x.sigmoid(), y), logit)


def test_e3_8_the_slope_of_the_loss_by_the_output(neuron):
    w, x, b, y, y_hat = neuron
    slope = array(jacobian(lambda w: (w @ x + b).sigmoid(), w)).reshape(1, 3)
    measured = slopes(lambda w: cross_entropy((w @ x + b).sigmoid(), y), w)
    p = y_hat.item()
    only_right(printed=-(y - p) * slope, right=(p - y) / (p * (1 - p)) * slope, measured=measured)
    # as printed it is the slope of half the squared error
    assert agrees(-(y - p) * slope, slopes(lambda w: 0.5 * (y - (w @ x + b).sigmoid()) ** 2, w))


def test_e3_9_the_slope_of_the_output(neuron):
    w, x, b, _, y_hat = neuron
    p, again = y_hat.item(), y_hat.sigmoid().item()
    only_right(
        printed=again * (1 - again) * array(w),  # W, so that the shape at least is that of W
        right=p * (1 - p) * array(x).T,
        measured=slopes(lambda w: (w @ x + b).sigmoid(), w),
    )
    only_right(  # by x the factor Wᵀ is right, but σ is taken twice
        printed=again * (1 - again) * array(w).T,
        right=p * (1 - p) * array(w).T,
        measured=slopes(lambda x: (w @ x + b).sigmoid(), x),
    )


def test_e3_10_the_whole_slope(neuron):
    w, x, b, y, y_hat = neuron
    p, again = y_hat.item(), y_hat.sigmoid().item()
    measured = slopes(lambda w: cross_entropy((w @ x + b).sigmoid(), y), w)
    for sign in (1, -1):  # the sign before (y - ŷ) is lost on the way as well
        only_right(
            printed=sign * (y - p) * again * (1 - again) * array(w),
            right=(p - y) * array(x).T,
            measured=measured,
        )
    assert agrees(p - y, slopes(lambda b: cross_entropy((w @ x + b).sigmoid(), y), b).item())
    target = tn.tensor([[y]], "float64")
    (g,) = tn.grad(F.binary_cross_entropy_with_logits(w @ x + b, target), [w])
    assert agrees(g, measured)


def test_e3_11_sizes_of_the_listing():
    sides = [(32, 26, 26), (32, 13, 13), (64, 11, 11), (64, 5, 5), (64, 3, 3), (576,), (64,), (10,)]
    assert shapes(listing(), 1, 28, 28) == sides


def test_e3_12_filters_and_units_as_counted():
    counts = [parameters(layer) for layer in listing()]
    assert counts == [320, 0, 18_496, 0, 36_928, 0, 36_928, 650]
    assert sum(counts) == 93_322


def test_e3_13_error_and_accuracy_add_up_to_one():
    right = np.arange(10_000) % 50 != 0
    assert (np.mean(right), np.mean(~right)) == (0.98, 0.02)


def test_e3_14_no_batch_size_makes_2800_steps_of_mnist():
    steps = {size: math.ceil(60_000 / size) for size in range(1, 60_001)}
    only_right(printed=2800, right=1875, measured=steps[32])
    assert 2800 not in steps.values()
    assert (steps[21], steps[22]) == (2858, 2728)


def test_e3_15_steps_times_time_is_what_the_log_says():
    for seconds, microseconds in LOG:
        assert int(2800 * microseconds * 1e-6) == seconds
