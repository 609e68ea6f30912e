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
    "amsgrad": lambda p, **kw: optim.Adam(
        p, **{"lr": 0.1, "amsgrad": True, "maximize": True, **kw}
    ),
    "Adagrad": lambda p, **kw: optim.Adagrad(
        p, **{"lr": np.float64(0.1), "lr_decay": 0.1, "initial_accumulator_value": 0.5, **kw}
    ),
    "Adadelta": lambda p, **kw: optim.Adadelta(p, **{"lr": 0.1, "maximize": True, **kw}),
    "Adamax": lambda p, **kw: optim.Adamax(p, **{"lr": 0.1, "weight_decay": 0.1, **kw}),
    "NAdam": lambda p, **kw: optim.NAdam(p, **{"lr": 0.1, **kw}),
    # with these betas the rectified steps begin with the third
    "RAdam": lambda p, **kw: optim.RAdam(
        p,
        **{
            "lr": 0.1,
            "betas": (0.9, 0.9),
            "weight_decay": 0.1,
            "decoupled_weight_decay": True,
            **kw,
        },
    ),
    "ASGD": lambda p, **kw: optim.ASGD(p, **{"lr": 0.1, "lambd": 0.1, "t0": 1, **kw}),
    "Rprop": lambda p, **kw: optim.Rprop(p, **{"lr": 0.1, **kw}),
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
