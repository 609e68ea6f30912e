"""Adagrad: rates that fall with the sum of squared gradients; and Adadelta, which forgets."""

from __future__ import annotations

from typing import Any

from tinynet.optim.optimizer import Optimizer


class Adagrad(Optimizer):
    """Adaptive subgradients; theta are the parameters, g the gradient of the loss.

    With weight decay w and rate decay d, in step t = 1, 2, ... ::

        g_t   = g_t + w theta
        G_t   = G_(t-1) + g_t^2                          G_0 = initial_accumulator_value
        theta = theta - lr / (1 + (t - 1) d) g_t / (sqrt(G_t) + eps)

    G only grows, so the steps shrink; they shrink least for entries whose gradient is seldom or
    small, such as the embedding of a rare word.

    Args:
        params: tensors or groups of tensors; see `Optimizer`.
        lr: the learning rate, at least 0, in units of theta.
        lr_decay: d, at least 0.
        weight_decay: w, at least 0; adds w |theta|^2 / 2 to the loss.
        initial_accumulator_value: at least 0, in units of g^2.
        eps: at least 0, in units of g.
        flags: maximize and others; see `Optimizer`.

    State: "sum", G.

    Source: J. Duchi, E. Hazan and Y. Singer, Adaptive subgradient methods for online learning and
        stochastic optimization, JMLR 12 (2011), with diagonal matrices.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        **flags: Any,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
        }
        super().__init__(params, defaults, flags)

    def _check(self, options: dict[str, Any]) -> None:
        for name in ("lr", "lr_decay", "eps", "weight_decay", "initial_accumulator_value"):
            self._number(options, name)

    def _slots(self, options: dict[str, Any]) -> tuple[str, ...]:
        return ("sum",)

    def _filled(self, options: dict[str, Any]) -> dict[str, float]:
        return {"sum": options["initial_accumulator_value"]}

    def _scalars(self, options: dict[str, Any], t: int) -> tuple[float, ...]:
        return options["eps"], options["lr"] / (1.0 + (t - 1) * options["lr_decay"])

    def _update(self, xp: Any, scalars: Any, g: Any, out: Any, slots: dict[str, Any]) -> None:
        eps, rate = scalars
        total = slots["sum"]
        total += xp.multiply(g, g, out=out)
        xp.sqrt(total, out=out)
        out += eps
        xp.divide(g, out, out=out)
        out *= rate


class Adadelta(Optimizer):
    """Gradients divided by their root mean square and multiplied by that of the steps.

    With weight decay w, in step t = 1, 2, ... ::

        g_t   = g_t + w theta
        v_t   = rho v_(t-1) + (1 - rho) g_t^2            v_0 = 0
        d_t   = sqrt(u_(t-1) + eps) / sqrt(v_t + eps) g_t
        u_t   = rho u_(t-1) + (1 - rho) d_t^2            u_0 = 0
        theta = theta - lr d_t

    d has the unit of theta, as a step should have: the ratio estimates the inverse of a curvature.
    The first steps are about sqrt(eps).

    Args:
        params: tensors or groups of tensors; see `Optimizer`.
        lr: at least 0, without a unit; 1 in the paper.
        rho: from 0 to 1.
        eps: at least 0.
        weight_decay: w, at least 0; adds w |theta|^2 / 2 to the loss.
        flags: maximize and others; see `Optimizer`.

    State: "square_avg", v; "acc_delta", u.

    Source: M. Zeiler, ADADELTA: an adaptive learning rate method, arXiv:1212.5701, algorithm 1.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        **flags: Any,
    ) -> None:
        defaults = {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, defaults, flags)

    def _check(self, options: dict[str, Any]) -> None:
        for name in ("lr", "rho", "eps", "weight_decay"):
            self._number(options, name)
        if options["rho"] > 1.0:
            raise ValueError(f"{self._name}: rho is {options['rho']}; it must be from 0 to 1")

    def _slots(self, options: dict[str, Any]) -> tuple[str, ...]:
        return ("square_avg", "acc_delta")

    def _scalars(self, options: dict[str, Any], t: int) -> tuple[float, ...]:
        return options["rho"], 1.0 - options["rho"], options["eps"], options["lr"]

    def _update(self, xp: Any, scalars: Any, g: Any, out: Any, slots: dict[str, Any]) -> None:
        rho, rest, eps, lr = scalars
        v, u = slots["square_avg"], slots["acc_delta"]
        v *= rho
        xp.multiply(g, g, out=out)
        out *= rest
        v += out
        xp.add(v, eps, out=out)
        ratio = u + eps
        xp.divide(ratio, out, out=ratio)
        xp.sqrt(ratio, out=ratio)
        xp.multiply(ratio, g, out=out)
        u *= rho
        xp.multiply(out, out, out=ratio)
        ratio *= rest
        u += ratio
        out *= lr
