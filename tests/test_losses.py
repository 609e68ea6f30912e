"""Losses, penalties and soft-max: right where they could overflow; what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

import tinynet as tn
import tinynet.functional as F
from tinynet import nn, optim
from tinynet.functional import binary_cross_entropy_with_logits as bce

EXTREME = np.array([-1e4, -50.0, -1.0, 0.0, 1.0, 50.0, 1e4])


def value_and_grad(f, x, dtype):
    t = tn.tensor(x, dtype, requires_grad=True)
    y = f(t)
    (g,) = tn.grad(y, t, tn.ones(*y.shape, dtype=dtype))
    return y.detach().numpy(), g.numpy()


STABLE = {
    "sigmoid": F.sigmoid,
    "softplus": F.softplus,
    "logsigmoid": F.logsigmoid,
    "softmax": lambda x: F.softmax(x, 0),
    "log_softmax": lambda x: F.log_softmax(x, 0) * tn.tensor(np.arange(7.0), x.dtype),
    "logsumexp": lambda x: x.logsumexp(0),
    "bce, true": lambda x: bce(x, tn.ones(7, dtype=x.dtype), reduction="none"),
    "bce, false": lambda x: bce(x, tn.zeros(7, dtype=x.dtype), reduction="none"),
    "cross-entropy": lambda x: F.cross_entropy(x.reshape(1, 7), np.array([2])),
    "silu": F.silu,
    "gelu": F.gelu,
    "elu": F.elu,
}


@pytest.mark.parametrize("name", STABLE)
def test_float32_agrees_with_float64_at_logits_of_ten_thousand(name):
    f = STABLE[name]
    for single, double in zip(
        value_and_grad(f, EXTREME, "float32"), value_and_grad(f, EXTREME, "float64"), strict=True
    ):
        assert single.dtype == np.float32
        assert np.isfinite(single).all()
        np.testing.assert_allclose(single, double, rtol=1e-5, atol=1e-6)


def test_tails_keep_their_relative_precision():
    x = np.array([-80.0, -20.0], "float32")
    e = np.exp(x.astype("float64"))
    np.testing.assert_allclose(F.sigmoid(tn.tensor(x)).numpy(), e / (1 + e), rtol=1e-5)
    with np.errstate(all="raise"):  # where e^-x overflows, nothing is said
        assert F.sigmoid(tn.tensor([-1000.0, 1000.0])).tolist() == [0, 1]
    np.testing.assert_allclose(F.softplus(tn.tensor(x)).numpy(), np.log1p(e), rtol=1e-5)
    loss = bce(tn.tensor([20.0]), tn.tensor([1.0]))
    assert loss.item() == pytest.approx(math.log1p(math.exp(-20)), rel=1e-6)  # not 0


def test_a_row_is_shifted_by_its_own_maximum():
    """A shift by the batch's maximum would turn the second row into exp(-10,000) = 0, log 0."""
    rows = tn.tensor([[1e4, 0.0, -1e4], [0.3, 0.1, 0.2]])
    together = F.log_softmax(rows, 1).numpy()
    alone = np.concatenate([F.log_softmax(rows[i : i + 1], 1).numpy() for i in range(2)])
    assert np.array_equal(together, alone)


def test_logsumexp_of_infinities():
    inf = math.inf
    x = tn.tensor([[-inf, -inf], [-inf, 0.0], [inf, 0.0]])
    assert x.logsumexp(1).tolist() == [-inf, 0.0, inf]
    p = F.softmax(tn.tensor([-inf, 0.0, 0.0]), 0)  # a masked position
    assert p.tolist() == [0, 0.5, 0.5]
    # a class that is impossible, and that the target says is impossible, costs nothing
    assert F.cross_entropy(tn.tensor([[0.0, -inf]]), np.array([0])).item() == 0


