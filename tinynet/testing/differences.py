"""Numerical derivatives for gradient checks: the slope at 0 of a function along a line.

Let phi(t) = F(x + t v) be smooth, each value computed with a rounding error of up to e. The central
difference

    D(h) = (phi(h) - phi(-h)) / (2 h) = phi'(0) + phi'''(0) h^2 / 6 + O(h^4)

has a truncation error of order h^2 and a rounding error of up to e / h. With e about
eps |F|, their sum is smallest near h = eps^(1/3), where both are about eps^(2/3), 4e-11 in float64.
Richardson extrapolation combines D(h), D(h/2), D(h/4), ... so that the powers h^2, h^4, ... cancel.
This allows larger steps, and the rounding error falls with 1/h.

At a kink the one-sided slopes R = (phi(h) - phi(0)) / h and L = (phi(0) - phi(-h)) / h stay apart
for every h. Where phi is smooth, R - L = h phi''(0) + ... shrinks with h.

Source: J. Nocedal and S. Wright, Numerical Optimization, 2nd ed. (2006), section 8.1, for the
step; C. Ridders, Accurate computation of F'(x) and F'(x) F''(x), Adv. Eng. Softw. 4 (1982), for
the extrapolation with an error estimate.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

EPS = 2.0**-52
STEP = EPS ** (1 / 3)  # default step of a central difference, for numbers of size 1
FAR = 2.0**-4  # a step large enough to leave a region where F happens to be constant
SLACK = 8.0  # rounding errors allowed in a value of F, which takes several operations
# Exponents of the largest steps for Richardson: coarse against rounding, fine for rapid variation.
_LADDERS, _LEVELS = (-5, -13, -21, -27), 5
_KINK_STEPS = tuple(2.0**-k for k in (17, 20, 23, 26))
# One-sided slopes that differ by more than this fraction of the gradient may mean a kink.
_SUSPICIOUS = 1e-3


class Line:
    """phi(t) = F(x + t v) - F(x), each value computed once.

    Args:
        phi: the function; phi(0) must be 0.
        noise: the rounding error of a value of phi.
        size: the scale of x along the line, max(1, |x|), which multiplies all steps.
    """

    def __init__(self, phi: Callable[[float], float], noise: float, size: float) -> None:
        self._phi, self.noise, self.size = phi, noise, size
        self._seen: dict[float, float] = {}

    def at(self, t: float) -> float:
        if t not in self._seen:
            self._seen[t] = self._phi(t)
        return self._seen[t]

    def central(self, h: float) -> float:
        return (self.at(h) - self.at(-h)) / (2 * h)

    def sides(self, h: float) -> tuple[float, float]:
        """The slopes to the left and to the right."""
        return -self.at(-h) / h, self.at(h) / h

    @property
    def step(self) -> float:
        """The default step; a power of two, so that x + h - x is h."""
        return 2.0 ** round(math.log2(STEP * self.size))


@dataclass(frozen=True)
class Slope:
    """A numerical derivative: its value, an estimate of its error, and the step."""

    value: float
    error: float
    step: float


@dataclass(frozen=True)
class Verdict:
    """The result of comparing an analytic derivative with differences.

    Attributes:
        outcome: "equal", "kink" (between the one-sided slopes at a kink), "constant" (F is constant
            and the gradient 0), "wrong", "outside" (not between the slopes at a kink), "jump" (F is
            not continuous), "undecided" (the differences are too noisy).
        slope: the numerical derivative.
        left, right: the one-sided slopes.
        difference: |analytic - numeric|, or at a kink the distance to the interval of slopes.
    """

    outcome: str
    slope: Slope
    left: float
    right: float
    difference: float

    @property
    def passed(self) -> bool:
        return self.outcome in ("equal", "kink", "constant")


def richardson(line: Line, first: float) -> Slope | None:
    """Extrapolate D(h), D(h/2), ... from the largest step h by Neville's scheme in powers of h^2.

    Returns:
        The entry of the scheme that agrees best with its neighbours; its error is their distance
        plus the rounding error. None if the function is not finite.
    """
    best: Slope | None = None
    previous: list[float] = []
    for k in range(_LEVELS):
        h = first / 2**k
        row = [line.central(h)]
        if not math.isfinite(row[0]):
            return None
        for j, before in enumerate(previous):
            row.append(row[j] + (row[j] - before) / (4.0 ** (j + 1) - 1.0))
        for j in range(1, len(row)):
            distance = max(abs(row[j] - row[j - 1]), abs(row[j] - previous[j - 1]))
            error = distance + line.noise / h
            if best is None or error < best.error:
                best = Slope(row[j], error, h)
        previous = row
    return best


def judge(
    line: Line, analytic: float, scale: float, rtol: float, allow_constant: bool = False
) -> Verdict:
    """Compare an analytic derivative with the slope of the line at 0.

    They are equal if |analytic - numeric| <= rtol max(scale, |analytic|, |numeric|). There is no
    absolute tolerance, and noise never makes a difference pass.

    Args:
        line: the function along the direction.
        analytic: the derivative to check.
        scale: the size of the whole gradient.
        rtol: the allowed relative error.
        allow_constant: whether a gradient that is 0 up to rounding may pass.
    """
    h = line.step
    left, right = line.sides(h)
    value = (left + right) / 2
    scale = max(scale, abs(analytic), abs(value) if math.isfinite(value) else 0.0)
    difference = abs(analytic - value)
    smooth = abs(right - left) <= _SUSPICIOUS * scale + SLACK * line.noise / h
    if smooth and scale > 0.0 and difference <= rtol * scale:
        return Verdict("equal", Slope(value, line.noise / h, h), left, right, difference)
    return _look_closer(line, analytic, scale, rtol, allow_constant)


def _look_closer(
    line: Line, analytic: float, scale: float, rtol: float, allow_constant: bool
) -> Verdict:
    kink = _kink(line)
    if kink is not None:
        outcome, step, left, right = kink
        middle = Slope((left + right) / 2, abs(right - left) / 2, step)
        if outcome == "jump":
            return Verdict("jump", middle, left, right, abs(analytic - middle.value))
        low, high = min(left, right), max(left, right)
        beyond = max(low - analytic, analytic - high, 0.0)
        outcome = "kink" if beyond <= rtol * scale else "outside"
        return Verdict(outcome, middle, left, right, beyond)
    slopes = [s for k in _LADDERS if (s := richardson(line, line.size * 2.0**k)) is not None]
    slopes += _plain(line)
    if is_constant(line, analytic, allow_constant):
        return Verdict("constant", Slope(0.0, line.noise / FAR, FAR * line.size), 0.0, 0.0, 0.0)
    if not slopes:
        nothing = Slope(math.nan, math.inf, line.step)
        return Verdict("undecided", nothing, *line.sides(line.step), math.inf)
    for s in sorted(slopes, key=lambda s: s.error):
        left, right = line.sides(s.step)
        difference = abs(analytic - s.value)
        if s.error <= rtol * scale and difference <= rtol * scale:
            return Verdict("equal", s, left, right, difference)
    best = min(slopes, key=lambda s: s.error)
    left, right = line.sides(best.step)
    difference = abs(analytic - best.value)
    outcome = "wrong" if difference > rtol * scale + SLACK * best.error else "undecided"
    return Verdict(outcome, best, left, right, difference)


def is_constant(line: Line, analytic: float, allow_rounding: bool = False) -> bool:
    """Whether F is constant and `analytic` agrees.

    Either both are exactly 0 at steps of several sizes or, with `allow_rounding`, both stay within
    the rounding of F over a step of 1/16. Smaller slopes cannot be measured.
    """
    if analytic == 0.0:
        for first in (FAR, FAR / 8, FAR / 64, FAR / 512):
            steps = (line.size * first / 2**k for k in range(0, 9, 3))
            if all(line.at(h) == 0.0 == line.at(-h) for h in steps):
                return True
    H, least = FAR * line.size, SLACK * line.noise
    return (
        allow_rounding
        and abs(analytic) * H <= least
        and all(abs(line.at(t)) <= least for t in (H, -H, H / 8, -H / 8))
    )


def _plain(line: Line) -> list[Slope]:
    """Central differences at shrinking steps, for kinks nearby that would spoil extrapolation."""
    found = []
    for h in (line.size * k for k in _KINK_STEPS):
        value, finer = line.central(h), line.central(h / 2)
        if math.isfinite(value) and math.isfinite(finer):
            found.append(Slope(finer, abs(value - finer) + 2 * line.noise / h, h / 2))
    return found


def _kink(line: Line) -> tuple[str, float, float, float] | None:
    """Find a kink at 0: one-sided slopes that stay apart as the step shrinks.

    Returns:
        ("kink", step, left, right), ("jump", ...) if the slopes diverge, or None.
    """
    seen = []
    for h in (line.size * k for k in _KINK_STEPS):
        left, right = line.sides(h)
        gap = abs(right - left)
        if not math.isfinite(gap) or gap <= 20 * line.noise / h:
            continue  # the gap may be rounding
        seen.append((h, left, right, gap))
    if len(seen) < 2 or seen[-1][3] < 0.5 * seen[0][3]:
        return None
    (h, left, right, gap), (_, left_before, right_before, _) = seen[-1], seen[-2]
    drift = max(abs(left - left_before), abs(right - right_before))
    return ("kink" if drift <= 0.1 * gap else "jump"), h, left, right
