"""summary: its numbers against other formulas, and no side effects."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest

import tinynet as tn
from tinynet import models, nn, random
from tinynet.autograd import Op
from tinynet.functional import relu


def test_lenet_by_counting_products():
    """Every product of the forward, counted by the sizes of kernels, images and matrices."""
    found = tn.summary(models.LeNet(), (1, 28, 28))
    products = {"conv1": 6 * 24 * 24 * 25, "conv2": 16 * 8 * 8 * 150, "fc1": 120 * 256, "fc2": 1200}
    assert {layer.name: layer.multiply_adds for layer in found.layers} == products
    assert found.multiply_adds == sum(products.values()) == 271_920
    parameters = {"conv1": 6 * 25 + 6, "conv2": 16 * 6 * 25 + 16, "fc1": 120 * 257, "fc2": 1210}
    assert {layer.name: layer.parameters for layer in found.layers} == parameters
    assert found.parameters == 34_622
    assert found.parameter_bytes == 4 * 34_622
    shapes = [layer.output_shapes for layer in found.layers]
    assert shapes == [((6, 24, 24),), ((16, 8, 8),), ((120,),), ((10,),)]
    assert found.output_bytes == 4 * (6 * 24 * 24 + 16 * 8 * 8 + 120 + 10)


def test_a_network_of_all_kinds(device):
    model = nn.Sequential(
        nn.Conv2d(4, 6, (3, 2), stride=2, padding=1, groups=2, bias=False, dtype="float64"),
        nn.BatchNorm2d(6, dtype="float64"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Sequential(nn.Flatten(), nn.Dropout(0.5)),
        nn.Linear(6 * 2 * 2, 5, dtype="float64"),
    ).to(device)
    found = tn.summary(model, [4, 8, 7])
    assert [layer.name for layer in found.layers] == ["0", "1", "2", "3", "4.0", "4.1", "5"]
    conv, norm, *_, linear = found.layers
    assert conv.output_shapes == ((6, 4, 4),)
    assert conv.multiply_adds == (6 * 4 * 4) * (4 // 2 * 3 * 2)
    assert conv.parameters == 6 * 2 * 3 * 2
    assert conv.parameter_bytes == 8 * conv.parameters
    assert norm.multiply_adds == 0
    assert norm.parameters == 12
    assert linear.multiply_adds == 24 * 5
    assert found.parameters == sum(p.numel() for p in model.parameters())
    assert found.output_bytes == 8 * (96 + 96 + 96 + 24 + 24 + 24 + 5)


class Odd(nn.Module):
    """Own parameters, a layer used twice, an unused one, two results."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(tn.ones(3))
        self.fc = nn.Linear(3, 3)
        self.unused = nn.Linear(2, 2)

    def forward(self, x):
        y = self.fc(relu(self.fc(x)))
        return {"y": y * self.scale, "more": [x[:, 0], 5]}


class Breaks(Odd):
    def forward(self, x):
        return self.fc(x).reshape(7, 7)


def test_parameters_are_counted_once_and_none_is_forgotten():
    model = Odd()
    found = tn.summary(model, (3,))
    rows = [(r.name, r.parameters, r.multiply_adds, r.output_shapes) for r in found.layers]
    assert rows == [
        ("fc", 12, 9, ((3,),)),
        ("fc", 0, 9, ((3,),)),
        ("", 3, 0, ((3,), ())),
        ("unused", 6, 0, ()),
    ]
    assert found.parameters == sum(p.numel() for p in model.parameters()) == 21
    assert found.multiply_adds == 18
    table = str(found)
    assert "(N, 3) (N)" in table
    assert "not called" in table
    assert "(itself)" in table
    tied = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    tied[1].weight = tied[0].weight
    assert tn.summary(tied, (3,)).parameters == 9 + 3 + 3


class Attention(nn.Module):
    """Products between its layers, without parameters of its own."""

    def __init__(self):
        super().__init__()
        self.q, self.k = nn.Linear(8, 4), nn.Linear(8, 4)

    def forward(self, x):
        return (self.q(x) @ self.k(x).mT).softmax(-1) @ x


