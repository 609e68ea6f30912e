"""What `opinfo` may find different: patterns of its lines, each with the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tinynet as tn

# operations whose samples have their arguments in another order than the public function
ADAPTED: dict[str, Callable[..., Any]] = {
    "where": lambda x, condition, y: tn.where(condition, x, y),
    "einsum": lambda operands, equation: tn.einsum(equation, *operands),
    "nn.functional.embedding": (
        lambda weight, index, **options: tn.functional.embedding(index, weight, **options)
    ),
}

# "name: kind: text" of an outcome, as a pattern; what and why, for docs/pytorch.md
EXPLAINED: list[tuple[str, str]] = []
