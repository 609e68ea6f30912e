"""nn without windows: what names that PyTorch's users type promise, beyond gradients and parity."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynet as tn
import tinynet.nn.functional
from tinynet import nn
from tinynet.nn import functional as F


def test_nn_functional_is_functional() -> None:
    assert tinynet.nn.functional is F is nn.functional
    assert all(getattr(F, name) is getattr(tn.functional, name) for name in tn.functional.__all__)


# --- what is refused, and in what words ----------------------------------------------------------

X = tn.zeros(2, 3)
REFUSED = {
    "linear: input .*2, 1, 28, 28.* weight .*10, 784": lambda: F.linear(
        tn.zeros(2, 1, 28, 28), tn.zeros(10, 784)
    ),
    r"linear: input is \[\[1.0, 2.0\]\]": lambda: nn.Linear(2, 2)([[1.0, 2.0]]),
    "linear: bias .3,. must be .4,.": lambda: F.linear(
        tn.zeros(2, 2, 3), tn.zeros(4, 3), tn.zeros(3)
    ),
    r"cross_entropy: target is \[0, 1\]": lambda: F.cross_entropy(X, [0, 1]),
    "embedding: weight is .*; it must be a Tensor of shape": lambda: F.embedding(
        tn.tensor([0]), tn.tensor(1.0)
    ),
    "embedding: padding_idx is 3; the weight has 2 rows": lambda: F.embedding(tn.tensor([0]), X, 3),
    "pad: mode is 'wrap'": lambda: F.pad(X, (1, 1), "wrap"),
    "pad: mode is 3.0": lambda: F.pad(X, (1, 1), 3.0),
    "pad: widths .3, 0. are too large for mode 'reflect' .* size 3": lambda: F.pad(
        X, (3, 0), "reflect"
    ),
    "pad: mode 'circular' pads the last": lambda: F.pad(X, (1, 1, 1, 1), "circular"),
    "pad: pad is 2; it must be a sequence": lambda: F.pad(X, 2),
    "layer_norm: weight has shape .2,.": lambda: F.layer_norm(X, (3,), tn.zeros(2)),
    "batch_norm: eps is 0.0": lambda: F.batch_norm(X, None, None, training=True, eps=0),
    "group_norm: num_groups is 2; it must divide the 3": lambda: F.group_norm(X, 2),
    "softmax: dim is missing": lambda: F.softmax(X),
    "prelu: weight has 2 entries": lambda: F.prelu(X, tn.zeros(2)),
    "mse_loss: .*would broadcast": lambda: F.mse_loss(tn.zeros(2, 1), tn.zeros(2)),
    "binary_cross_entropy: input runs from 0.0 to 2.0": lambda: F.binary_cross_entropy(
        tn.tensor([0.0, 2.0]), tn.zeros(2)
    ),
    "scaled_dot_product_attention: give attn_mask or is_causal": (
        lambda: F.scaled_dot_product_attention(X, X, X, tn.zeros(2, 2), is_causal=True)
    ),
    "dropout2d: input has shape .2, 3.": lambda: F.dropout2d(X),
    "gelu: input is a float": lambda: F.gelu(0.5),
    "relu: input is None": lambda: F.relu(None),
    "Hardtanh: min_val 1 must be less": lambda: nn.Hardtanh(1, 0),
    "ZeroPad2d: padding is .1, 2.": lambda: nn.ZeroPad2d((1, 2)),
    "Unflatten: size 3 of dim 1": lambda: nn.Unflatten(1, (2, -1))(X),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_is_refused(words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{words}"):
        REFUSED[words]()


# --- activations ---------------------------------------------------------------------------------


def test_slopes_at_thresholds_are_those_of_the_flat_piece() -> None:
    for f, kinks in (
        (F.relu6, [0.0, 6.0]),
        (F.hardtanh, [-1.0, 1.0]),
        (F.hardsigmoid, [-3.0, 3.0]),
        (F.hardshrink, [-0.5, 0.5]),
        (F.softshrink, [-0.5, 0.5]),
        (lambda x: F.threshold(x, 2.0, 7.0), [2.0]),
    ):
        x = tn.tensor(kinks, requires_grad=True)
        f(x).sum().backward()
        assert x.grad.tolist() == [0.0] * len(kinks)


def test_prelu_at_infinity_has_a_finite_slope_gradient() -> None:
    x = tn.tensor([math.inf, -2.0])
    w = tn.tensor([0.25], requires_grad=True)
    F.prelu(x, w).sum().backward()
    assert w.grad.tolist() == [-2.0]


def test_softplus_is_x_above_the_threshold() -> None:
    x = tn.tensor([19.0, 21.0], "float64")
    assert F.softplus(x)[1].item() == 21.0
    assert F.softplus(x, threshold=math.inf)[1].item() > 21.0


def test_gumbel_softmax_samples_the_softmax() -> None:
    tn.manual_seed(0)
    p = np.array([0.5, 0.3, 0.2])
    drawn = F.gumbel_softmax(tn.tensor(np.log(p)).expand(4000, 3), hard=True)
    assert set(np.unique(drawn.numpy())) == {0.0, 1.0}
    np.testing.assert_allclose(drawn.mean(0).numpy(), p, atol=0.03)


# --- dropouts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"])
def test_whole_channels_are_dropped(name: str) -> None:
    tn.manual_seed(0)
    spatial = {"dropout1d": 1, "dropout3d": 3}.get(name, 2)
    x = tn.ones(8, 16, *(3,) * spatial)
    y = getattr(F, name)(x, 0.5, training=True).numpy().reshape(128, -1)
    assert (y == y[:, :1]).all()
    assert 0.3 < (y[:, 0] == y.max()).mean() < 0.7


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    tn.manual_seed(0)
    y = F.alpha_dropout(tn.randn(200_000, dtype="float64"), 0.3, training=True)
    assert abs(y.mean().item()) < 0.02
    assert abs(y.var().item() - 1) < 0.02


def test_dropping_everything_leaves_zeros() -> None:
    for name in ("dropout", "alpha_dropout"):
        assert getattr(F, name)(tn.ones(3), 1.0, training=True).tolist() == [0, 0, 0]


# --- tables --------------------------------------------------------------------------------------


def test_a_padding_row_starts_at_zero_and_is_not_learnt() -> None:
    layer = nn.Embedding(4, 3, padding_idx=-1)
    assert layer.padding_idx == 3
    assert layer.weight[3].tolist() == [0, 0, 0]
    layer(tn.tensor([3, 1, 3])).sum().backward()
    assert layer.weight.grad.numpy().sum(1).tolist() == [0, 3, 0, 0]


def test_max_norm_shortens_rows_that_are_used() -> None:
    table = tn.tensor([[3.0, 4.0], [6.0, 8.0], [0.3, 0.4]])
    F.embedding(tn.tensor([0, 2]), table, max_norm=1.0)
    np.testing.assert_allclose(table.norm(dim=1).numpy(), [1, 10, 0.5], rtol=1e-6)


def test_gradients_can_be_scaled_by_the_frequency_of_a_row() -> None:
    table = tn.ones(3, 2, requires_grad=True)
    F.embedding(tn.tensor([0, 0, 2]), table, scale_grad_by_freq=True).sum().backward()
    assert table.grad.tolist() == [[1, 1], [0, 0], [1, 1]]


def test_from_pretrained_shares_the_table_and_freezes_it() -> None:
    table = tn.ones(3, 2)
    layer = nn.Embedding.from_pretrained(table)
    assert not layer.weight.requires_grad
    assert np.shares_memory(layer.weight.data, table.data)
    assert nn.EmbeddingBag.from_pretrained(table, freeze=False, mode="sum").weight.requires_grad


def test_one_hot_counts_its_classes() -> None:
    assert F.one_hot(tn.tensor([2, 0])).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert F.one_hot(tn.tensor([2, 0])).dtype == np.int64


# --- padding and normalisation -------------------------------------------------------------------


@settings(max_examples=25)
@given(st.integers(4, 6), st.integers(-2, 2), st.integers(-2, 2),
       st.sampled_from(["reflect", "replicate", "circular", "constant"]))  # fmt: skip
def test_pad_is_numpys(n: int, a: int, b: int, mode: str) -> None:
    x = np.arange(2.0 * n).reshape(2, n)
    if mode == "circular":  # wraps what a crop leaves
        x = x[:, max(-a, 0) : n - max(-b, 0)]
        a, b = max(a, 0), max(b, 0)
        if max(a, b) > x.shape[1]:
            return
    numpy_mode = {"replicate": "edge", "circular": "wrap"}.get(mode, mode)
    wide = np.pad(x, ((0, 0), (max(a, 0), max(b, 0))), numpy_mode)
    expected = wide[:, max(-a, 0) : wide.shape[1] - max(-b, 0)]
    assert F.pad(tn.tensor(x), (a, b), mode).tolist() == expected.tolist()


def test_pads_third_argument_is_the_mode_and_none_is_zero() -> None:
    assert F.pad(tn.ones(1, 2), (1, 1), value=None).tolist() == [[0, 1, 1, 0]]
    assert F.pad(tn.ones(1, 2), (1, 1), "constant", 5).tolist() == [[5, 1, 1, 5]]


def test_group_norm_of_one_group_and_of_single_channels() -> None:
    x = tn.randn(3, 4, 5, dtype="float64")
    np.testing.assert_allclose(
        F.group_norm(x, 1).numpy(), F.layer_norm(x, (4, 5)).numpy(), atol=1e-12
    )
    np.testing.assert_allclose(F.group_norm(x, 4).numpy(), F.instance_norm(x).numpy(), atol=1e-12)


def test_rms_norm_does_not_depend_on_the_scale() -> None:
    x = tn.randn(3, 4, dtype="float64")
    np.testing.assert_allclose(
        F.rms_norm(x * 100, (4,)).numpy(), F.rms_norm(x, (4,)).numpy(), rtol=1e-9
    )


# --- attention -----------------------------------------------------------------------------------


def test_attention_looks_where_it_may() -> None:
    tn.manual_seed(0)
    q, k, v = (tn.randn(2, 4, 3, dtype="float64") for _ in range(3))
    first = F.scaled_dot_product_attention(q, k, v, is_causal=True)[:, 0]
    np.testing.assert_allclose(first.numpy(), v[:, 0].numpy())
    closed = np.tril(np.ones((4, 4), bool))
    closed[2] = False
    q.requires_grad_()
    y = F.scaled_dot_product_attention(q, k, v, tn.tensor(closed))
    assert y[:, 2].detach().numpy().tolist() == [[0, 0, 0]] * 2
    y.sum().backward()
    assert np.isfinite(q.grad.numpy()).all()


# --- losses --------------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_losses_that_say_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = tn.tensor(rng.normal(size=(5, 3)) * 3)
    labels, w = tn.tensor(rng.integers(0, 3, 5)), tn.tensor(rng.random(3) + 0.1)
    q = tn.tensor(rng.dirichlet([1.0] * 3, 5))
    z = tn.tensor(rng.random((5, 3)))
    same = [
        (F.cross_entropy(x, labels, w), F.nll_loss(F.log_softmax(x, 1), labels, w)),
        (F.cross_entropy(x, labels), F.cross_entropy(x, F.one_hot(labels, 3).double())),
        (
            F.binary_cross_entropy_with_logits(x, z, pos_weight=w),
            -(w * z * F.logsigmoid(x) + (1 - z) * F.logsigmoid(-x)).mean(),
        ),
        (F.binary_cross_entropy(x.sigmoid(), z), F.binary_cross_entropy_with_logits(x, z)),
        (F.smooth_l1_loss(x, z, beta=0.5), F.huber_loss(x, z, delta=0.5) / 0.5),
        (
            F.kl_div(F.log_softmax(x, 1), q, reduction="batchmean"),
            F.cross_entropy(x, q) + (q * q.log()).sum() / 5,
        ),
        (F.multilabel_soft_margin_loss(x, z), F.binary_cross_entropy_with_logits(x, z)),
    ]
    for a, b in same:
        assert a.item() == pytest.approx(b.item(), rel=1e-9)


def test_losses_at_their_ends_are_finite() -> None:
    p = tn.tensor([0.0, 1.0, 0.0, 1.0], requires_grad=True)
    loss = F.binary_cross_entropy(p, tn.tensor([0.0, 1.0, 1.0, 0.0]))
    loss.backward()
    assert loss.item() == 50.0
    assert np.isfinite(p.grad.numpy()).all()
    x = tn.tensor([[0.0, -math.inf]], requires_grad=True)
    assert F.nll_loss(x, tn.tensor([0]), ignore_index=1).item() == 0


def test_an_option_of_numpys_does_not_widen() -> None:
    x, one = tn.rand(4, 3), np.float64(0.1)
    for y in (
        F.dropout(x, one), F.leaky_relu(x, one), F.elu(x, one), F.celu(x, one),
        F.hardtanh(x, -one, one), F.softshrink(x, one), F.threshold(x, one, one),
        F.softplus(x, one), F.layer_norm(x, 3, eps=one), F.rms_norm(x, 3, eps=one),
        F.normalize(x, eps=one), F.pairwise_distance(x, x, eps=one),
        F.huber_loss(x, x * 2, delta=one), F.gumbel_softmax(x, one), F.pad(x, (1, 1), value=one),
        F.cross_entropy(x, tn.tensor([0, 1, 2, 0]), label_smoothing=one),
        F.margin_ranking_loss(x, x * 2, tn.ones(4, 3), one),
        F.hinge_embedding_loss(x, tn.ones(4, 3), one), F.local_response_norm(x, 2, one, one, one),
        nn.Dropout(one)(x), nn.LayerNorm(3, eps=one)(x), nn.GaussianNLLLoss(eps=one)(x, x, x + 1),
    ):  # fmt: skip
        assert y.dtype == np.float32


# --- modules -------------------------------------------------------------------------------------


def test_module_dict() -> None:
    d = nn.ModuleDict({"a": nn.Linear(2, 3), "b": nn.ReLU()})
    d["c"] = nn.Tanh()
    assert list(d) == d.keys() == ["a", "b", "c"]
    assert ("b" in d, "z" in d, len(d)) == (True, False, 3)
    assert list(d.state_dict()) == ["a.weight", "a.bias"]
    assert d.pop("b").__class__ is nn.ReLU
    assert [type(m) for m in d.values()] == [nn.Linear, nn.Tanh]
    with pytest.raises(KeyError, match="no module 'b'; it has a, c"):
        d["b"]
    with pytest.raises(TypeError, match="item 'x' is a int"):
        d["x"] = 3
    with pytest.raises(AttributeError, match="'items' is the name of a method"):
        d["items"] = nn.ReLU()
    d.clear()
    assert not len(d)


def test_parameter_list_and_dict() -> None:
    a, b = nn.Parameter(tn.ones(2)), tn.zeros(3)
    listed = nn.ParameterList([a]).append(b)
    assert listed[0] is a
    assert isinstance(listed[-1], nn.Parameter)
    assert list(listed.state_dict()) == ["0", "1"]
    assert [p.shape for p in listed] == [(2,), (3,)]
    assert listed[:1][0] is a
    with pytest.raises(IndexError, match="index 2 is out of range for 2"):
        listed[2]
    named = nn.ParameterDict({"a": a, "b": b})
    assert list(named.state_dict()) == ["a", "b"]
    assert named["a"] is a
    assert named.pop("a") is a
    assert "a" not in named
    with pytest.raises(KeyError, match="no parameter 'a'; it has b"):
        named["a"]


def test_containers_can_be_changed_in_the_middle() -> None:
    layers = [nn.Tanh(), nn.ReLU(), nn.Sigmoid()]
    net = nn.Sequential(*layers)
    net.insert(1, nn.GELU())
    assert [type(m).__name__ for m in net] == ["Tanh", "GELU", "ReLU", "Sigmoid"]
    del net[1]
    assert list(net) == layers
    assert net.pop() is layers[2]
    assert [name for name, _ in net.named_children()] == ["0", "1"]


def test_modules_find_their_parts_by_dotted_names() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    assert net.get_submodule("1") is net[1]
    assert net.get_submodule("") is net
    assert net.get_parameter("0.weight") is net[0].weight
    assert net.get_buffer("1.running_mean") is net[1].running_mean
    for call, words in (
        (lambda: net.get_submodule("1.x"), "no module '1.x'; BatchNorm1d has no 'x'"),
        (lambda: net.get_parameter("1"), "'1' is a BatchNorm1d, not a Parameter"),
        (lambda: net.get_buffer("0.weight"), "no buffer '0.weight'"),
    ):
        with pytest.raises(AttributeError, match=words):
            call()
    net.add_module("last", nn.ReLU())
    assert isinstance(net.last, nn.ReLU)
    with pytest.raises(TypeError, match="must be a Module or None"):
        net.add_module("x", 3)


def test_modules_share_zero_and_convert() -> None:
    layer = nn.Linear(2, 2)
    twice = nn.ModuleList([layer, layer])
    assert len(list(twice.named_parameters())) == 2
    assert len(list(twice.named_parameters(remove_duplicate=False))) == 4
    assert len(list(twice.named_modules(remove_duplicate=False))) == 3
    layer(tn.ones(1, 2)).sum().backward()
    layer.zero_grad(set_to_none=False)
    assert layer.bias.grad.tolist() == [0, 0]
    layer.zero_grad()
    assert layer.bias.grad is None
    assert layer.half().weight.dtype == np.float16
    assert layer.to(tn.ones(1, dtype="float64")).weight.dtype == np.float64


# --- initial weights -----------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 2, 3)])
def test_orthogonal_rows_or_columns(shape: tuple[int, ...]) -> None:
    w = nn.init.orthogonal_(tn.zeros(*shape, dtype="float64"), 2.0).numpy().reshape(shape[0], -1)
    gram = w @ w.T if w.shape[0] < w.shape[1] else w.T @ w
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-12)


def test_truncated_normal_numbers() -> None:
    tn.manual_seed(0)
    x = nn.init.trunc_normal_(tn.zeros(20_000, dtype="float64"), 0.5, 2.0, -1.0, 1.5).numpy()
    assert x.min() >= -1
    assert x.max() <= 1.5
    inside = np.random.default_rng(0).normal(0.5, 2.0, 200_000)
    inside = inside[(inside >= -1) & (inside <= 1.5)]
    assert x.mean() == pytest.approx(inside.mean(), abs=0.02)
    assert x.std() == pytest.approx(inside.std(), abs=0.02)


def test_identity_and_sparse_weights() -> None:
    x = tn.randn(2, 4, 5, 5)
    w = nn.init.dirac_(tn.zeros(4, 4, 3, 3))
    assert np.array_equal(F.conv2d(x, w, padding=1).numpy(), x.numpy())
    assert nn.init.eye_(tn.ones(2, 3)).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert (nn.init.sparse_(tn.ones(10, 6), 0.3).numpy() == 0).sum(0).tolist() == [3] * 6
    assert nn.init.calculate_gain("conv_transpose2d") == 1
    for name, shape in (
        ("eye_", (3,)),
        ("dirac_", (2, 2)),
        ("orthogonal_", (3,)),
        ("sparse_", (3,)),
    ):
        with pytest.raises(ValueError, match=f"{name}: shape"):
            getattr(nn.init, name)(tn.zeros(*shape), *([0.5] if name == "sparse_" else []))
