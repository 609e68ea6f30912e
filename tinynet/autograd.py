"""The engine: record an operation, walk the graph back.

An operation is a function of arrays plus, for each input, a *rule*: the gradient of the loss by
that input from the gradient by the output (a vector-Jacobian product, or VJP). A rule's parameters
say what it needs, and that is all that is kept for it::

    @Op
    def mul(a, b):
        return a * b

    @mul.rule("a")
    def mul_ga(gy, b):      # gy: the cotangent, dL/dy; keeps b and not a
        return gy * b

After ``gy`` a rule may name an input (``a``), only its shape (``a_shape``), the output (``y``),
an option (a keyword-only parameter of the operation), and, where an operation takes any number
of inputs, ``i``, the number of the one asked for.

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
import operator
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from tinynet import anomaly
from tinynet.backend import PLAIN, array_module, as_array, is_array, ndarray, operand
from tinynet.dtypes import float32, is_new_float
from tinynet.modes import modes, recording

# One clock stamps nodes and in-place changes. An input is made before the node that uses it, so
# decreasing stamps are a reverse topological order; and a value changed after a node kept it
# carries a later stamp than the node.
_tick = itertools.count(1).__next__


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
        # when the array was last changed in place, in a list that views share; None for never
        self._version: list[int] | None = None
        self.grad: Any = None
        self.grad_fn = grad_fn
        self.requires_grad = requires_grad

    clone: Callable[[], Value]  # Tensor's, recorded; so is `to`
    to: Callable[..., Value]

    def alias(self) -> Value:
        """The same memory, outside the graph; a change in place is seen from both."""
        out = self.result_type(self._data)
        out._share_version(self)
        return out

    def _share_version(self, other: Value) -> None:
        """Two look at one memory: what changes one of them changes both."""
        self._version = other._version = other._version or [0]

    def _touch(self) -> None:
        """Note that the array was changed in place, for all who look at it."""
        if self._version is None:
            self._version = [0]
        self._version[0] = _tick()

    def _link(self) -> Node | Value | None:
        """What a graph points to for this value: its node, itself if a leaf, or nothing."""
        return (self.grad_fn or self) if self.requires_grad else None


def raw(x: Any) -> Any:
    """The array of a Value, and anything else as it is."""
    return x._data if isinstance(x, Value) else x


class Node:
    """One recorded operation: where its inputs came from, and what its rules need."""

    __slots__ = ("__weakref__", "edges", "op", "retained", "stamp", "where")

    where: str  # the line that called the operation, within detect_anomaly

    def __init__(self, op: Op, args: Sequence[Any], options: dict[str, Any], out: Value) -> None:
        self.op = op
        # For each input that wants a gradient: its number, where it came from (a node, or itself
        # if a leaf), its shape, its rule and the rule's arguments. None once they were freed.
        self.edges: list[Any] | None = []
        for i, a in enumerate(args):
            if isinstance(a, Value) and a.requires_grad:
                rule = op.rules[op.inputs[0 if op.variadic else i]]
                kept = rule.fetch(i, args, options, out)
                self.edges.append((i, a.grad_fn or a, a._data.shape, rule, kept))
        self.stamp = _tick()
        self.retained: weakref.ref[Value] | None = None  # set by Tensor.retain_grad

    def gradient(self, edge: Any, gy: Any, create_graph: bool) -> Any:
        """The gradient by the input of an edge, of that input's shape."""
        _, _, shape, rule, kept = edge
        args = [gy]
        for name, a in zip(rule.needs, kept) if kept else ():  # noqa: B905, strict is slow
            if isinstance(a, Value):
                if not create_graph and (a._version is None or a._version[0] <= self.stamp):
                    a = a._data  # the usual case
                else:
                    a = self._unpack(name, a, create_graph)
            elif isinstance(a, tuple):  # the inputs of an operation that takes any number of them
                a = tuple([self._unpack(name, v, create_graph) for v in a])
            args.append(a)
        g = rule.function(*args)
        return g if g.shape == shape else self.op.fit(g, shape)

    def _unpack(self, name: str, a: Any, create_graph: bool) -> Any:
        """What was kept: an array at first order, a Value of this graph at higher order."""
        if not isinstance(a, Value):
            return a
        if a._version is not None and a._version[0] > self.stamp:
            raise RuntimeError(
                f"backward: `{name}` (shape {tuple(a._data.shape)}), kept for the rule of "
                f"{self.op.name}, was changed in place after {self.op.name} had used it; change "
                "a copy (x = x + 1, or x.clone()), or change it after backward"
            )
        if not create_graph:
            return a._data
        return a if name != "y" else type(a)(a._data, True, self)


class Rule:
    """The gradient by one input: a function, what its parameters name, and how to fetch that."""

    def __init__(self, function: Callable[..., Any], op: Op) -> None:
        self.function = function
        self.needs = tuple(inspect.signature(function).parameters)[1:]
        # One function for all of it, made of source: this runs for each node of each graph.
        kept = "".join([f"{_fetch(name, op)}, " for name in self.needs])
        names = {"raw": raw, "defaults": op.options}
        self.fetch = eval(f"lambda i, args, options, out: ({kept})", names)


