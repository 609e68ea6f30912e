"""Whatever a public function is given, it returns, or raises an error that begins with its name."""

from __future__ import annotations

import inspect
import types
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinynet as tn
import tinynet.functional as F

ALLOWED = (TypeError, ValueError, IndexError, RuntimeError, NotImplementedError)
ROUNDS = 60


def read_only(shape: tuple[int, ...]) -> np.ndarray:
    a = np.ones(shape, "float32")
    a.setflags(write=False)
    return a


def values() -> list[Any]:
    """What people type, right and wrong, made anew for each call."""
    return [
        tn.tensor([[1.0, -2.0, 0.5], [0.3, 4.0, -1.0]], requires_grad=True),
        tn.tensor([[1, 2], [0, 3]]),
        tn.tensor([True, False, True]),
        tn.tensor(0.5),
        tn.zeros(0, 3),
        tn.ones(2, 3, 4, 4),
        tn.tensor([0, 2, 1]),
        tn.ones(3, 3, dtype="float16"),
        [1.0, 2.0], [[1, 2], [3]], (), (1, 2), (0, 0), None, True, 0, 1, -1, 2, 7, 0.5, -0.5,
        float("nan"), "mean", "nothing", "reflect", np.float64(0.5), np.int64(1), np.bool_(True),
        read_only((2, 3)), np.matrix([[1.0, 2.0], [3.0, 4.0]]),
        np.ma.masked_array([1.0, 2.0], [0, 1]),
        np.array(["a", "b"]), np.array(None), np.array([1 + 2j]), object(), {"a": 1}, slice(1),
        np.arange(6.0).reshape(2, 3), tn.float64, "float32", len,
    ]  # fmt: skip


def public(module: Any) -> dict[str, Callable[..., Any]]:
    """The functions of a module that take tensors."""
    return {
        name: f
        for name in module.__all__
        if isinstance(f := getattr(module, name), types.FunctionType)
        and "input" in inspect.signature(f).parameters
    }


FUNCTIONS = {
    **{f"tn.{name}": f for name, f in public(tn).items()},
    **{f"functional.{name}": f for name, f in public(F).items()},
}


def calls(name: str) -> Iterator[tuple[list[Any], dict[str, Any]]]:
    """Arguments for a function: the first mostly a tensor, the others anything."""
    parameters = inspect.signature(FUNCTIONS[name]).parameters.values()
    positional = [p for p in parameters if p.kind == p.POSITIONAL_OR_KEYWORD]
    required = sum(p.default is p.empty for p in positional)
    more = any(p.kind == p.VAR_POSITIONAL for p in parameters)
    options = [p.name for p in parameters if p.kind == p.KEYWORD_ONLY]
    rng = np.random.default_rng(zlib.crc32(name.encode()))

    def one_of(some: list[Any]) -> Any:
        return some[int(rng.integers(len(some)))]

    for k in range(ROUNDS):
        pool = values()
        count = int(rng.integers(required, len(positional) + 1)) + more * int(rng.integers(3))
        args = [one_of(pool[:8] if i == 0 and k % 4 else pool) for i in range(count)]
        yield args, {option: one_of(pool) for option in options if rng.random() < 0.3}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.filterwarnings("ignore")
def test_a_result_or_an_error_under_its_name(name: str) -> None:
    f, said = FUNCTIONS[name], ""
    for args, named in calls(name):
        try:
            with np.errstate(all="ignore"):
                f(*args, **named)
        except ALLOWED as error:
            said = f"{error} ({type(error).__name__} from {args}, {named})"
        assert said.startswith(f.__name__) or not said, said


@pytest.mark.filterwarnings("ignore")
def test_most_functions_are_walked_and_some_calls_succeed() -> None:
    assert len(FUNCTIONS) > 40
    good = 0
    for name in list(FUNCTIONS)[:40]:
        for args, named in calls(name):
            try:
                FUNCTIONS[name](*args, **named)
            except ALLOWED:
                continue
            good += 1
    assert good > 100
