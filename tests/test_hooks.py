"""Forward hooks: called in order, may change inputs and outputs, and can be removed."""

from __future__ import annotations

import copy

import pytest

import tinynet as tn
from tinynet import nn


class Double(nn.Module):
    def forward(self, x, bias=0.0):
        return x * 2.0 + bias


def test_order_and_arguments():
    calls: list[tuple] = []
    layer = Double()
    layer.register_forward_pre_hook(lambda *a: calls.append(("before", *a)))
    layer.register_forward_hook(lambda *a: calls.append(("after", *a)))
    layer.register_forward_hook(lambda *a: calls.append(("last",)))
    x = tn.tensor([1.0])
    y = layer(x, bias=1.0)
    assert y.item() == 3.0
    assert [c[0] for c in calls] == ["before", "after", "last"]
    assert calls[0][1] is layer
    assert calls[0][2][0] is x  # the tuple of positional arguments, without the keyword's
    assert len(calls[0][2]) == 1
    assert calls[1][3] is y
    layer.forward(x)
    assert len(calls) == 3


@pytest.mark.parametrize("as_tuple", [False, True])
def test_what_a_hook_returns_takes_the_place(as_tuple):
    layer = Double()
    layer.register_forward_pre_hook(lambda m, args: (args[0] + 1,) if as_tuple else args[0] + 1)
    layer.register_forward_hook(lambda m, args, y: y * 10)
    layer.register_forward_hook(lambda m, args, y: y + args[0])
    assert layer(tn.tensor([1.0])).item() == 42.0


def test_handles():
    layer, calls = Double(), []

    def hook(*args):
        calls.append(args)

    first = layer.register_forward_hook(hook)
    first.remove()
    again = layer.register_forward_hook(hook)
    first.remove()  # a second time: the other registration of the same function stays
    layer(tn.ones(1))
    assert len(calls) == 1
    again.remove()
    with layer.register_forward_hook(hook), layer.register_forward_pre_hook(hook):
        layer(tn.ones(1))
    layer(tn.ones(1))
    assert len(calls) == 3


def test_a_hook_may_take_itself_off():
    layer, calls = Double(), []

    def once(*args):
        calls.append(args)
        handle.remove()

    handle = layer.register_forward_hook(once)
    layer(layer(tn.ones(1)))
    assert len(calls) == 1


def test_in_a_network_and_in_its_copy():
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    seen: list[tuple] = []
    handle = net[1].register_forward_hook(lambda m, args, y: seen.append(y.shape))
    copied = copy.deepcopy(net)
    net(tn.ones(5, 3))
    copied(tn.ones(6, 3))  # a copy has the hooks too
    assert seen == [(5, 4), (6, 4)]
    handle.remove()
    net(tn.ones(5, 3))
    copied(tn.ones(6, 3))  # and keeps its own
    assert seen == [(5, 4), (6, 4), (6, 4)]
    assert list(net.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert "hook" not in repr(net)
