"""Adam's relatives, Adagrad, ASGD and Rprop by hand; options that every optimizer has; float16."""

from __future__ import annotations

import math

import numpy as np
import pytest
from optimizer_cases import OPTIMIZERS, gradients_for, numbers, parameters, take
from test_optim import GRADIENTS, after, take_steps, to_14_digits

import tinynet as tn
from tinynet import nn, optim
from tinynet.optim import lr_scheduler


def test_adagrad_by_hand(default_device):
    # G: 0.25, 1.25, 5.25
    d = [0.5 / 0.5, -1 / math.sqrt(1.25), 2 / math.sqrt(5.25)]
    assert take_steps(optim.Adagrad, lr=0.1, eps=0.0) == after(d)
    # rates fall as 1, 1 / 1.5, 1 / 2; with 0.75 at the start, G: 1, 2, 6
    d = [0.5, -1 / math.sqrt(2) / 1.5, 2 / math.sqrt(6) / 2]
    options = {"lr_decay": 0.5, "initial_accumulator_value": 0.75}
    assert take_steps(optim.Adagrad, lr=0.1, eps=0.0, **options) == after(d)


def test_adadelta_by_hand(default_device):
    theta, v, u, values = 1.0, 0.0, 0.0, []
    for g in GRADIENTS:
        v = 0.5 * v + 0.5 * g * g
        d = math.sqrt(u + 0.1) / math.sqrt(v + 0.1) * g
        u = 0.5 * u + 0.5 * d * d
        theta -= 0.2 * d
        values.append(theta)
    assert take_steps(optim.Adadelta, lr=0.2, rho=0.5, eps=0.1) == to_14_digits(values)


def test_adamax_by_hand(default_device):
    # m: 0.25, -0.375, 0.8125 over 1 - 2^-t; u: 0.5; max(0.25, 1); max(0.5, 2)
    d = [0.5 / 0.5, -0.5 / 1, (0.8125 / 0.875) / 2]
    assert take_steps(optim.Adamax, lr=0.1, betas=(0.5, 0.5), eps=0.0) == after(d)
    # u: 0.5 + 0.5; max(0.9 * 1, 1 + 0.5); max(0.9 * 1.5, 2 + 0.5)
    d = [0.5 / 1, -0.5 / 1.5, (0.8125 / 0.875) / 2.5]
    assert take_steps(optim.Adamax, lr=0.1, betas=(0.5, 0.9), eps=0.5) == after(d)


@pytest.mark.parametrize("decoupled", [False, True])
def test_nadam_by_hand(decoupled, default_device):
    lr, beta1, beta2, eps, w, psi = 0.1, 0.8, 0.9, 0.01, 0.3, 0.5
    theta, m, v, product, values = 1.0, 0.0, 0.0, 1.0, []
    for t, gradient in enumerate(GRADIENTS, start=1):
        g = gradient if decoupled else gradient + w * theta
        theta = theta - lr * w * theta if decoupled else theta
        mu, following = (beta1 * (1 - 0.5 * 0.96 ** (s * psi)) for s in (t, t + 1))
        product = float(np.float32(product * float(np.float32(mu))))  # as PyTorch's
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        mhat = following * m / (1 - product * following) + (1 - mu) * g / (1 - product)
        theta -= lr * mhat / (math.sqrt(v / (1 - beta2**t)) + eps)
        values.append(theta)
    found = take_steps(
        optim.NAdam, lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=w, momentum_decay=psi,
        decoupled_weight_decay=decoupled,
    )  # fmt: skip
    assert found == to_14_digits(values)


@pytest.mark.parametrize("decoupled", [False, True])
def test_radam_by_hand(decoupled, default_device):
    lr, beta1, beta2, eps, w = 0.1, 0.8, 0.9, 0.01, 0.3
    theta, m, v, values, rectified = 1.0, 0.0, 0.0, [], []
    limit = 2 / (1 - beta2) - 1
    gradients = [*GRADIENTS, *GRADIENTS, 0.25]
    for t, gradient in enumerate(gradients, start=1):
        g = gradient if decoupled else gradient + w * theta
        theta = theta - lr * w * theta if decoupled else theta
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        rho = limit - 2 * t * beta2**t / (1 - beta2**t)
        step = lr * m / (1 - beta1**t)
        rectified.append(rho > 5)
        if rho > 5:
            r = (rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho)
            step *= math.sqrt(r) * math.sqrt(1 - beta2**t) / (math.sqrt(v) + eps)
        theta -= step
        values.append(theta)
    assert rectified[0] is False
    assert rectified[-1] is True
    found = take_steps(
        optim.RAdam, gradients=gradients, lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=w,
        decoupled_weight_decay=decoupled,
    )  # fmt: skip
    assert found == pytest.approx(values, rel=1e-12)


