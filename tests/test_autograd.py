"""The engine: order of the walk, accumulation, freeing, second order, guards, anomaly mode."""

from __future__ import annotations

import asyncio
import copy
import functools
import gc
import pickle
import sys
import threading
import weakref

import numpy as np
import pytest

import tinynet as tn
from tinynet.autograd import Op, Watcher
from tinynet.testing import check_grads


def leaf(*numbers, dtype="float64"):
    return tn.tensor(list(numbers) if len(numbers) > 1 else numbers[0], dtype, requires_grad=True)


# --- the walk -----------------------------------------------------------------------------------


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


# --- depth and memory ---------------------------------------------------------------------------


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


# --- several outputs, and many nodes of one input -------------------------------------------------


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


# --- watchers -----------------------------------------------------------------------------------


def test_watchers_nest_and_see_rules_operations_and_modules():
    seen = []

    class Noting(Watcher):
        def __init__(self, name):
            self.name = name

        def operation(self, op, args, options):
            seen.append((self.name, op.name))
            return super().operation(op, args, options)

        def rule(self, node, edge, gy, create_graph):
            seen.append((self.name, f"rule of {node.op.name}"))
            return super().rule(node, edge, gy, create_graph)

        def module(self, module, args, options):
            seen.append((self.name, type(module).__name__))
            return super().module(module, args, options)

    layer, x = tn.nn.Linear(2, 1, bias=False), tn.ones(1, 2)
    with Noting("outer"), Noting("inner"):
        y = layer(x)
        y.backward()
    layer(x)
    names = ["Linear", "linear", "rule of linear"]
    assert seen == [(who, name) for name in names for who in ("inner", "outer")]


def test_what_a_watcher_computes_is_not_watched_by_itself():
    class Doubling(Watcher):
        def operation(self, op, args, options):
            out = super().operation(op, args, options)
            self.seen = (out * 2.0).sum().item()
            return out

    with Doubling() as watcher:
        leaf(1.0, 2.0).exp()
        with pytest.raises(RuntimeError, match="Doubling: already entered"), watcher:
            pass
        leaf(3.0) + 1.0
    assert watcher.seen == 8
    anomaly, off = tn.detect_anomaly(), tn.no_grad()
    with anomaly, anomaly, off, off:
        leaf(1.0) + 1.0
    assert tn.is_grad_enabled()
    with np.errstate(over="ignore"):
        leaf(1e308).exp()


def test_a_watcher_is_gone_after_an_error():
    with pytest.raises(ValueError, match="broadcast"), Rules():
        leaf(1.0, 2.0) + leaf(1.0, 2.0, 3.0)
    with Rules() as watcher:
        leaf(1.0).exp().backward()
    assert watcher.ran == ["exp"]


def test_a_product_enters_few_functions():
    """Python's overhead per operation; measured: 5 forward and 32 backward."""
    a, b, seed = (leaf(1.0, 2.0, dtype="float32") for _ in range(3))
    calls = []

    def count(function):
        calls.clear()
        sys.setprofile(lambda frame, event, arg: event == "call" and calls.append(frame))
        try:
            return function(), len(calls) - 1  # without the function itself
        finally:
            sys.setprofile(None)

    y, forward = count(lambda: a * b)
    _, backward = count(lambda: y.backward(seed))
    assert forward < 6
    assert backward < 33


# --- modes --------------------------------------------------------------------------------------


def test_no_grad_nests_decorates_and_ends_on_errors():
    x = leaf(1.0)
    with tn.no_grad():
        assert not (x * 2).requires_grad
        with tn.enable_grad():
            assert (x * 2).requires_grad
        assert not tn.is_grad_enabled()
    with pytest.raises(KeyError), tn.no_grad():
        raise KeyError
    assert (x * 2).requires_grad

    @tn.no_grad()
    def evaluate(n):
        return evaluate(n - 1) if n else (x * 2).requires_grad

    assert evaluate(2) is False
    with pytest.raises(TypeError, match="batches is a generator"):

        @tn.no_grad()
        def batches():
            yield 1

    assert tn.is_grad_enabled()


def test_other_forms_of_the_switch():
    x = leaf(1.0)

    @tn.no_grad
    def without_brackets():
        return (x * 2).requires_grad

    assert without_brackets() is False
    with tn.inference_mode():
        assert not tn.is_grad_enabled()
        with tn.inference_mode(False):
            assert tn.is_grad_enabled()
    with tn.set_grad_enabled(False):
        assert not tn.is_grad_enabled()
        tn.set_grad_enabled(True)
        assert tn.is_grad_enabled()
    assert tn.is_grad_enabled()
    decorated = tn.set_grad_enabled(False)(lambda: tn.is_grad_enabled())
    assert tn.is_grad_enabled()
    assert decorated() is False
    tn.set_grad_enabled(False)
    assert not tn.is_grad_enabled()
    tn.set_grad_enabled(True)


def test_modes_belong_to_an_asyncio_task():
    seen = []

    async def task(first, second):
        with tn.no_grad():
            await first.wait()
            seen.append(tn.is_grad_enabled())
        second.set()
        seen.append(tn.is_grad_enabled())

    async def main():
        a, b, c = (asyncio.Event() for _ in range(3))
        tasks = [asyncio.create_task(task(a, b)), asyncio.create_task(task(b, c))]
        await asyncio.sleep(0)
        seen.append(tn.is_grad_enabled())
        a.set()
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert seen == [True, False, True, False, True]


