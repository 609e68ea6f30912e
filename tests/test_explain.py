"""The tape as text: names, shapes, values, gradients and costs are those of the computation."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest
from html_tree import Reader
from hypothesis import given, settings
from test_public_names import CASES

import tinynet as tn
from tinynet import models, nn, ops
from tinynet.functional import cross_entropy, mse_loss
from tinynet.graph.cost import FORMULAS, MOVES, Cost, cost
from tinynet.graph.explain import NOTE, UNKNOWN, norm
from tinynet.graph.trace import trace
from tinynet.graph.watch import Tape
from tinynet.testing.strategies import networks

LABELS = tn.tensor([1, 2])


@pytest.fixture
def lenet():
    tn.manual_seed(0)
    model, x = models.LeNet(), tn.rand(2, 1, 28, 28)
    return model, x, lambda: cross_entropy(model(x), LABELS)


def rows(explanation):
    return {row[0].partition(" =")[0]: row for row in explanation.rows()}


def test_a_line_for_each_step_with_all_that_was_asked_for():
    x = tn.tensor([3.0, 4.0], requires_grad=True)
    w = nn.Parameter(tn.tensor([[1.0, 2.0], [0.0, 1.0]]))
    explanation = tn.explain(lambda: (w @ x.reshape(2, 1)).relu().sum(), names={"x": x, "w": w})
    assert rows(explanation) == {
        "w": ("w", "(2, 2)", "float32", "2.449", "7.071", "", "parameter"),
        "x": ("x", "(2,)", "float32", "5", "3.162", "", "input"),
        "t1": ("t1 = reshape(x)", "(2, 1)", "float32", "5", "3.162", "0",
               "y = x in another shape, with the entries in C order; one size may be -1 and is "
               "inferred."),
        "t2": ("t2 = matmul(w, t1)", "(2, 1)", "float32", "11.7", "1.414", "4",
               "y_ij = sum_k a_ik b_kj, for each matrix of a batch."),
        "t3": ("t3 = relu(t2)", "(2, 1)", "float32", "11.7", "1.414", "2", "y = max(x, 0)."),
        "t4": ("t4 = sum(t3)", "()", "float32", "15", "1", "2",
               "y = sum of x_i over the axes `dim` (all of them for None)."),
    }  # fmt: skip
    lines = str(explanation).splitlines()
    assert len(lines) == 1 + 6 + 2
    assert lines[-1] == (
        "4 tensor operations, 4 parameters, 8 arithmetic operations forward: 4 multiply-adds and "
        "4 elementwise ones"
    )
    assert repr(explanation) == str(explanation)


def test_lenet_from_the_loss_alone_and_from_the_function(lenet):
    model, x, f = lenet
    kept, seen = tn.explain(f(), model, {"x": x}), tn.explain(f, names={"x": x})
    assert NOTE in str(kept)
    assert NOTE not in str(seen)
    assert UNKNOWN in rows(kept)["t1"][3]
    assert rows(seen)["t1"][0] == "t1 = conv2d(x, conv1.weight, conv1.bias)"
    assert sorted(rows(kept)) == sorted(rows(seen))
    for name, row in rows(kept).items():
        for one, other in zip(row, rows(seen)[name], strict=True):
            assert one in (other, UNKNOWN)
    assert "34,622 parameters" in seen.summary()
    f().backward()
    for name, p in model.named_parameters():
        assert rows(seen)[name][4] == f"{norm(p.grad.data):.4g}"


def test_nothing_is_changed_and_nothing_is_freed(lenet):
    model, _, f = lenet
    loss = f()
    tn.explain(loss, model)
    tn.explain(f)
    assert all(p.grad is None for p in model.parameters())
    loss.backward()
    kept = [p.grad.numpy().copy() for p in model.parameters()]
    with tn.no_grad(), pytest.raises(RuntimeError, match="has no graph"):
        tn.explain(f)
    tn.explain(f)
    assert all((p.grad.numpy() == g).all() for p, g in zip(model.parameters(), kept, strict=True))


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_public_function_can_be_explained(name):
    """Observed while it runs: every step has its value, inputs and cost; gradients equal grad's."""
    function, arrays = CASES[name]
    leaves = [tn.tensor(a, requires_grad=True) for a in arrays]
    graph = trace(lambda: (function(*leaves) * 1.5).sum())
    last = graph.steps[graph.output]
    expected = tn.grad((function(*leaves) * 1.5).sum(), leaves, allow_unused=True)
    found = {id(step.value): step.gradient for step in graph.steps if step.kind == "input"}
    for leaf, g in zip(leaves, expected, strict=True):
        if g is not None:
            np.testing.assert_array_equal(found[id(leaf.data)], g.data)
    used = {i.id for step in graph.steps for i in step.inputs if i.name != "of"}
    for step in graph.steps:
        assert step.shape == step.value.shape
        assert all(i.id is not None and i.id < step.id for i in step.inputs)
        # of several outputs the first may lead nowhere
        unused = step is not last and step.id not in used
        assert (step.gradient is None) == (step.kind == "constant" or unused)
        if step.op:
            assert unused or step.gradient.shape == step.shape
            assert step.cost is not None
    assert last.gradient == 1.0
    kept = trace((function(*leaves) * 1.5).sum())
    assert [s.shape for s in kept.operations] == [s.shape for s in graph.operations]
    for one, other in zip(kept.operations, graph.operations, strict=True):
        assert one.op is other.op
        assert one.value is None or (one.value == other.value).all()
        np.testing.assert_array_equal(one.gradient, other.gradient)


