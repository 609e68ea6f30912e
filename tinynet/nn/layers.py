"""Layers: linear, bilinear, flatten, unflatten, identity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tinynet import backend, dtypes, functional
from tinynet.nn import init
from tinynet.nn.module import Module
from tinynet.nn.parameter import Parameter
from tinynet.ops.reduction import axis_of


def at_least_one(layer: str, **sizes: int) -> None:
    """Raise ValueError unless every size is an integer of at least 1."""
    for name, size in sizes.items():
        if isinstance(size, bool) or not hasattr(size, "__index__") or size < 1:
            raise ValueError(f"{layer}: {name} is {size!r}; it must be an integer, at least 1")


def new_parameter(shape: tuple[int, ...], value: float, device: Any, dtype: Any) -> Parameter:
    """A parameter filled with `value`, by default float32 on the default device."""
    return Parameter(backend.full_on(shape, value, dtype or dtypes.float32, device))


def initialise(weight: Parameter, bias: Parameter | None) -> None:
    """PyTorch's default for linear and convolution: both uniform in +-1 / sqrt(fan_in).

    For the weight this is He's rule for a leaky ReLU of slope sqrt 5, whose gain is sqrt(1/3):
    the variance is 1 / (3 fan_in), smaller than usual non-linearities need.
    """
    init.kaiming_uniform_(weight, a=math.sqrt(5.0))
    if bias is not None:
        fan_in, _ = init.fans(weight)
        init.uniform_(bias, -1.0 / math.sqrt(fan_in), 1.0 / math.sqrt(fan_in))


def ones_and_zeros(layer: Any) -> None:
    """The initial parameters of a normalisation: weight 1 and bias 0, as far as it has them."""
    if layer.weight is not None:
        init.ones_(layer.weight)
    if getattr(layer, "bias", None) is not None:
        init.zeros_(layer.bias)


class Linear(Module):
    """y = x W^T + b along the last axis; see `tinynet.ops.linalg.linear`.

    Args:
        in_features, out_features: the last size of x and of y.
        bias: whether to add b.
        device, dtype: of the parameters; by default the default device and float32.

    Parameters: weight (out_features, in_features) and bias (out_features,), both uniform in
    +-1 / sqrt(in_features).

    Shapes: (..., in_features) -> (..., out_features).
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        at_least_one("Linear", in_features=in_features, out_features=out_features)
        self.in_features, self.out_features = in_features, out_features
        self.weight = new_parameter((out_features, in_features), 0.0, device, dtype)
        self.bias = new_parameter((out_features,), 0.0, device, dtype) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the initial parameters again."""
        initialise(self.weight, self.bias)

    def forward(self, input: Any) -> Any:
        return functional.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Bilinear(Module):
    """y_j = sum_ik x1_i w_jik x2_k + b_j along the last axes of two inputs.

    Args:
        in1_features, in2_features, out_features: the last sizes of x1, x2 and y.
        bias: whether to add b.
        device, dtype: of the parameters; by default the default device and float32.

    Parameters: weight (out_features, in1_features, in2_features) and bias (out_features,), both
    uniform in +-1 / sqrt(in1_features).

    Shapes: (..., in1_features), (..., in2_features) -> (..., out_features).
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        at_least_one("Bilinear", in1_features=in1_features, in2_features=in2_features,
                     out_features=out_features)  # fmt: skip
        self.in1_features, self.in2_features = in1_features, in2_features
        self.out_features = out_features
        shape = (out_features, in1_features, in2_features)
        self.weight = new_parameter(shape, 0.0, device, dtype)
        self.bias = new_parameter((out_features,), 0.0, device, dtype) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the initial parameters again."""
        bound = 1.0 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Any, input2: Any) -> Any:
        return functional.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class Flatten(Module):
    """Merge the axes from `start_dim` to `end_dim` into one: (N, C, H, W) -> (N, C H W)."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Any) -> Any:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Split the axis `dim` into axes of the given sizes, one of which may be -1."""

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if isinstance(unflattened_size, int) or not hasattr(unflattened_size, "__len__"):
            raise TypeError(
                f"Unflatten: unflattened_size is {unflattened_size!r}; it must be a tuple of sizes"
            )
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, input: Any) -> Any:
        axis = axis_of("Unflatten", self.dim, input.ndim)
        n, sizes = input.shape[axis], self.unflattened_size
        known = math.prod(m for m in sizes if m != -1)
        if sizes.count(-1) == 1 and known and not n % known:
            sizes = tuple(n // known if m == -1 else m for m in sizes)
        elif -1 in sizes or known != n:
            raise ValueError(f"Unflatten: size {n} of dim {self.dim} does not split into {sizes}")
        return input.reshape(*input.shape[:axis], *sizes, *input.shape[axis + 1 :])

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class Identity(Module):
    """y = x, as a placeholder for a layer; all arguments are ignored."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input
