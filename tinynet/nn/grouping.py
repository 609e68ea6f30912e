"""Normalisation by groups of channels, by instances, by root mean square, by neighbours.

The functions are in `tinynet.functional.normalization`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinynet import functional
from tinynet.functional.layers import last_sizes
from tinynet.nn.layers import at_least_one, new_parameter, ones_and_zeros
from tinynet.nn.module import Module
from tinynet.nn.normalization import _BatchNorm


class GroupNorm(Module):
    """y = (x - mean) / sqrt(var + eps) * w + b over groups of channels, for each example.

    Args:
        num_groups: must divide num_channels.
        num_channels: C.
        eps: added to the variance, in the square of the unit of x.
        affine: whether to multiply by w.
        device, dtype: of the parameters; by default the default device and float32.
        bias: whether to add b; only with `affine`.

    Parameters: weight (C,) of ones and bias (C,) of zeros.

    Shapes: (N, C, ...) -> the same.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: str | None = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        at_least_one("GroupNorm", num_groups=num_groups, num_channels=num_channels)
        if num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: num_channels {num_channels} must be divisible by num_groups "
                f"{num_groups}"
            )
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps, self.affine = float(eps), affine
        shape = (num_channels,)
        self.weight = new_parameter(shape, 1.0, device, dtype) if affine else None
        self.bias = new_parameter(shape, 0.0, device, dtype) if affine and bias else None

    def reset_parameters(self) -> None:
        """Set the weight to 1 and the bias to 0."""
        ones_and_zeros(self)

    def forward(self, input: Any) -> Any:
        return functional.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class _InstanceNorm(_BatchNorm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: str | None = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def forward(self, input: Any) -> Any:
        """With a batch axis or without."""
        shape = tuple(input.shape)
        (most,) = self._axes
        single = len(shape) == most - 1
        if not single and len(shape) != most:
            raise ValueError(
                f"{type(self).__name__}: input has shape {shape}; it must be {self._form}"
            )
        if self.affine and shape[0 if single else 1] != self.num_features:
            raise ValueError(
                f"{type(self).__name__}: input has shape {shape}; it must be {self._form} with C = "
                f"{self.num_features}"
            )
        y = functional.instance_norm(
            input.unsqueeze(0) if single else input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return y.squeeze(0) if single else y


class InstanceNorm1d(_InstanceNorm):
    """y = (x - mean) / sqrt(var + eps) * w + b over the positions of each channel and example.

    Args:
        num_features: C.
        eps: added to the variance, in the square of the unit of x.
        momentum: the weight of an input in the running statistics.
        affine: whether to multiply by w and add b.
        track_running_stats: whether to keep running statistics, which evaluation uses.
        device, dtype: of parameters and buffers; by default the default device and float32.
        bias: whether to add b; only with `affine`.

    Parameters and buffers are those of `BatchNorm1d`, as far as asked for.

    Shapes: (N, C, L) or (C, L) -> the same.
    """

    _axes, _form = (3,), "(N, C, L) or (C, L)"


class InstanceNorm2d(_InstanceNorm):
    """`InstanceNorm1d` for images: (N, C, H, W) or (C, H, W) -> the same."""

    _axes, _form = (4,), "(N, C, H, W) or (C, H, W)"


class InstanceNorm3d(_InstanceNorm):
    """`InstanceNorm1d` for volumes: (N, C, D, H, W) or (C, D, H, W) -> the same."""

    _axes, _form = (5,), "(N, C, D, H, W) or (C, D, H, W)"


class RMSNorm(Module):
    """y = x / sqrt(mean of x^2 + eps) * w over the last axes, for each example.

    Args:
        normalized_shape: the last sizes of x; a number for the last size only.
        eps: by default the distance from 1 to the next number of x's dtype.
        elementwise_affine: whether to multiply by w.
        device, dtype: of the parameter; by default the default device and float32.

    Parameters: weight of ones, of shape normalized_shape.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = shape = last_sizes(normalized_shape)
        self.eps, self.elementwise_affine = None if eps is None else float(eps), elementwise_affine
        self.weight = new_parameter(shape, 1.0, device, dtype) if elementwise_affine else None

    def reset_parameters(self) -> None:
        """Set the weight to 1."""
        ones_and_zeros(self)

    def forward(self, input: Any) -> Any:
        return functional.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class LocalResponseNorm(Module):
    """y_c = x_c / (k + alpha/size sum of x_j^2 over the `size` channels j around c)^beta."""

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        at_least_one("LocalResponseNorm", size=size)
        self.size, self.alpha, self.beta, self.k = size, float(alpha), float(beta), float(k)

    def forward(self, input: Any) -> Any:
        return functional.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