def test_cross_entropy_by_its_definition():
    rng = np.random.default_rng(1)
    x, labels, e = rng.standard_normal((6, 3)), np.array([2, 0, -1, 1, -1, 2]), 0.3
    log_p = np.log(scipy.special.softmax(x, 1))
    losses = [
        0.0 if t == -1 else -sum(((1 - e) * (c == t) + e / 3) * log_p[n, c] for c in range(3))
        for n, t in enumerate(labels)
    ]
    options = {"ignore_index": -1, "label_smoothing": e}
    t = tn.tensor(x)
    got = F.cross_entropy(t, labels, reduction="none", **options)
    np.testing.assert_allclose(got.numpy(), losses, atol=1e-15)
    assert F.cross_entropy(t, labels, **options).item() == pytest.approx(sum(losses) / 4)
    total = F.cross_entropy(t, labels, reduction="sum", **options)
    assert total.item() == pytest.approx(sum(losses))
    # a class may be the one to be ignored, as in PyTorch
    keep = labels[labels >= 0]
    got = F.cross_entropy(tn.tensor(x[labels >= 0]), keep, ignore_index=2)
    assert got.item() == pytest.approx(-np.mean([log_p[1, 0], log_p[3, 1]]))
    # probabilities
    q = scipy.special.softmax(rng.standard_normal((6, 3)), 1)
    got = F.cross_entropy(t, tn.tensor(q))
    assert got.item() == pytest.approx(-(q * log_p).sum() / 6)


def test_huber_is_a_square_and_a_line():
    x, t = tn.tensor([0.0, 0.5, 2.0, 5.0, -5.0], "float64"), tn.zeros(5, dtype="float64")
    got = F.huber_loss(x, t, reduction="none", delta=2.0)
    assert got.tolist() == [0, 0.125, 2, 8, 8]


# --- penalties ----------------------------------------------------------------------------------


@given(st.lists(st.lists(st.floats(-9, 9, width=32), min_size=1), min_size=1, max_size=4))
def test_sums_by_loops(rows):
    tensors = [tn.tensor(np.array(row)) for row in rows]
    numbers = [x for row in rows for x in row]
    assert F.l1_penalty(tensors).item() == pytest.approx(sum(abs(x) for x in numbers))
    assert F.l2_penalty(iter(tensors)).item() == pytest.approx(sum(x * x for x in numbers))
    assert F.l1_penalty(tensors[0]).item() == pytest.approx(sum(abs(x) for x in rows[0]))


def test_penalties_have_no_slope_at_zero(device):
    zero = tn.zeros(3, requires_grad=True, device=device)
    (F.l1_penalty(zero) + F.l2_penalty(zero)).backward()
    assert zero.grad.tolist() == [0, 0, 0]


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_half_the_l2_penalty_is_weight_decay(momentum):
    rng = np.random.default_rng(0)
    x, y = tn.tensor(rng.normal(size=(8, 5))), tn.tensor(rng.integers(0, 3, 8))
    decay, ends = 0.03, []
    for in_the_loss in (False, True):
        tn.manual_seed(1)
        model = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3)).double()
        options = {"lr": 0.1, "momentum": momentum, "weight_decay": 0.0 if in_the_loss else decay}
        optimizer = optim.SGD(model.parameters(), **options)
        for _ in range(20):
            loss = F.cross_entropy(model(x), y)
            if in_the_loss:
                loss = loss + decay / 2 * F.l2_penalty(model.parameters())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        ends.append(np.concatenate([p.ravel() for p in model.state_dict().values()]))
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-12, atol=1e-14)


# --- bad input ----------------------------------------------------------------------------------


def test_labels_out_of_range_on_either_device(device):
    logits = tn.zeros(2, 10, device=device)
    for bad, words in (([3, 10], "label 10 is out of range for 10"), ([-1, 0], "label -1")):
        with pytest.raises(ValueError, match=words):
            F.cross_entropy(logits, tn.tensor(bad, device=device))
    with pytest.raises(TypeError, match=r"labels must be integers, not float32.*\.long\(\)"):
        F.cross_entropy(logits, tn.tensor([1.0, 2.0], device=device))
    with pytest.raises(IndexError, match="0 to 9"):
        F.embedding(tn.tensor([3, 10], device=device), tn.zeros(10, 4, device=device))
    with pytest.raises(IndexError, match="index 10 is out of range for axis 0 of size 10"):
        tn.zeros(10, 4, device=device)[tn.tensor([3, 10], device=device)]