@settings(max_examples=15)
@given(networks())
def test_every_operation_of_a_network_is_in_its_module(drawn):
    model, x = drawn
    graph = trace(lambda: model(tn.tensor(x, requires_grad=True)).sum())
    names = dict(model.named_modules())
    for step in graph.operations[:-1]:  # the last is this test's own sum
        assert step.module in names
    for step in graph.operations:
        for given_ in step.inputs:
            source = graph.steps[given_.id]
            if source.kind == "parameter":
                assert source.name.rpartition(".")[0] == step.module
    assert graph.operations[-1].module == ""


def test_float64_and_integers_and_outputs_of_many_numbers():
    x = tn.tensor([[1.0, 2.0]], dtype="float64", requires_grad=True)
    explanation = tn.explain(x * np.array([2, 3]) + 1)
    assert [row[2] for row in explanation.rows()] == ["float64", "int64", "float64", "float64"]
    gradients = [row[4] for row in explanation.rows()]
    assert gradients == [UNKNOWN, "", UNKNOWN, UNKNOWN]  # no one gradient
    assert explanation.rows()[-1][0] == f"t2 = add(t1, {UNKNOWN})"  # no rule needs the 1
    y = tn.tensor([1.0, 2.0], requires_grad=True).double().exp().float().sum()
    assert [s.dtype for s in trace(y).operations] == ["float64", "float64", "float32", "float32"]
    big = tn.tensor([3e38, 3e38], requires_grad=True)
    assert rows(tn.explain(big * 0))["x1"][3] == "4.243e+38"  # and no overflow


def test_on_either_device(device):
    x = tn.tensor([[3.0, 4.0]], requires_grad=True, device=device)
    w = tn.ones(2, 2, requires_grad=True, device=device)
    graph = trace(lambda: ((x @ w).relu() * 2).sum())
    assert [norm(s.value) for s in graph.operations[:1]] == [pytest.approx(7 * 2**0.5)]
    assert "arithmetic operations" in str(tn.explain(((x @ w).relu() * 2).sum()))
    assert "relu" in str(tn.draw((x @ w).relu().sum()))


