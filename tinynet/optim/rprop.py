"""Rprop: steps whose length depends on the signs of gradients alone."""

from __future__ import annotations

from typing import Any

from tinynet.optim.optimizer import Optimizer
from tinynet.optim.options import in_range, pair


class Rprop(Optimizer):
    """Resilient backpropagation, for gradients of the whole data set; theta are the parameters.

    In step t = 1, 2, ..., for each entry ::

        s_t   = clip(f s_(t-1), least, most)             s_0 = lr
        f     = eta+ where g_t g_(t-1) > 0, eta- where it is < 0, else 1        g_0 = 0
        g_t   = 0 where g_t g_(t-1) < 0
        theta = theta - sign(g_t) s_t

    As long as an entry's gradient keeps its sign, its steps grow; when it changes, the step led
    past a minimum: the next one is not taken, and later ones are shorter. The size of a gradient
    has no effect, so gradients of batches, whose signs are noise, make it wander.

    Args:
        params: tensors or groups of tensors; see `Optimizer`.
        lr: the length of the first step, at least 0, in units of theta.
        etas: eta- and eta+, 0 < eta- < 1 < eta+.
        step_sizes: the least and the most length of a step.
        flags: maximize and others; see `Optimizer`.

    State: "prev", g; "step_size", s.

    Source: M. Riedmiller and H. Braun, A direct adaptive method for faster backpropagation
        learning: the RPROP algorithm, ICNN 1993; without going back: C. Igel and M. Huesken,
        Improving the Rprop learning algorithm (2000), iRprop-.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        **flags: Any,
    ) -> None:
        super().__init__(params, {"lr": lr, "etas": etas, "step_sizes": step_sizes}, flags)

    def _check(self, options: dict[str, Any]) -> None:
        self._number(options, "lr")
        for name in ("etas", "step_sizes"):
            given = pair(self._name, name, options[name])
            options[name] = tuple(in_range(self._name, name, value) for value in given)
        if not 0.0 < options["etas"][0] < 1.0 < options["etas"][1]:
            raise ValueError(f"Rprop: etas are {options['etas']}; they must be 0 < a < 1 < b")
        if options["step_sizes"][0] > options["step_sizes"][1]:
            raise ValueError(f"Rprop: step_sizes are {options['step_sizes']}; the first is larger")

    def _slots(self, options: dict[str, Any]) -> tuple[str, ...]:
        return ("prev", "step_size")

    def _filled(self, options: dict[str, Any]) -> dict[str, float]:
        return {"step_size": options["lr"]}

    def _scalars(self, options: dict[str, Any], t: int) -> tuple[float, ...]:
        return (*options["etas"], *options["step_sizes"])

    def _update(self, xp: Any, scalars: Any, g: Any, out: Any, slots: dict[str, Any]) -> None:
        shorter, longer, least, most = scalars
        previous, s = slots["prev"], slots["step_size"]
        xp.multiply(g, previous, out=out)
        turned = out < 0
        s *= xp.where(out > 0, longer, xp.where(turned, shorter, 1.0)).astype(s.dtype, copy=False)
        xp.clip(s, least, most, out=s)
        previous[...] = g
        previous *= ~turned
        xp.sign(previous, out=out)
        out *= s
