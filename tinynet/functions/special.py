"""Special functions: the error function, the logistic function, the logarithm of gamma."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.autograd import raw
from tinynet.backend import full
from tinynet.functions.arguments import number
from tinynet.functions.bounds import clamp
from tinynet.functions.operands import real, reals
from tinynet.functions.public import function
from tinynet.ops import arithmetic, elementary, exponential
from tinynet.ops import special as ops

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


@function
def sigmoid(input: Tensor) -> Tensor:
    """y = 1 / (1 + e^-x); see `tinynet.ops.elementary.sigmoid`."""
    return elementary.sigmoid(real(input))


@function
def expit(input: Tensor) -> Tensor:
    """`sigmoid` by SciPy's name."""
    return sigmoid(input)


@function
def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """y = ln(x / (1 - x)), the inverse of `sigmoid`.

    Args:
        input: numbers from 0 to 1; NaN outside.
        eps: clamp x to [eps, 1 - eps] first.
    """
    x = real(input)
    if eps is not None:
        eps = number("logit", "eps", eps)
        x = clamp(x, eps, 1.0 - eps)
    return elementary.log(x) - exponential.log1p(-x)


@function
def erf(input: Tensor) -> Tensor:
    """The error function; see `tinynet.ops.elementary.erf`."""
    return elementary.erf(real(input))


@function
def erfc(input: Tensor) -> Tensor:
    """y = 1 - erf x; see `tinynet.ops.special.erfc`."""
    return ops.erfc(real(input))


@function
def erfinv(input: Tensor) -> Tensor:
    """The inverse of `erf`; see `tinynet.ops.special.erfinv`."""
    return ops.erfinv(real(input))


@function
def lgamma(input: Tensor) -> Tensor:
    """y = ln |Gamma(x)|; see `tinynet.ops.special.lgamma`."""
    return ops.lgamma(real(input))


@function
def digamma(input: Tensor) -> Tensor:
    """The derivative of `lgamma`; see `tinynet.ops.special.digamma`."""
    return ops.digamma(real(input))


@function
def xlogy(input: Any, other: Any) -> Tensor:
    """y = a ln b, and 0 where a is 0 (NaN where b is NaN).

    Its gradients are finite where a = 0 and b <= 0, where both are taken as 0.
    """
    a, b = reals(input, other)
    if isinstance(b, int | float):
        b = full((), b, raw(a))
    nothing = (raw(a) == 0) & ((raw(b) <= 0) | (raw(b) == float("inf")))
    return arithmetic.mul(a, elementary.log(arithmetic.where(nothing, 1.0, b)))
