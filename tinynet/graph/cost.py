"""Cost of an operation: the number of arithmetic operations in one forward call, from shapes.

Matrix products and convolutions are counted in multiply-adds, a product and the addition that
follows it: the size of the output times the terms of each sum. Everything else is counted in
elementwise operations; an addition, a comparison and an elementary function are one each:

* pooling: one for each tap of the window, at each cell of the pooled array;
* operations that only move or rename entries: none;
* other elementwise functions and reductions: one for each entry of the largest input or output.

Backward, an operation costs about as much again for each input that requires a gradient; its
docstring and `tinynet.derivation` give the exact cost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tinynet.ops import registry
from tinynet.ops.linalg import split_subscripts

Shape = tuple[int, ...]


class Cost(NamedTuple):
    """Number of arithmetic operations."""

    multiply_adds: int = 0  # of products and convolutions
    elementwise: int = 0  # of everything else

    @property
    def total(self) -> int:
        return self.multiply_adds + self.elementwise


MOVES = frozenset(
    "expand reshape permute flip cat split unbind pad crop getitem unfold cast move clone "
    "where".split()
)
_KNOWN = frozenset(registry())


def _einsum(inputs: Mapping[str, Shape], y: Shape, options: Mapping[str, Any]) -> Cost:
    terms, _ = split_subscripts(options["subscripts"])
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, inputs.values(), strict=True):
        sizes.update(zip(term, shape, strict=True))
    count = math.prod(sizes.values())
    return Cost(count) if len(terms) > 1 else Cost(0, count)  # one input is only summed


def _factorisation(inputs: Mapping[str, Shape], *_: Any) -> Cost:
    """About n^2 m for matrices (m, n): the order of all factorisations, without their factors."""
    *lead, m, n = inputs["a"]
    return Cost(math.prod(lead) * m * n * min(m, n))


def _pool(pooled: Shape, options: Mapping[str, Any]) -> Cost:
    return Cost(0, math.prod(pooled) * math.prod(options["window"].kernel))


# from the inputs' shapes by name, the output's shape and the options
FORMULAS: dict[str, Callable[[Mapping[str, Shape], Shape, Mapping[str, Any]], Cost]] = {
    "matmul": lambda inputs, y, _: Cost(math.prod(y) * inputs["a"][-1]),
    "linear": lambda inputs, y, _: Cost(math.prod(y) * inputs["x"][-1]),
    "einsum": _einsum,
    **dict.fromkeys(
        "inv solve det slogdet cofactors cofactors_change cholesky qr eigh svd pinv".split(),
        _factorisation,
    ),
    "conv2d": lambda inputs, y, _: Cost(math.prod(y) * math.prod(inputs["w"][1:])),
    "conv2d_input": lambda inputs, y, _: Cost(math.prod(inputs["gy"]) * math.prod(inputs["w"][1:])),
    "conv2d_weight": lambda inputs, y, _: Cost(math.prod(inputs["gy"]) * math.prod(y[1:])),
    "max_pool2d": lambda inputs, y, options: _pool(y, options),
    "sum_pool2d": lambda inputs, y, options: _pool(y, options),
    "gather_at_argmax": lambda inputs, y, options: _pool(y, options),
    "max_unpool2d": lambda inputs, y, options: _pool(inputs["x"], options),
    "sum_unpool2d": lambda inputs, y, options: _pool(inputs["x"], options),
}


def cost(
    op: str, inputs: Mapping[str, Shape], output: Shape, options: Mapping[str, Any]
) -> Cost | None:
    """Compute the cost of one forward call, from the operation's name, shapes and options.

    It is None if the operation is not in `tinynet.ops`, or if a shape or option that the formula
    needs is unknown.

    >>> cost("conv2d", {"x": (1, 1, 28, 28), "w": (6, 1, 5, 5)}, (1, 6, 24, 24), {})
    Cost(multiply_adds=86400, elementwise=0)
    """
    if op not in _KNOWN:
        return None
    if op in MOVES:
        return Cost()
    if op in FORMULAS:
        try:
            return FORMULAS[op](inputs, output, options)
        except (KeyError, ValueError):
            return None
    return Cost(0, max(math.prod(shape) for shape in (output, *inputs.values())))
