"""Every loss, layer and composed function on arrays that notice what a replay would miss.

`recording_array` says what that is, `test_capturable_source` what the rules are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import public_layers
import pytest
import test_public_names
from layer_cases import LAYERS, LOGITS, LOSSES, OTHERS, TARGETS
from op_case import is_real
from recording_array import Wrap, assert_recorded, derivatives, real, wrapped

import tinynet as tn
import tinynet.functional as F
from tinynet import nn

LABELS = np.array([2, 0, 3, 1, 2])
FUNCTIONS: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    **test_public_names.FUNCTIONS,
    **public_layers.RECORDED,
    "cross_entropy": (F.cross_entropy, [real(5, 4), LABELS]),
    "embedding": (F.embedding, [LABELS, real(4, 3)]),
    "one_hot": (lambda t: F.one_hot(t, 4), [LABELS]),
}
MODULES: dict[str, list[Any]] = {
    # 16 times the examples: enough for row-wise convolution and flat calls
    **{expression: [real(16 * shape[0], *shape[1:])] for expression, shape in LAYERS},
    **{expression: [LOGITS, TARGETS[kind]] for expression, kind in LOSSES},
    **dict(OTHERS),
    "Bilinear(4, 4, 2)": [real(6, 4), real(6, 4)],
    "BatchNorm2d(3).eval()": [real(16, 3, 4, 4)],
    "Dropout(0.4)": [real(5, 4)],
    "Embedding(4, 3)": [LABELS],
    "EmbeddingBag(4, 3)": [LABELS.reshape(1, -1)],
}
# lazy layers become others; the loss reads labels and lengths, which say how many steps it has
NOT_LAYERS = {name for name in nn.__all__ if name.startswith("Lazy")} | {"CTCLoss"}
NOT_LAYERS |= {"Module", "ModuleDict", "ModuleList", "Parameter", "ParameterDict", "ParameterList",
              "functional", "init", "utils"}  # fmt: skip


def test_the_tables_are_complete() -> None:
    assert {name.partition("(")[0] for name in MODULES} == set(nn.__all__) - NOT_LAYERS
    assert set(FUNCTIONS) == set(F.__all__)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_capturable(name: str) -> None:
    function, arrays = FUNCTIONS[name]

    def run(wrap: Wrap) -> list[Any]:
        inputs = [tn.Tensor(wrap(a.copy()), is_real(a)) for a in arrays]
        return derivatives(function(*inputs), [x for x in inputs if x.requires_grad], wrap)

    assert_recorded(run)


@pytest.mark.parametrize("expression", MODULES)
def test_a_layer_is_capturable(expression: str) -> None:
    def run(wrap: Wrap) -> list[Any]:
        tn.manual_seed(0)
        layer = wrapped(eval(expression, dict(vars(nn))), wrap)
        inputs = [tn.Tensor(wrap(a.copy()), is_real(a)) for a in MODULES[expression]]
        tracked = [t for t in (*inputs, *layer.parameters()) if t.requires_grad]
        found = derivatives(layer(*inputs), tracked, wrap)
        return [*found, *(b.data for b in layer.buffers())]

    assert_recorded(run)
