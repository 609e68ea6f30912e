"""Document 000, one test for each entry of examples/EQUATIONS.md."""

from __future__ import annotations

import math

import numpy as np
import pytest
from equations import (
    agrees,
    array,
    attention,
    attention_weights,
    draw,
    only_right,
    parameters,
    recurrent,
    shapes,
    slopes,
)

import tinynet as tn
import tinynet.functional as F
from tinynet import nn, optim
from tinynet.testing import check_grads, jacobian

# A. Krizhevsky, I. Sutskever and G. Hinton, NIPS 2012, section 3.5, with the channels of
# A. Krizhevsky, arXiv:1404.5997: in, out, kernel, stride, padding, and whether a pool follows.
ALEXNET = [
    (3, 64, 11, 4, 2, True),
    (64, 192, 5, 1, 2, True),
    (192, 384, 3, 1, 1, False),
    (384, 256, 3, 1, 1, False),
    (256, 256, 3, 1, 1, True),
]
LISTING = [*ALEXNET[:3], (384, 256, 3, 1, 1, True)]
LINEAR = [(256 * 6 * 6, 4096), (4096, 4096), (4096, 1000)]


def narrow(convolutions):
    """The convolutions and pools with one channel each: the sizes do not depend on channels."""
    layers = []
    for _, _, kernel, stride, padding, pool in convolutions:
        layers += [nn.Conv2d(1, 1, kernel, stride, padding), *[nn.MaxPool2d(3, 2)] * pool]
    return nn.Sequential(*layers)


def weights(convolutions):
    """How many parameters they and the three linear layers have."""
    total = sum(out * (c * k * k + 1) for c, out, k, *_ in convolutions)
    return total + sum(out * (features + 1) for features, out in LINEAR)


def lenet_listing(channels=1):
    conv = [nn.Conv2d(channels, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5)]
    return nn.Sequential(*conv, nn.ReLU(), nn.MaxPool2d(2))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_e0_1_convolution_is_local_and_shares_weights(rng):
    w = draw(rng, 1, 1, 3, 3)
    J = array(jacobian(lambda x: F.conv2d(x, w), draw(rng, 1, 1, 5, 5))).reshape(9, 25)
    for row in J:
        assert sorted(row[row != 0]) == sorted(array(w).ravel())


def test_e0_2_a_recurrent_state_depends_on_the_past(rng):
    x, w, u = draw(rng, 4, 2), draw(rng, 3, 2), draw(rng, 3, 3)
    J = array(jacobian(lambda x: recurrent(x, w, u), x))
    for t, s in np.ndindex(4, 4):
        assert J[t, :, s].any() == (s <= t)
    check_grads(recurrent, [x, w, u])


def test_e0_3_attention_weighs_by_the_input(rng):
    q, k, v = draw(rng, 2, 3), draw(rng, 4, 3), draw(rng, 4, 5)
    weights = array(attention_weights(q, k))
    assert (weights > 0).all()
    np.testing.assert_allclose(weights.sum(1), 1)
    assert not agrees(attention_weights(q, 2 * k), weights, 1e-2)
    check_grads(attention, [q, k, v])


def test_e0_4_devices_together_have_the_whole_gradient(rng):
    x, y, w = array(draw(rng, 10, 3)), array(draw(rng, 10, 2)), draw(rng, 2, 3)

    def gradient(rows):
        loss = F.mse_loss(F.linear(tn.tensor(x[rows]), w).sigmoid(), tn.tensor(y[rows]))
        return array(tn.grad(loss, [w])[0])

    devices = [slice(0, 3), slice(3, 8), slice(8, 10)]
    together = sum((d.stop - d.start) / 10 * gradient(d) for d in devices)
    assert agrees(together, gradient(slice(0, 10)), 1e-12)


def test_e0_5_standardised_data_have_mean_0_and_variance_1(rng):
    x = 3 * array(draw(rng, 50, 4)) + 5
    z = (x - x.mean(0)) / x.std(0)
    assert np.abs(z.mean(0)).max() < 1e-12
    assert agrees(z.var(0), np.ones(4), 1e-12)
    assert agrees(F.batch_norm(tn.tensor(x), None, None, training=True, eps=1e-30), z, 1e-10)


