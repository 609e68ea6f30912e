"""Tensor's changes in place: of data, and of leaves under no_grad."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.autograd import Value, guards
from tinynet.autograd.modes import modes
from tinynet.autograd.versions import increment_version
from tinynet.functions import angles, bounds, logical, operators, pointwise, rounding, special
from tinynet.functions.in_place import in_place
from tinynet.ops import indexing

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


class Changes:
    """Methods of `Tensor`."""

    __slots__ = ()
    _data: Any

    def _writable(self: Any, name: str) -> Any:
        """The array, marked as changed; raises if the change would have to be recorded."""
        if self.requires_grad and (modes()[0] or self.grad_fn is not None):
            raise RuntimeError(
                f"{name}: a tensor that requires a gradient cannot be changed in place; build a "
                "new one with tinynet.where, cat or functional.pad, or change a leaf inside "
                "tinynet.no_grad()"
            )
        increment_version(self)
        return self._data

    def _plain(self, name: str, other: Any) -> Any:
        if isinstance(other, Value):
            return other._data
        return guards.operand(name, other)

    def _assigned(self, name: str, other: Any) -> Any:
        """`other` as `_plain`; raises if its gradient would be lost."""
        if isinstance(other, Value) and other.requires_grad and modes()[0]:
            raise RuntimeError(
                f"{name}: the value requires a gradient, which a change in place does not record; "
                "collect the pieces and join them with tinynet.stack or cat, or give value.detach()"
            )
        return self._plain(name, other)

    def __setitem__(self, index: Any, value: Any) -> None:
        value = self._assigned("item assignment", value)
        self._writable("item assignment")[indexing.plain_index(index, self._data)] = value

    def copy_(self: Any, other: Any) -> Tensor:
        other = self._assigned("copy_", other)
        self._writable("copy_")[...] = other
        return self

    def fill_(self, value: float) -> Tensor:
        return self.copy_(value)

    def zero_(self) -> Tensor:
        return self.copy_(0)

    abs_ = in_place(operators.abs)
    absolute_ = in_place(operators.absolute)
    add_ = in_place(operators.add)
    addcdiv_ = in_place(operators.addcdiv)
    addcmul_ = in_place(operators.addcmul)
    div_ = in_place(operators.div)
    divide_ = in_place(operators.divide)
    floor_divide_ = in_place(operators.floor_divide)
    fmod_ = in_place(operators.fmod)
    lerp_ = in_place(operators.lerp)
    mul_ = in_place(operators.mul)
    multiply_ = in_place(operators.multiply)
    neg_ = in_place(operators.neg)
    negative_ = in_place(operators.negative)
    remainder_ = in_place(operators.remainder)
    sub_ = in_place(operators.sub)
    subtract_ = in_place(operators.subtract)
    true_divide_ = in_place(operators.true_divide)
    exp_ = in_place(pointwise.exp)
    exp2_ = in_place(pointwise.exp2)
    expm1_ = in_place(pointwise.expm1)
    log_ = in_place(pointwise.log)
    log10_ = in_place(pointwise.log10)
    log1p_ = in_place(pointwise.log1p)
    log2_ = in_place(pointwise.log2)
    pow_ = in_place(pointwise.pow)
    reciprocal_ = in_place(pointwise.reciprocal)
    relu_ = in_place(pointwise.relu)
    rsqrt_ = in_place(pointwise.rsqrt)
    sqrt_ = in_place(pointwise.sqrt)
    square_ = in_place(pointwise.square)
    acos_ = in_place(angles.acos)
    asin_ = in_place(angles.asin)
    atan_ = in_place(angles.atan)
    cos_ = in_place(angles.cos)
    sin_ = in_place(angles.sin)
    sinh_ = in_place(angles.sinh)
    cosh_ = in_place(angles.cosh)
    tan_ = in_place(angles.tan)
    tanh_ = in_place(angles.tanh)
    erf_ = in_place(special.erf)
    erfc_ = in_place(special.erfc)
    erfinv_ = in_place(special.erfinv)
    logit_ = in_place(special.logit)
    sigmoid_ = in_place(special.sigmoid)
    clamp_ = in_place(bounds.clamp)
    clamp_max_ = in_place(bounds.clamp_max)
    clamp_min_ = in_place(bounds.clamp_min)
    clip_ = in_place(bounds.clip)
    nan_to_num_ = in_place(bounds.nan_to_num)
    ceil_ = in_place(rounding.ceil)
    floor_ = in_place(rounding.floor)
    frac_ = in_place(rounding.frac)
    round_ = in_place(rounding.round)
    sign_ = in_place(rounding.sign)
    trunc_ = in_place(rounding.trunc)
    bitwise_and_ = in_place(logical.bitwise_and)
    bitwise_not_ = in_place(logical.bitwise_not)
    bitwise_or_ = in_place(logical.bitwise_or)
    bitwise_xor_ = in_place(logical.bitwise_xor)
    logical_and_ = in_place(logical.logical_and)
    logical_not_ = in_place(logical.logical_not)
    logical_or_ = in_place(logical.logical_or)
    logical_xor_ = in_place(logical.logical_xor)

    # x += y changes x in place if nothing has to be recorded; otherwise it is x = x + y, with the
    # same gradients. A leaf that requires a gradient raises, as in add_.

    def _recorded(self: Any, other: Any) -> bool:
        tracked = isinstance(other, Value) and other.requires_grad and modes()[0]
        return self.grad_fn is not None or tracked

    def __iadd__(self, other: Any) -> Tensor:
        return self + other if self._recorded(other) else self.add_(other)

    def __isub__(self, other: Any) -> Tensor:
        return self - other if self._recorded(other) else self.sub_(other)

    def __imul__(self, other: Any) -> Tensor:
        return self * other if self._recorded(other) else self.mul_(other)

    def __itruediv__(self, other: Any) -> Tensor:
        return self / other if self._recorded(other) else self.div_(other)

    def __ifloordiv__(self, other: Any) -> Tensor:
        return self // other if self._recorded(other) else self.floor_divide_(other)

    def __imod__(self, other: Any) -> Tensor:
        return self % other if self._recorded(other) else self.remainder_(other)

    def __ipow__(self, other: Any) -> Tensor:
        return self**other if self._recorded(other) else self.pow_(other)

    def __iand__(self, other: Any) -> Tensor:
        return self.bitwise_and_(other)

    def __ior__(self, other: Any) -> Tensor:
        return self.bitwise_or_(other)

    def __ixor__(self, other: Any) -> Tensor:
        return self.bitwise_xor_(other)
