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


# --- tensors --------------------------------------------------------------------------------------


def square_and_hooks(*hooks):
    """d(sum (2 x)^2)/dx at 1 and 2, with hooks on 2 x; x, y and what the hooks were given."""
    x = tn.tensor([1.0, 2.0], "float64", requires_grad=True)
    y = x * 2.0
    given = []
    for hook in hooks:
        y.register_hook(lambda g, hook=hook: given.append(g.tolist()) or hook(g))
    return x, y, given


def test_a_hook_sees_the_whole_gradient_and_may_replace_it():
    x, y, given = square_and_hooks(lambda g: None, lambda g: g * 10.0, lambda g: g + 1.0)
    y.retain_grad()
    ((y * y).sum() + y.sum()).backward()  # two paths to y: the hook is called with their sum
    assert given == [[5.0, 9.0], [5.0, 9.0], [50.0, 90.0]]
    assert y.grad.tolist() == [51.0, 91.0]
    assert x.grad.tolist() == [102.0, 182.0]


def test_the_hook_of_a_leaf_is_called_before_its_grad_changes():
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    seen = []
    handle = x.register_hook(lambda g: seen.append(x.grad) or g * 3.0)
    x.sum().backward()
    assert seen == [None]
    assert x.grad.tolist() == [3.0, 3.0]
    assert tn.grad((x * x).sum(), x)[0].tolist() == [6.0, 12.0]
    handle.remove()
    handle.remove()
    x.sum().backward()
    assert x.grad.tolist() == [4.0, 4.0]


def test_hooks_of_several_outputs_and_of_targets():
    x = tn.tensor([1.0, 2.0, 3.0], requires_grad=True)
    a, b, c = x.unbind()
    for piece in (a, b, c):
        piece.register_hook(lambda g: g * 2.0)
    (a * b).backward(retain_graph=True)
    assert x.grad.tolist() == [4.0, 2.0, 0.0]
    assert tn.grad(a * b, b)[0].item() == 2.0


def test_a_hook_of_a_recorded_walk_is_differentiated():
    x = tn.tensor([3.0], "float64", requires_grad=True)
    y = x * x
    handle = y.register_hook(lambda g: g * y)
    (g,) = tn.grad(y.sum(), x, create_graph=True)  # y dy/dx = 2 x^3
    assert g.item() == 54.0
    handle.remove()
    assert tn.grad(g.sum(), x)[0].item() == 54.0  # 6 x^2


def test_a_hook_outlives_its_tensor():
    _, y, given = square_and_hooks(lambda g: None)
    loss = y.sum()
    del y
    loss.backward()
    assert given == [[1.0, 1.0]]


@pytest.mark.parametrize(
    ("hook", "error", "text"),
    [
        (lambda g: 1.0, TypeError, "the hook returned a float"),
        (lambda g: g[:1], ValueError, r"\(1,\) for a gradient of shape \(2,\)"),
    ],
)
def test_what_a_hook_may_not_return(hook, error, text):
    _, y, _ = square_and_hooks(hook)
    with pytest.raises(error, match=f"register_hook: .*{text}"):
        y.sum().backward()


def test_what_has_no_gradient_takes_no_hook():
    with pytest.raises(RuntimeError, match="register_hook: the tensor does not require"):
        tn.ones(2).register_hook(print)


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_leaf_of_which_rows_are_taken_runs_its_hook_once(create_graph):
    x = tn.ones(3, requires_grad=True)
    calls = []
    x.register_hook(lambda g: calls.append(g) or g * 2)
    y = x[0] + x[1] * 3
    assert tn.grad(y, x, create_graph=create_graph, retain_graph=True)[0].tolist() == [2, 6, 0]
    y.backward(create_graph=create_graph)
    assert x.grad.tolist() == [2, 6, 0]
    assert len(calls) == 2
