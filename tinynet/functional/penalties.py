"""Penalties added to a loss to keep parameters small: the L1 norm and the squared L2 norm."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tinynet.autograd import Value
from tinynet.ops import arithmetic
from tinynet.ops.reduction import sum


def _total(name: str, parameters: Any, term: Any) -> Any:
    tensors = [parameters] if isinstance(parameters, Value) else list(parameters)
    if not tensors:
        raise ValueError(
            f"{name}: parameters is empty; model.parameters() is exhausted after one pass, so call "
            "it again for each penalty"
        )
    for i, t in enumerate(tensors):
        if not isinstance(t, Value):
            raise TypeError(f"{name}: parameter {i} is a {type(t).__name__}; it must be a Tensor")
    total = sum(term(tensors[0]))
    for t in tensors[1:]:
        total = total + sum(term(t))
    return total


def l1_penalty(parameters: Value | Iterable[Value]) -> Any:
    """sum_i |theta_i| over all entries of all parameters; the gradient at 0 is 0.

    ``loss + c * l1_penalty(model.parameters())`` pulls every entry towards 0 with the same force c,
    so many entries end up near 0.

    Args:
        parameters: a tensor, or several of one dtype and device.

    Returns:
        A Tensor of shape (), in the unit of theta.

    Raises:
        ValueError: if there are no parameters.
        TypeError: if one of them is not a Tensor.

    Source: R. Tibshirani, Regression shrinkage and selection via the lasso, J. R. Statist. Soc. B
        58 (1996).
    """
    return _total("l1_penalty", parameters, arithmetic.abs)


def l2_penalty(parameters: Value | Iterable[Value]) -> Any:
    """sum_i theta_i^2 over all entries of all parameters.

    ``loss + w / 2 * l2_penalty(model.parameters())`` has gradient g + w theta, the same as with
    ``weight_decay=w`` in `SGD` and `Adam` (`AdamW` decouples the decay from the gradient).

    Args:
        parameters: a tensor, or several of one dtype and device.

    Returns:
        A Tensor of shape (), in the square of the unit of theta.

    Raises:
        ValueError: if there are no parameters.
        TypeError: if one of them is not a Tensor.

    Source: A. Krogh and J. Hertz, A simple weight decay can improve generalization, NIPS 4 (1991).
    """
    return _total("l2_penalty", parameters, lambda t: t * t)
