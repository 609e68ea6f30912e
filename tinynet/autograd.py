"""The engine: record an operation, walk the graph back.

An operation is a function of arrays plus, for each input, a *rule*: the gradient of the loss by
that input from the gradient by the output. A rule's parameters say what it needs, and that is
all that is kept for it::

    @op
    def mul(a, b):
        return a * b

    @mul.rule("a")
    def mul_ga(gy, b):      # gy: the cotangent, dL/dy; keeps b and not a
        return gy * b

After ``gy`` a rule may name an input (``a``), only its shape (``a_shape``), the output (``y``),
an option (a keyword-only parameter of the operation), a constant that the forward made on the
side (``@op(extra="index")``), and, where an operation takes any number of inputs, ``i``, the
number of the one asked for.

At first order rules see plain arrays and cost nothing but their arithmetic. With
``create_graph=True`` they see Values, and the very same lines are recorded and can be
differentiated again: every operation called without a Value falls straight through to arrays.

Three questions that this file answers in its code:

* *Why not just call backward on each parent?* ``y = 3x; c = 2y + 5y`` reaches y twice. A node may
  pass its gradient on only when all of it has arrived, hence the order in `_nodes_behind`.
* *Why add up?* By the chain rule in several variables, the derivative by a value used in two
  places is the sum over the places.
* *Why does the graph hold nodes and not Values?* A node that knew its output would be a cycle,
  freed only by the garbage collector, and every activation would live as long as the graph.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import ContextDecorator
from typing import Any, ClassVar

from tinynet import anomaly, backend

# One clock stamps nodes and in-place changes: an input is made before the node that uses it, so
# decreasing stamps are a reverse topological order, and a value changed after a node kept it
# carries a later stamp than the node.
_clock = itertools.count(1)


class _GradMode(threading.local):
    on = True


_mode = _GradMode()


class set_grad_enabled(ContextDecorator):
    """Within it (or a function that it decorates), operations are recorded or not."""

    def __init__(self, mode: bool) -> None:
        self.mode = mode

    def __enter__(self) -> None:
        self.before, _mode.on = _mode.on, self.mode

    def __exit__(self, *exc: object) -> None:
        _mode.on = self.before

    def _recreate_cm(self) -> set_grad_enabled:
        return set_grad_enabled(self.mode)  # a decorated function may call itself


def no_grad() -> set_grad_enabled:
    """Within it nothing is recorded: for evaluation and for changing parameters."""
    return set_grad_enabled(False)


def enable_grad() -> set_grad_enabled:
    """Within it operations are recorded, also inside `no_grad`."""
    return set_grad_enabled(True)


def is_grad_enabled() -> bool:
    """Whether operations are recorded now, in this thread."""
    return _mode.on


class Value:
    """An array and, if it was computed from others, the node that did it; Tensor's base."""

    __slots__ = ("__weakref__", "_data", "_version", "grad", "grad_fn", "requires_grad")

    # What operations return: the class right below Value, so that a Parameter times two is a
    # Tensor and no Parameter.
    result_type: ClassVar[type[Value]]

    def __init_subclass__(cls) -> None:
        if Value in cls.__bases__:
            cls.result_type = cls

    def __init__(self, data: Any, requires_grad: bool = False, grad_fn: Node | None = None) -> None:
        self._data = data
        self._version = [0]  # when the array was last changed in place; a view shares the list
        self.grad: Any = None
        self.grad_fn = grad_fn
        self.requires_grad = requires_grad

    def _link(self) -> Node | Value | None:
        """What a graph points to for this value: its node, itself if a leaf, or nothing."""
        return (self.grad_fn or self) if self.requires_grad else None


