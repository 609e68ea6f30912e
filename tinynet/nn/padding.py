"""Padding as modules; see `tinynet.functional.pad`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinynet import functional
from tinynet.nn.module import Module


class _Padding(Module):
    """Pad the last axes.

    Args:
        padding: a number for all sides; or the widths (before, after) of the last axis, then of the
            one before it, and so on. Negative widths crop.
    """

    _axes: int
    _mode = "constant"

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        widths = (padding,) * (2 * self._axes) if isinstance(padding, int) else tuple(padding)
        if len(widths) != 2 * self._axes:
            raise ValueError(
                f"{type(self).__name__}: padding is {padding}; it must be a number or "
                f"{2 * self._axes} numbers"
            )
        self.padding = widths

    def forward(self, input: Any) -> Any:
        return functional.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPadding(_Padding):
    """Pad the last axes with a number.

    Args:
        padding: a number for all sides, or the widths (before, after) from the last axis on.
        value: the number to pad with.
    """

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Any) -> Any:
        return functional.pad(input, self.padding, value=self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadding):
    """Pad the last axis with the number `value`."""

    _axes = 1


class ConstantPad2d(_ConstantPadding):
    """Pad the last 2 axes with the number `value`."""

    _axes = 2


class ConstantPad3d(_ConstantPadding):
    """Pad the last 3 axes with the number `value`."""

    _axes = 3


class ZeroPad1d(_Padding):
    """Pad the last axis with 0."""

    _axes = 1


class ZeroPad2d(_Padding):
    """Pad the last 2 axes with 0."""

    _axes = 2


class ZeroPad3d(_Padding):
    """Pad the last 3 axes with 0."""

    _axes = 3


class ReflectionPad1d(_Padding):
    """Pad (N, C, L) or the same without N with its own entries, reflected at the edge."""

    _axes, _mode = 1, "reflect"


class ReflectionPad2d(_Padding):
    """`ReflectionPad1d` for (N, C, H, W) or the same without N."""

    _axes, _mode = 2, "reflect"


class ReflectionPad3d(_Padding):
    """`ReflectionPad1d` for (N, C, D, H, W) or the same without N."""

    _axes, _mode = 3, "reflect"


class ReplicationPad1d(_Padding):
    """Pad (N, C, L) or the same without N with copies of the entry at the edge."""

    _axes, _mode = 1, "replicate"


class ReplicationPad2d(_Padding):
    """`ReplicationPad1d` for (N, C, H, W) or the same without N."""

    _axes, _mode = 2, "replicate"


class ReplicationPad3d(_Padding):
    """`ReplicationPad1d` for (N, C, D, H, W) or the same without N."""

    _axes, _mode = 3, "replicate"


class CircularPad1d(_Padding):
    """Pad (N, C, L) or the same without N with entries of the other end."""

    _axes, _mode = 1, "circular"


class CircularPad2d(_Padding):
    """`CircularPad1d` for (N, C, H, W) or the same without N."""

    _axes, _mode = 2, "circular"


class CircularPad3d(_Padding):
    """`CircularPad1d` for (N, C, D, H, W) or the same without N."""

    _axes, _mode = 3, "circular"
