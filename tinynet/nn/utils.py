"""Gradient clipping, between backward and the optimizer's step."""

from __future__ import annotations

import math
from collections.abc import Iterable

from tinynet import backend
from tinynet.autograd.versions import increment_version
from tinynet.tensor import Tensor


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    tensors = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return [t.grad for t in tensors if t.grad is not None]


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients by min(1, max_norm / (norm + 1e-6)), in place.

    The norm is that of all gradients as one vector, (sum |g_i|^p)^(1/p), so scaling keeps the
    direction and limits the length. It is summed in float64: squares of float32 numbers above
    1.8e19 would overflow.

    Args:
        parameters: a tensor or several, whose `grad` is clipped; a missing `grad` is skipped.
        max_norm: the largest norm allowed.
        norm_type: p, greater than 0; ``math.inf`` for the largest |g_i|.
        error_if_nonfinite: raise if the norm is NaN or Inf. Otherwise a norm of Inf makes the
            gradients 0 (NaN where they are Inf), and a norm of NaN makes them NaN.

    Returns:
        The norm before clipping, of shape () and in the dtype of the gradients.

    Source: R. Pascanu, T. Mikolov and Y. Bengio, arXiv:1211.5063, algorithm 1.
    """
    max_norm, p = float(max_norm), float(norm_type)
    if not p > 0:
        raise ValueError(f"clip_grad_norm_: norm_type is {norm_type}; it must be greater than 0")
    if not max_norm >= 0:
        raise ValueError(f"clip_grad_norm_: max_norm is {max_norm}; it must be at least 0")
    grads = _gradients(parameters)
    if not grads:
        return Tensor(backend.asarray(0.0))
    arrays = [g._data for g in grads]
    xp = backend.array_module(*arrays)
    magnitudes = [xp.abs(a.astype("float64")) for a in arrays if a.size]
    zero = backend.zeros((), arrays[0], "float64")
    if p == math.inf:
        norm = xp.stack([zero, *(m.max() for m in magnitudes)]).max()
    else:
        total = zero
        for m in magnitudes:
            total = total + (m * m if p == 2.0 else m**p).sum()
        norm = xp.sqrt(total) if p == 2.0 else total ** (1.0 / p)
    norm = backend.as_array(norm)
    if error_if_nonfinite:
        backend.check(
            xp.isfinite(norm),
            lambda: RuntimeError(
                f"clip_grad_norm_: the norm of {len(arrays)} gradients is {norm.item()}; it must "
                "be finite. Use tinynet.detect_anomaly() to find the operation that caused it"
            ),
        )
    factor = xp.minimum(max_norm / (norm + 1e-6), 1.0)
    for g, array in zip(grads, arrays, strict=True):
        array *= factor.astype(array.dtype)
        increment_version(g)
    return Tensor(norm.astype(arrays[0].dtype))


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Limit every entry of the gradients to [-clip_value, clip_value], in place.

    Args:
        parameters: a tensor or several, whose `grad` is clipped; a missing `grad` is skipped.
        clip_value: at least 0.
    """
    clip_value = float(clip_value)
    if not clip_value >= 0:
        raise ValueError(f"clip_grad_value_: clip_value is {clip_value}; it must be at least 0")
    for g in _gradients(parameters):
        xp = backend.array_module(g._data)
        xp.clip(g._data, -clip_value, clip_value, out=g._data)
        increment_version(g)
