"""Hooked: the hooks of a module, called before and after its forward and its backward.

A backward hook needs the gradients of all inputs, or of all outputs, at once. So the tensors that
enter the module go through one operation, an identity x_1, ..., x_n -> x_1, ..., x_n; those that
leave it go through another. A walk back reaches such a node when all gradients of its outputs have
arrived, and its rule calls the hooks::

    loss ... <- leaving <- forward <- entering <- ...
                  grad_output           grad_input

What a hook returns is what the rule returns, so with `create_graph` it is differentiated again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tinynet.autograd import Op, Value, modes, raw
from tinynet.autograd.hooks import Hook, Hooks, RemovableHandle
from tinynet.backend import zeros

HOOKS = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")


class WithKwargs(NamedTuple):
    """A hook that also gets the keyword arguments."""

    hook: Hook


class Hooked:
    """The part of `Module` that keeps hooks and calls them."""

    def __init__(self) -> None:
        self._forward_pre_hooks: Hooks = {}
        self._forward_hooks: Hooks = {}
        self._backward_pre_hooks: Hooks = {}
        self._backward_hooks: Hooks = {}

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before each forward, after the hooks registered earlier.

        Args:
            hook: receives the tuple of positional arguments and may return replacements, as a
                tuple or a single value, or None.
            prepend: call it before the hooks registered earlier.
            with_kwargs: call ``hook(module, args, kwargs)``, which returns (args, kwargs) or None.

        Returns:
            A handle whose `remove` removes the hook.
        """
        kept: Any = WithKwargs(hook) if with_kwargs else hook
        return RemovableHandle(self._forward_pre_hooks, kept, prepend)

    def register_forward_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after each forward, after those registered earlier.

        Hooks run for ``module(x)`` but not for ``module.forward(x)``.

        Args:
            hook: may return a replacement for the output, or None.
            prepend: call it before the hooks registered earlier.
            with_kwargs: call ``hook(module, args, kwargs, output)``.

        Returns:
            A handle whose `remove` removes the hook.
        """
        kept: Any = WithKwargs(hook) if with_kwargs else hook
        return RemovableHandle(self._forward_hooks, kept, prepend)

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` before each backward through the module.

        Args:
            hook: receives a tuple as `register_full_backward_hook` describes it, and may return a
                tuple, or a single Tensor if there is one output, to take its place.
            prepend: call it before the hooks registered earlier.

        Returns:
            A handle whose `remove` removes the hook.
        """
        return RemovableHandle(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` after each backward through the module.

        `grad_input` has an entry for each positional argument of the call and `grad_output` one
        for each output: its gradient, or None if it is not a Tensor, requires no gradient, or is an
        output that the loss does not depend on. If no argument requires a gradient, the hook is
        called as soon as `grad_output` is known. Hooks must not change the gradients in place.

        A call uses the hooks that were registered when its forward ran. Outputs other than a Tensor
        or a tuple of them, and keyword arguments, have no backward hooks.

        Args:
            hook: may return a tuple to take the place of `grad_input`, or a single Tensor if there
                is one argument, or None.
            prepend: call it before the hooks registered earlier.

        Returns:
            A handle whose `remove` removes the hook.

        >>> import tinynet as tn
        >>> layer = tn.nn.Linear(2, 1, bias=False)
        >>> _ = tn.nn.init.constant_(layer.weight, 3.0)
        >>> def show(module, grad_input, grad_output):
        ...     print(grad_input, grad_output)
        >>> handle = layer.register_full_backward_hook(show)
        >>> layer(tn.ones(2, requires_grad=True)).sum().backward()
        (tensor([3., 3.]),) (tensor([1.]),)
        """
        return RemovableHandle(self._backward_hooks, hook, prepend)

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the hooks and `forward`."""
        for hook in tuple(self._forward_pre_hooks.values()):  # a tuple: a hook may remove itself
            args, kwargs = self._changed(hook, args, kwargs)
        backward = None
        if (self._backward_hooks or self._backward_pre_hooks) and modes()[0]:
            backward = _BackwardHooks(self)
            args = backward.enter(args)
        output = self.forward(*args, **kwargs)  # type: ignore[attr-defined]
        for hook in tuple(self._forward_hooks.values()):
            if isinstance(hook, WithKwargs):
                changed = hook.hook(self, args, kwargs, output)
            else:
                changed = hook(self, args, output)
            output = output if changed is None else changed
        return output if backward is None else backward.leave(output)

    def _changed(self, hook: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """The arguments after a hook that runs before forward."""
        if isinstance(hook, WithKwargs):
            changed = hook.hook(self, args, kwargs)
            if changed is None:
                return args, kwargs
            if not isinstance(changed, tuple) or len(changed) != 2:
                raise TypeError(
                    f"{type(self).__name__}: a forward pre-hook with_kwargs must return None or "
                    "(args, kwargs)"
                )
            return changed
        changed = hook(self, args)
        if changed is None:
            return args, kwargs
        return changed if isinstance(changed, tuple) else (changed,), kwargs


class _BackwardHooks:
    """The backward hooks of one call of a module."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.before = tuple(module._backward_pre_hooks.values())
        self.after = tuple(module._backward_hooks.values())
        self.grad_output: tuple[Any, ...] | None = None  # since the walk passed the output
        self.entered = False  # whether an argument requires a gradient
        self.arguments = 0

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, after the node that calls the hooks with `grad_input`."""
        self.arguments = len(args)
        if self.after:
            args, self.entered = _through(args, self.input_grads)
        return args

    def leave(self, output: Any) -> Any:
        """The output, after the node that notes `grad_output`."""
        if not isinstance(output, tuple):
            return _through((output,), self.output_grads)[0][0]
        passed, _ = _through(output, self.output_grads)
        return type(output)(*passed) if hasattr(output, "_fields") else passed

    def output_grads(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.before:
            grads = self.replaced("pre-hook", grads, hook(self.module, grads), "output")
        self.grad_output = grads
        if not self.entered:
            self.input_grads((None,) * self.arguments)
        return grads

    def input_grads(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        if self.grad_output is None:  # a gradient of a gradient, which the output has no part in
            return grads
        for hook in self.after:
            changed = hook(self.module, grads, self.grad_output)
            grads = self.replaced("hook", grads, changed, "argument")
        self.grad_output = None  # or it would live as long as the graph
        return grads

    def replaced(self, what: str, grads: Any, changed: Any, of: str) -> tuple[Any, ...]:
        """What a hook returned in place of `grads`, checked."""
        if changed is None:
            return grads
        changed = changed if isinstance(changed, tuple) else (changed,)
        where = f"{type(self.module).__name__}: a full backward {what} returned"
        if len(changed) != len(grads):
            raise RuntimeError(
                f"{where} {len(changed)} gradients for {len(grads)} {of}s; return one for each"
            )
        for k, (g, old) in enumerate(zip(changed, grads, strict=True)):
            if g is None:
                continue
            if not isinstance(g, Value):
                raise TypeError(f"{where} a {type(g).__name__}; it must return Tensors or None")
            if old is None:
                raise RuntimeError(
                    f"{where} a gradient for {of} {k}, which has none; return None for it"
                )
            if g._data.shape != old._data.shape:
                raise ValueError(
                    f"{where} shape {tuple(g._data.shape)} for a gradient of shape "
                    f"{tuple(old._data.shape)}; they must be equal"
                )
        return changed


def _through(values: Sequence[Any], call: Callable[..., Any]) -> tuple[tuple[Any, ...], bool]:
    """Pass tensors through one node, whose rule is ``call(gradients)``.

    Args:
        values: of which those that are tensors with a gradient are passed through.
        call: takes a tuple with a gradient or None for each of the values, and returns another.

    Returns:
        All values, and whether any of them was passed through.
    """
    places = [k for k, v in enumerate(values) if isinstance(v, Value) and v._requires_grad]
    if not places:
        return tuple(values), False
    kind = values[places[0]].result_type
    arrived: set[int] = set()  # outputs whose gradient the walk has computed
    found: list[Any] = [None, (), 0]  # gradients in, what the call returned, edges served

    def module_hooks(*arrays: Any) -> Any:
        return tuple([array[...] for array in arrays])  # views, whose changes in place are noticed

    def rule(gy: list[Any], i: int) -> Any:
        if found[0] is not gy:  # the first of the edges: the call serves all of them
            given: list[Any] = [None] * len(values)
            for k, place in enumerate(places):
                if k in arrived:
                    given[place] = gy[k] if isinstance(gy[k], Value) else kind(gy[k])
            arrived.clear()
            found[:] = gy, call(tuple(given)), 0
        g = found[1][places[i]]
        found[2] += 1
        recorded = any(isinstance(each, Value) for each in gy)
        if found[2] == len(places):
            found[:] = None, (), 0  # or the gradients would live as long as the graph
        if g is None:
            return zeros(raw(gy[i]).shape, raw(gy[i]))
        return g if recorded else raw(g)

    op = Op(module_hooks)
    op.rule("arrays")(rule)
    passed = list(values)
    for k, (place, out) in enumerate(zip(places, op(*[values[p] for p in places]), strict=True)):
        out.register_hook(lambda g, k=k: arrived.add(k))
        passed[place] = out
    return tuple(passed), True
