"""check_grads catches planted mistakes, passes right gradients, and names bad input."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinynet as tn
from tinynet import nn
from tinynet.autograd import Op
from tinynet.ops.arithmetic import raw, where
from tinynet.testing import GradientError, check_grads


def x64(*shape: int, seed: int = 0) -> tn.Tensor:
    """Numbers with magnitudes from 0.5 to 1.5."""
    rng = np.random.default_rng([seed, *shape])
    array = rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape)
    return tn.tensor(array, requires_grad=True)


def leaf(*numbers: float) -> tn.Tensor:
    return tn.tensor(np.array(numbers), requires_grad=True)


def planted(forward: Callable[..., Any], **rules: Callable[..., Any]) -> Op:
    """A new operation with these rules."""
    op = Op(forward)
    for name, rule in rules.items():
        op.rule(name)(rule)
    return op


def soft(x: Any) -> Any:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def soft_rule(gy: Any, y: Any) -> Any:
    return y * (gy - (gy * y).sum(1).reshape(-1, 1))


# `test_mutants` has many more, for the rule of every operation
MISTAKES: dict[str, Callable[[Any, Any], Any]] = {
    "sign": lambda gy, y: -soft_rule(gy, y),
    "a factor of 1.001": lambda gy, y: soft_rule(gy, y) * 1.001,
    "zeros": lambda gy, y: gy * 0.0,
    "a dropped term": lambda gy, y: y * gy,
}


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("max_entries", [48, 1])  # entry by entry, and along directions
@pytest.mark.parametrize("name", MISTAKES)
def test_planted_mistakes_are_caught(name: str, max_entries: int, order: int) -> None:
    check_grads(planted(soft, x=soft_rule), x64(2, 3), order, max_entries=max_entries)
    with pytest.raises(GradientError, match="order 1: wrong gradient"):
        check_grads(planted(soft, x=MISTAKES[name]), x64(2, 3), order, max_entries=max_entries)


def test_one_wrong_entry_among_many() -> None:
    def rule(gy: Any, y: Any) -> Any:
        factor = np.ones(2000)
        factor[1234] = 1.1
        return gy * y * factor

    with pytest.raises(GradientError, match="random direction"):
        check_grads(planted(lambda x: np.exp(x), x=rule), x64(2000), 1)


@pytest.mark.parametrize("factor", [1.001, 9.0, 0.0])
def test_tiny_gradients_are_held_to_the_same(factor: float) -> None:
    def tiny(x: Any) -> Any:
        return 1e-6 * np.exp(x)

    check_grads(planted(tiny, x=lambda gy, y: gy * y), x64(2, 3))
    with pytest.raises(GradientError, match="wrong gradient"):
        check_grads(planted(tiny, x=lambda gy, y: gy * y * factor), x64(2, 3))


# 2 gy x; on Tensors its derivative by x is 0 or 2.002 gy
HIDDEN = (
    lambda gy, x: gy * (raw(x) * 2.0),
    lambda gy, x: gy * ((x - raw(x)) * 2.002 + raw(x) * 2.0),
)


@pytest.mark.parametrize("rule", HIDDEN)
def test_a_mistake_at_second_order_only(rule: Callable[..., Any]) -> None:
    square = planted(lambda x: x * x, x=rule)
    check_grads(square, x64(2, 3), order=1)
    with pytest.raises(GradientError, match="order 2: wrong gradient"):
        check_grads(square, x64(2, 3))


def test_a_rule_that_differs_on_tensors() -> None:
    def rule(gy: Any, x: Any) -> Any:
        return gy * x * (2.0 if isinstance(x, tn.Tensor) else 2.0 + 1e-8)

    with pytest.raises(GradientError, match="differs with create_graph=True"):
        check_grads(planted(lambda x: x * x, x=rule), x64(3))


def test_same_tensor_in_two_places() -> None:
    report = check_grads(lambda a, b: a * b.exp(), [x64(2, 3), x64(2, 3)], same_tensor=True)
    assert report.comparisons == (12 + 3) + (18 + 3) + (6 + 12 + 3)

    def tied(a: tn.Tensor, b: tn.Tensor) -> tn.Tensor:
        return a.detach() * b + a if a is b else a * b

    check_grads(tied, [x64(3), x64(3, seed=1)])
    with pytest.raises(GradientError, match="input 0 as input 1 too"):
        check_grads(tied, [x64(3), x64(3, seed=1)], same_tensor=True)


# --- kinks ---------------------------------------------------------------------------------------


def rectifier(slope_at_zero: float) -> Callable[..., Any]:
    def rule(gy: Any, x: Any) -> Any:
        return where(raw(x) == 0, gy * slope_at_zero, where(raw(x) > 0, gy, 0.0))

    return planted(lambda x: np.maximum(x, 0.0), x=rule)


@pytest.mark.parametrize("slope", [0.0, 0.25, 0.5, 1.0])
def test_a_subgradient_at_a_kink_passes_and_is_reported(slope: float) -> None:
    report = check_grads(rectifier(slope), leaf(0.7, 0.0, -0.4, 0.0))
    assert [k for k in report.kinks if "order 1" in k and "(1,)" in k]
    assert [k for k in report.kinks if "order 1" in k and "(3,)" in k]


@pytest.mark.parametrize("slope", [-0.001, 1.001, 2.0])
def test_what_lies_outside_the_slopes_at_a_kink_fails(slope: float) -> None:
    with pytest.raises(GradientError, match="not between the one-sided slopes"):
        check_grads(rectifier(slope), leaf(0.7, 0.0, -0.4))


def test_kinks_of_the_library() -> None:
    for f, inputs in [
        (lambda x: x.relu(), [leaf(0.0, 1.0)]),
        (lambda x: x.abs(), [leaf(0.0, 1.0)]),
        (lambda x: x.norm(), [leaf(0.0, 0.0)]),
        (lambda x: x.clamp(-1.0, 1.0), [leaf(-1.0, 0.3, 1.0)]),
        (lambda x: x.amax(), [leaf(2.0, 1.0, 2.0)]),
        (lambda a, b: tn.maximum(a, b), [leaf(1.0, 2.0), leaf(1.0, 3.0)]),
        (lambda a, b: tn.minimum(a, b), [leaf(1.0, 2.0), leaf(1.0, 2.0)]),
    ]:
        assert check_grads(f, inputs, order=1).kinks


def test_a_kink_nearby_is_no_kink_here() -> None:
    assert not check_grads(rectifier(0.0), leaf(1e-6, -2e-6, 0.5)).kinks


def test_kinks_are_found_in_large_inputs() -> None:
    array = np.random.default_rng(0).uniform(0.5, 1.5, 500)
    array[[17, 333]] = 0.0
    report = check_grads(rectifier(0.0), tn.tensor(array, requires_grad=True))
    assert sorted(re.findall(r"coordinate \((\d+),\)", " ".join(report.kinks))) == ["17", "333"]
    with pytest.raises(GradientError, match=r"coordinate \(17,\)"):
        check_grads(rectifier(-0.1), tn.tensor(array, requires_grad=True))


def test_too_many_kinks() -> None:
    with pytest.raises(GradientError, match="more than 32 kinks"):
        check_grads(rectifier(0.0), tn.zeros(100, dtype="float64", requires_grad=True))


def test_a_jump_is_not_a_kink() -> None:
    step = planted(lambda x: np.where(x >= 0, 1.0, 0.0), x=lambda gy: gy * 0.5)
    with pytest.raises(GradientError, match="not continuous"):
        check_grads(step, leaf(0.0))


# --- noise ---------------------------------------------------------------------------------------


def far_from_zero(slope: float) -> Callable[..., Any]:
    return planted(lambda x: 1e10 + 1e-6 * np.sin(x), x=lambda gy: gy * slope)


def test_noise_is_reported_and_never_passes() -> None:
    for slope in (1e-6, 9e-6):
        with pytest.raises(GradientError, match="rounding noise in the differences is too large"):
            check_grads(far_from_zero(slope), x64(3), order=1)
    # as far as float64 goes this function is constant, and its gradient exactly 0
    assert check_grads(far_from_zero(0.0), x64(3), order=1).constant


def test_a_gradient_of_nothing_but_rounding() -> None:
    x = x64(2, 3)
    with pytest.raises(GradientError, match="allow_constant"):
        check_grads(lambda x: x.softmax(1).sum(), x)
    check_grads(lambda x: x.softmax(1).sum(), x, allow_constant=True)


def test_scales() -> None:
    """Steps fit numbers of size 1e-6 as well as 1e6."""
    for size in (1e-6, 1e-3, 1.0, 1e3, 1e6):
        check_grads(lambda x: x.log(), leaf(0.7 * size, 1.3 * size))
    check_grads(lambda x, y: x * y, [leaf(1e-5, 2e-5), leaf(1e5, 3e5)])


# --- messages, Modules, bad input -----------------------------------------------------------------


def test_the_message_leads_to_the_mistake_and_back() -> None:
    wrong = planted(soft, x=lambda gy, y: y * gy)
    x = x64(2, 3)
    with pytest.raises(AssertionError) as info:
        check_grads(wrong, x, seed=7, name="my_softmax")
    text = str(info.value)
    assert "`my_softmax`, order 1" in text
    assert "input 0 of shape (2, 3), coordinate (0, 0)" in text
    assert "check_grads(my_softmax, inputs, order=1, seed=7, rtol=1e-06" in text
    for part in ("analytic", "numeric", "relative error", "step", "seed            7"):
        assert part in text
    with pytest.raises(GradientError) as second:
        check_grads(wrong, x, order=1, seed=7, rtol=1e-6, name="my_softmax")
    assert str(second.value) == text


class Scale:
    """The part of Module that check_grads needs: calls and named parameters."""

    def __init__(self, wrong: bool = False, dtype: str = "float64") -> None:
        self.w = tn.tensor(np.array([0.5, -1.5, 2.0]), dtype=dtype, requires_grad=True)
        self.wrong = wrong

    def named_parameters(self) -> Any:
        yield "w", self.w

    def __call__(self, x: tn.Tensor) -> tn.Tensor:
        return x * (self.w.detach() if self.wrong else self.w).exp()


def test_parameters_of_a_module_are_checked_and_put_back() -> None:
    module = Scale()
    array = module.w._data
    report = check_grads(module, x64(2, 3))
    assert report.comparisons > 9
    assert module.w._data is array
    np.testing.assert_array_equal(array, [0.5, -1.5, 2.0])
    assert module.w.grad is None
    with pytest.raises(GradientError, match="parameter 'w'"):
        check_grads(Scale(wrong=True), x64(2, 3))
    check_grads(module, tn.tensor(np.ones((2, 3))))  # only parameters need a gradient
    with pytest.raises(TypeError, match=r"parameter 'w' of shape .* float32"):
        check_grads(Scale(dtype="float32"), x64(2, 3))


def test_modules_of_the_library() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    report = check_grads(model, x64(5, 3))
    assert report.comparisons > 15 + 12 + 4 + 8 + 2
    norm = nn.BatchNorm1d(3).double()
    before = {k: np.array(v) for k, v in norm.state_dict().items()}
    check_grads(norm, x64(5, 3))
    for key, array in norm.state_dict().items():
        np.testing.assert_array_equal(np.array(array), before[key])
    with pytest.raises(GradientError, match=r"not deterministic.*\.eval\(\)"):
        check_grads(nn.Dropout(0.5), x64(5, 3))
    with pytest.raises(TypeError, match="convert the Module first"):
        check_grads(nn.Linear(3, 2), x64(5, 3))


def changes(x: tn.Tensor) -> tn.Tensor:
    y = x * 1.0
    x._data[0] += 1.0
    return y


BAD: list[tuple[Any, Any, type[Exception], str]] = [
    (lambda x: x.detach().numpy(), x64(3), TypeError, "returned a ndarray"),
    (lambda x: (x, x), x64(3), TypeError, "returned a tuple"),
    (lambda x: None, x64(3), TypeError, "returned a NoneType"),
    (lambda x: x.argmax(), x64(3), TypeError, "int64, which has no gradient"),
    (lambda x: x.float(), x64(3), TypeError, "returned float32"),
    (lambda x: x.detach() * 2.0, x64(3), ValueError, "look for .detach"),
    (lambda x: x / 0.0, leaf(0.0, 1.0), ValueError, r"returned nan at \(0,\)"),
    (lambda x: x, tn.tensor(np.ones(3)), ValueError, "no input requires a gradient"),
    (lambda x: x, tn.tensor([1.0], requires_grad=True), TypeError, r"float32.*x.double\(\)"),
    (lambda x: x, np.ones(3), TypeError, "inputs is a ndarray"),
    (lambda x: x, [np.ones(3)], TypeError, "input 0 is a ndarray"),
    (lambda x: x, leaf(np.inf), ValueError, "a NaN or an infinity"),
    (3, x64(3), TypeError, "f is a int"),
    (lambda x: tn.functional.dropout(x, 0.5), x64(4, 5), GradientError, "not deterministic"),
    (changes, x64(3), GradientError, "changed input 0 .* in place"),
]


@pytest.mark.parametrize(("f", "inputs", "error", "text"), BAD)
def test_bad_input(f: Any, inputs: Any, error: type[Exception], text: str) -> None:
    with np.errstate(all="ignore"), pytest.raises(error, match=text):
        check_grads(f, inputs)


def test_bad_options() -> None:
    for options, text in (
        ({"order": 3}, "order is 3"),
        ({"rtol": 0.0}, "rtol is 0.0"),
        ({"same_tensor": True}, "two inputs of one shape"),
    ):
        with pytest.raises(ValueError, match=text):
            check_grads(lambda x: x * 2.0, x64(3), **options)


def test_a_gradient_that_is_not_finite() -> None:
    bad = planted(lambda x: np.abs(x), x=lambda gy, x: gy * (raw(x) / np.abs(raw(x))))
    with np.errstate(all="ignore"), pytest.raises(GradientError, match=r"is nan at \(1,\)"):
        check_grads(bad, leaf(1.0, 0.0))


def test_inputs_and_their_grad_are_left_alone() -> None:
    x, index = x64(3), tn.tensor([2, 0, 1, 1])
    before = x.detach().numpy().copy()
    check_grads(lambda x, i: x[i].exp(), [x, index])
    np.testing.assert_array_equal(x.detach().numpy(), before)
    assert x.grad is None
    assert x.is_leaf


def test_empty_inputs() -> None:
    w = x64(3, 2)
    report = check_grads(
        lambda x, w: x @ w, [tn.zeros(0, 3, dtype="float64", requires_grad=True), w]
    )
    assert report.constant
