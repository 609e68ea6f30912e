"""Functions that draw random numbers for each entry, and those that fill a tensor with them.

Numbers come from the generator that `tinynet.manual_seed` seeds, and have no gradient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.autograd import Value
from tinynet.backend import check, device_of, to_device, to_numpy
from tinynet.functions.arguments import integer, number
from tinynet.functions.public import function, shown, unrecorded
from tinynet.ops.arithmetic import where
from tinynet.random import generator as default_generator

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


def _drawn(input: Tensor, array: Any, dtype: Any = None) -> Tensor:
    array = array.astype(input.dtype if dtype is None else dtype)
    return unrecorded(input, to_device(array, device_of(input.data)))


def _floats(name: str, x: Tensor) -> Any:
    if x.dtype.kind != "f":
        raise TypeError(f"{name}: input has dtype {x.dtype}; it must be floating-point")
    return to_numpy(x.data).astype("float64")


@function
def bernoulli(input: Tensor, p: Any = None, *, generator: Any = None) -> Tensor:
    """1 with the probability in x, else 0; with `p` instead of x if it is given. The slope is 0."""
    chance = _probability("bernoulli", _floats("bernoulli", input) if p is None else p)
    drawn = _drawn(input, (generator or default_generator()).random(input.shape) < chance)
    return where(drawn.data < 0, input, drawn) if input.requires_grad else drawn


def _probability(name: str, p: Any) -> Any:
    if isinstance(p, Value):
        p = to_numpy(p._data)
    if isinstance(p, int | float):
        if not 0 <= p <= 1:
            raise ValueError(f"{name}: p is {p}; it must be from 0 to 1")
    else:
        if getattr(getattr(p, "dtype", None), "kind", "") != "f":
            raise TypeError(f"{name}: p is {shown(p)}; it must be a number or a Tensor of floats")
        check((p >= 0) & (p <= 1), lambda: ValueError(f"{name}: p must be from 0 to 1 everywhere"))
    return p


@function
def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Any = None
) -> Tensor:
    """Positions drawn with probabilities proportional to the weights in each row of x.

    Args:
        input: weights >= 0, one row or a matrix of rows, not all 0.
        num_samples: how many to draw from each row.
        replacement: whether a position may be drawn again.
        generator: where to draw from; by default what `manual_seed` seeds.

    Raises:
        ValueError: for negative or infinite weights, for a row of zeros, and if there are fewer
            positions than samples without replacement.
    """
    n = integer("multinomial", "num_samples", num_samples, least=1)
    w = _floats("multinomial", input)
    if w.ndim not in (1, 2):
        raise ValueError(f"multinomial: shape {input.shape} must have one or two axes")
    check(
        (w >= 0) & (w < float("inf")),
        lambda: ValueError("multinomial: weights must be finite and at least 0"),
    )
    total = w.sum(-1)
    check(total > 0, lambda: ValueError("multinomial: a row has only zeros; one must be positive"))
    if not replacement and n > w.shape[-1]:
        raise ValueError(
            f"multinomial: {n} samples from {w.shape[-1]} positions need replacement=True"
        )
    source = generator or default_generator()
    if replacement:  # the first position at which the running sum exceeds a uniform number
        below = (
            w.cumsum(-1)[..., None, :]
            <= source.random((*w.shape[:-1], n, 1)) * total[..., None, None]
        )
        return _drawn(input, below.sum(-1), "int64")
    # the n shortest waiting times: exponential numbers of the given rates
    times = source.exponential(size=w.shape)
    rates = w + (w == 0)
    waits = times / rates
    waits[w == 0] = float("inf")
    return _drawn(input, waits.argsort(-1, kind="stable")[..., :n], "int64")


@function
def poisson(input: Tensor, *, generator: Any = None) -> Tensor:
    """Poisson numbers of the rates in x."""
    rates = _floats("poisson", input)
    check(rates >= 0, lambda: ValueError("poisson: rates must be at least 0"))
    return _drawn(input, (generator or default_generator()).poisson(rates))


# --- in place -------------------------------------------------------------------------------------


@function
def normal_(input: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Tensor:
    """Fill x with independent normal numbers."""
    mean, std = number("normal_", "mean", mean), number("normal_", "std", std)
    if std < 0:
        raise ValueError(f"normal_: std is {std}; it must be at least 0")
    noise = (generator or default_generator()).standard_normal(input.shape)
    return input.copy_(_drawn(input, mean + std * noise))


@function
def uniform_(input: Tensor, a: float = 0.0, b: float = 1.0, *, generator: Any = None) -> Tensor:
    """Fill x with independent uniform numbers in [a, b)."""
    a, b = number("uniform_", "a", a), number("uniform_", "b", b)
    if a > b:
        raise ValueError(f"uniform_: from {a} to {b} is empty; a must be at most b")
    numbers = (generator or default_generator()).random(input.shape)
    return input.copy_(_drawn(input, a + (b - a) * numbers))


@function
def bernoulli_(input: Tensor, p: Any = 0.5, *, generator: Any = None) -> Tensor:
    """Fill x with ones, with probability p, and zeros."""
    chance = _probability("bernoulli_", p)
    return input.copy_(
        _drawn(input, (generator or default_generator()).random(input.shape) < chance)
    )


@function
def exponential_(input: Tensor, lambd: float = 1.0, *, generator: Any = None) -> Tensor:
    """Fill x with independent exponential numbers of the rate `lambd`."""
    lambd = float(number("exponential_", "lambd", lambd))
    if not lambd > 0:
        raise ValueError(f"exponential_: lambd is {shown(lambd)}; it must be positive")
    numbers = (generator or default_generator()).exponential(1.0 / lambd, input.shape)
    return input.copy_(_drawn(input, numbers))
