"""Write an operation of your own: its forward, its rule, and the test of the rule.

    python examples/own_operation.py

The operation is y = ln cosh x, a loss that is x²/2 near 0 and |x| - ln 2 far from it. cosh x
overflows in float32 beyond 89, so y is computed as |x| + ln(1 + e^(-2|x|)) - ln 2. By the chain
rule dy = tanh(x) dx, so the gradient by x is gy tanh x: no composition of exp and log would get
both right.
"""

from __future__ import annotations

import argparse
import math
from typing import Any

import tinynet as tn
from tinynet.autograd import Function, Op
from tinynet.ops.elementary import softplus, tanh
from tinynet.testing import check_grads


# As an Op: a function of arrays, and a rule for each input. A rule gets the gradient by the
# output and whatever else it names: here the input x. It is written with operations of
# `tinynet.ops`, which work on arrays and on tensors; so it can be differentiated again.
@Op
def log_cosh(x: Any) -> Any:
    """y = ln cosh x."""
    return abs(x) + softplus(-2.0 * abs(x)) - math.log(2.0)


@log_cosh.rule("x")
def log_cosh_gx(gy: Any, x: Any) -> Any:
    return gy * tanh(x)


# The same as a Function, in the form that PyTorch has: tensors in, tensors out.
class LogCosh(Function):
    @staticmethod
    def forward(ctx: Any, x: tn.Tensor) -> tn.Tensor:
        ctx.save_for_backward(x)
        return x.abs() + tn.functional.softplus(-2.0 * x.abs()) - math.log(2.0)

    @staticmethod
    def backward(ctx: Any, gy: tn.Tensor) -> tn.Tensor:
        (x,) = ctx.saved_tensors
        return gy * x.tanh()


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    x = tn.tensor([-100.0, -1.0, 0.0, 1.0, 100.0], requires_grad=True)
    y = log_cosh(x)
    y.sum().backward()
    print("x     ", x.tolist())
    print("y     ", [round(v, 4) for v in y.tolist()])
    print("dy/dx ", [round(v, 4) for v in x.grad.tolist()])

    # The test: gradients against differences in float64, to second order.
    at = tn.tensor([-1.3, 0.4, 2.1], "float64", requires_grad=True)
    for f in (log_cosh, LogCosh.apply):
        report = check_grads(f, at, name="log_cosh")
        print(
            f"{report.comparisons} derivatives of first and second order compared with "
            f"differences, relative error at most {report.worst:.0e}"
        )


if __name__ == "__main__":
    main()
