"""Backward hooks of modules: what they are given, what they may return, of which order they are."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import tinynet as tn
from tinynet import nn
from tinynet.testing import check_grads


class Two(nn.Module):
    """Two outputs of two arguments, and a number."""

    def forward(self, a, b, scale=1.0):
        return a * b * scale, a + b, 3


def row(*numbers, grad=True):
    return tn.tensor(list(numbers), dtype="float64", requires_grad=grad)


def linear(hook=None, pre_hook=None):
    """A layer with weight (2, 3) and without bias."""
    layer = nn.Linear(2, 1, bias=False).double()
    layer.weight.data[...] = [[2.0, 3.0]]
    if hook:
        layer.register_full_backward_hook(hook)
    if pre_hook:
        layer.register_full_backward_pre_hook(pre_hook)
    return layer


def lists(grads):
    return tuple(None if g is None else g.tolist() for g in grads)


def test_what_the_hooks_are_given():
    calls = []
    net = Two()
    net.register_full_backward_hook(lambda m, *g: calls.append((m, *map(lists, g))))
    net.register_full_backward_pre_hook(lambda m, g: calls.append((m, lists(g))))
    a, b, c = row(1.0, 2.0), row(3.0, 4.0), row(5.0, 6.0, grad=False)
    x, y, three = net(a, b)
    assert three == 3
    (x * 2.0 + y).sum().backward()
    ones = ([2.0, 2.0], [1.0, 1.0], None)
    assert calls == [(net, ones), (net, ([7.0, 9.0], [3.0, 5.0]), ones)]
    calls.clear()
    net(a, c, scale=2.0)[0].sum().backward()  # one argument and one output without a gradient
    ones = ([1.0, 1.0], None, None)
    assert calls == [(net, ones), (net, ([10.0, 12.0], None), ones)]
    calls.clear()
    net(c, c)
    with tn.no_grad():
        net(a, b)
    assert calls == []


def test_one_argument_given_twice_has_two_gradients():
    seen = []
    net = Two()
    net.register_full_backward_hook(lambda m, gi, go: seen.append(lists(gi)))
    a = row(1.0, 2.0)
    net(a, a)[0].sum().backward()
    assert seen == [([1.0, 2.0], [1.0, 2.0])]
    assert a.grad.tolist() == [2.0, 4.0]


def test_arguments_without_a_gradient():
    seen = []
    layer = linear(lambda m, gi, go: seen.append((lists(gi), lists(go))))
    layer(row(1.0, 2.0, grad=False)).backward(tn.tensor([5.0]))
    layer(input=row(1.0, 2.0)).backward(tn.tensor([5.0]))  # by keyword: no entry
    assert seen == [((None,), ([5.0],)), ((), ([5.0],))]
    assert layer.weight.grad.tolist() == [[10.0, 20.0]]


@pytest.mark.parametrize("single", [False, True])
def test_what_they_return_takes_the_place(single):
    def answer(g):
        return g if single else (g,)

    layer = linear(lambda m, gi, go: answer(gi[0] + go[0]), lambda m, go: answer(go[0] * 10.0))
    layer.register_full_backward_hook(lambda m, gi, go: answer(gi[0] * 2.0))
    layer.register_full_backward_hook(lambda m, gi, go: answer(gi[0] + 1.0), prepend=True)
    x = row(1.0, 1.0)
    layer(x).sum().backward()
    assert layer.weight.grad.tolist() == [[10.0, 10.0]]
    assert x.grad.tolist() == [62.0, 82.0]  # (10 w + 1 + 10) 2
    layer._backward_hooks.clear()
    layer.register_full_backward_hook(lambda m, gi, go: (None,))
    layer(x).sum().backward()
    assert x.grad.tolist() == [62.0, 82.0]


def test_gradients_of_any_order_pass_through_them():
    net = Two()
    net.register_full_backward_pre_hook(
        lambda m, g: tuple(None if x is None else x * 1.0 for x in g)
    )
    net.register_full_backward_hook(lambda m, gi, go: tuple(g * 1.0 for g in gi))
    rng = np.random.default_rng(0)
    a, b = (tn.tensor(rng.normal(size=(2, 3)), requires_grad=True) for _ in range(2))
    check_grads(lambda a, b: net(a.sin(), b)[0] * net(a, b)[1], [a, b])

    x = row(3.0)
    square = nn.Module()
    square.forward = lambda x: x * x
    square.register_full_backward_hook(lambda m, gi, go: (gi[0] * x,))  # 2 x^2 in place of 2 x
    (g,) = tn.grad(square(x).sum(), x, create_graph=True)
    assert g.item() == 18.0
    # this walk reaches the argument but not the output, so the hook is not called again
    assert tn.grad(g.sum(), x)[0].item() == 12.0


def test_each_walk_and_each_call_has_its_own():
    seen = []
    layer = linear(lambda m, gi, go: seen.append(lists(go)))
    x = row(1.0, 1.0)
    y = layer(x)
    loss = (y * 2.0 + layer(x) * 3.0).sum()  # the later call comes first
    loss.backward(retain_graph=True)
    loss.backward()
    assert seen == [([3.0],), ([2.0],)] * 2
    seen.clear()
    y = layer(x)
    (gw,) = tn.grad(y.sum(), layer.weight, retain_graph=True)
    assert gw.tolist() == [[1.0, 1.0]]
    assert seen == []  # no gradient by an argument was asked for
    tn.grad(y.sum() * 7.0, x)
    assert seen == [([7.0],)]


def test_with_hooks_of_tensors_and_kept_gradients():
    seen = []
    layer = linear(pre_hook=lambda m, go: seen.append(lists(go)))
    x = row(1.0, 1.0)
    y = layer(x)
    y.register_hook(lambda g: g * 4.0)
    y.retain_grad()
    y.sum().backward()
    assert seen == [([4.0],)]
    assert y.grad.tolist() == [4.0]
    assert x.grad.tolist() == [8.0, 12.0]


def test_a_removed_hook_stays_with_the_calls_before():
    seen = []
    layer = linear()
    with layer.register_full_backward_hook(lambda *a: seen.append(1)):
        y = layer(row(1.0, 1.0))
    y.sum().backward()
    layer(row(1.0, 1.0)).sum().backward()
    assert seen == [1]


def test_a_network_has_the_same_gradients_with_hooks_that_only_look():
    tn.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))
    x = tn.randn(2, 1, 4, 4)

    def gradients():
        net.zero_grad()
        nn.functional.cross_entropy(net(x), tn.tensor([0, 2])).backward()
        return [p.grad.tolist() for p in net.parameters()]

    before, names = gradients(), []
    for name, m in net.named_modules():
        m.register_full_backward_hook(lambda m, gi, go, name=name: names.append(name))
    assert gradients() == before
    assert names == ["", "3", "2", "1", "0"]  # the images require no gradient, nor do "" and "0"
    names.clear()
    net(x.requires_grad_()).sum().backward()
    assert names == ["3", "2", "1", "0", ""]
    assert "module_hooks" in str(tn.explain(net(x).sum()))


def test_a_change_in_place_is_noticed_behind_hooks():
    net = Two()
    net.register_full_backward_hook(lambda m, gi, go: None)
    a, b = row(1.0), row(2.0)
    y = net(a, b)[0].sum()
    with tn.no_grad():
        a.add_(1.0)
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


def test_nothing_lives_longer_for_hooks():
    net = linear(lambda m, gi, go: None)
    x = row(1.0, 2.0)
    gc.disable()
    try:
        y = net(x * 1.0)
        reference = weakref.ref(y)
        y.sum().backward()
        del y
        assert reference() is None
    finally:
        gc.enable()


def test_the_two_results_of_a_named_tuple_keep_their_names():
    class Sorting(nn.Module):
        def forward(self, x):
            return tn.sort(x)

    seen = []
    net = Sorting()
    net.register_full_backward_hook(lambda m, gi, go: seen.append((lists(gi), lists(go))))
    y = net(row(2.0, 1.0))
    y.values.backward(tn.tensor([1.0, 5.0]))
    assert seen == [(([5.0, 1.0],), ([1.0, 5.0], None))]


WRONG = [
    (lambda m, gi, go: (gi[0], gi[0]), RuntimeError, "returned 2 gradients for 1 arguments"),
    (lambda m, gi, go: gi[0][:1], ValueError, r"shape \(1,\) for a gradient of shape \(2,\)"),
    (lambda m, gi, go: 3.0, TypeError, "returned a float"),
    (lambda m, gi, go: go, RuntimeError, "argument 0, which has none"),
]


@pytest.mark.parametrize(("hook", "error", "text"), WRONG)
def test_what_they_may_not_return(hook, error, text):
    layer = linear(hook)
    y = layer(row(1.0, 2.0, grad="which has none" not in text)).sum()
    with pytest.raises(error, match=f"^Linear: a full backward hook .*{text}"):
        y.backward()


def test_what_a_pre_hook_may_not_return():
    layer = linear(pre_hook=lambda m, go: go[0][None])
    y = layer(row(1.0, 2.0)).sum()
    with pytest.raises(ValueError, match=r"^Linear: a full backward pre-hook returned shape"):
        y.backward()


# --- options of the forward hooks -----------------------------------------------------------------


def test_forward_hooks_with_keyword_arguments():
    net, seen = Two(), []
    net.register_forward_pre_hook(lambda m, a, kw: (a, {"scale": 10.0}), with_kwargs=True)
    net.register_forward_pre_hook(
        lambda m, a, kw: seen.append(dict(kw)), with_kwargs=True, prepend=True
    )
    net.register_forward_hook(lambda m, a, kw, y: seen.append(kw) or y[0], with_kwargs=True)
    assert net(tn.ones(1), tn.ones(1), scale=2.0).item() == 10.0
    assert seen == [{"scale": 2.0}, {"scale": 10.0}]
    net.register_forward_hook(lambda m, a, y: y + 1.0)
    net.register_forward_hook(lambda m, a, y: y[0] * 2.0, prepend=True)  # of the tuple
    net._forward_hooks.pop(list(net._forward_hooks)[1])
    assert net(tn.ones(1), tn.ones(1)).item() == 21.0
    net.register_forward_pre_hook(lambda m, a, kw: 3, with_kwargs=True)
    with pytest.raises(TypeError, match="Two: a forward pre-hook with_kwargs must return"):
        net(tn.ones(1), tn.ones(1))