class Node:
    """One recorded operation: where its inputs came from and what its rules need."""

    __slots__ = ("__weakref__", "kept", "links", "op", "retained", "shapes", "stamp", "where")

    def __init__(self, op: Op, links: list[Node | Value | None], shapes: list[Any]) -> None:
        self.op = op
        self.links = links
        self.shapes = shapes
        self.stamp = next(_clock)
        self.kept: dict[str, Any] | None = {}
        self.retained: weakref.ref[Value] | None = None  # set by Tensor.retain_grad
        self.where = anomaly.calling_line() if anomaly.switch.on else None

    def gradient(self, i: int, gy: Any, create_graph: bool) -> Any:
        """The gradient by input `i`, of that input's shape."""
        op, kept = self.op, self.kept
        assert kept is not None
        rule = op.rule_of(i)
        args = []
        for name in rule.needs:
            a = i if name == "i" else kept[name]
            if isinstance(a, Value):
                a = self._checked(name, a, create_graph)
            elif op.variadic and name in op.inputs:
                a = tuple(self._checked(name, v, create_graph) for v in a)
            args.append(a)
        g = rule.function(gy, *args)
        if g.shape != self.shapes[i]:
            g = op.fit(g, self.shapes[i])
        if self.where is not None and anomaly.switch.on:
            raw = [a._data if isinstance(a, Value) else a for a in (g, gy)]
            anomaly.check_backward(op.name, i, *raw, self.where)
        return g

    def _checked(self, name: str, a: Any, create_graph: bool) -> Any:
        if not isinstance(a, Value):
            return a
        if a._version[0] > self.stamp:
            raise RuntimeError(
                f"backward: `{name}` (shape {tuple(a._data.shape)}), kept for the rule of "
                f"{self.op.name}, was changed in place after {self.op.name} had used it; change "
                "a copy (x = x + 1, or x.clone()), or change it after backward"
            )
        if not create_graph:
            return a._data
        return a if name != "y" else type(a)(a._data, True, self)


class Rule:
    """A function of the cotangent and of what it names, for one input of an operation."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.needs = tuple(inspect.signature(function).parameters)[1:]


class Op:
    """A differentiable operation: callable on arrays and on Values, with a rule an input."""

    def __init__(self, forward: Callable[..., Any], extra: str | None = None) -> None:
        functools.update_wrapper(self, forward)
        self.name = forward.__name__
        self.forward = forward
        self.extra = extra
        self.rules: dict[str, Rule] = {}
        parameters = inspect.signature(forward).parameters.values()
        self.inputs = [p.name for p in parameters if p.kind != p.KEYWORD_ONLY]
        self.variadic = any(p.kind == p.VAR_POSITIONAL for p in parameters)
        self.defaults = {p.name: p.default for p in parameters if p.kind == p.KEYWORD_ONLY}

    def rule(self, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorator: the function is the rule for the input of that name."""
        assert name in self.inputs, f"{self.name} has no input {name}"

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            self.rules[name] = Rule(function)
            return function

        return register

    def rule_of(self, i: int) -> Rule:
        """The rule for input number `i`; one serves them all where their number is open."""
        return self.rules[self.inputs[0 if self.variadic else i]]

    def __call__(self, *args: Any, **options: Any) -> Any:
        arrays, values, tracked = [], 0, False
        for a in args:
            if isinstance(a, Value):
                values += 1
                tracked = tracked or a.requires_grad
                result_type = a.result_type
                a = a._data
            arrays.append(a)
        if values == 0:
            y = self.forward(*arrays, **options)
            return y if self.extra is None else y[0]
        if values != len(args):
            arrays = [backend.operand(self.name, a) for a in arrays]
        try:
            backend.array_module(*arrays)
            y = self.forward(*arrays, **options)
        except (ValueError, backend.DeviceError) as error:
            raise type(error)(self.explain(error, arrays)) from error
        extra = None
        if self.extra is not None:
            y, extra = y
        y = backend.as_array(y)
        if anomaly.switch.on:
            anomaly.check_forward(self.name, y, arrays)
        if not (tracked and _mode.on):
            return result_type(y)
        out = result_type(y, True)
        out.grad_fn = self._record(args, arrays, options, out, extra)
        return out

    def _record(
        self, args: Any, arrays: list[Any], options: dict[str, Any], out: Value, extra: Any
    ) -> Node:
        links = [a._link() if isinstance(a, Value) else None for a in args]
        node = Node(self, links, [getattr(a, "shape", ()) for a in arrays])
        kept = node.kept
        assert kept is not None
        for i, link in enumerate(links):
            if link is None:
                continue
            for name in self.rule_of(i).needs:
                if name in kept or name == "i":
                    continue
                elif name == "y":
                    # not `out` itself, which points to the node: that would be a cycle
                    kept[name] = type(out)(out._data)
                    kept[name]._version = out._version
                elif name in self.inputs:
                    kept[name] = args if self.variadic else args[self.inputs.index(name)]
                elif name.endswith("_shape"):
                    j = self.inputs.index(name[:-6])
                    kept[name] = tuple(node.shapes) if self.variadic else node.shapes[j]
                elif name == self.extra:
                    kept[name] = extra
                else:
                    kept[name] = options[name] if name in options else self.defaults[name]
        return node

    def fit(self, g: Any, shape: tuple[int, ...]) -> Any:
        """Make a rule's result the shape of its input; only a broadcast may differ."""
        raise AssertionError(f"{self.name}: a rule returned {g.shape} for an input of {shape}")

    def explain(self, error: Exception, arrays: Sequence[Any]) -> str:
        """The message of an error that the array module raised, in this operation's terms."""
        text = str(error)
        return text if text.startswith(self.name) else f"{self.name}: {text}"


