"""Every public layer, loss, optimizer and schedule is checked or marked; any other fails."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import tinynet as tn
from tinynet import nn, optim
from tinynet.testing import check_grads
from tinynet.testing.strategies import networks


def x64(*shape: int, seed: int = 0) -> np.ndarray:
    """Distinct unordered numbers away from 0: no ties and no kinks."""
    rng = np.random.default_rng([seed, *shape])
    ladder = np.linspace(0.2, 1.8, int(np.prod(shape))) * rng.choice([-1.0, 1.0], np.prod(shape))
    return rng.permutation(ladder).reshape(shape)


IMAGE, ROWS = x64(2, 3, 5, 4), x64(3, 4)
LABELS = tn.tensor(np.array([2, 0, 1]))
SOFT = np.array([[0.2, 0.5, 0.2, 0.1], [0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.3, 0.2]])

# of each name: how it is made, and its inputs
LAYERS: dict[str, list[tuple[Callable[[], nn.Module], np.ndarray]]] = {
    "AdaptiveAvgPool2d": [(lambda: nn.AdaptiveAvgPool2d((2, 3)), IMAGE)],
    "AvgPool2d": [
        (lambda: nn.AvgPool2d(2), IMAGE),
        (lambda: nn.AvgPool2d(3, 2, 1, count_include_pad=False), IMAGE),
    ],
    "BatchNorm1d": [
        (lambda: nn.BatchNorm1d(4), x64(5, 4)),
        (lambda: nn.BatchNorm1d(3).eval(), x64(2, 3, 4)),
    ],
    "BatchNorm2d": [
        (lambda: nn.BatchNorm2d(3), IMAGE),
        (lambda: nn.BatchNorm2d(3, affine=False, track_running_stats=False), IMAGE),
    ],
    "Conv2d": [
        (lambda: nn.Conv2d(3, 2, (3, 2), (2, 1), 1), IMAGE),
        (lambda: nn.Conv2d(4, 6, 2, dilation=2, groups=2, bias=False), x64(1, 4, 4, 3)),
        (lambda: nn.Conv2d(3, 1, (2, 3), padding="same"), IMAGE),
    ],
    "Dropout": [(lambda: nn.Dropout(0.5).eval(), ROWS)],
    "ELU": [(lambda: nn.ELU(0.7), ROWS)],
    "Flatten": [(lambda: nn.Flatten(), IMAGE)],
    "GELU": [(lambda: nn.GELU(), ROWS), (lambda: nn.GELU("tanh"), ROWS)],
    "Identity": [(lambda: nn.Identity(), ROWS)],
    "LayerNorm": [
        (lambda: nn.LayerNorm(4), ROWS),
        (lambda: nn.LayerNorm((5, 4), elementwise_affine=False), IMAGE),
    ],
    "LeakyReLU": [(lambda: nn.LeakyReLU(0.2), ROWS)],
    "Linear": [
        (lambda: nn.Linear(4, 5), ROWS),
        (lambda: nn.Linear(4, 2, bias=False), x64(2, 3, 4)),
    ],
    "LogSoftmax": [(lambda: nn.LogSoftmax(1), ROWS)],
    "MaxPool2d": [(lambda: nn.MaxPool2d(2), IMAGE), (lambda: nn.MaxPool2d(3, 1, 1), IMAGE)],
    "ReLU": [(lambda: nn.ReLU(), ROWS)],
    "Sequential": [(lambda: nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)), ROWS)],
    "SiLU": [(lambda: nn.SiLU(), ROWS)],
    "Sigmoid": [(lambda: nn.Sigmoid(), ROWS)],
    "Softmax": [(lambda: nn.Softmax(0), ROWS)],
    "Softplus": [(lambda: nn.Softplus(2.0), ROWS)],
    "Tanh": [(lambda: nn.Tanh(), ROWS)],
}
# of each name: how it is made, and the target; a target of real numbers is differentiated too
LOSSES: dict[str, list[tuple[Callable[[], nn.Module], Any]]] = {
    "BCEWithLogitsLoss": [(lambda: nn.BCEWithLogitsLoss(), SOFT)],
    "CrossEntropyLoss": [
        (lambda: nn.CrossEntropyLoss(), LABELS),
        (lambda: nn.CrossEntropyLoss(ignore_index=0, label_smoothing=0.2), LABELS),
        (lambda: nn.CrossEntropyLoss(reduction="none"), SOFT),
    ],
    "HuberLoss": [(lambda: nn.HuberLoss(delta=0.9), x64(3, 4, seed=1))],
    "L1Loss": [(lambda: nn.L1Loss(reduction="sum"), x64(3, 4, seed=1))],
    "MSELoss": [(lambda: nn.MSELoss(), x64(3, 4, seed=1))],
}
NOT_LAYERS = {
    "Embedding": "its input are labels; its weights are checked by test_embedding_weights",
    "Module": "the base class, without a forward",
    "ModuleList": "a container without a forward",
    "Parameter": "a leaf, no layer",
}
MODULES = {"init": "draws numbers, by the variances that test_nn_layers measures",
           "utils": "changes gradients in place: test_nn_layers, test_clipping_*"}  # fmt: skip


def test_every_name_of_nn_is_in_a_table() -> None:
    names = set(nn.__all__)
    tables = [set(LAYERS), set(LOSSES), set(NOT_LAYERS), set(MODULES)]
    known = set().union(*tables)
    assert names - known == set(), "a layer or loss without a gradient test"
    assert known - names == set(), "no such name"
    assert sum(map(len, tables)) == len(known)
    for name in LAYERS.keys() | LOSSES.keys():
        assert issubclass(getattr(nn, name), nn.Module)


@pytest.mark.parametrize(("name", "k"), [(a, k) for a in LAYERS for k in range(len(LAYERS[a]))])
def test_layers_to_second_order(name: str, k: int) -> None:
    tn.manual_seed(1)
    make, array = LAYERS[name][k]
    layer = make().double()
    assert type(layer).__name__ == name
    report = check_grads(layer, tn.tensor(array, requires_grad=True), allow_constant=True)
    assert report.comparisons
    assert not report.kinks


@pytest.mark.parametrize("name", LOSSES)
def test_losses_to_second_order(name: str) -> None:
    for make, target in LOSSES[name]:
        inputs = [tn.tensor(ROWS, requires_grad=True), target]
        if isinstance(target, np.ndarray):
            inputs[1] = tn.tensor(target, requires_grad=True)
        report = check_grads(make(), inputs)
        assert not report.kinks
        assert not report.constant or name in ("L1Loss", "HuberLoss")  # of slope +-1 and +-delta


def test_embedding_weights() -> None:
    table = nn.Embedding(4, 3).double()
    check_grads(table, tn.tensor(np.array([[1, 1], [3, 0]])))


# --- optimizers: three steps by hand, schedules by their formulas --------------------------------

BY_HAND = {
    "Adam": ("test_optim", "test_adam_by_hand"),
    "AdamW": ("test_optim", "test_adamw_by_hand"),
    "RMSprop": ("test_optim", "test_rmsprop_by_hand"),
    "SGD": ("test_optim", "test_sgd_by_hand"),
    "CosineAnnealingLR": ("test_lr_scheduler", "test_rates"),
    "LambdaLR": ("test_lr_scheduler", "test_rates"),
    "LinearLR": ("test_lr_scheduler", "test_rates"),
    "SequentialLR": ("test_lr_scheduler", "test_rates"),
    "StepLR": ("test_lr_scheduler", "test_rates"),
}
BASES = {"Optimizer", "LRScheduler"}


def _own_classes(module: Any) -> set[str]:
    return {
        name for name, value in vars(module).items()
        if inspect.isclass(value) and value.__module__.startswith("tinynet.optim")
        and not name.startswith("_")
    }  # fmt: skip


def test_every_optimizer_and_schedule_has_a_test_by_hand() -> None:
    schedules = _own_classes(optim.lr_scheduler) - _own_classes(optim)
    names = (set(optim.__all__) - {"lr_scheduler"}) | schedules
    assert names - BASES - set(BY_HAND) == set(), "an optimizer or schedule without a hand table"
    assert set(BY_HAND) <= names
    for name, (module, test) in BY_HAND.items():
        found = importlib.import_module(module)
        assert callable(getattr(found, test)), f"{module}.{test}, which is to test {name}"
        assert name in inspect.getsource(found)


@settings(max_examples=15)
@given(networks())
def test_whole_networks_to_second_order(drawn):
    model, x = drawn
    inputs = [tn.tensor(x, requires_grad=True)]
    # a bias before a normalisation has no effect: its gradient is rounding
    check_grads(model, inputs, allow_constant=True, max_entries=12)
