"""How an array is printed."""

from __future__ import annotations

from typing import Any

import numpy as np


def format_array(array: np.ndarray, indent: int) -> str:
    """Format with commas and four decimals, later lines indented, long arrays abridged."""
    return np.array2string(array, separator=", ", prefix=" " * indent, **_printing)


_printing: dict[str, Any] = {"precision": 4, "threshold": 200}


def set_printoptions(
    precision: int | None = None,
    threshold: int | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    sci_mode: bool | None = None,
) -> None:
    """How tensors are printed; what is not given stays.

    Args:
        precision: decimals.
        threshold: the number of entries above which a tensor is abridged.
        edgeitems: how many entries of each axis an abridged tensor shows at either end.
        linewidth: characters of a line.
        sci_mode: False to print numbers without an exponent.
    """
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems,
             "max_line_width": linewidth}  # fmt: skip
    if sci_mode is not None:
        _printing["suppress_small"] = not sci_mode
    _printing.update({k: v for k, v in given.items() if v is not None})
