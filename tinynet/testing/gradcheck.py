"""check_grads: a gradient against finite differences, to first and second order.

For a function f of arrays and a random cotangent c let F(x) = <c, f(x)>. A correct backward gives
g = J^T c, so that <g, v> = dF(x + t v)/dt at t = 0 for every direction v. Small inputs are checked
along every axis, large ones along random directions v, each through a random c: an error in J
survives such a projection with probability 0, while c = 1 would compare 0 with 0 for a soft-max.
At second order the gradient itself is the function: G(x, c) = J(x)^T c, with a backward recorded
by create_graph=True, is checked by x and by c in the same way.

How slopes are measured, and what a kink is: `tinynet.testing.differences`.

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
    """Check the gradient of f, and at order 2 the gradient of its gradient; raise if wrong.

    Every input that requires a gradient is checked by itself and all of them together; where f is
    a Module, its parameters are too. A derivative a passes against the numeric n if
    |a - n| <= rtol * s, s being the largest |a| or |n| in the gradient by that input: there is no
    absolute tolerance, so the gradient of a function with tiny values is held to the same. Where
    rounding hides what is to be measured, the check says so and fails.

    At a kink (relu at 0) every value between the one-sided slopes passes; the report lists it.

    Args:
        f: a function of Tensors that returns one Tensor, or a Module; no state, no random numbers.
        inputs: a Tensor or a sequence of them, float64 where a gradient is required. f is given
            copies; the values should be of size 1 or so.
        order: 1, or 2 to check the recorded backward as well.
        rtol: the relative error allowed.
        seed: for cotangents and directions.
        max_entries: inputs of up to this size are checked entry by entry.
        directions: how many random directions for larger ones, and for all inputs together.
        same_tensor: also give the same tensor in two places, for each two inputs of one shape.
        allow_constant: accept a gradient that is not exactly 0 but for rounding, by an input that
            f does not depend on: a bias before a batch normalisation.
        name: what messages call f; by default its own name.

    Returns:
        A `Report`.

    Raises:
        GradientError: if a derivative is wrong, cannot be measured, or f is not deterministic or
            changes its inputs.
        TypeError: for inputs that are no Tensors, float32 or integers where float64 is needed,
            and a result that is no Tensor of numbers with a gradient.
        ValueError: if no input requires a gradient, the result does not depend on any, or it is
            not finite.

    Cost: two calls of f an entry (or direction) at order 1; at order 2, two gradients of f an entry
    of the inputs and of the result.

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
                f"check_grads: `{function.name}`: the gradient by {label} differs with "
                f"create_graph=True, by up to {np.abs(raw - tracked).max():.3g}; a rule must "
                "compute the same on arrays and on Tensors"
            )

    def evaluate_gradient(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        return function.gradients(arrays[:-1], arrays[-1])

    # a gradient is made of products with values of this size, and carries their rounding
    floor = float(np.linalg.norm(c * y)) / math.sqrt(max(y.size, 1))
    labels = [*function.labels, f"the cotangent of shape {c.shape}"]
    again = Problem(function, 2, [*points, c], labels, evaluate_gradient, first, ds, second, floor)
    again.compare(rng, settings, report, {i: set(js) for i, js in kinked.items()})


def _second(
    function: Function, points: list[np.ndarray], c: np.ndarray, ds: list[np.ndarray]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The recorded gradients g of <c, f>, and the gradient of sum <d_i, g_i> by points and c."""
    leaves = function.leaves(points)
    y = function.call(leaves)
    cotangent = function.like(y, c).requires_grad_()
    gs = grad(y, leaves, cotangent, create_graph=True, allow_unused=True)
    values = [np.zeros(p.shape) if g is None else to_numpy(g._data)
              for g, p in zip(gs, points, strict=True)]  # fmt: skip
    tracked = [(g, function.like(g, d)) for g, d in zip(gs, ds, strict=True)
               if g is not None and g.requires_grad]  # fmt: skip
    targets = [*leaves, cotangent]
    if not tracked:
        return values, [np.zeros(t.shape) for t in targets]
    outputs, seeds = zip(*tracked, strict=True)
    second = grad(list(outputs), targets, list(seeds), allow_unused=True)
    return values, [np.zeros(t.shape) if s is None else to_numpy(s._data)
                    for s, t in zip(second, targets, strict=True)]  # fmt: skip
