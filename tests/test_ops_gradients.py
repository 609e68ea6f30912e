"""Every operation of the registry: value, gradients to second order, dtypes, memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from op_case import Case, as_function, cotangent, is_real, joined
from op_cases import table

import tinynet as tn
from tinynet.ops import registry
from tinynet.testing import check_grads
from tinynet.testing.strategies import LAYOUTS, with_layout

TABLE = table()
NAMES = list(registry())
CASES = [(name, k) for name in NAMES for k in range(len(TABLE.get(name, ())))]
# what differs from float64 by rounding, relative to the largest entry
CLOSE = {"float64": 1e-12, "float32": 2e-5}

every_case = pytest.mark.parametrize(("name", "k"), CASES)


def cases(keep: Callable[[str, Case], bool]) -> pytest.MarkDecorator:
    """The cases that `keep` accepts."""
    kept = [(name, k) for name, k in CASES if keep(name, TABLE[name][k])]
    return pytest.mark.parametrize(("name", "k"), kept)


def tensors(case: Case, arrays: Sequence[Any]) -> list[Any]:
    """The inputs as Tensors, which require a gradient if they are floats."""
    return [
        tn.tensor(a, requires_grad=is_real(a)) if isinstance(a, np.ndarray) else a for a in arrays
    ]


def value_and_gradients(name: str, case: Case, arrays: Sequence[Any]) -> list[np.ndarray]:
    """The result y, and the gradients of <cotangent, y> by the float arrays."""
    variables = tensors(case, arrays)
    y = joined(registry()[name](*variables, **case.options))
    inputs = [v for v, a in zip(variables, arrays, strict=True) if is_real(a)]
    seed = tn.tensor(cotangent(y.shape, y.dtype))
    gradients = tn.grad(y, inputs, seed, allow_unused=True)
    none = [np.zeros(x.shape, x.dtype) for x in inputs]
    found = [z if g is None else g.numpy() for g, z in zip(gradients, none, strict=True)]
    return [y.detach().numpy(), *found]


def assert_close(a: np.ndarray, b: np.ndarray, tolerance: float) -> None:
    assert a.shape == b.shape
    if b.size:
        assert np.abs(a - b).max() <= tolerance * max(np.abs(b).max(), 1e-300)


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_has_cases(name: str) -> None:
    assert TABLE.get(name), f"operation {name} has no case in tests/op_cases.py"


def test_no_case_is_of_an_unknown_operation() -> None:
    assert set(TABLE) <= set(NAMES)


@every_case
def test_value(name: str, k: int) -> None:
    case = TABLE[name][k]
    before = [a.copy() if isinstance(a, np.ndarray) else a for a in case.inputs]
    want = np.asarray(joined(case.want(*case.inputs, **case.options)), dtype="float64")
    op = registry()[name]
    y = joined(op(*tensors(case, case.inputs), **case.options))
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


@every_case
def test_gradients_to_second_order(name: str, k: int) -> None:
    case = TABLE[name][k]
    inputs = [tn.tensor(a, requires_grad=True) for a in case.inputs if is_real(a)]
    shapes = [x.shape for x in inputs]
    twice = len(set(shapes)) < len(shapes) and name not in ("maximum", "minimum")  # else all ties
    f = as_function(registry()[name], case)
    check_grads(f, inputs, name=name, same_tensor=twice, allow_constant=True)


@cases(lambda name, case: name != "cast")  # its dtype is an option: test_cast
def test_float32_stays_float32(name: str, k: int) -> None:
    case = TABLE[name][k]
    narrow = [a.astype("float32") if is_real(a) else a for a in case.inputs]
    wide = [a.astype("float64") if is_real(a) else a for a in narrow]
    results = value_and_gradients(name, case, narrow)
    for found, want in zip(results, value_and_gradients(name, case, wide), strict=True):
        assert found.dtype == np.float32
        assert_close(found, want, CLOSE["float32"])


@cases(lambda name, case: case.layouts)
def test_memory_order_does_not_matter(name: str, k: int) -> None:
    case = TABLE[name][k]
    want = value_and_gradients(name, case, case.inputs)
    for layout in LAYOUTS[1:]:
        arrays = [with_layout(a, layout) if is_real(a) else a for a in case.inputs]
        variables = [tn.Tensor(a, True) if is_real(a) else a for a in arrays]
        y = joined(registry()[name](*variables, **case.options))
        seed = tn.Tensor(with_layout(cotangent(y.shape), layout))
        inputs = [v for v in variables if isinstance(v, tn.Tensor)]
        gradients = tn.grad(y, inputs, seed)
        for found, w in zip([y, *gradients], want, strict=True):
            assert_close(found.detach().numpy(), w, CLOSE["float64"])


@every_case
def test_nothing_shares_memory(name: str, k: int) -> None:
    """Gradients have their own memory; so do results other than views."""
    case = TABLE[name][k]
    variables = tensors(case, case.inputs)
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


@every_case
def test_result_survives_later_calls(name: str, k: int) -> None:
    """A result is not scratch memory that the next call overwrites."""
    case = TABLE[name][k]
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
    x = tn.tensor(np.array([[2.0, 1.0, 2.0], [0.0, 0.0, 0.0]]), requires_grad=True)
    y = getattr(x if name == "amax" else -x, name)(1)
    (g,) = tn.grad(y, x, tn.tensor(np.array([3.0, 6.0])))
    sign = 1.0 if name == "amax" else -1.0
    np.testing.assert_allclose(g.numpy() * sign, [[1.5, 0, 1.5], [2, 2, 2]])


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
    x = tn.tensor(np.array([0.0, -2.0, 3.0]), requires_grad=True)
    (g,) = tn.grad((x**0).sum(), x)
    np.testing.assert_array_equal(g.numpy(), [0, 0, 0])
    b = tn.tensor(np.array([0.0, 1.0, 2.0]), requires_grad=True)
    base = tn.tensor(np.zeros(3), requires_grad=True)
    ga, gb = tn.grad((base**b).sum(), [base, b])
    np.testing.assert_array_equal(ga.numpy(), [0, 1, 0])
    np.testing.assert_array_equal(gb.numpy(), [0, 0, 0])


def test_pow_mixed_second_derivative_at_exponent_zero() -> None:
    a = tn.tensor(np.array([2.0]), requires_grad=True)
    b = tn.tensor(np.array([0.0]), requires_grad=True)
    check_grads(lambda a, b: a**b, [a, b], name="a^b")


def test_where_with_a_masked_branch_is_finite() -> None:
    x = tn.tensor(np.array([-1.0, 0.0, 4.0]), requires_grad=True)
    y = tn.where(x > 0, tn.where(x > 0, x, 1.0).sqrt(), 0.0)
    (g,) = tn.grad(y.sum(), x)
    np.testing.assert_array_equal(g.numpy(), [0, 0, 0.25])


def test_norm_at_zero() -> None:
    x = tn.tensor(np.zeros((2, 3)), requires_grad=True)
    (g,) = tn.grad(x.norm(), x)
    np.testing.assert_array_equal(g.numpy(), np.zeros((2, 3)))


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
    x = tn.tensor(np.full((1, 1, 4, 4), -np.inf), requires_grad=True)
    y = tn.functional.max_pool2d(x, 3, 2, 1)
    (g,) = tn.grad(y, x, tn.tensor(np.ones(y.shape)))
    assert g.numpy().sum() == y.numel()


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
    x = tn.tensor(np.array([2000.0, 1.0]), requires_grad=True)
    with np.errstate(over="ignore", invalid="ignore"):
        (g,) = tn.grad((2.0**x).sum(), x)
    assert g.numpy()[0] == np.inf
