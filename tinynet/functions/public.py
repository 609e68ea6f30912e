"""function: the decorator of the public functions of tensors.

``def exp(input)`` is both `tinynet.exp` and the method `Tensor.exp`. The decorator adds what all
public functions have in common: NumPy's words `axis` and `keepdims` for `dim` and `keepdim`; a
TypeError for a first argument that is not a Tensor; and error messages that begin with the name of
the function that was called, even if a function that it calls finds the error.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from tinynet.autograd import Value
from tinynet.backend import as_array, generic, is_array
from tinynet.dtypes import in_float32

if TYPE_CHECKING:
    from tinynet.tensor import Tensor

F = TypeVar("F", bound=Callable[..., Any])

_NUMPY_WORDS = {"axis": "dim", "keepdims": "keepdim"}
# compositions that add up: float16 is computed in float32 and rounded once
_ADD_UP = frozenset(
    """
    binary_cross_entropy binary_cross_entropy_with_logits cdist cosine_embedding_loss
    cosine_similarity cross_entropy cumulative_trapezoid gaussian_nll_loss group_norm
    hinge_embedding_loss huber_loss instance_norm kl_div l1_loss layer_norm local_response_norm
    log_softmax logcumsumexp logsumexp margin_ranking_loss mean mse_loss
    multilabel_soft_margin_loss nanmean nll_loss norm normalize pairwise_distance pdist
    poisson_nll_loss prod rms_norm smooth_l1_loss soft_margin_loss softmax softmin std std_mean
    trace trapezoid triplet_margin_loss var var_mean vector_norm
    """.split()
)
_ERRORS = (TypeError, ValueError, IndexError, RuntimeError, AttributeError, OverflowError)
_NAME = re.compile(r"[\w.]+: ")  # what a message of tinynet begins with


def function(f: F) -> F:
    """Make `f` a public function. A first parameter annotated as Tensor must be one."""
    name = f.__name__
    parameters = inspect.signature(f).parameters
    first = next(iter(parameters.values()))
    takes_tensor = first.annotation == "Tensor"
    words = {numpy: own for numpy, own in _NUMPY_WORDS.items() if own in parameters}
    many = next((p.name for p in parameters.values() if p.kind == p.VAR_POSITIONAL), None)

    compute = in_float32(f) if name in _ADD_UP else f

    @functools.wraps(f)
    def public(*args: Any, **options: Any) -> Any:
        if options:
            for word in words.keys() & options.keys():
                options[words[word]] = options.pop(word)
            if many in options:  # permute(x, dims=(1, 0)) for permute(x, 1, 0)
                args = (*args, options.pop(many))
            for key, option in options.items():
                if isinstance(option, generic):  # a NumPy scalar would promote
                    options[key] = option.item()
        for a in args:
            if isinstance(a, generic):
                args = tuple([a.item() if isinstance(a, generic) else a for a in args])
                break
        if takes_tensor and args and not isinstance(args[0], Value):
            raise TypeError(
                f"{name}: {first.name} is a {type(args[0]).__name__}; it must be a Tensor (make "
                "one with tinynet.tensor)"
            )
        try:
            return compute(*args, **options)
        except _ERRORS as error:
            if str(error).startswith(name):
                raise
            raise _renamed(error, name, args) from error

    return public  # type: ignore[return-value]


def unrecorded(input: Tensor, array: Any) -> Tensor:
    """An array, computed from `input` without a gradient, as a Tensor."""
    return input.result_type(as_array(array))  # type: ignore[return-value]


def _renamed(error: Exception, name: str, args: tuple[Any, ...]) -> Exception:
    """The error with a message that begins with `name`.

    A message that no function of tinynet wrote also gets the types and shapes of the arguments.
    """
    text = str(error)
    prefix = _NAME.match(text)
    text = text[prefix.end() :] if prefix else f"{text} (given {', '.join(map(_described, args))})"
    kinds = (
        k for k in type(error).__mro__ if k.__module__.split(".")[0] in ("builtins", "tinynet")
    )
    kind: Any = TypeError if isinstance(error, AttributeError) else next(kinds)
    return kind(f"{name}: {text}")


def _described(a: Any) -> str:
    if isinstance(a, Value) or is_array(a):
        return f"{a.dtype} {tuple(a.shape)}"
    return repr(a) if isinstance(a, int | float | str | None) else type(a).__name__
