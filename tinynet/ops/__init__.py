"""The differentiable operations, one family a file.

An operation's formula, derivation, code and rules stand side by side. `FAMILIES` gives the reading
order. Every docstring has the parts *Derivation*, *Jacobian*, *Kinks*, *Cost*, *Shapes* (with
dtypes and errors) and *Source*. <u, v> is the sum of the products of the entries, gy is the
gradient of the loss with respect to y, and [c] is 1 where c holds and 0 elsewhere.

The stated dtypes are for floats. An integer combined with a float takes the float's dtype. A
function whose result is not an integer converts integers to float32, so a result is float64 only
if an input is.
"""

from __future__ import annotations

from types import ModuleType

from tinynet.autograd import Op
from tinynet.ops import (
    arithmetic,
    broadcast,
    conversion,
    convolution,
    elementary,
    indexing,
    linalg,
    pooling,
    reduction,
    shape,
    softmax,
    windows,
)

FAMILIES: tuple[ModuleType, ...] = (
    broadcast,
    arithmetic,
    elementary,
    indexing,
    shape,
    reduction,
    linalg,
    softmax,
    windows,
    convolution,
    pooling,
    conversion,
)


def registry() -> dict[str, Op]:
    """All operations by name, in reading order."""
    return {
        name: value
        for family in FAMILIES
        for name, value in vars(family).items()
        if isinstance(value, Op) and value.forward.__module__ == family.__name__
    }
