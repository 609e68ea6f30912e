"""Gradient descent, with momentum."""

from __future__ import annotations

from typing import Any

from tinynet.optim.optimizer import Optimizer


class SGD(Optimizer):
    """Stochastic gradient descent; theta are the parameters, g the gradient of the loss.

    With weight decay w, momentum m and dampening d, in step t = 1, 2, ... ::

        g_t     = g_t + w theta
        b_t     = m b_(t-1) + (1 - d) g_t        b_1 = g_1
        theta   = theta - lr b_t                 momentum
        theta   = theta - lr (g_t + m b_t)       Nesterov's
        theta   = theta - lr g_t                 m = 0

    b is the velocity of a ball that rolls down the loss. In directions where successive gradients
    agree it grows to at most 1 / (1 - m) times the gradient; where they alternate, they cancel.
    Nesterov's form approximates the gradient at the point to which the velocity leads.

    Args:
        params: tensors or groups of tensors; see `Optimizer`.
        lr: the learning rate, at least 0, in units of theta^2 / loss.
        momentum: m, at least 0.
        dampening: d, at least 0 and finite; must be 0 with `nesterov`.
        weight_decay: w, at least 0; adds w |theta|^2 / 2 to the loss.
        nesterov: whether to use Nesterov's form, which needs momentum > 0.
        flags: maximize and others; see `Optimizer`.

    State: "momentum_buffer", b.

    Source: B. Polyak, Some methods of speeding up the convergence of iteration methods, USSR
        Comput. Math. Math. Phys. 4 (1964); I. Sutskever et al., On the importance of
        initialization and momentum in deep learning, ICML 2013, for Nesterov's.
    """

    steps_unsaved = True

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        **flags: Any,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
        }
        super().__init__(params, defaults, flags)

    def _check(self, options: dict[str, Any]) -> None:
        for name in ("lr", "momentum", "dampening", "weight_decay"):
            self._number(options, name)
        options["nesterov"] = bool(options["nesterov"])
        if options["nesterov"] and (options["momentum"] == 0.0 or options["dampening"] != 0.0):
            raise ValueError(
                "SGD: nesterov=True needs momentum > 0 and dampening 0, not momentum "
                f"{options['momentum']} and dampening {options['dampening']}"
            )

    def _slots(self, options: dict[str, Any]) -> tuple[str, ...]:
        return ("momentum_buffer",) if options["momentum"] else ()

    def _scalars(self, options: dict[str, Any], t: int) -> tuple[float, ...]:
        m, lr = options["momentum"], options["lr"]
        if not m:
            return (lr,)
        # b_1 = g_1, as -0.0 b + 1.0 g: with +0.0 an entry of -0.0 would become 0.0
        keep, take = (-0.0, 1.0) if t == 1 else (m, 1.0 - options["dampening"])
        return (lr, keep, take, m) if options["nesterov"] else (lr, keep, take)

    def _update(self, xp: Any, scalars: Any, g: Any, out: Any, slots: dict[str, Any]) -> None:
        if not slots:
            xp.multiply(g, scalars[0], out=out)
            return
        lr, keep, take, *nesterov = scalars
        b = slots["momentum_buffer"]
        b *= keep
        b += xp.multiply(g, take, out=out)
        if nesterov:
            xp.multiply(b, nesterov[0], out=out)
            out += g
            out *= lr
        else:
            xp.multiply(b, lr, out=out)
