"""Tensor's changes in place: of data, and of leaves under no_grad.

They are refused on a tensor that requires a gradient; see `_writable`. Those that write the result
of a function into the tensor, such as `exp_`, are in `tinynet.tensor.methods_in_place`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.autograd import Value, guards
from tinynet.autograd.modes import modes
from tinynet.autograd.versions import increment_version
from tinynet.functions.public import function
from tinynet.ops import indexing
from tinynet.tensor.methods_in_place import MethodsInPlace

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


class Changes(MethodsInPlace):
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

    def _overwritten(self: Any, name: str, other: Any) -> Tensor:
        other = self._assigned(name, other)
        self._writable(name)[...] = other
        return self

    def copy_(self, other: Any) -> Tensor:
        """Copy numbers, converted to this tensor's dtype and repeated to its shape."""
        return self._overwritten("copy_", other)

    def fill_(self, value: float) -> Tensor:
        return self._overwritten("fill_", value)

    def zero_(self) -> Tensor:
        return self._overwritten("zero_", 0)

    @function
    def fill_diagonal_(self: Any, fill_value: float, wrap: bool = False) -> Tensor:
        """x[i, i, ..., i] = fill_value.

        Args:
            fill_value: a number.
            wrap: whether the diagonal of a tall matrix (N, C) starts again after C + 1 rows.
        """
        if self.ndim < 2 or (self.ndim > 2 and len(set(self.shape)) > 1):
            raise ValueError(
                f"fill_diagonal_: shape {self.shape} must have two axes, or more of one size"
            )
        rows, columns = self.shape[0], self.shape[-1]
        period = columns + 1 if wrap and self.ndim == 2 else max(rows, 1)
        places = [i for i in range(rows) if i % period < columns]
        index = (places, *[[i % period for i in places]] * (self.ndim - 1))
        self._writable("fill_diagonal_")[index] = fill_value
        return self

    # --- another shape for the same memory ---

    def _reshaped(self: Any, name: str, view: Tensor) -> Tensor:
        self._writable(name)
        self._data = view._data
        return self

    def squeeze_(self: Any, dim: Any = None) -> Tensor:
        x = self.detach()
        return self._reshaped("squeeze_", x.squeeze() if dim is None else x.squeeze(dim))

    def unsqueeze_(self: Any, dim: int) -> Tensor:
        return self._reshaped("unsqueeze_", self.detach().unsqueeze(dim))

    def transpose_(self: Any, dim0: int, dim1: int) -> Tensor:
        return self._reshaped("transpose_", self.detach().transpose(dim0, dim1))

    swapaxes_ = swapdims_ = transpose_

    def t_(self: Any) -> Tensor:
        return self._reshaped("t_", self.detach().t())

    def detach_(self: Any) -> Tensor:
        """Take the tensor out of the graph, and return it."""
        self._source, self._requires_grad = None, False
        return self

    # --- x += y ---

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