def test_costs():
    x, w = {"x": (2, 3, 8, 8), "w": (4, 3, 3, 3)}, (2, 4, 6, 6)
    assert cost("conv2d", x, w, {}) == Cost(2 * 4 * 6 * 6 * 3 * 3 * 3, 0)
    assert cost("conv2d_input", {"gy": w, "w": (4, 3, 3, 3)}, (2, 3, 8, 8), {}) == Cost(7776)
    assert cost("conv2d_weight", {"gy": w, "x": (2, 3, 8, 8)}, (4, 3, 3, 3), {}) == Cost(7776)
    assert cost("matmul", {"a": (3, 4), "b": (4, 5)}, (3, 5), {}) == Cost(3 * 4 * 5)
    einsum = {"subscripts": "ij,jk->ik"}
    assert cost("einsum", {"xs_0": (2, 3), "xs_1": (3, 5)}, (2, 5), einsum) == Cost(30, 0)
    assert cost("einsum", {"xs_0": (2, 3)}, (2,), {"subscripts": "ij->i"}) == Cost(0, 6)
    assert cost("sum", {"x": (7, 5)}, (), {}) == Cost(0, 35)
    assert cost("add", {"a": (7, 1), "b": (5,)}, (7, 5), {}) == Cost(0, 35)
    assert cost("permute", {"x": (7, 5)}, (5, 7), {}) == Cost(0, 0)
    assert cost("linear", {"w": (2, 3)}, (4, 2), {}) is None
    assert cost("somebody's own", {"x": (7, 5)}, (7, 5), {}) is None
    assert Cost(3, 4).total == 7
    assert set(FORMULAS) | MOVES <= set(ops.registry())


def test_html_is_escaped():
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    page = tn.explain(x.sum(), names={'<script>"&x': x})._repr_html_()
    parsed = Reader(page)
    tags = [tag for tag, _ in parsed.tags]
    assert "script" not in tags
    assert '<script>"&x' in "".join(parsed.texts)
    assert tags.count("tr") == 3


def test_a_graph_that_was_freed():
    loss = mse_loss(tn.ones(2, requires_grad=True), tn.zeros(2))
    loss.backward()
    said = r"by an earlier backward \(at div\); call explain before it, give it retain_graph=True,"
    with pytest.raises(RuntimeError, match=f"^explain: the graph was freed {said} or run the for"):
        tn.explain(loss)


@pytest.mark.parametrize(
    ("thing", "error", "said"),
    [
        (tn.ones(2, 3), RuntimeError, r"the tensor of shape \(2, 3\) has no graph"),
        (
            tn.ones(2, 3, requires_grad=True),
            RuntimeError,
            r"the tensor of shape \(2, 3\) has no",
        ),
        (None, TypeError, "got NoneType; give a tensor, or a function"),
        (np.ones(2), TypeError, "got ndarray; give a tensor, or a function"),
        (lambda: 3, TypeError, "got int; give a tensor, or a function"),
        (nn.Linear(2, 1), TypeError, r"got a model, Linear; give a loss, or lambda: model\(x\)$"),
    ],
)
def test_what_has_no_graph(thing, error, said):
    with pytest.raises(error, match=f"^explain: {said}"):
        tn.explain(thing)


def test_a_tape_has_every_operation_recorded_in_a_graph_or_not():
    inner = nn.Linear(3, 2)
    model = nn.Sequential(inner, nn.ReLU())
    with Tape() as tape, tn.no_grad():
        y = ops.reduction.sum(model(tn.ones(4, 3)), dim=1)  # this line
    assert [record.op.name for record in tape.records] == ["linear", "relu", "sum"]
    first, _, last = tape.records
    assert first.args[1] is inner.weight
    assert [call.module for call in first.calls] == [model, inner]
    assert [call.number for call in first.calls] == [1, 2]
    assert last.out is y
    assert last.calls == ()
    assert last.options == {"dim": 1, "keepdim": False}  # the defaults included
    assert last.where.endswith("y = ops.reduction.sum(model(tn.ones(4, 3)), dim=1)  # this line")
    assert [call.module for call in tape.returned] == [inner, model[1], model]
    assert tape.calls[0].output is not None


