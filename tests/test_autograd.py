"""The engine: the walk back, its depth and memory, several outputs."""

from __future__ import annotations

import functools
import gc
import sys
import weakref

import numpy as np
import pytest

import tinynet as tn
from tinynet.autograd import Op, Watcher
from tinynet.testing import check_grads


def leaf(*numbers, dtype="float64"):
    return tn.tensor(list(numbers) if len(numbers) > 1 else numbers[0], dtype, requires_grad=True)


# --- the walk ------------------------------------------------------------------------------------


def test_a_value_used_twice_gets_both_gradients():
    x = leaf(2.0)
    y = 3 * x
    (2 * y + 5 * y).backward()
    assert x.grad.item() == 21
    x = leaf(2.0)
    (x * x * x).backward()
    assert x.grad.item() == 12
    a = leaf(1.0, 2.0)
    (a + a).backward(tn.tensor([1.0, 10.0], "float64"))
    assert a.grad.tolist() == [2, 20]


def test_a_diamond_waits_for_both_arms():
    """A node passes its gradient on only when it is complete; recursion would pass on a part."""
    x = leaf(0.5)
    shared = x.exp()
    left, right = shared.sin(), shared * shared
    (left * right + shared).backward()
    e = np.exp(0.5)
    expected = e * (np.cos(e) * e**2 + np.sin(e) * 2 * e + 1)
    assert x.grad.item() == pytest.approx(expected, rel=1e-14)


def test_backward_twice():
    x = leaf(3.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()  # intermediate gradients of the first call must not be counted again
    assert x.grad.item() == 12
    with pytest.raises(RuntimeError, match="freed by an earlier backward"):
        y.backward()


def test_gradients_add_up_over_calls():
    x = leaf(1.0, 2.0)
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    assert x.grad.tolist() == [5, 5]
    assert first.tolist() == [2, 2]  # whoever kept the first gradient still has it


def test_leaves_are_added_to_in_the_order_of_the_graph():
    """Not in the order of addresses: second-order sums would differ from run to run."""
    leaves = [tn.tensor(float(i), requires_grad=True) for i in range(99)]
    total = (tn.stack(leaves) ** 2).sum()
    for _ in range(2):
        total.backward(create_graph=True)
    stamps = [leaf.grad.grad_fn.stamp for leaf in leaves]
    assert stamps == sorted(stamps, reverse=True)


def test_a_leaf_is_its_own_graph():
    x = leaf(4.0)
    x.backward()
    assert x.grad.item() == 1


def test_gradients_share_no_memory():
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    seed = tn.tensor([1.0, 1.0], "float64")
    (a + b).backward(seed)
    grads = [a.grad.data, b.grad.data, seed.data]
    assert not any(np.shares_memory(p, q) for p in grads for q in grads if p is not q)
    # views of the cotangent, and a cotangent handed straight to a leaf
    a = leaf(1.0, 2.0)
    a.reshape(2, 1).backward(seed2 := tn.ones(2, 1, dtype="float64"))
    assert not np.shares_memory(a.grad.data, seed2.data)
    a.grad = None
    a.backward(seed)
    assert not np.shares_memory(a.grad.data, seed.data)
    ga, gb = tn.grad(a + b, [a, b], seed)
    assert not np.shares_memory(ga.data, gb.data)


def test_grad_of_several_and_of_intermediate_values():
    x, w = leaf(2.0), leaf(5.0)
    h = x * w
    y, z = h * h, h + x
    gx, gh, gw = tn.grad([y, z], [x, h, w], [leaf(1.0).detach(), tn.tensor(10.0, "float64")])
    assert gh.item() == 2 * 10 + 10
    assert gx.item() == 30 * 5 + 10
    assert gw.item() == 30 * 2
    assert x.grad is None
    assert w.grad is None
    unused = leaf(1.0)
    with pytest.raises(RuntimeError, match="do not depend on input 1"):
        tn.grad(x * x, [x, unused])
    assert tn.grad(x * x, [x, unused], allow_unused=True)[1] is None


def test_grad_computes_only_what_leads_to_its_inputs():
    calls = []

    @Op
    def watched(x):
        return x * 1.0

    @watched.rule("x")
    def watched_gx(gy):
        calls.append(1)
        return gy

    x, y = leaf(1.0), leaf(1.0)
    tn.grad(watched(x) * y, y)
    assert not calls
    tn.grad(watched(x) * y, x)
    assert calls == [1]


def test_no_rule_runs_for_an_input_that_needs_no_gradient():
    x = leaf(-1.0, 2.0)
    exponent = tn.tensor([2.0, 3.0], "float64")
    # the exponent's rule takes the logarithm of the base, which would warn, and warnings raise
    (x**exponent).sum().backward()
    assert x.grad.tolist() == [-2, 12]
    assert (x.detach() ** exponent).grad_fn is None


def test_second_order_and_beyond():
    x = leaf(1.3)
    y = x.sin()
    for expected in (np.cos, lambda t: -np.sin(t), lambda t: -np.cos(t), np.sin):
        (y,) = tn.grad(y, x, create_graph=True)
        assert y.item() == pytest.approx(expected(1.3), rel=1e-13)


def test_backward_with_create_graph_leaves_a_graph_in_grad():
    x = leaf(2.0)
    (x**3).backward(create_graph=True)
    g = x.grad
    assert g.item() == 12
    x.grad = None
    g.backward()
    assert x.grad.item() == 12


def test_rules_see_arrays_at_first_order_and_tensors_at_second():
    seen = []

    @Op
    def double(x):
        return x * 2.0

    @double.rule("x")
    def double_gx(gy, y):
        seen.append((type(gy), type(y)))
        return gy * 2.0

    x = leaf(1.0)
    double(x).backward()
    tn.grad(double(x), x, create_graph=True)
    assert seen == [(np.ndarray, np.ndarray), (tn.Tensor, tn.Tensor)]


def test_only_what_rules_name_is_kept():
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)

    def saved(y):
        return y.grad_fn.saved

    assert saved(x + w) == {}
    constant = w.detach()
    assert saved(x * constant)["b"] is constant
    assert saved(x * constant).keys() == {"b"}
    y = x.exp()
    assert saved(y)["y"]._data is y.data
    assert saved(x.sum()) == {"x_shape": (2,), "dim": None}


