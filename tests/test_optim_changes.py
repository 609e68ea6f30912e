"""Optimizers whose parameters change between steps: other lists, groups, devices and shapes."""

from __future__ import annotations

import cupy_standin
import numpy as np
import pytest
from optimizer_cases import OPTIMIZERS, gradients_for, numbers, parameters, same, take

import tinynet as tn
from tinynet import backend, nn


@pytest.fixture(params=OPTIMIZERS)
def make(request):
    return OPTIMIZERS[request.param]


def test_continues_after_the_module_moved(make, monkeypatch):
    monkeypatch.setitem(backend.devices._settings, "cuda works", False)
    cupy_standin.install(monkeypatch)
    net, other = nn.Linear(4, 3).double(), nn.Linear(4, 3).double()
    other.load_state_dict(net.state_dict())
    a, b = make(net.parameters()), make(other.parameters())
    for step, move in enumerate([None, "cuda", "cpu"]):
        if move:
            net.to(move)
        take(step, net.parameters(), a)
        take(step, other.parameters(), b)
    assert same(numbers(net.parameters()), numbers(other.parameters()))
    net.float()
    take(5, net.parameters(), a)
    for entry in a.state_dict()["state"].values():
        arrays = [v for v in entry.values() if not isinstance(v, int | float)]
        assert all(v.dtype == np.float32 for v in arrays)


def test_loading_keeps_the_state_of_parameters_in_no_group(make):
    """Loading what was just saved changes nothing."""
    results = []
    for load in (False, True):
        a, b = nn.Parameter(tn.ones(2)), nn.Parameter(tn.ones(3))
        optimizer = make([a, b])
        for step in range(3):
            take(step, [a, b], optimizer)
        optimizer.param_groups[0]["params"].pop(1)
        if load:
            optimizer.load_state_dict(optimizer.state_dict())
        optimizer.param_groups[0]["params"].append(b)
        take(3, [a, b], optimizer)
        results.append(numbers([a, b]))
    assert same(*results)


# The group of a parameter at each step: frozen for a while (None), or moved to another and back.
PLACES = {
    "frozen": [0, 0, None, None, 0, 0],
    "to the next": [0, 0, 1, 1, 0, 0],
    "to the one before": [1, 1, 0, 0, 1, 1],
}


@pytest.mark.parametrize("places", PLACES.values(), ids=PLACES)
def test_state_follows_a_parameter_out_of_its_group_and_back(make, places):
    params, alone = parameters("float64")[:4], parameters("float64")[:4]
    moved, first, *second = params
    groups = [[first], second]
    groups[places[0]].append(moved)
    optimizer = make([{"params": group} for group in groups])
    other = make(alone)
    for step, place in enumerate(places):
        for number, group in enumerate(optimizer.param_groups):
            kept = [p for p in group["params"] if p is not moved]
            kept.reverse()  # so that another change happens at each step
            group["params"] = [moved, *kept] if number == place else kept
        take(step, params, optimizer)
        take(step, alone, other, missing=[0] if place is None else ())
        saved, expected = optimizer.state_dict()["state"], other.state_dict()["state"]
        assert len(saved) == len(expected) - (place is None and 0 in expected)
    assert same(numbers(params), numbers(alone))


def test_parameters_that_change_groups_take_the_options_of_the_new_one(make):
    params, alone = parameters("float64")[:2], parameters("float64")[:2]
    optimizer = make([{"params": [p], "lr": lr} for p, lr in zip(params, (0.1, 0.2), strict=True)])
    each = [make([p], lr=lr) for p, lr in zip(alone, (0.1, 0.2), strict=True)]
    for step in range(4):
        if step == 2:
            one, two = optimizer.param_groups
            one["params"], two["params"] = two["params"], one["params"]
            each[0].param_groups[0]["lr"], each[1].param_groups[0]["lr"] = 0.2, 0.1
        take(step, params, optimizer)
        take(step, alone, *each)
    assert same(numbers(params), numbers(alone))


@pytest.mark.parametrize("shape", [(1,), (2,), (4,)], ids=str)
def test_another_shape_is_refused_beside_other_changes_and_nothing_is_lost(make, shape):
    a, b = nn.Parameter(tn.ones(3)), nn.Parameter(tn.ones(2))
    optimizer = make([a, b])
    for p in (a, b):
        p.grad = tn.ones(p.shape)
    optimizer.step()
    before = optimizer.state_dict()
    if not before["state"]:
        pytest.skip("plain SGD has no state to lose")
    a.data, a.grad = np.ones(shape, "float32"), None
    for change in ("list", "dtype"):
        if change == "list":
            optimizer.param_groups[0]["params"] = [a]
        else:
            optimizer.param_groups[0]["params"] = [a, b]
            a.data = np.ones(shape)
        for _ in range(2):
            with pytest.raises(ValueError, match=r"had shape \(3,\) .*; create a new optimizer"):
                optimizer.step()
    a.data = np.ones(3, "float32")
    after = optimizer.state_dict()
    assert after["state"].keys() == before["state"].keys()
    for i, entry in before["state"].items():
        assert same(entry.values(), after["state"][i].values())


def test_an_interrupt_while_the_arrays_are_rebuilt_loses_no_state(make, monkeypatch):
    params, alone = parameters("float64"), parameters("float64")
    optimizer, other = make(params), make(alone)
    asarray, calls = backend.asarray, []

    def interrupted(*args):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return asarray(*args)

    for step in range(4):
        gradients_for(params, step)
        if step == 2 and optimizer.state_dict()["state"]:
            optimizer.param_groups[0]["params"].reverse()
            with monkeypatch.context() as patch:
                patch.setattr(backend, "asarray", interrupted)
                with pytest.raises(KeyboardInterrupt):
                    optimizer.step()
        optimizer.step()
        take(step, alone, other)
    assert same(numbers(params), numbers(alone))
