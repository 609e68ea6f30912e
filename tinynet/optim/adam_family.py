"""Adamax, NAdam and RAdam: Adam with another norm, another momentum, another first few steps."""

from __future__ import annotations

import math
from typing import Any

from tinynet.optim.adam import moments
from tinynet.optim.optimizer import Optimizer
from tinynet.optim.options import single


class _Variant(Optimizer):
    """Options and state as `Adam` has them."""

    def _check(self, options: dict[str, Any]) -> None:
        self._betas(options)
        for name in ("lr", "eps", "weight_decay", "momentum_decay"):
            if name in options:
                self._number(options, name)
        if "decoupled_weight_decay" in options:
            options["decoupled_weight_decay"] = bool(options["decoupled_weight_decay"])

    def _slots(self, options: dict[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq")


class Adamax(_Variant):
    """Adam with the largest gradient, which fades, in place of the root mean square.

    With weight decay w, in step t = 1, 2, ... ::

        g_t   = g_t + w theta
        m_t   = beta1 m_(t-1) + (1 - beta1) g_t          m_0 = 0
        u_t   = max(beta2 u_(t-1), |g_t| + eps)          u_0 = 0
        theta = theta - lr / (1 - beta1^t) m_t / u_t

    u is the limit p -> infinity of the p-th root of a running mean of |g|^p; it needs no bias
    correction, and no step is longer than about lr.

    Args:
        params: tensors or groups of tensors; see `Optimizer`.
        lr: the learning rate, at least 0, in units of theta.
        betas: beta1 and beta2, each in [0, 1).
        eps: at least 0, in units of g.
        weight_decay: w, at least 0; adds w |theta|^2 / 2 to the loss.
        flags: maximize and others; see `Optimizer`.

    State: "exp_avg", m; "exp_inf", u.

    Source: D. Kingma and J. Ba, arXiv:1412.6980, algorithm 2, which has no eps.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        **flags: Any,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, defaults, flags)

    def _slots(self, options: dict[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_inf")

    def _scalars(self, options: dict[str, Any], t: int) -> tuple[float, ...]:
        beta1, beta2 = options["betas"]
        return beta1, 1.0 - beta1, beta2, options["eps"], options["lr"] / (1.0 - beta1**t)

    def _update(self, xp: Any, scalars: Any, g: Any, out: Any, slots: dict[str, Any]) -> None:
        beta1, rest1, beta2, eps, rate = scalars
        m, u = slots["exp_avg"], slots["exp_inf"]
        m *= beta1
        m += xp.multiply(g, rest1, out=out)
        u *= beta2
        xp.abs(g, out=out)
        out += eps
        xp.maximum(u, out, out=u)
        xp.divide(m, u, out=out)
        out *= rate


class NAdam(_Variant):
    """Adam with Nesterov's momentum.

    With weight decay w and momentum decay psi, in step t = 1, 2, ... ::

        g_t   = g_t + w theta                            theta = theta - lr w theta if decoupled
        mu_t  = beta1 (1 - 0.96^(t psi) / 2)
        P_t   = mu_1 mu_2 ... mu_t
        m_t   = beta1 m_(t-1) + (1 - beta1) g_t          m_0 = 0
        v_t   = beta2 v_(t-1) + (1 - beta2) g_t^2        v_0 = 0
        vhat  = v_t / (1 - beta2^t)
        mhat  = mu_(t+1) m_t / (1 - P_(t+1)) + (1 - mu_t) g_t / (1 - P_t)
        theta = theta - lr mhat / (sqrt(vhat) + eps)

    Where Adam steps along m_t, this steps along what m_(t+1) would be if the next gradient were g_t
    again. mu warms the momentum up from beta1 / 2 to beta1.

    Args:
        params: tensors or groups of tensors; see `Optimizer`.
        lr: the learning rate, at least 0, in units of theta.
        betas: beta1 and beta2, each in [0, 1).
        eps: at least 0, in units of g.
        weight_decay: w, at least 0; adds w |theta|^2 / 2 to the loss.
        momentum_decay: psi, at least 0.
        decoupled_weight_decay: whether w multiplies theta instead, as in `AdamW`.
        flags: maximize and others; see `Optimizer`.

    State: "exp_avg", m; "exp_avg_sq", v; "mu_product", P.

    Source: T. Dozat, Incorporating Nesterov momentum into Adam, ICLR 2016 workshop, algorithm 2.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        **flags: Any,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults, flags)

    @staticmethod
    def _momentum(options: dict[str, Any], t: int) -> float:
        return float(options["betas"][0] * (1.0 - 0.5 * 0.96 ** (t * options["momentum_decay"])))

    def _carried(self, options: dict[str, Any], t: int) -> dict[str, float]:
        return {"mu_product": self._product(options, t) if t else 1.0}

    def _product(self, options: dict[str, Any], t: int) -> float:
        return single(options["mu_product"] * single(self._momentum(options, t)))

    def _scalars(self, options: dict[str, Any], t: int) -> tuple[float, ...]:
        beta1, beta2 = options["betas"]
        now, after = self._momentum(options, t), self._momentum(options, t + 1)
        product = self._product(options, t)
        # sqrt(vhat) + eps = (sqrt(v) + eps s) / s
        s = math.sqrt(1.0 - beta2**t)
        of_m = options["lr"] * s * after / (1.0 - product * after)
        of_g = options["lr"] * s * (1.0 - now) / (1.0 - product)
        return beta1, 1.0 - beta1, beta2, 1.0 - beta2, options["eps"] * s, of_m, of_g

    def _update(self, xp: Any, scalars: Any, g: Any, out: Any, slots: dict[str, Any]) -> None:
        *decays, eps, of_m, of_g = scalars
        m, v = moments(xp, decays, g, out, slots)
        root = xp.sqrt(v)
        root += eps
        xp.multiply(g, of_g, out=out)
        out += m * of_m
        out /= root


class RAdam(_Variant):
    """Adam whose second moment is used only once it is known well enough.

    With weight decay w, in step t = 1, 2, ... ::

        g_t   = g_t + w theta                            theta = theta - lr w theta if decoupled
        m_t   = beta1 m_(t-1) + (1 - beta1) g_t          m_0 = 0
        v_t   = beta2 v_(t-1) + (1 - beta2) g_t^2        v_0 = 0
        mhat  = m_t / (1 - beta1^t)
        rho   = 2 / (1 - beta2) - 1
        rho_t = rho - 2 t beta2^t / (1 - beta2^t)
        r_t   = sqrt((rho_t - 4) (rho_t - 2) rho / ((rho - 4) (rho - 2) rho_t))
        theta = theta - lr r_t mhat sqrt(1 - beta2^t) / (sqrt(v_t) + eps)    if rho_t > 5
        theta = theta - lr mhat                                              else

    rho_t is about the number of gradients that v_t averages. 1 / sqrt(v_t) of a few varies widely;
    r_t makes its variance that of the limit, which takes the place of a warm-up of the rate.

    Args:
        params: tensors or groups of tensors; see `Optimizer`.
        lr: the learning rate, at least 0.
        betas: beta1 and beta2, each in [0, 1).
        eps: at least 0, in units of g.
        weight_decay: w, at least 0; adds w |theta|^2 / 2 to the loss.
        decoupled_weight_decay: whether w multiplies theta instead, as in `AdamW`.
        flags: maximize and others; see `Optimizer`.

    State: "exp_avg", m; "exp_avg_sq", v.

    Source: L. Liu et al., On the variance of the adaptive learning rate and beyond,
        arXiv:1908.03265, algorithm 2, which rectifies above 4.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        **flags: Any,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults, flags)

    def _scalars(self, options: dict[str, Any], t: int) -> tuple[float, ...]:
        beta1, beta2 = options["betas"]
        rate = options["lr"] / (1.0 - beta1**t)
        limit, seen = 2.0 / (1.0 - beta2) - 1.0, 1.0 - beta2**t
        rho = limit - 2.0 * t * beta2**t / seen
        # the divisor is of_v sqrt(v) + rest: both cases are the same calls
        of_v, rest = 0.0, 1.0
        if rho > 5.0:
            of_v, rest = 1.0, options["eps"]
            part = (rho - 4.0) * (rho - 2.0) * limit / ((limit - 4.0) * (limit - 2.0) * rho)
            rate *= math.sqrt(part * seen)
        return beta1, 1.0 - beta1, beta2, 1.0 - beta2, of_v, rest, rate

    def _update(self, xp: Any, scalars: Any, g: Any, out: Any, slots: dict[str, Any]) -> None:
        *decays, of_v, rest, rate = scalars
        m, v = moments(xp, decays, g, out, slots)
        xp.sqrt(v, out=out)
        out *= of_v
        out += rest
        xp.divide(m, out, out=out)
        out *= rate
