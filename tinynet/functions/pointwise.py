"""Functions of each entry, and of pairs of entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.functions.public import function
from tinynet.ops import arithmetic, elementary

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


@function
def exp(input: Tensor) -> Tensor:
    """y = e^x; see `tinynet.ops.elementary.exp`."""
    return elementary.exp(input)


@function
def log(input: Tensor) -> Tensor:
    """y = ln x; see `tinynet.ops.elementary.log`."""
    return elementary.log(input)


@function
def sqrt(input: Tensor) -> Tensor:
    """y = sqrt(x); see `tinynet.ops.elementary.sqrt`."""
    return elementary.sqrt(input)


@function
def square(input: Tensor) -> Tensor:
    """y = x^2."""
    if input.dtype.kind == "b":
        return elementary.pow(input, 2)
    return arithmetic.mul(input, input)


@function
def pow(input: Any, exponent: Any) -> Tensor:
    """y = x^b; see `tinynet.ops.elementary.pow`."""
    return elementary.pow(input, exponent)


@function
def abs(input: Tensor) -> Tensor:
    """y = |x|; see `tinynet.ops.arithmetic.abs`."""
    return arithmetic.abs(input)


@function
def sin(input: Tensor) -> Tensor:
    """y = sin x; see `tinynet.ops.elementary.sin`."""
    return elementary.sin(input)


@function
def cos(input: Tensor) -> Tensor:
    """y = cos x; see `tinynet.ops.elementary.cos`."""
    return elementary.cos(input)


@function
def tanh(input: Tensor) -> Tensor:
    """y = (e^x - e^-x) / (e^x + e^-x); see `tinynet.ops.elementary.tanh`."""
    return elementary.tanh(input)


@function
def sigmoid(input: Tensor) -> Tensor:
    """y = 1 / (1 + e^-x); see `tinynet.ops.elementary.sigmoid`."""
    return elementary.sigmoid(input)


@function
def erf(input: Tensor) -> Tensor:
    """The error function; see `tinynet.ops.elementary.erf`."""
    return elementary.erf(input)


@function
def relu(input: Tensor) -> Tensor:
    """y = max(x, 0); see `tinynet.ops.elementary.relu`."""
    return elementary.relu(input)


@function
def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """y = min(max(x, low), high); see `tinynet.ops.arithmetic.clamp`."""
    return arithmetic.clamp(input, min=min, max=max)


@function
def maximum(input: Any, other: Any) -> Tensor:
    """The elementwise maximum; see `tinynet.ops.arithmetic.maximum`."""
    return arithmetic.maximum(input, other)


@function
def minimum(input: Any, other: Any) -> Tensor:
    """The elementwise minimum; see `tinynet.ops.arithmetic.minimum`."""
    return arithmetic.minimum(input, other)


@function
def where(condition: Any, input: Any, other: Any) -> Tensor:
    """`input` where `condition` is true, else `other`; see `tinynet.ops.arithmetic.where`."""
    return arithmetic.where(condition, input, other)
