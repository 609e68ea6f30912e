"""Cases that no other test covers: what operations reject, and rarely used paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinynet as tn
import tinynet.functional as F
from tinynet import nn, optim
from tinynet.autograd import Op, detect_anomaly
from tinynet.ops import arithmetic, broadcast, elementary, linalg, shape, softmax
from tinynet.ops.convolution import conv2d, conv2d_input, conv2d_weight
from tinynet.testing import check_grads, jacobian
from tinynet.window import Window

Z, IMAGE, SQUARE = np.zeros, np.zeros((1, 1, 2, 2)), Window((2, 2))


def x64(*sizes: int) -> tn.Tensor:
    return tn.tensor(np.arange(1.0, np.prod(sizes) + 1).reshape(sizes), requires_grad=True)


class Strange:
    """Another library's tensor of a dtype that NumPy lacks."""

    def detach(self) -> Strange:
        raise TypeError("no such dtype")


# what is refused, and what the message must say
REFUSED: dict[type[Exception], list[tuple[Callable[[], Any], str]]] = {
    ValueError: [
        (lambda: arithmetic.clamp(Z(3)), "clamp: .*min, max or both"),
        (lambda: x64(2, 3).expand(2, 4), r"expand: .*\(2, 3\).*\(2, 4\)"),
        (lambda: tn.tensor(1.0).expand(-1), "expand: .*does not broadcast"),
        (lambda: broadcast.sum_to(Z((2, 3)), shape=(4,)), r"sum_to: .*\(4,\).*\(2, 3\)"),
        (lambda: conv2d(IMAGE, Z((1, 1, 2)), window=SQUARE), r"weight has shape \(1, 1, 2\)"),
        (
            lambda: conv2d_input(Z((1, 1, 2, 2)), IMAGE, size=(4, 4), window=SQUARE),
            r"conv2d_input: .*\(1, 1, 2, 2\).*\(1, 1, 4, 4\)",
        ),
        (
            lambda: conv2d_weight(Z((2, 1, 2, 2)), Z((1, 1, 3, 3)), window=SQUARE),
            r"conv2d_weight: .*\(2, 1, 2, 2\).*\(1, 1, 3, 3\)",
        ),
        (lambda: linalg.linear(Z((2, 3)), Z((4, 2))), r"linear: .*\(2, 3\).*\(4, 2\)"),
        (lambda: linalg.linear(Z((2, 3)), Z((4, 3)), Z(3)), r"bias \(3,\) must be \(4,\)"),
        (lambda: x64(2) @ tn.tensor(1.0), r"matmul: .*\(2,\).*\(\)"),
        (lambda: x64(2, 3) @ x64(4, 5), r"matmul: shapes \(2, 3\) and \(4, 5\) do not fit"),
        (lambda: linalg.einsum(Z((2, 3)), subscripts="ij->k"), "einsum: the output 'k'"),
        (lambda: linalg.einsum(Z(2), subscripts="1->1"), "einsum: .*'1->1'"),
        (lambda: linalg.einsum(Z(2), subscripts="i,i->i"), "einsum: 2 .* 1"),
        (lambda: linalg.einsum(Z(2), subscripts="ij->i"), r"einsum: .*'ij'.*\(2,\)"),
        (lambda: linalg.einsum(Z((2, 3)), subscripts="ii->i"), "'i' has sizes 2 and 3"),
        (lambda: tn.einsum("i,i", x64(2)), "einsum: 2 terms.*1 operand"),
        (lambda: tn.einsum("...ij", x64(2)), "einsum: .*more letters"),
        (lambda: x64(2, 3).reshape(4), r"reshape: .*\(2, 3\) has 6.*4"),
        (lambda: x64(2, 3).reshape(4, -1), r"reshape: .*\(2, 3\) has 6"),
        (lambda: x64(2, 3).flatten(1, 0), "start_dim 1 comes after end_dim 0"),
        (lambda: x64(2, 3).permute(0, 0), "permute: .*each of 2 axes once"),
        (lambda: x64(2, 3).permute(0, 2), "permute: .*each of 2 axes once"),
        (lambda: shape.permute(Z((2, 3)), dims=()), "permute: .*each of 2 axes once"),
        (lambda: x64(2, 3, 4).T, r"T: .*\(2, 3, 4\)"),
        (lambda: shape.cat(), "cat: .*at least one"),
        (lambda: tn.cat([x64(2, 3), x64(2, 4)]), r"cat: .*\(2, 3\), \(2, 4\)"),
        (lambda: tn.stack([x64(2), x64(3)]), r"stack: .*\(2,\), \(3,\)"),
        (lambda: x64(4).split(0), "split: split_size is 0"),
        (lambda: x64(2, 3).split([5, -2], 1), "split: .*must be >= 0"),
        (lambda: x64(2, 5).split([1, 2], 1), r"\[1, 2\] must .* add up to 5, the size of dim 1"),
        (lambda: shape.crop(Z(3), widths=((2, 2),)), r"crop: .*\(3,\)"),
        (lambda: shape.pad(Z(3), widths=((0, -1),)), "pad: .*1 pairs of numbers"),
        (lambda: x64(2, 3).gather(1, Z(1, int)), r"index \(1,\) must have 2 axes"),
        (
            lambda: x64(2, 3).gather(1, Z((3, 1), int)),
            r"none longer than in \(2, 3\) except axis 1",
        ),
        (lambda: x64(2, 3).scatter_add(0, Z((1, 3), int), x64(1, 2)), "at least as large"),
        (
            lambda: tn.zeros(2, 3).add_(tn.zeros(4)),
            r"add_: shapes \(2, 3\) and \(4,\) do not broadcast",
        ),
        (lambda: x64(2, 3) < x64(4), r"lt: shapes \(2, 3\) and \(4,\) do not broadcast"),
        (lambda: float(x64(2)), "item: .*holds 2 numbers, not one"),
        (lambda: bool(x64(2)), "bool: .*no truth value"),
        (lambda: softmax.softmax(Z((2, 0)), dim=1), r"softmax: .*\(2, 0\)"),
        (lambda: softmax.cross_entropy_rows(Z((2, 3)), Z((2, 4))), r"\(2, 3\).*\(2, 4\)"),
        (lambda: F.gelu(x64(2), "sharp"), "gelu: .*'sharp'"),
        (lambda: F.dropout(x64(2), 1.5), r"dropout: .*1\.5"),
        (lambda: F.pad(x64(2), (1, 1, 1)), r"pad: .*(3|\(1, 1, 1\))"),
        (lambda: F.layer_norm(x64(2, 3), (2,)), r"layer_norm: .*\(2,\)"),
        (
            lambda: F.batch_norm(x64(2), None, None, training=True),
            r"input has shape \(2,\); it must",
        ),
        (lambda: F.batch_norm(x64(2, 3), None, None, x64(2), training=True), r"\(2,\)"),
        (lambda: setattr(nn.Module(), "a.b", nn.ReLU()), r"a\.b"),
    ],
    IndexError: [
        (lambda: x64(3)[np.array([0.0])], "getitem: .*float64"),
        (lambda: x64(2, 3)[5], "getitem: index 5 is out of bounds"),
        (lambda: x64(2, 3).sum((0, -2)), "sum: .*twice"),
        (lambda: x64(2, 3).flip(2), "flip: .*2 axes"),
        (lambda: x64(2, 3).flatten(5), "flatten: dim 5"),
        (lambda: x64(2, 3).argmax(2), "argmax: dim 2"),
        (lambda: tn.tensor(1.0).select(0, 0), r"a tensor of shape \(\) has no axis"),
        (lambda: tn.cat([x64(2)], 1), "cat: dim 1 .* 1 axes"),
        (lambda: x64(2, 3).gather(1, np.array([[-1]])), "gather: index -1 is negative"),
        (lambda: x64(2, 3).gather(5, np.array([[0]])), "gather: dim 5 is out of range for 2 axes"),
        (lambda: x64(2, 3).gather(1, [[True], [False]]), "gather: index must be .* of integers"),
        (lambda: x64(2, 3).gather(1, (0, 1)), "gather: index must be .* of integers"),
        (
            lambda: x64(2).scatter_add(0, (0, 1), x64(2)),
            "scatter_add: index must be .* of integers",
        ),
        (lambda: F.embedding(x64(2), x64(3, 2)), "indices must be integers"),
    ],
    TypeError: [
        (lambda: tn.tensor("abc"), "must be numbers"),
        (lambda: tn.tensor([1, "a"]), "must be numbers"),
        (lambda: tn.tensor([[1], [1, 2]]), "one shape"),
        (lambda: tn.tensor([1.0], "flaot32"), "'flaot32' is neither a device"),
        (lambda: tn.zeros(2).__add__([1, 2]), r"add: an operand is a list.*tinynet\.tensor"),
        (lambda: tn.zeros(2) * "a", "mul: an operand is a str"),
        (lambda: np.asarray(tn.zeros(2)), r"\.numpy\(\)"),
        (lambda: setattr(tn.zeros(1), "data", "one"), "data is a str"),
        (lambda: range(3)[tn.tensor(1.0)], "float32"),
        (lambda: len(tn.tensor(1.0)), "no axis to count"),
        (lambda: tn.tensor([1, 2]).mean(), "mean: .*int64"),
        (lambda: x64(2, 3).sum(False), "sum: dim is False"),
        (lambda: x64(2, 3).argmax((0, 1)), r"dim is \(0, 1\); it must be one axis"),
        (lambda: x64(2, 3).max((0, 1)), r"dim is \(0, 1\); it must be one axis"),
        (lambda: x64(2, 3).unsqueeze((0, 1)), r"dim is \(0, 1\); it must be one axis"),
        (lambda: x64(2, 3).cumsum((0, 1)), r"dim is \(0, 1\); it must be one axis"),
        (lambda: x64(2, 3).split(1, (0, 1)), r"dim is \(0, 1\); it must be one axis"),
        (lambda: F.adaptive_max_pool2d(tn.arange(4).reshape(1, 1, 2, 2), 1), "int64"),
        (lambda: F.mse_loss(x64(2), [1.0, 2.0]), r"mse_loss: target is \[1.0, 2.0\]"),
        (
            lambda: nn.Linear(1, 1, bias=False).load_state_dict({"weight": Strange()}),
            "no such dtype",
        ),
    ],
    RuntimeError: [
        (lambda: x64(2).numpy(), r"\.detach\(\)\.numpy\(\)"),
        (lambda: (x64(2) * 2).requires_grad_(False), "requires_grad_: .*detach"),
        (lambda: tn.zeros(2).retain_grad(), "retain_grad: .*does not require"),
    ],
}


