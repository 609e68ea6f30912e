"""Dropout of entries and of whole channels.

Masks are drawn on the host from the generator of `tinynet.manual_seed`, so they are the same on
either device. `inplace` has no effect: the result is a new tensor.
"""

from __future__ import annotations

from typing import Any

from tinynet import random
from tinynet.autograd import raw
from tinynet.functional.activations import SELU_ALPHA, SELU_SCALE
from tinynet.functions.public import function
from tinynet.tensor import Tensor


def _probability(name: str, p: Any) -> float:
    p = float(p)
    if not 0 <= p <= 1:
        raise ValueError(f"{name}: p is {p}; it must be from 0 to 1")
    return p


def _kept(input: Tensor, p: float, shape: tuple[int, ...]) -> Any:
    """A mask of `shape`, each entry 0 with probability p and else 1, in the dtype of the result."""
    array = raw(input)
    dtype = array.dtype if array.dtype.kind == "f" else "float32"
    return (random.uniform(shape, array) >= p).astype(dtype)


def _dropped(name: str, input: Tensor, p: Any, training: bool, shape: tuple[int, ...]) -> Any:
    p = _probability(name, p)
    if not training or p == 0:
        return input
    return input * (_kept(input, p, shape) * (1.0 / (1.0 - p) if p < 1 else 0.0))


@function
def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """y = m x / (1 - p); each entry of the mask m is independently 0 with probability p, else 1.

    The factor 1 / (1 - p) preserves the mean, so evaluation (training=False) is the identity. With
    p = 1 the result is 0. y has the shape of x, and its dtype, or float32 if x has an integer
    dtype.

    Raises:
        ValueError: unless 0 <= p <= 1.

    Source: N. Srivastava et al., Dropout, JMLR 15 (2014), section 10 ("inverted" dropout).
    """
    return _dropped("dropout", input, p, training, input.shape)


def _channels(name: str, input: Tensor, spatial: int) -> tuple[int, ...]:
    """The shape of a mask with one entry for each channel of each example."""
    if input.ndim not in (spatial + 1, spatial + 2):
        raise ValueError(
            f"{name}: input has shape {input.shape}; it must be (N, C, ...) or (C, ...) with "
            f"{spatial} axes after C"
        )
    kept = input.ndim - spatial
    return (*input.shape[:kept], *(1 for _ in range(spatial)))


@function
def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """`dropout` of whole channels of (N, C, L) or (C, L)."""
    return _dropped("dropout1d", input, p, training, _channels("dropout1d", input, 1))


@function
def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """`dropout` of whole channels of (N, C, H, W); (N, C, L) is taken as in `dropout1d`.

    Source: J. Tompson et al., Efficient object localization using convolutional networks,
        arXiv:1411.4280, section 3.2.
    """
    spatial = 1 if input.ndim == 3 else 2
    return _dropped("dropout2d", input, p, training, _channels("dropout2d", input, spatial))


@function
def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """`dropout` of whole channels of (N, C, D, H, W) or (C, D, H, W)."""
    return _dropped("dropout3d", input, p, training, _channels("dropout3d", input, 3))


def _alpha_dropped(name: str, input: Tensor, p: Any, training: bool, shape: tuple[int, ...]) -> Any:
    """Dropped entries become s = -scale alpha of `selu`; a and b restore mean 0 and variance 1.

    With q = 1 - p, the mean of m x + (1 - m) s is (1 - q) s and its variance q + q (1 - q) s^2.
    """
    p = _probability(name, p)
    if not training or p == 0:
        return input
    if p == 1:
        return input * 0.0
    q, s = 1.0 - p, -SELU_ALPHA * SELU_SCALE
    a = (q + q * p * s * s) ** -0.5
    kept = _kept(input, p, shape)
    return input * (kept * a) + ((1.0 - kept) * (a * s) - a * p * s)


@function
def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Any:
    """Dropout after `selu`: entries become SELU's limit at -Inf; mean 0 and variance 1 stay.

    Source: G. Klambauer et al., Self-normalizing neural networks, arXiv:1706.02515, section 2.
    """
    return _alpha_dropped("alpha_dropout", input, p, training, input.shape)


@function
def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Any:
    """`alpha_dropout` of whole channels of (N, C, ...)."""
    if training and input.ndim < 2:
        raise ValueError(
            f"feature_alpha_dropout: input has shape {input.shape}; it must be (N, C, ...)"
        )
    shape = (*input.shape[:2], *(1 for _ in input.shape[2:]))
    return _alpha_dropped("feature_alpha_dropout", input, p, training, shape)
