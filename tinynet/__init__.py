"""tinynet: a from-scratch neural-network engine in NumPy, with CUDA through CuPy."""

from tinynet.version import __version__

__all__ = ["__version__"]
