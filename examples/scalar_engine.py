"""An autograd engine for single numbers, compared with tinynet on the same network.

    python examples/scalar_engine.py --hidden 4

A Value stores the Values that it was computed from, each with a slope: the derivative of its number
by theirs. `backward` applies the chain rule: for each Value it sums slope times gradient over all
its uses. tinynet does the same with arrays, and with rules instead of slopes.
"""

from __future__ import annotations

import argparse
import math
import random

import tinynet as tn


class Value:
    """A number, its gradient, and its origin: pairs of an input and the slope by it."""

    def __init__(self, data: float, came_from: tuple = ()) -> None:
        self.data, self.grad, self.came_from = data, 0.0, came_from

    def __add__(self, other: Value) -> Value:
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other: Value) -> Value:
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))

    def relu(self) -> Value:
        return Value(max(self.data, 0.0), ((self, float(self.data > 0)),))

    def tanh(self) -> Value:
        out = math.tanh(self.data)
        return Value(out, ((self, 1.0 - out * out),))

    def exp(self) -> Value:
        # The derivative of e^x is e^x, the output.
        out = math.exp(self.data)
        return Value(out, ((self, out),))

    def backward(self) -> None:
        """Add this Value's derivative by every Value that it was computed from to their `grad`."""
        # The order: a gradient is passed on once, after all of it has arrived. A stack instead of
        # recursion: Python allows 1,000 nested calls.
        order, done, stack = [], set(), [(self, False)]
        while stack:
            value, inputs_done = stack.pop()
            if inputs_done:
                order.append(value)
            elif value not in done:
                done.add(value)
                stack += [(value, True), *((parent, False) for parent, _ in value.came_from)]
        self.grad = 1.0
        for value in reversed(order):
            for parent, slope in value.came_from:
                # += because x may have several uses: in x * x both count.
                parent.grad += slope * value.grad


def loss_by_scalars(rows: list, x: list, target: float) -> Value:
    """(e^o - target)², where o is the sum of v h over units, and h alternates tanh and relu."""
    o = Value(0.0)
    for k, (w1, w2, b, v) in enumerate(rows):
        z = w1 * Value(x[0]) + w2 * Value(x[1]) + b
        o = o + v * (z.relu() if k % 2 else z.tanh())
    error = o.exp() + Value(-target)
    return error * error


def loss_by_tinynet(W: tn.Tensor, x: list, target: float) -> tn.Tensor:
    """The same, with one row (w1, w2, b, v) per unit."""
    z = W[:, 0] * x[0] + W[:, 1] * x[1] + W[:, 2]
    o = (W[0::2, 3] * z[0::2].tanh()).sum() + (W[1::2, 3] * z[1::2].relu()).sum()
    return (o.exp() - target) ** 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hidden", type=int, default=4, choices=range(1, 65), metavar="N",
                        help="hidden units, at most 64 (default: 4)")  # fmt: skip
    hidden, generator = parser.parse_args().hidden, random.Random(1)
    x, target = [0.5, -1.2], 0.7
    W = tn.tensor([[generator.uniform(-1, 1) for _ in range(4)] for _ in range(hidden)], "float64")
    rows = [[Value(number) for number in row] for row in W.tolist()]
    by_scalars = loss_by_scalars(rows, x, target)
    by_scalars.backward()
    (by_tinynet := loss_by_tinynet(W.requires_grad_(), x, target)).backward()
    print(f"loss {by_scalars.data:.15f}, by tinynet {by_tinynet.item():.15f}\n")
    print("unit      by the scalar engine           by tinynet")
    for k, (row, gradients) in enumerate(zip(rows, W.grad.tolist(), strict=True)):
        for name, value, gradient in zip(("w1", "w2", "b", "v"), row, gradients, strict=True):
            assert math.isclose(value.grad, gradient, rel_tol=1e-12, abs_tol=1e-15)
            print(f"{k:4d}  {name:2s} {value.grad:21.15f} {gradient:21.15f}")


if __name__ == "__main__":
    main()