def test_e0_6_a_step_along_the_gradient_lowers_the_loss(rng):
    x, y = draw(rng, 6, 3), tn.tensor(rng.random((6, 2)))
    for lr, rtol in ((1e-6, 1e-4), (1e-2, None)):
        w = draw(np.random.default_rng(1), 2, 3)
        optimizer = optim.SGD([w], lr=lr)
        before = F.mse_loss(F.linear(x.detach(), w).sigmoid(), y)
        before.backward()
        optimizer.step()
        fall = before.item() - F.mse_loss(F.linear(x.detach(), w).sigmoid(), y).item()
        assert fall > 0
        if rtol:
            assert fall / lr == pytest.approx(array(w.grad.square().sum()), rel=rtol)


def test_e0_7_what_is_to_be_maximised(rng):
    logits, labels = draw(rng, 4, 3), np.array([0, 2, 1, 2])
    loss = F.cross_entropy(logits, labels, reduction="sum")
    (g,) = tn.grad(loss, [logits])

    def likelihood(x):
        return array(F.softmax(x, 1))[np.arange(4), labels].prod()

    assert likelihood(logits) == pytest.approx(math.exp(-loss.item()))
    up, down = likelihood(logits + 0.1 * g), likelihood(logits - 0.1 * g)
    only_right(
        printed=np.sign(up - likelihood(logits)),
        right=np.sign(down - likelihood(logits)),
        measured=1,
    )


def test_e0_8_the_sum_runs_over_classes(rng):
    n, m, classes = 4, 5, 3
    x, w, labels = draw(rng, n, m), draw(rng, classes, m), np.array([0, 2, 1, 2])
    log_y = F.log_softmax(F.linear(x, w), 1)
    only_right(
        printed=lambda: -(F.one_hot(labels, m) * log_y).sum(),
        right=-(F.one_hot(labels, classes) * log_y).sum(),
        measured=F.cross_entropy(F.linear(x, w), labels, reduction="sum"),
    )


def test_e0_9_the_gradient_is_the_derivative(rng):
    x, w, labels = draw(rng, 4, 5).detach(), draw(rng, 3, 5), np.array([0, 2, 1, 2])

    def loss(w):
        return F.cross_entropy(F.linear(x, w), labels)

    check_grads(loss, w)


def test_e0_10_the_chain_rule_through_the_output(rng):
    z, y = draw(rng, 3), tn.tensor(rng.random(3))

    def output(z):
        return z.sigmoid().softmax(0)

    def loss(output):
        return -(y * output.log()).sum()

    chained = array(jacobian(loss, output(z))) @ array(jacobian(output, z))
    assert agrees(chained, slopes(lambda z: loss(output(z)), z))


def test_e0_11_no_slope_of_the_layer_below_in_the_weight_gradient(rng):
    z_below, w, c = draw(rng, 3, 1), draw(rng, 2, 3), draw(rng, 2, 1).detach()
    v = z_below.sigmoid()
    slope = array(v * (1 - v))
    z = w @ v
    delta = array(c * (1 - z.tanh().square()))
    only_right(
        printed=lambda: delta @ (slope * array(v)).T,  # as printed, δ σ'(z) v, no shapes fit
        right=delta @ array(v).T,
        measured=slopes(lambda w: (c * (w @ v).tanh()).sum(), w),
    )
    with pytest.raises(ValueError, match="mismatch"):
        delta @ slope @ array(v)


def test_e0_12_layers_of_alexnet():
    layers = list(narrow(ALEXNET))
    convolutions = sum(isinstance(layer, nn.Conv2d) for layer in layers)
    only_right(
        printed=(8, 3, 2),
        right=(5, 3, 3),
        measured=(convolutions, len(LINEAR), len(layers) - convolutions),
    )
    assert convolutions + len(LINEAR) == 8  # the layers with weights


def test_e0_13_the_listing_ends_in_256_maps_of_6_by_6():
    sides = [shape[1:] for shape in shapes(narrow(LISTING), 1, 224, 224)]
    assert sides == [(n, n) for n in (55, 27, 27, 13, 13, 13, 6)]
    assert LISTING[-1][1] * math.prod(sides[-1]) == LINEAR[0][0]


def test_e0_14_a_convolution_is_missing_in_the_listing():
    model = nn.Sequential(nn.Conv2d(3, 4, 5), nn.Conv2d(4, 2, 3))
    assert parameters(model) == 4 * (3 * 25 + 1) + 2 * (4 * 9 + 1)  # as in `weights`
    only_right(
        printed=(len(LISTING), weights(LISTING)),
        right=(len(ALEXNET), weights(ALEXNET)),
        measured=(5, 61_100_840),
    )
    assert weights(LISTING) == 60_510_760


