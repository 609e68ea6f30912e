"""The differentiable operations, one family per file.

Formula, derivation, code and rules of each operation stand side by side. Files in reading order:
broadcast, arithmetic, elementary, exponential, trigonometric, special, rounding, indexing, shape,
reduction, scans, linalg, inverses, factorisation, softmax, windows, convolution, pooling,
conversion.

Every docstring has the parts *Derivation*, *Jacobian*, *Kinks*, *Cost*, *Shapes* (with dtypes and
errors) and *Source*; <u, v> is the sum of the products of the entries, gy the gradient of the loss
by y, and [c] is 1 where c holds and 0 elsewhere.

The dtypes given are those for floating-point inputs. Integers take the dtype of the floats they
are combined with; a function of integers alone that has non-integer values returns float32. A
result is float64 only if an input is.
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
    exponential,
    factorisation,
    indexing,
    inverses,
    linalg,
    pooling,
    reduction,
    rounding,
    scans,
    shape,
    softmax,
    special,
    trigonometric,
    windows,
)

FAMILIES: tuple[ModuleType, ...] = (
    broadcast, arithmetic, elementary, exponential, trigonometric, special, rounding, indexing,
    shape, reduction, scans, linalg, inverses, factorisation, softmax, windows, convolution,
    pooling, conversion,
)  # fmt: skip


def registry() -> dict[str, Op]:
    """All operations by name, in reading order."""
    return {
        name: value
        for family in FAMILIES
        for name, value in vars(family).items()
        if isinstance(value, Op) and value.forward.__module__ == family.__name__
    }