def test_inputs_are_given_by_position():
    from tinynet.ops.linalg import linear

    x, b = tn.zeros(2, 3), tn.zeros(4)
    with pytest.raises(TypeError, match="linear: give b by position, not by name"):
        linear(x, tn.zeros(4, 3), b=b)


def test_retain_grad_of_an_intermediate_value():
    x = leaf(3.0)
    h = x * x
    h.retain_grad()
    (h * 2).backward(retain_graph=True)
    assert h.grad.item() == 2
    assert x.grad.item() == 12
    (h * 3).backward(retain_graph=True)  # adds up, as a leaf's does
    assert h.grad.item() == 5
    tn.grad(h * 1, x)
    assert h.grad.item() == 5


def test_retain_grad_of_several_numbers():
    x = leaf(3.0, -1.0)
    h = x * x
    h.retain_grad()
    (h * 2).sum().backward()
    assert h.grad.tolist() == [2.0, 2.0]


# --- depth and memory ----------------------------------------------------------------------------


def test_a_chain_of_50000_operations_goes_back_without_recursion():
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    try:
        x = leaf(1.0)
        y = x
        for _ in range(50_000):
            y = y + 1.0
        y.backward()
        assert x.grad.item() == 1
        del y
    finally:
        sys.setrecursionlimit(limit)


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
def test_a_loss_dies_at_del():
    for after in ("forward", "backward", "create_graph"):
        x = leaf(1.0, 2.0, 3.0)
        loss = (x.exp() * x.sigmoid()).softmax(0).amax()
        dead = weakref.ref(loss)
        node = weakref.ref(loss.grad_fn)
        if after != "forward":
            loss.backward(create_graph=after == "create_graph")
        x.grad = None
        del loss
        assert dead() is None
        assert node() is None


def test_backward_frees_what_was_kept_as_it_goes():
    x = leaf(1.0, 2.0)
    h = x.exp()
    y = h.sin()
    y.sum().backward()
    assert y.grad_fn.edges is None
    assert h.grad_fn.edges is None


# --- several outputs, and many nodes of one input ------------------------------------------------


class Rules(Watcher):
    """The names of the operations whose rules ran."""

    def __init__(self):
        self.ran = []

    def rule(self, node, edge, gy, create_graph):
        self.ran.append(node.op.name)
        return super().rule(node, edge, gy, create_graph)


