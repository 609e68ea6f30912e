"""nn without windows on either device: values and gradients stay where the input is."""

from __future__ import annotations

from typing import Any

import layer_cases
import numpy as np
import public_layers
import pytest

import tinynet as tn
import tinynet.functional as F
from tinynet import nn

FUNCTIONS = {**public_layers.FUNCTIONS, **public_layers.RECORDED}


def stays(f: Any, arrays: list[np.ndarray], device: str) -> None:
    inputs = [tn.tensor(a, requires_grad=a.dtype.kind == "f", device=device) for a in arrays]
    y = f(*inputs)
    (y * y).sum().backward()
    assert {t.device for t in (y, *(x.grad for x in inputs if x.grad is not None))} == {device}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str, default_device: str) -> None:
    f, arrays = FUNCTIONS[name]
    stays(f, arrays, default_device)


MODULES = [
    *((expression, [np.linspace(-1.0, 1.3, int(np.prod(shape))).reshape(shape)])
      for expression, shape in layer_cases.LAYERS),
    *layer_cases.OTHERS,
]  # fmt: skip


@pytest.mark.parametrize(("expression", "arrays"), MODULES, ids=[e for e, _ in MODULES])
def test_layers(expression: str, arrays: list[np.ndarray], default_device: str) -> None:
    stays(eval(expression, dict(vars(nn))).double(), arrays, default_device)


def test_options_and_initial_weights(default_device: str) -> None:
    made = [
        *(getattr(nn.init, name)(tn.zeros(4, 3)) for name in ("orthogonal_", "trunc_normal_",
                                                              "eye_")),
        nn.init.dirac_(tn.zeros(4, 3, 3, 3)),
        nn.init.sparse_(tn.zeros(4, 3), 0.3),
        nn.Embedding(4, 3, padding_idx=2).weight,
        F.embedding(tn.tensor([0, 1]), tn.ones(3, 2), 1, 0.5, scale_grad_by_freq=True),
        F.embedding_bag(tn.tensor([0, 1]), tn.ones(3, 2), tn.tensor([0, 1]), mode="max",
                        padding_idx=0),
        F.one_hot(tn.tensor([0, 1])),
        F.cross_entropy(tn.ones(2, 3), tn.tensor([0, 1]), tn.ones(3)),
        F.scaled_dot_product_attention(*[tn.ones(2, 3, 2)] * 3, tn.ones(3, 3), 0.2),
    ]  # fmt: skip
    assert {t.device for t in made} == {default_device}
