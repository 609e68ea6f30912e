"""Every loss, layer and composed function on arrays that notice what a replay would miss.

`recording_array` says what that is, `test_capturable_source` what the rules are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from op_case import is_real
from recording_array import Wrap, assert_recorded, derivatives, real, wrapped

import tinynet as tn
import tinynet.functional as F
from tinynet import nn

LABELS = np.array([2, 0, 3, 1, 2])
IMAGES = real(16, 3, 12, 12)  # large enough for row-wise convolution and flat calls
ROWS = real(5, 4)
FUNCTIONS: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "cross_entropy": (lambda x, t: F.cross_entropy(x, t), [ROWS, LABELS]),
    "cross_entropy, smooth": (
        lambda x, t: F.cross_entropy(x, t, label_smoothing=0.1, ignore_index=2),
        [ROWS, LABELS],
    ),
    "cross_entropy, probabilities": (
        lambda x, q: F.cross_entropy(x, q.softmax(1), label_smoothing=0.1),
        [ROWS, ROWS[::-1].copy()],
    ),
    "binary_cross_entropy_with_logits": (
        lambda x, z: F.binary_cross_entropy_with_logits(x, z.sigmoid()),
        [ROWS, ROWS[::-1].copy()],
    ),
    "mse_loss": (F.mse_loss, [ROWS, ROWS[::-1].copy()]),
    "l1_loss": (F.l1_loss, [ROWS, ROWS[::-1].copy()]),
    "huber_loss": (lambda x, t: F.huber_loss(x, t, delta=0.5), [ROWS, ROWS[::-1].copy()]),
    "l1_penalty": (lambda x: F.l1_penalty([x]), [ROWS]),
    "l2_penalty": (lambda x: F.l2_penalty([x]), [ROWS]),
    "one_hot": (lambda t: F.one_hot(t, 4), [LABELS]),
    "pad": (lambda x: F.pad(x, (1, -1, 2, 0), value=3.0), [ROWS]),
    "unfold": (lambda x: F.unfold(x, (3, 2), padding=1, stride=2), [IMAGES]),
    "fold": (lambda x: F.fold(x, (3, 4), 2), [real(2, 12, 6)]),
    "adaptive_max_pool2d": (lambda x: F.adaptive_max_pool2d(x, (5, 7)), [IMAGES]),
    "avg_pool2d": (lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False), [IMAGES]),
    "conv2d": (lambda x, w: F.conv2d(x, w, padding="same"), [IMAGES, real(4, 3, 4, 3)]),
    "gelu": (lambda x: F.gelu(x, "tanh"), [ROWS]),
    "logsigmoid": (F.logsigmoid, [ROWS]),
}  # fmt: skip
LAYERS: dict[str, tuple[Callable[[], nn.Module], list[Any]]] = {
    "AdaptiveAvgPool2d": (lambda: nn.AdaptiveAvgPool2d((5, 7)), [IMAGES]),
    "AvgPool2d": (lambda: nn.AvgPool2d(3, 2, 1), [IMAGES]),
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss, [ROWS, (ROWS > 0).astype("float32")]),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(4), [ROWS]),
    "BatchNorm1d, mean": (lambda: nn.BatchNorm1d(4, momentum=None), [ROWS]),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(3), [IMAGES]),
    "BatchNorm2d, evaluating": (lambda: nn.BatchNorm2d(3).eval(), [IMAGES]),
    "Conv2d": (lambda: nn.Conv2d(3, 4, 3, padding=1), [IMAGES]),
    "Conv2d, grouped": (lambda: nn.Conv2d(3, 6, 2, 2, dilation=2, groups=3), [IMAGES]),
    "CrossEntropyLoss": (nn.CrossEntropyLoss, [ROWS, LABELS]),
    "Dropout": (lambda: nn.Dropout(0.4), [ROWS]),
    "ELU": (nn.ELU, [ROWS]),
    "Embedding": (lambda: nn.Embedding(4, 3), [LABELS]),
    "Flatten": (nn.Flatten, [IMAGES]),
    "GELU": (nn.GELU, [ROWS]),
    "HuberLoss": (nn.HuberLoss, [ROWS, ROWS[::-1].copy()]),
    "Identity": (nn.Identity, [ROWS]),
    "L1Loss": (nn.L1Loss, [ROWS, ROWS[::-1].copy()]),
    "LayerNorm": (lambda: nn.LayerNorm(4), [ROWS]),
    "LeakyReLU": (nn.LeakyReLU, [ROWS]),
    "Linear": (lambda: nn.Linear(4, 3), [real(2, 5, 4)]),
    "LogSoftmax": (lambda: nn.LogSoftmax(1), [ROWS]),
    "MSELoss": (nn.MSELoss, [ROWS, ROWS[::-1].copy()]),
    "MaxPool2d": (lambda: nn.MaxPool2d(3, 2, 1), [IMAGES]),
    "ReLU": (nn.ReLU, [IMAGES]),
    "SiLU": (nn.SiLU, [ROWS]),
    "Sigmoid": (nn.Sigmoid, [ROWS]),
    "Softmax": (lambda: nn.Softmax(1), [ROWS]),
    "Softplus": (lambda: nn.Softplus(2.0), [ROWS]),
    "Tanh": (nn.Tanh, [ROWS]),
}  # fmt: skip
NOT_LAYERS = {"Module", "ModuleList", "Parameter", "Sequential", "init", "utils"}


def test_the_tables_are_complete() -> None:
    assert {name.partition(",")[0] for name in LAYERS} == set(nn.__all__) - NOT_LAYERS
    losses = {n for n in F.__all__ if n.endswith(("loss", "penalty", "entropy", "logits"))}
    assert losses <= {name.partition(",")[0] for name in FUNCTIONS}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_capturable(name: str) -> None:
    function, arrays = FUNCTIONS[name]

    def run(wrap: Wrap) -> list[Any]:
        inputs = [tn.Tensor(wrap(a.copy()), is_real(a)) for a in arrays]
        return derivatives(function(*inputs), [x for x in inputs if x.requires_grad], wrap)

    assert_recorded(run)


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_capturable(name: str) -> None:
    make, arrays = LAYERS[name]

    def run(wrap: Wrap) -> list[Any]:
        tn.manual_seed(0)
        layer = wrapped(make(), wrap)
        inputs = [tn.Tensor(wrap(a.copy()), is_real(a)) for a in arrays]
        tracked = [t for t in (*inputs, *layer.parameters()) if t.requires_grad]
        found = derivatives(layer(*inputs), tracked, wrap)
        return [*found, *(b.data for b in layer.buffers())]

    assert_recorded(run)