def test_an_error_ends_the_module_calls_around_it_and_then_the_tape():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(2, 2))
    with Tape() as tape:
        with pytest.raises(ValueError, match="linear"):
            model(tn.ones(1, 3))
        tn.ones(1).exp()
    assert [call.module for call in tape.calls] == [model, model[0], model[1]]
    assert [call.module for call in tape.returned] == [model[0]]
    assert tape.records[-1].calls == ()
    tn.ones(1).exp()
    assert len(tape.records) == 2


def test_a_tape_is_one_threads():
    with Tape() as tape:
        thread = threading.Thread(target=lambda: nn.Linear(2, 2)(tn.ones(1, 2)).exp())
        thread.start()
        thread.join()
    assert tape.records == tape.calls == []


def test_tapes_nest():
    x = tn.ones(2, requires_grad=True)
    with Tape() as outer:
        with Tape() as inner:
            x.exp()
        tn.explain(lambda: x.exp().sum())
    assert [record.op.name for record in inner.records] == ["exp"]
    assert [record.op.name for record in outer.records][:3] == ["exp", "exp", "sum"]


def test_an_error_inside_the_function_comes_through_and_ends_the_tape():
    with pytest.raises(ZeroDivisionError):
        tn.explain(lambda: tn.ones(1, requires_grad=True) * (1 / 0))
    gc.collect()
    assert not [o for o in gc.get_objects() if type(o) is Tape]


def test_a_value_changed_in_place_is_not_shown_as_what_it_was():
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    z = y.sum()
    y.data = np.array([9.0, 9.0], "float32")
    assert rows(tn.explain(z))["t1"][3] == UNKNOWN


def test_a_value_that_the_function_changes_later_is_not_shown_as_what_it_was():
    """Of operations, of leaves and of each output; what was used after the change is known."""
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    w = nn.Parameter(tn.tensor([1.0, 1.0]))
    c, number, late = tn.tensor([5.0, 5.0]), tn.tensor(3.0), tn.tensor([1.0, 1.0])

    def function():
        late.mul_(2)
        first, second = (x * 2 + w + c + number + late).unbind()
        y = (first + second) * 1.0
        loss = y + 1
        with tn.no_grad():
            w.mul_(4)
        c.mul_(9)
        number.mul_(9)
        for changed in (first, second, y):
            changed.data = np.float32(100)
        return loss

    graph = trace(function, names={"x": x, "w": w, "c": c, "late": late})
    unknown = [step for step in graph.steps if step.value is None]
    assert [step.name for step in unknown] == ["w", "c", "c1", "t6", "t6[1]", "t8"]
    assert [str(step.dtype) for step in unknown] == ["float32", "float32", "None"] + ["float32"] * 3
    assert [step.shape for step in unknown] == [(2,), (2,), (), (), (), ()]
    values = {step.name: step.value for step in graph.steps}
    assert values["late"].tolist() == [2.0, 2.0]
    assert values["t5"].tolist() == [13.0, 15.0]
    assert graph.steps[graph.output].value == 29.0
    assert next(s for s in graph.steps if s.name == "x").gradient.tolist() == [2.0, 2.0]
    assert NOTE in str(tn.explain(function))


def test_what_does_not_exist_is_not_called_unknown():
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    c = tn.tensor([3.0, 4.0])
    found = rows(tn.explain(lambda: (x * 2 + c).sum(), names={"x": x, "c": c}))
    assert found["2"] == ("2", "()", "", "2", "", "", "constant")
    assert found["c"] == ("c", "(2,)", "float32", "5", "", "", "constant")
    assert UNKNOWN not in str(list(found.values()))


def test_nothing_is_kept_alive():
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    gc.collect()
    before = sum(issubclass(type(o), tn.Tensor) for o in gc.get_objects())
    str(tn.explain(lambda: (x * x).sum()))
    gc.collect()
    assert sum(issubclass(type(o), tn.Tensor) for o in gc.get_objects()) == before