def test_asgd_by_hand(default_device):
    p = nn.Parameter(tn.tensor([1.0], dtype="float64"))
    optimizer = optim.ASGD([p], lr=0.125, lambd=0.5, alpha=2.0, t0=1.0)
    theta, mean, eta, mu = 1.0, 0.0, 0.125, 1.0
    for t, g in enumerate(GRADIENTS, start=1):
        p.grad = tn.tensor([g], dtype="float64")
        optimizer.step()
        theta -= eta * (0.5 * theta + g)
        mean += mu * (theta - mean)
        assert p.item() == to_14_digits(theta)
        assert optimizer.state[p]["ax"].item() == to_14_digits(mean)
        eta = float(np.float32(0.125 / (1 + 0.0625 * t) ** 2))
        mu = 1 / max(1, t - 1)
        assert (optimizer.state[p]["eta"], optimizer.state[p]["mu"]) == (eta, mu)


def test_rprop_by_hand(default_device):
    # the sign turns twice: no step then, and half the length; then the length is kept
    values = take_steps(optim.Rprop, gradients=[3.0, 0.1, -1.0, -2.0, -2.0], lr=0.125)
    assert values == to_14_digits([0.875, 0.725, 0.725, 0.8, 0.89])
    values = take_steps(optim.Rprop, gradients=[1.0] * 3, lr=0.125, step_sizes=(0.01, 0.13))
    assert values == to_14_digits([0.875, 0.745, 0.615])


def test_amsgrad_by_hand(default_device):
    gradients = [2.0, 0.5, 0.5]
    theta, m, v, largest, values = 1.0, 0.0, 0.0, 0.0, []
    for t, g in enumerate(gradients, start=1):
        m, v = 0.5 * m + 0.5 * g, 0.5 * v + 0.5 * g * g
        largest = max(largest, v)
        theta -= 0.1 * m / (1 - 0.5**t) / math.sqrt(largest / (1 - 0.5**t))
        values.append(theta)
    assert largest > v
    options = {"lr": 0.1, "betas": (0.5, 0.5), "eps": 0.0, "amsgrad": True}
    assert take_steps(optim.Adam, gradients=gradients, **options) == to_14_digits(values)


# --- every optimizer ---------------------------------------------------------------------------


@pytest.fixture(params=OPTIMIZERS)
def make(request):
    return OPTIMIZERS[request.param]


def test_maximize_is_the_negated_gradient(make, default_device):
    params, negated = parameters("float64"), parameters("float64")
    a = make(params, weight_decay=0.1) if "weight_decay" in make(params).defaults else make(params)
    b = type(a)(negated, **{k: v for k, v in a.defaults.items() if k != "decoupled_weight_decay"}
                | {"maximize": not a.defaults["maximize"]})  # fmt: skip
    b.param_groups[0].update({k: v for k, v in a.defaults.items() if k == "decoupled_weight_decay"})
    for step in range(3):
        gradients_for(params, step)
        gradients_for(negated, step)
        for p in negated:
            p.grad = -p.grad
        a.step()
        b.step()
    for x, y in zip(numbers(params), numbers(negated), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12)


def test_a_step_in_float16_is_rounded_once(make, default_device):
    half, single = parameters("float16"), parameters("float16")
    for p in single:
        p.data = p.data.astype("float32")
    a, b = make(half, lr=0.125), make(single, lr=0.125)
    for step in range(4):
        gradients_for(half, step)
        half[0].grad.data[0] = 0.0
        for p, q in zip(half, single, strict=True):
            q.grad = tn.Tensor(p.grad.data.astype("float32"))
        a.step()
        b.step()
        for p, q in zip(half, single, strict=True):
            assert p.dtype == np.float16
            assert np.array_equal(p.detach().numpy(), q.detach().numpy().astype("float16"))
        # the next step starts from the rounded numbers
        saved = a.state_dict()
        b.load_state_dict(saved)
        for p, q in zip(half, single, strict=True):
            q.data[...] = p.data
        for entry in saved["state"].values():
            assert all(v.dtype == np.float32 for v in entry.values() if isinstance(v, np.ndarray))


def test_nothing_moves_if_one_parameter_is_read_only(make):
    params = parameters()
    params[2].data.flags.writeable = False
    optimizer, before = make(params), numbers(params)
    gradients_for(params, 0)
    with pytest.raises(ValueError, match=r"\.step: parameter 2 of group 0 .* is read-only"):
        optimizer.step()
    assert all(np.array_equal(a, b) for a, b in zip(before, numbers(params), strict=True))
    assert optimizer.state_dict()["state"] == {}
    params[2].grad = None
    optimizer.step()  # it is left alone


def test_a_tensor_as_rate_may_change(make):
    params, others = parameters(), parameters()
    rate = tn.tensor(0.5)
    a, b = make(params, lr=rate), make(others, lr=0.5)
    assert a.param_groups[0]["lr"] is rate
    for step in range(3):
        take(step, params, a)
        take(step, others, b)
        rate.fill_(0.25)
        b.param_groups[0]["lr"] = 0.25
    assert all(np.array_equal(x, y) for x, y in zip(numbers(params), numbers(others), strict=True))
    assert a.state_dict()["param_groups"][0]["lr"] == 0.25


