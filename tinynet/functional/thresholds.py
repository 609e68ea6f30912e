"""Activations of straight pieces, which change at thresholds.

At a threshold itself each takes the slope of the flat piece. `inplace` has no effect, as in
`tinynet.functional.activations`.
"""

from __future__ import annotations

from typing import Any

from tinynet.autograd import raw
from tinynet.functions.public import function
from tinynet.ops import arithmetic
from tinynet.ops.arithmetic import where
from tinynet.tensor import Tensor


def _between(x: Any, low: float, high: float) -> Any:
    """x cut to [low, high], with slope 0 at both bounds, unlike `clamp`."""
    return where(raw(x) <= low, low, where(raw(x) >= high, high, x))


@function
def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Any:
    """x for x > threshold, `value` otherwise."""
    return where(raw(input) <= float(threshold), _like(input, value), input)


def _like(input: Tensor, value: float) -> Any:
    return int(value) if input.dtype.kind in "iu" else float(value)


@function
def relu6(input: Tensor, inplace: bool = False) -> Any:
    """min(max(x, 0), 6).

    Source: A. Krizhevsky, Convolutional deep belief networks on CIFAR-10 (2010), section 2.
    """
    low, high = _like(input, 0), _like(input, 6)
    return _between(input, low, high)


@function
def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Any:
    """min(max(x, min_val), max_val).

    Raises:
        ValueError: if min_val is greater than max_val.
    """
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val {min_val} is greater than max_val {max_val}")
    return _between(input, _like(input, min_val), _like(input, max_val))


@function
def hardsigmoid(input: Tensor, inplace: bool = False) -> Any:
    """min(max(x + 3, 0), 6) / 6: a sigmoid of three straight pieces.

    Source: A. Howard et al., Searching for MobileNetV3, arXiv:1905.02244, section 5.2.
    """
    return _between(input + 3.0, 0.0, 6.0) / 6.0


@function
def hardswish(input: Tensor, inplace: bool = False) -> Any:
    """x min(max(x + 3, 0), 6) / 6: SiLU with straight pieces for the sigmoid.

    Source: A. Howard et al., Searching for MobileNetV3, arXiv:1905.02244, section 5.2.
    """
    return input * _between(input + 3.0, 0.0, 6.0) / 6.0


@function
def hardshrink(input: Tensor, lambd: float = 0.5) -> Any:
    """x where |x| > lambd, else 0."""
    x = raw(input)
    return where((x >= -float(lambd)) & (x <= float(lambd)), 0.0, input)


@function
def softshrink(input: Tensor, lambd: float = 0.5) -> Any:
    """x moved towards 0 by lambd, and 0 where |x| <= lambd.

    It is the x' that minimises (x' - x)^2 / 2 + lambd |x'|.

    Raises:
        ValueError: if lambd is negative.

    Source: R. Tibshirani, Regression shrinkage and selection via the lasso (1996), eq. 3.
    """
    lambd = float(lambd)
    if not lambd >= 0:
        raise ValueError(f"softshrink: lambd is {lambd}; it must be at least 0")
    return input - arithmetic.clamp(input, min=-lambd, max=lambd)
