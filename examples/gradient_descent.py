"""Gradient descent on J(θ) = (θ - 1)², by hand and by autograd.

    python examples/gradient_descent.py --lr 0.1 --steps 10

The rule is θ_{t+1} = θ_t - α ∇J(θ_t) with ∇J(θ) = 2(θ - 1). From θ_0 = 0 with α = 0.1 the first
step gives 0 - 0.1 · 2(0 - 1) = 0.2 and the second 0.2 - 0.1 · 2(0.2 - 1) = 0.36. (One of the
documents prints 0.3 there, a slip according to its own formula.) Each step multiplies the distance
to the minimum by 1 - 2α, so |θ_t - 1| = |1 - 2α|^t: descent converges for 0 < α < 1, jumps
between two points for α = 1, and diverges for larger α.
"""

from __future__ import annotations

import argparse

import tinynet as tn


def by_hand(lr: float, steps: int, theta: float = 0.0) -> list[float]:
    """θ_0 ... θ_steps, with the gradient's formula."""
    path = [theta]
    for _ in range(steps):
        gradient = 2 * (theta - 1)
        theta = theta - lr * gradient
        path.append(theta)
    return path


def by_autograd(lr: float, steps: int, start: float = 0.0) -> list[float]:
    """The same from J alone; backward computes the gradient."""
    theta = tn.tensor(start, dtype="float64", requires_grad=True)
    path = [theta.item()]
    for _ in range(steps):
        loss = (theta - 1) ** 2
        loss.backward()
        with tn.no_grad():
            theta.sub_(theta.grad, alpha=lr)
        theta.grad = None
        path.append(theta.item())
    return path


def main() -> None:
    tn.console.spell_out()  # where the terminal lacks θ, ∂ or β
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lr", type=float, default=0.1, help="the rate α (default: 0.1)")
    parser.add_argument("--steps", type=int, default=10, help="number of steps (default: 10)")
    options = parser.parse_args()
    if options.steps < 0:
        parser.error(f"--steps is {options.steps}; it must be at least 0")

    rows = zip(
        by_hand(options.lr, options.steps), by_autograd(options.lr, options.steps), strict=True
    )
    print(f"J(θ) = (θ - 1)², α = {options.lr}\n")
    print(" t   θ by hand      θ by autograd  J(θ)")
    for t, (hand, auto) in enumerate(rows):
        print(f"{t:2d}   {hand:<13.10g}  {auto:<13.10g}  {(auto - 1) ** 2:.3e}")


if __name__ == "__main__":
    main()
