"""Optimizers: three steps by hand, state that survives, and what is refused."""

from __future__ import annotations

import copy
import math

import cupy_standin
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optimizer_cases import OPTIMIZERS, SHAPES, numbers, parameters, same, take

import tinynet as tn
from tinynet import backend, nn, optim
from tinynet.optim import flat

GRADIENTS = [0.5, -1.0, 2.0]  # of one number that starts at 1; three steps


def take_steps(kind, *, gradients=GRADIENTS, **options):
    """The number after each step."""
    p = nn.Parameter(tn.tensor([1.0], dtype="float64"))
    optimizer = kind([p], **options)
    values = []
    for g in gradients:
        p.grad = tn.tensor([g], dtype="float64")
        optimizer.step()
        values.append(p.item())
    return values


def to_14_digits(values):
    return pytest.approx(values, rel=1e-14)


def after(decreases):
    """The number after each step, from its decreases over the rate 0.1."""
    return to_14_digits([1.0 - 0.1 * sum(decreases[:n]) for n in (1, 2, 3)])


# --- tables worked out with plain numbers -----------------------------------------------------


def test_sgd_by_hand(default_device):
    tables = [
        ({}, GRADIENTS),
        # b: 0.5; 0.9 * 0.5 - 1; 0.9 * -0.55 + 2
        ({"momentum": 0.9}, [0.5, -0.55, 1.505]),
        # g + 0.9 b, with the same b
        ({"momentum": 0.9, "nesterov": True}, [0.95, -1.495, 3.3545]),
        # b: 0.5; 0.45 - 0.5; -0.045 + 1
        ({"momentum": 0.9, "dampening": 0.5}, [0.5, -0.05, 0.955]),
        # g + 0.2 theta: 0.5 + 0.2; -1 + 0.2 * 0.93; 2 + 0.2 * 1.0114
        ({"weight_decay": 0.2}, [0.7, -0.814, 2.20228]),
    ]
    for options, decreases in tables:
        assert take_steps(optim.SGD, lr=0.1, **options) == after(decreases)


def adam_by_hand(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, coupled=0.0, decoupled=0.0):
    theta, m, v, values = 1.0, 0.0, 0.0, []
    beta1, beta2 = betas
    for t, g in enumerate(GRADIENTS, start=1):
        g = g + coupled * theta
        theta = theta - lr * decoupled * theta
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        theta = theta - lr * (m / (1 - beta1**t)) / (math.sqrt(v / (1 - beta2**t)) + eps)
        values.append(theta)
    return to_14_digits(values)


def test_adam_by_hand(default_device):
    # With betas 1/2 the means stay simple.
    #   m: 0.25, -0.375, 0.8125; over 1 - 2^-t: 0.5, -0.5, 0.8125 / 0.875
    #   v: 0.125, 0.5625, 2.28125; over 1 - 2^-t: 0.25, 0.75, 2.28125 / 0.875
    steps = [0.5 / 0.5, -0.5 / math.sqrt(0.75), (0.8125 / 0.875) / math.sqrt(2.28125 / 0.875)]
    assert take_steps(optim.Adam, lr=0.1, betas=(0.5, 0.5), eps=0.0) == after(steps)
    assert take_steps(optim.Adam) == adam_by_hand()
    options = {"lr": 0.1, "betas": (0.8, 0.9), "eps": 0.1}
    assert take_steps(optim.Adam, **options, weight_decay=0.3) == adam_by_hand(
        **options, coupled=0.3
    )


def test_adamw_by_hand(default_device):
    options = {"lr": 0.1, "eps": 0.0}
    values = take_steps(optim.AdamW, **options, weight_decay=0.5)
    # The first step of Adam is lr times the sign: 1 * (1 - 0.1 * 0.5) - 0.1
    assert values[0] == to_14_digits(0.85)
    assert values == adam_by_hand(**options, decoupled=0.5)
    assert take_steps(optim.AdamW) == adam_by_hand(decoupled=0.01)


