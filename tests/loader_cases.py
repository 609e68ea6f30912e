"""What the loader's tests share."""

from __future__ import annotations

import numpy as np


def jitter(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A transform whose result reveals every number that it drew."""
    return images + rng.random(images.shape)
