"""`tinynet.functional` under PyTorch's name: ``import tinynet.nn.functional as F``."""

from tinynet.functional import *  # noqa: F403
from tinynet.functional import __all__ as __all__