def test_rmsprop_by_hand(default_device):
    options = {"lr": 0.1, "alpha": 0.5, "eps": 0.0}
    # v: 0.125, 0.5625, 2.28125
    d = [0.5 / math.sqrt(0.125), -1 / math.sqrt(0.5625), 2 / math.sqrt(2.28125)]
    assert take_steps(optim.RMSprop, **options) == after(d)
    b = [d[0], 0.5 * d[0] + d[1], 0.25 * d[0] + 0.5 * d[1] + d[2]]
    assert take_steps(optim.RMSprop, **options, momentum=0.5) == after(b)
    # a: 0.25, -0.375, 0.8125; v - a^2: 0.0625, 0.421875, 1.62109375
    c = [0.5 / 0.25, -1 / math.sqrt(0.421875), 2 / math.sqrt(1.62109375)]
    assert take_steps(optim.RMSprop, **options, centered=True) == after(c)


def test_centered_rmsprop_survives_a_variance_that_rounds_below_zero():
    v = a = lowest = 0.0
    for _ in range(30):
        v, a = v * 0.1 + 2.3 * 2.3 * 0.9, a * 0.1 + 2.3 * 0.9
        lowest = min(lowest, v - a * a)
    assert lowest < 0
    options = {"lr": 1e-9, "alpha": 0.1, "centered": True}
    values = take_steps(optim.RMSprop, gradients=[2.3] * 30, **options)
    assert all(math.isfinite(v) for v in values)


# --- every optimizer --------------------------------------------------------------------------


@pytest.fixture(params=OPTIMIZERS)
def make(request):
    return OPTIMIZERS[request.param]


def test_float32_stays_float32(make, default_device):
    params = parameters()
    optimizer = make(params)
    for step in range(3):
        take(step, params, optimizer)
        optimizer.param_groups[0]["lr"] = np.float64(0.05)
    assert all(p.dtype == np.float32 and p.device == default_device for p in params)
    assert type(optimizer.param_groups[0]["lr"]) is np.float64
    saved = optimizer.state_dict()
    for entry in saved["state"].values():
        for name, value in entry.items():
            if name in ("step", "mu_product", "eta", "mu"):
                assert type(value) is (int if name == "step" else float)
            else:
                assert type(value) is np.ndarray
                assert value.dtype == np.float32
    for flats in optimizer._flat:
        for part in flats:
            assert all(backend.device_of(s) == default_device for s in part.slots.values())


def test_all_at_once_equals_one_by_one(make, monkeypatch, default_device):
    """Each parameter is updated as if alone and whole, however they are joined or cut in blocks."""
    together = parameters("float64")
    optimizer = make(together)
    alone = parameters("float64")
    each = [make([p]) for p in alone]
    for step in range(4):
        with monkeypatch.context() as patch:
            patch.setattr(flat, "BLOCK", [1, 7, 20, 1 << 16][step])
            take(step, together, optimizer)
        take(step, alone, *each)
    assert same(numbers(together), numbers(alone))


@given(data=st.data())
def test_missing_gradients_leave_parameter_state_and_count(data):
    make = OPTIMIZERS[data.draw(st.sampled_from(list(OPTIMIZERS)))]
    together, alone = parameters("float64"), parameters("float64")
    optimizer, each = make(together), [make([p]) for p in alone]
    for step in range(4):
        missing = data.draw(st.sets(st.integers(0, len(SHAPES) - 1)))
        before = numbers(together)
        take(step, together, optimizer, missing=missing)
        take(step, alone, *each, missing=missing)
        for i in missing:
            assert np.array_equal(before[i], numbers(together)[i])
    assert same(numbers(together), numbers(alone))
    state = optimizer.state_dict()["state"]
    for i, one in enumerate(each):
        own = one.state_dict()["state"]
        assert (i in state) == (0 in own)
        if i in state:
            assert state[i]["step"] == own[0]["step"]
            assert all(np.array_equal(state[i][name], own[0][name]) for name in own[0])


