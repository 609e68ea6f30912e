"""jacobian, hessian, hvp, Taylor tests, symmetry, definitions and strategies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinynet as tn
import tinynet.functional as F
from tinynet.autograd import Op
from tinynet.ops.arithmetic import raw
from tinynet.testing import (
    GradientError,
    check_hessian_symmetry,
    definitions,
    hessian,
    hvp,
    jacobian,
    taylor_test,
)
from tinynet.testing.strategies import KINDS, LAYOUTS, arrays, contents, with_layout

X = np.array([[0.3, -0.7, 1.1], [0.9, 0.2, -0.4]])


def x64() -> tn.Tensor:
    return tn.tensor(X, requires_grad=True)


def test_jacobian() -> None:
    a = tn.tensor(np.arange(12.0).reshape(3, 4))
    j = jacobian(lambda x: x @ a, x64())
    assert j.shape == (2, 4, 2, 3)
    want = np.einsum("nm,ij->nimj", np.eye(2), a.numpy().T)
    np.testing.assert_allclose(j.numpy(), want)
    p = tn.tensor(X[0]).softmax(0).numpy()
    np.testing.assert_allclose(
        jacobian(lambda x: x.softmax(0), tn.tensor(X[0])).numpy(), np.diag(p) - np.outer(p, p)
    )


def test_hessian_and_products() -> None:
    s = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 0.5]])
    a = tn.tensor(s)
    x, v = tn.tensor(X[0]), tn.tensor(np.array([1.0, -2.0, 0.5]))

    def quadratic(x: tn.Tensor) -> tn.Tensor:
        return (x * (a @ x)).sum() * 0.5

    np.testing.assert_allclose(hessian(quadratic, x).numpy(), s)
    np.testing.assert_allclose(hvp(quadratic, x, v).numpy(), s @ v.numpy())

    def cubes(x: tn.Tensor) -> tn.Tensor:
        return (x**3).sum()

    assert hessian(cubes, x64()).shape == (2, 3, 2, 3)
    np.testing.assert_allclose(hvp(cubes, x64(), tn.tensor(X)).numpy(), 6 * X * X)


@pytest.mark.parametrize("f", [lambda x: x.sum() * 3.0, lambda x: tn.tensor(np.array(2.0))])
def test_second_derivatives_of_what_has_none(f: Any) -> None:
    assert not hessian(f, x64()).numpy().any()
    assert not hvp(f, x64(), tn.tensor(X)).numpy().any()


def test_derivatives_keep_float32_and_leave_the_input_alone() -> None:
    x = tn.tensor(X, dtype="float32", requires_grad=True)
    for d in (
        jacobian(lambda x: x * x, x),
        hessian(lambda x: (x * x).sum(), x),
        hvp(lambda x: (x**3).sum(), x, x),
    ):
        assert d.dtype == tn.float32
        assert not d.requires_grad
    assert x.grad is None
    with tn.no_grad():
        assert jacobian(lambda x: x * x, x).numpy().any()


def test_derivatives_of_empty_results() -> None:
    x = tn.zeros(0, 3, dtype="float64")
    assert jacobian(lambda x: x * 2.0, x).shape == (0, 3, 0, 3)
    assert hessian(lambda x: (x * x).sum(), x).shape == (0, 3, 0, 3)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: jacobian(lambda x: x, X), TypeError, "x is a ndarray"),
        (lambda: jacobian(lambda x: 3, x64()), TypeError, "returned a int"),
        (lambda: jacobian(lambda x: x, tn.tensor([1, 2])), TypeError, "int64"),
        (lambda: hessian(lambda x: x, x64()), ValueError, r"shape \(2, 3\); it must return one"),
        (lambda: hvp(lambda x: x.sum(), x64(), tn.tensor(X[0])), ValueError, r"v is \(3,\)"),
    ],
)
def test_bad_input(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


# --- Taylor --------------------------------------------------------------------------------------


def smooth(x: tn.Tensor) -> tn.Tensor:
    return (x.sin() * x.exp()).sum(1) + x[:, 0] * x[:, 1] * x[:, 2]


def test_taylor_slopes() -> None:
    found = taylor_test(smooth, x64())
    assert found.slope == pytest.approx(2.0, abs=0.1)
    assert found.second_slope == pytest.approx(3.0, abs=0.1)
    assert taylor_test(lambda x: x * 2.0, x64()).slope is None  # no remainder but rounding


def wrong_square(first: float, hidden: bool) -> Op:
    op = Op(lambda x: x * x)
    op.rule("x")(lambda gy, x: gy * ((raw(x) if hidden else x) * first))
    return op


def test_taylor_has_teeth() -> None:
    taylor_test(wrong_square(2.0, False), x64())
    with pytest.raises(GradientError, match=r"slope [01]\.\d\d, not 2: the gradient"):
        taylor_test(wrong_square(3.0, False), x64())
    with pytest.raises(GradientError, match=r"slope 2.00, not 3: the Hessian"):
        taylor_test(wrong_square(2.0, True), x64())
    taylor_test(wrong_square(2.0, True), x64(), hessian=False)


def test_hessian_symmetry() -> None:
    assert check_hessian_symmetry(smooth, x64()) < 1e-12
    check_hessian_symmetry(lambda x: x.softmax(1), x64())
    product = Op(lambda a, b: a * b)
    product.rule("a")(lambda gy, b: gy * b)
    product.rule("b")(lambda gy, a: gy * raw(a))  # its derivative by a is lost
    with pytest.raises(GradientError, match="second derivative is wrong"):
        check_hessian_symmetry(lambda x: product(x[0], x[1]), x64())


# --- compositions --------------------------------------------------------------------------------


def test_compositions_equal_their_definitions() -> None:
    rng = np.random.default_rng(0)
    x, w, b = rng.standard_normal((4, 3, 2)), rng.standard_normal(3), rng.standard_normal(3)
    w2, b2, labels = *rng.standard_normal((2, 3, 2)), rng.integers(0, 3, (4, 2))
    t = tn.tensor(x)
    for found, want in (
        (F.batch_norm(t, None, None, w, b, training=True), definitions.batch_norm(x, w, b)),
        (F.layer_norm(t, (3, 2), w2, b2), definitions.layer_norm(x, w2, b2)),
        (F.cross_entropy(t, labels, reduction="none"), definitions.cross_entropy(x, labels)),
    ):
        np.testing.assert_allclose(found.numpy(), want, rtol=1e-10)


# --- strategies ----------------------------------------------------------------------------------


@given(st.sampled_from(KINDS), st.sampled_from(LAYOUTS), arrays())
def test_layouts_and_contents(kind: str, layout: str, a: np.ndarray) -> None:
    b = with_layout(a, layout)
    np.testing.assert_array_equal(a, b, strict=True)
    values = np.sort(contents((3, 5), kind, np.random.default_rng(0)).ravel())
    gaps = np.diff(values)
    assert np.isfinite(values).all()
    if kind == "separated":
        assert min(gaps.min(), np.abs(values).min()) >= 1 / 80
    if kind == "tied":
        assert (gaps == 0).any()
    if kind == "near_tied":
        assert np.isclose(gaps, 1e-4).any()
        assert gaps.min() > 5e-5
    if kind == "positive":
        assert values.min() > 0


def test_layouts_differ() -> None:
    strides = {layout: with_layout(X, layout).strides for layout in LAYOUTS}
    assert len(set(strides.values())) >= 5
    assert all(s < 0 for s in strides["negative"])
    with pytest.raises(ValueError, match="layout is 'G'"):
        with_layout(X, "G")
    with pytest.raises(ValueError, match="kind is 'odd'"):
        contents((2,), "odd", np.random.default_rng(0))
