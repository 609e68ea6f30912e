"""Find a mistake in your own gradient with tinynet's checker.

    python examples/check_your_gradients.py
    python examples/check_your_gradients.py --mistake second-order

A new operation, swish(x) = x σ(βx), is a function of arrays and a rule, which computes the gradient
by x from the gradient by y. By the product rule dy = (s + βx s (1 - s)) dx with s = σ(βx). Every
rule below except the last has a mistake; the checker finds it, and its message says where to look.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

import tinynet as tn
from tinynet.autograd import Op, raw
from tinynet.ops.elementary import sigmoid
from tinynet.testing import GradientError, check_grads


def swish(x: Any, *, beta: float = 1.0) -> Any:
    """The forward, on plain arrays."""
    return x * sigmoid(x * beta)


# The rules: gy is the gradient by y. A rule also gets whatever else it names (x, y, an option).


def dropped_term(gy: Any, x: Any, beta: float) -> Any:
    """The second term of the product rule is missing."""
    return gy * sigmoid(x * beta)


def forgotten_beta(gy: Any, x: Any, beta: float) -> Any:
    """The inner derivative β is missing: right for β = 1, and almost right near it."""
    s = sigmoid(x * beta)
    return gy * (s + x * s * (1.0 - s))


def second_order(gy: Any, x: Any, beta: float) -> Any:
    """Right, but `raw` takes x out of the graph: gradients of gradients miss it."""
    s = sigmoid(raw(x) * beta)
    return gy * (s + raw(x) * beta * s * (1.0 - s))


def right(gy: Any, x: Any, beta: float) -> Any:
    s = sigmoid(x * beta)
    return gy * (s + x * beta * s * (1.0 - s))


MISTAKES = {
    "dropped-term": dropped_term,
    "forgotten-beta": forgotten_beta,
    "second-order": second_order,
}


def operation(rule: Callable[..., Any]) -> Op:
    """swish as an operation on Tensors, with the given rule."""
    op = Op(swish)
    op.rule("x")(rule)
    return op


def main() -> None:
    tn.console.spell_out()  # where the terminal lacks θ, ∂ or β
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mistake", choices=list(MISTAKES), default="forgotten-beta")
    parser.add_argument("--beta", type=float, default=1.01, help="the β of swish (default: 1.01)")
    options = parser.parse_args()

    x = tn.tensor(np.array([0.9, -1.3, 0.4]), requires_grad=True)  # float64, for differences
    wrong, correct = operation(MISTAKES[options.mistake]), operation(right)
    print(f"swish with the mistake {options.mistake}: {MISTAKES[options.mistake].__doc__}\n")
    try:
        check_grads(lambda x: wrong(x, beta=options.beta), x, name="swish")
        print("nothing found: this mistake does not show at this β")
    except GradientError as error:
        print(f"the checker says\n\n{error}\n")

    report = check_grads(lambda x: correct(x, beta=options.beta), x, name="swish")
    print(
        f"swish with the right rule: {report.comparisons} derivatives of first and second order "
        f"compared with differences, relative error at most {report.worst:.1e}"
    )


if __name__ == "__main__":
    main()
