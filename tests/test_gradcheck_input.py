"""check_grads: messages of failures, Modules, and bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_gradcheck import leaf, planted, soft, x64

import tinynet as tn
from tinynet import nn
from tinynet.ops.arithmetic import raw
from tinynet.testing import GradientError, check_grads


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


# --- Modules -------------------------------------------------------------------------------------


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


# --- bad input -----------------------------------------------------------------------------------


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