def _fetch(name: str, op: Op) -> str:
    """What a rule for input i calls `name`: an expression in the parts of a call of `op`."""
    if name == "i":
        return "i"
    if name == "y":
        # not the output itself, which points to the node: that would be a cycle
        return "out.alias()"
    if name in op.options:
        return f"options.get({name!r}, defaults[{name!r}])"
    if op.variadic:
        return "args" if name in op.inputs else "tuple([raw(a).shape for a in args])"
    arg = f"args[{op.inputs.index(name.removesuffix('_shape'))}]"
    return arg if name in op.inputs else f"raw({arg}).shape"


class Op:
    """A differentiable operation: callable on arrays and on Values, with a rule for each input."""

    def __init__(self, forward: Callable[..., Any]) -> None:
        functools.update_wrapper(self, forward)
        self.name = forward.__name__
        self.forward = forward
        parameters = inspect.signature(forward).parameters.values()
        self.inputs = [p.name for p in parameters if p.kind != p.KEYWORD_ONLY]
        self.options = {p.name: p.default for p in parameters if p.kind == p.KEYWORD_ONLY}
        self.variadic = any(p.kind == p.VAR_POSITIONAL for p in parameters)
        self.rules: dict[str, Rule] = {}

    def rule(self, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorator: the function is the rule for the input of that name."""

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            self.rules[name] = Rule(function, self)
            return function

        return register

    def __call__(self, *args: Any, **options: Any) -> Any:
        value: Value | None = None
        tracked = odd = False
        arrays: list[Any] = []
        for a in args:
            if isinstance(a, Value):
                value = a
                arrays.append(a._data)
                if a.requires_grad:
                    tracked = True
            else:
                arrays.append(a)
                if type(a) not in PLAIN:
                    odd = True
        if value is None:
            return self.forward(*args, **options)
        if odd:
            args = tuple([a if isinstance(a, Value) else operand(self.name, a) for a in args])
            arrays = [raw(a) for a in args]
        try:
            y = self.forward(*arrays, **options)
        except (TypeError, ValueError, IndexError) as error:
            array_module(*arrays)  # says so if they are on different devices
            # NumPy has TypeErrors of its own, which are not made from a message
            kind = TypeError if isinstance(error, TypeError) else type(error)
            raise kind(self.explain(error, arrays, options)) from error
        if type(y) is not ndarray:
            y = as_array(y)
        if y.dtype is not float32 and is_new_float(y.dtype, arrays, options):
            args = tuple([_integers_as_float32(a) for a in args])
            arrays = [raw(a) for a in args]
            y = self.forward(*arrays, **options).astype(float32, copy=False)
        out = value.result_type(y)
        if y.base is not None:
            _note_view(out, args)
        if tracked and modes.recording:
            out.requires_grad = True
            out.grad_fn = Node(self, args, options, out)
        if modes.anomaly:
            anomaly.check_forward(self.name, y, arrays)
            if out.grad_fn is not None:
                out.grad_fn.where = anomaly.calling_line()
        return out

    def fit(self, g: Any, shape: tuple[int, ...]) -> Any:
        """Make a rule's result the shape of its input; only after a broadcast may it differ."""
        raise AssertionError(f"{self.name}: a rule returned {g.shape} for an input of {shape}")

    def explain(self, error: Exception, arrays: list[Any], options: dict[str, Any]) -> str:
        """The message of an error that the array module raised, in this operation's terms."""
        named = [name for name, a in options.items() if isinstance(a, Value)]
        if named:
            return f"{self.name}: give {', '.join(named)} by position, not by name"
        text = str(error)
        return text if text.startswith(self.name) else f"{self.name}: {text}"


def _integers_as_float32(a: Any) -> Any:
    array = raw(a)
    if not is_array(array) or array.dtype.kind not in "iu":
        return a
    return a.to(float32) if isinstance(a, Value) else a.astype(float32)


def _note_view(out: Value, args: Sequence[Any]) -> None:
    """A view is changed when what it looks at is, and the other way round."""
    base = out._data.base
    for a in args:
        if isinstance(a, Value) and (base is a._data or base is a._data.base):
            out._share_version(a)


def _nodes_behind(roots: Iterable[Node | Value]) -> tuple[list[Node], dict[Value, None]]:
    """All nodes that the roots were computed from, each once, latest first; and the leaves.

    A stack and no recursion: a chain of 50,000 operations has no room on Python's.
    """
    nodes: list[Node] = []
    leaves: dict[Value, None] = {}  # a set has another order in each run
    stack: list[Any] = list(roots)
    seen: set[Any] = set()
    while stack:
        link = stack.pop()
        if link in seen:
            continue
        seen.add(link)
        if not isinstance(link, Node):
            leaves[link] = None
            continue
        if link.edges is None:
            raise RuntimeError(
                f"backward: the graph was freed by an earlier backward (at {link.op.name}); "
                "give the earlier one retain_graph=True, or run the forward again"
            )
        nodes.append(link)
        for edge in link.edges:
            stack.append(edge[1])
    nodes.sort(key=_stamp, reverse=True)
    return nodes, leaves


_stamp = operator.attrgetter("stamp")


def _walk_back(
    links: Sequence[Node | Value],
    seeds: Sequence[Any],
    targets: Sequence[Node | Value] | None,
    retain_graph: bool,
    create_graph: bool,
) -> tuple[dict[Any, Any], dict[Value, None]]:
    """Carry the seeds back; returns gradients by node or leaf, and the leaves met.

    With `targets`, only what leads to them is computed, and their gradients are returned.
    """
    nodes, leaves = _nodes_behind(links)
    watched = modes.anomaly
    asked = set(targets or ())
    wanted = set(asked)  # with targets: what leads to them
    for node in reversed(nodes) if targets is not None else ():
        if any([edge[1] in wanted for edge in node.edges or ()]):
            wanted.add(node)
    # Of this call alone: kept on the nodes, a second backward would add the first one's again.
    grads: dict[Any, Any] = {}
    for link, seed in zip(links, seeds, strict=True):
        grads[link] = grads[link] + seed if link in grads else seed
    for node in nodes:
        gy = grads.get(node) if node in asked else grads.pop(node, None)
        if gy is None:
            continue
        if node.retained is not None and targets is None:
            watcher = node.retained()
            if watcher is not None:
                _accumulate(watcher, _own(gy))
        for edge in node.edges or ():
            link = edge[1]
            if targets is not None and link not in wanted:
                continue
            g = node.gradient(edge, gy, create_graph)
            if watched:
                where = getattr(node, "where", "(run the forward in detect_anomaly too)")
                anomaly.check_backward(node.op.name, edge[0], raw(g), raw(gy), where)
            if link in grads:  # out of place: `a + b` hands one array to both of its inputs
                grads[link] = grads[link] + g
            elif link in leaves and not _is_new(g, gy, edge[-1]):
                grads[link] = _own(g)
            else:
                grads[link] = g
        if not retain_graph:
            node.edges = None
    return grads, leaves


def _is_new(g: Any, gy: Any, kept: Sequence[Any]) -> bool:
    """Whether nothing else refers to the memory of `g`: a rule may pass on what it was given."""
    array = raw(g)
    if array.base is not None or array is raw(gy):
        return False
    return all([raw(a) is not array for a in kept])


def _own(g: Any) -> Any:
    """A copy of a gradient in memory of its own; the copy of a Value is recorded as one."""
    return g.clone() if isinstance(g, Value) else g.copy()


def _as_value(g: Any, like: Value) -> Any:
    """The gradient as a Value, in the dtype of what it belongs to."""
    dtype = like._data.dtype
    if isinstance(g, Value):
        return g if g._data.dtype == dtype else g.to(dtype)
    if type(g) is not ndarray or g.dtype != dtype:
        g = as_array(g).astype(dtype, copy=False)
    return like.result_type(g)


def _accumulate(value: Value, g: Any) -> None:
    """Add to `grad`, out of place: whoever kept the former gradient still has it."""
    g = _as_value(g, value)
    value.grad = g if value.grad is None else value.grad + g


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
        one = array_module(data).ones(data.shape, data.dtype)
        return output.result_type(one) if create_graph else one
    array = raw(gradient)
    if not is_array(array) or array.shape != data.shape:
        raise ValueError(
            f"{name}: gradient has shape {getattr(array, 'shape', type(array).__name__)}, but the "
            f"output has {tuple(data.shape)}; they must be equal"
        )
    array_module(array, data)
    seed = _as_value(gradient, output)
    return seed if create_graph else seed._data


def backward(
    output: Value,
    gradient: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Add d(gradient . output)/d(leaf) to the `grad` of every leaf; see `Tensor.backward`."""
    retain_graph = create_graph if retain_graph is None else retain_graph
    seed = _seed(output, gradient, "backward", create_graph)
    with recording(create_graph):
        link = output._link()
        assert link is not None
        grads, leaves = _walk_back([link], [seed], None, retain_graph, create_graph)
        for leaf in leaves:
            if leaf in grads:
                _accumulate(leaf, _own(grads[leaf]) if leaf is output else grads[leaf])


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
    its shape and dtype: vector-Jacobian products. As `torch.autograd.grad`.

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
    with recording(create_graph):
        grads, _ = _walk_back(links, seeds, targets, retain_graph, create_graph)  # type: ignore[arg-type]
        results = []
        for i, (x, target) in enumerate(zip(inputs, targets, strict=True)):
            g = grads.get(target)
            if g is None and not allow_unused:
                raise RuntimeError(
                    f"grad: the outputs do not depend on input {i} of shape "
                    f"{tuple(x._data.shape)}; give allow_unused=True to have None for it"
                )
            results.append(None if g is None else _as_value(_own(g), x))
        return tuple(results)
