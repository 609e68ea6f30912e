"""Every public layer, loss, optimizer and schedule is checked or marked; any other fails."""

from __future__ import annotations

import inspect
from typing import Any

import layer_cases
import numpy as np
import pytest
import test_lbfgs
import test_lr_scheduler
import test_optim
import test_optim_formulas
from hypothesis import given, settings

import tinynet as tn
import tinynet.functional as F
from tinynet import backend, nn, optim
from tinynet.testing import check_grads
from tinynet.testing.strategies import networks


def x64(*shape: int, seed: int = 0) -> np.ndarray:
    """Distinct unordered numbers away from 0: no ties and no kinks."""
    rng = np.random.default_rng([seed, *shape])
    ladder = np.linspace(0.2, 1.8, int(np.prod(shape))) * rng.choice([-1.0, 1.0], np.prod(shape))
    return rng.permutation(ladder).reshape(shape)


# expression (of `nn`), shapes of the input and of the output
LAYERS = [
    ("AdaptiveAvgPool2d((2, 3))", (2, 3, 5, 4), (2, 3, 2, 3)),
    ("AvgPool2d((2, 3))", (2, 3, 5, 6), (2, 3, 2, 2)),
    ("AvgPool2d(3, 2, 1, count_include_pad=False)", (2, 3, 5, 4), (2, 3, 3, 2)),
    ("BatchNorm1d(4)", (5, 4), (5, 4)),
    ("BatchNorm1d(3, momentum=None)", (5, 3, 2), (5, 3, 2)),
    ("BatchNorm1d(3).eval()", (2, 3, 4), (2, 3, 4)),
    ("BatchNorm2d(3)", (2, 3, 5, 4), (2, 3, 5, 4)),
    ("BatchNorm2d(3, affine=False, track_running_stats=False)", (2, 3, 5, 4), (2, 3, 5, 4)),
    ("Conv2d(4, 6, (3, 2), 2, 1, groups=2)", (2, 4, 7, 6), (2, 6, 4, 4)),
    ("Conv2d(4, 6, 2, dilation=2, groups=2, bias=False)", (1, 4, 4, 3), (1, 6, 2, 1)),
    ("Conv2d(2, 3, (2, 3), padding='same')", (2, 2, 5, 4), (2, 3, 5, 4)),
    ("Conv2d(2, 3, 2, padding='valid')", (2, 2, 5, 4), (2, 3, 4, 3)),
    ("Dropout(0.3)", (5, 4), (5, 4)),
    ("Dropout(0.3).eval()", (5, 4), (5, 4)),
    ("ELU(1.5)", (5, 4), (5, 4)),
    ("Flatten()", (2, 3, 4, 5), (2, 60)),
    ("GELU()", (5, 4), (5, 4)),
    ("GELU('tanh')", (5, 4), (5, 4)),
    ("Identity(54, unused=1)", (5, 4), (5, 4)),
    ("LayerNorm(4, bias=False)", (5, 3, 4), (5, 3, 4)),
    ("LayerNorm((3, 4))", (5, 3, 4), (5, 3, 4)),
    ("LayerNorm((5, 4), elementwise_affine=False)", (2, 3, 5, 4), (2, 3, 5, 4)),
    ("LeakyReLU(0.2)", (5, 4), (5, 4)),
    ("Linear(4, 3)", (5, 4), (5, 3)),
    ("Linear(4, 3, bias=False)", (2, 5, 4), (2, 5, 3)),
    ("LogSoftmax(-1)", (5, 4), (5, 4)),
    ("MaxPool2d(2)", (2, 3, 5, 4), (2, 3, 2, 2)),
    ("MaxPool2d(3, 1, 1)", (2, 3, 5, 4), (2, 3, 5, 4)),
    ("ReLU()", (5, 4), (5, 4)),
    ("Sequential(Linear(4, 3), Tanh(), Linear(3, 2))", (3, 4), (3, 2)),
    ("SiLU()", (5, 4), (5, 4)),
    ("Sigmoid()", (5, 4), (5, 4)),
    ("Softmax(0)", (5, 4), (5, 4)),
    ("Softplus(2.0)", (5, 4), (5, 4)),
    ("Tanh()", (5, 4), (5, 4)),
]
LABELS = np.array([2, 0, 1])
SHARES = np.array([[0.2, 0.5, 0.2, 0.1], [0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.3, 0.2]])
# layer, function and options, and a target; one of real numbers is differentiated too
LOSSES = [
    ("BCEWithLogitsLoss", "binary_cross_entropy_with_logits", {}, SHARES),
    ("CrossEntropyLoss", "cross_entropy", {}, LABELS),
    ("CrossEntropyLoss", "cross_entropy", {"ignore_index": 0, "label_smoothing": 0.2}, LABELS),
    ("CrossEntropyLoss", "cross_entropy", {"reduction": "none"}, SHARES),
    ("HuberLoss", "huber_loss", {"delta": 0.9}, x64(3, 4, seed=1)),
    ("L1Loss", "l1_loss", {"reduction": "sum"}, x64(3, 4, seed=1)),
    ("MSELoss", "mse_loss", {}, x64(3, 4, seed=1)),
    ("MSELoss", "mse_loss", {"reduction": "none"}, x64(3, 4, seed=1)),
]
MORE = {  # checked on the cases of layer_cases: single layers, losses and layers of pairs
    name for name in nn.__all__ if name not in {e.partition("(")[0] for e, *_ in LAYERS}
} & {e.partition("(")[0] for e, _ in [*layer_cases.LAYERS, *layer_cases.LOSSES]}
PAIRS = {e.partition("(")[0] for e, _ in layer_cases.OTHERS}
NOT_LAYERS = {
    **{name: "test_lazy" for name in nn.__all__ if name.startswith("Lazy")},
    "EmbeddingBag": "as Embedding; test_public_names checks the function",
    "ModuleDict": "a container without a forward",
    "ParameterDict": "a container without a forward",
    "ParameterList": "a container without a forward",
    "functional": "the functions: test_public_names",
    "CTCLoss": "its targets are lists of labels: test_ctc",
    "Embedding": "its input are labels; test_nn_layers checks the gradient of its weights",
    "Module": "the base class, without a forward",
    "ModuleList": "a container without a forward",
    "Parameter": "a leaf, no layer",
    "init": "draws numbers, by the variances that test_nn_layers measures",
    "utils": "changes gradients in place: test_nn_layers, test_clipping_*",
}


