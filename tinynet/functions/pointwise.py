"""Powers, exponentials and logarithms of each entry; a choice between two entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.autograd import Value, raw
from tinynet.backend import array_module, full, is_array
from tinynet.dtypes import float64
from tinynet.functions.operands import common, operands, real, reals, refuse, tensors
from tinynet.functions.public import function, unrecorded
from tinynet.ops import arithmetic, elementary, exponential

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


@function
def exp(input: Tensor) -> Tensor:
    """y = e^x; see `tinynet.ops.elementary.exp`."""
    return elementary.exp(real(input))


@function
def exp2(input: Tensor) -> Tensor:
    """y = 2^x; see `tinynet.ops.exponential.exp2`."""
    return exponential.exp2(real(input))


@function
def expm1(input: Tensor) -> Tensor:
    """y = e^x - 1; see `tinynet.ops.exponential.expm1`."""
    return exponential.expm1(real(input))


@function
def log(input: Tensor) -> Tensor:
    """y = ln x; see `tinynet.ops.elementary.log`."""
    return elementary.log(real(input))


@function
def log2(input: Tensor) -> Tensor:
    """y = log2 x; see `tinynet.ops.exponential.log2`."""
    return exponential.log2(real(input))


@function
def log10(input: Tensor) -> Tensor:
    """y = log10 x; see `tinynet.ops.exponential.log10`."""
    return exponential.log10(real(input))


@function
def log1p(input: Tensor) -> Tensor:
    """y = ln(1 + x); see `tinynet.ops.exponential.log1p`."""
    return exponential.log1p(real(input))


@function
def logaddexp(input: Tensor, other: Tensor) -> Tensor:
    """y = ln(e^a + e^b); see `tinynet.ops.exponential.logaddexp`."""
    return exponential.logaddexp(*reals(*tensors(input, other)))


@function
def logaddexp2(input: Tensor, other: Tensor) -> Tensor:
    """y = log2(2^a + 2^b); see `tinynet.ops.exponential.logaddexp2`."""
    return exponential.logaddexp2(*reals(*tensors(input, other)))


@function
def sqrt(input: Tensor) -> Tensor:
    """y = sqrt(x); see `tinynet.ops.elementary.sqrt`."""
    return elementary.sqrt(real(input))


@function
def rsqrt(input: Tensor) -> Tensor:
    """y = 1 / sqrt(x)."""
    return 1.0 / elementary.sqrt(real(input))


@function
def square(input: Tensor) -> Tensor:
    """y = x^2; of booleans as integers."""
    x = input.long() if input.dtype.kind == "b" else input
    return arithmetic.mul(x, x)


@function
def reciprocal(input: Tensor) -> Tensor:
    """y = 1 / x."""
    return 1.0 / real(input)


@function
def relu(input: Tensor) -> Tensor:
    """y = max(x, 0); see `tinynet.ops.elementary.relu`."""
    refuse(input, "b", "convert with .float()")
    return elementary.relu(input)


@function
def pow(input: Any, exponent: Any) -> Tensor:
    """y = a^b; see `tinynet.ops.elementary.pow`.

    Integers have integer powers: 1 / a^|b| is then 0 unless a is 1 or -1.

    Raises:
        RuntimeError: for integers and a negative number as exponent.
    """
    (a, b), dtype = common(input, exponent)
    if dtype.kind == "f":
        return elementary.pow(a, b)
    refuse(dtype, "b", "convert with .long()")
    if isinstance(b, int) and b < 0:
        raise RuntimeError(f"pow: integers have no power {b}; convert with .float()")
    like = raw(a) if is_array(raw(a)) else raw(b)
    kind: Any = input if isinstance(input, Value) else exponent
    base = raw(a) if is_array(raw(a)) else full((), a, like, dtype)
    if isinstance(b, int):
        return unrecorded(kind, base**b)
    xp, power = array_module(like), raw(b)
    y = base ** xp.maximum(power, 0)
    if dtype.kind == "i":
        odd = xp.where(power % 2 == 0, 1, base)
        y = xp.where(power < 0, xp.where((base == 1) | (base == -1), odd, 0), y)
    return unrecorded(kind, y.astype(dtype))


@function
def float_power(input: Any, exponent: Any) -> Tensor:
    """y = a^b in float64."""
    a, b = (x.to(float64) if isinstance(x, Value) else x for x in operands(input, exponent))  # type: ignore[attr-defined]
    return pow(a, b)


@function
def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """`input` where `condition` is true, else `other`; see `tinynet.ops.arithmetic.where`.

    With the condition alone: the indices of its entries that are not 0, one tensor per axis.
    """
    if input is None and other is None:
        (mask,) = operands(condition)
        return tuple(mask.result_type(i) for i in raw(mask).nonzero())
    condition, input, other = operands(condition, input, other)
    dtype = getattr(raw(condition), "dtype", None)
    if dtype is not None and dtype.kind != "b" and dtype.name != "uint8":
        raise TypeError(f"where: condition is {dtype}; it must be boolean, such as x > 0")
    return arithmetic.where(condition, input, other)