class Product(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(tn.ones(3, 5))
        self.helper = [nn.Linear(5, 2)]  # in a list: no module of the model

    def forward(self, x):
        return self.helper[0](x @ self.weight.exp()) * 2


def test_products_count_for_the_module_that_runs_them():
    found = tn.summary(Attention(), (6, 8))
    assert [(r.name, r.parameters, r.multiply_adds) for r in found.layers] == [
        ("q", 36, 6 * 8 * 4), ("k", 36, 6 * 8 * 4), ("", 0, 6 * 4 * 6 + 6 * 6 * 8),
    ]  # fmt: skip
    found = tn.summary(nn.Sequential(Product()), (3,))
    assert [(r.name, r.kind, r.parameters, r.multiply_adds) for r in found.layers] == [
        ("0", "Product", 15, 3 * 5 + 5 * 2)
    ]
    pooled = tn.summary(nn.AdaptiveAvgPool2d((2, 1)), (3, 4, 5))
    assert pooled.multiply_adds == 3 * (2 * 4 * 5 + 2 * 5 * 1)


@Op
def own(x):
    """y = x."""
    return x + 0


class Own(nn.Module):
    def forward(self, x):
        return own(x @ x.T)


def test_an_operation_of_the_users_own_makes_the_count_unknown():
    found = tn.summary(nn.Sequential(nn.Linear(3, 4), Own()), (3,))
    assert [r.multiply_adds for r in found.layers] == [12, None]
    assert found.multiply_adds == 12
    assert "12 + ?" in str(found)


def test_numbers_of_words():
    model = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 2))
    found = tn.summary(model, (7,), dtype="int64")
    assert [r.output_shapes for r in found.layers] == [((7, 4),), ((7, 2),)]
    assert [r.multiply_adds for r in found.layers] == [0, 7 * 4 * 2]


def test_nothing_is_changed():
    tn.manual_seed(5)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    model[1].eval()
    model(tn.randn(6, 3)).sum().backward()
    before, grad = model.state_dict(), model[0].weight.grad.tolist()
    drawn = random.generator().bit_generator.state
    for size, expected in (3, nullcontext()), (5, pytest.raises(ValueError, match="does not fit")):
        with expected:
            tn.summary(model, (size,))
        assert all(np.array_equal(before[k], v) for k, v in model.state_dict().items())
        assert [m.training for m in model.modules()] == [True, True, False, True]
        assert random.generator().bit_generator.state == drawn
        assert model[0].weight.grad.tolist() == grad
        assert tn.is_grad_enabled()
        assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


@pytest.mark.parametrize(
    ("model", "shape", "message"),
    [
        (models.LeNet(), (1, 32, 32), r"\(N, 1, 32, 32\) does not fit at layer 'fc1', Linear"),
        (models.LeNet(), (3, 28, 28), "layer 'conv1'.*3 channels"),
        (nn.Sequential(nn.Flatten(), nn.Sequential(nn.Linear(4, 2))), (5,), "layer '1.0', Linear"),
        (Odd(), (), "at layer 'fc'"),
        (nn.Linear(2, 2), (3,), r"\(N, 3\) does not fit at Linear itself: linear"),
        (Breaks(), (3,), "at Breaks itself, after layer 'fc': .*reshape"),
        (models.LeNet(), (1, 1, 28, 28), "'conv1'.*; input_shape does not include the batch"),
        (nn.Linear(2, 2), (0,), r"input_shape is \(0,\)"),
        (nn.Linear(2, 2), (2.0,), r"input_shape is \(2.0,\)"),
    ],
)
def test_a_shape_that_does_not_fit_names_the_layer(model, shape, message):
    with pytest.raises(ValueError, match=message):
        tn.summary(model, shape)


@pytest.mark.parametrize("given", [tn.ones(4, 2), np.ones((4, 2)), tn.tensor([2]), 2, "2", {2}])
def test_what_is_no_shape(given):
    with pytest.raises((TypeError, ValueError), match=r"input_shape is .*\(1, 28, 28\)$") as caught:
        tn.summary(nn.Linear(2, 2), given)
    assert ("of shape (4, 2)" in str(caught.value)) == (getattr(given, "shape", None) == (4, 2))


def test_layers_in_a_plain_list_are_named():
    class Net(nn.Module):
        def __init__(self, blocks):
            super().__init__()
            self.first = nn.Linear(2, 2)
            self.blocks = blocks
            self.sizes = [1, (2, "a")]
            self.same = [self.first]  # registered as well, under its own name

        def forward(self, x):
            return self.first(x)

    for blocks, kind in (([nn.Linear(2, 2), nn.ReLU()], "list"), ({"a": (nn.ReLU(),)}, "dict")):
        net = nn.Sequential(Net(blocks))
        last = str(tn.summary(net, (2,))).splitlines()[-1]
        count = 2 if kind == "list" else 1
        assert last.startswith(f"not registered: {count} in the {kind} '0.blocks'; parameters()")
        assert "nn.ModuleList" in last
    assert tn.summary(Net(nn.ModuleList([nn.ReLU()])), (2,)).notes == ()
