"""Gradient clipping, between backward and the optimizer's step; parameters as one vector."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from tinynet import backend, memory
from tinynet.autograd.modes import no_grad
from tinynet.autograd.versions import increment_version
from tinynet.functions.stacking import cat
from tinynet.nn.weight_norm import (
    remove_spectral_norm,
    remove_weight_norm,
    spectral_norm,
    weight_norm,
)
from tinynet.tensor import Tensor

__all__ = [
    "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm",
    "parameters_to_vector", "remove_spectral_norm", "remove_weight_norm", "spectral_norm",
    "vector_to_parameters", "weight_norm",
]  # fmt: skip

# Entries that are summed at a time: their copies in float64 stay in the cache.
BLOCK = 1 << 15


def _tensors(name: str, parameters: Any) -> list[Tensor]:
    if not isinstance(parameters, Iterable):
        kind = type(parameters).__name__
        raise TypeError(f"{name}: parameters is a {kind}; give a Tensor or several")
    tensors = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for i, t in enumerate(tensors):
        if not isinstance(t, Tensor):
            raise TypeError(f"{name}: parameter {i} is a {type(t).__name__}, not a Tensor")
    return tensors


def _gradients(name: str, parameters: Any) -> list[Tensor]:
    return [t.grad for t in _tensors(name, parameters) if t.grad is not None]


def _number(name: str, option: str, value: Any, positive: bool = False) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (number > 0 if positive else number >= 0):
        least = "greater than 0" if positive else "at least 0"
        raise ValueError(f"{name}: {option} is {value}; it must be {least}")
    return number


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """(sum |x_i|^p)^(1/p) over the entries of all tensors.

    It is summed in float64: squares of float32 numbers above 1.8e19 would overflow.

    Args:
        tensors: a tensor or several.
        norm_type: p, greater than 0; ``math.inf`` for the largest |x_i|.
        error_if_nonfinite: raise if the norm is NaN or Inf.
        foreach: accepted as in PyTorch; it changes nothing.

    Returns:
        The norm, of shape () and in the dtype of the tensors.
    """
    p = _number("get_total_norm", "norm_type", norm_type, positive=True)
    given = _tensors("get_total_norm", tensors)
    if not given:
        return Tensor(backend.asarray(0.0))
    norm = _norm("get_total_norm", given, p, error_if_nonfinite)
    return Tensor(norm.astype(given[0].dtype))


def _norm(name: str, tensors: list[Tensor], p: float, error_if_nonfinite: bool) -> Any:
    """The norm of all entries as an array of shape () in float64."""
    arrays = [t._data for t in tensors]
    xp = backend.array_module(*arrays)
    total = backend.zeros((), arrays[0], "float64")
    for array in arrays:
        flat = array.reshape(-1)
        if p == math.inf:
            for bound in (flat.max(), -flat.min()) if flat.size else ():
                total = xp.maximum(total, bound)
            continue
        size = BLOCK if backend.device_of(flat) == "cpu" else max(flat.size, 1)
        for start in range(0, flat.size, size):
            part = flat[start : start + size]
            wide = memory.workspace("entries of a norm", part.shape, flat, "float64")
            wide[...] = part
            if p == 2.0:
                xp.multiply(wide, wide, out=wide)
            else:
                xp.abs(wide, out=wide)
                if p != 1.0:
                    xp.power(wide, p, out=wide)
            total = total + wide.sum()
    if p not in (1.0, math.inf):
        total = xp.sqrt(total) if p == 2.0 else total ** (1.0 / p)
    norm = backend.as_array(total)
    if error_if_nonfinite:
        backend.check(
            xp.isfinite(norm),
            lambda: RuntimeError(
                f"{name}: the norm of {len(arrays)} gradients is {norm.item()}; it must "
                "be finite. Use tinynet.detect_anomaly() to find the operation that caused it"
            ),
        )
    return norm


def _scale(grads: list[Tensor], max_norm: float, norm: Any) -> None:
    """Multiply by min(1, max_norm / (norm + 1e-6)), in place."""
    factor = backend.array_module(norm).minimum(max_norm / (norm + 1e-6), 1.0)
    for g in grads:
        array = g._data
        array *= factor.astype(array.dtype)
        increment_version(g)


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients by min(1, max_norm / (norm + 1e-6)), in place.

    The norm is that of all gradients as one vector (see `get_total_norm`), so scaling keeps the
    direction and limits the length.

    Args:
        parameters: a tensor or several, whose `grad` is clipped; a missing `grad` is skipped.
        max_norm: the largest norm allowed.
        norm_type: p, greater than 0; ``math.inf`` for the largest |g_i|.
        error_if_nonfinite: raise if the norm is NaN or Inf. Otherwise a norm of Inf makes the
            gradients 0 (NaN where they are Inf), and a norm of NaN makes them NaN.
        foreach: accepted as in PyTorch; it changes nothing.

    Returns:
        The norm before clipping, of shape () and in the dtype of the gradients.

    Source: R. Pascanu, T. Mikolov and Y. Bengio, arXiv:1211.5063, algorithm 1.
    """
    name = "clip_grad_norm_"
    p = _number(name, "norm_type", norm_type, positive=True)
    most = _number(name, "max_norm", max_norm)
    grads = _gradients(name, parameters)
    if not grads:
        return Tensor(backend.asarray(0.0))
    norm = _norm(name, grads, p, error_if_nonfinite)
    _scale(grads, most, norm)
    return Tensor(norm.astype(grads[0].dtype))


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    total_norm: Tensor,
    foreach: bool | None = None,
) -> None:
    """Scale all gradients by min(1, max_norm / (total_norm + 1e-6)), in place.

    The second half of `clip_grad_norm_`, for a norm from `get_total_norm`.
    """
    most = _number("clip_grads_with_norm_", "max_norm", max_norm)
    if not isinstance(total_norm, Tensor) or total_norm.numel() != 1:
        raise TypeError("clip_grads_with_norm_: total_norm must be a Tensor with one entry")
    grads = _gradients("clip_grads_with_norm_", parameters)
    _scale(grads, most, total_norm._data.reshape(()).astype("float64"))


