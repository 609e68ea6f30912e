"""Layers and initial weights: their formulas, on the CPU and on the stand-in for CuPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinynet as tn
from tinynet import functional, nn
from tinynet.nn import init


def test_linear_and_conv_by_hand(default_device):
    layer = nn.Linear(2, 2)
    layer.load_state_dict({"weight": [[1, 2], [3, 4]], "bias": [10, 20]})
    assert layer(tn.tensor([[1.0, -1.0]])).tolist() == [[9, 19]]
    conv = nn.Conv2d(1, 1, 2, bias=False)
    conv.load_state_dict({"weight": [[[[1, 2], [3, 4]]]]})
    image = tn.tensor([[[[1.0, 0.0, 2.0], [0.0, 1.0, 0.0]]]])
    assert conv(image).tolist() == [[[[5, 7]]]]


@pytest.mark.parametrize("size", [3, np.int64(3), np.array(3), (3,), [3], np.array([3])], ids=repr)
def test_normalized_shape_is_any_integer_or_sequence(size):
    x, layer = tn.randn(5, 3), nn.LayerNorm(size)
    assert layer.normalized_shape == (3,)
    expected = functional.layer_norm(x, (3,)).tolist()
    assert functional.layer_norm(x, size).tolist() == layer(x).tolist() == expected


def test_embedding(default_device):
    table = nn.Embedding(4, 3)
    assert table.weight.shape == (4, 3)
    rows = table(tn.tensor([[0, 2], [2, 2]]))
    assert rows.shape == (2, 2, 3)
    rows.sum().backward()
    assert table.weight.grad.tolist() == [[1] * 3, [0] * 3, [3] * 3, [0] * 3]
    with pytest.raises(IndexError, match="embedding"):
        table(tn.tensor([4]))


BAD = {
    "Linear: in_features is 0": lambda: nn.Linear(0, 2),
    "Linear: out_features is 1.5": lambda: nn.Linear(2, 1.5),
    r"linear: input has shape \(\)": lambda: functional.linear(tn.tensor(1.0), tn.ones(2, 3)),
    "Conv2d: in_channels is 3 and groups is 2": lambda: nn.Conv2d(3, 4, 3, groups=2),
    "Conv2d: out_channels is 3 and groups is 2": lambda: nn.Conv2d(4, 3, 3, groups=2),
    "Conv2d: kernel_size": lambda: nn.Conv2d(1, 1, (3, 3, 3)),
    "Conv2d: stride": lambda: nn.Conv2d(1, 1, 3, stride=0),
    "Conv2d: padding is 'full'": lambda: nn.Conv2d(1, 1, 3, padding="full"),
    "padding='same' requires stride 1": lambda: nn.Conv2d(1, 1, 3, 2, padding="same"),
    "Conv2d: padding_mode is 'wrap'": lambda: nn.Conv2d(1, 1, 3, padding_mode="wrap"),
    "Dropout: p is 1.5": lambda: nn.Dropout(1.5),
    "Embedding: num_embeddings": lambda: nn.Embedding(0, 2),
    "LayerNorm: normalized_shape": lambda: nn.LayerNorm(()),
    "BatchNorm2d: num_features": lambda: nn.BatchNorm2d(0),
    "GELU: approximate": lambda: nn.GELU("erf"),
    "Softplus: beta": lambda: nn.Softplus(0),
    "MSELoss: reduction": lambda: nn.MSELoss(reduction="avg"),
    "label_smoothing is 2": lambda: nn.CrossEntropyLoss(label_smoothing=2),
    "HuberLoss: delta": lambda: nn.HuberLoss(delta=0),
    r"BatchNorm1d: input has shape \(2, 3, 4, 5\)": lambda: nn.BatchNorm1d(3)(tn.ones(2, 3, 4, 5)),
    r"BatchNorm2d: input .* with C = 1": lambda: nn.BatchNorm2d(1)(tn.ones(2, 3, 4, 5)),
    "needs more than one": lambda: nn.BatchNorm1d(3)(tn.ones(1, 3)),
    "needs two axes": lambda: init.kaiming_normal_(tn.zeros(3)),
    "nonlinearity is 'swish'": lambda: init.calculate_gain("swish"),
    "mode is 'fan_avg'": lambda: init.kaiming_uniform_(tn.zeros(2, 2), mode="fan_avg"),
    "std is -1": lambda: init.normal_(tn.zeros(2), std=-1),
    "max_norm is -1": lambda: nn.utils.clip_grad_norm_([], -1),
    "norm_type is 0": lambda: nn.utils.clip_grad_norm_([], 1, 0),
    "clip_value is -1": lambda: nn.utils.clip_grad_value_([], -1),
}


@pytest.mark.parametrize("text", BAD)
def test_bad_arguments_are_named(text):
    with pytest.raises(ValueError, match=text):
        BAD[text]()


# --- dropout and batch normalisation ----------------------------------------------------------


@given(p=st.floats(0, 0.9), seed=st.integers(0, 2**32))
def test_dropout_keeps_the_mean_and_rests_in_evaluation(p, seed):
    tn.manual_seed(seed)
    layer, x = nn.Dropout(p), tn.ones(200, 200)
    y = layer(x).numpy()
    kept = np.float32(1.0 / (1.0 - p))
    assert np.all((y == 0) | (np.abs(y - kept) < 1e-6 * kept))
    # 40,000 independent terms of variance p / (1 - p): six standard deviations
    assert abs(y.mean() - 1) <= 6 * math.sqrt(p / (1 - p) / y.size) + 1e-6
    assert layer.eval()(x) is x
    assert layer.train().p == p


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float32", "float64"])
def test_dropout_of_integers_is_float32(dtype, default_device):
    y = functional.dropout(tn.tensor(np.ones((20, 20)), dtype), 0.75)
    assert isinstance(y, tn.Tensor)
    assert y.dtype == (dtype if dtype.startswith("float") else "float32")
    assert set(y.cpu().numpy().ravel()) == {0, 4}


def test_batch_norm_uses_two_variances(default_device):
    x = np.arange(12.0).reshape(4, 3) ** 1.5
    layer = nn.BatchNorm1d(3, momentum=0.25, eps=1e-3).double()
    y = layer(tn.tensor(x, device=default_device)).detach().numpy()
    expected = (x - x.mean(0)) / np.sqrt(x.var(0, ddof=0) + 1e-3)
    assert np.allclose(y, expected, rtol=1e-12)
    state = layer.state_dict()
    assert np.allclose(state["running_mean"], 0.25 * x.mean(0), rtol=1e-12)
    assert np.allclose(state["running_var"], 0.75 + 0.25 * x.var(0, ddof=1), rtol=1e-12)
    assert state["num_batches_tracked"] == 1
    layer.eval()
    y = layer(tn.tensor(x, device=default_device)).detach().numpy()
    expected = (x - state["running_mean"]) / np.sqrt(state["running_var"] + 1e-3)
    assert np.allclose(y, expected, rtol=1e-12)
    after = layer.state_dict()
    assert all(np.array_equal(after[name], state[name]) for name in state)


def test_batch_norm_without_momentum_is_the_mean_over_batches():
    layer = nn.BatchNorm2d(2, momentum=None).double()
    batches = [np.random.default_rng(i).normal(i, 1 + i, (3, 2, 2, 2)) for i in range(4)]
    with pytest.raises(ValueError, match="batch_norm"):
        layer(tn.ones(1, 2, 1, 1).double())  # one value per channel: refused, and not counted
    for batch in batches:
        layer(tn.tensor(batch))
    means = np.mean([b.mean((0, 2, 3)) for b in batches], 0)
    variances = np.mean([b.var((0, 2, 3), ddof=1) for b in batches], 0)
    assert np.allclose(layer.running_mean.numpy(), means, rtol=1e-12)
    assert np.allclose(layer.running_var.numpy(), variances, rtol=1e-12)


def test_batch_norm_without_statistics_uses_the_batch_in_evaluation_too():
    layer = nn.BatchNorm1d(3, track_running_stats=False)
    assert list(layer.state_dict()) == ["weight", "bias"]
    assert layer.running_mean is None
    x = tn.randn(8, 3)
    assert layer(x).tolist() == layer.eval()(x).tolist()


# --- initial weights --------------------------------------------------------------------------

WEIGHTS = (60, 40, 5, 3)
FAN_IN, FAN_OUT = 40 * 15, 60 * 15
RULES = {
    "uniform": (lambda w: init.uniform_(w, -2.0, 4.0), 3.0),
    "normal": (lambda w: init.normal_(w, 0.0, 1.5), 2.25),
    "xavier uniform": (lambda w: init.xavier_uniform_(w, 2.0), 8.0 / (FAN_IN + FAN_OUT)),
    "xavier normal": (lambda w: init.xavier_normal_(w), 2.0 / (FAN_IN + FAN_OUT)),
    "kaiming uniform": (lambda w: init.kaiming_uniform_(w), 2.0 / FAN_IN),
    "kaiming normal": (lambda w: init.kaiming_normal_(w, a=0.5), 2.0 / 1.25 / FAN_IN),
    "kaiming fan_out": (
        lambda w: init.kaiming_normal_(w, mode="fan_out", nonlinearity="tanh"),
        25 / 9 / FAN_OUT,
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_initial_variance(rule, default_device):
    tn.manual_seed(5)
    weight = nn.Parameter(tn.zeros(*WEIGHTS))
    initialise, variance = RULES[rule]
    assert initialise(weight) is weight
    assert (weight.dtype, weight.device, weight.requires_grad) == (np.float32, default_device, True)
    numbers = weight.detach().numpy()
    assert abs(numbers.mean() - (1.0 if rule == "uniform" else 0.0)) < 0.02 * math.sqrt(variance)
    assert numbers.var() == pytest.approx(variance, rel=0.03)
    if "uniform" in rule:
        half = math.sqrt(3.0 * variance)
        assert np.abs(numbers - numbers.mean()).max() <= half * 1.02


def test_default_initial_weights():
    tn.manual_seed(0)
    for layer, fan_in in ((nn.Linear(300, 200), 300), (nn.Conv2d(8, 60, 5, groups=2), 100)):
        for p in layer.parameters():
            bound = 1.0 / math.sqrt(fan_in)
            assert np.abs(p.detach().numpy()).max() <= bound
        assert layer.weight.detach().numpy().var() == pytest.approx(bound**2 / 3, rel=0.05)
        assert np.abs(layer.bias.detach().numpy()).max() > 0.8 * bound
    assert nn.Embedding(300, 50).weight.detach().numpy().var() == pytest.approx(1, rel=0.05)


def test_initial_weights_do_not_depend_on_device_or_dtype(default_device):
    tn.manual_seed(9)
    there = nn.Conv2d(2, 3, 3).state_dict()
    tn.manual_seed(9)
    here = nn.Conv2d(2, 3, 3, device="cpu", dtype="float64")
    assert here.weight.dtype == np.float64
    for name, value in here.state_dict().items():
        assert np.array_equal(value.astype("float32"), there[name])


def test_fans_gains_and_constants():
    assert init.fans(tn.zeros(5, 7)) == (7, 5)
    assert init.fans(tn.zeros(4, 3, 5, 2)) == (30, 40)
    assert init.calculate_gain("relu") == pytest.approx(math.sqrt(2))
    assert init.calculate_gain("leaky_relu", 3.0) == pytest.approx(math.sqrt(0.2))
    assert init.calculate_gain("leaky_relu") == pytest.approx(math.sqrt(2 / 1.0001))
    assert init.calculate_gain("tanh") == pytest.approx(5 / 3)
    assert init.ones_(tn.zeros(2)).tolist() == [1, 1]
    assert init.zeros_(tn.ones(2)).tolist() == [0, 0]
    assert init.constant_(nn.Parameter(tn.ones(2)), 3).tolist() == [3, 3]


# --- clipping ---------------------------------------------------------------------------------


def with_gradients(*values):
    params = []
    for value in values:
        p = nn.Parameter(tn.zeros(len(value)))
        p.grad = tn.tensor(value)
        params.append(p)
    return params


def test_clipping_by_norm(default_device):
    a, b = with_gradients([3.0, 0.0], [0.0, 4.0, 0.0])
    c = nn.Parameter(tn.zeros(2))
    norm = nn.utils.clip_grad_norm_(iter([a, b, c]), 10.0)
    assert (norm.item(), norm.shape, norm.dtype) == (5.0, (), np.float32)
    assert norm.device == default_device
    assert a.grad.tolist() == [3, 0]
    assert nn.utils.clip_grad_norm_([a, b], np.float64(1.0)).item() == 5.0
    assert a.grad.dtype == np.float32
    assert np.allclose(a.grad.tolist(), [0.6, 0])
    assert np.allclose(b.grad.tolist(), [0, 0.8, 0])
    (d,) = with_gradients([1.0, -3.0])
    assert nn.utils.clip_grad_norm_(d, 9.0, math.inf).item() == 3.0
    assert nn.utils.clip_grad_norm_(d, 9.0, 1).item() == 4.0
    assert nn.utils.clip_grad_norm_(d, 9.0, 3).item() == pytest.approx(28 ** (1 / 3))
    assert nn.utils.clip_grad_norm_([c], 1.0).item() == 0.0
    (big,) = with_gradients([3e25, 4e25])
    assert nn.utils.clip_grad_norm_(big, 1.0).item() == pytest.approx(5e25)
    assert np.allclose(big.grad.tolist(), [0.6, 0.8])


def test_clipping_refuses_what_is_not_finite(default_device):
    (a,) = with_gradients([1.0, math.nan])
    with pytest.raises(RuntimeError, match="must be finite"):
        nn.utils.clip_grad_norm_(a, 1.0, error_if_nonfinite=True)
    assert a.grad.tolist()[0] == 1.0
    assert math.isnan(nn.utils.clip_grad_norm_(a, 1.0).item())


def test_clipping_by_value(default_device):
    (a,) = with_gradients([1.0, -3.0, 0.5])
    nn.utils.clip_grad_value_(a, np.float64(0.75))
    assert a.grad.tolist() == [0.75, -0.75, 0.5]
    assert a.grad.dtype == np.float32