def test_e0_15_a_sigmoid_before_a_loss_of_logits():
    best = np.full((1, 1000), -1e3)
    best[0, 7] = 1e3
    logits, label = tn.tensor(best, requires_grad=True), np.array([7])
    printed = F.cross_entropy(F.sigmoid(logits), label)
    only_right(printed=printed, right=F.cross_entropy(logits, label), measured=0)
    assert printed.item() == pytest.approx(math.log(1 + 999 / math.e))  # 5.909, of 6.908 at first
    wrong = tn.tensor(-best, requires_grad=True)  # surely wrong, and yet nothing is learnt:
    assert not tn.grad(F.cross_entropy(F.sigmoid(wrong), label), [wrong])[0].any()
    assert tn.grad(F.cross_entropy(wrong, label), [wrong])[0].any()


def test_e0_16_accuracy_is_the_share_of_right_guesses(rng):
    logits, labels = draw(rng, 40, 5), rng.integers(0, 5, 40)
    guesses = logits.argmax(1).numpy()
    for monotone in (F.softmax(logits, 1), F.sigmoid(logits)):
        assert (monotone.argmax(1).numpy() == guesses).all()
    correct = sum(int(g == t) for g, t in zip(guesses, labels, strict=True))
    assert 100.0 * correct / 40 == pytest.approx(100 * np.mean(guesses == labels))


def test_e0_17_sixteen_maps_of_5_by_5_come_from_32_by_32():
    assert shapes(lenet_listing(), 1, 32, 32)[-1] == (16, 5, 5)
    assert shapes(lenet_listing(), 1, 28, 28)[-1] == (16, 4, 4)
    linear = [nn.Linear(16 * 5 * 5, 120), nn.Linear(120, 84), nn.Linear(84, 10)]
    assert parameters(lenet_listing(), *linear) == 61_706


def test_e0_18_images_of_cifar_have_three_channels():
    only_right(
        printed=lambda: shapes(lenet_listing(), 3, 32, 32)[-1],
        right=shapes(lenet_listing(3), 3, 32, 32)[-1],
        measured=(16, 5, 5),
    )


def test_e0_19_a_view_that_mixes_examples():
    maps = lenet_listing()(tn.zeros(25, 1, 28, 28))
    only_right(printed=len(maps.reshape(-1, 16 * 5 * 5)), right=len(maps.flatten(1)), measured=25)


def test_e0_20_logits_go_to_the_loss_as_they_are(rng):
    logits, labels = draw(rng, 4, 3), np.array([0, 2, 1, 2])
    p = array(F.softmax(logits, 1))[np.arange(4), labels]
    assert F.cross_entropy(logits, labels).item() == pytest.approx(-np.log(p).mean())


def test_e0_21_the_running_loss_is_a_mean_over_100_batches(rng):
    losses, said, running = rng.random(250), [], 0.0
    for i, loss in enumerate(losses):
        running += loss
        if i % 100 == 99:
            said.append((i + 1, running / 100))
            running = 0.0
    assert [count for count, _ in said] == [100, 200]
    assert agrees([mean for _, mean in said], losses[:200].reshape(2, 100).mean(1), 1e-12)


def test_e0_22_a_shortcut_keeps_the_gradient(rng):
    rotations = [tn.tensor(np.linalg.qr(rng.standard_normal((4, 4)))[0] / 2) for _ in range(50)]

    def size(shortcut):
        x = y = tn.tensor(np.full(4, 0.1), requires_grad=True)
        for w in rotations:
            y = (w @ y).tanh() + shortcut * y
        return float(tn.grad(y.sum(), [x])[0].norm())

    assert size(0) < 1e-14  # 50 factors of at most 1/2
    assert size(1) > 0.1


def test_e0_23_attention_reaches_every_position_at_once(rng):
    x, w = draw(rng, 8, 3), draw(rng, 1, 1, 3, 1)
    J = array(jacobian(lambda x: attention(x, x, x), x))
    assert all(J[t, :, s].any() for t, s in np.ndindex(8, 8))
    J = array(jacobian(lambda x: F.conv2d(x.reshape(1, 1, 8, 3), w, padding=(1, 0)), x))
    assert all(J[0, 0, t, :, s].any() == (abs(t - s) <= 1) for t, s in np.ndindex(8, 8))
