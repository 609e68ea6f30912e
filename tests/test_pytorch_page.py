"""The conventions on docs/pytorch.md are as it says."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinynet as tn
from tinynet import functional, optim


def test_changes_in_place():
    leaf = tn.ones(2, requires_grad=True)
    for change in (lambda y: y.add_(1), lambda y: y.__setitem__(0, 3.0)):
        with pytest.raises(RuntimeError, match="requires a gradient cannot be changed in place"):
            change(leaf * 1)
    with pytest.raises(RuntimeError, match=r"tinynet\.stack or cat"):
        tn.zeros(2)[0] = leaf[0]
    with tn.no_grad():
        leaf.add_(1)
    assert leaf.tolist() == [2.0, 2.0]
    x = tn.zeros(4)
    x.view(2, 2)[0].fill_(1.0)
    assert x.tolist() == [1.0, 1.0, 0.0, 0.0]


def test_data_is_the_array():
    w = tn.nn.Linear(2, 2).weight
    assert isinstance(tn.ones(2).data, np.ndarray)
    w.data[:] = 0
    assert w.tolist() == [[0, 0], [0, 0]]
    for value in (tn.ones(2, 2), np.full((2, 2), 2.0, "float32")):
        w.data = value
        assert w.tolist() == value.tolist()
    for draw in (tn.nn.init.normal_, lambda w: w.normal_()):
        before = w.tolist()
        with tn.no_grad():
            draw(w)
        assert w.tolist() != before


def test_dtypes():
    assert tn.tensor([1.0]).dtype == "float32"
    assert tn.ones(2, dtype="float64").dtype == tn.float64
    assert not hasattr(tn, "bfloat16")
    with pytest.raises(ValueError, match="set_default_dtype: float64 is not supported"):
        tn.set_default_dtype(tn.float64)
    with pytest.raises(TypeError, match="data must be numbers"):
        tn.tensor([1j])


def test_random_numbers():
    tn.manual_seed(0)
    x = tn.rand(2)
    assert tn.rand(2, generator=tn.Generator().manual_seed(1)).shape == (2,)
    tn.manual_seed(0)
    assert (tn.rand(2) == x).all()


def test_nothing_and_numbers():
    with pytest.raises(ValueError, match="empty batch"):
        tn.ones(0).mean()
    assert tn.ones(0).sum().item() == 0.0
    assert tn.maximum(tn.ones(2), 2).tolist() == [2.0, 2.0]
    assert tn.ones(2, 3).sum(axis=1, keepdims=True).shape == (2, 1)


def test_what_memory_options_are_not_there():
    with pytest.raises(TypeError, match="out"):
        tn.add(tn.ones(1), tn.ones(1), out=tn.ones(1))
    with pytest.raises(TypeError, match="names"):
        tn.ones(1, names=("a",))


def test_optimizers():
    p = tn.ones(1, requires_grad=True)
    optim.Adam([p], foreach=True, capturable=True)
    optim.SGD([p], lr=0.1, fused=True)
    with pytest.raises(ValueError, match="differentiable=True is not supported"):
        optim.SGD([p], lr=0.1, differentiable=True)


def test_the_first_of_equal_entries():
    x = tn.tensor([2.0, 1.0, 1.0, 2.0])
    assert x.sort().indices.tolist() == [1, 2, 0, 3]
    assert x.kthvalue(1).indices.item() == 1


def slopes(f, x):
    """The first and second derivative of f at a number."""
    x = tn.tensor(x, dtype="float64", requires_grad=True)
    (slope,) = tn.grad(f(x), x, create_graph=True)
    if not slope.requires_grad:
        return slope.item(), 0.0
    (bend,) = tn.grad(slope, x, allow_unused=True)
    return slope.item(), 0.0 if bend is None else bend.item()


def test_gradients_are_finite_and_exact():
    assert slopes(lambda x: functional.celu(x, 0.8), -1.0)[0] == pytest.approx(
        math.exp(-1.25), rel=1e-15
    )
    assert slopes(functional.hardsigmoid, 0.5)[0] == 1 / 6
    near = 1e-4
    bend = -(math.pi**2) / 3 + math.pi**4 * near**2 / 10
    assert slopes(tn.sinc, near)[1] == pytest.approx(bend, rel=1e-12)
    assert slopes(functional.mish, 800.0) == (1.0, 0.0)
    one, zero = tn.ones((), dtype="float64"), tn.zeros((), dtype="float64")
    assert slopes(lambda x: tn.copysign(x, one), 0.0)[1] == 0.0
    assert slopes(lambda x: tn.xlogy(zero, x), 0.0) == (0.0, 0.0)
