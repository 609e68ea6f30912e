"""Comparisons and tests of entries: boolean tensors, never recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinynet.backend import array_module
from tinynet.functions.public import function, unrecorded

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


@function
def any(input: Tensor) -> Tensor:
    """Whether any entry is not zero."""
    return unrecorded(input, input.data.any())


@function
def all(input: Tensor) -> Tensor:
    """Whether all entries are not zero."""
    return unrecorded(input, input.data.all())


@function
def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1, by the sign of each entry."""
    return unrecorded(input, array_module(input.data).sign(input.data))


@function
def isfinite(input: Tensor) -> Tensor:
    """Whether each entry is neither NaN nor infinite."""
    return unrecorded(input, array_module(input.data).isfinite(input.data))


@function
def isnan(input: Tensor) -> Tensor:
    """Whether each entry is NaN."""
    return unrecorded(input, array_module(input.data).isnan(input.data))
