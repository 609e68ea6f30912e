"""Names that PyTorch has for constants and types, and that Python or NumPy has here."""

from __future__ import annotations

from math import e, inf, nan, pi

import numpy as np

newaxis = None
Size = tuple  # the type of a shape
dtype = np.dtype  # the type of an element type
preserve_format = "preserve_format"
contiguous_format = "contiguous_format"
channels_last = "channels_last"  # refused with a sentence where it is given
strided = "strided"

__all__ = [
    "Size", "channels_last", "contiguous_format", "dtype", "e", "inf", "nan", "newaxis", "pi",
    "preserve_format", "strided",
]  # fmt: skip