@pytest.mark.parametrize(
    ("error", "call", "text"),
    [(error, call, text) for error, cases in REFUSED.items() for call, text in cases],
)
def test_what_is_refused(error: type[Exception], call: Callable[[], Any], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_comparisons_and_signs() -> None:
    """Never tracked, and of booleans."""
    x = tn.tensor([-1.0, 0.0, np.nan, np.inf], requires_grad=True)
    zero = np.zeros(4, "float32")
    with np.errstate(invalid="ignore"):
        found = [x == zero, x != zero, x < zero, x <= zero, x > zero, x >= zero, x.isfinite()]
    want = ["0100", "1011", "1000", "1100", "0001", "0101", "1100"]
    for y, w in zip(found, want, strict=True):
        assert not y.requires_grad
        assert "".join(str(int(v)) for v in y.tolist()) == w
    a, b = tn.tensor([True, True, False]), tn.tensor([True, False, False])
    assert (a & b).tolist() == [True, False, False]
    assert (a | b).tolist() == [True, True, False]
    assert (~b).tolist() == [False, True, True]
    assert [a.all().item(), a.any().item(), (a | ~a).all().item()] == [False, True, True]
    assert x.detach()[:2].sign().tolist() == [-1, 0]


@pytest.mark.parametrize("dtype", "bool uint8 int8 uint16 int16 int32 int64".split())
@pytest.mark.parametrize(
    "function",
    [
        F.sigmoid, F.softplus, F.logsigmoid, F.silu, F.tanh,
        lambda x: F.binary_cross_entropy_with_logits(x, tn.ones(*x.shape), reduction="none"),
    ],
    ids="sigmoid softplus logsigmoid silu tanh bce_with_logits".split(),
)  # fmt: skip
def test_integers_are_the_numbers_that_they_are(function: Any, dtype: str) -> None:
    """Minus an unsigned integer wraps, and so does the size of the least signed one."""
    bound = (0, 1) if dtype == "bool" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    numbers = np.clip([0.0, 1, 5, 20, -3, *bound], *bound).clip(-(2**40), 2**40)
    got, expected = function(tn.tensor(numbers.astype(dtype))), function(tn.tensor(numbers))
    assert got.dtype.name == "float32"
    np.testing.assert_allclose(got.data, expected.data.astype("float32"), 1e-6, 1e-37)


def test_a_plain_number_has_its_sigmoid() -> None:
    """Like `exp`: every function of the array module accepts a plain number."""
    assert float(elementary.sigmoid(0.5)) == pytest.approx(1 / (1 + np.exp(-0.5)))
    assert float(elementary.softplus(0.5)) == pytest.approx(np.log1p(np.exp(0.5)))
    with pytest.raises(TypeError, match="gelu: input is a float; it must be a Tensor"):
        F.gelu(0.0)


def test_an_error_of_numpys_own_kind_keeps_its_message() -> None:
    with pytest.raises(TypeError, match=r"relu: Cannot cast .* to dtype\('bool'\)"):
        F.relu(tn.tensor([True, False]))


def test_indices_of_several_kinds() -> None:
    """Around an array of integers: None, an ellipsis, a mask, slices; out of range is named."""
    x = x64(2, 3, 4)
    array = x.detach().numpy()
    k, mask, every = np.array([1, 0]), np.array([True, False, True]), slice(None)
    for index in [(None, k), (..., k), (0, ..., k), (every, mask, k), (k, every, None, k)]:
        np.testing.assert_array_equal(x[index].detach().numpy(), array[index])
        check_grads(lambda x, index=index: x[index], x, 1)
    for index, axis in [((..., k + 3), 2), ((None, k + 1), 0), ((every, mask, k + 3), 2)]:
        with pytest.raises(IndexError, match=f"axis {axis}"):
            x[index]


def test_small_ways_through() -> None:
    x = x64(2, 3)
    assert x.size() == (2, 3)
    assert x.size(1) == 3
    x.retain_grad()  # a leaf keeps its gradient in any case
    assert tn.tensor(2.0).flatten().shape == (1,)
    assert F.layer_norm(x, 3).shape == (2, 3)
    assert F.pad(x, (-1, 0)).tolist() == [[2, 3], [5, 6]]  # nothing but a crop
    assert F.pad(x, (0, 1)).shape == (2, 4)
    assert repr(nn.Embedding(4, 3)) == "Embedding(4, 3)"
    assert tn.tensor(x64(2)).tolist() == [1, 2]


def test_a_number_summed_up_along_an_axis_it_has_not() -> None:
    x = tn.tensor(3.0, dtype="float64", requires_grad=True)
    check_grads(lambda x: x.cumsum(0), x)


def test_a_bias_of_another_dtype() -> None:
    x, w = tn.ones(2, 3), tn.ones(4, 3)
    with pytest.raises(TypeError, match="linear: input is float32 and bias is float64; convert"):
        F.linear(x, w, tn.ones(4, dtype="float64"))


def test_anomaly_mode_decorates() -> None:
    @detect_anomaly()
    def infinite() -> tn.Tensor:
        return tn.zeros(1).log()

    with np.errstate(divide="ignore"):
        for _ in range(2):  # a decorator is entered each time anew
            with pytest.raises(tn.AnomalyError, match="log"):
                infinite()
    # integers cannot be infinite
    with detect_anomaly():
        assert tn.tensor([1, 2]).sum().item() == 3


def test_a_gradient_of_another_shape_is_named() -> None:
    """A rule's result is fitted to its input only where a broadcast was."""
    wrong = Op(lambda x: x * 2.0)
    wrong.rule("x")(lambda gy: gy[:1])
    with pytest.raises(AssertionError, match=r"\(1,\) for an input of \(3,\)"):
        check_grads(wrong, x64(3))


def test_base_classes_leave_it_to_others() -> None:
    p = nn.Parameter(tn.ones(1))
    p.grad = tn.ones(1)
    with pytest.raises(NotImplementedError, match="Optimizer: define step, or _slots, _scalars"):
        optim.Optimizer([p], {"lr": 0.1}).step()


def test_a_module_with_a_frozen_parameter() -> None:
    layer = nn.Linear(3, 2).double()
    layer.bias.requires_grad_(False)
    report = check_grads(layer, x64(2, 3))
    assert report.comparisons


def test_a_gradient_that_depends_on_nothing_at_second_order() -> None:
    """The gradient of a piecewise constant function is an untracked 0."""
    step = Op(lambda x: np.sign(x))
    step.rule("x")(lambda gy, x_shape: np.zeros(x_shape))
    check_grads(step, x64(3))
    assert not jacobian(step, x64(3)).numpy().any()
