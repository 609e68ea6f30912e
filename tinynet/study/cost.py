"""How much an operation computes: operations on numbers forward, from shapes.

A multiply-add, a product and the addition that follows it, is one; a lone addition, comparison or
elementary function is one too, whatever it costs (`tinynet.summary` counts the multiply-adds of
products and convolutions alone). So:

* products of matrices and convolutions: the size of the output times the terms of each sum;
* pooling: the taps of a window for every cell of the pooled side;
* what only moves or renames entries: none;
* everything else, elementwise operations and reductions: one for each entry of the largest of
  inputs and output.

Backward, an operation costs about as much again for each input that wants a gradient; its
docstring, and `tinynet.derivation`, say it exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from tinynet.ops.linalg import split_subscripts

Shape = tuple[int, ...]
MOVES = frozenset(
    "expand reshape permute flip cat pad crop getitem unfold cast move clone where".split()
)


def _einsum(inputs: Mapping[str, Shape], output: Shape, options: Mapping[str, Any]) -> int:
    terms, _ = split_subscripts(options["subscripts"])
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, inputs.values(), strict=True):
        sizes.update(zip(term, shape, strict=True))
    return math.prod(sizes.values())


def _taps(pooled: Shape, options: Mapping[str, Any]) -> int:
    return math.prod(pooled) * math.prod(options["window"].kernel)


# from the inputs' shapes by name, the output's shape and the options
FORMULAS: dict[str, Callable[[Mapping[str, Shape], Shape, Mapping[str, Any]], int]] = {
    "matmul": lambda inputs, y, _: math.prod(y) * inputs["a"][-1],
    "linear": lambda inputs, y, _: math.prod(y) * inputs["x"][-1],
    "einsum": _einsum,
    "conv2d": lambda inputs, y, _: math.prod(y) * math.prod(inputs["w"][1:]),
    "conv2d_input": lambda inputs, y, _: math.prod(inputs["gy"]) * math.prod(inputs["w"][1:]),
    "conv2d_weight": lambda inputs, y, _: math.prod(inputs["gy"]) * math.prod(y[1:]),
    "max_pool2d": lambda inputs, y, options: _taps(y, options),
    "sum_pool2d": lambda inputs, y, options: _taps(y, options),
    "gather_at_argmax": lambda inputs, y, options: _taps(y, options),
    "max_unpool2d": lambda inputs, y, options: _taps(inputs["x"], options),
    "sum_unpool2d": lambda inputs, y, options: _taps(inputs["x"], options),
}


def multiply_adds(
    op: str, inputs: Mapping[str, Shape], output: Shape, options: Mapping[str, Any]
) -> int | None:
    """Multiply-adds of one forward call; None where a shape or option that it needs is unknown.

    >>> multiply_adds("conv2d", {"x": (1, 1, 28, 28), "w": (6, 1, 5, 5)}, (1, 6, 24, 24), {})
    86400

    Args:
        op: the name of the operation.
        inputs: the inputs' shapes under their names.
        output: the output's shape.
        options: the operation's options.
    """
    if op in MOVES:
        return 0
    if op in FORMULAS:
        try:
            return FORMULAS[op](inputs, output, options)
        except (KeyError, ValueError):
            return None
    return max(math.prod(shape) for shape in (output, *inputs.values()))
