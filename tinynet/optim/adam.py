"""Adam, and AdamW with decoupled weight decay."""

from __future__ import annotations

import math
from typing import Any

from tinynet.optim.optimizer import Optimizer
from tinynet.tensor import Tensor


class Adam(Optimizer):
    """Adaptive moments; theta are the parameters, g the gradient of the loss.

    With weight decay w, in step t = 1, 2, ... ::

        g_t   = g_t + w theta                            theta = theta - lr w theta if decoupled
        m_t   = beta1 m_(t-1) + (1 - beta1) g_t          m_0 = 0
        v_t   = beta2 v_(t-1) + (1 - beta2) g_t^2        v_0 = 0
        mhat  = m_t / (1 - beta1^t)
        vhat  = v_t / (1 - beta2^t)
        theta = theta - lr mhat / (sqrt(vhat) + eps)

    m and v are elementwise running means of g and g^2. They start at 0, so for constant g they
    reach only the fraction 1 - beta^t of it after t steps; mhat and vhat correct for that. For a
    steady gradient of any scale the step is about lr times its sign; for a noisy one it is smaller.

    With amsgrad, the largest v_1, ..., v_t takes the place of v_t, so that steps for a steady
    gradient cannot grow again.

    The code folds both corrections into two scalars per step: with s = sqrt(1 - beta2^t), the last
    line equals theta - lr s / (1 - beta1^t) m_t / (sqrt(v_t) + eps s).

    Args:
        params: tensors or groups of tensors; see `Optimizer`.
        lr: the learning rate, at least 0, in units of theta.
        betas: beta1 and beta2, each in [0, 1).
        eps: at least 0, in units of g.
        weight_decay: w, at least 0; adds w |theta|^2 / 2 to the loss.
        amsgrad: whether to use the largest v.
        decoupled_weight_decay: whether w multiplies theta instead, as in `AdamW`.
        flags: maximize and others; see `Optimizer`.

    State: "exp_avg", m; "exp_avg_sq", v; "max_exp_avg_sq", the largest v.

    Source: D. Kingma and J. Ba, Adam: a method for stochastic optimization, arXiv:1412.6980,
        algorithm 1; amsgrad: S. Reddi, S. Kale and S. Kumar, On the convergence of Adam and beyond,
        arXiv:1904.09237, algorithm 2.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        decoupled_weight_decay: bool = False,
        **flags: Any,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults, flags)

    def _check(self, options: dict[str, Any]) -> None:
        of_tensors = [isinstance(beta, Tensor) for beta in self._betas(options)]
        if any(of_tensors) and not all(of_tensors):
            raise ValueError(f"{self._name}: betas is a Tensor and a number; give two of a kind")
        if options["foreach"] and (isinstance(options["lr"], Tensor) or any(of_tensors)):
            raise ValueError(
                f"{self._name}: foreach=True needs numbers for lr and betas, no Tensor"
            )
        for name in ("lr", "eps", "weight_decay"):
            self._number(options, name)
        for name in ("amsgrad", "decoupled_weight_decay"):
            options[name] = bool(options[name])

    def _slots(self, options: dict[str, Any]) -> tuple[str, ...]:
        largest = ("max_exp_avg_sq",) if options["amsgrad"] else ()
        return ("exp_avg", "exp_avg_sq", *largest)

    def _scalars(self, options: dict[str, Any], t: int) -> tuple[float, ...]:
        beta1, beta2 = options["betas"]
        s = math.sqrt(1.0 - beta2**t)
        rate = options["lr"] * s / (1.0 - beta1**t)
        return beta1, 1.0 - beta1, beta2, 1.0 - beta2, options["eps"] * s, rate

    def _update(self, xp: Any, scalars: Any, g: Any, out: Any, slots: dict[str, Any]) -> None:
        *decays, eps, rate = scalars
        m, v = moments(xp, decays, g, out, slots)
        if "max_exp_avg_sq" in slots:
            largest = slots["max_exp_avg_sq"]
            v = xp.maximum(largest, v, out=largest)
        xp.sqrt(v, out=out)
        out += eps
        xp.divide(m, out, out=out)
        out *= rate


def moments(xp: Any, decays: Any, g: Any, out: Any, slots: dict[str, Any]) -> tuple[Any, Any]:
    """m = beta1 m + (1 - beta1) g and v = beta2 v + (1 - beta2) g^2, in place; `out` is scratch."""
    m, v = slots["exp_avg"], slots["exp_avg_sq"]
    beta1, rest1, beta2, rest2 = decays
    m *= beta1
    m += xp.multiply(g, rest1, out=out)
    xp.multiply(g, g, out=out)
    out *= rest2
    v *= beta2
    v += out
    return m, v


class AdamW(Adam):
    """Adam with decoupled weight decay: it multiplies the parameters and is not in the gradient.

    ::

        theta = theta - lr w theta - lr mhat / (sqrt(vhat) + eps)

    In `Adam` the decay w theta is divided by sqrt(vhat) with the gradient, so parameters with large
    gradients decay less. Here all parameters decay by the same factor, 1 - lr w per step.

    Args:
        params: tensors or groups of tensors; see `Optimizer`.
        lr, betas, eps, amsgrad, flags: as for `Adam`.
        weight_decay: w, at least 0, in units of 1 / lr.

    State: as for `Adam`.

    Source: I. Loshchilov and F. Hutter, Decoupled weight decay regularization, arXiv:1711.05101,
        algorithm 2.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        **flags: Any,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, decoupled_weight_decay=True, **flags
        )