def test_modes_belong_to_a_thread():
    results = []
    with tn.no_grad():
        thread = threading.Thread(target=lambda: results.append(tn.is_grad_enabled()))
        thread.start()
        thread.join()
    assert results == [True]


# --- errors -------------------------------------------------------------------------------------


def test_backward_needs_a_number_or_a_gradient():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"backward: the output has shape \(2,\).*\.sum\(\)"):
        (x * 2).backward()
    with pytest.raises(ValueError, match=r"gradient has shape \(3,\), but the output has \(2,\)"):
        (x * 2).backward(tn.ones(3, dtype="float64"))
    with pytest.raises(ValueError, match="gradient has shape float"):
        (x * 2).backward(1.0)


def test_backward_without_a_graph_says_why():
    with pytest.raises(RuntimeError, match="does not require a gradient: none of its inputs"):
        tn.tensor(1.0).backward()
    with pytest.raises(RuntimeError, match="input 0 does not require a gradient"):
        tn.grad(leaf(1.0) * 2, tn.tensor(1.0))
    with pytest.raises(ValueError, match="2 grad_outputs for 1 outputs"):
        tn.grad(leaf(1.0) * 2, leaf(1.0), [None, None])


CHANGES = {
    "data +=": lambda x: setattr(x, "data", x.data + 1),
    "data[...]": lambda x: x.detach().__setitem__(0, 9.0),
    "add_": lambda x: x.add_(1.0),
    "a Parameter of the same memory": lambda x: tn.nn.Parameter(x).add_(1.0),
    "mul_ of a detached view": lambda x: x.detach().mul_(2.0),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_what_was_kept_must_not_change_before_backward(change):
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    with tn.no_grad():
        change(x)
    with pytest.raises(RuntimeError, match=r"`[ab]` .*mul, was changed in place"):
        y.backward()


def test_a_kept_output_must_not_change_either():
    x = leaf(1.0, 2.0)
    y = x.exp()
    y.data = y.data + 1
    with pytest.raises(RuntimeError, match=r"`y` .*exp, was changed in place"):
        y.sum().backward()
    # a change of what no rule needs is nobody's business
    z = x + 1
    z.data = z.data + 1
    z.sum().backward()
    assert x.grad.tolist() == [1, 1]


def test_assignment_to_a_tracked_tensor_names_the_alternative():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"item assignment.*tinynet\.where"):
        x[0] = 5.0
    y = x * 2
    with pytest.raises(RuntimeError, match="item assignment"), tn.no_grad():
        y[0] = 5.0
    with tn.no_grad():
        x[0] = 5.0
    assert x.tolist() == [5, 2]


def test_integers_have_no_gradient():
    for data in ([1, 2], [True]):
        with pytest.raises(TypeError, match="has no gradient"):
            tn.tensor(data, requires_grad=True)
    x = leaf(1.0, 2.0)
    assert not (x > 1).requires_grad
    assert not x.argmax().requires_grad


def test_copies_leave_the_graph_behind():
    x = leaf(1.0, 2.0)
    y = x
    for _ in range(20_000):
        y = y + 1.0
    restored = pickle.loads(pickle.dumps(y))
    assert restored.grad_fn is None
    assert restored.tolist() == y.tolist()
    with pytest.raises(RuntimeError, match="deepcopy"):
        copy.deepcopy(y)
    twin = copy.deepcopy(x)
    assert twin.requires_grad
    assert not np.shares_memory(twin.data, x.data)


# --- anomaly mode -------------------------------------------------------------------------------


def test_anomaly_mode_names_the_operation_the_shapes_and_the_line():
    x = leaf(-1.0, 4.0)
    with (
        np.errstate(invalid="ignore"),
        tn.detect_anomaly(),
        pytest.raises(tn.AnomalyError, match=r"sqrt made NaN from .*\(2,\).*finite.*x\.sqrt\(\)"),
    ):
        x.sqrt()
    x = leaf(0.0, 4.0)
    with np.errstate(divide="ignore"), tn.detect_anomaly():
        y = x.sqrt()  # the line to be named
        with pytest.raises(
            tn.AnomalyError,
            match=r"backward of sqrt made Inf for input 0 of shape \(2,\).*the line to be named",
        ):
            y.sum().backward()
    assert tn.tensor([np.inf]).exp().isnan().any().item() is False  # off again


def test_anomaly_mode_lets_masks_of_infinity_pass():
    x = tn.tensor([1.0, 2.0])
    with tn.detect_anomaly():
        masked = tn.where(x > 1, x, -np.inf)
        assert masked.softmax(0).tolist() == [0, 1]


def test_anomaly_mode_tells_what_was_made_from_what_was_given():
    x = tn.tensor([np.nan, 1.0])
    with tn.detect_anomaly(), pytest.raises(tn.AnomalyError, match="already in an input"):
        x * 2


def test_anomaly_mode_names_the_line_if_the_first_output_has_no_gradient():
    @Op
    def count_and_log(x):
        return np.zeros(x.shape, "int64"), np.log(x)

    @count_and_log.rule("x")
    def count_and_log_gx(gy, x):
        return gy[1] / x * np.inf

    x = leaf(1.0)
    with tn.detect_anomaly():
        _, y = count_and_log(x)
        with pytest.raises(tn.AnomalyError, match=r"called at .*_, y = count_and_log\(x\)"):
            y.sum().backward()
