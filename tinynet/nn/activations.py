"""Activations as modules; the functions are in `tinynet.functional`.

`inplace` exists for compatibility with PyTorch and has no effect: the result is a new tensor.
"""

from __future__ import annotations

from typing import Any

from tinynet import functional
from tinynet.autograd import no_grad
from tinynet.nn.layers import at_least_one, new_parameter
from tinynet.nn.module import Module


class _Inplace(Module):
    """An activation with the option `inplace`."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class ReLU(_Inplace):
    """max(x, 0)."""

    def forward(self, input: Any) -> Any:
        return functional.relu(input)


class LeakyReLU(_Inplace):
    """x for x > 0, negative_slope x otherwise."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = float(negative_slope)

    def forward(self, input: Any) -> Any:
        return functional.leaky_relu(input, self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}" + ", inplace=True" * self.inplace


class ELU(_Inplace):
    """x for x > 0, alpha (e^x - 1) otherwise."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = float(alpha)

    def forward(self, input: Any) -> Any:
        return functional.elu(input, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + ", inplace=True" * self.inplace


class GELU(Module):
    """x Phi(x), Phi the normal distribution function; `approximate` is "none" or "tanh"."""

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        if approximate not in ("none", "tanh"):
            raise ValueError(f"GELU: approximate is {approximate!r}; it must be 'none' or 'tanh'")
        self.approximate = approximate

    def forward(self, input: Any) -> Any:
        return functional.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(_Inplace):
    """x sigmoid(x), also known as swish."""

    def forward(self, input: Any) -> Any:
        return functional.silu(input)


class Sigmoid(Module):
    """1 / (1 + e^-x)."""

    def forward(self, input: Any) -> Any:
        return functional.sigmoid(input)


class Tanh(Module):
    """(e^x - e^-x) / (e^x + e^-x)."""

    def forward(self, input: Any) -> Any:
        return functional.tanh(input)


class Softplus(Module):
    """ln(1 + e^(beta x)) / beta; x itself where beta x is greater than `threshold`."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        if not beta > 0:
            raise ValueError(f"Softplus: beta is {beta}; it must be greater than 0")
        self.beta, self.threshold = float(beta), float(threshold)

    def forward(self, input: Any) -> Any:
        return functional.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class SELU(_Inplace):
    """s x for x > 0, s a (e^x - 1) otherwise; see `tinynet.functional.selu`."""

    def forward(self, input: Any) -> Any:
        return functional.selu(input)


class CELU(_Inplace):
    """max(0, x) + min(0, alpha (e^(x / alpha) - 1))."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = float(alpha)

    def forward(self, input: Any) -> Any:
        return functional.celu(input, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + ", inplace=True" * self.inplace


class Mish(_Inplace):
    """x tanh(softplus(x))."""

    def forward(self, input: Any) -> Any:
        return functional.mish(input)


class LogSigmoid(Module):
    """ln sigmoid(x), accurate in both tails."""

    def forward(self, input: Any) -> Any:
        return functional.logsigmoid(input)


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, input: Any) -> Any:
        return functional.softsign(input)


class Tanhshrink(Module):
    """x - tanh x."""

    def forward(self, input: Any) -> Any:
        return functional.tanhshrink(input)


class GLU(Module):
    """a sigmoid(b), where a and b are the two halves of x along `dim`."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        return functional.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class PReLU(Module):
    """x for x > 0, w x otherwise; w is learnt.

    Args:
        num_parameters: 1, or the number of channels for one slope each.
        init: the initial slope.
        device, dtype: of the parameter; by default the default device and float32.

    Parameters: weight (num_parameters,).
    """

    def __init__(
        self,
        num_parameters: int = 1,
        init: float = 0.25,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        at_least_one("PReLU", num_parameters=num_parameters)
        self.num_parameters, self.init = num_parameters, float(init)
        self.weight = new_parameter((num_parameters,), self.init, device, dtype)

    def reset_parameters(self) -> None:
        """Set the weight to `init` again."""
        with no_grad():
            self.weight.fill_(self.init)

    def forward(self, input: Any) -> Any:
        return functional.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class RReLU(_Inplace):
    """x for x > 0, a x otherwise; in training each a is random between `lower` and `upper`."""

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.lower, self.upper = float(lower), float(upper)

    def forward(self, input: Any) -> Any:
        return functional.rrelu(input, self.lower, self.upper, self.training)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}" + ", inplace=True" * self.inplace


class Softmax(Module):
    """e^(x_c) / sum_k e^(x_k) along `dim`. `CrossEntropyLoss` includes it and takes logits."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        return functional.softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Softmax):
    """The logarithm of `Softmax` along `dim`, accurate also where `Softmax` underflows."""

    def forward(self, input: Any) -> Any:
        return functional.log_softmax(input, self.dim)


class Softmin(Softmax):
    """softmax(-x) along `dim`."""

    def forward(self, input: Any) -> Any:
        return functional.softmin(input, self.dim)


class Softmax2d(Module):
    """`Softmax` over the channels at each position: (N, C, H, W) or (C, H, W) -> the same."""

    def forward(self, input: Any) -> Any:
        if len(input.shape) not in (3, 4):
            raise ValueError(
                f"Softmax2d: input has shape {tuple(input.shape)}; it must be (N, C, H, W) or "
                "(C, H, W)"
            )
        return functional.softmax(input, -3)
