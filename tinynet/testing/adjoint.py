"""check_adjoint: tests linear maps by <A x, c> = <x, A^T c>, to rounding and without a step size.

The backward of a linear map A is A^T, so each linear operation has an adjoint (im2col and col2im,
pad and crop, gather and scatter). For random x and c the two sides of the identity sum the same
products in different orders: they agree to a few units in the last place if the adjoint is right,
and otherwise almost surely differ in the first digit.

Source: A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed. (2008), section 3.3;
J. Claerbout, Earth Soundings Analysis: Processing versus Inversion (1992), chapter 5, for the test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinynet import backend, dtypes
from tinynet.creation import tensor
from tinynet.tensor import Tensor
from tinynet.testing.function import GradientError, random_like


def check_adjoint(
    linear: Callable[[Any], Any],
    adjoint: Callable[[Any], Any],
    x: Any,
    *,
    rtol: float = 1e-12,
    seed: int = 0,
    name: str | None = None,
) -> float:
    """Check that `adjoint` is the transpose of `linear`, and that `linear` is linear.

    With random x, z, c and numbers p, q:

        <A x, c> = <x, A^T c>        A (p x + q z) = p A x + q A z

    The first holds if |left - right| <= rtol * s, where s is the Euclidean norm of all products in
    the two sums; the second if every entry is within 100 rtol of the largest.

    Args:
        linear: A, a function of one Tensor, or of one array if x is an array.
        adjoint: A^T, a function of A's result.
        x: a float64 Tensor or array that fits A; only its shape and type are used.
        rtol: the allowed relative error.
        seed: seed of the random numbers.
        name: A's name in messages; by default the function's own.

    Returns:
        The relative error of the first identity.

    Raises:
        GradientError: if an identity fails, or the shapes of A^T c and x differ.
        TypeError: if x is neither a Tensor nor an array of float64, or a result has another type.
    """
    name = name or getattr(linear, "__name__", type(linear).__name__)
    as_tensor = isinstance(x, Tensor)
    raw = x._data if isinstance(x, Tensor) else x
    if not backend.is_array(raw) or raw.dtype != dtypes.float64:
        kind = getattr(raw, "dtype", type(raw).__name__)
        raise TypeError(
            f"check_adjoint: x is {kind}; pass a Tensor or an array of float64, with the shape of "
            f"`{name}`'s input"
        )
    device = backend.device_of(raw)

    def apply(which: Callable[[Any], Any], label: str, a: np.ndarray) -> np.ndarray:
        y = which(tensor(a, device=device) if as_tensor else backend.to_device(a, device))
        if isinstance(y, Tensor) != as_tensor:
            raise TypeError(
                f"check_adjoint: {label} of `{name}` returned a {type(y).__name__} for a "
                f"{type(x).__name__}; it must return the same type"
            )
        return np.asarray(backend.to_numpy(y._data if isinstance(y, Tensor) else y))

    rng = np.random.default_rng(seed)
    first, second = (random_like(np.empty(raw.shape), rng) for _ in range(2))
    y = apply(linear, "the map", first.copy())
    c = random_like(y, rng)
    back = apply(adjoint, "the adjoint", c.copy())
    if back.shape != first.shape:
        raise GradientError(
            f"check_adjoint: the adjoint of `{name}` returned shape {back.shape} for a cotangent "
            f"of {y.shape}; it must be {first.shape}, the shape of `{name}`'s input"
        )
    left, right = y * c, first * back
    size = float(np.hypot(np.linalg.norm(left), np.linalg.norm(right)))
    error = abs(float(left.sum() - right.sum()))
    if not error <= rtol * size:
        raise GradientError(
            f"check_adjoint: `{name}`: <A x, c> = {left.sum():.15g} but <x, A^T c> = "
            f"{right.sum():.15g}: relative error {error / (size or 1.0):.3g} (allowed {rtol:.3g}), "
            f"x {first.shape}, c {c.shape}, seed {seed}; they are not transposes of each other"
        )
    p, q = 0.75, -1.25  # exact in binary
    together = apply(linear, "the map", p * first + q * second)
    apart = p * y + q * apply(linear, "the map", second.copy())
    largest = float(np.abs(apart).max(initial=0.0))
    if not np.abs(together - apart).max(initial=0.0) <= 100 * rtol * largest:
        raise GradientError(
            f"check_adjoint: `{name}` is not linear: A(p x + q z) and p A x + q A z differ by "
            f"{np.abs(together - apart).max():.3g} (x {first.shape}, p {p}, q {q}, seed {seed})"
        )
    return error / (size or 1.0)
