"""Comparisons and tests of entries: boolean tensors, never recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.autograd import Value, raw
from tinynet.backend import array_module, full, is_array
from tinynet.functions.arguments import flag, number, some_axes
from tinynet.functions.operands import common, on_arrays, real
from tinynet.functions.public import function, unrecorded
from tinynet.ops.reduction import Dim

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


def _compare(name: str, input: Any, other: Any) -> Tensor:
    return on_arrays(name, *common(input, other)[0])


@function
def eq(input: Tensor, other: Any) -> Tensor:
    """a = b, entry by entry."""
    return _compare("equal", input, other)


@function
def ne(input: Tensor, other: Any) -> Tensor:
    """a != b, entry by entry."""
    return _compare("not_equal", input, other)


@function
def not_equal(input: Tensor, other: Any) -> Tensor:
    """`ne` by NumPy's name."""
    return ne(input, other)


@function
def lt(input: Tensor, other: Any) -> Tensor:
    """a < b, entry by entry."""
    return _compare("less", input, other)


@function
def less(input: Tensor, other: Any) -> Tensor:
    """`lt` by NumPy's name."""
    return lt(input, other)


@function
def le(input: Tensor, other: Any) -> Tensor:
    """a <= b, entry by entry."""
    return _compare("less_equal", input, other)


@function
def less_equal(input: Tensor, other: Any) -> Tensor:
    """`le` by NumPy's name."""
    return le(input, other)


@function
def gt(input: Tensor, other: Any) -> Tensor:
    """a > b, entry by entry."""
    return _compare("greater", input, other)


@function
def greater(input: Tensor, other: Any) -> Tensor:
    """`gt` by NumPy's name."""
    return gt(input, other)


@function
def ge(input: Tensor, other: Any) -> Tensor:
    """a >= b, entry by entry."""
    return _compare("greater_equal", input, other)


@function
def greater_equal(input: Tensor, other: Any) -> Tensor:
    """`ge` by NumPy's name."""
    return ge(input, other)


@function
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and the same numbers, as a Python bool."""
    return input.shape == other.shape and bool(eq(input, other).data.all())


@function
def isclose(
    input: Tensor,
    other: Tensor,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> Tensor:
    """|a - b| <= atol + rtol |b|, or a = b.

    Args:
        input: a.
        other: b, of the same dtype.
        rtol: the relative tolerance.
        atol: the absolute tolerance.
        equal_nan: whether NaN is close to NaN.
    """
    if input.dtype != other.dtype:
        raise TypeError(f"isclose: input is {input.dtype}, other is {other.dtype}; convert one")
    rtol, atol = number("isclose", "rtol", rtol), number("isclose", "atol", atol)
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if not tolerance >= 0:
            raise ValueError(f"isclose: {name} is {tolerance}; it must be at least 0")
    close = eq(input, other)
    if equal_nan and input.dtype.kind == "f":
        close = close | (isnan(input) & isnan(other))
    a, b = real(input).detach(), real(other).detach()
    bound = b.abs() * rtol + atol
    return close | (isfinite(b) & ((a - b).abs() <= bound))


@function
def allclose(
    input: Tensor,
    other: Tensor,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> bool:
    """Whether all entries are close, as a Python bool; see `isclose`."""
    return bool(isclose(input, other, rtol, atol, equal_nan).data.all())


@function
def any(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Whether any entry along `dim`, or any at all, is not zero."""
    return _gathered("any", input, dim, keepdim)


@function
def all(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Whether all entries along `dim`, or all there are, are not zero."""
    return _gathered("all", input, dim, keepdim)


def _gathered(name: str, input: Tensor, dim: Dim, keepdim: bool) -> Tensor:
    axes, keepdim = some_axes(name, dim, input.ndim), flag(name, "keepdim", keepdim)
    found = getattr(input.data, name)(axis=axes, keepdims=keepdim)
    return unrecorded(input, found if input.dtype.name != "uint8" else found.astype("uint8"))


@function
def isfinite(input: Tensor) -> Tensor:
    """Whether each entry is neither NaN nor infinite."""
    return on_arrays("isfinite", input)


@function
def isinf(input: Tensor) -> Tensor:
    """Whether each entry is Inf or -Inf."""
    return on_arrays("isinf", input)


@function
def isposinf(input: Tensor) -> Tensor:
    """Whether each entry is Inf."""
    return input == float("inf")


@function
def isneginf(input: Tensor) -> Tensor:
    """Whether each entry is -Inf."""
    return input == -float("inf")


@function
def isnan(input: Tensor) -> Tensor:
    """Whether each entry is NaN."""
    return on_arrays("isnan", input)


@function
def isreal(input: Tensor) -> Tensor:
    """Whether each entry is a real number: all are, since no tensor is complex."""
    return unrecorded(input, array_module(input.data).full_like(input.data, True, dtype="bool"))


@function
def isin(
    elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False
) -> Tensor:
    """Whether each entry is among the test elements.

    Args:
        elements: a Tensor, or a number if `test_elements` is one.
        test_elements: a Tensor, or a number.
        assume_unique: whether neither has an entry twice, which could save time.
        invert: whether an entry is not among them, instead.
    """
    (a, b), dtype = common(elements, test_elements)
    kind: Any = a if isinstance(a, Value) else b
    arrays = [raw(v) if is_array(raw(v)) else full((), v, kind.data, dtype) for v in (a, b)]
    return unrecorded(kind, array_module(*arrays).isin(*arrays, assume_unique, invert))
