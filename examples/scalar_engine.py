"""A whole engine on single numbers, and the same gradients as tinynet's on the same network.

    python examples/scalar_engine.py --hidden 4

A Value remembers the Values that it was computed from, and for each the slope: the derivative of
its own number by theirs. `backward` adds up, for each Value, slope times gradient over all places
where it was used: the chain rule. tinynet does the same with arrays, and rules in place of slopes.
"""

from __future__ import annotations

import argparse
import math
import random

import tinynet as tn


class Value:
    """A number, its gradient, and where it came from: pairs of an input and the slope by it."""

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
        # Why out and not self.data? The derivative of e^x is e^x, and that is what came out.
        out = math.exp(self.data)
        return Value(out, ((self, out),))

    def backward(self) -> None:
        """Add the derivative of this Value to the `grad` of every one behind it."""
        # Why an order? A gradient is passed on once, when all of it has arrived. Why not recurse?
        # Python's stack ends at 1,000 calls; a list does not.
        order, done, stack = [], set(), [(self, False)]
        while stack:
            value, left = stack.pop()
            if left:  # all that it was computed from is in the order already
                order.append(value)
            elif value not in done:
                done.add(value)
                stack += [(value, True), *((parent, False) for parent, _ in value.came_from)]
        self.grad = 1.0
        for value in reversed(order):
            for parent, slope in value.came_from:
                # Why += and not =? In x * x each of the two uses of x counts.
                parent.grad += slope * value.grad


def loss_by_scalars(rows: list, x: list, target: float) -> Value:
    """(e^o - target)², o the sum of v h over the units, whose h are tanh and relu in turn."""
    o = Value(0.0)
    for k, (w1, w2, b, v) in enumerate(rows):
        z = w1 * Value(x[0]) + w2 * Value(x[1]) + b
        o = o + v * (z.relu() if k % 2 else z.tanh())
    error = o.exp() + Value(-target)
    return error * error


def loss_by_tinynet(W: tn.Tensor, x: list, target: float) -> tn.Tensor:
    """The same from a row (w1, w2, b, v) a unit."""
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
