"""The Tensor class: one file for what it is, one for each group of its methods."""

from tinynet.tensor.tensor import Tensor

__all__ = ["Tensor"]
