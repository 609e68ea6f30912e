"""Every optimizer, and parameters and gradients for it to update."""

from __future__ import annotations

import numpy as np

import tinynet as tn
from tinynet import backend, nn, optim

OPTIMIZERS = {
    "SGD": lambda p, **kw: optim.SGD(p, **{"lr": np.float64(0.1), **kw}),
    "momentum": lambda p, **kw: optim.SGD(p, **{"lr": np.float64(0.1), "momentum": 0.9, **kw}),
    "Nesterov": lambda p, **kw: optim.SGD(
        p, **{"lr": np.float64(0.1), "momentum": np.float64(0.9), "nesterov": True, **kw}
    ),
    "Adam": lambda p, **kw: optim.Adam(p, **{"lr": np.float64(0.1), "weight_decay": 0.1, **kw}),
    "AdamW": lambda p, **kw: optim.AdamW(p, **{"lr": np.float64(0.1), **kw}),
    "RMSprop": lambda p, **kw: optim.RMSprop(
        p, **{"lr": np.float64(0.1), "momentum": 0.9, "centered": True, **kw}
    ),
}
SHAPES = [(3, 4), (), (5,), (2, 3, 2, 2), (0, 3)]


def parameters(dtype="float32", seed=0):
    rng = np.random.default_rng(seed)
    return [nn.Parameter(tn.tensor(rng.normal(size=s), dtype=dtype).to(backend.default_device()))
            for s in SHAPES]  # fmt: skip


def gradients_for(params, step, missing=()):
    rng = np.random.default_rng(100 + step)
    for i, p in enumerate(params):
        g = tn.tensor(rng.normal(size=p.shape), dtype=p.dtype).to(p.device)
        p.grad = None if i in missing else g


def take(step, params, *optimizers, missing=()):
    """Step the optimizers of `params`, which get the gradients of this step first."""
    gradients_for(params, step, missing)
    for optimizer in optimizers:
        optimizer.step()


def numbers(params):
    return [p.detach().numpy().copy() for p in params]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