@pytest.mark.parametrize("loss", [F.mse_loss, F.l1_loss, F.huber_loss, bce])
def test_a_column_is_not_compared_with_a_row(loss):
    with pytest.raises(ValueError, match=r"\(4, 1\) and target \(4,\).*N x N"):
        loss(tn.zeros(4, 1), tn.zeros(4))


def test_a_mean_over_nothing():
    with pytest.raises(ValueError, match="empty batch"):
        F.cross_entropy(tn.zeros(0, 3), np.zeros(0, int))
    with pytest.raises(ValueError, match="empty batch"):
        F.mse_loss(tn.zeros(0, 3), tn.zeros(0, 3))
    with pytest.raises(ValueError, match="empty batch or all labels ignored"):
        F.cross_entropy(tn.zeros(2, 3), np.array([-100, -100]))
    with pytest.raises(ValueError, match=r"mean: shape \(0, 3\) has 0 entries.*empty batch"):
        tn.zeros(0, 3).mean()
    assert F.cross_entropy(tn.zeros(0, 3), np.zeros(0, int), reduction="sum").item() == 0


def test_what_else_losses_refuse():
    x = tn.zeros(2, 3)
    labels = np.zeros(3, int)
    for call, words in (
        (lambda: F.cross_entropy(x, labels), r"target has shape \(3,\); .* labels \(2,\)"),
        (lambda: F.cross_entropy(x[0], labels), r"target has shape \(3,\); .* label \(\)"),
        (lambda: F.cross_entropy(x.sum(), labels), r"input has shape \(\); it must be \(C,\)"),
        (lambda: F.cross_entropy(x, x, ignore_index=0), "ignore_index is 0, but .* probabilities"),
        (lambda: F.cross_entropy(x, labels[:2], tn.ones(2)), r"weight has shape \(2,\)"),
        (lambda: F.cross_entropy(x, labels[:2], label_smoothing=2), "from 0 to 1"),
        (lambda: F.mse_loss(x, x, reduction="avg"), "mse_loss: .* 'avg'; it must be 'mean', 'sum'"),
        (lambda: F.huber_loss(x, x, delta=0), "greater than 0"),
        (lambda: F.huber_loss(x, x, delta=math.nan), "delta is nan; it must be greater than 0"),
        (lambda: F.softplus(x, 0), "softplus: beta is 0.0; it must be greater than 0"),
        (lambda: F.softplus(x, -1.0), r"softplus: beta is -1\.0; it must be greater than 0"),
        (lambda: F.softplus(x, math.nan), "softplus: beta is nan; it must be greater than 0"),
    ):
        with pytest.raises(ValueError, match=words):
            call()


def test_cross_entropy_refuses_logits_that_are_not_floats_and_lists():
    labels = np.zeros(2, int)
    for dtype in ("int64", "uint8", "bool"):
        with pytest.raises(TypeError, match=rf"input is {dtype}; convert it with \.float\(\)"):
            F.cross_entropy(tn.tensor(np.ones((2, 3)), dtype), labels)
    with pytest.raises(TypeError, match=r"cross_entropy: target is \[0, 1\]; it must"):
        F.cross_entropy(tn.zeros(2, 3), [0, 1])
    with pytest.raises(TypeError, match=r"cross_entropy: input is \[\[0.0, 1.0\]\]; it must"):
        F.cross_entropy([[0.0, 1.0]], labels)


def test_what_penalties_refuse():
    parameters = nn.Linear(2, 2).parameters()
    F.l1_penalty(parameters)
    with pytest.raises(
        ValueError, match=r"l2_penalty: parameters is empty.*exhausted after one pass"
    ):
        F.l2_penalty(parameters)
    with pytest.raises(TypeError, match="l1_penalty: parameter 1 is a float"):
        F.l1_penalty([tn.ones(2), 3.0])
