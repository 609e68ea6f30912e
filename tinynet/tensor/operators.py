"""Tensor's operators: ``x + y``, ``x == y``, ``-x``. Each calls a function of an array's entries.

``x += y`` is in `tinynet.tensor.changes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.functions import comparing, logical, operators, pointwise, products
from tinynet.ops import arithmetic

if TYPE_CHECKING:
    from tinynet.tensor import Tensor

Operand = Any  # a Tensor, an array or a number


class Operators:
    """Methods of `Tensor`."""

    __slots__ = ()

    # --- arithmetic: + - * / call the operation itself, which is quicker than the function ---

    def __add__(self, other: Operand) -> Tensor:
        return arithmetic.add(self, other)

    def __radd__(self, other: Operand) -> Tensor:
        return arithmetic.add(other, self)

    def __sub__(self, other: Operand) -> Tensor:
        return arithmetic.sub(self, other)

    def __rsub__(self, other: Operand) -> Tensor:
        return arithmetic.sub(other, self)

    def __mul__(self, other: Operand) -> Tensor:
        return arithmetic.mul(self, other)

    def __rmul__(self, other: Operand) -> Tensor:
        return arithmetic.mul(other, self)

    def __truediv__(self, other: Operand) -> Tensor:
        return arithmetic.div(self, other)

    def __rtruediv__(self, other: Operand) -> Tensor:
        return arithmetic.div(other, self)

    def __rfloordiv__(self, other: Operand) -> Tensor:
        return operators.floor_divide(other, self)

    def __rmod__(self, other: Operand) -> Tensor:
        return operators.remainder(other, self)

    def __rpow__(self, other: Operand) -> Tensor:
        return pointwise.pow(other, self)

    def __rmatmul__(self, other: Operand) -> Tensor:
        return products.matmul(other, self)

    __floordiv__ = operators.floor_divide
    __mod__ = operators.remainder
    __pow__ = pointwise.pow
    __matmul__ = products.matmul
    __neg__ = operators.neg
    __pos__ = operators.positive
    __abs__ = operators.abs

    # --- comparison and logic: boolean tensors, never recorded ---

    # what is not a number equals no tensor: `x == None` is False, as Python says if both refuse
    def __eq__(self: Any, other: object) -> Any:
        return NotImplemented if isinstance(other, str | None) else comparing.eq(self, other)

    def __ne__(self: Any, other: object) -> Any:
        return NotImplemented if isinstance(other, str | None) else comparing.ne(self, other)

    __lt__ = comparing.lt
    __le__ = comparing.le
    __gt__ = comparing.gt
    __ge__ = comparing.ge
    __hash__ = object.__hash__  # == compares entry by entry, so sets and dicts need identity

    __invert__ = logical.bitwise_not
    __and__ = __rand__ = logical.bitwise_and
    __or__ = __ror__ = logical.bitwise_or
    __xor__ = __rxor__ = logical.bitwise_xor
    __lshift__ = logical.bitwise_left_shift
    __rshift__ = logical.bitwise_right_shift

    def __rlshift__(self, other: Operand) -> Tensor:
        return logical.bitwise_left_shift(other, self)

    def __rrshift__(self, other: Operand) -> Tensor:
        return logical.bitwise_right_shift(other, self)
