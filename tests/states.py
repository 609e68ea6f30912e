"""What the tests of checkpoints share: states compared to the bit, and a part that is a number."""

from __future__ import annotations

import numpy as np


def same(a, b) -> bool:
    """Equal types, keys in order, numbers (NaN is NaN, -0.0 is not 0.0), arrays by their bytes."""
    if isinstance(a, np.ndarray):
        return (
            isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape
            and a.tobytes() == b.tobytes()
        )  # fmt: skip
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return repr(a) == repr(b)


class Number:
    """A part of a checkpoint that is a number."""

    def __init__(self, value: float = 0) -> None:
        self.value = value

    def state_dict(self) -> dict:
        return {"value": self.value}

    def load_state_dict(self, state: dict) -> None:
        self.value = state["value"]
