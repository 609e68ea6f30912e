"""The functions of shapes, positions and masks on the stand-in for CuPy, with gradients."""

from __future__ import annotations

import cupy_standin
import public_shapes as shapes
import pytest

import tinynet as tn
from tinynet import backend

CASES = {**shapes.METHODS, **shapes.TOP_LEVEL}


@pytest.mark.parametrize("name", CASES)
def test_a_function_runs_on_the_device(name, monkeypatch):
    f, inputs = CASES[name]
    want = f(*[tn.tensor(x) for x in inputs])
    monkeypatch.setitem(backend.devices._settings, "cuda works", False)
    cupy_standin.install(monkeypatch)
    for constant in ("MASK", "ALONG", "ONCE", "FLAT"):
        monkeypatch.setattr(shapes, constant, tn.tensor(getattr(shapes, constant)).to("cuda"))
    xs = [tn.tensor(x).to("cuda").requires_grad_() for x in inputs]
    y = f(*xs)
    y.sum().backward()
    assert y.device == "cuda"
    assert all(x.grad is None or x.grad.device == "cuda" for x in xs)
    if name != "bernoulli":
        assert abs(y.detach().cpu() - want).amax().item() < 1e-12
