"""One case of the table in `op_cases`, and its numbers."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import tinynet as tn
from tinynet.testing.strategies import contents


@dataclass(frozen=True)
class Case:
    """One call of an operation.

    Attributes:
        inputs: arrays become Tensors (those of floats with a gradient); None and numbers stay.
        want: the definition, called with the same inputs and options.
        options: keyword options of the operation.
        view: whether the result may share memory with an input.
        layouts: whether the case is repeated for other memory orders.
    """

    inputs: Sequence[Any]
    want: Callable[..., Any]
    options: dict[str, Any] = field(default_factory=dict)
    view: bool = False
    layouts: bool = True


def joined(y: Any) -> Any:
    """The output of an operation; the floats of several outputs in one row."""
    if not isinstance(y, tuple):
        return y
    rows = [o.reshape(-1) for o in y if o.dtype.kind == "f"]
    return tn.cat(rows) if isinstance(y[0], tn.Tensor) else np.concatenate(rows)


def n(*shape: int, kind: str = "normal", seed: int = 0) -> np.ndarray:
    """Reproducible float64 numbers of that shape and kind (`strategies.contents`)."""
    rng = np.random.default_rng([seed, *shape, zlib.crc32(kind.encode())])
    return contents(shape, kind, rng)
