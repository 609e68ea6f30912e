"""tinynet: a from-scratch neural-network engine in NumPy, with CUDA through CuPy.

>>> import tinynet as tn
>>> x = tn.tensor([1.0, 2.0, 3.0], requires_grad=True)
>>> y = (x * x).sum()
>>> y.backward()
>>> x.grad
tensor([2., 4., 6.])
"""

from tinynet import (
    data, functional, graph, memory, models, nn, optim, study, testing, training, utils,
)  # fmt: skip
from tinynet.autograd import (
    AnomalyError,
    detect_anomaly,
    enable_grad,
    grad,
    is_grad_enabled,
    no_grad,
)
from tinynet.backend import DeviceError, default_device, set_default_device
from tinynet.creation import arange, as_tensor, from_numpy, ones, rand, randn, tensor, zeros
from tinynet.dtypes import float32, float64, int64
from tinynet.functions.comparing import all, any, isfinite, isnan, sign
from tinynet.functions.gathering import gather, scatter_add, topk
from tinynet.functions.pointwise import (
    abs, clamp, cos, erf, exp, log, maximum, minimum, pow, relu, sigmoid, sin, sqrt, square, tanh,
    where,
)  # fmt: skip
from tinynet.functions.products import einsum, matmul
from tinynet.functions.reducing import (
    amax, amin, argmax, argmin, cumsum, log_softmax, logsumexp, max, mean, min, norm, softmax, std,
    sum, var,
)  # fmt: skip
from tinynet.functions.shaping import (
    cat, chunk, expand, flatten, flip, permute, reshape, split, squeeze, stack, transpose, unbind,
    unsqueeze,
)  # fmt: skip
from tinynet.graph import draw, explain, summary
from tinynet.io import load, save
from tinynet.random import Generator, manual_seed
from tinynet.study import derivation
from tinynet.tensor import Tensor
from tinynet.threads import get_num_threads, set_num_threads
from tinynet.version import __version__

memory.keep_freed_memory()

__all__ = [
    "AnomalyError", "DeviceError", "Generator", "Tensor", "__version__", "abs", "all", "amax",
    "amin", "any", "arange", "argmax", "argmin", "as_tensor", "cat", "chunk", "clamp", "cos",
    "cumsum", "data", "default_device", "derivation", "detect_anomaly", "draw", "einsum",
    "enable_grad", "erf", "exp", "expand", "explain", "flatten", "flip", "float32", "float64",
    "from_numpy", "functional", "gather", "get_num_threads", "grad", "graph", "int64",
    "is_grad_enabled", "isfinite", "isnan", "load", "log", "log_softmax", "logsumexp",
    "manual_seed", "matmul", "max", "maximum", "mean", "min", "minimum", "models", "nn", "no_grad",
    "norm", "ones", "optim", "permute", "pow", "rand", "randn", "relu", "reshape", "save",
    "scatter_add", "set_default_device", "set_num_threads", "sigmoid", "sign", "sin", "softmax",
    "split", "sqrt", "square", "squeeze", "stack", "std", "study", "sum", "summary", "tanh",
    "tensor", "testing", "topk", "training", "transpose", "unbind", "unsqueeze", "utils", "var",
    "where", "zeros",
]  # fmt: skip
