"""1,797 handwritten digits of 8x8 pixels, which come with the package.

**Source**: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine
Learning Repository, 1998, DOI 10.24432/C50P49, licence CC BY 4.0; its test part,
``optdigits.tes``. See ``digits.LICENSE.txt``.
"""

from __future__ import annotations

import numpy as np


def digits(train: bool = True, size: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Load 1,797 small handwritten digits; no download needed.

    Each pixel counts the dark pixels in a 4x4 block of a 32x32 scan, so it is 0 to 16.

    Every fifth digit of the file (``index % 5 == 4``) is held out: 1,438 train, 359 test. The same
    13 people wrote both parts, so the test measures a network on new digits in known handwriting.
    The file's order is not random, so the held-out classes are uneven: from 21 ones to 52 threes.
    Use the results for tests and examples; do not compare them with results on the data set's own
    split.

    Args:
        train: True for the 1,438 training digits, False for the 359 held out.
        size: 8, or 28 for networks made for MNIST: each pixel becomes 3x3, with a border of 2.

    Returns:
        images: float32, shape (N, 1, size, size), 0 (paper) to 1 (ink): the counts divided
            by 16, which float32 holds exactly.
        labels: int64, shape (N,), 0 to 9.
        Both are fresh and writable.

    Raises:
        ValueError: if `size` is neither 8 nor 28.

    **Source**: E. Alpaydin, C. Kaynak, UCI Machine Learning Repository, DOI 10.24432/C50P49.

    >>> images, labels = digits()
    >>> images.shape, images.dtype.name, labels.shape, labels.dtype.name
    ((1438, 1, 8, 8), 'float32', (1438,), 'int64')
    """
    from importlib import resources  # on first use: it would make `import tinynet` slower

    path = resources.files("tinynet.data") / "digits.npz"
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    held_out = np.arange(len(labels)) % 5 == 4
    part = ~held_out if train else held_out
    pixels = np.divide(images[part], 16, dtype=np.float32)[:, None]
    if size == 28:
        border = ((0, 0), (0, 0), (2, 2), (2, 2))
        pixels = np.pad(pixels.repeat(3, axis=2).repeat(3, axis=3), border)
    elif size != 8:
        raise ValueError(f"digits: size is {size}; it must be 8 or 28")
    return pixels, labels[part].astype(np.int64)
