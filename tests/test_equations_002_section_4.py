"""Document 002, section 4, gradient descent and backpropagation: one test for each entry of
examples/EQUATIONS.md."""

from __future__ import annotations

import numpy as np
import pytest
from equations import TwoLayers, agrees, array, draw, only_right, slopes
from hypothesis import given
from hypothesis import strategies as st

import tinynet as tn
import tinynet.functional as F
from tinynet import optim


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
def net():
    return TwoLayers()


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
    only_right(
        printed=lambda: v["x"] @ v["delta1"],
        right=v["delta1"] @ v["x"].T,
        measured=net.measured("W1"),
    )
    # nor does the order as printed do with the transpose that makes it a product
    only_right(
        printed=v["x"] @ v["delta1"].T, right=v["delta1"] @ v["x"].T, measured=net.measured("W1")
    )


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
