"""weight_norm and spectral_norm: the weights by hand, gradients, states, and back again."""

from __future__ import annotations

import numpy as np
import pytest

import tinynet as tn
from tinynet import nn
from tinynet.nn.utils import (
    remove_spectral_norm,
    remove_weight_norm,
    spectral_norm,
    weight_norm,
)
from tinynet.testing import check_grads

LAYERS = [
    (lambda: nn.Linear(3, 4), (5, 3)),
    (lambda: nn.Conv2d(2, 3, 2), (1, 2, 4, 3)),
    (lambda: nn.ConvTranspose1d(2, 3, 2), (1, 2, 4)),
]


@pytest.mark.parametrize(("make", "shape"), LAYERS)
@pytest.mark.parametrize("function", [weight_norm, spectral_norm])
def test_there_and_back(make, shape, function):
    tn.manual_seed(0)
    layer = make().double()
    w, x = layer.weight.data.copy(), tn.randn(*shape).double()
    y = layer(x)
    assert function(layer) is layer
    if function is weight_norm:
        np.testing.assert_allclose(layer(x).detach().numpy(), y.detach().numpy())
        expected = {"weight_g", "weight_v", "bias"}
    else:
        transposed = isinstance(layer, nn.ConvTranspose1d)
        matrix = w.swapaxes(0, 1) if transposed else w
        matrix = matrix.reshape(len(matrix), -1)
        for _ in range(200):
            layer(x)
        s = np.linalg.svd(layer.weight.detach().numpy().swapaxes(0, int(transposed)).reshape(
            matrix.shape), compute_uv=False)  # fmt: skip
        assert s[0] == pytest.approx(1.0)
        np.testing.assert_allclose(
            layer.weight.detach().numpy(), w / np.linalg.svd(matrix, compute_uv=False)[0]
        )
        expected = {"weight_orig", "weight_u", "weight_v", "bias"}
    assert set(layer.state_dict()) == expected
    found = layer(x).detach().numpy()
    (remove_weight_norm if function is weight_norm else remove_spectral_norm)(layer)
    assert set(layer.state_dict()) == {"weight", "bias"}
    assert isinstance(layer.weight, nn.Parameter)
    np.testing.assert_allclose(layer(x).detach().numpy(), found, rtol=1e-6)


@pytest.mark.parametrize("dim", [0, 1, -1, None])
def test_the_weight_by_hand(dim):
    layer = weight_norm(nn.Linear(3, 4).double(), dim=dim)
    v = layer.weight_v.data
    layer.weight_g.data *= 2.0
    layer(tn.ones(1, 3, dtype="float64"))
    over = {0: 1, 1: 0, -1: 0, None: None}[dim]
    length = np.sqrt((v**2).sum(axis=over, keepdims=dim is not None))
    assert layer.weight_g.shape == length.shape
    np.testing.assert_allclose(layer.weight.detach().numpy(), layer.weight_g.data * v / length)
    assert len(list(layer.parameters())) == 3


@pytest.mark.parametrize("function", [weight_norm, spectral_norm])
def test_gradients_to_second_order(function):
    tn.manual_seed(2)
    layer = function(nn.Linear(3, 2).double()).eval()  # in training u and v change with each call
    check_grads(layer, tn.randn(4, 3).double().requires_grad_())


def test_a_step_of_training():
    tn.manual_seed(0)
    net = nn.Sequential(weight_norm(nn.Linear(2, 8)), nn.Tanh(), spectral_norm(nn.Linear(8, 1)))
    optimizer = tn.optim.SGD(net.parameters(), lr=0.1)
    x = tn.randn(16, 2)
    losses = []
    for _ in range(30):
        loss = ((net(x) - x[:, :1]) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    other = nn.Sequential(weight_norm(nn.Linear(2, 8)), nn.Tanh(), spectral_norm(nn.Linear(8, 1)))
    other.load_state_dict(net.state_dict())
    np.testing.assert_array_equal(other.eval()(x).data, net.eval()(x).data)


def test_the_numbers_are_pytorchs():
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=(3, 2, 5, 4))
    for ours_f, theirs_f in ((weight_norm, "weight_norm"), (spectral_norm, "spectral_norm")):
        with pytest.warns(FutureWarning) if theirs_f == "weight_norm" else _nothing():
            theirs = getattr(torch.nn.utils, theirs_f)(torch.nn.Conv2d(2, 3, 2).double())
        ours = ours_f(nn.Conv2d(2, 3, 2).double())
        ours.load_state_dict(theirs.state_dict())
        for _ in range(2):
            a, b = ours(tn.tensor(x)), theirs(torch.tensor(x))
            np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-9)
        (a**2).sum().backward()
        (b**2).sum().backward()
        gradients = {name: p.grad.numpy() for name, p in theirs.named_parameters()}
        for name, p in ours.named_parameters():
            np.testing.assert_allclose(p.grad.numpy(), gradients[name], rtol=1e-8)


def _nothing():
    import contextlib

    return contextlib.nullcontext()


WRONG = [
    (lambda: weight_norm(3), TypeError, "weight_norm: module is a int"),
    (lambda: weight_norm(nn.ReLU()), ValueError, "weight_norm: ReLU has no parameter 'weight'"),
    (lambda: weight_norm(weight_norm(nn.Linear(2, 2))), RuntimeError, "weight_norm: 'weight' has"),
    (lambda: remove_weight_norm(nn.Linear(2, 2)), ValueError, "remove_weight_norm: 'weight' of"),
    (
        lambda: spectral_norm(nn.Linear(2, 2), n_power_iterations=0),
        ValueError,
        "spectral_norm: n_p",
    ),
    (lambda: weight_norm(nn.Linear(2, 2), dim=2), IndexError, "weight_norm: "),
]


@pytest.mark.parametrize(("call", "error", "text"), WRONG)
def test_wrong_arguments(call, error, text):
    with pytest.raises(error, match=f"^{text}"):
        call()