def test_resumes_bitwise(make, default_device):
    straight = parameters()
    optimizer = make(straight)
    for step in range(6):
        take(step, straight, optimizer, missing={1} if step == 0 else ())
        if step == 2:
            kept, state = numbers(straight), optimizer.state_dict()
            before = copy.deepcopy(state)
    resumed = [nn.Parameter(tn.tensor(x, device=default_device)) for x in kept]
    again = make(resumed, lr=0.7)
    again.load_state_dict(state)
    assert again.param_groups[0]["lr"] == 0.1
    for step in range(3, 6):
        take(step, resumed, again)
    assert same(numbers(straight), numbers(resumed))
    for key, entry in state["state"].items():  # neither optimizer wrote into what was saved
        for name, value in entry.items():
            assert np.array_equal(value, before["state"][key][name])


def test_state_dict_has_shapes_and_options():
    params = parameters()
    optimizer = optim.Adam([{"params": params[:2], "lr": 0.5}, {"params": params[2:]}])
    take(0, params, optimizer, missing={3})
    saved = optimizer.state_dict()
    assert sorted(saved["state"]) == [0, 1, 2, 4]
    for i, entry in saved["state"].items():
        assert list(entry) == ["step", "exp_avg", "exp_avg_sq"]
        assert entry["exp_avg"].shape == SHAPES[i]
    assert [g["params"] for g in saved["param_groups"]] == [[0, 1], [2, 3, 4]]
    assert [g["lr"] for g in saved["param_groups"]] == [0.5, 1e-3]
    assert optim.SGD(params).state_dict()["state"] == {}


def test_unusual_memory_order_and_empty_parameters(make):
    x, g = np.arange(12.0).reshape(3, 4), np.linspace(-1, 1, 12).reshape(3, 4)
    results = []
    for order in "CF":
        p = nn.Parameter(np.array(x, order=order))
        optimizer = make([p])
        for _ in range(3):
            p.grad = tn.Tensor(np.array(g, order="CF"[order == "C"]))
            optimizer.step()
        results.append(p.detach().numpy())
    assert np.array_equal(*results)


def test_mixed_dtypes_and_devices(make, monkeypatch):
    monkeypatch.setitem(backend.devices._settings, "cuda works", False)
    cupy_standin.install(monkeypatch)
    params = parameters("float64")
    alone = parameters("float64")
    for group in (params, alone):
        group[2].data = group[2].data.astype("float32")
        group[3].data = backend.to_device(group[3].data, "cuda")
    optimizer, each = make(params), [make([p]) for p in alone]
    for step in range(3):
        take(step, params, optimizer)
        take(step, alone, *each)
    assert same(numbers(params), numbers(alone))
    assert [p.dtype.name for p in params[1:4]] == ["float64", "float32", "float64"]


def test_a_parameter_in_a_file_is_updated_like_others(make, tmp_path):
    """A parameter's memory may be that of a file, an `np.memmap`."""
    in_file = np.memmap(tmp_path / "w", "float64", "w+", shape=(3,))
    in_file[...] = 1.0
    learnt = [tn.as_tensor(in_file).requires_grad_(), tn.ones(3, dtype="float64")]
    learnt[1].requires_grad_()
    optimizer = make(learnt)
    for _ in range(2):
        for p in learnt:
            p.grad = tn.tensor(np.full(3, 0.5))
        optimizer.step()
    assert np.array_equal(learnt[0].data, in_file)
    assert np.array_equal(learnt[0].data, learnt[1].data)
    assert (learnt[0].data != 1.0).all()


def test_a_gradient_from_before_a_change_of_dtype_is_converted(make):
    a, b = (nn.Parameter(tn.ones(3)) for _ in range(2))
    g = np.random.default_rng(0).normal(size=3)
    b.grad = tn.Tensor(g.astype("float32"))
    a.data = a.data.astype("float64")
    a.grad = tn.Tensor(g)
    a.data = a.data.astype("float32")
    make([a]).step()
    make([b]).step()
    assert a.dtype.name == "float32"
    assert np.array_equal(a.data, b.data)