def op(extra: str) -> Callable[[Callable[..., Any]], Op]:
    """Decorator for an operation whose forward returns (output, constant kept as `extra`)."""
    return lambda forward: Op(forward, extra)


def _nodes_behind(roots: Iterable[Node | Value | None]) -> tuple[list[Node], dict[int, Value]]:
    """All nodes that the roots were computed from, each once, latest first; and the leaves.

    A stack and no recursion: a chain of 50,000 operations has no place on Python's.
    """
    nodes: list[Node] = []
    leaves: dict[int, Value] = {}
    stack, seen = list(roots), set()
    while stack:
        link = stack.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        if isinstance(link, Node):
            if link.kept is None:
                raise RuntimeError(
                    f"backward: the graph was freed by an earlier backward (at {link.op.name}); "
                    "give the earlier one retain_graph=True, or run the forward again"
                )
            nodes.append(link)
            stack.extend(link.links)
        else:
            leaves[id(link)] = link
    nodes.sort(key=lambda node: node.stamp, reverse=True)
    return nodes, leaves


def _walk_back(
    links: Sequence[Node | Value],
    seeds: Sequence[Any],
    targets: Sequence[Node | Value] | None,
    retain_graph: bool,
    create_graph: bool,
) -> tuple[dict[int, Any], dict[int, Value]]:
    """Carry the seeds back; returns gradients by id of link, and the leaves met.

    With `targets`, only what leads to them is computed, and their gradients are returned.
    """
    nodes, leaves = _nodes_behind(links)
    asked = {id(t) for t in targets or ()}
    on_the_way = set(asked)
    for node in reversed(nodes):
        if targets is None or any(id(link) in on_the_way for link in node.links):
            on_the_way.add(id(node))
    if targets is None:
        on_the_way.update(leaves)
    grads: dict[int, Any] = {}  # of this call alone: a second backward must not see the first's

    def add(link: Node | Value, g: Any) -> None:
        # out of place: `a + b` hands one and the same array to both of its inputs
        grads[id(link)] = grads[id(link)] + g if id(link) in grads else g

    for link, seed in zip(links, seeds, strict=True):
        add(link, seed)
    for node in nodes:
        gy = grads.get(id(node)) if id(node) in asked else grads.pop(id(node), None)
        if gy is None:
            continue
        if node.retained is not None and (watcher := node.retained()) is not None:
            watcher.grad = _own(gy, watcher)
        for i, link in enumerate(node.links):
            if link is not None and id(link) in on_the_way:
                g = node.gradient(i, gy, create_graph)
                if link is leaves.get(id(link)) and not _is_new(g, gy, node):
                    g = _own(g, link)
                add(link, g)
        if not retain_graph:
            node.kept, node.links = None, []
    return grads, leaves


def _is_new(g: Any, gy: Any, node: Node) -> bool:
    """Whether nothing else can refer to the memory of `g`: rules may pass on what they got."""
    raw = [a._data if isinstance(a, Value) else a for a in (g, gy, *(node.kept or {}).values())]
    return raw[0].base is None and all(raw[0] is not a for a in raw[1:])


def _own(g: Any, like: Value) -> Any:
    """A copy of the gradient, in memory of its own; of the same place in the graph."""
    if not isinstance(g, Value):
        return g.copy()
    return type(g)(g._data.copy(), g.requires_grad, g.grad_fn)


