"""What looks on while operations run: watchers, and the mode that finds a NaN or an Inf."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from test_autograd import Rules, leaf

import tinynet as tn
from tinynet.autograd import Op, Watcher

# --- watchers ------------------------------------------------------------------------------------


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


# --- anomaly mode --------------------------------------------------------------------------------


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
