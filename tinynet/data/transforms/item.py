"""ToTensor and Lambda: transforms of one item of a data set, not of a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinynet.autograd import Value
from tinynet.creation import as_tensor
from tinynet.tensor import Tensor


class ToTensor:
    """Makes a float32 Tensor (C, H, W) in [0, 1] of an image of bytes, (H, W) or (H, W, C).

    The image is an array or anything that NumPy makes one of, such as Pillow's. Numbers that are
    not bytes keep their unit and dtype.

    >>> ToTensor()(np.array([[0, 255]], "uint8"))
    tensor([[[0., 1.]]])
    """

    def __call__(self, image: Any, rng: Any = None) -> Tensor:
        if isinstance(image, Value):
            raise TypeError("ToTensor: the image is a Tensor already; leave ToTensor out")
        array = np.asarray(image)
        if array.dtype.kind not in "biuf" or array.ndim not in (2, 3):
            raise TypeError(
                f"ToTensor: the image is a {type(image).__name__} of {array.dtype} and shape "
                f"{array.shape}; it must be numbers of shape (H, W) or (H, W, C)"
            )
        array = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
        if array.dtype == np.uint8:
            return as_tensor(np.divide(array, 255, dtype=np.float32))
        return as_tensor(array.copy())

    def __repr__(self) -> str:
        return "ToTensor()"


class Lambda:
    """Applies a function of one argument."""

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise TypeError(f"Lambda: lambd must be callable, but is a {type(lambd).__name__}")
        self.lambd = lambd

    def __call__(self, image: Any, rng: Any = None) -> Any:
        return self.lambd(image)

    def __repr__(self) -> str:
        return f"Lambda({getattr(self.lambd, '__name__', self.lambd)})"