def _seed(output: Value, gradient: Any, name: str, create_graph: bool) -> Any:
    """The cotangent to start from: the given one, or 1 for a single number."""
    if not output.requires_grad:
        raise RuntimeError(
            f"{name}: the tensor of shape {tuple(output._data.shape)} was not computed from any "
            "that requires a gradient (or inside no_grad, or by an operation that has none); "
            "make the inputs with requires_grad=True"
        )
    data = output._data
    if gradient is None:
        if data.size != 1:
            raise RuntimeError(
                f"{name}: the output has shape {tuple(data.shape)}, so there is no one gradient; "
                "give `gradient` of that shape (the product gradient . Jacobian is computed), or "
                "reduce it to a number first, by .sum() or .mean()"
            )
        gradient = backend.array_module(data).ones_like(data)
    raw = gradient._data if isinstance(gradient, Value) else gradient
    if not backend.is_array(raw) or raw.shape != data.shape:
        raise ValueError(
            f"{name}: gradient has shape {getattr(raw, 'shape', type(raw).__name__)}, but the "
            f"output has {tuple(data.shape)}; they must be equal"
        )
    backend.array_module(raw, data)
    if not create_graph:
        return raw.astype(data.dtype, copy=False)
    return gradient if isinstance(gradient, Value) else output.result_type(raw)


def backward(
    output: Value,
    gradient: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Add d(gradient . output)/d(leaf) to the `grad` of every leaf; see `Tensor.backward`."""
    retain_graph = create_graph if retain_graph is None else retain_graph
    seed = _seed(output, gradient, "backward", create_graph)
    with set_grad_enabled(create_graph):
        link = output._link()
        assert link is not None
        grads, leaves = _walk_back([link], [seed], None, retain_graph, create_graph)
        for key, leaf in leaves.items():
            if key in grads:
                g = _as_value(_own(grads[key], leaf) if leaf is output else grads[key], leaf)
                leaf.grad = g if leaf.grad is None else leaf.grad + g


def grad(
    outputs: Value | Sequence[Value],
    inputs: Value | Sequence[Value],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """The gradients of the outputs by the inputs, without touching anybody's `grad`.

    g_i = sum over k of grad_outputs[k] . d outputs[k] / d inputs[i], one for each input and of
    its shape and dtype; signature and behaviour are `torch.autograd.grad`'s.

    Args:
        outputs: one tensor or several.
        inputs: leaves or intermediate results that require a gradient.
        grad_outputs: one cotangent for each output, of its shape; may be None for single numbers.
        retain_graph: keep the graph for another walk; by default as `create_graph`.
        create_graph: record the walk, so that the gradients can be differentiated again.
        allow_unused: give None for an input that the outputs do not depend on, and do not raise.
    """
    retain_graph = create_graph if retain_graph is None else retain_graph
    outputs = [outputs] if isinstance(outputs, Value) else list(outputs)
    inputs = [inputs] if isinstance(inputs, Value) else list(inputs)
    given = list(grad_outputs) if isinstance(grad_outputs, list | tuple) else [grad_outputs]
    if grad_outputs is None:
        given = [None] * len(outputs)
    if len(given) != len(outputs):
        raise ValueError(
            f"grad: {len(given)} grad_outputs for {len(outputs)} outputs; give one for each"
        )
    targets = [x._link() for x in inputs]
    for i, target in enumerate(targets):
        if target is None:
            raise RuntimeError(f"grad: input {i} does not require a gradient")
    seeds = [_seed(y, g, "grad", create_graph) for y, g in zip(outputs, given, strict=True)]
    links = [y._link() for y in outputs]
    with set_grad_enabled(create_graph):
        grads, _ = _walk_back(links, seeds, targets, retain_graph, create_graph)  # type: ignore[arg-type]
    results = []
    for i, (x, target) in enumerate(zip(inputs, targets, strict=True)):
        if id(target) not in grads and not allow_unused:
            raise RuntimeError(
                f"grad: the outputs do not depend on input {i} of shape {tuple(x._data.shape)}; "
                "give allow_unused=True to have None for it"
            )
        g = grads.get(id(target))
        results.append(None if g is None else _as_value(_own(g, x), x))
    return tuple(results)


def _as_value(g: Any, like: Value) -> Any:
    """The gradient as a Value, in the type of what it belongs to."""
    if isinstance(g, Value):
        return g
    return like.result_type(backend.as_array(g).astype(like._data.dtype, copy=False))
