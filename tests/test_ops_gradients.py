"""Every operation of the registry: value, gradients to second order, dtypes, memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from op_case import Case, as_function, cotangent, gradients, is_real, joined
from op_cases import table

import tinynet as tn
from tinynet.ops import registry
from tinynet.testing import check_grads
from tinynet.testing.strategies import LAYOUTS, with_layout

TABLE = table()
CASES = [(name, k, case) for name, cases in TABLE.items() for k, case in enumerate(cases)]


# a function of x and x is at a kink everywhere; hypot(x, x) is linear, and its curvature only noise
TIED = {"maximum", "minimum", "floor_divide", "remainder", "fmod", "hypot"}


def cases(keep: Callable[[str, Case], bool] = lambda name, case: True) -> pytest.MarkDecorator:
    """The cases that `keep` accepts, by default all."""
    kept = [pytest.param(name, c, id=f"{name}-{k}") for name, k, c in CASES if keep(name, c)]
    return pytest.mark.parametrize(("name", "case"), kept)


def tensors(arrays: Sequence[Any]) -> list[Any]:
    """The arrays as Tensors that share their memory and require a gradient if they are floats."""
    return [tn.Tensor(a, is_real(a)) if isinstance(a, np.ndarray) else a for a in arrays]


def value_and_gradients(
    name: str, case: Case, arrays: Sequence[Any], layout: str = "C"
) -> list[np.ndarray]:
    """The result y, and the gradients of <cotangent, y> by the float arrays.

    The cotangent has the given memory layout.
    """
    variables = tensors(arrays)
    y = joined(registry()[name](*variables, **case.options))
    inputs = [v for v, a in zip(variables, arrays, strict=True) if is_real(a)]
    seed = tn.Tensor(with_layout(cotangent(y.shape, y.dtype), layout))
    gradients = tn.grad(y, inputs, seed, allow_unused=True)
    none = [np.zeros(x.shape, x.dtype) for x in inputs]
    found = [z if g is None else g.numpy() for g, z in zip(gradients, none, strict=True)]
    return [y.detach().numpy(), *found]


def assert_close(a: np.ndarray, b: np.ndarray, tolerance: float) -> None:
    """Equal up to rounding, relative to the largest entry."""
    assert a.shape == b.shape
    if b.size:
        assert np.abs(a - b).max() <= tolerance * max(np.abs(b).max(), 1e-300)


def test_every_operation_has_cases() -> None:
    assert {name for name, cases in TABLE.items() if cases} == set(registry())


@cases()
def test_value(name: str, case: Case) -> None:
    before = [a.copy() if isinstance(a, np.ndarray) else a for a in case.inputs]
    want = np.asarray(joined(case.want(*case.inputs, **case.options)), dtype="float64")
    op = registry()[name]
    y = joined(op(*tensors(case.inputs), **case.options))
    assert y.dtype == tn.float64
    np.testing.assert_allclose(y.detach().numpy(), want, rtol=1e-12, atol=1e-13, strict=True)
    if any(isinstance(a, np.ndarray) for a in case.inputs):
        # without a Tensor an operation falls through to arrays, as rules rely on
        raw = joined(op(*case.inputs, **case.options))
        assert not isinstance(raw, tn.Tensor)
        np.testing.assert_array_equal(raw, y.detach().numpy())
    for a, b in zip(case.inputs, before, strict=True):
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b)


@cases()
def test_gradients_to_second_order(name: str, case: Case) -> None:
    inputs = [tn.tensor(a, requires_grad=True) for a in case.inputs if is_real(a)]
    shapes = [x.shape for x in inputs]
    twice = len(set(shapes)) < len(shapes) and name not in TIED
    f = as_function(registry()[name], case)
    check_grads(f, inputs, name=name, same_tensor=twice, allow_constant=True)


@cases(lambda name, case: name != "cast")  # its dtype is an option: test_cast
def test_float32_stays_float32(name: str, case: Case) -> None:
    narrow = [a.astype("float32") if is_real(a) else a for a in case.inputs]
    wide = [a.astype("float64") if is_real(a) else a for a in narrow]
    results = value_and_gradients(name, case, narrow)
    for found, want in zip(results, value_and_gradients(name, case, wide), strict=True):
        assert found.dtype == np.float32
        assert_close(found, want, 2e-5)


@cases(lambda name, case: case.layouts)
def test_memory_order_does_not_matter(name: str, case: Case) -> None:
    want = value_and_gradients(name, case, case.inputs)
    for layout in LAYOUTS[1:]:
        arrays = [with_layout(a, layout) if is_real(a) else a for a in case.inputs]
        for found, w in zip(value_and_gradients(name, case, arrays, layout), want, strict=True):
            assert_close(found, w, 1e-12)


@cases()
def test_nothing_shares_memory(name: str, case: Case) -> None:
    """Gradients have their own memory; so do results other than views."""
    variables = tensors(case.inputs)
    leaves = [v for v in variables if isinstance(v, tn.Tensor) and v.requires_grad]
    y = joined(registry()[name](*variables, **case.options))
    seed = tn.tensor(cotangent(y.shape))
    y.backward(seed)
    arrays = [seed._data, y._data, *(x._data for x in leaves)]
    gradients = [x.grad._data for x in leaves if x.grad is not None]
    for i, g in enumerate(gradients):
        assert g.flags.writeable
        for other in (*arrays, *gradients[:i]):
            assert not np.may_share_memory(g, other)
    if not case.view:
        assert not any(np.may_share_memory(y._data, x._data) for x in leaves)


@cases()
def test_result_survives_later_calls(name: str, case: Case) -> None:
    """A result is not scratch memory that the next call overwrites."""
    first = value_and_gradients(name, case, case.inputs)
    kept = [a.copy() for a in first]
    value_and_gradients(name, case, [np.array(a * 2.0) if is_real(a) else a for a in case.inputs])
    for a, b in zip(first, kept, strict=True):
        np.testing.assert_array_equal(a, b)


# --- what a table of smooth cases does not show --------------------------------------------------


def test_cast() -> None:
    x = tn.tensor(np.array([1.0, 2.0]), requires_grad=True)
    y = x.to("float32") * 3.0
    assert y.dtype == tn.float32
    (g,) = tn.grad(y, x, tn.tensor([1.0, 2.0]))
    assert g.dtype == tn.float64
    np.testing.assert_array_equal(g.numpy(), [3.0, 6.0])


@pytest.mark.parametrize("name", ["amax", "amin"])
def test_ties_share_the_gradient(name: str) -> None:
    sign = 1.0 if name == "amax" else -1.0
    x = sign * np.array([[2.0, 1.0, 2.0], [0.0, 0.0, 0.0]])
    (g,) = gradients(lambda x: getattr(x, name)(1) * np.array([3.0, 6.0]), x)
    assert g == [[1.5, 0, 1.5], [2, 2, 2]]


@pytest.mark.parametrize("window", [(2, 2, 0), (3, 2, 0), (3, 2, 1), (3, 1, 1)])
def test_max_pool_conserves_gradient_among_ties(device: str, window: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    for array in (np.zeros((2, 3, 5, 5)), np.maximum(rng.standard_normal((2, 3, 5, 5)), 0)):
        x = tn.tensor(array, requires_grad=True, device=device)
        y = tn.functional.max_pool2d(x, *window)
        c = tn.tensor(rng.standard_normal(y.shape), device=device)
        (g,) = tn.grad(y, x, c)
        assert g.sum().item() == pytest.approx(c.sum().item(), abs=1e-12)
        if window == (2, 2, 0) and not array.any():  # the first of each window gets it
            np.testing.assert_array_equal(g[:, :, :4:2, :4:2].cpu().numpy(), c.cpu().numpy())


def test_pow_conventions() -> None:
    assert gradients(lambda x: x**0, [0.0, -2.0, 3.0]) == [[0, 0, 0]]
    assert gradients(lambda a, b: a**b, np.zeros(3), [0.0, 1.0, 2.0]) == [[0, 1, 0], [0, 0, 0]]


def test_pow_mixed_second_derivative_at_exponent_zero() -> None:
    a = tn.tensor(np.array([2.0]), requires_grad=True)
    b = tn.tensor(np.array([0.0]), requires_grad=True)
    check_grads(lambda a, b: a**b, [a, b], name="a^b")


def test_where_with_a_masked_branch_is_finite() -> None:
    (g,) = gradients(
        lambda x: tn.where(x > 0, tn.where(x > 0, x, 1.0).sqrt(), 0.0), [-1.0, 0.0, 4.0]
    )
    assert g == [0, 0, 0.25]


def test_norm_at_zero() -> None:
    assert gradients(lambda x: x.norm(), np.zeros((2, 3))) == [[[0, 0, 0], [0, 0, 0]]]


@pytest.mark.parametrize("view", [lambda x: x.reshape(2), lambda x: x[:], lambda x: x.T.T])
def test_in_place_change_under_a_view_is_noticed(view: Any) -> None:
    x = tn.tensor(np.array([[3.0, 4.0]]), requires_grad=True)
    y = view(x) if view(x).ndim < 2 else view(x).reshape(2)
    z = (y * y).sum()
    with tn.no_grad():
        x.add_(1.0)
    with pytest.raises(RuntimeError, match="changed in place"):
        z.backward()


@pytest.mark.parametrize("f", [lambda x: x + 1.0, lambda x: x.clone(), lambda x: x])
def test_gradient_is_linear_in_a_leaf_cotangent(f: Any) -> None:
    x = tn.tensor(np.array([3.0, 4.0]), requires_grad=True)
    c = tn.tensor(np.array([1.0, 2.0]), requires_grad=True)
    (g,) = tn.grad(f(x), x, c, create_graph=True)
    (gc,) = tn.grad(g, c, tn.tensor(np.array([5.0, 6.0])))
    np.testing.assert_array_equal(gc.numpy(), [5, 6])


def test_max_pool_padding_gets_no_gradient_even_from_minus_infinity() -> None:
    x = np.full((1, 1, 4, 4), -np.inf)
    (g,) = gradients(lambda x: tn.functional.max_pool2d(x, 3, 2, 1), x)
    assert np.sum(g) == 4


def test_gradients_have_the_dtype_of_their_input_when_recorded() -> None:
    a = tn.tensor([1.0, 2.0], requires_grad=True)
    b = tn.tensor(np.array([3.0, 4.0]), requires_grad=True)
    seed = tn.tensor(np.ones(2))
    for create_graph in (False, True):
        ga, gb = tn.grad(a * b, [a, b], seed, create_graph=create_graph)
        assert (ga.dtype, gb.dtype) == (a.dtype, b.dtype)
        (ga,) = tn.grad(a * a, a, seed, create_graph=create_graph)
        assert ga.dtype == a.dtype


def test_gradient_of_an_overflowing_power_of_a_number() -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        (g,) = gradients(lambda x: 2.0**x, [2000.0, 1.0])
    assert g[0] == np.inf
