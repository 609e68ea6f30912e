"""Stateless functions, by the names of `torch.nn.functional`.

Most are compositions of a few operations (`tinynet.ops`). If an operation of the same name exists,
the function only adapts it to PyTorch's signature.
"""

from tinynet.functional.activations import (
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    logsigmoid,
    relu,
    sigmoid,
    silu,
    softmax,
    softmin,
    softplus,
    tanh,
)
from tinynet.functional.images import (
    adaptive_avg_pool2d,
    adaptive_max_pool2d,
    avg_pool2d,
    conv2d,
    fold,
    max_pool2d,
    unfold,
)
from tinynet.functional.layers import (
    batch_norm,
    dropout,
    embedding,
    layer_norm,
    linear,
    one_hot,
    pad,
)
from tinynet.functional.losses import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    l1_loss,
    mse_loss,
)
from tinynet.functional.penalties import l1_penalty, l2_penalty
from tinynet.functions.norms import pairwise_distance, pdist

__all__ = [
    "adaptive_avg_pool2d",
    "adaptive_max_pool2d",
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy_with_logits",
    "conv2d",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "fold",
    "gelu",
    "huber_loss",
    "l1_loss",
    "l1_penalty",
    "l2_penalty",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "max_pool2d",
    "mse_loss",
    "one_hot",
    "pad",
    "pairwise_distance",
    "pdist",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "tanh",
    "unfold",
]
