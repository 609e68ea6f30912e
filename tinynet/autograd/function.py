"""Function: an operation of one's own, written as in `torch.autograd`.

`Op` is shorter and checks more (`examples/own_operation.py` shows both); a Function may take any
arguments and keep anything for its backward.
"""

from __future__ import annotations

from typing import Any, ClassVar

from tinynet.autograd.engine import Op
from tinynet.autograd.modes import recording
from tinynet.autograd.value import Value, raw
from tinynet.autograd.versions import tick
from tinynet.backend import zeros


class FunctionCtx:
    """What `forward` keeps for `backward`: tensors, and attributes of any name.

    Attributes:
        needs_input_grad: for each argument of `apply`, whether its gradient is needed.
        saved_tensors: the tensors given to `save_for_backward`.
    """

    needs_input_grad: tuple[bool, ...]

    def __init__(self) -> None:
        self._saved: tuple[Any, ...] = ()
        self._stamp = 0
        self._no_gradient: tuple[Any, ...] = ()
        self._outputs: list[tuple[Any, Any]] = []  # what forward returned, and what the graph keeps

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors for backward, which raises if one is changed in place until then."""
        self._saved, self._stamp = tensors, tick()

    def mark_non_differentiable(self, *outputs: Any) -> None:
        """Say that these outputs have no gradient."""
        self._no_gradient = outputs

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        saved = list(self._saved)
        for k, a in enumerate(self._saved):
            for made, kept in self._outputs:
                if a is made:  # as a part of the graph, for gradients of higher order
                    saved[k] = kept if isinstance(kept, Value) else type(a)(kept)
            if isinstance(a, Value) and a._version[0] > self._stamp:
                raise RuntimeError(
                    f"saved_tensors: tensor {k} of shape {tuple(a._data.shape)} was changed in "
                    "place after save_for_backward; change a copy, or change it after backward"
                )
        return tuple(saved)


class Function:
    """Base class of operations with a forward and a backward; call them with `apply`.

    >>> import tinynet as tn
    >>> class Cube(tn.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x * x
    ...
    ...     @staticmethod
    ...     def backward(ctx, gy):
    ...         (x,) = ctx.saved_tensors
    ...         return gy * 3.0 * x * x
    >>> x = tn.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    # set by a class whose `forward` takes no ctx, called with (ctx, inputs, output) after it
    setup_context: ClassVar[Any] = None

    @staticmethod
    def forward(*args: Any) -> Any:
        """Compute the output, a tensor or a tuple, from (ctx, *args); nothing is recorded."""
        raise NotImplementedError("Function: define the static method forward(ctx, *args)")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Compute a gradient for each argument, None for those without, from tensors."""
        raise NotImplementedError("Function: define the static method backward(ctx, *grad_outputs)")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run `forward`; `backward` becomes the rule for all tensors among the arguments."""
        places = [k for k, a in enumerate(args) if isinstance(a, Value)]
        ctx = FunctionCtx()
        ctx.needs_input_grad = tuple(isinstance(a, Value) and a.requires_grad for a in args)
        if not places:
            return _run(cls, ctx, args)
        made: list[Any] = []  # the output of forward
        found: list[Any] = [None, None]  # the last gradients, and the cotangent they are for

        def forward(*arrays: Any) -> Any:
            made[:] = [_run(cls, ctx, args)]
            return tuple(map(raw, made[0])) if isinstance(made[0], tuple) else raw(made[0])

        def backward(gy: Any, y: Any, i: int) -> Any:
            if found[1] is not gy:
                ctx._outputs = list(zip(_listed(made[0]), _listed(y), strict=True))
                found[:] = _gradients(cls, ctx, gy, len(args), args[places[0]].result_type), gy
            x, g = args[places[i]], found[0][places[i]]
            if g is None:
                return zeros(x.shape, x._data)
            if getattr(g, "shape", None) != x.shape:
                given = f"shape {g.shape}" if hasattr(g, "shape") else f"a {type(g).__name__}"
                raise ValueError(
                    f"{cls.__name__}: backward returned {given} for argument {places[i]}, which "
                    f"has shape {tuple(x.shape)}; return a tensor of that shape"
                )
            return g

        forward.__name__ = cls.__name__
        op = Op(forward)
        op.rule("arrays")(backward)
        out = op(*[args[k] for k in places])
        for o, y in zip(_listed(out), _listed(made[0]), strict=True):
            if any(y is a for a in ctx._no_gradient):
                o._requires_grad, o._source = False, None
        return out


def _listed(y: Any) -> list[Any]:
    return list(y) if isinstance(y, tuple | list) else [y]


def _run(cls: Any, ctx: FunctionCtx, args: tuple[Any, ...]) -> Any:
    with recording(False):
        if cls.setup_context is None:
            return cls.forward(ctx, *args)
        y = cls.forward(*args)
        cls.setup_context(ctx, args, y)
        return y


def _gradients(cls: Any, ctx: Any, gy: Any, n: int, kind: Any) -> list[Any]:
    """What `backward` returns for n arguments: arrays if the cotangents are, else Values."""
    plain = not any(isinstance(g, Value) for g in _listed(gy))
    cotangents = [g if isinstance(g, Value) else kind(g) for g in _listed(gy)]
    gradients = _listed(cls.backward(ctx, *cotangents))
    if len(gradients) != n:
        raise RuntimeError(
            f"{cls.__name__}: backward returned {len(gradients)} gradients for {n} arguments; "
            "return one for each, None for those that are not tensors"
        )
    return [raw(g) if plain else g for g in gradients]
