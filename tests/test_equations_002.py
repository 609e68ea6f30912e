"""Document 002, one test for each entry of examples/EQUATIONS.md."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.signal
from equations import (
    TwoLayers,
    agrees,
    array,
    attention,
    attention_weights,
    draw,
    only_right,
    parameters,
    positions,
    recurrent,
    shapes,
    slopes,
)
from hypothesis import given
from hypothesis import strategies as st

import tinynet as tn
import tinynet.functional as F
from tinynet import nn, optim
from tinynet.testing import check_grads, jacobian


def listing(pools=2):
    """The network of section 5.2, or with a third pool."""
    layers = [nn.Conv2d(3, 32, 3), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.MaxPool2d(2)]
    layers += [nn.Conv2d(64, 64, 3), *[nn.MaxPool2d(2)] * (pools - 2), nn.Flatten()]
    return nn.Sequential(*layers)


def descend(steps, lr=0.1):
    """θ_0 = 0, θ_1, ... on J(θ) = (θ - 1)²."""
    theta = tn.tensor([0.0], "float64", requires_grad=True)
    optimizer, path = optim.SGD([theta], lr=lr), [0.0]
    for _ in range(steps):
        optimizer.zero_grad()
        (theta - 1).square().sum().backward()
        optimizer.step()
        path.append(theta.item())
    return path


@pytest.fixture
def rng():
    return np.random.default_rng(2)


@pytest.fixture
def net():
    return TwoLayers()


def test_e2_1_backward_updates_nothing(net):
    w = net.values["W1"]
    before = w.tolist()
    net.run()["J"].backward()
    after_backward = w.tolist()
    assert agrees(w.grad, net.measured("W1"))
    optim.SGD([w], lr=0.1).step()
    only_right(printed=after_backward != before, right=w.tolist() != before, measured=True)


def test_e2_2_a_kernel_makes_a_map(rng):
    x, w = draw(rng, 1, 3, 6, 6), draw(rng, 5, 3, 3, 3)
    y = F.conv2d(x, w)
    assert y.shape[1] == 5
    for o in range(5):
        assert agrees(y[:, o : o + 1], F.conv2d(x, w[o : o + 1]))


def test_e2_3_relu_makes_it_non_linear(rng):
    x, a, b = draw(rng, 1, 1, 7, 7), draw(rng, 1, 1, 3, 3), draw(rng, 1, 1, 2, 2)
    assert agrees(F.relu(x), np.maximum(array(x), 0))
    one = tn.tensor(scipy.signal.convolve2d(array(a)[0, 0], array(b)[0, 0])[None, None])
    assert agrees(F.conv2d(F.conv2d(x, a), b), F.conv2d(x, one))
    assert not agrees(F.conv2d(F.relu(F.conv2d(x, a)), b), F.conv2d(x, one), 1e-3)


def test_e2_4_generator_against_discriminator(rng):
    """V = mean ln D(x) + mean ln(1 - D(G(z))): D's step up raises it, G's step down lowers it."""
    x, z, d, g = draw(rng, 20, 1).detach(), draw(rng, 20, 1).detach(), draw(rng, 2), draw(rng, 2)

    def value(d, g):
        real, false = d[0] * x + d[1], d[0] * (g[0] * z + g[1]) + d[1]
        return F.logsigmoid(real).mean() + F.logsigmoid(-false).mean()

    gd, gg = tn.grad(value(d, g), [d, g])
    assert value(d + 0.01 * gd, g).item() > value(d, g).item() > value(d, g - 0.01 * gg).item()
    check_grads(value, [d, g])


def test_e2_5_the_best_discriminator_and_minus_ln_4(rng):
    """Against the best D = p / (p + q), V is least, -ln 4, where the generated q is the p."""
    p, q = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.4, 0.1, 0.3, 0.2])

    def value(logits, q):
        return (tn.tensor(p) * F.logsigmoid(logits) + tn.tensor(q) * F.logsigmoid(-logits)).sum()

    best = tn.tensor(np.log(p / q), requires_grad=True)
    assert np.abs(slopes(lambda s: value(s, q), best)).max() < 1e-9
    assert value(tn.zeros(4, dtype="float64"), p).item() == pytest.approx(-math.log(4))
    assert value(best, q).item() > -math.log(4)


def test_e2_6_heads_are_attentions_side_by_side(rng):
    q, k, v = draw(rng, 5, 6), draw(rng, 5, 6), draw(rng, 5, 6)

    def heads(q, k, v, h=2):
        parts = ([t.reshape(5, h, -1)[:, i] for t in (q, k, v)] for i in range(h))
        return tn.cat([attention(*part) for part in parts], 1)

    y = heads(q, k, v)
    assert agrees(y[:, 3:], attention(q[:, 3:], k[:, 3:], v[:, 3:]))
    assert not agrees(y, attention(q, k, v), 1e-3)
    J = array(jacobian(lambda v: heads(q, k, v), v))
    assert J[:, :3, :, :3].any(axis=(1, 3)).all()  # each position reaches each
    assert not J[:, :3, :, 3:].any()
    check_grads(heads, [q, k, v], order=1)


def test_e2_7_without_positions_no_order(rng):
    x, order = draw(rng, 6, 4), np.array([3, 1, 5, 0, 2, 4])
    p = positions(6, 4)
    assert agrees(attention(x[order], x[order], x[order]), attention(x, x, x)[order])
    a, b = x + p, x[order] + p
    assert not agrees(attention(b, b, b), attention(a, a, a)[order], 1e-2)


def test_e2_8_positions_before_attention(rng):
    """Whether the weights that one word gives to another depend on where the two stand."""
    x, order, p = draw(rng, 6, 4), np.array([3, 1, 5, 0, 2, 4]), positions(6, 4)

    def notices(shift):
        a, b = x + shift, x[order] + shift
        return not agrees(attention_weights(b, b), attention_weights(a, a)[order][:, order], 1e-6)

    only_right(printed=notices(0 * p), right=notices(p), measured=True)


def test_e2_9_a_decoder_asks_the_encoder(rng):
    words, memory = draw(rng, 3, 4), draw(rng, 5, 4)

    def decode(words, memory):
        own = words + attention(words, words, words)
        return own + attention(own, memory, memory)

    assert decode(words, memory).shape == (3, 4)
    assert array(jacobian(lambda w: decode(w, memory), words)).any(axis=(1, 3)).all()
    assert array(jacobian(lambda m: decode(words, m), memory)).any(axis=(1, 3)).all()
    check_grads(decode, [words, memory])


def test_e2_10_gradient_descent():
    rng = np.random.default_rng(2)
    theta, c, lr = draw(rng, 3), draw(rng, 3).detach(), 0.07

    def J(theta):
        return (c * theta.sin()).sum()

    right = array(theta) - lr * slopes(J, theta)
    J(theta).backward()
    optim.SGD([theta], lr=lr).step()
    assert agrees(theta, right)


def test_e2_11_the_slope_of_a_parabola():
    for theta in (-1.0, 0.0, 0.2, 3.0):
        assert slopes(lambda t: (t - 1) ** 2, theta) == pytest.approx(2 * (theta - 1), abs=1e-9)


def test_e2_12_the_first_iterate():
    assert descend(1) == pytest.approx([0, 0.2])


def test_e2_13_the_second_iterate():
    slope = slopes(lambda t: (t - 1) ** 2, 0.2)
    only_right(printed=0.3, right=0.36, measured=0.2 - 0.1 * slope)
    only_right(printed=0.3, right=0.36, measured=descend(2)[2])


@given(st.floats(0.01, 0.99), st.integers(1, 20))
def test_e2_14_it_converges(lr, steps):
    assert descend(steps, lr)[-1] == pytest.approx(1 - (1 - 2 * lr) ** steps)


def test_e2_15_forward(net):
    v = net.by_hand()
    z = array(F.linear(net.values["x"].T, net.values["W1"], net.values["b1"][:, 0]))
    assert agrees(v["W1"] @ v["x"] + v["b1"], z.T)
    assert agrees(v["a1"], 1 / (1 + np.exp(-z.T)))
    assert agrees(v["W2"] @ v["a1"] + v["b2"], v["z2"])


def test_e2_16_the_error_term_is_the_slope_by_z(net):
    v = net.by_hand()
    for layer in "12":
        assert agrees(v["delta" + layer], net.measured("z" + layer))


def test_e2_17_the_weight_gradient_is_an_outer_product(net):
    v = net.by_hand()
    right, measured = v["delta1"] @ v["x"].T, net.measured("W1")
    only_right(printed=lambda: v["x"] @ v["delta1"], right=right, measured=measured)
    # nor does the order as printed do with the transpose that makes it a product
    only_right(printed=v["x"] @ v["delta1"].T, right=right, measured=measured)


def test_e2_18_the_bias_gradient_is_the_error_term(net):
    v = net.by_hand()
    assert agrees(net.run()["z1"], v["z1"])
    assert agrees(slopes(lambda b: net.run(b1=b)["J"], net.values["b1"]), v["delta1"])
    x = draw(np.random.default_rng(3), 3, 5)  # five examples: it is summed over them
    batch = TwoLayers()
    batch.values["x"] = x
    assert agrees(batch.by_hand()["delta1"].sum(1, keepdims=True), batch.measured("b1"))


def test_e2_19_the_slope_by_the_input_is_none_of_these(net):
    v = net.by_hand()
    only_right(printed=v["delta1"], right=v["W1"].T @ v["delta1"], measured=net.measured("x"))


def test_e2_20_the_output_error_is_that_of_half_the_square(net):
    v = net.by_hand()
    assert agrees((v["a2"] - v["y"]) * v["slope2"], net.measured("z2"))

    def cross_entropy(z):
        return F.binary_cross_entropy_with_logits(z, net.y, reduction="sum")

    assert agrees(v["a2"] - v["y"], slopes(cross_entropy, v["z2"]))  # no σ' there


def test_e2_21_the_hidden_error_needs_a_transpose(net):
    v = net.by_hand()
    only_right(
        printed=lambda: (v["W2"] @ v["delta2"]) * v["slope1"],
        right=(v["W2"].T @ v["delta2"]) * v["slope1"],
        measured=net.measured("z1"),
    )


def test_e2_22_weight_gradients_of_both_layers(net):
    v = net.by_hand()
    for delta, a, w in (("delta2", "a1", "W2"), ("delta1", "x", "W1")):
        only_right(
            printed=lambda a=a, delta=delta: v[a] @ v[delta],
            right=v[delta] @ v[a].T,
            measured=net.measured(w),
        )


def test_e2_23_bias_gradients_of_both_layers(net):
    v = net.by_hand()
    for layer in "12":
        assert agrees(v["delta" + layer], net.measured("b" + layer))


def test_e2_24_sizes_of_the_listing():
    sides = [(32, 30, 30), (32, 15, 15), (64, 13, 13), (64, 6, 6), (64, 4, 4), (1024,)]
    assert shapes(listing(), 3, 32, 32) == sides
    linear = [nn.Linear(1024, 64), nn.Linear(64, 10)]
    assert parameters(listing(), *linear) == 122_570


def test_e2_25_two_pools_for_three_convolutions():
    kinds = [type(layer).__name__ for layer in listing()]
    only_right(
        printed=(3, shapes(listing(3), 3, 32, 32)[-1][0]),
        right=(2, 1024),
        measured=(kinds.count("MaxPool2d"), shapes(listing(), 3, 32, 32)[-1][0]),
    )
    assert kinds.count("Conv2d") == 3


def test_e2_26_ten_logits_without_a_soft_max(rng):
    x, w, b, labels = draw(rng, 4, 6), draw(rng, 10, 6), draw(rng, 10), np.array([0, 9, 3, 3])
    check_grads(lambda x, w, b: F.cross_entropy(F.linear(x, w, b), labels), [x, w, b])
    (g,) = tn.grad(F.cross_entropy(F.linear(x, w, b), labels, reduction="sum"), [b])
    assert agrees(g, (array(F.softmax(F.linear(x, w, b), 1)) - np.eye(10)[labels]).sum(0))


def test_e2_27_kernels_and_units_as_counted():
    layer = listing()[0]
    assert (layer.out_channels, layer.kernel_size) == (32, (3, 3))
    assert parameters(layer) == 896
    assert parameters(nn.Linear(64, 10)) == 650


def test_e2_28_labels_as_numbers_are_labels_as_rows(rng):
    x, labels = draw(rng, 4, 10), np.array([0, 9, 3, 3])
    rows = F.one_hot(labels, 10).double()
    assert agrees(F.cross_entropy(x, labels), F.cross_entropy(x, rows))
    assert agrees(F.cross_entropy(x, labels), -(rows * F.log_softmax(x, 1)).sum(1).mean())


def test_e2_29_attention_at_once_or_row_by_row(rng):
    q, x, w, u = draw(rng, 5, 3), draw(rng, 5, 2), draw(rng, 3, 2), draw(rng, 3, 3)
    rows = [attention(q[t : t + 1], q, q) for t in reversed(range(5))]
    assert agrees(tn.cat(rows[::-1]), attention(q, q, q))
    # a recurrent state cannot be had before the last one
    assert jacobian(lambda h: (w @ x[1] + u @ h).tanh(), recurrent(x, w, u)[0]).abs().amin() > 0


def test_e2_30_recurrent_gradients_vanish_or_explode(rng):
    rotation = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    for size in (0.5, 1.5):
        u = tn.tensor(size * rotation)

        def last(h, u=u):
            for _ in range(40):
                h = u @ h
            return h

        J = array(jacobian(last, draw(rng, 3)))
        assert np.linalg.norm(J, 2) == pytest.approx(size**40)


def test_e2_31_depth_and_activation_decide(rng):
    x = draw(rng, 1)
    for depth in (1, 10, 30):
        y, z = x, x.abs()
        for _ in range(depth):
            y, z = y.sigmoid(), z.relu()
        assert 0 < abs(tn.grad(y, [x], retain_graph=True)[0].item()) <= 0.25**depth
        assert abs(tn.grad(z, [x])[0].item()) == 1
