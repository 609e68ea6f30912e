"""Dropout of entries and of channels, in training only; see `tinynet.functional.dropout`.

`inplace` exists for compatibility with PyTorch and has no effect: the result is a new tensor.
"""

from __future__ import annotations

from typing import Any

from tinynet import functional
from tinynet.nn.module import Module


class Dropout(Module):
    """y = m x / (1 - p) in training, with each m 0 with probability p and 1 otherwise; else y = x.

    Args:
        p: the probability of dropping an entry, from 0 to 1.
        inplace: no effect.

    See `tinynet.functional.dropout`.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"{type(self).__name__}: p is {p}; it must be from 0 to 1")
        self.p, self.inplace = float(p), inplace

    def forward(self, input: Any) -> Any:
        return functional.dropout(input, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout1d(Dropout):
    """`Dropout` of whole channels of (N, C, L) or (C, L)."""

    def forward(self, input: Any) -> Any:
        return functional.dropout1d(input, self.p, self.training)


class Dropout2d(Dropout):
    """`Dropout` of whole channels of (N, C, H, W)."""

    def forward(self, input: Any) -> Any:
        return functional.dropout2d(input, self.p, self.training)


class Dropout3d(Dropout):
    """`Dropout` of whole channels of (N, C, D, H, W) or (C, D, H, W)."""

    def forward(self, input: Any) -> Any:
        return functional.dropout3d(input, self.p, self.training)


class AlphaDropout(Dropout):
    """Dropout after SELU that keeps mean 0 and variance 1; see `functional.alpha_dropout`."""

    def forward(self, input: Any) -> Any:
        return functional.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(Dropout):
    """`AlphaDropout` of whole channels of (N, C, ...)."""

    def forward(self, input: Any) -> Any:
        return functional.feature_alpha_dropout(input, self.p, self.training)
