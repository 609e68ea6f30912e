"""Averages of weights: means and moving averages by hand, the schedule, statistics anew."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest

import tinynet as tn
from tinynet import nn, optim
from tinynet.optim.swa_utils import (
    SWALR,
    AveragedModel,
    get_ema_avg_fn,
    get_ema_multi_avg_fn,
    get_swa_multi_avg_fn,
    update_bn,
)


def network():
    tn.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).double()


def updates(averaged, net, count=3):
    """Change the network, and average; returns the weights that it had."""
    weights = []
    for k in range(count):
        net[0].weight.data += k
        net[1].running_mean.fill_(float(k))
        weights.append(net[0].weight.data.copy())
        averaged.update_parameters(net)
    return weights


@pytest.mark.parametrize("options", [{}, {"multi_avg_fn": get_swa_multi_avg_fn()}])
def test_the_mean(options):
    net = network()
    averaged = AveragedModel(net, **options)
    weights = updates(averaged, net)
    np.testing.assert_allclose(averaged.module[0].weight.data, np.mean(weights, 0))
    assert averaged.n_averaged.item() == 3
    assert averaged.module[1].running_mean.tolist() == [2.0] * 3  # the latest
    np.testing.assert_array_equal(net[0].weight.data, weights[-1])  # untouched
    x = tn.ones(2, 2, dtype="float64")
    assert averaged.eval()(x).tolist() == averaged.module(x).tolist()


@pytest.mark.parametrize(
    "options", [{"avg_fn": get_ema_avg_fn(0.75)}, {"multi_avg_fn": get_ema_multi_avg_fn(0.75)}]
)
def test_the_moving_average(options):
    net = network()
    averaged = AveragedModel(net, use_buffers=True, **options)
    a, b, c = updates(averaged, net)
    expected = 0.75 * (0.75 * a + 0.25 * b) + 0.25 * c
    np.testing.assert_allclose(averaged.module[0].weight.data, expected)
    assert averaged.module[1].running_mean[0].item() == 0.75 * 0.25 + 0.5


def test_the_state_of_an_average():
    net = network()
    averaged = AveragedModel(net)
    updates(averaged, net)
    state = averaged.state_dict()
    assert list(state)[:2] == ["n_averaged", "module.0.weight"]
    other = AveragedModel(network())
    other.load_state_dict(state)
    assert other.n_averaged.item() == 3


def test_an_average_refuses_two_functions():
    with pytest.raises(ValueError, match="AveragedModel: give avg_fn or multi_avg_fn"):
        AveragedModel(network(), None, get_ema_avg_fn(), get_ema_multi_avg_fn())
    with pytest.raises(ValueError, match="decay is 2"):
        get_ema_avg_fn(2)


@pytest.mark.parametrize("strategy", ["cos", "linear"])
def test_the_schedule(strategy):
    optimizer = optim.SGD(network().parameters(), lr=1.0)
    schedule = SWALR(optimizer, 0.2, anneal_epochs=4, anneal_strategy=strategy)
    rates = []
    for _ in range(6):
        rates.append(optimizer.param_groups[0]["lr"])
        schedule.step()
    shares = [min(k / 4, 1.0) for k in range(6)]
    if strategy == "cos":
        shares = [(1 - math.cos(math.pi * t)) / 2 for t in shares]
    np.testing.assert_allclose(rates, [1.0 + s * (0.2 - 1.0) for s in shares])


def test_the_schedule_takes_over_from_another():
    optimizer = optim.SGD(network().parameters(), lr=1.0)
    other = optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    schedule = SWALR(optimizer, 0.2, anneal_epochs=2, anneal_strategy="linear")
    other.step()
    rates = []
    for _ in range(3):
        schedule.step()
        rates.append(optimizer.param_groups[0]["lr"])
    np.testing.assert_allclose(rates, [0.35, 0.2, 0.2])  # from 0.5
    at_once = SWALR(optim.SGD(network().parameters(), lr=1.0), [0.3], anneal_epochs=0)
    assert at_once.get_last_lr() == [0.3]
    for options, text in (({"anneal_strategy": "x"}, "'x'"), ({"anneal_epochs": -1}, "-1")):
        with pytest.raises(ValueError, match=f"^SWALR: .*{text}"):
            SWALR(optimizer, 0.1, **options)


def test_statistics_anew():
    net = network()
    net[1].eval()
    x = tn.randn(12, 2, dtype="float64")
    update_bn([(x[:6], None), [x[6:]]], net)
    h = net[0](x).detach()
    halves = h[:6], h[6:]
    np.testing.assert_allclose(net[1].running_mean.numpy(), h.mean(0).numpy())
    np.testing.assert_allclose(
        net[1].running_var.numpy(), ((halves[0].var(0) + halves[1].var(0)) / 2).numpy()
    )
    assert net[1].momentum == 0.1
    assert net[1].num_batches_tracked.item() == 2
    assert (net.training, net[1].training) == (True, False)
    update_bn([], nn.Linear(2, 2))


def test_a_loop_as_in_pytorch():
    torch = pytest.importorskip("torch")
    from torch.optim import swa_utils as theirs

    ours_net = network()
    their_net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3)).double()
    their_net.load_state_dict({k: torch.tensor(v) for k, v in ours_net.state_dict().items()})
    x = np.random.default_rng(0).normal(size=(8, 2))
    rates, averages = [], []
    for lib, net, swa, sgd in (
        (tn, ours_net, optim.swa_utils, optim.SGD),
        (torch, their_net, theirs, torch.optim.SGD),
    ):
        optimizer, data = sgd(net.parameters(), lr=0.5), lib.tensor(x)
        averaged = swa.AveragedModel(net, multi_avg_fn=swa.get_ema_multi_avg_fn(0.5))
        schedule = swa.SWALR(optimizer, swa_lr=0.1, anneal_epochs=3)
        for _ in range(5):
            optimizer.zero_grad()
            (net(data) ** 2 * 0.3).sum().backward()
            optimizer.step()
            averaged.update_parameters(net)
            schedule.step()
            rates.append(optimizer.param_groups[0]["lr"])
        swa.update_bn([data[:4], data[4:]], averaged)
        averages.append([np.array(p.detach().numpy()) for p in averaged.parameters()])
        averages[-1] += [np.array(b.numpy()) for b in averaged.module.buffers()]
    np.testing.assert_allclose(rates[:5], rates[5:])
    for a, b in zip(*averages, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_an_average_of_a_copy_is_its_own():
    net = network()
    averaged = AveragedModel(net)
    again = copy.deepcopy(averaged)
    updates(again, net, 1)
    assert averaged.n_averaged.item() == 0
