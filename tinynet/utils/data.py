"""`tinynet.data` under the name of PyTorch's ``torch.utils.data``."""

from tinynet.data import *  # noqa: F403
from tinynet.data import __all__ as __all__
