"""Document 004, one test for each entry of examples/EQUATIONS.md."""

from __future__ import annotations

import math
import pathlib
import runpy

import numpy as np
import pytest
from equations import TwoLayers, agrees, array, draw, only_right, parameters, slopes

import tinynet as tn
import tinynet.functional as F
from tinynet import nn, optim

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"
XOR = [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)]
# section 5.2 and 5.4: points, labels, and the probabilities that are printed for them
POINTS = np.array([[1, 0], [0, 1], [1, 1], [1, 0]])
LABELS = np.array([0, 1, 1, 0])
PRINTED = np.array([0.5193552, 0.7806447, 0.7806447, 0.5193552])


def counts(predicted, actual):
    """Both 1, predicted 1 alone, actually 1 alone, neither."""
    pairs = list(zip(predicted, actual, strict=True))
    return [pairs.count(pair) for pair in ((1, 1), (1, 0), (0, 1), (0, 0))]


@pytest.fixture
def rng():
    return np.random.default_rng(4)


@pytest.fixture
def net():
    return TwoLayers(4)


@pytest.fixture
def scores(rng):
    """What examples/binary_classifier.py prints for 60 points, their labels and guesses."""
    words = runpy.run_path(str(EXAMPLES / "binary_classifier.py"))["scores"]
    actual, predicted = rng.random(60) < 0.3, rng.random(60) < 0.6
    numbers = [float(word) for word in words(predicted, actual).split()[1::2]]
    names = ("accuracy", "precision", "recall", "F1")
    return dict(zip(names, numbers, strict=True)), counts(predicted.tolist(), actual.tolist())


def test_e4_1_a_neuron_weighs_adds_and_bends(rng):
    x, w = draw(rng, 5), draw(rng, 1, 5)
    total = math.fsum((array(x) * array(w)[0]).tolist())
    assert F.linear(x, w).sigmoid().item() == pytest.approx(1 / (1 + math.exp(-total)))


def test_e4_2_hidden_layers_with_an_activation_can_do_more(rng):
    """XOR by two hidden units, which is not linear; without an activation layers collapse."""
    a, b, x = draw(rng, 2, 2), draw(rng, 1, 2), draw(rng, 6, 2)
    assert agrees(F.linear(F.linear(x, a), b), F.linear(x, b @ a))
    points = tn.tensor([p[:2] for p in XOR], "float64")
    hidden = F.linear(points, tn.ones(2, 2, dtype="float64"), tn.tensor([0.0, -1.0], "float64"))
    y = F.linear(F.relu(hidden), tn.tensor([[1.0, -2.0]], "float64"))
    assert y[:, 0].tolist() == [p[2] for p in XOR]


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam, optim.RMSprop])
def test_e4_3_optimisers_lower_the_loss(make):
    theta = tn.tensor([0.0, 3.0], "float64", requires_grad=True)
    optimizer = make([theta], lr=0.02)
    for _ in range(400):
        optimizer.zero_grad()
        (theta - 1).square().sum().backward()
        optimizer.step()
    assert np.abs(array(theta) - 1).max() < 0.02


def test_e4_4_one_layer_is_no_multilayer_perceptron(rng):
    """One layer has z(0,0) + z(1,1) = z(0,1) + z(1,0), so it never has the signs of XOR."""
    points = tn.tensor([p[:2] for p in XOR], "float64")
    xor = np.array([p[2] for p in XOR]) > 0
    one = array(F.linear(points, draw(rng, 1000, 2), draw(rng, 1000)))  # 1000 of them at once
    assert np.abs(one[0] + one[3] - one[1] - one[2]).max() < 1e-12
    hidden = F.linear(points, tn.ones(2, 2, dtype="float64"), tn.tensor([0.0, -1.0], "float64"))
    two = array(F.linear(F.relu(hidden), tn.tensor([[4.0, -8.0]], "float64")) - 2)
    only_right(
        printed=((one > 0) == xor[:, None]).sum(0).max(),
        right=((two[:, 0] > 0) == xor).sum(),
        measured=len(XOR),
    )


def test_e4_5_forward_to_the_hidden_layer(net):
    v = net.by_hand()
    weight, bias = net.values["W1"], net.values["b1"][:, 0]
    assert agrees(F.linear(net.values["x"].T, weight, bias).sigmoid().T, v["a1"])
    assert agrees(v["W1"] @ v["x"] + v["b1"], v["z1"])


def test_e4_6_forward_to_the_output(net):
    v = net.by_hand()
    assert agrees(v["W2"] @ v["a1"] + v["b2"], v["z2"])
    assert agrees(1 / (1 + np.exp(-v["z2"])), v["a2"])


def test_e4_7_the_output_error(net):
    v = net.by_hand()
    error = (v["a2"] - v["y"]) * v["slope2"]
    assert agrees(error, net.measured("z2"))
    mean = slopes(lambda z: F.mse_loss(z.sigmoid(), net.y), v["z2"])
    assert agrees(2 / error.size * error, mean)  # the mean squared error has another factor


def test_e4_8_the_hidden_error_needs_a_transpose(net):
    v = net.by_hand()
    right = (v["W2"].T @ v["delta2"]) * v["slope1"]
    only_right(
        printed=lambda: (v["W2"] @ v["delta2"]) * v["slope1"],
        right=right,
        measured=net.measured("z1"),
    )
    entries = [sum(v["W2"][o, h] * v["delta2"][o, 0] for o in range(2)) for h in range(4)]
    assert agrees(np.array(entries)[:, None] * v["slope1"], right)


