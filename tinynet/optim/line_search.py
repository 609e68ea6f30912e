"""A line search for a step that satisfies the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple


class Point(NamedTuple):
    """A length t, and there the loss, the gradient and the slope along the direction."""

    t: float
    loss: float
    g: Any
    slope: float


def strong_wolfe(
    evaluate: Callable[[float], tuple[float, Any]],
    t: float,
    d: Any,
    width: float,
    loss: float,
    g: Any,
    slope: float,
    most: int,
) -> tuple[float, Any, float, int]:
    """A t > 0 with f(t) <= f(0) + c1 t f'(0) and |f'(t)| <= c2 |f'(0)|.

    f(t) is the loss at theta + t d, c1 = 1e-4 and c2 = 0.9. First t grows until an interval must
    hold such a point: the loss is too large at its end, or the slope upwards. Then a cubic through
    losses and slopes at the two ends gives the next t, which replaces one of them.

    Args:
        evaluate: gives the loss and the gradient for a t.
        t: the first length to try.
        d: the direction.
        width: its largest entry.
        loss, g, slope: those at t = 0.
        most: after how many evaluations the better end is taken.

    Returns:
        The loss and the gradient at t, t, and the number of evaluations.

    Source: J. Nocedal and S. Wright, Numerical Optimization, 2nd ed., algorithms 3.5 and 3.6, and
        equation 3.59; how near to an end a t may lie: M. Schmidt's minFunc (2005).
    """
    start = Point(0.0, loss, g, slope)

    def at(t: float) -> Point:
        value, gradient = evaluate(t)
        return Point(t, value, gradient, float(gradient @ d))

    def too_large(point: Point) -> bool:
        return point.loss > loss + 1e-4 * point.t * slope

    def flat(point: Point) -> bool:
        return abs(point.slope) <= -0.9 * slope

    before, point, count = start, at(t), 0
    while count < most:
        if too_large(point) or (count > 1 and point.loss >= before.loss):
            break
        if flat(point):
            return point.loss, point.g, point.t, count + 1
        if point.slope >= 0:
            break
        low, high = point.t + 0.01 * (point.t - before.t), 10 * point.t
        t = cubic(before, point, low, high)
        before, point = point, at(t)
        count += 1
    if count == most:
        before = start

    low_end, high_end = (before, point) if before.loss <= point.loss else (point, before)
    stuck, evaluations = False, count + 1
    while count < most and abs(high_end.t - low_end.t) * width >= 1e-9:
        low, high = sorted((low_end.t, high_end.t))
        # the ends in the order in which they were found make no difference to the cubic
        t = cubic(low_end, high_end, low, high)
        margin = 0.1 * (high - low)
        if min(high - t, t - low) < margin:
            # too near to an end: accepted once, but not twice in a row nor at the end itself
            if stuck or t >= high or t <= low:
                t = high - margin if abs(t - high) < abs(t - low) else low + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        point = at(t)
        count, evaluations = count + 1, evaluations + 1
        if too_large(point) or point.loss >= low_end.loss:
            high_end = point
            if high_end.loss < low_end.loss:
                low_end, high_end = high_end, low_end
        else:
            if flat(point):
                low_end = point
                break
            if point.slope * (high_end.t - low_end.t) >= 0:
                high_end = low_end
            low_end = point
    return low_end.loss, low_end.g, low_end.t, evaluations


def cubic(a: Point, b: Point, low: float, high: float) -> float:
    """The minimum of the cubic with these losses and slopes at two points, within bounds."""
    a, b = (a, b) if a.t <= b.t else (b, a)
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:  # there is none
        return (low + high) / 2
    d2 = math.sqrt(square)
    t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return min(max(t, low), high)
