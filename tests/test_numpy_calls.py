"""NumPy's operators and functions with a Tensor: the Tensor's operator, or an error with advice."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import tinynet as tn

OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow,
             operator.matmul, operator.lt, operator.le, operator.gt, operator.ge, operator.eq,
             operator.ne]  # fmt: skip


@pytest.mark.parametrize("operate", OPERATORS, ids=lambda f: f.__name__)
def test_an_array_on_the_left_is_the_tensors_operator(operate):
    a, b = np.array([1.0, 2.0], "float32"), np.array([2.0, 0.5], "float32")
    t = tn.tensor(b, requires_grad=True)
    found = operate(a, t)
    assert isinstance(found, tn.Tensor)
    np.testing.assert_array_equal(found.detach().numpy(), operate(a, b))
    assert found.requires_grad == (found.dtype == np.float32)
    if operate is not operator.matmul:
        found = operate(np.float32(2), t)
        np.testing.assert_array_equal(found.detach().numpy(), operate(np.float32(2), b))


def test_operators_of_numpy_by_name_and_in_place():
    a, t = np.ones(2, "float32"), tn.tensor([3.0, 4.0], requires_grad=True)
    assert np.multiply(t, a).grad_fn is not None
    assert np.subtract(a, t).tolist() == [-2.0, -3.0]
    a -= t  # the name becomes the Tensor, as without NumPy
    assert a.tolist() == [-2.0, -3.0]
    assert (np.shape(t), np.ndim(t)) == ((2,), 1)
    assert t.__array_ufunc__ is None  # what CuPy's operators ask


@pytest.mark.parametrize(
    ("call", "advice"),
    [
        (lambda t: np.exp(t), r"numpy.exp: a Tensor is not an array.*use t.exp\(\), or call it on"),
        (lambda t: np.mean(t), r"numpy.mean: .*use t.mean\(\).*t.detach\(\).numpy\(\)"),
        (lambda t: np.abs(t), r"use t.abs\(\)"),
        (lambda t: np.concatenate([t, t]), "use tinynet.cat"),
        (lambda t: np.nextafter(t, t), r"lost; call it on t\.detach\(\)"),
        (lambda t: np.add.reduce(t), "numpy.add: "),
        (lambda t: np.add(t, 1, where=[True, False]), "numpy.add: "),
        (lambda t: np.allclose(t, t), "numpy.allclose: "),
        (lambda t: np.array_equal(t, t), "numpy.array_equal: "),  # else it would say False
    ],
)
def test_other_functions_say_what_to_call(call, advice):
    with pytest.raises(TypeError, match=advice):
        call(tn.tensor([1.0, 2.0]))