def test_every_name_of_nn_is_in_a_table() -> None:
    layers = {expression.partition("(")[0] for expression, *_ in LAYERS}
    losses = {name for name, *_ in LOSSES}
    tables = [layers, losses, MORE - losses, PAIRS, set(NOT_LAYERS)]
    known = set().union(*tables)
    assert set(nn.__all__) - known == set(), "a layer or loss without a gradient test"
    assert known - set(nn.__all__) == set(), "no such name"
    assert sum(map(len, tables)) == len(known)


def make(expression: str) -> nn.Module:
    tn.manual_seed(1)
    return eval(expression, dict(vars(nn)))


DETERMINISTIC = [(e, shape) for e, shape, _ in LAYERS if e != "Dropout(0.3)"]


@pytest.mark.parametrize(("expression", "shape"), DETERMINISTIC)
def test_layers_to_second_order(expression: str, shape: tuple[int, ...]) -> None:
    layer = make(expression).double()
    assert repr(layer).partition("(")[0] == expression.partition("(")[0]
    report = check_grads(layer, tn.tensor(x64(*shape), requires_grad=True), allow_constant=True)
    assert report.comparisons
    assert not report.kinks


@pytest.mark.parametrize(
    ("expression", "shape"), [c for c in layer_cases.LAYERS if c[0].partition("(")[0] in MORE]
)
def test_more_layers_to_second_order(expression: str, shape: tuple[int, ...]) -> None:
    check_grads(make(expression).double(), tn.tensor(x64(*shape), requires_grad=True),
                allow_constant=True, max_entries=12)  # fmt: skip


@pytest.mark.parametrize(("expression", "arguments"), layer_cases.OTHERS)
def test_layers_of_pairs_to_second_order(expression: str, arguments: list[np.ndarray]) -> None:
    inputs = [tn.tensor(a, requires_grad=a.dtype.kind == "f") for a in arguments]
    check_grads(make(expression).double(), inputs, allow_constant=True, max_entries=12)


def run(expression: str, shape: tuple[int, ...], dtype: str) -> list[tn.Tensor]:
    """Output, gradients of the input and of the parameters, and buffers."""
    layer = make(expression).to(dtype)
    x = tn.tensor(x64(*shape), dtype, requires_grad=True, device=backend.default_device())
    y = layer(x)
    (y * tn.randn(*y.shape, dtype=dtype)).sum().backward()
    return [y.detach(), x.grad, *(p.grad for p in layer.parameters()), *layer.buffers()]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("expression", "shape", "result"), LAYERS)
def test_layers_are_alike_on_either_device(
    expression: str, shape: Any, result: Any, dtype: str, default_device: str
) -> None:
    tensors = run(expression, shape, dtype)
    assert tensors[0].shape == result
    for t in tensors:
        assert t.device == default_device
        assert t.dtype == (np.int64 if t.shape == () else dtype)
        assert np.isfinite(t.numpy()).all()
    backend.set_default_device("cpu")
    for there, here in zip(tensors, run(expression, shape, dtype), strict=True):
        tolerance = 1e-5 if dtype == "float32" else 1e-12
        assert np.allclose(there.numpy(), here.numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("name", "function", "options", "target"), LOSSES)
def test_losses_are_the_functions_and_right_to_second_order(
    name: str, function: str, options: Any, target: np.ndarray, device: str
) -> None:
    loss, arrays = getattr(nn, name)(**options), (x64(3, 4), target)
    inputs = [tn.tensor(a, requires_grad=a.dtype.kind == "f", device=device) for a in arrays]
    assert loss(*inputs).tolist() == getattr(F, function)(*inputs, **options).tolist()
    report = check_grads(loss, inputs)
    assert not report.kinks
    assert not report.constant or name in ("L1Loss", "HuberLoss")  # of slope +-1 and +-delta


def test_every_optimizer_and_schedule_has_a_test_by_hand() -> None:
    for name in set(optim.__all__) - {"Optimizer", "lr_scheduler", "swa_utils"}:
        test = f"test_{name.lower()}_by_hand"
        tested = test_optim, test_optim_formulas, test_lbfgs
        assert any([hasattr(module, test) for module in tested]), name
    base, source = optim.lr_scheduler.LRScheduler, inspect.getsource(test_lr_scheduler)
    for name, value in vars(optim.lr_scheduler).items():
        if inspect.isclass(value) and issubclass(value, base):
            assert name in source


@settings(max_examples=15)
@given(networks())
def test_whole_networks_to_second_order(drawn):
    model, x = drawn
    inputs = [tn.tensor(x, requires_grad=True)]
    # a bias before a normalisation has no effect: its gradient is rounding
    check_grads(model, inputs, allow_constant=True, max_entries=12)