def test_e4_9_the_hidden_weights_see_the_input(net):
    v = net.by_hand()
    only_right(
        printed=lambda: v["delta1"] @ v["a1"].T,
        right=v["delta1"] @ v["x"].T,
        measured=net.measured("W1"),
    )


def test_e4_10_the_output_weights_see_the_hidden_layer(net):
    v, alpha = net.by_hand(), 0.1
    measured = net.measured("W2")
    only_right(
        printed=lambda: v["W2"] - alpha * (v["delta2"] @ v["a1"]),
        right=v["W2"] - alpha * (v["delta2"] @ v["a1"].T),
        measured=v["W2"] - alpha * measured,
    )
    for o, h in np.ndindex(2, 4):
        assert v["delta2"][o, 0] * v["a1"][h, 0] == pytest.approx(measured[o, h])
    net.run()["J"].backward()
    optim.SGD([net.values["W2"]], lr=alpha).step()
    assert agrees(net.values["W2"], v["W2"] - alpha * measured)


def test_e4_11_biases(net):
    v = net.by_hand()
    assert agrees(v["delta1"], net.measured("b1"))
    assert agrees(v["delta2"], net.measured("b2"))


def test_e4_12_four_points_are_not_a_hundred():
    only_right(printed=100, right=4, measured=len(POINTS))
    assert len(np.unique(POINTS, axis=0)) == 3
    assert (POINTS[:, 1] == LABELS).all()  # the label is the second feature


def test_e4_13_the_2_10_1_network_has_41_parameters():
    assert parameters(nn.Linear(2, 10), nn.Linear(10, 1)) == 2 * 10 + 10 + 10 + 1 == 41


def test_e4_14_random_weights_make_hidden_units_differ(rng):
    x, y = draw(rng, 5, 2).detach(), tn.tensor(rng.random((5, 1)))
    for w, differ in ((draw(rng, 3, 2), True), (tn.ones(3, 2, dtype="float64"), False)):
        w.requires_grad_()
        out = F.linear(F.linear(x, w).sigmoid(), tn.ones(1, 3, dtype="float64"))
        g = array(tn.grad(F.binary_cross_entropy_with_logits(out, y), [w])[0])
        assert agrees(g[0], g[1], 1e-9) != differ


def test_e4_15_the_listing_does_not_take_the_mean_square(rng):
    logits, y = draw(rng, 4, 1), tn.tensor(LABELS[:, None], "float64")
    p = array(logits.sigmoid())

    def listed(z):
        return F.binary_cross_entropy_with_logits(z, y)

    only_right(
        printed=2 * (p - array(y)) * p * (1 - p) / 4,
        right=(p - array(y)) / 4,
        measured=slopes(listed, logits),
    )
    assert agrees(
        2 * (p - array(y)) * p * (1 - p) / 4, slopes(lambda z: F.mse_loss(z.sigmoid(), y), logits)
    )


def test_e4_16_accuracy_is_a_share(scores):
    said, (both, false, missed, neither) = scores
    only_right(
        printed=both + neither,
        right=round((both + neither) / (both + false + missed + neither), 3),
        measured=said["accuracy"],
    )


def test_e4_17_recall_is_the_share_of_the_positive(scores):
    said, (both, false, missed, _) = scores
    only_right(
        printed=round(both / (both + false), 3),
        right=round(both / (both + missed), 3),
        measured=said["recall"],
    )
    assert round(both / (both + false), 3) == said["precision"]


def test_e4_18_f1_is_of_precision_and_recall(scores):
    said, (both, false, missed, neither) = scores
    accuracy, precision = (both + neither) / 60, both / (both + false)
    recall = both / (both + missed)
    only_right(
        printed=round(2 * accuracy * recall / (accuracy + recall), 3),
        right=round(2 * precision * recall / (precision + recall), 3),
        measured=said["F1"],
    )
    assert round(2 * both / (2 * both + false + missed), 3) == said["F1"]


def test_e4_19_a_sigmoid_before_a_loss_of_probabilities(rng):
    z, y = draw(rng, 4, 1), tn.tensor(LABELS[:, None], "float64")
    p = z.sigmoid()
    listed = -(y * p.log() + (1 - y) * (1 - p).log()).mean()
    assert agrees(listed, F.binary_cross_entropy_with_logits(z, y))


def test_e4_20_the_printed_predictions_are_half_right():
    """ "Most" would be 3 of 4 or more, as in a run of the network that did learn."""
    tn.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 10), nn.Sigmoid(), nn.Linear(10, 1))
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    x, y = tn.tensor(POINTS.astype("float32")), tn.tensor(LABELS[:, None].astype("float32"))
    for _ in range(100):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(model(x), y).backward()
        optimizer.step()
    learnt = array(model(x))[:, 0] > 0
    only_right(
        printed=sum((PRINTED > 0.5) == LABELS), right=sum(learnt == LABELS), measured=len(LABELS)
    )
    assert sum((PRINTED > 0.5) == LABELS) == 2


def test_e4_21_backward_is_more_than_the_difference(net):
    """Two inputs, with labels such that a⁽²⁾ - y is the same, have other gradients."""
    v = net.by_hand()
    first, difference = v["delta1"] @ v["x"].T, v["a2"] - v["y"]
    net.values["x"] = net.values["x"].detach() * 2
    net.y = tn.tensor(array(net.run()["a2"]) - difference)
    v = net.by_hand()
    assert agrees(v["a2"] - v["y"], difference)
    only_right(printed=first, right=v["delta1"] @ v["x"].T, measured=net.measured("W1"))
