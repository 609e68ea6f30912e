"""autograd.functional: formulas by hand, relations between the products, PyTorch's cases."""

from __future__ import annotations

import numpy as np
import pytest

import tinynet as tn
from tinynet.autograd import functional as AF
from tinynet.testing import check_grads


def numbers(*entries, **options):
    return tn.tensor(list(entries), dtype="float64", **options)


X, Y = numbers(1.0, 2.0), numbers(3.0, -1.0)
V, W = numbers(5.0, 7.0), numbers(-2.0, 0.5)


def both(x, y):
    """Two outputs; the second does not depend on y."""
    return x * y, (x**2).sum()


def number(x, y):
    return (x**3 * y).sum() + x.sum() ** 2


def lists(values):
    return tuple(map(lists, values)) if isinstance(values, tuple) else values.tolist()


def test_products_by_hand():
    y, g = AF.vjp(both, (X, Y), (V, tn.tensor(2.0, dtype="float64")))
    assert lists(y) == ([3.0, -2.0], 5.0)
    assert lists(g) == ([5 * 3 + 4.0, -7 + 8.0], [5.0, 14.0])
    y, g = AF.jvp(both, (X, Y), (V, W))
    assert lists(y) == ([3.0, -2.0], 5.0)
    assert lists(g) == ([5 * 3 - 2.0, -7 + 1.0], 2 * 5 + 4 * 7.0)
    assert lists(AF.vjp(lambda x: x.sum(), X)) == (3.0, [1.0, 1.0])
    assert lists(AF.jvp(lambda t: numbers(2.0, 3.0) * t, tn.tensor(4.0, dtype="float64"))) == (
        [8.0, 12.0], [2.0, 3.0],
    )  # fmt: skip


def test_jacobian_and_hessian_by_hand():
    j = AF.jacobian(both, (X, Y))
    assert lists(j) == (
        ([[3.0, 0.0], [0.0, -1.0]], [[1.0, 0.0], [0.0, 2.0]]),
        ([2.0, 4.0], [0.0, 0.0]),
    )
    assert AF.jacobian(lambda x: x * x, X).tolist() == [[2.0, 0.0], [0.0, 4.0]]
    assert isinstance(AF.jacobian(lambda x: (x,), X), tuple)
    assert isinstance(AF.jacobian(lambda x: x, (X,)), tuple)
    assert AF.jacobian(lambda x: x[:0], X).shape == (0, 2)
    h = AF.hessian(number, (X, Y))
    assert lists(h) == (
        ([[20.0, 2.0], [2.0, -10.0]], [[3.0, 0.0], [0.0, 12.0]]),
        ([[3.0, 0.0], [0.0, 12.0]], [[0.0, 0.0], [0.0, 0.0]]),
    )
    assert AF.hessian(lambda x: (x**3).sum(), X).tolist() == [[6.0, 0.0], [0.0, 12.0]]
    assert not h[0][0].requires_grad


def test_products_are_products_of_the_matrices():
    h = AF.hessian(number, (X, Y))
    expected = tuple((h[i][0] @ V + h[i][1] @ W).tolist() for i in range(2))
    for product in (AF.hvp, AF.vhp):
        y, g = product(number, (X, Y), (V, W))
        assert y.item() == number(X, Y).item()
        assert lists(g) == expected
        assert not g[0].requires_grad
    (j, _), _ = AF.jacobian(both, (X, Y))
    assert AF.vjp(lambda x: both(x, Y)[0], X, V)[1].tolist() == (V @ j).tolist()
    assert AF.jvp(lambda x: both(x, Y)[0], X, V)[1].tolist() == (j @ V).tolist()


@pytest.mark.parametrize(
    "f",
    [
        lambda x: AF.jacobian(lambda x: x.sin() * x.sum(), x, create_graph=True),
        lambda x: AF.hessian(lambda x: (x.sin() * x.sum()).sum(), x, create_graph=True),
        lambda x: AF.vjp(lambda x: x.exp() * x, x, V, create_graph=True)[1],
        lambda x: AF.jvp(lambda x: x.exp() * x, x, V, create_graph=True)[1],
        lambda x: AF.hvp(lambda x: (x.exp() * x.sum()).sum(), x, V, create_graph=True)[1],
    ],
)
def test_results_can_be_differentiated(f):
    check_grads(f, numbers(0.3, -0.7, requires_grad=True))


def test_a_vector_can_have_a_gradient():
    v = V.clone().requires_grad_()
    _, g = AF.jvp(lambda x: x**2, X, v, create_graph=True)
    assert tn.grad(g.sum(), v)[0].tolist() == [2.0, 4.0]
    _, g = AF.vjp(lambda x: x**2, X, v, create_graph=True)
    assert tn.grad(g.sum(), v)[0].tolist() == [2.0, 4.0]


def test_the_same_within_no_grad_and_without_a_trace():
    x = numbers(1.0, 2.0, requires_grad=True)
    with tn.no_grad():
        assert AF.hessian(lambda x: (x**3).sum(), x).tolist() == [[6.0, 0.0], [0.0, 12.0]]
    assert x.grad is None
    f32 = AF.jacobian(lambda x: x * x, tn.tensor([1.0, 2.0]))
    assert f32.dtype == np.float32


def test_zeros_unless_strict():
    constant = tn.ones(2, dtype="float64")
    assert AF.jacobian(lambda x: constant, X).tolist() == [[0.0, 0.0]] * 2
    assert lists(AF.jvp(lambda x: constant, X, V)[1]) == [0.0, 0.0]
    assert AF.hessian(lambda x: x.sum(), X).tolist() == [[0.0, 0.0]] * 2
    for call in (
        lambda: AF.jacobian(lambda x: constant, X, strict=True),
        lambda: AF.vjp(lambda x, y: x.sum(), (X, Y), strict=True),
        lambda: AF.vhp(lambda x: x.sum(), X, V, strict=True),
    ):
        with pytest.raises(RuntimeError, match=r"^\w+: strict is True, and an"):
            call()


WRONG = [
    (lambda: AF.vjp(lambda x: x, X), RuntimeError, "vjp: v may be None only if the output"),
    (lambda: AF.jvp(lambda x: x, X), RuntimeError, "jvp: v may be None only if the input"),
    (lambda: AF.vjp(lambda x: x, X, V[:1]), RuntimeError, r"vjp: v has \(1,\); .*output, \(2,\)"),
    (lambda: AF.hvp(lambda x: x.sum(), X, 3.0), RuntimeError, "hvp: v has float; it must"),
    (lambda: AF.hvp(lambda x: x, X, V), RuntimeError, r"hvp: func returned \(2,\); it must"),
    (lambda: AF.hessian(lambda x: x, X), RuntimeError, r"hessian: func returned \(2,\)"),
    (lambda: AF.jacobian(lambda x: 3.0, X), TypeError, "jacobian: func returned a float"),
    (lambda: AF.jacobian(lambda x: x, [X]), TypeError, "jacobian: inputs holds a list"),
    (lambda: AF.jacobian(lambda x: x, X.long()), TypeError, "jacobian: an input is int64"),
]


@pytest.mark.parametrize(("call", "error", "text"), WRONG)
def test_wrong_arguments(call, error, text):
    with pytest.raises(error, match=f"^{text}"):
        call()
