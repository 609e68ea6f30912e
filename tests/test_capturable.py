"""Every operation, optimizer and whole step on arrays that notice what a replay would miss.

`recording_array` says what that is, `test_capturable_source` what the rules are; functions and
layers are in `test_capturable_layers`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from op_case import is_real, joined
from op_cases import table
from optimizer_cases import OPTIMIZERS, gradients_for, parameters
from recording_array import (
    HostRead,
    PlainOperand,
    RecordingArray,
    Wrap,
    assert_recorded,
    bits,
    derivatives,
    plain,
    real,
    recorded,
    stripped,
    wrapped,
)

import tinynet as tn
import tinynet.functional as F
from tinynet import backend, memory, models, nn, random
from tinynet.ops import registry

TABLE = table()
CASES = [(name, k) for name in registry() for k in range(len(TABLE[name]))]
# operations with an option that is a mask: how many entries it takes is a value, not a shape
OF_MASKS = {("getitem", 7), ("getitem", 8), ("index_add", 7), ("index_add", 8)}


def run_case(name: str, k: int, wrap: Wrap) -> list[Any]:
    case = TABLE[name][k]
    args = [tn.Tensor(wrap(a.copy()), is_real(a)) if isinstance(a, np.ndarray) else a
            for a in case.inputs]  # fmt: skip
    y = joined(registry()[name](*args, **wrap(case.options)))
    return derivatives(y, [a for a in args if isinstance(a, tn.Tensor) and a.requires_grad], wrap)


@pytest.mark.parametrize(("name", "k"), [c for c in CASES if c not in OF_MASKS])
def test_an_operation_is_capturable(name: str, k: int) -> None:
    assert_recorded(lambda wrap: run_case(name, k, wrap))


@pytest.mark.parametrize(("name", "k"), sorted(OF_MASKS))
def test_shapes_that_depend_on_values_are_noticed(name: str, k: int) -> None:
    with pytest.raises(HostRead, match="the shape of x"):
        run_case(name, k, recorded)


# --- a step --------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", ["LeNet", "CifarCNN"])
def test_a_training_step_is_capturable(network: str) -> None:
    shape = (24, 1, 28, 28) if network == "LeNet" else (8, 3, 32, 32)

    def run(wrap: Wrap) -> list[Any]:
        tn.manual_seed(0)
        model = wrapped(getattr(models, network)(), wrap)
        params = list(model.parameters())
        optimizer = tn.optim.AdamW(params)
        x, t = tn.Tensor(wrap(real(*shape))), tn.Tensor(wrap(np.arange(shape[0]) % 10))
        found = []
        for _ in range(2):
            loss = F.cross_entropy(model(x), t)
            optimizer.zero_grad()
            loss.backward()
            norm = nn.utils.clip_grad_norm_(params, 1.0, error_if_nonfinite=True)
            nn.utils.clip_grad_value_(params, 0.1)
            optimizer.step()
            found += [loss.data, norm.data, *(p.grad.data for p in params)]
        return found + [p.data for p in params]

    assert_recorded(run)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_numbers_of_a_step_are_arguments(name: str, dtype: str) -> None:
    """A step is the same if its scalars are recorded arrays: none is read or recomputed.

    They change with the step's number and with a schedule of the rate.
    """

    def run(wrap: Wrap) -> list[Any]:
        params = parameters(dtype)
        for p in params:
            p.data = wrap(p.data)
        plain_one = OPTIMIZERS[name](params)

        class Wrapped(type(plain_one)):  # type: ignore[misc]
            def _scalars(self, options: Any, t: int) -> Any:
                return wrap(tuple(np.array(s, dtype) for s in super()._scalars(options, t)))

        taken = inspect.signature(type(plain_one)).parameters
        options = plain_one.defaults.items()
        made = Wrapped(params, **{k: v for k, v in options if k in {*taken, "maximize"}})
        for step in range(4):
            gradients_for(params, step)
            for p in params:
                p.grad.data = wrap(p.grad.data)
            made.param_groups[0]["lr"] = 0.1 / (step + 1)
            made.step()
        slots = [s for flats in made._flat for flat in flats for s in flat.slots.values()]
        return [p.data for p in params] + slots

    assert_recorded(run)
    given = parameters(dtype)
    optimizer = OPTIMIZERS[name](given)
    for step in range(4):
        gradients_for(given, step)
        optimizer.param_groups[0]["lr"] = 0.1 / (step + 1)
        optimizer.step()
    assert bits([p.data for p in given]) == bits(run(plain)[: len(given)])


# --- the arrays themselves -----------------------------------------------------------------------


def test_new_arrays_are_like_one_that_is_there() -> None:
    x = recorded(np.ones((3, 4), "float32"))
    found = [
        backend.empty((2,), x), backend.zeros((2,), x), backend.full((), 1.0, x),
        backend.arange(3, x), backend.eye(2, x), backend.constant([1, 2], x, "int64"),
        random.uniform((2, 3), x), memory.workspace("of a test", (5,), x),
        memory.as_strided(x, (2, 2), (4, 4)), memory.broadcast_to(x[0, 0], (2, 3)),
        memory.first_axis_last(x), memory.contiguous(x.T),
    ]  # fmt: skip
    assert not stripped(*found)
    assert type(memory.workspace("of a test", (5,), np.ones(2, "float32"))) is np.ndarray
    tn.manual_seed(3)
    drawn = random.uniform((2, 3), x)
    tn.manual_seed(3)
    want = random.generator().random((2, 3), dtype="float32")
    assert bits([drawn]) == [want.tobytes()]


READS: dict[str, Callable[[Any], Any]] = {
    "bool": lambda x: bool(x[0] > 0),
    "int": lambda x: int(x[0]),
    "float": lambda x: float(x.sum()),
    "index": lambda x: [1, 2, 3][x[0].astype("int64")],
    "item": lambda x: x[:1].item(),
    "tolist": lambda x: x.tolist(),
    "if": lambda x: 1 if (x > 0).any() else 0,
    "nonzero": lambda x: x.nonzero(),
}


@pytest.mark.parametrize("name", READS)
def test_a_read_on_the_host_is_noticed(name: str) -> None:
    with pytest.raises(HostRead, match=r"test_capturable.py:\d+"):
        READS[name](recorded(real(4)))


def test_check_may_read() -> None:
    x = recorded(real(4))
    backend.check(x < 100.0, lambda: ValueError("too large"))
    with pytest.raises(ValueError, match="too large"):
        backend.check(x < -100.0, lambda: ValueError("too large"))


def test_a_stripped_array_is_noticed() -> None:
    x = recorded(real(3))
    assert type(x + 1.0) is RecordingArray
    assert stripped(np.asarray(x), x) == [(3,)]
    mixed = [
        lambda: x + np.ones(3),
        lambda: np.where(x > 0, np.zeros(3), x),
        lambda: x[np.array([0, 1])],
        lambda: np.add(x, x, out=np.empty(3)),
    ]
    for function in mixed:
        with pytest.raises(PlainOperand, match="is not a recorded one"):
            function()
