"""Jacobian, Hessian and Hessian-vector product.

Source: A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed. (2008), sections 3.2 and 5.4;
for the product, B. Pearlmutter, Fast exact multiplication by the Hessian, Neural Computation 6
(1994).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinynet.autograd import grad
from tinynet.autograd.modes import enable_grad
from tinynet.backend import array_module
from tinynet.creation import tensor, zeros
from tinynet.functions.stacking import stack
from tinynet.tensor import Tensor


def _leaf(name: str, x: Any) -> Tensor:
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}: x is a {type(x).__name__}; it must be a Tensor")
    return tensor(x, requires_grad=True)  # raises for integers


def _value(name: str, f: Callable[[Tensor], Any], x: Tensor) -> Tensor:
    y = f(x)
    if not isinstance(y, Tensor):
        raise TypeError(f"{name}: f returned a {type(y).__name__}; it must return a Tensor")
    return y


def _scalar(name: str, f: Callable[[Tensor], Any], x: Tensor) -> Tensor:
    y = _value(name, f, x)
    if y.numel() != 1:
        raise ValueError(
            f"{name}: f returned shape {y.shape}; it must return one number (for several results, "
            "take one entry or a weighted sum)"
        )
    return y.reshape(())


def jacobian(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Compute the Jacobian J[k, i] = d f(x)_k / d x_i, for multi-indices k and i.

    Each row is one backward: J^T e_k for a unit vector e_k.

    Args:
        f: a function of one Tensor that returns one Tensor.
        x: the input; floating-point numbers of any shape.

    Returns:
        Shape ``(*f(x).shape, *x.shape)``, in the dtype of x; zeros where f does not depend on x.

    Raises:
        TypeError: if x or the result is not a Tensor, or x does not hold floating-point numbers.

    Cost: one forward, and one backward per entry of the result.

    >>> from tinynet import tensor
    >>> jacobian(lambda x: x * x, tensor([1.0, 3.0]))
    tensor([[2., 0.],
            [0., 6.]])
    """
    leaf = _leaf("jacobian", x)
    with enable_grad():
        y = _value("jacobian", f, leaf)
    return _rows(y, leaf).reshape(*y.shape, *leaf.shape)


def _rows(y: Tensor, x: Tensor) -> Tensor:
    """The Jacobian as (entries of y, *x.shape)."""
    if not y.requires_grad or y.numel() == 0:
        return zeros((y.numel(), *x.shape), dtype=x.dtype, device=x.device)
    rows = []
    for k in range(y.numel()):
        unit = array_module(y._data).zeros(y.numel(), y.dtype)
        unit[k] = 1.0
        rows.append(_gradient(y, x, Tensor(unit.reshape(y.shape)), retain_graph=True))
    return stack(rows)


def hessian(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Compute the Hessian H[i, j] = d^2 f(x) / (d x_i d x_j), for multi-indices i and j.

    The Hessian is the Jacobian of the gradient: one recorded backward, then one backward per row.
    It is symmetric where the second derivatives are continuous (Schwarz).

    Args:
        f: a function of one Tensor that returns one number.
        x: the input; floating-point numbers of any shape.

    Returns:
        Shape ``(*x.shape, *x.shape)``, in the dtype of x.

    Raises:
        TypeError: as in `jacobian`.
        ValueError: if f returns more than one number.

    Cost: one backward per entry of x, through a graph about three times f's.

    >>> from tinynet import tensor
    >>> hessian(lambda x: (x * x * x).sum(), tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    leaf = _leaf("hessian", x)
    with enable_grad():
        y = _scalar("hessian", f, leaf)
        g = _gradient(y, leaf, create_graph=True)
    return _rows(g, leaf).reshape(*leaf.shape, *leaf.shape)


def _gradient(y: Tensor, x: Tensor, c: Tensor | None = None, **options: bool) -> Tensor:
    """The gradient of the number y, or of <c, y>; zeros if it does not depend on x."""
    g = None
    if y.requires_grad:
        (g,) = grad(y, x, c, allow_unused=True, **options)
    return zeros(x.shape, dtype=x.dtype, device=x.device) if g is None else g


def hvp(f: Callable[[Tensor], Tensor], x: Tensor, v: Tensor) -> Tensor:
    """Compute (H v)_i = sum_j (d^2 f / (d x_i d x_j)) v_j, as the gradient of <grad f(x), v>.

    Args:
        f: a function of one Tensor that returns one number.
        x: the input; floating-point numbers of any shape.
        v: the vector, with the shape and dtype of x.

    Returns:
        Shape and dtype of x.

    Raises:
        TypeError: as in `jacobian`.
        ValueError: if f returns more than one number, or the shapes of v and x differ.

    Cost: two backwards, a small multiple of f's own cost for any size of x.

    >>> from tinynet import tensor
    >>> hvp(lambda x: (x * x * x).sum(), tensor([1.0, 2.0]), tensor([1.0, 1.0]))
    tensor([ 6., 12.])
    """
    leaf = _leaf("hvp", x)
    if not isinstance(v, Tensor) or v.shape != leaf.shape:
        raise ValueError(
            f"hvp: v is {getattr(v, 'shape', type(v).__name__)}; it must be a Tensor of x's shape "
            f"{leaf.shape}"
        )
    with enable_grad():
        g = _gradient(_scalar("hvp", f, leaf), leaf, create_graph=True)
    return _gradient(g, leaf, v.detach())