def test_a_step_counts_as_a_change_in_place(make):
    p = nn.Parameter(tn.ones(2))
    optimizer = make([p])
    old = (p * p).sum()
    (p * 2).sum().backward()
    optimizer.step()
    with pytest.raises(RuntimeError, match="changed in place"):
        old.backward()


def test_zero_grad_closure_groups_and_repr():
    a, b = nn.Parameter(tn.ones(2)), nn.Parameter(tn.ones(3))
    optimizer = optim.SGD([{"params": a}], lr=0.5)
    optimizer.add_param_group({"params": [b], "lr": 0.25})

    def closure():
        optimizer.zero_grad()
        loss = a.sum() + b.sum()
        loss.backward()
        return loss

    with tn.no_grad():
        assert optimizer.step(closure).item() == 5.0
    assert a.tolist() == [0.5, 0.5]
    assert b.tolist() == [0.75] * 3
    optimizer.zero_grad()
    assert a.grad is None
    assert optimizer.step() is None
    assert "group 1: 1 parameters, lr=0.25" in repr(optimizer)


# --- what is refused --------------------------------------------------------------------------

P = nn.Parameter(tn.ones(2))
BAD = {
    "SGD: lr is -1": lambda: optim.SGD([P], lr=-1),
    "SGD: lr is nan": lambda: optim.SGD([P], lr=math.nan),
    "Adam: lr is 'fast'": lambda: optim.Adam([P], lr="fast"),
    "SGD: momentum is -0.1": lambda: optim.SGD([P], momentum=-0.1),
    "nesterov=True needs": lambda: optim.SGD([P], nesterov=True),
    "dampening 0, not": lambda: optim.SGD([P], momentum=0.9, dampening=0.1, nesterov=True),
    "Adam: betas is 1.0; it must be a number, at least 0 and less than 1": lambda: optim.Adam(
        [P], betas=(1.0, 0.9)
    ),
    "AdamW: betas is 0.9": lambda: optim.AdamW([P], betas=0.9),
    "AdamW: weight_decay is -1": lambda: optim.AdamW([P], weight_decay=-1),
    "Adam: eps is -1": lambda: optim.Adam([P], eps=-1),
    "RMSprop: alpha is 1": lambda: optim.RMSprop([P], alpha=1),
    "Adam: params is empty": lambda: optim.Adam([]),
    "parameter 1 of shape .* is repeated": lambda: optim.SGD([P, P]),
    "parameter 0 of shape .* is repeated": lambda: optim.SGD([{"params": [P]}, {"params": [P]}]),
    "computed by mul": lambda: optim.SGD([P * 2]),
    "unknown option 'rate'; the options are lr,": lambda: optim.SGD([{"params": [P], "rate": 1}]),
}
BAD_TYPES = {
    "params is a Parameter": lambda: optim.SGD(P),
    "params is a set": lambda: optim.SGD({P}),
    "parameter 0 is a int": lambda: optim.SGD([3]),
    "must be a float": lambda: optim.SGD([tn.tensor([1])]),
    "a list under 'params'": lambda: optim.SGD([{"lr": 1}]),
}


@pytest.mark.parametrize("text", BAD)
def test_bad_arguments_are_named(text):
    with pytest.raises(ValueError, match=text):
        BAD[text]()


@pytest.mark.parametrize("text", BAD_TYPES)
def test_arguments_of_a_wrong_type_are_named(text):
    with pytest.raises(TypeError, match=text):
        BAD_TYPES[text]()


