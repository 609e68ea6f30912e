"""Activations: curves such as the sigmoid and GELU, and the family of ReLU.

Some are operations (`tinynet.ops.elementary`), the others compositions of them. `inplace` exists
for compatibility with PyTorch and has no effect: the result is a new tensor.
"""

from __future__ import annotations

import math
from typing import Any

from tinynet import random
from tinynet.autograd import raw
from tinynet.functions.arguments import one_axis
from tinynet.functions.cutting import split
from tinynet.functions.public import function
from tinynet.ops import arithmetic, elementary
from tinynet.tensor import Tensor


@function
def relu(input: Tensor, inplace: bool = False) -> Any:
    """max(x, 0); see `tinynet.ops.elementary.relu`."""
    return elementary.relu(input)


@function
def sigmoid(input: Tensor) -> Any:
    """1 / (1 + e^-x); see `tinynet.ops.elementary.sigmoid`."""
    return elementary.sigmoid(input)


@function
def tanh(input: Tensor) -> Any:
    """(e^x - e^-x) / (e^x + e^-x); see `tinynet.ops.elementary.tanh`."""
    return elementary.tanh(input)


@function
def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """x for x > 0, negative_slope x otherwise; see `tinynet.ops.elementary.leaky_relu`."""
    return elementary.leaky_relu(input, negative_slope=float(negative_slope))


@function
def prelu(input: Tensor, weight: Tensor) -> Any:
    """x for x > 0, w x otherwise: a leaky ReLU whose slope is learnt.

    Args:
        input: (N, C, ...) or any shape.
        weight: (1,), or (C,) with one slope for each channel; () for a tensor of one number.

    Raises:
        ValueError: if the weight has another number of entries.

    Source: K. He et al., Delving deep into rectifiers, arXiv:1502.01852, eq. 1.
    """
    if weight.ndim > 1:
        raise ValueError(f"prelu: weight has shape {weight.shape}; it must be (1,) or (C,)")
    if weight.numel() != 1:
        channels = input.shape[1] if input.ndim > 1 else 1
        if weight.numel() != channels:
            raise ValueError(
                f"prelu: weight has {weight.numel()} entries and input {input.shape} {channels} "
                "channels (axis 1); it must have one entry, or one for each channel"
            )
        weight = weight.reshape(-1, *(1 for _ in input.shape[2:]))
    elif weight.ndim > input.ndim:
        weight = weight.reshape(())
    positive = raw(input) > 0
    # masked twice: 0 times an infinite x would make the gradient of w NaN
    return arithmetic.where(positive, input, weight * arithmetic.where(positive, 0.0, input))


@function
def rrelu(
    input: Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Any:
    """x for x > 0, a x otherwise: a leaky ReLU whose slope a is random in training.

    Args:
        input: any shape.
        lower, upper: training draws each a uniformly between them; evaluation takes their mean.
        training: whether to draw.

    Source: B. Xu et al., arXiv:1505.00853, section 2.4.
    """
    lower, upper = float(lower), float(upper)
    if lower > upper:
        raise ValueError(f"rrelu: lower {lower} is greater than upper {upper}")
    if not training:
        return elementary.leaky_relu(input, negative_slope=(lower + upper) / 2)
    x = raw(input)
    slopes = random.uniform(x.shape, x).astype(x.dtype) * (upper - lower) + lower
    return arithmetic.where(x > 0, input, input * slopes)


@function
def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x for x > 0, alpha (e^x - 1) otherwise; see `tinynet.ops.elementary.elu`."""
    return elementary.elu(input, alpha=float(alpha))


@function
def selu(input: Tensor, inplace: bool = False) -> Any:
    """s x for x > 0, s a (e^x - 1) otherwise, with s = 1.0507... and a = 1.6733...

    With these, mean 0 and variance 1 are a stable fixed point of a layer of normal weights of
    variance 1 / fan_in.

    Source: G. Klambauer et al., Self-normalizing neural networks, arXiv:1706.02515, eqs. 2 and 14.
    """
    return elementary.elu(input, alpha=SELU_ALPHA) * SELU_SCALE


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


@function
def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Any:
    """max(0, x) + min(0, alpha (e^(x / alpha) - 1)): an ELU with slope 1 on both sides of 0.

    Source: J. Barron, arXiv:1704.07483, eq. 2.
    """
    alpha = float(alpha)
    if alpha == 0:
        raise ValueError("celu: alpha is 0; x is divided by it")
    scaled = arithmetic.where(raw(input) > 0, 0.0, input / alpha)
    curve = elementary.elu(scaled) if alpha > 0 else elementary.exp(scaled) - 1.0
    return arithmetic.where(raw(input) > 0, input, curve * alpha)


@function
def gelu(input: Tensor, approximate: str = "none") -> Any:
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


@function
def silu(input: Tensor, inplace: bool = False) -> Any:
    """x sigmoid(x), also called swish.

    Source: S. Elfwing, E. Uchibe and K. Doya, arXiv:1702.03118, eq. 7.
    """
    return input * elementary.sigmoid(input)


@function
def mish(input: Tensor, inplace: bool = False) -> Any:
    """x tanh(softplus(x)).

    Source: D. Misra, arXiv:1908.08681, eq. 1.
    """
    return input * elementary.tanh(elementary.softplus(input))


@function
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """ln(1 + e^(beta x)) / beta; see `tinynet.ops.elementary.softplus`.

    Args:
        input: any shape.
        beta: greater than 0; the larger, the nearer to ReLU.
        threshold: x itself is taken where beta x is greater, as in PyTorch. Nothing overflows
            without it: ``math.inf`` is the exact function.

    Raises:
        ValueError: unless beta > 0.
    """
    beta, threshold = float(beta), float(threshold)
    if not beta > 0:
        raise ValueError(f"softplus: beta is {beta}; it must be greater than 0")
    scaled = input if beta == 1.0 else input * beta
    y = elementary.softplus(scaled)
    y = y if beta == 1.0 else y / beta
    return y if threshold == math.inf else arithmetic.where(raw(scaled) > threshold, input, y)


@function
def logsigmoid(input: Tensor) -> Any:
    """ln sigmoid(x) = -softplus(-x), accurate in both tails."""
    return -elementary.softplus(-1.0 * input)  # -1.0, because negated unsigned integers wrap


@function
def softsign(input: Tensor) -> Any:
    """x / (1 + |x|): a sigmoid from -1 to 1 with slow tails.

    Source: X. Glorot and Y. Bengio, Understanding the difficulty of training deep feedforward
        neural networks, AISTATS 2010, section 2.3.
    """
    return input / (arithmetic.abs(input) + 1.0)


@function
def tanhshrink(input: Tensor) -> Any:
    """x - tanh x."""
    return input - elementary.tanh(input)


@function
def glu(input: Tensor, dim: int = -1) -> Any:
    """a sigmoid(b), where a and b are the two halves of x along `dim`.

    Raises:
        ValueError: if the size of `dim` is odd.

    Source: Y. Dauphin et al., Language modeling with gated convolutional networks,
        arXiv:1612.08083, eq. 1.
    """
    axis = one_axis("glu", dim, input.ndim)
    n = input.shape[axis]
    if n % 2 or not n:
        raise ValueError(
            f"glu: dim {dim} of {input.shape} has size {n}; it must be even, at least 2"
        )
    a, b = split(input, n // 2, axis)
    return a * elementary.sigmoid(b)