@pytest.mark.parametrize("rows", [lambda x: [x[t] for t in range(len(x))], list, tn.Tensor.unbind])
def test_rows_taken_one_by_one_have_one_gradient_of_the_whole(rows):
    """A loop over T steps costs O(T) backward, also at second order."""
    x = tn.tensor(np.arange(1.0, 61.0).reshape(20, 3), requires_grad=True)
    h = 0.0
    for row in rows(x):
        h = (row * row + h).sin()
    with Rules() as watcher:
        (g,) = tn.grad(h.sum(), x, create_graph=True)
    assert len([name for name in watcher.ran if name in ("getitem", "unbind")]) == 1
    with Rules() as watcher:
        (gg,) = tn.grad((g * g).sum(), x)
    assert len([name for name in watcher.ran if name in ("getitem", "unbind")]) <= 2
    check_grads(lambda x: functools.reduce(lambda h, r: (r * r + h).sin(), rows(x), 0.0), [x[:4]
                .detach().requires_grad_()])  # fmt: skip
    assert gg.shape == x.shape


def test_slices_that_overlap_add_up():
    x = leaf(1.0, 2.0, 3.0, 4.0)
    y = x[1:3].sum() * 2 + x[2:].sum() * 3 + x[[0, 0, 3]].sum() + x.sum() * 10
    y.backward()
    assert x.grad.tolist() == [12, 12, 15, 14]


def test_outputs_that_are_not_used_count_as_zeros():
    x = tn.tensor(np.arange(6.0).reshape(3, 2), requires_grad=True)
    a, b, c = x.unbind(0)
    assert [t.output_nr for t in (a, b, c)] == [0, 1, 2]
    assert a.grad_fn is b.grad_fn is c.grad_fn
    (b * b).sum().backward(retain_graph=True)
    assert x.grad.tolist() == [[0, 0], [4, 6], [0, 0]]
    for one, want in ((a, 0), (b, 1), (c, 2)):  # outputs as what a gradient is asked for
        (g,) = tn.grad((a * 2 + b * b + c).sum(), one, retain_graph=True)
        assert g.tolist() == [[2, 2], [4, 6], [1, 1]][want]


def test_outputs_keep_their_own_gradients():
    x = leaf(1.0, 2.0, 3.0)
    a, b, unused = outputs = x.split([1, 1, 1])
    for output in outputs:
        output.retain_grad()
    (a.sum() * 2 + (b * b).sum()).backward()
    assert a.grad.tolist() == [2]
    assert b.grad.tolist() == [4]
    assert unused.grad is None
    assert x.grad.tolist() == [2, 4, 0]


def test_positions_have_no_gradient():
    values, positions = leaf(3.0, 1.0, 2.0).topk(2)
    assert values.requires_grad
    assert not positions.requires_grad
    assert positions.tolist() == [0, 2]


def test_an_output_changed_in_place_is_noticed():
    @Op
    def both(x):
        return x * 2.0, x * x

    @both.rule("x")
    def both_gx(gy, y):
        return gy[0] * 2.0 + gy[1] * y[0]

    x = leaf(3.0)
    a, b = both(x)
    (ga,) = tn.grad((a + b).sum(), x, create_graph=True)
    assert ga.item() == 8
    assert tn.grad(ga, x)[0].item() == 2
    c, d = both(x)
    with tn.no_grad():
        c.detach().add_(1.0)
    with pytest.raises(RuntimeError, match=r"`y`.*changed in place"):
        (c + d).sum().backward()


def test_grad_leaves_the_graph_behind_its_inputs():
    """Backward in two stages: only the nodes whose rules ran are freed."""
    x = leaf(1.0, 2.0)
    h = x * x
    (g,) = tn.grad((h * h).sum(), h)
    h.backward(g)
    assert x.grad.tolist() == [4, 32]
    pieces = x.unbind()
    for piece, want in zip(pieces, (2, 4), strict=True):
        (g,) = tn.grad((piece * piece).sum(), piece)
        assert g.item() == want


def test_a_rule_of_several_outputs_may_pass_a_gradient_on():
    @Op
    def pair(x):
        return [x * 1.0, x * 2.0]

    @pair.rule("x")
    def pair_gx(gy):
        return gy[0]

    x, seed = leaf(1.0, 2.0), tn.tensor([3.0, 4.0], "float64")
    pair(x)[0].backward(seed)
    assert x.grad.tolist() == [3, 4]
    assert not np.shares_memory(x.grad.data, seed.data)
