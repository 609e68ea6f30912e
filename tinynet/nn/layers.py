"""Layers: linear, embedding, flatten, dropout, identity."""

from __future__ import annotations

import math
from typing import Any

from tinynet import backend, dtypes, functional
from tinynet.nn import init
from tinynet.nn.module import Module
from tinynet.nn.parameter import Parameter


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
        initialise(self.weight, self.bias)

    def forward(self, input: Any) -> Any:
        return functional.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Embedding(Module):
    """Look up row x_i of a table for each integer x_i; see `tinynet.functional.embedding`.

    Args:
        num_embeddings: V, the number of rows.
        embedding_dim: D, the length of a row.
        device, dtype: of the table; by default the default device and float32.

    Parameters: weight (V, D), normal numbers of mean 0 and variance 1.

    Shapes: integers from 0 to V - 1 of any shape -> (*shape, D).
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        at_least_one("Embedding", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.weight = new_parameter((num_embeddings, embedding_dim), 0.0, device, dtype)
        init.normal_(self.weight)

    def forward(self, input: Any) -> Any:
        return functional.embedding(input, self.weight)

    def extra_repr(self) -> str:
        return f"{self.num_embeddings}, {self.embedding_dim}"


class Flatten(Module):
    """Merge the axes from `start_dim` to `end_dim` into one: (N, C, H, W) -> (N, C H W)."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Any) -> Any:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Dropout(Module):
    """y = m x / (1 - p) in training, with each m 0 with probability p and 1 otherwise; else y = x.

    Args:
        p: the probability of dropping an entry, at least 0 and less than 1.
        inplace: no effect; exists for compatibility with PyTorch.

    See `tinynet.functional.dropout`.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"Dropout: p is {p}; it must be at least 0 and less than 1")
        self.p, self.inplace = p, inplace

    def forward(self, input: Any) -> Any:
        return functional.dropout(input, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Identity(Module):
    """y = x, as a placeholder for a layer; all arguments are ignored."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input