def test_state_is_a_view(make):
    params = parameters()
    optimizer = make(params)
    take(0, params, optimizer)
    saved = optimizer.state_dict()["state"]
    for i, (p, entry) in enumerate(optimizer.state.items()):
        assert p is params[i]
        assert list(entry) == list(saved[i])
        for name, value in entry.items():
            if isinstance(value, tn.Tensor):
                value.fill_(0.25)
                assert (optimizer.state_dict()["state"][i][name] == 0.25).all()
            else:
                assert value == saved[i][name]


def test_implementations_change_nothing(make):
    params, others = parameters(), parameters()
    a, b = make(params), make(others, foreach=True, capturable=True)
    for step in range(2):
        take(step, params, a)
        take(step, others, b)
    assert all(np.array_equal(x, y) for x, y in zip(numbers(params), numbers(others), strict=True))
    assert "foreach=True" in repr(b)
    assert "foreach" not in repr(a)
    for options in ({"fused": True, "foreach": True}, {"fused": True, "differentiable": True}):
        with pytest.raises(RuntimeError, match=r"fused=True and .* exclude each other"):
            make(params, **options)
    with pytest.raises(ValueError, match="differentiable=True is not supported"):
        make(params, differentiable=True)
    with pytest.raises(ValueError, match="foreach is 'yes'; it must be True or False"):
        make(params, foreach="yes")
    with pytest.raises(TypeError, match="unexpected keyword argument 'rate'"):
        make(params, rate=1)


def test_gradients_are_filled_with_zeros_on_request():
    p = nn.Parameter(tn.ones(2))
    optimizer = optim.SGD([p, nn.Parameter(tn.ones(1))])
    (p * p).sum().backward(create_graph=True)
    memory = p.grad.data
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0.0, 0.0]
    assert p.grad.data is memory or np.shares_memory(p.grad.data, memory)
    assert not p.grad.requires_grad
    assert optimizer.param_groups[0]["params"][1].grad is None


def test_names_of_parameters():
    net = nn.Linear(2, 2)
    optimizer = optim.SGD(net.named_parameters(), lr=0.5)
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.param_groups[0]["params"] == [net.weight, net.bias]
    other = optim.SGD(nn.Linear(2, 2).named_parameters())
    other.load_state_dict(optimizer.state_dict())
    assert other.param_groups[0]["lr"] == 0.5
    with pytest.raises(ValueError, match="some groups have names"):
        optimizer.add_param_group({"params": [nn.Parameter(tn.ones(1))]})
    with pytest.raises(ValueError, match="1 of 2 parameters have names"):
        optim.SGD([("weight", net.weight), net.bias])


P = nn.Parameter(tn.ones(2))
BAD = {
    "Adagrad: lr_decay is -1": lambda: optim.Adagrad([P], lr_decay=-1),
    "Adadelta: rho is 1.1": lambda: optim.Adadelta([P], rho=1.1),
    "NAdam: momentum_decay is -1": lambda: optim.NAdam([P], momentum_decay=-1),
    "RAdam: betas is 1.0": lambda: optim.RAdam([P], betas=(1.0, 0)),
    "Adamax: betas is 1.5": lambda: optim.Adamax([P], betas=(0.5, 1.5)),
    "ASGD: alpha is -1": lambda: optim.ASGD([P], alpha=-1),
    r"Rprop: etas are \(1.0, 0.5\)": lambda: optim.Rprop([P], etas=(1.0, 0.5)),
    "Rprop: step_sizes are": lambda: optim.Rprop([P], step_sizes=(1.0, 0.5)),
    "Rprop: etas is 2": lambda: optim.Rprop([P], etas=2),
    r"lr has shape \(2,\); it must have one entry": lambda: optim.SGD([P], lr=tn.ones(2)),
    "betas is a Tensor and a number": lambda: optim.Adam([P], betas=(tn.tensor(0.9), 0.99)),
    "foreach=True needs numbers": lambda: optim.Adam([P], lr=tn.tensor(0.1), foreach=True),
}


@pytest.mark.parametrize("text", BAD)
def test_bad_arguments_are_named(text):
    with pytest.raises(ValueError, match=text):
        BAD[text]()


BAD_KINDS = {
    "SGD: params of a group is a NoneType": lambda: optim.SGD([{"params": None}]),
    "LambdaLR: lr_lambda is a int": lambda: lr_scheduler.LambdaLR(optim.SGD([P]), 3),
    "LambdaLR: lr_lambda must be a function": lambda: lr_scheduler.LambdaLR(optim.SGD([P]), [3]),
    "MultiStepLR: milestones is a int": lambda: lr_scheduler.MultiStepLR(optim.SGD([P]), 3),
    "metrics is a str": lambda: lr_scheduler.ReduceLROnPlateau(optim.SGD([P])).step("low"),
    "schedulers is a int": lambda: lr_scheduler.SequentialLR(optim.SGD([P]), 3, []),
    "schedule 0 is a int": lambda: lr_scheduler.ChainedScheduler([3]),
    "clip_grad_norm_: parameters is a NoneType": lambda: nn.utils.clip_grad_norm_(None, 1.0),
}


@pytest.mark.parametrize("text", BAD_KINDS)
def test_arguments_of_another_kind_are_named(text):
    with pytest.raises(TypeError, match=text):
        BAD_KINDS[text]()
