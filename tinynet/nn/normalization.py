"""Layers that normalise activations to mean 0 and variance 1, per channel or per example."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinynet import backend, dtypes, functional
from tinynet.functional.layers import last_sizes
from tinynet.nn.layers import at_least_one, new_parameter, ones_and_zeros
from tinynet.nn.module import Module
from tinynet.tensor import Tensor


class _BatchNorm(Module):
    _axes: tuple[int, ...]  # the numbers of axes that an input may have
    _form: str  # the shapes of inputs, for messages

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: str | None = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        at_least_one(type(self).__name__, num_features=num_features)
        self.num_features, self.eps = num_features, float(eps)
        self.momentum = None if momentum is None else float(momentum)
        self.affine, self.track_running_stats = affine, track_running_stats
        shape = (num_features,)
        self.weight = new_parameter(shape, 1.0, device, dtype) if affine else None
        self.bias = new_parameter(shape, 0.0, device, dtype) if affine and bias else None
        dtype = dtype or dtypes.float32
        mean = variance = count = None
        if track_running_stats:
            mean = Tensor(backend.full_on(shape, 0.0, dtype, device))
            variance = Tensor(backend.full_on(shape, 1.0, dtype, device))
            count = Tensor(backend.full_on((), 0, dtypes.int64, device))
        self.register_buffer("running_mean", mean)
        self.register_buffer("running_var", variance)
        self.register_buffer("num_batches_tracked", count)

    def reset_running_stats(self) -> None:
        """Forget the running statistics: mean 0, variance 1, no batches."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1.0)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Forget the running statistics, and set the weight to 1 and the bias to 0."""
        self.reset_running_stats()
        ones_and_zeros(self)

    def forward(self, input: Any) -> Any:
        shape = tuple(input.shape)
        if len(shape) not in self._axes or shape[1] != self.num_features:
            raise ValueError(
                f"{type(self).__name__}: input has shape {shape}; it must be {self._form} with C = "
                f"{self.num_features}"
            )
        momentum: Any = self.momentum
        updated = self.training and self.track_running_stats
        if updated and momentum is None:  # the mean over all batches so far
            count = self.num_batches_tracked.data + 1
            momentum = backend.as_array(1.0 / count).astype(self.running_mean.dtype)
        output = functional.batch_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if momentum is None else momentum,
            self.eps,
        )
        if updated:  # only now: a batch that was refused does not count
            self.num_batches_tracked.add_(1)
        return output

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """y = (x - mean) / sqrt(var + eps) * w + b, for each channel.

    Training uses the mean and the biased variance of the batch, and moves the running statistics
    towards its mean and its unbiased variance; evaluation uses the running statistics.
    `tinynet.functional.batch_norm` explains why there are two variances.

    Args:
        num_features: C.
        eps: added to the variance, in the square of the unit of x.
        momentum: the weight of a batch in the running statistics; None for the mean over all
            batches so far.
        affine: whether to multiply by w.
        track_running_stats: whether to keep running statistics; if False, evaluation uses the
            statistics of the batch too.
        device, dtype: of parameters and buffers; by default the default device and float32.
        bias: whether to add b; only with `affine`.

    Parameters: weight (C,) of ones and bias (C,) of zeros. Buffers: running_mean (C,) of zeros,
    running_var (C,) of ones, and num_batches_tracked (), int64.

    Shapes: (N, C) or (N, C, L) -> the same.

    Raises:
        ValueError: for other shapes, and in training for a single value per channel.

    Source: S. Ioffe and C. Szegedy, Batch normalization, arXiv:1502.03167, algorithms 1 and 2.
    """

    _axes, _form = (2, 3), "(N, C) or (N, C, L)"


class BatchNorm2d(_BatchNorm):
    """`BatchNorm1d` for images, over examples and positions: (N, C, H, W) -> the same."""

    _axes, _form = (4,), "(N, C, H, W)"


class BatchNorm3d(_BatchNorm):
    """`BatchNorm1d` for volumes: (N, C, D, H, W) -> the same."""

    _axes, _form = (5,), "(N, C, D, H, W)"


class LayerNorm(Module):
    """y = (x - mean) / sqrt(var + eps) * w + b over the last axes, for each example.

    Args:
        normalized_shape: the last sizes of x; a number for the last size only.
        eps: added to the variance, in the square of the unit of x.
        elementwise_affine: whether to multiply by w.
        bias: whether to add b; only with `elementwise_affine`.
        device, dtype: of the parameters; by default the default device and float32.

    Parameters: weight of ones and bias of zeros, of shape normalized_shape.

    Shapes: (..., *normalized_shape) -> the same.

    See `tinynet.functional.layer_norm`.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = shape = last_sizes(normalized_shape)
        if not shape:
            raise ValueError("LayerNorm: normalized_shape is empty; it must have one size or more")
        for size in shape:
            at_least_one("LayerNorm", normalized_shape=size)
        self.eps, self.elementwise_affine = float(eps), elementwise_affine
        ones, zeros = (new_parameter(shape, v, device, dtype) for v in (1.0, 0.0))
        self.weight = ones if elementwise_affine else None
        self.bias = zeros if elementwise_affine and bias else None

    def reset_parameters(self) -> None:
        """Set the weight to 1 and the bias to 0."""
        ones_and_zeros(self)

    def forward(self, input: Any) -> Any:
        return functional.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )
