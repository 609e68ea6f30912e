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
from tinynet.creation import arange, as_tensor, from_numpy, ones, rand, randn, tensor, zeros
from tinynet.dtypes import float32, float64, int64
from tinynet.functions.angles import (
    acos, acosh, arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, asin, asinh, atan,
    atan2, atanh, cos, cosh, deg2rad, hypot, rad2deg, sin, sinc, sinh, tan, tanh,
)  # fmt: skip
from tinynet.functions.bounds import (
    clamp, clamp_max, clamp_min, clip, fmax, fmin, maximum, minimum, nan_to_num,
)  # fmt: skip
from tinynet.functions.comparing import (
    all, allclose, any, eq, equal, ge, greater, greater_equal, gt, isclose, isfinite, isin, isinf,
    isnan, isneginf, isposinf, isreal, le, less, less_equal, lt, ne, not_equal,
)  # fmt: skip
from tinynet.functions.gathering import gather, scatter_add, topk
from tinynet.functions.logical import (
    bitwise_and, bitwise_left_shift, bitwise_not, bitwise_or, bitwise_right_shift, bitwise_xor, gcd,
    lcm, logical_and, logical_not, logical_or, logical_xor,
)  # fmt: skip
from tinynet.functions.operators import (
    abs, absolute, add, addcdiv, addcmul, div, divide, floor_divide, fmod, lerp, mul, multiply, neg,
    negative, positive, remainder, rsub, sub, subtract, true_divide,
)  # fmt: skip
from tinynet.functions.pointwise import (
    exp, exp2, expm1, float_power, log, log10, log1p, log2, logaddexp, logaddexp2, pow, reciprocal,
    relu, rsqrt, sqrt, square, where,
)  # fmt: skip
from tinynet.functions.products import einsum, matmul
from tinynet.functions.reducing import (
    amax, amin, argmax, argmin, cumsum, log_softmax, logsumexp, max, mean, min, norm, softmax, std,
    sum, var,
)  # fmt: skip
from tinynet.functions.rounding import (
    ceil, copysign, fix, floor, frac, heaviside, round, sgn, sign, signbit, trunc,
)  # fmt: skip
from tinynet.functions.shaping import (
    cat, chunk, expand, flatten, flip, permute, reshape, split, squeeze, stack, transpose, unbind,
    unsqueeze,
)  # fmt: skip
from tinynet.functions.special import (
    digamma, erf, erfc, erfinv, expit, lgamma, logit, sigmoid, xlogy,
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
    "AnomalyError", "DeviceError", "Tensor", "__version__", "abs", "absolute", "acos", "acosh",
    "add", "addcdiv", "addcmul", "all", "allclose", "amax", "amin", "any", "arange", "arccos",
    "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "argmax", "argmin", "as_tensor",
    "asin", "asinh", "atan", "atan2", "atanh", "bitwise_and", "bitwise_left_shift", "bitwise_not",
    "bitwise_or", "bitwise_right_shift", "bitwise_xor", "cat", "ceil", "chunk", "clamp",
    "clamp_max", "clamp_min", "clip", "copysign", "cos", "cosh", "cumsum", "data", "default_device",
    "deg2rad", "derivation", "detect_anomaly", "digamma", "div", "divide", "draw", "einsum",
    "enable_grad", "eq", "equal", "erf", "erfc", "erfinv", "exp", "exp2", "expand", "expit",
    "explain", "expm1", "fix", "flatten", "flip", "float32", "float64", "float_power", "floor",
    "floor_divide", "fmax", "fmin", "fmod", "frac", "from_numpy", "functional", "gather", "gcd",
    "ge", "get_num_threads", "grad", "graph", "greater", "greater_equal", "gt", "heaviside",
    "hypot", "int64", "is_grad_enabled", "isclose", "isfinite", "isin", "isinf", "isnan",
    "isneginf", "isposinf", "isreal", "lcm", "le", "lerp", "less", "less_equal", "lgamma", "load",
    "log", "log1p", "log2", "log10", "log_softmax", "logaddexp", "logaddexp2", "logical_and",
    "logical_not", "logical_or", "logical_xor", "logit", "logsumexp", "lt", "manual_seed", "matmul",
    "max", "maximum", "mean", "min", "minimum", "models", "mul", "multiply", "nan_to_num", "ne",
    "neg", "negative", "nn", "no_grad", "norm", "not_equal", "ones", "optim", "permute", "positive",
    "pow", "rad2deg", "rand", "randn", "reciprocal", "relu", "remainder", "reshape", "round",
    "rsqrt", "rsub", "save", "scatter_add", "set_default_device", "set_num_threads", "sgn",
    "sigmoid", "sign", "signbit", "sin", "sinc", "sinh", "softmax", "split", "sqrt", "square",
    "squeeze", "stack", "std", "study", "sub", "subtract", "sum", "summary", "tan", "tanh",
    "tensor", "testing", "topk", "training", "transpose", "true_divide", "trunc", "unbind",
    "unsqueeze", "var", "where", "xlogy", "zeros",
]  # fmt: skip
