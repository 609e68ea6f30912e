"""Broadcasting, its adjoint, and the class of operations that broadcast their inputs.

Broadcasting copies an entry to many places; the adjoint of copying is summing. Binary operations
therefore contain only calculus: their rules return a gradient of the output's shape, and
`Elementwise.unbroadcast` sums it down to the input's shape, here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinynet.autograd import Op
from tinynet.dtypes import accumulates
from tinynet.kernels import sums
from tinynet.memory import broadcast_to
from tinynet.ops.promotion import promoted


@Op
def expand(x: Any, *, shape: tuple[int, ...]) -> Any:
    """y[..., i, ...] = x[..., 0 or i, ...]: axes of size 1 and missing leading axes are repeated.

    Derivation: every copy has the same differential, dy[i] = dx[0], so
        <gy, dy> = sum_i gy[i] dx[0] = <sum_to(gy), dx>.
        gx = sum_to(gy, shape=x_shape)
    Jacobian: selection: each row has one 1; the column of an entry copied k times has k.
    Kinks: none; linear.
    Cost: nothing forward (a view), n additions backward; keeps the shape of x.
    Shapes: x broadcasts to `shape` by NumPy's rules; y is read-only; dtype of x.
    Errors: ValueError if it does not broadcast.
    Source: A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed. (2008), ch. 3.
    """
    try:
        return broadcast_to(x, shape)
    except ValueError:
        raise ValueError(
            f"expand: shape {tuple(x.shape)} does not broadcast to {tuple(shape)}; counted from "
            "the last axis, each size must be equal or 1"
        ) from None


@expand.rule("x")
def expand_gx(gy: Any, x_shape: tuple[int, ...]) -> Any:
    return sum_to(gy, shape=x_shape)


@Op
@accumulates
def sum_to(x: Any, *, shape: tuple[int, ...]) -> Any:
    """y = x summed over the axes where `shape` has size 1 or no axis: expand's adjoint.

    Derivation: dy = sum_to(dx): each dx is added to one y, so <gy, dy> = <expand(gy), dx>.
        gx = expand(gy, shape=x_shape)
    Jacobian: the transpose of that of expand.
    Kinks: none; linear.
    Cost: n additions forward, nothing backward (a view); keeps the shape of x.
    Shapes: `shape` broadcasts to that of x; y has `shape`; dtype of x.
    Errors: ValueError if it does not broadcast: a gradient is never broadcast up.
    Source: A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed. (2008), ch. 3.
    """
    lead = x.ndim - len(shape)
    if lead < 0 or any(n not in (1, m) for n, m in zip(shape, x.shape[lead:], strict=True)):
        raise ValueError(f"sum_to: shape {tuple(shape)} does not broadcast to {tuple(x.shape)}")
    axes = [i for i, n in enumerate(shape, lead) if n == 1 and x.shape[i] != 1]
    if lead or axes:
        x = sums.sum(x, (*range(lead), *axes)).reshape(shape)
    return x


@sum_to.rule("x")
def sum_to_gx(gy: Any, x_shape: tuple[int, ...]) -> Any:
    return expand(gy, shape=x_shape)


class Elementwise(Op):
    """An elementwise operation that broadcasts its inputs and brings them to one dtype."""

    def promote(self, args: Sequence[Any]) -> Sequence[Any]:
        """The arguments with the terms in one dtype; before them, in `where`, is a mask."""
        return (*args[:-2], *promoted(self.name, *args[-2:]))

    def unbroadcast(self, g: Any, shape: tuple[int, ...]) -> Any:
        """Apply the adjoint of the broadcast that the array module does in the forward."""
        return sum_to(g, shape=shape)

    def explain(self, error: Exception, arrays: list[Any], options: dict[str, Any]) -> str:
        shapes = [tuple(a.shape) for a in arrays if hasattr(a, "shape")]
        if any(a is None for a in arrays):
            return f"{self.name}: an operand is None; it must be a Tensor, an array or a number"
        if "boolean subtract" in str(error):
            return f"{self.name}: booleans have no difference; use ^ or logical_xor, or .long()"
        if "broadcast" not in str(error) or len(shapes) < 2:
            return super().explain(error, arrays, options)
        return (
            f"{self.name}: shapes {' and '.join(map(str, shapes))} do not broadcast; counted from "
            "the last axis, sizes must be equal or one of them 1"
        )
