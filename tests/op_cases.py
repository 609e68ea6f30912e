"""The table of cases: inputs, options and an independent definition for every operation.

Sizes are distinct and not square, so that a transposition shows; values are separated where there
are kinks. `test_ops_gradients` fails by name for an operation of the registry without a case.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import definitions_of_ops as loops
import numpy as np
from op_case import Case, n
from op_cases_algebra import factorisations, scans
from op_cases_pointwise import pointwise
from op_cases_structure import broadcasts, copies, products, rearrangements
from op_cases_windows import convolutions, windows

from tinynet.testing import definitions


def _pairs(want: Callable[[float, float], float], kind: str, number: float) -> list[Case]:
    """A binary operation with all kinds of broadcasting, numbers, sizes 0 and 1, and x twice."""
    shapes = [
        ((2, 3), (2, 3)),
        ((2, 1, 4), (3, 1)),
        ((3,), (2, 3)),
        ((), (2, 3)),
        ((1,), (1, 1)),
        ((), ()),
        ((0, 3), (3,)),
        ((2, 1), (1, 0)),
    ]
    definition = loops.entrywise(want)
    cases = [Case([n(*a, kind=kind), n(*b, kind=kind, seed=1)], definition) for a, b in shapes]
    cases += [Case([n(2, 3, kind=kind), number], definition, layouts=False)]
    cases += [Case([number, n(2, 3, kind=kind)], definition, layouts=False)]
    return cases


def _each(
    want: Callable[..., float], kind: str = "normal", view: bool = False, **options: Any
) -> list[Case]:
    """An elementwise operation, for shapes of 0 to 3 axes."""

    def definition(x: np.ndarray, **given: Any) -> np.ndarray:
        return loops.entrywise(lambda v: want(v, **given))(x)

    shapes = [(2, 3), (2, 3, 4), (), (1,), (0,), (3, 0)]
    return [Case([n(*s, kind=kind)], definition, options, view=view) for s in shapes]


def _reductions(
    name: str, function: Callable[[list[float]], float], kind: str = "normal", empty: bool = False
) -> list[Case]:
    """Every kind of `dim`, with and without keepdim."""

    def definition(x: np.ndarray, **options: Any) -> np.ndarray:
        return loops.reduced(function, x, **options)

    dims: list[tuple[tuple[int, ...], Any]] = [
        ((2, 3, 4), 1),
        ((2, 3, 4), -1),
        ((2, 3, 4), (0, 2)),
        ((2, 3, 4), (-1, -3)),
        ((2, 3), None),
        ((1, 3), 0),
        ((), None),
        ((0, 3), 1),
    ]
    if empty:
        dims += [((0, 3), 0), ((2, 0), None)]
    return [
        Case([n(*s, kind=kind)], definition, {"dim": d, "keepdim": k}, view=True)
        for s, d in dims
        for k in (False, True)
        if not (name == "logsumexp" and d is None and s == ())
    ]


def _softmaxes() -> dict[str, list[Case]]:
    def log_softmax(x: np.ndarray, dim: int) -> np.ndarray:
        return np.log(definitions.softmax(x, dim))

    places = [((2, 3), 1), ((2, 3), 0), ((2, 3, 4), -2), ((2, 1), 1), ((0, 3), 1), ((3,), 0)]
    rows = [(2, 3), (3, 1), (2, 3, 2), (0, 3)]
    probabilities = [(n(*s), definitions.softmax(n(*s, seed=1), 1)) for s in rows]
    return {
        "softmax": [Case([n(*s)], definitions.softmax, {"dim": d}) for s, d in places],
        "log_softmax": [Case([n(*s)], log_softmax, {"dim": d}) for s, d in places],
        "cross_entropy_rows": [
            Case([x, q * weight], lambda x, q: -(q * log_softmax(x, 1)).sum(1))
            for x, q in probabilities
            for weight in (1.0, 0.7)  # rows that are no probabilities, too
        ],
        "bce_with_logits": _pairs(
            lambda x, z: math.log1p(math.exp(-abs(x))) + max(x, 0.0) - x * z, "separated", 0.3
        ),
    }


def _masked() -> list[Case]:
    mask = n(2, 3) > 0
    chosen = loops.entrywise(lambda k, u, v: u if k else v)
    return [
        Case([mask, n(2, 3), n(2, 3, seed=1)], chosen),
        Case([mask, n(3), n(2, 1, seed=1)], chosen),
        Case([mask[0], n(2, 3), 0.5], chosen),
        Case([mask, 0.25, n()], chosen),
        Case([np.zeros((0, 3), bool), n(3), n(1)], chosen),
    ]


def table() -> dict[str, list[Case]]:
    """All cases, by name of operation."""
    return {
        **broadcasts(),
        **scans(),
        **factorisations(),
        "add": _pairs(lambda a, b: a + b, "normal", 1.5),
        "sub": _pairs(lambda a, b: a - b, "normal", 1.5),
        "mul": _pairs(lambda a, b: a * b, "normal", 1.5),
        "div": _pairs(lambda a, b: a / b, "positive", 1.5),
        "neg": _each(lambda v: -v),
        "abs": _each(abs, "separated"),
        "maximum": _pairs(max, "separated", 0.013),
        "minimum": _pairs(min, "separated", 0.013),
        "where": _masked(),
        "clamp": [
            *_each(lambda v, min, max: sorted((min, v, max))[1], "normal", min=-0.5, max=0.7),
            *_each(lambda v, min: v if v > min else min, "normal", min=0.1),
            *_each(lambda v, max: v if v < max else max, "normal", max=0.1),
        ],
        "exp": _each(math.exp),
        "log": _each(math.log, "positive"),
        "pow": _powers(),
        "sqrt": _each(math.sqrt, "positive"),
        "sin": _each(math.sin),
        "cos": _each(math.cos),
        "tanh": _each(math.tanh),
        "erf": _each(math.erf),
        "sigmoid": _each(lambda v: 1.0 / (1.0 + math.exp(-v))),
        "softplus": _each(lambda v: math.log(1.0 + math.exp(v))),
        "relu": _each(lambda v: v if v > 0 else 0.0, "separated"),
        "gated": [
            Case([n(2, 3)], _gate, {"gate": np.array([[1.0, -1.0, 0.0], [0.5, 2.0, -3.0]])}),
            Case([n(0, 3)], _gate, {"gate": np.zeros((0, 3))}),
        ],
        "leaky_relu": [
            *_each(_leaky, "separated"),
            *_each(_leaky, "separated", negative_slope=0.3),
        ],
        "elu": [*_each(_elu, "separated"), *_each(_elu, "separated", alpha=0.4)],
        **pointwise(),
        **rearrangements(),
        "sum": _reductions("sum", math.fsum, empty=True),
        "amax": _reductions("amax", max, "separated"),
        "amin": _reductions("amin", min, "separated"),
        "norm": _reductions("norm", lambda v: math.sqrt(math.fsum(u * u for u in v))),
        "cumsum": [
            Case([n(*s)], lambda x, dim: np.cumsum(x, dim), {"dim": d})
            for s, d in [((2, 3, 4), 1), ((2, 3), -1), ((3, 1), 1), ((0, 3), 0), ((2, 0), 0)]
        ],
        **products(),
        "logsumexp": _reductions("logsumexp", loops.log_sum_exp),
        **_softmaxes(),
        **windows(),
        **convolutions(),
        **copies(),
    }


def _gate(x: np.ndarray, gate: np.ndarray) -> np.ndarray:
    return loops.entrywise(lambda v, open: v if open > 0 else 0.0)(x, gate)


def _leaky(v: float, negative_slope: float = 0.01) -> float:
    return v if v > 0 else negative_slope * v


def _elu(v: float, alpha: float = 1.0) -> float:
    return v if v > 0 else alpha * (math.exp(v) - 1.0)


def _powers() -> list[Case]:
    power = loops.entrywise(lambda a, b: a**b)
    whole = [Case([n(2, 3), b], power, layouts=False) for b in (0, 1, 2, 3, 2.0, -1, -2)]
    return [*_pairs(lambda a, b: a**b, "positive", 1.7), *whole]
