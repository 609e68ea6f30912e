"""check_grads: compares gradients with finite differences, to first and second order.

For a function f of arrays and a random cotangent c let F(x) = <c, f(x)>. A correct backward gives
g = J^T c, so <g, v> = dF(x + t v)/dt at t = 0 for every direction v. Small inputs are checked along
every axis, large ones along random directions v. c is random because an error in J then cancels
with probability 0, while c = 1 would compare 0 with 0 for a softmax. At second order the function
is the gradient itself: G(x, c) = J(x)^T c, recorded with create_graph=True, is checked with respect
to x and c in the same way.

`tinynet.testing.differences` measures slopes and recognises kinks.

Source: A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed. (2008), chapters 3 and 5;
A. Baydin, B. Pearlmutter, A. Radul and J. Siskind, Automatic differentiation in machine learning:
a survey, JMLR 18 (2018), section 3.2; J. Nocedal and S. Wright, Numerical Optimization, 2nd ed.
(2006), section 8.1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinynet.autograd import grad
from tinynet.backend import to_numpy
from tinynet.creation import tensor
from tinynet.testing.comparison import Problem, Report, Settings
from tinynet.testing.function import Function, GradientError, random_like


def check_grads(
    f: Callable[..., Any],
    inputs: Any,
    order: int = 2,
    *,
    rtol: float = 1e-6,
    seed: int = 0,
    max_entries: int = 48,
    directions: int = 3,
    same_tensor: bool = False,
    allow_constant: bool = False,
    name: str | None = None,
) -> Report:
    """Check the gradient of f, and at order 2 the gradient of its gradient.

    Each input that requires a gradient is checked separately, and all of them together; for a
    Module, its parameters too. An analytic derivative a and its numeric value n agree if
    |a - n| <= rtol * s, where s is the largest |a| or |n| in the gradient with respect to that
    input. There is no absolute tolerance, so functions with tiny values are held to the same
    standard. The check fails, and says so, if rounding hides the result.

    At a kink (relu at 0) every value between the one-sided slopes passes; the report lists it.

    Args:
        f: a deterministic function of Tensors that returns one Tensor, or a Module.
        inputs: a Tensor or a sequence of Tensors, float64 if they require a gradient. f gets
            copies. Values should be of size 1 or so.
        order: 1, or 2 to check the recorded backward as well.
        rtol: the allowed relative error.
        seed: seed of the random cotangents and directions.
        max_entries: inputs of at most this many entries are checked entry by entry.
        directions: number of random directions for larger inputs, and for all inputs together.
        same_tensor: also pass the same tensor as both inputs of each pair with equal shapes.
        allow_constant: accept a gradient that is 0 only up to rounding, for an input on which f
            does not depend, such as a bias before a batch normalisation.
        name: f's name in messages; by default the function's own.

    Returns:
        A `Report`.

    Raises:
        GradientError: if a derivative is wrong or cannot be measured, or f is not deterministic or
            changes its inputs.
        TypeError: if an input is not a Tensor, or requires a gradient and is not float64; if the
            result is not a float64 Tensor.
        ValueError: if no input requires a gradient, or the result depends on none of them or is
            not finite.

    Cost: two calls of f per entry (or direction) at order 1; at order 2, two gradients of f per
    entry of the inputs and of the result.

    >>> import tinynet as tn
    >>> x = tn.tensor([0.5, -0.3], dtype="float64", requires_grad=True)
    >>> check_grads(lambda x: x * x.exp(), x, name="x e^x").kinks
    []
    """
    if order not in (1, 2):
        raise ValueError(f"check_grads: order is {order!r}; it must be 1 or 2")
    if not 0 < rtol < 1:
        raise ValueError(f"check_grads: rtol is {rtol}; it must lie between 0 and 1")
    function = Function(f, inputs, name)
    report = Report(function.name)
    settings = Settings(rtol, seed, max_entries, max(directions, 1), allow_constant)
    with function:
        _check(function, order, settings, report)
    if same_tensor:
        for i, j in function.pairs():
            with function.tied(i, j) as tied:
                _check(tied, order, settings, report)
    return report


def _check(function: Function, order: int, settings: Settings, report: Report) -> None:
    rng = np.random.default_rng(settings.seed)
    points = function.points
    y = function.check_first_call(points)
    c = random_like(y, rng)
    first = function.gradients(points, c)

    def evaluate(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [function.value(arrays)]

    problem = Problem(function, 1, points, function.labels, evaluate, [y], [c], first, 0.0)
    kinked = problem.compare(rng, settings, report)
    if order == 1:
        return
    ds = [random_like(g, rng) for g in first]
    recorded, second = _second(function, points, c, ds)
    for label, raw, tracked in zip(function.labels, first, recorded, strict=True):
        if raw.size and np.abs(raw - tracked).max() > 1e-10 * np.abs(raw).max():
            raise GradientError(
                f"check_grads: `{function.name}`: the gradient for {label} differs with "
                f"create_graph=True, by up to {np.abs(raw - tracked).max():.3g}; a rule must "
                "compute the same on arrays and on Tensors"
            )

    def evaluate_gradient(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        return function.gradients(arrays[:-1], arrays[-1])

    # gradients sum products of this size, and carry their rounding errors
    floor = float(np.linalg.norm(c * y)) / math.sqrt(max(y.size, 1))
    labels = [*function.labels, f"the cotangent of shape {c.shape}"]
    again = Problem(function, 2, [*points, c], labels, evaluate_gradient, first, ds, second, floor)
    again.compare(rng, settings, report, {i: set(js) for i, js in kinked.items()})


def _second(
    function: Function, points: list[np.ndarray], c: np.ndarray, ds: list[np.ndarray]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The recorded gradients g of <c, f>, and the gradients of sum <d_i, g_i> by points and c."""
    leaves = function.leaves(points)
    y = function.call(leaves)
    cotangent = tensor(c, device=y.device, requires_grad=True)
    gs = grad(y, leaves, cotangent, create_graph=True, allow_unused=True)
    values = [np.zeros(p.shape) if g is None else to_numpy(g._data)
              for g, p in zip(gs, points, strict=True)]  # fmt: skip
    tracked = [(g, tensor(d, device=g.device)) for g, d in zip(gs, ds, strict=True)
               if g is not None and g.requires_grad]  # fmt: skip
    targets = [*leaves, cotangent]
    if not tracked:
        return values, [np.zeros(t.shape) for t in targets]
    outputs, seeds = zip(*tracked, strict=True)
    second = grad(list(outputs), targets, list(seeds), allow_unused=True)
    return values, [np.zeros(t.shape) if s is None else to_numpy(s._data)
                    for s, t in zip(second, targets, strict=True)]  # fmt: skip