def test_bad_steps_are_named():
    p = nn.Parameter(tn.ones(2))
    optimizer = optim.Adam([p])
    p.grad = tn.ones(2)
    optimizer.param_groups[0]["lr"] = -3
    with pytest.raises(ValueError, match="Adam: lr is -3"):
        optimizer.step()
    optimizer.param_groups[0]["lr"] = 1e-3
    optimizer.step()
    p.data = np.ones(3, "float32")
    with pytest.raises(ValueError, match=r"had shape \(2,\) .* now has \(3,\)"):
        optimizer.step()
    # a gradient of the wrong shape for the third parameter of the second group
    params = [nn.Parameter(tn.ones(2)) for _ in range(4)]
    optimizer = optim.SGD([{"params": params[:1]}, {"params": params[1:]}])
    params[3].grad = tn.ones(2)
    params[3].data = np.ones(1, "float32")
    with pytest.raises(ValueError, match=r"parameter 2 of group 1 has shape \(1,\)"):
        optimizer.step()


BAD_STATES = {  # the complaint, and how a good state is changed
    r"parameter 0: exp_avg has shape \(4, 3\), the parameter has \(3, 4\)": lambda s: s["state"][
        0
    ].update(exp_avg=np.zeros((4, 3))),
    "parameter 2 lacks step": lambda s: s["state"][2].pop("step"),
    "step is 0.5": lambda s: s["state"][2].update(step=0.5),
    "parameter 1, exp_avg cannot be converted": lambda s: s["state"][1].update(exp_avg="x"),
    "step is -1": lambda s: s["state"][2].update(step=-1),
    r"parameter 2: step has shape \(2,\)": lambda s: s["state"][2].update(step=np.ones(2)),
    "'state' must be a dict of a dict": lambda s: s.update(state=[1]),
    "'param_groups' must be a list": lambda s: s.update(param_groups=3),
    "with a list of numbers under 'params'": lambda s: s["param_groups"][0].pop("params"),
    "must be saved by number": lambda s: s["state"].update(a=s["state"][0]),
    "parameter 0 lacks max_exp_avg_sq": lambda s: s["param_groups"][0].update(amsgrad=True),
    r"in no group: \[9\]": lambda s: s["state"].update({9: s["state"][0]}),
    r"have \[4\] parameters, the optimizer's have \[5\]": lambda s: s["param_groups"][0][
        "params"
    ].pop(),
    "missing or unknown: centered": lambda s: s["param_groups"][0].update(centered=True),
    "missing or unknown: eps": lambda s: s["param_groups"][0].pop("eps"),
    "lr is -1": lambda s: s["param_groups"][0].update(lr=-1),
    "'state' and 'param_groups'": lambda s: s.clear(),
}


@pytest.mark.parametrize("text", BAD_STATES)
def test_bad_states_are_named_and_change_nothing(text):
    params = parameters()
    other, optimizer = optim.Adam(params, lr=0.5), optim.Adam(parameters())
    take(0, params, other)
    state = other.state_dict()
    BAD_STATES[text](state)
    with pytest.raises(ValueError, match=text):
        optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["lr"] == 1e-3
    assert optimizer.state_dict()["state"] == {}
    optimizer.load_state_dict(other.state_dict())
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_the_first_momentum_buffer_is_bitwise_the_gradient():
    """Even -0.0 keeps its sign, although the first step is computed like all later ones."""
    p = nn.Parameter(tn.tensor([1.0, 2.0, 3.0]))
    optimizer = optim.SGD([p], lr=0.1, momentum=0.9, dampening=0.5)
    p.grad = tn.tensor([-0.0, 0.0, -2.0])
    optimizer.step()
    buffer = optimizer.state_dict()["state"][0]["momentum_buffer"]
    assert buffer.tobytes() == p.grad.numpy().tobytes()


def test_an_optimizer_of_ones_own():
    class Own(optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        def step(self, closure=None):
            with tn.no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        p -= group["lr"] * p.grad

    w = tn.ones(2, requires_grad=True)
    optimizer = Own([w], lr=0.25)
    (w * w).sum().backward()
    optimizer.step()
    optimizer.zero_grad()
    assert w.tolist() == [0.5, 0.5]
    assert w.grad is None
