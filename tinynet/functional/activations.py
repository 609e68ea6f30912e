"""Activations: some are operations; GELU, SiLU and log-sigmoid are compositions of operations."""

from __future__ import annotations

import math
from typing import Any

from tinynet.functions import reducing
from tinynet.functions.public import function
from tinynet.ops import elementary
from tinynet.tensor import Tensor


def relu(input: Any) -> Any:
    """max(x, 0); see `tinynet.ops.elementary.relu`."""
    return elementary.relu(input)


def sigmoid(input: Any) -> Any:
    """1 / (1 + e^-x); see `tinynet.ops.elementary.sigmoid`."""
    return elementary.sigmoid(input)


def tanh(input: Any) -> Any:
    """(e^x - e^-x) / (e^x + e^-x); see `tinynet.ops.elementary.tanh`."""
    return elementary.tanh(input)


def leaky_relu(input: Any, negative_slope: float = 0.01) -> Any:
    """x for x > 0, negative_slope x otherwise; see `tinynet.ops.elementary.leaky_relu`."""
    return elementary.leaky_relu(input, negative_slope=negative_slope)


def elu(input: Any, alpha: float = 1.0) -> Any:
    """x for x > 0, alpha (e^x - 1) otherwise; see `tinynet.ops.elementary.elu`."""
    return elementary.elu(input, alpha=alpha)


def gelu(input: Any, approximate: str = "none") -> Any:
    """x Phi(x) = x (1 + erf(x / sqrt 2)) / 2, Phi the standard normal distribution function.

    Args:
        input: any shape.
        approximate: "none", or "tanh" for x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2.

    Raises:
        ValueError: for another value of `approximate`.

    Source: D. Hendrycks and K. Gimpel, arXiv:1606.08415, section 2.
    """
    x = input
    if approximate == "none":
        return x * (elementary.erf(x * math.sqrt(0.5)) + 1.0) * 0.5
    if approximate == "tanh":
        inner = (x + x * x * x * 0.044715) * math.sqrt(2.0 / math.pi)
        return x * (elementary.tanh(inner) + 1.0) * 0.5
    raise ValueError(f"gelu: approximate is {approximate!r}; it must be 'none' or 'tanh'")


def silu(input: Any) -> Any:
    """x sigmoid(x), also called swish.

    Source: S. Elfwing, E. Uchibe and K. Doya, arXiv:1702.03118, eq. 7.
    """
    return input * elementary.sigmoid(input)


def softplus(input: Any, beta: float = 1.0) -> Any:
    """ln(1 + e^(beta x)) / beta; see `tinynet.ops.elementary.softplus`.

    Raises:
        ValueError: unless beta > 0.
    """
    if not beta > 0:
        raise ValueError(f"softplus: beta is {beta}; it must be greater than 0")
    return elementary.softplus(input * beta) / beta if beta != 1.0 else elementary.softplus(input)


def logsigmoid(input: Any) -> Any:
    """ln sigmoid(x) = -softplus(-x), accurate in both tails."""
    return -elementary.softplus(-1.0 * input)  # -1.0, because negated unsigned integers wrap


def softmax(input: Any, dim: int, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """e^(x_c) / sum_k e^(x_k) along `dim`; see `tinynet.softmax`."""
    return reducing.softmax(input, dim, dtype)


def log_softmax(input: Any, dim: int, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """ln of `softmax`, accurate where softmax underflows; see `tinynet.log_softmax`."""
    return reducing.log_softmax(input, dim, dtype)


@function
def softmin(input: Tensor, dim: int, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """`softmax` of -x: the smallest entry gets most."""
    return reducing.softmax(-1 * input, dim, dtype)
