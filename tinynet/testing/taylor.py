"""Taylor tests: the rate at which a remainder falls shows how many derivatives are right.

    r1(h) = |F(x + h v) - F(x) - h <g, v>|                       falls as h^2
    r2(h) = |F(x + h v) - F(x) - h <g, v> - h^2/2 <v, H v>|      falls as h^3

With a wrong gradient r1 ~ h (slope 1 on logarithmic axes), with a wrong Hessian r2 ~ h^2. Unlike a
comparison at one step, this shows where truncation ends and rounding begins.

Source: P. Farrell, D. Ham, S. Funke and M. Rognes, Automated derivation of the adjoint of
high-level transient finite element programs, SIAM J. Sci. Comput. 35 (2013), section 4.1; A.
Griewank and A. Walther, Evaluating Derivatives, 2nd ed. (2008), section 5.4.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinynet.backend import to_numpy
from tinynet.creation import tensor
from tinynet.tensor import Tensor
from tinynet.testing.derivatives import hvp
from tinynet.testing.differences import EPS
from tinynet.testing.function import Function, GradientError, random_like


@dataclass(frozen=True)
class Taylor:
    """Steps, remainders and measured slopes; a slope is None if its remainders are rounding."""

    steps: tuple[float, ...]
    first: tuple[float, ...]
    slope: float | None
    second: tuple[float, ...] | None = None
    second_slope: float | None = None


def taylor_test(
    f: Callable[[Tensor], Tensor],
    x: Tensor,
    *,
    hessian: bool = True,
    first_step: float = 0.1,
    levels: int = 8,
    seed: int = 0,
    name: str | None = None,
) -> Taylor:
    """Check that Taylor's remainder falls fast enough along a random direction.

    For several results, F is their sum with random weights.

    Args:
        f: a smooth, deterministic function of one Tensor that returns one Tensor.
        x: the input; float64, requires_grad=True.
        hessian: whether to test the second derivative as well.
        first_step: the largest step h; each further step is half of the one before.
        levels: number of steps.
        seed: seed of the direction and the weights.
        name: f's name in messages; by default the function's own.

    Returns:
        A `Taylor` with steps, remainders and slopes: about 2 and 3, or more if the next derivative
        along the direction is 0.

    Raises:
        GradientError: if the first slope is below 1.8 or the second below 2.8.
        TypeError, ValueError: as in `check_grads`.
    """
    function = Function(f, x, name)
    rng = np.random.default_rng(seed)
    (point,) = function.points
    y = function.check_first_call([point])
    c = random_like(y, rng)
    v = random_like(point, rng)
    v /= np.linalg.norm(v) or 1.0
    (g,) = function.gradients([point], c)
    slope = float(np.vdot(g, v))
    steps = tuple(first_step / 2**k for k in range(levels))
    change = [float(np.vdot(c, function.value([point + h * v]) - y)) for h in steps]
    noise = 8 * EPS * (float(np.linalg.norm(c * y)) + abs(slope) * first_step)
    first = tuple(abs(d - h * slope) for d, h in zip(change, steps, strict=True))
    s1 = _slope(steps, first, noise)
    _require(function.name, "gradient", s1, 2, first, seed)
    if not hessian:
        return Taylor(steps, first, s1)

    curvature = float(np.vdot(v, _hvp(function, c, v, x.device)))
    pairs = zip(change, steps, strict=True)
    second = tuple(abs(d - h * slope - h * h / 2 * curvature) for d, h in pairs)
    s2 = _slope(steps, second, noise)
    _require(function.name, "Hessian", s2, 3, second, seed)
    return Taylor(steps, first, s1, second, s2)


def _hvp(function: Function, c: np.ndarray, v: np.ndarray, device: str) -> np.ndarray:
    """H v for F = <c, f> at the function's only point."""

    def weighted(t: Tensor) -> Tensor:
        result = function.call([t])
        return (result * tensor(c, device=result.device)).sum()

    (point,) = function.points
    product = hvp(weighted, tensor(point, device=device), tensor(v, device=device))
    return to_numpy(product._data)


def _slope(steps: tuple[float, ...], remainders: tuple[float, ...], noise: float) -> float | None:
    """The slope of ln r over ln h between the two smallest steps that exceed the rounding."""
    clear = [(h, r) for h, r in zip(steps, remainders, strict=True) if r > 100 * noise]
    if len(clear) < 2:
        return None
    (h1, r1), (h2, r2) = clear[-2:]
    return math.log(r1 / r2) / math.log(h1 / h2)


def _require(
    name: str, what: str, slope: float | None, least: int, r: tuple[float, ...], seed: int
) -> None:
    if slope is not None and slope < least - 0.2:
        raise GradientError(
            f"taylor_test: `{name}`: the remainder falls with slope {slope:.2f}, not {least}: the "
            f"{what} is wrong (or the function is not smooth there); remainders "
            f"{', '.join(f'{value:.2e}' for value in r)}; seed {seed}"
        )


def check_hessian_symmetry(
    f: Callable[[Tensor], Tensor],
    x: Tensor,
    *,
    rtol: float = 1e-10,
    seed: int = 0,
    name: str | None = None,
) -> float:
    """Check <u, H v> = <v, H u> for random u and v: second derivatives commute (Schwarz).

    The identity has no step size, so it holds to rounding. For an operation with several inputs,
    different rules compute the two sides and so check each other.

    Args:
        f: a twice continuously differentiable function of one Tensor; several results are summed
            with random weights.
        x: the input; float64, requires_grad=True.
        rtol: allowed error relative to |u * H v| + |v * H u|.
        seed: seed of u, v and the weights.
        name: f's name in messages; by default the function's own.

    Returns:
        The relative error.

    Raises:
        GradientError: if the sides differ.
        TypeError, ValueError: as in `check_grads`.
    """
    function = Function(f, x, name)
    rng = np.random.default_rng(seed)
    (point,) = function.points
    c = random_like(function.check_first_call([point]), rng)
    u, v = random_like(point, rng), random_like(point, rng)
    left, right = (a * _hvp(function, c, b, x.device) for a, b in ((u, v), (v, u)))
    size = float(np.linalg.norm(left) + np.linalg.norm(right))
    error = abs(float(left.sum() - right.sum()))
    if not error <= rtol * size:
        raise GradientError(
            f"check_hessian_symmetry: `{function.name}`: <u, H v> = {left.sum():.12g} but "
            f"<v, H u> = {right.sum():.12g} (seed {seed}); a rule's second derivative is wrong"
        )
    return error / (size or 1.0)
