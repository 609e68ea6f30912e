"""Cases that no other test covers: what operations reject, and rarely used paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinynet as tn
import tinynet.functional as F
from tinynet import nn, optim
from tinynet.autograd import detect_anomaly
from tinynet.ops import (
    arithmetic,
    broadcast,
    convolution,
    linalg,
    shape,
    softmax,
)
from tinynet.testing import check_grads, jacobian
from tinynet.window import Window

Z = np.zeros


def x64(*sizes: int) -> tn.Tensor:
    return tn.tensor(np.arange(1.0, np.prod(sizes) + 1).reshape(sizes), requires_grad=True)


class Strange:
    """Another library's tensor of a dtype that NumPy lacks."""

    def detach(self) -> Strange:
        raise TypeError("no such dtype")


# what is refused: the error, and the numbers or shapes that its message must have
REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "clamp without bounds": (lambda: arithmetic.clamp(Z(3)), ValueError, "min, max or both"),
    "clamp": (lambda: x64(3).clamp(2, 1), ValueError, "min 2 is greater than max 1"),
    "expand": (lambda: x64(2, 3).expand(2, 4), ValueError, r"\(2, 3\).*\(2, 4\)"),
    "sum_to": (lambda: broadcast.sum_to(Z((2, 3)), shape=(4,)), ValueError, r"\(4,\).*\(2, 3\)"),
    "conv2d weight": (
        lambda: convolution.conv2d(Z((1, 2, 3, 3)), Z((1, 2, 3)), window=Window((3, 3))),
        ValueError,
        r"\(1, 2, 3\)",
    ),
    "conv2d_input": (
        lambda: convolution.conv2d_input(
            Z((1, 1, 2, 2)), Z((1, 1, 2, 2)), size=(4, 4), window=Window((2, 2))
        ),
        ValueError,
        r"\(1, 1, 2, 2\).*\(1, 1, 4, 4\)",
    ),
    "conv2d_weight": (
        lambda: convolution.conv2d_weight(Z((2, 1, 2, 2)), Z((1, 1, 3, 3)), window=Window((2, 2))),
        ValueError,
        r"\(2, 1, 2, 2\).*\(1, 1, 3, 3\)",
    ),
    "a real index": (lambda: x64(3)[np.array([0.0])], IndexError, "float64"),
    "linear": (lambda: linalg.linear(Z((2, 3)), Z((4, 2))), ValueError, r"\(2, 3\).*\(4, 2\)"),
    "linear bias": (
        lambda: linalg.linear(Z((2, 3)), Z((4, 3)), Z(3)),
        ValueError,
        r"bias \(3,\) must be \(4,\)",
    ),
    "einsum output": (
        lambda: linalg.einsum(Z((2, 3)), subscripts="ij->k"),
        ValueError,
        "output 'k'",
    ),
    "einsum letters": (lambda: linalg.einsum(Z(2), subscripts="1->1"), ValueError, "'1->1'"),
    "einsum inputs": (lambda: linalg.einsum(Z(2), subscripts="i,i->i"), ValueError, "2 .* 1"),
    "einsum axes": (lambda: linalg.einsum(Z(2), subscripts="ij->i"), ValueError, r"'ij'.*\(2,\)"),
    "einsum sizes": (
        lambda: linalg.einsum(Z((2, 3)), subscripts="ii->i"),
        ValueError,
        "'i' has sizes 2 and 3",
    ),
    "tn.einsum inputs": (lambda: tn.einsum("i,i", x64(2)), ValueError, "2 terms.*1 operand"),
    "tn.einsum axes": (lambda: tn.einsum("...ij", x64(2)), ValueError, "more letters"),
    "an axis twice": (lambda: x64(2, 3).sum((0, -2)), IndexError, "twice"),
    "reshape": (lambda: x64(2, 3).reshape(4), ValueError, r"\(2, 3\) has 6.*4"),
    "reshape to -1": (lambda: x64(2, 3).reshape(4, -1), ValueError, r"\(2, 3\) has 6"),
    "permute": (lambda: x64(2, 3).permute(0, 0), ValueError, "each of 2 axes once"),
    "permute no axes": (lambda: shape.permute(Z((2, 3)), dims=()), ValueError, "each of 2 axes"),
    "permute axis": (lambda: x64(2, 3).permute(0, 2), ValueError, "each of 2 axes once"),
    "expand a number": (lambda: tn.tensor(1.0).expand(-1), ValueError, "does not broadcast"),
    "flip": (lambda: x64(2, 3).flip(2), IndexError, "2 axes"),
    "cat of nothing": (lambda: shape.cat(), ValueError, "at least one"),
    "cat axis": (lambda: tn.cat([x64(2)], 1), IndexError, "dim 1 .* 1 axes"),
    "cat shapes": (lambda: tn.cat([x64(2, 3), x64(2, 4)]), ValueError, r"\(2, 3\), \(2, 4\)"),
    "stack": (lambda: tn.stack([x64(2), x64(3)]), ValueError, r"\(2,\), \(3,\)"),
    "crop": (lambda: shape.crop(Z(3), widths=((2, 2),)), ValueError, r"\(3,\)"),
    "pad widths": (lambda: shape.pad(Z(3), widths=((0, -1),)), ValueError, "1 pairs of numbers"),
    "softmax": (lambda: softmax.softmax(Z((2, 0)), dim=1), ValueError, r"\(2, 0\)"),
    "cross_entropy": (
        lambda: softmax.cross_entropy_rows(Z((2, 3)), Z((2, 4))),
        ValueError,
        r"\(2, 3\).*\(2, 4\)",
    ),
    "gelu": (lambda: F.gelu(x64(2), "sharp"), ValueError, "'sharp'"),
    "adaptive pool": (
        lambda: F.adaptive_max_pool2d(tn.tensor(Z((1, 1, 2, 2), "int64")), 1),
        TypeError,
        "int64",
    ),
    "embedding": (lambda: F.embedding(x64(2), x64(3, 2)), IndexError, "integers"),
    "dropout": (lambda: F.dropout(x64(2), 1.0), ValueError, r"1\.0"),
    "pad": (lambda: F.pad(x64(2), (1, 1, 1)), ValueError, r"3|\(1, 1, 1\)"),
    "layer_norm": (lambda: F.layer_norm(x64(2, 3), (2,)), ValueError, r"\(2, 3\).*\(2,\)|\(2,\)"),
    "batch_norm": (
        lambda: F.batch_norm(x64(2), None, None, training=True),
        ValueError,
        r"input has shape \(2,\); it must be",
    ),
    "batch_norm weight": (
        lambda: F.batch_norm(x64(2, 3), None, None, x64(2), training=True),
        ValueError,
        r"\(2,\)",
    ),
    "loss of a list": (lambda: F.mse_loss(x64(2), [1.0, 2.0]), TypeError, "list"),
    "a name with a dot": (lambda: setattr(nn.Module(), "a.b", nn.ReLU()), ValueError, "a.b"),
    "a strange tensor": (
        lambda: nn.Linear(1, 1, bias=False).load_state_dict({"weight": Strange()}),
        TypeError,
        "no such dtype",
    ),
    "data of a list": (lambda: setattr(tn.zeros(1), "data", "one"), TypeError, "str"),
    "a real number as index": (lambda: range(3)[tn.tensor(1.0)], TypeError, "float32"),
    "freezing a result": (lambda: (x64(2) * 2).requires_grad_(False), RuntimeError, "detach"),
    "retain_grad": (lambda: tn.zeros(2).retain_grad(), RuntimeError, "does not require"),
    "mean of integers": (lambda: tn.tensor([1, 2]).mean(), TypeError, "int64"),
    "T": (lambda: x64(2, 3, 4).T, ValueError, r"\(2, 3, 4\)"),
    "split": (lambda: x64(4).split(0), ValueError, "split_size is 0"),
    "matmul of a number": (lambda: x64(2) @ tn.tensor(1.0), ValueError, r"\(2,\).*\(\)"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    call, error, text = REFUSED[name]
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
    # in bool, what is computed as float16 by NumPy's rule
    tolerance = 1e-3 if dtype == "bool" else 1e-6
    np.testing.assert_allclose(got.data, expected.data.astype("float32"), tolerance, 1e-37)


def test_a_plain_number_has_its_sigmoid() -> None:
    """Like `exp`: every function of the array module accepts a plain number."""
    assert float(F.sigmoid(0.5)) == pytest.approx(1 / (1 + np.exp(-0.5)))
    assert float(F.softplus(0.5)) == pytest.approx(np.log1p(np.exp(0.5)))
    assert float(F.logsigmoid(-0.5)) == pytest.approx(-np.log1p(np.exp(0.5)))
    assert float(F.gelu(0.0)) == 0


def test_an_error_of_numpys_own_kind_keeps_its_message() -> None:
    with pytest.raises(TypeError, match=r"relu: Cannot cast .* to dtype\('bool'\)"):
        F.relu(tn.tensor([True, False]))


def test_indices_of_several_kinds() -> None:
    """Around an array of integers: None, an ellipsis, a mask, slices; out of range is named."""
    x = x64(2, 3, 4)
    array = x.detach().numpy()
    k, mask = np.array([1, 0]), np.array([True, False, True])
    for index in [
        (None, k),
        (Ellipsis, k),
        (0, Ellipsis, k),
        (slice(None), mask, k),
        (k, slice(None), None, k),
    ]:
        np.testing.assert_array_equal(x[index].detach().numpy(), array[index])
        check_grads(lambda x, index=index: x[index], x, 1)
    for index, axis in [
        ((Ellipsis, k + 3), 2),
        ((None, k + 1), 0),
        ((slice(None), mask, k + 3), 2),
    ]:
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
    y = F.linear(x, w, tn.ones(4, dtype="float64"))
    assert y.dtype == np.float64
    assert y.tolist() == [[4.0] * 4] * 2


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
    from tinynet.autograd import Op

    wrong = Op(lambda x: x * 2.0)
    wrong.rule("x")(lambda gy: gy[:1])
    with pytest.raises(AssertionError, match=r"\(1,\) for an input of \(3,\)"):
        check_grads(wrong, x64(3))


def test_base_classes_leave_it_to_others() -> None:
    p = nn.Parameter(tn.ones(1))
    with pytest.raises(NotImplementedError):
        optim.Optimizer([p], {"lr": 0.1})


def test_a_module_with_a_frozen_parameter() -> None:
    layer = nn.Linear(3, 2).double()
    layer.bias.requires_grad_(False)
    report = check_grads(layer, x64(2, 3))
    assert report.comparisons


def test_a_gradient_that_depends_on_nothing_at_second_order() -> None:
    """The gradient of a piecewise constant function is an untracked 0."""
    from tinynet.autograd import Op

    step = Op(lambda x: np.sign(x))
    step.rule("x")(lambda gy, x_shape: np.zeros(x_shape))
    check_grads(step, x64(3))
    assert not jacobian(step, x64(3)).numpy().any()
