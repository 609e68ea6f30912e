"""Initial weights, and the reason for their variance.

Take one layer, y_j = sum over i of w_ji x_i, whose weights are independent of each other and of x
and have mean 0 and variance V. Then each term has mean 0 and ::

    E[y_j^2] = sum over i of E[w_ji^2] E[x_i^2] = fan_in V E[x^2],

where fan_in is the number of terms in the sum. Every layer multiplies the power of the signal by
fan_in V, so in a deep network it explodes or vanishes unless fan_in V is near 1. Backward the sum
runs over the outputs, g_i = sum over j of w_ji g_j, and the same holds for fan_out V. The
functions below choose V accordingly; `calculate_gain` accounts for the non-linearity.

All draw in float64 on the host, from the generator that `tinynet.manual_seed` seeds, and return
the tensor that they fill: the same seed gives the same weights on either device.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

from tinynet import backend, random
from tinynet.autograd.modes import no_grad
from tinynet.tensor import Tensor

AnyTensor = TypeVar("AnyTensor", bound=Tensor)


def _store(tensor: AnyTensor, array: Any) -> AnyTensor:
    with no_grad():
        tensor.copy_(backend.asarray(array, tensor.dtype, tensor.device))
    return tensor


def uniform_(tensor: AnyTensor, a: float = 0.0, b: float = 1.0) -> AnyTensor:
    """Fill with independent uniform numbers in [a, b), of variance (b - a)^2 / 12."""
    return _store(tensor, random.generator().uniform(a, b, tensor.shape))


def normal_(tensor: AnyTensor, mean: float = 0.0, std: float = 1.0) -> AnyTensor:
    """Fill with independent normal numbers of the given mean and standard deviation."""
    if std < 0:
        raise ValueError(f"normal_: std is {std}; it must be at least 0")
    return _store(tensor, random.generator().normal(mean, std, tensor.shape))


def constant_(tensor: AnyTensor, val: float) -> AnyTensor:
    """Fill with the number `val`."""
    with no_grad():
        tensor.fill_(val)
    return tensor


def zeros_(tensor: AnyTensor) -> AnyTensor:
    """Fill with 0, for biases. Hidden weights of 0 would stay equal and learn nothing."""
    return constant_(tensor, 0.0)


def ones_(tensor: AnyTensor) -> AnyTensor:
    """Fill with 1, for the scale of a normalisation."""
    return constant_(tensor, 1.0)


def fans(tensor: Tensor) -> tuple[int, int]:
    """(fan_in, fan_out): the terms in an output's sum, and the outputs that use an input.

    They are (I, J) for the weight (J, I) of a linear layer. For the weight (OC, C / groups, KH, KW)
    of a convolution they are C / groups KH KW and, away from borders and for stride 1, OC KH KW.

    Raises:
        ValueError: for fewer than two axes.
    """
    if tensor.ndim < 2:
        raise ValueError(f"init: shape {tensor.shape} has no fan_in and fan_out; it needs two axes")
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which the weights' standard deviation compensates for a non-linearity.

    ReLU passes half the power of a symmetric signal, so the variance must double and the standard
    deviation grow by sqrt 2; leaky ReLU of slope a passes (1 + a^2) / 2. The gains of tanh and
    SELU, 5/3 and 3/4, are PyTorch's empirical values.

    Args:
        nonlinearity: "linear", "conv1d" to "conv_transpose3d", "sigmoid", "tanh", "relu",
            "leaky_relu" or "selu".
        param: the slope of leaky ReLU, by default 0.01.

    Raises:
        ValueError: for another `nonlinearity`.

    Source: K. He et al., arXiv:1502.01852, eqs. 8 to 10 and 15.
    """
    linear = ("linear", *(f"conv{t}{n}d" for t in ("", "_transpose") for n in (1, 2, 3)), "sigmoid")
    gains = {**dict.fromkeys(linear, 1.0), "tanh": 5 / 3, "selu": 3 / 4}
    gains["relu"] = math.sqrt(2.0)
    gains["leaky_relu"] = math.sqrt(2.0 / (1.0 + (0.01 if param is None else float(param)) ** 2))
    if nonlinearity not in gains:
        raise ValueError(
            f"calculate_gain: nonlinearity is {nonlinearity!r}; it must be one of "
            f"{', '.join(gains)}"
        )
    return gains[nonlinearity]


def _xavier_std(tensor: Tensor, gain: float) -> float:
    fan_in, fan_out = fans(tensor)
    return gain * math.sqrt(2.0 / max(fan_in + fan_out, 1))


def xavier_uniform_(tensor: AnyTensor, gain: float = 1.0) -> AnyTensor:
    """Fill by Glorot's rule: uniform in [-a, a], of variance 2 gain^2 / (fan_in + fan_out).

    V = 1 / fan_in keeps the power forward, V = 1 / fan_out backward; 1 over the mean of the fans
    is a compromise. Uniform numbers in [-a, a] have variance a^2 / 3, so
    a = gain sqrt(6 / (fan_in + fan_out)).

    Source: X. Glorot and Y. Bengio, Understanding the difficulty of training deep feedforward
        neural networks, AISTATS 2010, eqs. 12 and 16.
    """
    bound = math.sqrt(3.0) * _xavier_std(tensor, gain)
    return uniform_(tensor, -bound, bound)


def xavier_normal_(tensor: AnyTensor, gain: float = 1.0) -> AnyTensor:
    """Fill with normal numbers of variance 2 gain^2 / (fan_in + fan_out), as `xavier_uniform_`.

    Source: X. Glorot and Y. Bengio, AISTATS 2010, eq. 12.
    """
    return normal_(tensor, 0.0, _xavier_std(tensor, gain))


