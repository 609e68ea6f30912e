"""tinynet: a from-scratch neural-network engine in NumPy, with CUDA through CuPy.

>>> import tinynet as tn
>>> x = tn.tensor([1.0, 2.0, 3.0], requires_grad=True)
>>> y = (x * x).sum()
>>> y.backward()
>>> x.grad
tensor([2., 4., 6.])
"""

from tinynet import (
    accelerator, autograd, backends, cuda, data, functional, graph, linalg, memory, models, nn,
    optim, study, testing, training, utils,
)  # fmt: skip
from tinynet.autograd import (
    AnomalyError,
    detect_anomaly,
    enable_grad,
    grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from tinynet.backend import (
    device,
    DeviceError, default_device, set_default_device, set_printoptions,
)  # fmt: skip
from tinynet.backends import (
    are_deterministic_algorithms_enabled, get_float32_matmul_precision,
    set_float32_matmul_precision, use_deterministic_algorithms,
)  # fmt: skip
from tinynet.constants import (
    Size, channels_last, contiguous_format, dtype, e, inf, nan, newaxis, pi, preserve_format,
    strided,
)  # fmt: skip
from tinynet.creation import (
    as_tensor, asarray, empty, empty_like, from_numpy, full, full_like, ones, ones_like, tensor,
    zeros, zeros_like,
)  # fmt: skip
from tinynet.dtypes import (
    get_default_dtype, set_default_dtype,
    bool_ as bool, double, finfo, float16, float32, float64, float_ as float, half, iinfo, int8,
    int16, int32, int64, int_ as int, long, short, uint8,
)  # fmt: skip
from tinynet.functional import (
    adaptive_avg_pool1d, avg_pool1d, bilinear, celu, channel_shuffle, conv1d, conv2d, conv3d,
    conv_transpose1d, conv_transpose2d, conv_transpose3d, cosine_similarity, dropout, group_norm,
    hardshrink, layer_norm, max_pool1d, max_pool2d, max_pool3d, pixel_shuffle, pixel_unshuffle,
    prelu, rms_norm, rrelu, selu, threshold,
)  # fmt: skip
from tinynet.functions.angles import (
    acos, acosh, arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, asin, asinh, atan,
    atan2, atanh, cos, cosh, deg2rad, hypot, rad2deg, sin, sinc, sinh, tan, tanh,
)  # fmt: skip
from tinynet.functions.bounds import (
    clamp, clamp_max, clamp_min, clip, fmax, fmin, maximum, minimum, nan_to_num,
)  # fmt: skip
from tinynet.functions.changing import index_put_
from tinynet.functions.comparing import (
    all, allclose, any, eq, equal, ge, greater, greater_equal, gt, isclose, isfinite, isin, isinf,
    isnan, isneginf, isposinf, isreal, le, less, less_equal, lt, ne, not_equal,
)  # fmt: skip
from tinynet.functions.contracting import einsum
from tinynet.functions.copying import adjoint, clone, detach, is_nonzero, is_same_size, is_signed
from tinynet.functions.counting import bincount, histc, histogram
from tinynet.functions.cutting import (
    chunk, dsplit, hsplit, narrow, select, select_scatter, slice_scatter, split, split_with_sizes,
    tensor_split, unbind, unfold, vsplit,
)  # fmt: skip
from tinynet.functions.diagonals import (
    diag, diag_embed, diagflat, diagonal, diagonal_scatter, trace, tril, triu,
)  # fmt: skip
from tinynet.functions.drawing import bernoulli, multinomial, poisson
from tinynet.functions.gathering import (
    argwhere, gather, index_select, nonzero, put, take, take_along_dim,
)  # fmt: skip
from tinynet.functions.logical import (
    bitwise_and, bitwise_left_shift, bitwise_not, bitwise_or, bitwise_right_shift, bitwise_xor, gcd,
    lcm, logical_and, logical_not, logical_or, logical_xor,
)  # fmt: skip
from tinynet.functions.masking import masked_fill, masked_scatter, masked_select
from tinynet.functions.matrices import (
    cholesky, det, inverse, logdet, matrix_power, pinverse, qr, slogdet, svd,
)  # fmt: skip
from tinynet.functions.norms import cdist, dist, norm, pairwise_distance, pdist, renorm
from tinynet.functions.operators import (
    abs, absolute, add, addcdiv, addcmul, div, divide, floor_divide, fmod, lerp, mul, multiply, neg,
    negative, positive, remainder, rsub, sub, subtract, true_divide,
)  # fmt: skip
from tinynet.functions.pointwise import (
    exp, exp2, expm1, float_power, log, log10, log1p, log2, logaddexp, logaddexp2, pow, reciprocal,
    relu, rsqrt, sqrt, square, where,
)  # fmt: skip
from tinynet.functions.products import (
    addbmm, addmm, addmv, addr, baddbmm, bmm, cross, dot, ger, inner, kron, matmul, mm, mv, outer,
    tensordot, vdot,
)  # fmt: skip
from tinynet.functions.promoting import (
    can_cast, is_complex, is_floating_point, is_tensor, numel, promote_types, result_type,
)  # fmt: skip
from tinynet.functions.reducing import (
    amax, amin, aminmax, argmax, argmin, count_nonzero, log_softmax, logsumexp, max, mean, min,
    nanmean, nansum, prod, softmax, std, std_mean, sum, var, var_mean,
)  # fmt: skip
from tinynet.functions.repeating import (
    flip, fliplr, flipud, repeat, repeat_interleave, roll, rot90, tile,
)  # fmt: skip
from tinynet.functions.rounding import (
    ceil, copysign, fix, floor, frac, heaviside, round, sgn, sign, signbit, trunc,
)  # fmt: skip
from tinynet.functions.scans import (
    cummax, cummin, cumprod, cumsum, cumulative_trapezoid, diff, logcumsumexp, trapezoid, trapz,
)  # fmt: skip
from tinynet.functions.scattering import (
    index_add, index_copy, index_fill, index_put, index_reduce, scatter, scatter_add,
    scatter_reduce,
)  # fmt: skip
from tinynet.functions.shaping import (
    broadcast_shapes, broadcast_tensors, broadcast_to, expand, expand_as, flatten, moveaxis,
    movedim, permute, ravel, reshape, reshape_as, squeeze, swapaxes, swapdims, t, transpose,
    unflatten, unravel_index, unsqueeze, view, view_as,
)  # fmt: skip
from tinynet.functions.sorting import (
    argsort, bucketize, kthvalue, msort, searchsorted, sort, topk, unique, unique_consecutive,
)  # fmt: skip
from tinynet.functions.special import (
    digamma, erf, erfc, erfinv, expit, lgamma, logit, sigmoid, xlogy,
)  # fmt: skip
from tinynet.functions.stacking import (
    atleast_1d, atleast_2d, atleast_3d, block_diag, cartesian_prod, cat, column_stack, combinations,
    concat, concatenate, dstack, hstack, meshgrid, row_stack, stack, vstack,
)  # fmt: skip
from tinynet.functions.statistics import (
    corrcoef, cov, median, mode, nanmedian, nanquantile, quantile,
)  # fmt: skip
from tinynet.graph import draw, explain, summary
from tinynet.io import load, save
from tinynet.random import Generator, get_rng_state, manual_seed, seed, set_rng_state
from tinynet.sampling import (
    normal, rand, rand_like, randint, randint_like, randn, randn_like, randperm,
)  # fmt: skip
from tinynet.sequences import (
    arange, eye, linspace, logspace, tril_indices, triu_indices,
)  # fmt: skip
from tinynet.study import derivation
from tinynet.tensor import Tensor
from tinynet.threads import get_num_threads, set_num_threads
from tinynet.version import __version__

memory.keep_freed_memory()

__all__ = [
    "AnomalyError", "DeviceError", "Generator", "Size", "Tensor", "__version__", "abs", "absolute",
    "accelerator", "acos", "acosh", "adaptive_avg_pool1d", "add", "addbmm", "addcdiv", "addcmul",
    "addmm", "addmv", "addr", "adjoint", "all", "allclose", "amax", "amin", "aminmax", "any",
    "arange", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh",
    "are_deterministic_algorithms_enabled", "argmax", "argmin", "argsort", "argwhere", "as_tensor",
    "asarray", "asin", "asinh", "atan", "atan2", "atanh", "atleast_1d", "atleast_2d", "atleast_3d",
    "autograd", "avg_pool1d", "backends", "baddbmm", "bernoulli", "bilinear", "bincount",
    "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor", "block_diag", "bmm", "bool", "broadcast_shapes", "broadcast_tensors",
    "broadcast_to", "bucketize", "can_cast", "cartesian_prod", "cat", "cdist", "ceil", "celu",
    "channel_shuffle", "channels_last", "cholesky", "chunk", "clamp", "clamp_max", "clamp_min",
    "clip", "clone", "column_stack", "combinations", "concat", "concatenate", "contiguous_format",
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    "copysign", "corrcoef", "cos", "cosh", "cosine_similarity", "count_nonzero", "cov", "cross",
    "cuda", "cummax", "cummin", "cumprod", "cumsum", "cumulative_trapezoid", "data",
    "default_device", "deg2rad", "derivation", "det", "detach", "detect_anomaly", "device", "diag",
    "diag_embed", "diagflat", "diagonal", "diagonal_scatter", "diff", "digamma", "dist", "div",
    "divide", "dot", "double", "draw", "dropout", "dsplit", "dstack", "dtype", "e", "einsum",
    "empty", "empty_like", "enable_grad", "eq", "equal", "erf", "erfc", "erfinv", "exp", "exp2",
    "expand", "expand_as", "expit", "explain", "expm1", "eye", "finfo", "fix", "flatten", "flip",
    "fliplr", "flipud", "float", "float16", "float32", "float64", "float_power", "floor",
    "floor_divide", "fmax", "fmin", "fmod", "frac", "from_numpy", "full", "full_like", "functional",
    "gather", "gcd", "ge", "ger", "get_default_dtype", "get_float32_matmul_precision",
    "get_num_threads", "get_rng_state", "grad", "graph", "greater", "greater_equal", "group_norm",
    "gt", "half", "hardshrink", "heaviside", "histc", "histogram", "hsplit", "hstack", "hypot",
    "iinfo", "index_add", "index_copy", "index_fill", "index_put", "index_put_", "index_reduce",
    "index_select", "inf", "inference_mode", "inner", "int", "int16", "int32", "int64", "int8",
    "inverse", "is_complex", "is_floating_point", "is_grad_enabled", "is_nonzero", "is_same_size",
    "is_signed", "is_tensor", "isclose", "isfinite", "isin", "isinf", "isnan", "isneginf",
    "isposinf", "isreal", "kron", "kthvalue", "layer_norm", "lcm", "le", "lerp", "less",
    "less_equal", "lgamma", "linalg", "linspace", "load", "log", "log10", "log1p", "log2",
    "log_softmax", "logaddexp", "logaddexp2", "logcumsumexp", "logdet", "logical_and",
    "logical_not", "logical_or", "logical_xor", "logit", "logspace", "logsumexp", "long", "lt",
    "manual_seed", "masked_fill", "masked_scatter", "masked_select", "matmul", "matrix_power",
    "max", "max_pool1d", "max_pool2d", "max_pool3d", "maximum", "mean", "median", "meshgrid", "min",
    "minimum", "mm", "mode", "models", "moveaxis", "movedim", "msort", "mul", "multinomial",
    "multiply", "mv", "nan", "nan_to_num", "nanmean", "nanmedian", "nanquantile", "nansum",
    "narrow", "ne", "neg", "negative", "newaxis", "nn", "no_grad", "nonzero", "norm", "normal",
    "not_equal", "numel", "ones", "ones_like", "optim", "outer", "pairwise_distance", "pdist",
    "permute", "pi", "pinverse", "pixel_shuffle", "pixel_unshuffle", "poisson", "positive", "pow",
    "prelu", "preserve_format", "prod", "promote_types", "put", "qr", "quantile", "rad2deg", "rand",
    "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm", "ravel",
    "reciprocal", "relu", "remainder", "renorm", "repeat", "repeat_interleave", "reshape",
    "reshape_as", "result_type", "rms_norm", "roll", "rot90", "round", "row_stack", "rrelu",
    "rsqrt", "rsub", "save", "scatter", "scatter_add", "scatter_reduce", "searchsorted", "seed",
    "select", "select_scatter", "selu", "set_default_device", "set_default_dtype",
    "set_float32_matmul_precision", "set_grad_enabled", "set_num_threads", "set_printoptions",
    "set_rng_state", "sgn", "short", "sigmoid", "sign", "signbit", "sin", "sinc", "sinh",
    "slice_scatter", "slogdet", "softmax", "sort", "split", "split_with_sizes", "sqrt", "square",
    "squeeze", "stack", "std", "std_mean", "strided", "study", "sub", "subtract", "sum", "summary",
    "svd", "swapaxes", "swapdims", "t", "take", "take_along_dim", "tan", "tanh", "tensor",
    "tensor_split", "tensordot", "testing", "threshold", "tile", "topk", "trace", "training",
    "transpose", "trapezoid", "trapz", "tril", "tril_indices", "triu", "triu_indices",
    "true_divide", "trunc", "uint8", "unbind", "unflatten", "unfold", "unique",
    "unique_consecutive", "unravel_index", "unsqueeze", "use_deterministic_algorithms", "utils",
    "var", "var_mean", "vdot", "view", "view_as", "vsplit", "vstack", "where", "xlogy", "zeros",
    "zeros_like",
]  # fmt: skip
