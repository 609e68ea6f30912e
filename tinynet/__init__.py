"""tinynet: a from-scratch neural-network engine in NumPy, with CUDA through CuPy.

>>> import tinynet as tn
>>> x = tn.tensor([1.0, 2.0, 3.0], requires_grad=True)
>>> y = (x * x).sum()
>>> y.backward()
>>> x.grad
tensor([2., 4., 6.])
"""

from tinynet import data, functional, graph, memory, models, nn, optim, study, testing, training
from tinynet.autograd import (
    AnomalyError,
    detect_anomaly,
    enable_grad,
    grad,
    is_grad_enabled,
    no_grad,
)
from tinynet.backend import DeviceError, default_device, set_default_device
from tinynet.combining import cat, einsum, maximum, minimum, stack, where
from tinynet.creation import arange, as_tensor, from_numpy, ones, rand, randn, tensor, zeros
from tinynet.dtypes import float32, float64, int64
from tinynet.graph import draw, explain, summary
from tinynet.io import load, save
from tinynet.random import manual_seed
from tinynet.study import derivation
from tinynet.tensor import Tensor, matmul
from tinynet.threads import get_num_threads, set_num_threads
from tinynet.version import __version__

memory.keep_freed_memory()

__all__ = [
    "AnomalyError",
    "DeviceError",
    "Tensor",
    "__version__",
    "arange",
    "as_tensor",
    "cat",
    "data",
    "default_device",
    "derivation",
    "detect_anomaly",
    "draw",
    "einsum",
    "enable_grad",
    "explain",
    "float32",
    "float64",
    "from_numpy",
    "functional",
    "get_num_threads",
    "grad",
    "graph",
    "int64",
    "is_grad_enabled",
    "load",
    "manual_seed",
    "matmul",
    "maximum",
    "minimum",
    "models",
    "nn",
    "no_grad",
    "ones",
    "optim",
    "rand",
    "randn",
    "save",
    "set_default_device",
    "set_num_threads",
    "stack",
    "study",
    "summary",
    "tensor",
    "testing",
    "training",
    "where",
    "zeros",
]
