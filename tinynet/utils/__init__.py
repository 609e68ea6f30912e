"""Names where PyTorch has them: `utils.data`."""

from tinynet.utils import data

__all__ = ["data"]
