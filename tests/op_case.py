"""One case of the table in `op_cases`, its numbers, and the operation as a function of them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import tinynet as tn
from tinynet.autograd import Op
from tinynet.testing.strategies import contents


@dataclass(frozen=True)
class Case:
    """One call of an operation.

    Attributes:
        inputs: arrays become Tensors (those of floats with a gradient); None and numbers stay.
        want: the definition, called with the same inputs and options.
        options: keyword options of the operation.
        view: whether the result may share memory with an input.
        layouts: whether the case is repeated for other memory orders.
        symmetric: whether the operation is one of symmetric matrices: differences are taken
            between those.
    """

    inputs: Sequence[Any]
    want: Callable[..., Any]
    options: dict[str, Any] = field(default_factory=dict)
    view: bool = False
    layouts: bool = True
    symmetric: bool = False


def joined(y: Any) -> Any:
    """The output of an operation; the floats of several outputs in one row."""
    if not isinstance(y, tuple):
        return y
    rows = [o.reshape(-1) for o in y if o.dtype.kind == "f"]
    return tn.cat(rows) if isinstance(y[0], tn.Tensor) else np.concatenate(rows)


def is_real(a: Any) -> bool:
    """Whether it is an array of floats, which has a gradient."""
    return isinstance(a, np.ndarray) and a.dtype.kind == "f"


def as_function(op: Op, case: Case) -> Callable[..., Any]:
    """The operation as a function of its float arrays only, with all other arguments fixed."""

    def f(*variables: Any) -> Any:
        if case.symmetric:
            variables = tuple((x + x.mT) * 0.5 for x in variables)
        rest = iter(variables)
        filled = [next(rest) if is_real(a) else a for a in case.inputs]
        filled = [tn.tensor(a) if isinstance(a, np.ndarray) else a for a in filled]
        return joined(op(*filled, **case.options))

    return f


def cotangent(shape: tuple[int, ...], dtype: Any = "float64") -> np.ndarray:
    """Reproducible numbers of both signs, none of them near 0."""
    rng = np.random.default_rng(11)
    return (rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape)).astype(dtype)


def gradients(f: Callable[..., Any], *numbers: Any) -> list[Any]:
    """The gradients of the sum of f, in float64, as lists."""
    xs = [tn.tensor(v, "float64", requires_grad=True) for v in numbers]
    return [g.tolist() for g in tn.grad(f(*xs).sum(), xs)]


def n(*shape: int, kind: str = "normal", seed: int = 0) -> np.ndarray:
    """Reproducible float64 numbers of that shape and kind (`strategies.contents`)."""
    rng = np.random.default_rng([seed, *shape, zlib.crc32(kind.encode())])
    return contents(shape, kind, rng)
