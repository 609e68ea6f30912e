"""What programs for PyTorch type besides mathematics: the cases of `test_public_names`."""

from __future__ import annotations

import numpy as np

import tinynet as tn
import tinynet.functional as F

X = np.linspace(-1.3, 1.7, 12).reshape(3, 4)

METHODS = {
    "H": (lambda x: x.H * 2, [X]),
    "mH": (lambda x: x.mH * 2, [X]),
    "adjoint": (lambda x: x.adjoint() * 2, [X]),
}
NO_GRADIENT = set(
    # what it is, and where
    "is_cuda is_cpu get_device data_ptr retains_grad is_nonzero is_same_size is_signed "
    # in place
    "acosh_ addmm_ addmv_ addr_ arccos_ arccosh_ arcsin_ arcsinh_ arctan2_ arctan_ "
    "arctanh_ asinh_ atan2_ atanh_ baddbmm_ bitwise_left_shift_ bitwise_right_shift_ cauchy_ "
    "copysign_ cumprod_ cumsum_ deg2rad_ detach_ digamma_ eq_ fill_diagonal_ fix_ "
    "gcd_ ge_ geometric_ greater_ greater_equal_ gt_ heaviside_ hypot_ index_reduce_ lcm_ le_ "
    "less_ less_equal_ lgamma_ log_normal_ lt_ ne_ not_equal_ put_ rad2deg_ random_ renorm_ sgn_ "
    "sinc_ squeeze_ swapaxes_ swapdims_ t_ transpose_ tril_ triu_ unsqueeze_ xlogy_".split()
)
FUNCTIONS = {
    "ctc_loss": (
        lambda x: F.ctc_loss(x, tn.tensor([[1, 2], [1, 1]]), (4, 3), (2, 2)),
        [np.linspace(-1.0, 1.3, 24).reshape(4, 2, 3)],
    ),
}
# of `functional`, where their cases are
TOP_LEVEL_WITHOUT = set(
    "adaptive_avg_pool1d avg_pool1d bilinear celu channel_shuffle conv1d conv2d conv3d "
    "conv_transpose1d conv_transpose2d conv_transpose3d cosine_similarity dropout group_norm "
    "hardshrink layer_norm max_pool1d max_pool2d max_pool3d pixel_shuffle pixel_unshuffle prelu "
    "rms_norm rrelu selu threshold get_default_dtype set_default_dtype".split()
) | set(
    "Size accelerator backends are_deterministic_algorithms_enabled use_deterministic_algorithms "
    "set_float32_matmul_precision get_float32_matmul_precision"
    " channels_last contiguous_format cuda dtype e get_rng_state inf nan pi "
    "preserve_format seed set_rng_state strided".split()
)