def _kaiming_std(name: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{name}: mode is {mode!r}; it must be 'fan_in' or 'fan_out'")
    fan = fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fan, 1))


def kaiming_uniform_(
    tensor: AnyTensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> AnyTensor:
    """Fill by He's rule: uniform in [-b, b], of variance gain^2 / fan.

    After a ReLU E[x^2] is half the variance of the ReLU's input, so V = 2 / fan_in keeps the
    power from layer to layer: the 2 is gain^2. Uniform numbers in [-b, b] have variance b^2 / 3,
    so b = gain sqrt(3 / fan).

    Args:
        tensor: weights (J, I) or (OC, C / groups, KH, KW).
        a: the slope of the leaky ReLU that follows; 0 for ReLU.
        mode: "fan_in" keeps the power of the signal, "fan_out" that of its gradient.
        nonlinearity: the non-linearity that follows; see `calculate_gain`.

    Source: K. He et al., Delving deep into rectifiers, arXiv:1502.01852, eqs. 10, 14 and 15.
    """
    bound = math.sqrt(3.0) * _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound)


def kaiming_normal_(
    tensor: AnyTensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> AnyTensor:
    """Fill with normal numbers of variance gain^2 / fan; arguments as for `kaiming_uniform_`.

    Source: K. He et al., arXiv:1502.01852, eqs. 10, 14 and 15.
    """
    std = _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity)
    return normal_(tensor, 0.0, std)


def trunc_normal_(
    tensor: AnyTensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0
) -> AnyTensor:
    """Fill with normal numbers of the given mean and standard deviation, cut to [a, b].

    If U is uniform between the probabilities F(a) and F(b), F the normal distribution function,
    then F^-1(U) has the normal distribution between a and b.

    Args:
        tensor: any shape.
        mean, std: of the numbers before the cut.
        a, b: the bounds, in the unit of the tensor, not in standard deviations.

    Source: L. Devroye, Non-Uniform Random Variate Generation (1986), section II.2.1.
    """
    mean, std, a, b = float(mean), float(std), float(a), float(b)
    if std <= 0 or a >= b:
        raise ValueError(
            f"trunc_normal_: std {std} must be greater than 0, and a {a} less than b {b}"
        )
    low, high = (0.5 * (1.0 + math.erf((t - mean) / (std * math.sqrt(2.0)))) for t in (a, b))
    u = random.generator().uniform(low, high, tensor.shape)
    return _store(tensor, (backend.special("ndtri", u) * std + mean).clip(a, b))


def orthogonal_(tensor: AnyTensor, gain: float = 1.0) -> AnyTensor:
    """Fill with `gain` times a random matrix of orthonormal rows or columns, whichever are fewer.

    Such a matrix keeps the lengths of the signal (or of its gradient) exactly, not only on
    average. Q of a matrix of normal numbers is uniformly distributed if the diagonal of R is made
    positive.

    Args:
        tensor: at least two axes; those after the first count as one.
        gain: the factor; see `calculate_gain`.

    Source: A. Saxe, J. McClelland and S. Ganguli, arXiv:1312.6120, section 3; F. Mezzadri, How to
        generate random matrices from the classical compact groups (2007), section 5.
    """
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_: shape {tensor.shape} must have at least two axes")
    if not tensor.numel():
        return tensor
    rows, columns = tensor.shape[0], tensor.numel() // tensor.shape[0]
    drawn = random.generator().normal(size=(rows, columns))
    linalg = backend.array_module(drawn).linalg
    q, r = linalg.qr(drawn.T if rows < columns else drawn)
    q = q * backend.array_module(r).sign(r.diagonal())
    return _store(tensor, ((q.T if rows < columns else q) * gain).reshape(tensor.shape))


def eye_(tensor: AnyTensor) -> AnyTensor:
    """Fill a matrix with 1 on its diagonal and 0 elsewhere: a linear layer that passes x on."""
    if tensor.ndim != 2:
        raise ValueError(f"eye_: shape {tensor.shape} must have two axes")
    zeros_(tensor)
    with no_grad():
        for i in range(min(tensor.shape)):
            tensor[i, i] = 1.0
    return tensor


def dirac_(tensor: AnyTensor, groups: int = 1) -> AnyTensor:
    """Fill kernels with a 1 in the middle, so that each output channel is an input channel.

    Args:
        tensor: weights (OC, C / groups, K, ...) with one to three axes of a kernel.
        groups: the groups of the convolution; must divide OC.
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError(f"dirac_: shape {tensor.shape} must have three to five axes")
    if groups < 1 or tensor.shape[0] % groups:
        raise ValueError(f"dirac_: groups {groups} must divide the {tensor.shape[0]} channels")
    each = tensor.shape[0] // groups
    middle = tuple(n // 2 for n in tensor.shape[2:])
    zeros_(tensor)
    with no_grad():
        for g in range(groups):
            for c in range(min(each, tensor.shape[1])):
                at = (g * each + c, c, *middle)
                tensor[at] = 1.0
    return tensor


def sparse_(tensor: AnyTensor, sparsity: float, std: float = 0.01) -> AnyTensor:
    """Fill a matrix with normal numbers, and in each column the fraction `sparsity` with 0.

    Source: J. Martens, Deep learning via Hessian-free optimization (ICML 2010), section 5.
    """
    if tensor.ndim != 2:
        raise ValueError(f"sparse_: shape {tensor.shape} must have two axes")
    rows, columns = tensor.shape
    numbers = random.generator().normal(0.0, std, tensor.shape)
    for column in range(columns):
        zero = random.generator().permutation(rows)[: math.ceil(sparsity * rows)]
        numbers[zero, column] = 0.0
    return _store(tensor, numbers)
