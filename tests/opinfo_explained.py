"""What `opinfo` may find different, with reasons, and how it calls what is spelled otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tinynet as tn


def _embedding_bag(weight: Any, index: Any, **options: Any) -> Any:
    return tn.functional.embedding_bag(index, weight, **options)


# OpInfo's names whose samples are not arguments of the function of that name
ADAPTED: dict[str, Callable[..., Any]] = {
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "__rdiv__": lambda x, y: y / x,
    "constant_pad_nd": lambda x, pad, value=0: tn.functional.pad(x, pad, value=value),
    "einsum": lambda operands, equation: tn.einsum(equation, *operands),
    "exponential": lambda x, rate=1.0: x.exponential_(rate),
    "fill": lambda x, value: x.clone().fill_(value),
    "linalg.pinv.singular": lambda a, b: tn.linalg.pinv(a @ b.mT),
    "nn.functional.embedding": (
        lambda weight, index, **options: tn.functional.embedding(index, weight, **options)
    ),
    "nn.functional.embedding_bag": _embedding_bag,
    "normal.in_place": lambda x, *args, **options: x.normal_(*args, **options),
    "uniform": lambda x, *args, **options: x.uniform_(*args, **options),
    "where": lambda x, condition, y: tn.where(condition, x, y),
    "zero_": lambda x: x.clone().zero_(),
}

# what is drawn, and differs from PyTorch's draws
RANDOM = r"rand.*|.*empty.*|normal|uniform|exponential|bernoulli|multinomial|.*dropout.*"

# results that do not depend on the signs of vectors, nor on those of a null space
INVARIANT: dict[str, Callable[..., Any]] = {
    "linalg.eigh": lambda w, v: (w, v.abs(), (v * w.unsqueeze(-2)) @ v.mT),
    "svd": lambda u, s, v: _factors(u, s, v.mT),
    "linalg.svd": lambda u, s, vh: _factors(u, s, vh),
}


def _factors(u: Any, s: Any, vh: Any) -> Any:
    k = s.shape[-1]
    u, vh = u[..., :k], vh[..., :k, :]
    return u.abs(), s, vh.abs(), (u * s.unsqueeze(-2)) @ vh


# where indices of equal entries may be any of theirs: the position of `dim` after the input
TIES = {"argsort": 0, "kthvalue": 1, "mode": 0, "sort": 0, "topk": 1}

# Lines of outcomes, "name: kind: text <- sample", as patterns; what differs and why, as
# docs/pytorch.md says it.
_EMPTY = (
    "A mean, variance or batch statistic over nothing is an error; PyTorch's NaN would go into "
    "every weight."
)
_SPARSE = "There are no sparse tensors: `sparse=True` is refused."
EXPLAINED: list[tuple[str, str]] = [
    (r"(std|var)(_mean)?(\.unbiased)?: refused: .*an empty batch", _EMPTY),
    (r"nn\.(functional\.)?(nll_loss|cross_entropy|CrossEntropyLoss): refused: .* 0/0", _EMPTY),
    (r"nn\.BatchNorm[123]d: refused: .* 0 value\(s\) per channel", _EMPTY),
    (r"nn\.functional\.batch_norm: refused: .* input has shape \(0,\)", _EMPTY),
    (
        r"(maximum|minimum): accepted: .*, 2",
        "A number is an operand like any other; PyTorch takes only tensors here.",
    ),
    (r"nn\.functional\.embedding(_bag)?: refused: .* sparse gradients", _SPARSE),
    (
        r"(zero_|fill): refused: .* cannot be changed in place",
        "A tensor that requires a gradient cannot be changed in place, except a leaf inside "
        "`no_grad()`: see the conventions above.",
    ),
    (
        r"linalg\.norm(\.subgradients_at_zero)?: differs: second derivative: value 0, PyTorch nan",
        "The second derivative of a norm at 0, of an order other than 2, is 0; PyTorch's is NaN "
        "for some orders ([kinks.md](kinks.md)).",
    ),
    (
        r"nn\.functional\.hardsigmoid: differs: gradient",
        "PyTorch multiplies the gradient by 1/6 rounded to float32, in float64 too.",
    ),
    (
        r"cov: differs: .*aweights=float32",
        "The gradients of float32 weights are float32, and are summed in another order.",
    ),
    (
        r"nn\.Lazy.*: refused: .*load_state_dict: 'weight' has no shape yet",
        "A lazy layer has no state before its first input.",
    ),
    (
        r"nn\.functional\.local_response_norm: refused: .*int64",
        "Integers are refused; PyTorch rounds the mean of their squares to an integer.",
    ),
]

# The names of OpInfo, ModuleInfo and OptimizerInfo that tinynet has not, as patterns; and why.
ABSENT: list[tuple[str, str]] = [
    (
        r"angle|c(double|float|half)|complex|conj(_physical)?|H|mH|imag|real|polar|i?stft"
        r"|resolve_(conj|neg)|view_as_(complex|real)|linalg\.eig(vals)?|fft\..*",
        "There are no complex numbers.",
    ),
    (r"bfloat16", "NumPy has no bfloat16."),
    (r"sparse\..*|to_sparse|SparseAdam", "There are no sparse tensors."),
    (r"masked\..*", "There are no masked tensors; use `where` and `masked_fill`."),
    (
        r".*_copy|as_strided.*|(new_)?empty_(strided|permuted)|resize_(as_)?|nonzero_static",
        "tinynet chooses how a tensor lies in memory; `.clone()` makes a copy of a view.",
    ),
    (
        r"_.*|torch\..*|jiterator.*|native_.*|.*_backward|unsafe_.*|hash_tensor|scalar_tensor|slice"
        r"|grid_sampler_[23]d",
        "These are parts of PyTorch's machinery; the public functions made of them are there.",
    ),
    (
        r"special\..*|i0|igammac?|polygamma|mvlgamma|frexp|ldexp|nextafter",
        "Networks do not need these special functions; SciPy and NumPy have them.",
    ),
    (r"signal\..*", "SciPy has the windows of signal processing."),
    (
        r"linalg\..*|cholesky_(inverse|solve)|geqrf|ormqr|lu(_solve|_unpack)?|triangular_solve"
        r"|(svd|pca)_lowrank|matrix_exp",
        "Of linear algebra there are solve, inv, det, cholesky, qr, svd, eigh, pinv, the norms and "
        "what is made of them.",
    ),
    (r"cauchy|geometric|log_normal", "Draws of rarer distributions: apply a formula to `rand`."),
    (
        r"gradient|histogramdd|sum_to_size|.*[fF]ractional_?[mM]ax_?[pP]ool.*"
        r"|.*(linear_cross_entropy|LinearCrossEntropyLoss)|Adafactor|Muon",
        "Rarely typed, and left out.",
    ),
    (
        r".*(multi_head_attention_forward|MultiheadAttention)"
        r"|nn\.Transformer.*|nn\.(RNN|LSTM|GRU)(Cell)?",
        "Sequences: not there yet.",
    ),
]
