"""Compares analytic derivatives with finite differences, per entry or along random directions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from tinynet.testing.differences import EPS, Line, Verdict, is_constant, judge
from tinynet.testing.function import Function, GradientError, random_like, same

_MAX_KINKS = 32  # in a large input; with more of them, the input is unsuitable


@dataclass
class Report:
    """The result of `check_grads`.

    Attributes:
        name: the function's name.
        comparisons: number of analytic derivatives compared with differences.
        worst: the largest relative error among them.
        kinks: where f is not differentiable and the gradient lies between the one-sided slopes.
        constant: inputs on which f (or, at order 2, its gradient) does not depend.
    """

    name: str
    comparisons: int = 0
    worst: float = 0.0
    kinks: list[str] = field(default_factory=list)
    constant: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Settings:
    rtol: float
    seed: int
    max_entries: int
    directions: int
    allow_constant: bool


@dataclass
class Problem:
    """A function of several arrays, cotangents for its results, and the gradient to check."""

    function: Function
    order: int
    points: list[np.ndarray]
    labels: list[str]
    evaluate: Callable[[Sequence[np.ndarray]], list[np.ndarray]]
    values: list[np.ndarray]
    cotangents: list[np.ndarray]
    analytic: list[np.ndarray]
    floor: float

    def __post_init__(self) -> None:
        parts = [np.linalg.norm(c * v) for c, v in zip(self.cotangents, self.values, strict=True)]
        self.noise = EPS * math.hypot(*parts, self.floor)
        name = f"check_grads: `{self.function.name}`"
        for label, g, x in zip(self.labels, self.analytic, self.points, strict=True):
            if g.shape != x.shape:
                raise GradientError(
                    f"{name}: the gradient for {label} has shape {g.shape}; the two shapes must be "
                    "equal"
                )
            if not np.isfinite(g).all():
                at = tuple(int(k) for k in np.argwhere(~np.isfinite(g))[0])
                raise GradientError(
                    f"{name} (order {self.order}): the gradient for {label} is {g[at]} at {at}, "
                    f"where the input is {x[at]:.9g}"
                )

    def compare(
        self,
        rng: np.random.Generator,
        settings: Settings,
        report: Report,
        skip: dict[int, set[int]] | None = None,
    ) -> dict[int, set[int]]:
        """Compare everything; returns the flat indices of kinks by input, including `skip`."""
        self.settings, self.report, self.rng = settings, report, rng
        self.kinked = skip or {}
        for i, x in enumerate(self.points):
            free = [j for j in range(x.size) if j not in self.kinked.get(i, ())]
            if not free:
                continue
            if len(free) <= settings.max_entries:
                self._entries(i, free)
            else:
                for _ in range(settings.directions):
                    free = [j for j in free if j not in self.kinked.get(i, ())]
                    self._direction([(i, j) for j in free])
        if sum(x.size > 0 for x in self.points) > 1:
            for _ in range(settings.directions):
                self._direction(
                    [(i, j) for i, x in enumerate(self.points) for j in range(x.size)
                     if j not in self.kinked.get(i, ())]
                )  # fmt: skip
        return self.kinked

    def _line(self, coordinates: list[tuple[int, int]], v: np.ndarray) -> Line:
        """The function along v, whose entries belong to coordinates (input, flat index)."""
        steps = [np.zeros(x.size) for x in self.points]
        size = 1.0
        for (i, j), entry in zip(coordinates, v, strict=True):
            steps[i][j] = entry
            size = max(size, abs(float(self.points[i].flat[j])))
        moving = [s.reshape(x.shape) if s.any() else None
                  for s, x in zip(steps, self.points, strict=True)]  # fmt: skip

        def phi(t: float) -> float:
            moved = [x if s is None else x + t * s
                     for x, s in zip(self.points, moving, strict=True)]  # fmt: skip
            # a large step may leave the domain; `judge` expects NaN then
            with np.errstate(all="ignore"):
                found = zip(self.evaluate(moved), self.values, self.cotangents, strict=True)
                return float(sum(np.vdot(c, after - before) for after, before, c in found))

        return Line(phi, self.noise, size)

    def _entries(self, i: int, free: list[int]) -> None:
        """Compare every entry of input i; the scale is the largest entry of the gradient."""
        analytic = self.analytic[i].reshape(-1)
        lines = [self._line([(i, j)], np.ones(1)) for j in free]
        numeric = [line.central(line.step) for line in lines]
        known = [abs(n) for n in numeric if math.isfinite(n)]
        scale = max(*(abs(float(a)) for a in analytic[free]), *known, 0.0)
        if scale == 0.0 and self._is_constant(free, i):
            self.report.constant.append(f"order {self.order}, {self.labels[i]}")
            self.report.comparisons += len(free)
            return
        for j, line in zip(free, lines, strict=True):
            a = float(analytic[j])
            verdict = judge(line, a, scale, self.settings.rtol, self.settings.allow_constant)
            where = f"{self.labels[i]}, {self._place(i, j)}"
            self._record(verdict, a, scale, where, [(i, j)])

    def _place(self, i: int, j: int) -> str:
        at = tuple(int(k) for k in np.unravel_index(j, self.points[i].shape))
        return f"coordinate {at}, where it is {self.points[i][at]:.9g}"

    def _is_constant(self, free: list[int], i: int) -> bool:
        """Whether f is constant along two random directions too, at large steps."""
        v = (self._draw(len(free)) * math.sqrt(len(free)) for _ in range(2))
        return all(is_constant(self._line([(i, j) for j in free], w), 0.0) for w in v)

    def _draw(self, n: int) -> np.ndarray:
        v = random_like(np.empty(n), self.rng)
        return v / np.linalg.norm(v)

    def _direction(self, coordinates: list[tuple[int, int]], v: np.ndarray | None = None) -> None:
        """Compare along a random unit direction; bisects it to find kinks."""
        if not coordinates:
            return
        n = len(coordinates)
        v = self._draw(n) if v is None else v
        g = np.array([self.analytic[i].flat[j] for i, j in coordinates])
        a, scale = float(g @ v), float(np.linalg.norm(g * v))
        line = self._line(coordinates, v)
        verdict = judge(line, a, scale, self.settings.rtol, self.settings.allow_constant)
        if n > 1 and verdict.outcome in ("kink", "outside", "jump"):
            if sum(map(len, self.kinked.values())) >= _MAX_KINKS:
                raise GradientError(
                    f"check_grads: `{self.function.name}` has more than {_MAX_KINKS} kinks at this "
                    "input; pass values that are further from kinks and from each other"
                )
            self._direction(coordinates[: n // 2], v[: n // 2])
            self._direction(coordinates[n // 2 :], v[n // 2 :])
            return
        parts = dict.fromkeys(self.labels[i] for i, _ in coordinates)
        along = (
            f"along a random direction of {n} entries" if n > 1 else self._place(*coordinates[0])
        )
        where = f"{' and '.join(parts)}, {along}"
        self._record(verdict, a, max(scale, abs(verdict.slope.value)), where, coordinates)

    def _record(
        self,
        verdict: Verdict,
        analytic: float,
        scale: float,
        where: str,
        coordinates: list[tuple[int, int]],
    ) -> None:
        scale = max(scale, abs(analytic), EPS * EPS)
        relative = verdict.difference / scale
        if not verdict.passed:
            raise GradientError(self._message(verdict, analytic, relative, where))
        self.report.comparisons += 1
        if verdict.outcome == "equal":
            self.report.worst = max(self.report.worst, relative)
        if verdict.outcome == "kink":
            self.report.kinks.append(
                f"order {self.order}, {where}: slopes {verdict.left:.6g} and {verdict.right:.6g}, "
                f"gradient {analytic:.6g}"
            )
            for i, j in coordinates:
                self.kinked.setdefault(i, set()).add(j)

    def _message(self, verdict: Verdict, analytic: float, relative: float, where: str) -> str:
        settings, name = self.settings, self.function.name
        again = self.evaluate(self.points)
        if not all(same(a, b) for a, b in zip(again, self.values, strict=True)):
            return self.function.not_deterministic()
        slope = verdict.slope
        what = {
            "wrong": "wrong gradient",
            "outside": "wrong gradient at a kink (not between the one-sided slopes)",
            "jump": "the function is not continuous here, or its gradient is not",
            "undecided": "undecided: rounding noise in the differences is too large",
        }[verdict.outcome]
        lines = [
            f"check_grads: `{name}`, order {self.order}: {what}",
            f"  at              {where}",
            f"  analytic        {analytic:.12g}",
            f"  numeric         {slope.value:.12g}  (uncertain by about {slope.error:.2g})",
            f"  relative error  {relative:.3g}  (allowed: {settings.rtol:.3g})",
            f"  step            {slope.step:.3g}",
        ]
        if verdict.outcome != "wrong":
            lines.append(f"  slopes          {verdict.left:.9g} left, {verdict.right:.9g} right")
        if verdict.outcome == "undecided":
            lines += [
                "  help            choose inputs for which the result is not much larger than its",
                "                  changes (subtract a constant, rescale); if the gradient is 0 up",
                "                  to rounding (a bias before a normalisation), pass",
                "                  allow_constant=True",
            ]
        options = f"order={self.order}, seed={settings.seed}, rtol={settings.rtol:g}"
        options += f", max_entries={settings.max_entries}, directions={settings.directions}"
        lines.append(f"  seed            {settings.seed}")
        lines.append(f"  again           check_grads({name}, inputs, {options})")
        return "\n".join(lines)
