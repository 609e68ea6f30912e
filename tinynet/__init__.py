"""tinynet: a from-scratch neural-network engine in NumPy, with CUDA through CuPy.

>>> import tinynet as tn
>>> x = tn.tensor([1.0, 2.0, 3.0], requires_grad=True)
>>> y = (x * x).sum()
>>> y.backward()
>>> x.grad
tensor([2., 4., 6.])
"""

from tinynet import (
    data,
    functional,
    graph,
    linalg,
    memory,
    models,
    nn,
    optim,
    study,
    testing,
    training,
)
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
from tinynet.functions.contracting import einsum
from tinynet.functions.counting import bincount, histc, histogram
from tinynet.functions.gathering import gather, scatter_add
from tinynet.functions.matrices import (
    cholesky, det, inverse, logdet, matrix_power, pinverse, qr, slogdet, svd,
)  # fmt: skip
from tinynet.functions.norms import cdist, dist, norm, pairwise_distance, pdist, renorm
from tinynet.functions.pointwise import (
    abs, clamp, cos, erf, exp, log, maximum, minimum, pow, relu, sigmoid, sin, sqrt, square, tanh,
    where,
)  # fmt: skip
from tinynet.functions.products import (
    addbmm, addmm, addmv, addr, baddbmm, bmm, cross, dot, ger, inner, kron, matmul, mm, mv, outer,
    tensordot, vdot,
)  # fmt: skip
from tinynet.functions.reducing import (
    amax, amin, aminmax, argmax, argmin, count_nonzero, log_softmax, logsumexp, max, mean, min,
    nanmean, nansum, prod, softmax, std, std_mean, sum, var, var_mean,
)  # fmt: skip
from tinynet.functions.scans import (
    cummax, cummin, cumprod, cumsum, cumulative_trapezoid, diff, logcumsumexp, trapezoid, trapz,
)  # fmt: skip
from tinynet.functions.shaping import (
    cat, chunk, expand, flatten, flip, permute, reshape, split, squeeze, stack, transpose, unbind,
    unsqueeze,
)  # fmt: skip
from tinynet.functions.sorting import (
    argsort, bucketize, kthvalue, msort, searchsorted, sort, topk, unique, unique_consecutive,
)  # fmt: skip
from tinynet.functions.statistics import (
    corrcoef, cov, median, mode, nanmedian, nanquantile, quantile,
)  # fmt: skip
from tinynet.graph import draw, explain, summary
from tinynet.io import load, save
from tinynet.random import manual_seed
from tinynet.study import derivation
from tinynet.tensor import Tensor
from tinynet.threads import get_num_threads, set_num_threads
from tinynet.version import __version__

memory.keep_freed_memory()

__all__ = [
    "AnomalyError", "DeviceError", "Tensor", "__version__", "abs", "addbmm", "addmm", "addmv",
    "addr", "all", "amax", "amin", "aminmax", "any", "arange", "argmax", "argmin", "argsort",
    "as_tensor", "baddbmm", "bincount", "bmm", "bucketize", "cat", "cdist", "cholesky", "chunk",
    "clamp", "corrcoef", "cos", "count_nonzero", "cov", "cross", "cummax", "cummin", "cumprod",
    "cumsum", "cumulative_trapezoid", "data", "default_device", "derivation", "det",
    "detect_anomaly", "diff", "dist", "dot", "draw", "einsum", "enable_grad", "erf", "exp",
    "expand", "explain", "flatten", "flip", "float32", "float64", "from_numpy", "functional",
    "gather", "ger", "get_num_threads", "grad", "graph", "histc", "histogram", "inner", "int64",
    "inverse", "is_grad_enabled", "isfinite", "isnan", "kron", "kthvalue", "linalg", "load", "log",
    "log_softmax", "logcumsumexp", "logdet", "logsumexp", "manual_seed", "matmul", "matrix_power",
    "max", "maximum", "mean", "median", "min", "minimum", "mm", "mode", "models", "msort", "mv",
    "nanmean", "nanmedian", "nanquantile", "nansum", "nn", "no_grad", "norm", "ones", "optim",
    "outer", "pairwise_distance", "pdist", "permute", "pinverse", "pow", "prod", "qr", "quantile",
    "rand", "randn", "relu", "renorm", "reshape", "save", "scatter_add", "searchsorted",
    "set_default_device", "set_num_threads", "sigmoid", "sign", "sin", "slogdet", "softmax", "sort",
    "split", "sqrt", "square", "squeeze", "stack", "std", "std_mean", "study", "sum", "summary",
    "svd", "tanh", "tensor", "tensordot", "testing", "topk", "training", "transpose", "trapezoid",
    "trapz", "unbind", "unique", "unique_consecutive", "unsqueeze", "var", "var_mean", "vdot",
    "where", "zeros",
]  # fmt: skip
