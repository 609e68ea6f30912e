"""State of modules with PyTorch's options: prefixes, kept tensors, assignment, submodules."""

from __future__ import annotations

import numpy as np
import pytest

import tinynet as tn
from tinynet import nn


def network():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def test_where_a_state_dict_goes():
    net = network()
    state = {"other": 1}
    assert net.state_dict(state, "net.") is state
    assert list(state)[:3] == ["other", "net.0.weight", "net.0.bias"]
    kept = net.state_dict(keep_vars=True)
    assert kept["0.weight"] is net[0].weight
    assert kept["1.running_mean"] is net[1].running_mean


def test_assigned_tensors_take_the_places():
    net, other = network(), network()
    old = net[0].weight
    net[0].bias.requires_grad_(False)
    state = {name: tn.tensor(a).double() for name, a in other.state_dict().items()}
    state["0.weight"] = other[0].weight
    assert net.load_state_dict(state, assign=True) == ([], [])
    assert net[0].weight is other[0].weight
    assert net[0].weight is not old
    assert net[0].bias.dtype == "float64"
    assert isinstance(net[0].bias, nn.Parameter)
    assert not net[0].bias.requires_grad
    assert net[1].running_mean is state["1.running_mean"]
    assert len(list(net.parameters())) == 4
    assert list(net.state_dict()) == list(other.state_dict())
    arrays = other.state_dict()
    del arrays["0.bias"]
    result = net.load_state_dict({**arrays, "x": 1}, strict=False, assign=True)
    assert result == (["0.bias"], ["x"])
    assert net[0].weight.dtype == "float32"


def test_a_shared_parameter_stays_shared():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].weight = net[0].weight
    state = net.state_dict(keep_vars=True)
    state["0.weight"] = state["1.weight"] = np.ones((2, 2), "float32")
    net.load_state_dict(state, assign=True)
    assert net[1].weight is net[0].weight
    assert net[0].weight.sum().item() == 4.0


def test_nothing_is_assigned_if_a_shape_differs():
    net = network()
    old = dict(net.named_parameters())
    with pytest.raises(ValueError, match=r"0.weight \(\(3, 3\) given") as caught:
        net.load_state_dict({**net.state_dict(), "0.weight": np.ones((3, 3))}, assign=True)
    assert "nothing was loaded" in str(caught.value)
    assert all(p is old[name] for name, p in net.named_parameters())


def test_set_submodule():
    net = nn.Sequential(nn.Sequential(nn.Linear(2, 3)), nn.ReLU())
    net.set_submodule("0.0", nn.Linear(2, 5), strict=True)
    assert net(tn.ones(1, 2)).shape == (1, 5)
    net.set_submodule("0.1", nn.Linear(5, 4))
    assert net(tn.ones(1, 2)).shape == (1, 4)
    for target, module in (("0.7", nn.ReLU()), ("x.0", nn.ReLU())):
        with pytest.raises(
            AttributeError, match=f"no module {target if target[0] == '0' else 'x'!r}"
        ):
            net.set_submodule(target, module, strict=target[0] == "0")
    with pytest.raises(
        ValueError, match="set_submodule needs a name and a Module, not '' and a ReLU"
    ):
        net.set_submodule("", nn.ReLU())
    with pytest.raises(ValueError, match="not '0' and a Tensor"):
        net.set_submodule("0", tn.ones(1))


def test_devices_as_pytorch_names_them():
    net = network()
    assert net.to("cpu", non_blocking=True) is net
    assert net.to(tn.device("cpu"), None, True) is net
    assert net.to(tn.device("cpu"), tn.float64, False)[0].weight.dtype == "float64"
    assert net.to(device=tn.device("cpu"), dtype="float32")[0].weight.dtype == "float32"
    with pytest.raises(ValueError, match="'cuda:1' is not known"):
        net.to("cuda:1")
    with pytest.raises(ValueError, match="'cuda:1' is not known"):
        net.cuda("cuda:1")


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Linear(3, 2),
        lambda: nn.Bilinear(3, 2, 4),
        lambda: nn.Conv2d(2, 4, 3, groups=2),
        lambda: nn.ConvTranspose1d(2, 4, 3),
        lambda: nn.Embedding(5, 3, padding_idx=1),
        lambda: nn.EmbeddingBag(5, 3),
        lambda: nn.BatchNorm2d(3),
        lambda: nn.InstanceNorm1d(3, affine=True, track_running_stats=True),
        lambda: nn.LayerNorm(4),
        lambda: nn.LayerNorm(4, bias=False),
        lambda: nn.LayerNorm(4, elementwise_affine=False),
        lambda: nn.GroupNorm(2, 4),
        lambda: nn.RMSNorm(4),
        lambda: nn.PReLU(2, init=0.3),
    ],
)
def test_reset_parameters(make):
    tn.manual_seed(1)
    layer = make()
    expected = layer.state_dict()
    parameters = dict(layer.named_parameters())
    with tn.no_grad():
        for tensor in [*layer.parameters(), *layer.buffers()]:
            tensor.add_(3)
    tn.manual_seed(1)
    layer.reset_parameters()
    found = layer.state_dict()
    assert list(found) == list(expected)
    assert all(np.array_equal(found[name], a) for name, a in expected.items())
    assert all(p is parameters[name] for name, p in layer.named_parameters())
