"""Function: operations of one's own, written as in PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

import tinynet as tn
from tinynet.autograd import Function, Op
from tinynet.testing import check_grads


def leaf(*shape):
    return tn.tensor(np.linspace(0.5, 2.0, int(np.prod(shape))).reshape(shape), requires_grad=True)


class Power(Function):
    """x ** n for a number n."""

    @staticmethod
    def forward(ctx, x, n):
        ctx.save_for_backward(x)
        ctx.n = n
        return x**n

    @staticmethod
    def backward(ctx, gy):
        (x,) = ctx.saved_tensors
        return gy * ctx.n * x ** (ctx.n - 1), None


class Exp(Function):
    """Keeps its output, as exp does."""

    @staticmethod
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, gy):
        return gy * ctx.saved_tensors[0]


class Both(Function):
    """Two outputs of two inputs, in the form with setup_context."""

    @staticmethod
    def forward(a, b):
        return a * b, a + b

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, g_product, g_sum):
        a, b = ctx.saved_tensors
        return g_product * b + g_sum, g_product * a + g_sum


@pytest.mark.parametrize(
    ("f", "inputs"),
    [
        (lambda x: Power.apply(x, 3), [leaf(2, 3)]),
        (Exp.apply, [leaf(3)]),
        (lambda a, b: Both.apply(a, b)[0] * 2.0, [leaf(2), leaf(2)]),
        (lambda a, b: Both.apply(a, b)[0] * Both.apply(b, a)[1], [leaf(2), leaf(2)]),
    ],
)
def test_gradients_to_second_order(f, inputs):
    check_grads(f, inputs)


def test_nothing_is_recorded_inside_and_arguments_are_known():
    seen = []

    class Watching(Function):
        @staticmethod
        def forward(ctx, *args):
            seen.append((tn.is_grad_enabled(), ctx.needs_input_grad))
            return args[0] + args[1]

        @staticmethod
        def backward(ctx, gy):
            return gy, gy, None

    x = leaf(2)
    y = Watching.apply(x, tn.ones(2, dtype="float64"), "text")
    y.sum().backward()
    assert seen == [(False, (True, False, False))]
    assert y.grad_fn.op.name == "Watching"
    assert x.grad.tolist() == [1, 1]


def test_an_output_without_a_gradient_and_one_that_backward_leaves_out():
    class Sorted(Function):
        @staticmethod
        def forward(ctx, x, y):
            out = x * 2.0, x.round() if hasattr(x, "round") else x.detach()
            ctx.mark_non_differentiable(out[1])
            return out

        @staticmethod
        def backward(ctx, g, _):
            return g * 2.0, None

    x, unused = leaf(3), leaf(3)
    y, constant = Sorted.apply(x, unused)
    assert not constant.requires_grad
    y.sum().backward()
    assert x.grad.tolist() == [2, 2, 2]
    assert unused.grad.tolist() == [0, 0, 0]


def test_what_is_wrong_is_said():
    class Short(Function):
        @staticmethod
        def forward(ctx, x, n):
            return x * n

        @staticmethod
        def backward(ctx, gy):
            return gy

    with pytest.raises(RuntimeError, match="Short: backward returned 1 gradients for 2 arguments"):
        Short.apply(leaf(2), 3.0).sum().backward()
    x = leaf(2)
    h = x * 1.0
    y = Power.apply(h, 2)
    with tn.no_grad():
        h.detach().add_(1.0)
    with pytest.raises(RuntimeError, match=r"saved_tensors: tensor 0 of shape .* changed in place"):
        y.sum().backward()
    with pytest.raises(NotImplementedError, match="Function: define the static method forward"):
        Function.apply(x)


def test_a_backward_of_another_shape_is_an_error():
    class Bad(tn.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, gy):
            return tn.ones(5)

    with pytest.raises(ValueError, match=r"Bad: backward returned shape \(5,\) for argument 0"):
        Bad.apply(tn.ones(2, requires_grad=True)).sum().backward()


def test_a_rule_that_does_not_fit_its_operation():
    @Op
    def scaled(x, *, by=1.0):
        return x * by

    with pytest.raises(ValueError, match="scaled: no input is called 'z'; they are x"):
        scaled.rule("z")(lambda gy: gy)
    with pytest.raises(ValueError, match="the rule for 'x' names 'q'; after gy it may name y"):
        scaled.rule("x")(lambda gy, q: gy)
    captured = tn.ones(2)

    @Op
    def captures(x):
        return x * captured

    with pytest.raises(TypeError, match="captures: it uses a Tensor that is not among its arg"):
        captures(tn.ones(2))
