"""Lazy layers: what they become, and when."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import tinynet as tn
from tinynet import nn, optim

CASES = [
    ("Linear", (4,), {"bias": False}, [(3, 5), (2, 3, 5)], 5),
    ("Conv1d", (4, 3), {"groups": 2}, [(2, 6, 7), (6, 7)], 6),
    ("Conv2d", (4, 3, 2), {"padding": 1}, [(1, 2, 5, 4), (2, 5, 4)], 2),
    ("Conv3d", (2, 2), {}, [(1, 3, 3, 2, 2)], 3),
    ("ConvTranspose1d", (4, 3), {"groups": 2}, [(2, 6, 7)], 6),
    ("ConvTranspose2d", (4, 3), {"output_padding": 1, "stride": 2}, [(1, 2, 3, 3)], 2),
    ("ConvTranspose3d", (2, 2), {}, [(1, 3, 2, 2, 2)], 3),
    ("BatchNorm1d", (), {}, [(4, 3), (4, 3, 2)], 3),
    ("BatchNorm2d", (1e-3,), {"momentum": None}, [(4, 3, 2, 2)], 3),
    ("BatchNorm3d", (), {"affine": False}, [(4, 3, 2, 2, 2)], 3),
    ("InstanceNorm1d", (), {"affine": True}, [(4, 3, 5), (3, 5)], 3),
    ("InstanceNorm2d", (), {"track_running_stats": True}, [(4, 3, 5, 2)], 3),
    ("InstanceNorm3d", (), {}, [(4, 3, 2, 2, 2)], 3),
]


@pytest.mark.parametrize(("name", "args", "options", "shapes", "size"), CASES)
def test_what_they_become(name, args, options, shapes, size):
    for shape in shapes:
        tn.manual_seed(3)
        lazy = getattr(nn, f"Lazy{name}")(*args, **options)
        waiting = dict(lazy.named_parameters())
        assert all(p.numel() == 0 for p in waiting.values())
        assert repr(lazy).startswith(f"Lazy{name}(")
        x = tn.linspace(-1.0, 2.0, int(np.prod(shape))).reshape(shape)
        y = lazy(x)
        tn.manual_seed(3)
        layer = getattr(nn, name)(size, *args, **options)
        assert type(lazy) is getattr(nn, name)
        assert repr(lazy) == repr(layer)
        assert dict(lazy.named_parameters()).keys() == waiting.keys()
        assert all(p is waiting[n] for n, p in lazy.named_parameters())
        np.testing.assert_array_equal(y.detach().numpy(), layer(x).detach().numpy())
        state = layer.state_dict()
        assert all(np.array_equal(a, state[n]) for n, a in lazy.state_dict().items())


def network():
    return nn.Sequential(
        nn.LazyConv2d(3, 2), nn.LazyBatchNorm2d(), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2)
    )


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
def test_an_optimizer_made_before_the_first_input(make):
    x = tn.linspace(-1.0, 2.0, 64).reshape(4, 1, 4, 4)
    results = []
    for early in (True, False):
        tn.manual_seed(0)
        net = network()
        optimizer = make(net.parameters(), lr=0.1) if early else None
        with tn.no_grad():
            net(x)
        optimizer = optimizer or make(net.parameters(), lr=0.1)
        for _ in range(2):
            optimizer.zero_grad()
            net(x).square().sum().backward()
            optimizer.step()
        results.append([p.tolist() for p in net.parameters()])
    assert results[0] == results[1]


def test_modes_dtypes_hooks_and_copies_before_the_first_input():
    net = network().double().eval()
    seen = []
    net[0].register_forward_hook(lambda m, args, y: seen.append(type(m).__name__))
    again = copy.deepcopy(net)
    x = tn.ones(1, 1, 4, 4, dtype="float64")
    assert net(x).dtype == "float64"
    net(x)
    assert seen == ["Conv2d", "Conv2d"]
    assert not net[1].training
    assert type(again[4]) is nn.LazyLinear
    again.load_state_dict({}, strict=False)
    with pytest.raises(ValueError, match=r"the module has \(0,\)"):
        again.load_state_dict(net.state_dict())
    again(x)
    again.load_state_dict(net.state_dict())
    assert again(x).tolist() == net(x).tolist()
    with pytest.raises(ValueError, match=r"LazyConv2d: input has shape \(2, 2\)"):
        network()(tn.ones(2, 2))
    with pytest.raises(ValueError, match="out_features is 0"):
        nn.LazyLinear(0)


def test_the_state_of_a_lazy_layer_of_pytorch():
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match=r"^LazyLinear.load_state_dict: 'weight' has no shape"):
        nn.LazyLinear(3).load_state_dict(torch.nn.LazyLinear(3).state_dict())
