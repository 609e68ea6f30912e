"""Logic of entries and of their bits; greatest common divisors. None has a gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.functions.operands import common, on_arrays, operands, refuse, tensors
from tinynet.functions.public import function

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


@function
def logical_and(input: Tensor, other: Tensor) -> Tensor:
    """Whether both entries are not zero."""
    return on_arrays("logical_and", *operands(*tensors(input, other)))


@function
def logical_or(input: Tensor, other: Tensor) -> Tensor:
    """Whether one or both entries are not zero."""
    return on_arrays("logical_or", *operands(*tensors(input, other)))


@function
def logical_xor(input: Tensor, other: Tensor) -> Tensor:
    """Whether one entry is not zero and the other is."""
    return on_arrays("logical_xor", *operands(*tensors(input, other)))


@function
def logical_not(input: Tensor) -> Tensor:
    """Whether each entry is zero."""
    return on_arrays("logical_not", input)


def _of_integers(name: str, input: Any, other: Any, kinds: str = "f") -> Any:
    args, dtype = common(input, other)
    refuse(dtype, kinds, "it takes integers" + (" or booleans" if kinds == "f" else ""))
    return on_arrays(name, *args)


@function
def bitwise_and(input: Any, other: Any) -> Tensor:
    """The bits that both have; for booleans `logical_and`."""
    return _of_integers("bitwise_and", input, other)


@function
def bitwise_or(input: Any, other: Any) -> Tensor:
    """The bits that one or both have; for booleans `logical_or`."""
    return _of_integers("bitwise_or", input, other)


@function
def bitwise_xor(input: Any, other: Any) -> Tensor:
    """The bits that just one has; for booleans `logical_xor`."""
    return _of_integers("bitwise_xor", input, other)


@function
def bitwise_not(input: Tensor) -> Tensor:
    """All bits turned over; for booleans `logical_not`."""
    refuse(input, "f", "it takes integers or booleans; compare first, such as ~(x > 0)")
    return on_arrays("invert", input)


@function
def bitwise_left_shift(input: Any, other: Any) -> Tensor:
    """The bits moved up: a 2^b."""
    return _of_integers("left_shift", input, other, "fb")


@function
def bitwise_right_shift(input: Any, other: Any) -> Tensor:
    """The bits moved down: floor(a / 2^b)."""
    return _of_integers("right_shift", input, other, "fb")


@function
def gcd(input: Tensor, other: Tensor) -> Tensor:
    """The greatest common divisor of |a| and |b|."""
    return _of_integers("gcd", *tensors(input, other), "fb")


@function
def lcm(input: Tensor, other: Tensor) -> Tensor:
    """The least common multiple of |a| and |b|."""
    return _of_integers("lcm", *tensors(input, other), "fb")
