"""ASGD: gradient descent that averages the parameters on its way."""

from __future__ import annotations

from typing import Any

from tinynet.optim.optimizer import Optimizer
from tinynet.optim.options import single


class ASGD(Optimizer):
    """Averaged stochastic gradient descent; theta are the parameters, g the gradient of the loss.

    With weight decay w, in step t = 1, 2, ... ::

        g_t    = g_t + w theta
        theta  = theta - eta_t (lambda theta + g_t)
        a_t    = a_(t-1) + mu_t (theta - a_(t-1))        a_0 = 0
        eta_(t+1) = lr / (1 + lambda lr t)^alpha         eta_1 = lr
        mu_(t+1) = 1 / max(1, t - t0)                    mu_1 = 1

    theta bounces around the minimum with the noise of its gradients. a, its mean from step t0 on,
    does not; up to t0 it is theta itself. Training continues from theta: take a from the state
    ("ax") when it is over.

    Args:
        params: tensors or groups of tensors; see `Optimizer`.
        lr: the learning rate, at least 0, in units of theta^2 / loss.
        lambd: lambda, at least 0; decays the parameters and the rate.
        alpha: at least 0, the power of the decay of the rate.
        t0: the step from which a is a mean.
        weight_decay: w, at least 0; adds w |theta|^2 / 2 to the loss.
        flags: maximize and others; see `Optimizer`.

    State: "ax", a; "eta" and "mu", those of the next step.

    Source: B. Polyak and A. Juditsky, Acceleration of stochastic approximation by averaging, SIAM
        J. Control Optim. 30 (1992); the rates: L. Bottou, Stochastic gradient descent tricks
        (2012), section 5.
    """

    averages = True

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        **flags: Any,
    ) -> None:
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
        }
        super().__init__(params, defaults, flags)

    def _check(self, options: dict[str, Any]) -> None:
        for name in ("lr", "lambd", "alpha", "t0", "weight_decay"):
            self._number(options, name)

    def _slots(self, options: dict[str, Any]) -> tuple[str, ...]:
        return ("ax",)

    def _carried(self, options: dict[str, Any], t: int) -> dict[str, float]:
        lr = options["lr"]
        eta = lr / (1.0 + options["lambd"] * lr * t) ** options["alpha"]
        return {"eta": single(eta), "mu": single(1.0 / max(1.0, t - options["t0"]))}

    def _decay(self, options: dict[str, Any]) -> tuple[float | None, float | None]:
        return options["weight_decay"] or None, 1.0 - options["lambd"] * options["eta"]

    def _scalars(self, options: dict[str, Any], t: int) -> tuple[float, ...]:
        return options["eta"], 1.0 - options["mu"], options["mu"]

    def _update(self, xp: Any, scalars: Any, g: Any, out: Any, slots: dict[str, Any]) -> None:
        xp.multiply(g, scalars[0], out=out)

    def _average(self, xp: Any, scalars: Any, theta: Any, out: Any, slots: dict[str, Any]) -> None:
        _, rest, mu = scalars
        a = slots["ax"]
        a *= rest
        a += xp.multiply(theta, mu, out=out)
