"""Finite differences for any tensor of a step: replays the operations with one number changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinynet.graph.steps import Graph
from tinynet.testing.differences import EPS, Line, Verdict, judge

RTOL = 1e-6  # tolerance of the differences, relative to a tensor's largest gradient
_TRIES = 12  # entries to try in search of one that is not at a kink


def host(array: Any) -> np.ndarray:
    """A C-ordered copy of an array."""
    return np.array(array, order="C")


@dataclass(frozen=True)
class Check:
    """One derivative, by the engine and by finite differences."""

    index: tuple[int, ...]  # of the entry
    engine32: float  # the engine's derivative of the loss in float32
    engine64: float
    verdict: Verdict  # the result of comparing `engine64` with central differences

    @property
    def difference(self) -> float:
        """|rule - difference quotient| in float64."""
        return abs(self.engine64 - self.verdict.slope.value)


class Replay:
    """Recomputes a graph's loss with one value changed.

    >>> import tinynet as tn
    >>> from tinynet.study import trace
    >>> x = tn.tensor([3.0, 4.0], dtype="float64", requires_grad=True)
    >>> graph = trace(lambda: (x * x).sum())
    >>> Replay(graph).loss_with(0, 1, 0.5)  # 3² + 4.5²
    29.25
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.values = [np.asarray(step.value) for step in graph.steps]
        self.loss = float(self.values[graph.output])

    def loss_with(self, place: int, entry: int, change: float) -> float:
        """The loss after adding `change` to entry `entry` (in C order) of step `place`."""
        values = dict(enumerate(self.values))
        changed = host(values[place])
        changed.reshape(-1)[entry] += change
        values[place] = changed
        new = {place}
        for step in self.graph.steps[place + 1 :]:
            if step.op is not None and new & {i.id for i in step.inputs}:
                args = [values[i.id] for i in step.inputs if i.id is not None]
                values[step.id] = step.op.forward(*args, **step.options)
                new.add(step.id)
        return float(values[self.graph.output])

    def line(self, place: int, entry: int) -> Line:
        """The loss as a function of one entry, with the noise of a few rounding errors."""
        at = self.values[place].reshape(-1)[entry]

        def phi(t: float) -> float:
            return self.loss_with(place, entry, t) - self.loss if t else 0.0

        return Line(phi, 8 * EPS * max(1.0, abs(self.loss)), max(1.0, abs(float(at))))


def checks(
    replay: Replay, place: int, gradient: np.ndarray, rng: np.random.Generator
) -> list[Check]:
    """Check the largest gradient, two random entries, a 0 if there is one, and one kink if found.

    A pixel has no derivative where windows of a pooling tie, as in the background of a digit. Such
    entries are skipped, and one of them is shown.

    The replay is in float64; `place` is the tensor's step in it, and `gradient` in float32.
    """
    g32 = gradient.reshape(-1)
    g64 = host(replay.graph.steps[place].gradient).reshape(-1)
    scale = float(abs(g64).max())
    largest = np.argsort(-abs(g64), kind="stable")[:_TRIES]
    others = rng.permutation(np.flatnonzero(g64))[:_TRIES]
    zeros = rng.permutation(np.flatnonzero(g64 == 0))[:_TRIES]
    chosen: dict[int, Verdict] = {}
    kinks: dict[int, Verdict] = {}
    for candidates, count in ((largest, 1), (others, 2), (zeros, 1)):
        enough = len(chosen) + count
        for entry in map(int, candidates):
            if len(chosen) == enough:
                break
            if entry in chosen or entry in kinks:
                continue
            verdict = judge(replay.line(place, entry), float(g64[entry]), scale, RTOL)
            smooth = verdict.outcome in ("equal", "constant")
            (chosen if smooth else kinks)[entry] = verdict
    between = [entry for entry, verdict in kinks.items() if verdict.outcome == "kink"]
    chosen |= {entry: kinks[entry] for entry in between[:1]}
    made = []
    for entry, verdict in chosen.items():
        index = tuple(map(int, np.unravel_index(entry, gradient.shape)))
        made.append(Check(index, float(g32[entry]), float(g64[entry]), verdict))
    return made
