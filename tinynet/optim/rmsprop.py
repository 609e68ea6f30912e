"""RMSprop: gradients divided by their root mean square."""

from __future__ import annotations

from typing import Any

from tinynet.optim.optimizer import Optimizer


class RMSprop(Optimizer):
    """Root-mean-square propagation; theta are the parameters, g the gradient of the loss.

    With weight decay w and momentum m, in step t = 1, 2, ... ::

        g_t   = g_t + w theta
        v_t   = alpha v_(t-1) + (1 - alpha) g_t^2        v_0 = 0
        a_t   = alpha a_(t-1) + (1 - alpha) g_t          a_0 = 0; centered only, else a_t = 0
        d_t   = g_t / (sqrt(v_t - a_t^2) + eps)
        b_t   = m b_(t-1) + d_t                          b_0 = 0
        theta = theta - lr b_t

    v is an elementwise running mean of g^2, so all entries move about equally far, whatever the
    scale of their gradients. With `centered` the divisor is a standard deviation.

    v_t - a_t^2 is a variance, hence not negative, but its rounded value can be. 0 is used then;
    PyTorch returns NaN.

    Args:
        params: tensors or groups of tensors; see `Optimizer`.
        lr: the learning rate, at least 0, in units of theta.
        alpha: in [0, 1).
        eps: at least 0, in units of g.
        weight_decay: w, at least 0; adds w |theta|^2 / 2 to the loss.
        momentum: m, at least 0.
        centered: whether to subtract a^2.
        flags: maximize and others; see `Optimizer`.

    State: "square_avg", v; "momentum_buffer", b; "grad_avg", a.

    Source: T. Tieleman and G. Hinton, Neural Networks for Machine Learning (2012), lecture 6.5;
        centered: A. Graves, arXiv:1308.0850, eqs. 38 to 45.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        **flags: Any,
    ) -> None:
        defaults = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
        }
        super().__init__(params, defaults, flags)

    def _check(self, options: dict[str, Any]) -> None:
        for name in ("lr", "eps", "weight_decay", "momentum"):
            self._number(options, name)
        self._number(options, "alpha", below=1.0)
        options["centered"] = bool(options["centered"])

    def _slots(self, options: dict[str, Any]) -> tuple[str, ...]:
        names = ["square_avg"]
        if options["momentum"]:
            names.append("momentum_buffer")
        if options["centered"]:
            names.append("grad_avg")
        return tuple(names)

    def _scalars(self, options: dict[str, Any], t: int) -> tuple[float, ...]:
        alpha = options["alpha"]
        return options["lr"], alpha, 1.0 - alpha, options["eps"], options["momentum"]

    def _update(self, xp: Any, scalars: Any, g: Any, out: Any, slots: dict[str, Any]) -> None:
        lr, alpha, rest, eps, momentum = scalars
        v = slots["square_avg"]
        v *= alpha
        xp.multiply(g, g, out=out)
        out *= rest
        v += out
        if "grad_avg" in slots:
            a = slots["grad_avg"]
            a *= alpha
            a += xp.multiply(g, rest, out=out)
            xp.multiply(a, a, out=out)
            xp.subtract(v, out, out=out)
            xp.maximum(out, 0.0, out=out)
            xp.sqrt(out, out=out)
        else:
            xp.sqrt(v, out=out)
        out += eps
        xp.divide(g, out, out=out)
        if "momentum_buffer" in slots:
            b = slots["momentum_buffer"]
            b *= momentum
            b += out
            xp.multiply(b, lr, out=out)
        else:
            out *= lr
