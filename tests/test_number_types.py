"""Results have the dtypes of PyTorch: options, numbers and operands of shape () do not widen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinynet as tn
from tinynet import functional as F
from tinynet import nn, optim

X = [[0.5, -1.0], [2.0, 0.25]]


def f32(requires_grad: bool = True) -> Any:
    return tn.tensor(X, requires_grad=requires_grad)


# --- float64 does not come in by options ----------------------------------------------------------

OPTIONS: dict[str, Callable[[Any], Any]] = {
    "dropout": lambda x: F.dropout(x, np.float64(0.1)),
    "Dropout": lambda x: nn.Dropout(np.float64(0.1))(x),
    "layer_norm": lambda x: F.layer_norm(x, (2,), eps=np.float64(1e-5)),
    "LayerNorm": lambda x: nn.LayerNorm(2, eps=np.float64(1e-5))(x),
    "batch_norm": lambda x: F.batch_norm(x, None, None, training=True, eps=np.float64(1e-5)),
    "BatchNorm1d": lambda x: nn.BatchNorm1d(2, np.float64(1e-5), np.float64(0.1))(x),
    "batch_norm, evaluating": lambda x: F.batch_norm(
        x, tn.zeros(2), tn.ones(2), momentum=np.float64(0.1), eps=np.float64(1e-5)
    ),
    "cross_entropy": lambda x: F.cross_entropy(
        x, tn.tensor([0, 1]), label_smoothing=np.float64(0.1)
    ),
    "cross_entropy of probabilities": lambda x: F.cross_entropy(
        x, tn.tensor([[0.5, 0.5]] * 2), label_smoothing=np.float64(0.1)
    ),
    "huber_loss": lambda x: F.huber_loss(x, x.detach() + 3, delta=np.float64(0.5)),
    "leaky_relu": lambda x: F.leaky_relu(x, np.float64(0.1)),
    "elu": lambda x: F.elu(x, np.float64(0.7)),
    "pad": lambda x: F.pad(x, (1, 1), value=np.float64(0.5)),
    "clamp": lambda x: x.clamp(np.float64(-0.5), max=np.float64(1)),
    "pow": lambda x: x.abs() ** np.float64(1.5),
    "* of a 0-d array": lambda x: x * np.array(0.3),
    "0-d array *": lambda x: np.array(0.3) * x,
    "- of a 0-d tensor": lambda x: x - tn.tensor(np.mean([1.0, 2.0])),
    "0-d tensor /": lambda x: tn.tensor(np.mean([1.0, 2.0])) / x,
    "maximum": lambda x: tn.maximum(x, tn.tensor(np.float64(0.3))),
    "where": lambda x: tn.where(x > 0, x, tn.tensor(np.float64(0.3))),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_float64_does_not_come_in(name: str) -> None:
    x = f32()
    y = OPTIONS[name](x)
    (g,) = tn.grad(y.sum(), x, create_graph=True)
    assert y.dtype == g.dtype == np.float32


def test_an_operand_of_shape_nothing_gets_its_gradient_in_its_own_dtype() -> None:
    x, s = f32(), tn.tensor(np.float64(0.3), requires_grad=True)
    (x * s).sum().backward()
    assert x.grad.dtype == np.float32
    assert s.grad.dtype == np.float64
    assert s.grad.shape == ()
    assert s.grad.item() == pytest.approx(1.75)


@pytest.mark.parametrize(
    ("a", "b", "want"),
    [
        (tn.ones(2), tn.ones((), dtype="float64"), "float32"),
        (tn.ones(2, dtype="float16"), tn.ones(()), "float16"),
        (tn.ones(2, dtype="float16"), tn.ones(2), "float32"),
        (tn.ones(()), tn.ones((), dtype="float64"), "float64"),
        (tn.ones(2), tn.ones(2, dtype="float64"), "float64"),
        (tn.ones(2, dtype="int8"), tn.ones((), dtype="int64"), "int8"),
        (tn.ones(2, dtype="int64"), tn.ones(()), "float32"),
        (tn.ones(2, dtype="int64"), tn.ones((), dtype="float64"), "float64"),
        (tn.ones(1), tn.ones((), dtype="float64"), "float32"),
    ],
)
def test_the_dtype_of_two_operands(a: Any, b: Any, want: str) -> None:
    for y in (a * b, b + a, tn.maximum(a, b), tn.where(tn.tensor(True), a, b)):
        assert y.dtype == want


def test_a_parameter_steps_by_options_in_its_dtype() -> None:
    lr = np.float64(0.1)
    for make in (lambda p: optim.SGD(p, lr, np.float64(0.9)), lambda p: optim.Adam(p, lr),
                 lambda p: optim.AdamW(p, lr, (np.float64(0.9), np.float64(0.99)))):  # fmt: skip
        p = f32()
        p.grad = tn.ones(2, 2)
        optimizer = make([p])
        optimizer.step()
        assert p.dtype == np.float32
        assert type(optimizer.param_groups[0]["lr"]) is float


# --- layers of another dtype say so ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Linear(2, 3), (4, 2)),
        (nn.Conv2d(2, 3, 1), (1, 2, 4, 4)),
        (nn.LayerNorm(2), (4, 2)),
        (nn.BatchNorm1d(2), (4, 2)),
    ],
)
def test_a_layer_of_another_dtype_names_both(layer: Any, shape: Any) -> None:
    # normalisations of float16 take weights of float32, as in PyTorch
    for dtype in ("float64",) if "Norm" in type(layer).__name__ else ("float64", "float16"):
        with pytest.raises(TypeError, match=f"(?s)(?=.*{dtype})(?=.*float32)"):
            layer(tn.ones(*shape, dtype=dtype))


def test_products_of_two_dtypes_name_both() -> None:
    a, b = f32(), tn.ones(2, 2, dtype="float64")
    for product in (lambda: a @ b, lambda: tn.einsum("ij,jk->ik", a, b)):
        with pytest.raises(TypeError, match=r"(matmul|einsum): .*float32.*float64"):
            product()


# --- booleans and small integers ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sin", "cos", "exp", "tanh", "sigmoid", "sqrt", "erf", "log"])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int16", "int64"])
def test_integers_compute_in_float32(name: str, dtype: str) -> None:
    x = np.array([1, 1], dtype)
    y = getattr(tn.tensor(x), name)()
    assert y.dtype == np.float32
    want = getattr(tn.tensor(x.astype("float64")), name)().data
    np.testing.assert_allclose(y.data, want, 1e-6)


def test_powers_products_and_sums_of_booleans_and_bytes() -> None:
    yes = tn.tensor([True, True])
    for y, want in (
        (yes.square(), [1, 1]), (yes**2, [1, 1]), (yes.cumsum(0), [1, 2]),
        (tn.einsum("i->", yes), 2), (yes.sum(), 2), (yes * 2, [2, 2]),
    ):  # fmt: skip
        assert y.dtype == np.int64
        assert y.tolist() == want
    assert (yes**2.0).dtype == (yes / yes).dtype == (yes * 2.5).dtype == np.float32
    with pytest.raises(TypeError, match=r"matmul: both inputs are bool; convert"):
        yes @ yes
    byte = tn.tensor(np.array([200, 100], "uint8"))
    assert byte.sum().item() == 300
    assert byte.cumsum(0).tolist() == [200, 300]
    assert byte.reshape(2, 1).sum(0).dtype == np.int64


# --- np.seterr ------------------------------------------------------------------------------------


@pytest.fixture
def raising() -> Iterator[None]:
    with np.errstate(all="raise"):
        yield


LOGITS = [[-1000.0, 0.0, 90.0, -95.0]]
RIGHT: dict[str, tuple[Callable[[Any], Any], list[list[float]]]] = {
    "softmax": (lambda x: x.softmax(1), LOGITS),
    "log_softmax": (lambda x: x.log_softmax(1), LOGITS),
    "logsumexp": (lambda x: x.logsumexp(1), LOGITS),
    "softmax of -Inf": (lambda x: x.softmax(1), [[-np.inf, 0.0]]),
    "cross_entropy": (lambda x: F.cross_entropy(x, tn.tensor([0])), LOGITS),
    "cross_entropy of large logits": (
        lambda x: F.cross_entropy(x, tn.tensor([1])), [[-3e38, 3e38, 0.0]]),
    "softplus": (F.softplus, LOGITS),
    "sigmoid": (F.sigmoid, LOGITS),
    "silu": (F.silu, LOGITS),
    "gelu": (F.gelu, LOGITS),
    "bce": (lambda x: F.binary_cross_entropy_with_logits(x, tn.ones(1, 4)), LOGITS),
    "norm": (lambda x: x.norm(), [[1e-30, 1.0, 1e-25]]),
    "norm of 0": (lambda x: x.norm(), [[0.0, 0.0]]),
    "norm of large numbers": (lambda x: x.norm(), [[1e38, 1e38]]),
    "layer_norm": (lambda x: F.layer_norm(x, (3,)), [[1e-25, 2e-25, 0.0]]),
}  # fmt: skip


@pytest.mark.usefixtures("raising")
@pytest.mark.parametrize("name", RIGHT)
def test_what_underflows_to_0_rightly_does_not_raise(name: str) -> None:
    function, numbers = RIGHT[name]
    x = tn.tensor(numbers, requires_grad=True)
    y = function(x)
    y.sum().backward()
    assert np.isfinite(x.grad.data).all()
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(y.data, function(x).data)


@pytest.mark.usefixtures("raising")
def test_an_optimizer_and_a_layer_of_tiny_numbers() -> None:
    layer = nn.Linear(3, 3)
    optimizer = optim.Adam(layer.parameters())
    (layer(tn.tensor([[1e-30, 1e-25, 1.0]])).softmax(1) * 1e-30).sum().backward()
    optimizer.step()


@pytest.mark.usefixtures("raising")
def test_what_is_wrong_still_raises() -> None:
    with pytest.raises(FloatingPointError):
        tn.tensor([0.0]).log()
    with pytest.raises(FloatingPointError):
        tn.tensor([100.0]).exp()
