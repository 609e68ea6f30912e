"""Random numbers written into a tensor, from less common distributions.

They are drawn on the host in float64, and rounded once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.functions.arguments import integer
from tinynet.functions.public import function, shown
from tinynet.random import generator as default_generator

if TYPE_CHECKING:
    from tinynet.tensor import Tensor

# the largest number up to which a float holds every integer
_EXACT = {"float16": 2**11, "float32": 2**24, "float64": 2**53}


def _filled(name: str, input: Tensor, numbers: Any) -> Tensor:
    if input.dtype.kind != "f":
        raise TypeError(f"{name}: the tensor is {input.dtype}; it must hold floating-point numbers")
    return input.copy_(input.new_tensor(numbers))


def _positive(name: str, what: str, value: Any) -> float:
    if not isinstance(value, int | float) or not value > 0:
        raise ValueError(f"{name}: {what} is {shown(value)}; it must be a number greater than 0")
    return float(value)


@function
def random_(input: Tensor, *bounds: Any, generator: Any = None) -> Tensor:
    """Fill x with integers of equal probability: ``random_(to)`` in [0, to), ``random_(a, b)``.

    Without bounds they go to the largest number of an integer dtype, or that up to which a float
    dtype holds every integer.
    """
    if len(bounds) > 2:
        raise TypeError(f"random_: {len(bounds)} bounds; give `to`, or `from` and `to`")
    dtype = str(input.dtype)
    end = _EXACT.get(dtype, 1) + 1
    if input.dtype.kind in "iu":
        end = 2 ** (8 * input.dtype.itemsize - (input.dtype.kind == "i"))
    elif input.dtype.kind == "b":
        end = 2
    limits = [integer("random_", "a bound", b) for b in bounds if b is not None]
    first, last = (0, end) if not limits else (0, *limits) if len(limits) == 1 else limits
    if first >= last:
        raise ValueError(f"random_: from {first} to {last} is empty; `from` must be less than `to`")
    source = generator or default_generator()
    numbers = source.integers(first, last, input.shape, "uint64" if last > 2**63 else "int64")
    return input.copy_(input.new_tensor(numbers))


@function
def geometric_(input: Tensor, p: float, *, generator: Any = None) -> Tensor:
    """Fill x with numbers of trials until the first success: P(k) = (1 - p)^(k - 1) p."""
    if _positive("geometric_", "p", p) >= 1:
        raise ValueError(f"geometric_: p is {p}; it must be between 0 and 1")
    return input.copy_(
        input.new_tensor((generator or default_generator()).geometric(p, input.shape))
    )


@function
def log_normal_(
    input: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Any = None
) -> Tensor:
    """Fill x with exp(mean + std z) for normal numbers z."""
    noise = (generator or default_generator()).lognormal(
        mean, _positive("log_normal_", "std", std), input.shape
    )
    return _filled("log_normal_", input, noise)


@function
def cauchy_(
    input: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Any = None
) -> Tensor:
    """Fill x with Cauchy's numbers, of the density sigma / (pi (sigma^2 + (x - median)^2))."""
    noise = (generator or default_generator()).standard_cauchy(input.shape)
    return _filled("cauchy_", input, median + _positive("cauchy_", "sigma", sigma) * noise)
