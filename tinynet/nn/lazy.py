"""Lazy layers: their first input says how many inputs they have.

``LazyLinear(10)`` is a `Linear` from the first forward on. Until then its parameters are empty; an
optimizer may have them already, since they stay the same objects.
"""

from __future__ import annotations

import inspect
from typing import Any

from tinynet import backend, random
from tinynet.nn.convolution import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
)
from tinynet.nn.grouping import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from tinynet.nn.hooks import HOOKS
from tinynet.nn.layers import Linear
from tinynet.nn.module import Module
from tinynet.nn.normalization import BatchNorm1d, BatchNorm2d, BatchNorm3d


class _Lazy(Module):
    """A layer that waits for its first input.

    The class after this one in the order of bases is the layer that it becomes. Its first argument,
    the number of inputs, is left out.
    """

    _size_name: str  # of that argument
    _size_axis: int  # the axis of the input with that many entries

    def __init__(self, *args: Any, **options: Any) -> None:
        layer: Any = type(self).__bases__[1]
        given = inspect.signature(layer).bind(1, *args, **options)
        with random.fork_rng():  # what is drawn here is not used
            layer.__init__(self, given.arguments.get("groups", 1), *args, **options)
        self._waiting = args, options
        setattr(self, self._size_name, 0)
        for _, tensor in self._own():
            if tensor.ndim:
                tensor.data = backend.empty((0,), tensor.data)

    def forward(self, input: Any, *more: Any, **named: Any) -> Any:
        if input.ndim < -self._size_axis:
            raise ValueError(
                f"{type(self).__name__}: input has shape {tuple(input.shape)}; it must have at "
                f"least {-self._size_axis} axes"
            )
        layer: Any = type(self).__bases__[1]
        args, options = self._waiting
        made = layer(input.shape[self._size_axis], *args, **options)
        for (name, mine), (_, new) in zip(self._own(), made._own(), strict=True):
            mine.data = backend.asarray(new.data, mine.dtype, mine.device)
            setattr(made, name, mine)
        made.training = self.training
        vars(self).update({k: v for k, v in vars(made).items() if k not in HOOKS})
        del self._waiting
        self.__class__ = layer
        return layer.forward(self, input, *more, **named)


class LazyLinear(_Lazy, Linear):
    """A `Linear` whose `in_features` is the last size of its first input."""

    _size_name, _size_axis = "in_features", -1


class LazyConv1d(_Lazy, Conv1d):
    """A `Conv1d` whose `in_channels` is the number of channels of its first input."""

    _size_name, _size_axis = "in_channels", -2


class LazyConv2d(_Lazy, Conv2d):
    """A `Conv2d` whose `in_channels` is the number of channels of its first input."""

    _size_name, _size_axis = "in_channels", -3


class LazyConv3d(_Lazy, Conv3d):
    """A `Conv3d` whose `in_channels` is the number of channels of its first input."""

    _size_name, _size_axis = "in_channels", -4


class LazyConvTranspose1d(_Lazy, ConvTranspose1d):
    """A `ConvTranspose1d` whose `in_channels` is the number of channels of its first input."""

    _size_name, _size_axis = "in_channels", -2


class LazyConvTranspose2d(_Lazy, ConvTranspose2d):
    """A `ConvTranspose2d` whose `in_channels` is the number of channels of its first input."""

    _size_name, _size_axis = "in_channels", -3


class LazyConvTranspose3d(_Lazy, ConvTranspose3d):
    """A `ConvTranspose3d` whose `in_channels` is the number of channels of its first input."""

    _size_name, _size_axis = "in_channels", -4


class LazyBatchNorm1d(_Lazy, BatchNorm1d):
    """A `BatchNorm1d` whose `num_features` is the number of channels of its first input."""

    _size_name, _size_axis = "num_features", 1


class LazyBatchNorm2d(_Lazy, BatchNorm2d):
    """A `BatchNorm2d` whose `num_features` is the number of channels of its first input."""

    _size_name, _size_axis = "num_features", 1


class LazyBatchNorm3d(_Lazy, BatchNorm3d):
    """A `BatchNorm3d` whose `num_features` is the number of channels of its first input."""

    _size_name, _size_axis = "num_features", 1


class LazyInstanceNorm1d(_Lazy, InstanceNorm1d):
    """An `InstanceNorm1d` whose `num_features` is the number of channels of its first input."""

    _size_name, _size_axis = "num_features", -2


class LazyInstanceNorm2d(_Lazy, InstanceNorm2d):
    """An `InstanceNorm2d` whose `num_features` is the number of channels of its first input."""

    _size_name, _size_axis = "num_features", -3


class LazyInstanceNorm3d(_Lazy, InstanceNorm3d):
    """An `InstanceNorm3d` whose `num_features` is the number of channels of its first input."""

    _size_name, _size_axis = "num_features", -4
