"""Module: what it registers, saves, loads, moves and shows."""

from __future__ import annotations

import copy
import pickle
from types import SimpleNamespace

import cupy_standin
import numpy as np
import pytest

import tinynet as tn
from tinynet import backend, nn, optim


class Net(nn.Module):
    """A bit of everything: layers, a parameter, buffers of both kinds, a tensor of no kind."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(tn.ones(3))
        self.plain = tn.zeros(2)
        self.norm = nn.BatchNorm1d(4)
        self.register_buffer("seen", tn.zeros(2))
        self.register_buffer("scratch", tn.zeros(5), persistent=False)
        self.body = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 3))

    def forward(self, x):
        return self.body(self.norm(x)) * self.scale


NAMES = [
    "scale", "seen", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var",
    "norm.num_batches_tracked", "body.0.weight", "body.0.bias", "body.3.weight", "body.3.bias",
]  # fmt: skip


def test_registers_by_type(default_device):
    net = Net()
    assert list(net.state_dict()) == NAMES
    learnt = [name for name, _ in net.named_parameters()]
    assert learnt == [n for n in NAMES if "running" not in n and "num" not in n and n != "seen"]
    assert [name for name, _ in net.named_buffers()] == [
        "seen", "scratch", "norm.running_mean", "norm.running_var", "norm.num_batches_tracked",
    ]  # fmt: skip
    assert [name for name, _ in net.named_modules()] == [
        "", "norm", "body", "body.0", "body.1", "body.2", "body.3",
    ]  # fmt: skip
    assert [name for name, _ in net.named_children()] == ["norm", "body"]
    assert len(list(net.children())) == 2
    assert all(p.requires_grad and p.is_leaf for p in net.parameters())
    assert all(p.device == default_device for p in net.parameters())
    assert [name for name, _ in net.named_parameters(prefix="net", recurse=False)] == ["net.scale"]
    assert {name for name, _ in net.body[0].named_parameters("a")} == {"a.weight", "a.bias"}


def test_parameter_is_a_leaf_and_what_comes_of_it_a_tensor():
    p = nn.Parameter([1.0, 2.0])
    assert p.requires_grad
    assert p.is_leaf
    assert type(p * 2) is tn.Tensor
    assert type(p.detach()) is tn.Tensor
    assert "Parameter containing" in repr(p)
    with pytest.raises(TypeError, match="gradient"):
        nn.Parameter([1, 2])
    assert not nn.Parameter([1, 2], requires_grad=False).requires_grad


def test_tied_weights_come_once_and_are_saved_twice():
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    net[1].weight = net[0].weight
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    assert list(net.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert len(optim.SGD(net.parameters(), lr=0.1).param_groups[0]["params"]) == 3
    shared = nn.Linear(2, 2)
    twice = nn.Sequential(shared, nn.ReLU(), shared)
    assert len(list(twice.modules())) == 3
    assert len(list(twice.children())) == 2
    copied = copy.deepcopy(twice)
    assert copied[0] is copied[2]
    assert copied[0] is not shared
    assert copied[0].weight is copied[2].weight


def test_assignment():
    net = Net()
    for change, error, words in (
        (lambda: setattr(net, "scale", tn.zeros(3)), TypeError, "is a parameter.*not by a Tensor"),
        (lambda: setattr(net, "body", len), TypeError, "'body' is a module"),
        (lambda: setattr(net, "seen", 3), TypeError, "'seen' is a tensor"),
        (lambda: setattr(net, "a.b", nn.ReLU()), ValueError, "dot"),
        (lambda: setattr(net, "forward", nn.ReLU()), AttributeError, "'forward' is the name of"),
        (lambda: setattr(net, "float", nn.ReLU()), AttributeError, "'float' is the name of"),
        (lambda: net.register_buffer("forward", tn.zeros(1)), ValueError, "hide"),
        (lambda: net.register_buffer("x", np.zeros(2)), TypeError, "buffer 'x' must be a Tensor"),
        (lambda: net.register_parameter("x", tn.zeros(2)), TypeError, "must be a Parameter"),
    ):
        with pytest.raises(error, match=words):
            change()
    net.seen = tn.ones(2)
    assert net.state_dict()["seen"].tolist() == [1, 1]
    net.register_parameter("scale", None)
    assert "scale" not in net.state_dict()
    del net.seen
    net.seen = tn.ones(2)  # deleted, it is a buffer no more
    assert "seen" not in net.state_dict()
    net.seen = nn.Parameter(tn.ones(2))
    assert "seen" in dict(net.named_parameters())


def test_missing_attributes_and_init_are_explained():
    with pytest.raises(AttributeError, match=r"Net has no attribute 'fc'; it has .*body"):
        _ = Net().fc
    assert not hasattr(Net(), "fc")

    class Forgot(nn.Module):
        def __init__(self, value) -> None:
            self.value = value

    for use in (
        lambda: Forgot(nn.Linear(2, 2)),
        lambda: list(Forgot(3).parameters()),
        lambda: Forgot(3)(1),
    ):
        with pytest.raises(AttributeError, match=r"Forgot: call super\(\).__init__\(\)"):
            use()
    with pytest.raises(NotImplementedError, match="Module must define forward"):
        nn.Module()(1)

    class WithProperty(nn.Module):
        value = property(lambda self: self.kept, lambda self, v: setattr(self, "kept", v))

    module = WithProperty()
    module.value = 4
    assert (module.kept, module.value) == (4, 4)


def test_state_dict_round_trip(default_device):
    a, b = Net(), Net()
    a(tn.randn(5, 4))
    state = a.state_dict()
    assert all(type(v) is np.ndarray and v.flags.c_contiguous for v in state.values())
    before = list(b.parameters())
    assert b.load_state_dict(state) == ([], [])
    assert all(p is q for p, q in zip(before, b.parameters(), strict=True))
    for name, value in b.state_dict().items():
        assert np.array_equal(value, state[name])
        assert value.dtype == state[name].dtype
    assert state["norm.num_batches_tracked"].dtype == np.int64
    assert state["norm.num_batches_tracked"] == 1
    state["scale"][:] = 9  # a copy: neither module changes
    assert a.state_dict()["scale"].tolist() == b.state_dict()["scale"].tolist() == [1, 1, 1]
    b.load_state_dict({name: tn.tensor(value) for name, value in state.items()})
    assert b.scale.device == default_device
    assert b.scale.tolist() == [9, 9, 9]


def test_load_keeps_dtype_and_takes_foreign_tensors(default_device):
    # as other libraries' tensors: an array only after detach and cpu
    on_host = SimpleNamespace(numpy=lambda: np.arange(6.0).reshape(2, 3))
    foreign = SimpleNamespace(detach=lambda: SimpleNamespace(cpu=lambda: on_host))

    class HasArray:
        def __array__(self, dtype=None, copy=None):
            return np.arange(6.0).reshape(2, 3) / 7

    net = nn.Linear(3, 2)
    net.load_state_dict({"weight": foreign, "bias": [1, 2]})
    assert net.weight.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert net.weight.dtype == net.bias.dtype == np.float32
    assert net.weight.device == default_device
    net.double().load_state_dict({"weight": HasArray(), "bias": np.zeros(2, "float32")})
    assert net.weight.dtype == net.bias.dtype == np.float64
    assert np.array_equal(net.state_dict()["weight"], np.arange(6.0).reshape(2, 3) / 7)
    with pytest.raises(TypeError, match="'bias' cannot be converted"):
        net.load_state_dict({"weight": HasArray(), "bias": "text"})


def test_load_names_all_that_does_not_fit_and_loads_nothing(default_device):
    net = Net()
    state = net.state_dict()
    state["extra"] = np.zeros(1)
    state["body.0.weight"] = np.zeros((4, 5))
    state["seen"] = np.full(2, 7.0)
    del state["scale"], state["norm.bias"]
    with pytest.raises(ValueError, match="nothing was loaded") as caught:
        net.load_state_dict(state)
    for text in ("2 missing: scale, norm.bias", "1 unexpected: extra", "body.0.weight ((4, 5) giv"):
        assert text in str(caught.value)
    assert "(4, 4)" in str(caught.value)
    with pytest.raises(ValueError, match="of another shape"):
        net.load_state_dict(state, strict=False)
    assert net.seen.tolist() == [0, 0]
    del state["body.0.weight"]
    missing, unexpected = net.load_state_dict(state, strict=False)
    assert missing == ["scale", "norm.bias", "body.0.weight"]
    assert unexpected == ["extra"]
    assert net.seen.tolist() == [7, 7]
    with pytest.raises(TypeError, match="must be a dict"):
        net.load_state_dict(3)


def test_loading_counts_as_a_change_in_place():
    net = nn.Linear(2, 2)
    x = tn.ones(1, 2, requires_grad=True)
    y = net(x).sum()
    net.load_state_dict(net.state_dict())
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


def test_modes_reach_everything_and_come_back():
    net = Net()
    assert net.train() is net
    assert all(m.training for m in net.modules())
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    x = tn.randn(6, 4)
    assert np.array_equal(net(x).tolist(), net(x).tolist())
    assert net.norm.num_batches_tracked.item() == 0
    net.train()
    assert net.body[2].p == 0.5
    assert all(m.training for m in net.modules())
    assert not np.array_equal(net(x).tolist(), net(x).tolist())
    assert net.norm.num_batches_tracked.item() == 2
    with pytest.raises(TypeError, match="mode"):
        net.train("yes")


def test_to_keeps_parameters_and_moves_gradients(monkeypatch):
    monkeypatch.setitem(backend.devices._settings, "cuda works", False)
    cupy_standin.install(monkeypatch)
    net = Net()
    net(tn.randn(5, 4)).sum().backward()
    before, state = list(net.parameters()), net.state_dict()
    grads = [p.grad.numpy() for p in before]
    assert net.cuda() is net
    assert all(p is q for p, q in zip(before, net.parameters(), strict=True))
    assert {p.device for p in [*net.parameters(), *net.buffers()]} == {"cuda"}
    for p, g in zip(before, grads, strict=True):
        assert p.grad.device == "cuda"
        assert np.array_equal(p.grad.numpy(), g)
    for name, value in net.state_dict().items():
        assert type(value) is np.ndarray
        assert np.array_equal(value, state[name])
    net(tn.randn(5, 4).cuda())
    net.cpu().double()
    assert {p.dtype.name for p in net.parameters()} == {"float64"}
    assert {p.grad.dtype.name for p in net.parameters()} == {"float64"}
    assert net.norm.running_mean.dtype == np.float64
    assert net.norm.num_batches_tracked.dtype == np.int64
    net.to("cuda", "float32")
    assert (net.scale.device, net.scale.dtype) == ("cuda", np.float32)
    net.to(device="cpu", dtype=tn.float64)
    assert (net.scale.device, net.scale.dtype) == ("cpu", np.float64)
    assert net.float().scale.dtype == np.float32
    with pytest.raises(TypeError, match="must be a float type"):
        net.to("int64")


def test_zero_grad_requires_grad_and_apply():
    net = Net()
    net(tn.randn(5, 4)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net.body.requires_grad_(False)
    net(tn.randn(5, 4)).sum().backward()
    assert [n for n, p in net.named_parameters() if p.grad is not None] == [
        "scale", "norm.weight", "norm.bias",
    ]  # fmt: skip
    visited = []
    assert net.apply(visited.append) is net
    assert visited[-1] is net
    assert [type(m).__name__ for m in visited[:2]] == ["BatchNorm1d", "Linear"]


def test_copy_and_pickle():
    net = Net()
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert list(other.state_dict()) == NAMES
        assert all(type(p) is nn.Parameter for p in other.parameters())
        other.scale.data = other.scale.data + 1
        assert net.scale.tolist() == [1, 1, 1]


def test_repr_is_nested():
    net = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU(), nn.Conv2d(1, 2, 3, padding=1)))
    assert repr(net) == (
        "Sequential(\n"
        "  (0): Linear(in_features=2, out_features=3, bias=True)\n"
        "  (1): Sequential(\n"
        "    (0): ReLU()\n"
        "    (1): Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))\n"
        "  )\n"
        ")"
    )

    class Scaled(nn.Sequential):
        def extra_repr(self) -> str:
            return "scale=2"

    assert repr(Scaled({"act": nn.Tanh()})) == "Scaled(\n  scale=2\n  (act): Tanh()\n)"


def test_sequential():
    a, b, c = nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)
    net = nn.Sequential(a, b).append(c)
    assert len(net) == 3
    assert list(net) == [a, b, c]
    assert net[0] is a
    assert net[-1] is c
    assert list(net[1:]) == [b, c]
    assert list(net[1:].state_dict()) == ["2.weight", "2.bias"]
    assert list(net[1:].append(nn.Tanh()))[:2] == [b, c]
    assert net(tn.zeros(5, 2)).shape == (5, 1)
    net[1] = nn.Tanh()
    assert isinstance(list(net)[1], nn.Tanh)
    named = nn.Sequential({"first": a, "second": b})
    assert list(named.state_dict()) == ["first.weight", "first.bias"]
    assert named.first is named[0] is a
    with pytest.raises(IndexError, match="index 3 is out of range for 3"):
        net[3]
    with pytest.raises(TypeError, match="item 1 is a function"):
        nn.Sequential(a, lambda x: x)
    with pytest.raises(TypeError, match="item f is a int"):
        nn.Sequential({"f": 3})
    x = tn.ones(2)
    assert nn.Sequential()(x) is x


def test_module_list():
    layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(2)]).append(nn.ReLU())
    with pytest.raises(TypeError, match="item 2 is a NoneType; it must be a Module"):
        layers[2] = None
    layers.extend([nn.Linear(2, 1)])
    assert len(layers) == 4
    assert isinstance(layers[2], nn.ReLU)
    assert len(layers[1:3]) == 2
    assert len(list(layers.parameters())) == 6
    assert list(layers.state_dict())[-1] == "3.bias"
