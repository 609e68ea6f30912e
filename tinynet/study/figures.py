"""Arrays as pictures: the data that the page embeds, and the canvas of each."""

from __future__ import annotations

import base64
import html
from typing import Any

import numpy as np

from tinynet.study.notation import number


class Figures:
    """Collects the arrays that a page embeds, each once, and makes the HTML of their pictures."""

    def __init__(self) -> None:
        self.arrays: dict[str, dict[str, Any]] = {}

    def add(self, key: str, array: np.ndarray) -> None:
        """Embed an array under a key, as little-endian float32 in base64.

        Raises:
            TypeError: if float32 cannot represent its numbers exactly.
        """
        floats = np.asarray(array, dtype="<f4", order="C")
        if not np.array_equal(floats, array, equal_nan=True):
            raise TypeError(f"figures: {key!r} of {array.dtype} is not exact in float32")
        data = base64.b64encode(floats.tobytes()).decode("ascii")
        self.arrays[key] = {"shape": list(array.shape), "data": data}

    def figure(self, role: str, key: str, array: np.ndarray, caption: str) -> str:
        """The HTML of an array's picture, with its role, caption, shape and range."""
        shape = "×".join(map(str, array.shape)) or "one number"
        spread = number(array.reshape(-1)[0]) if array.size == 1 else _range(array)
        label = f"{role}: {caption}, {shape}. Arrow keys move from cell to cell."
        return (
            f'<figure><figcaption><b>{html.escape(role)}</b> {html.escape(caption)} '
            f'<span class="quiet">{shape}, {spread}</span></figcaption>'
            f'<div class="frame"><canvas tabindex="0" role="application" width="1" height="1" '
            f'aria-label="{html.escape(label)}" data-role="{html.escape(role)}" '
            f'data-numbers="{html.escape(key)}"></canvas></div></figure>'
        )  # fmt: skip


def _range(array: np.ndarray) -> str:
    return f"{array.min() + 0.0:.3g} to {array.max() + 0.0:.3g}"