def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Limit every entry of the gradients to [-clip_value, clip_value], in place.

    Args:
        parameters: a tensor or several, whose `grad` is clipped; a missing `grad` is skipped.
        clip_value: at least 0.
        foreach: accepted as in PyTorch; it changes nothing.
    """
    limit = _number("clip_grad_value_", "clip_value", clip_value)
    for g in _gradients("clip_grad_value_", parameters):
        xp = backend.array_module(g._data)
        xp.clip(g._data, -limit, limit, out=g._data)
        increment_version(g)


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The entries of all parameters, in their order, as one vector; differentiable."""
    tensors = _tensors("parameters_to_vector", parameters)
    if not tensors:
        raise ValueError("parameters_to_vector: there are no parameters")
    return cat([t.reshape(-1) for t in tensors])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Copy the entries of a vector into parameters, one after another.

    Raises:
        TypeError: if `vec` is not a Tensor.
        ValueError: if it has another number of entries; nothing is changed.
    """
    if not isinstance(vec, Tensor):
        kind = type(vec).__name__
        raise TypeError(f"vector_to_parameters: vec is a {kind}, not a Tensor")
    tensors = _tensors("vector_to_parameters", parameters)
    entries = sum(t.numel() for t in tensors)
    if vec.shape != (entries,):
        raise ValueError(
            f"vector_to_parameters: vec has shape {vec.shape}, the parameters have {entries} "
            "entries"
        )
    start = 0
    with no_grad():
        for t in tensors:
            part = vec._data[start : start + t.numel()]
            t.copy_(Tensor(part.reshape(t.shape)))
            start += t.numel()
