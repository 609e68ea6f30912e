"""The engine: record an operation, walk the graph back.

An operation is a function of arrays plus a *rule* for each input. The rule computes the gradient
of the loss with respect to that input from the gradient with respect to the output (a
vector-Jacobian product, or VJP). Its parameters name the values to keep for it::

    @Op
    def mul(a, b):
        return a * b

    @mul.rule("a")
    def mul_ga(gy, b):      # gy: the cotangent, dL/dy; keeps b and not a
        return gy * b

After ``gy`` a rule may name an input (``a``), only its shape (``a_shape``), the output (``y``),
an option (a keyword-only parameter of the operation), and, for an operation with any number of
inputs, ``i``, the number of the input. An operation may return a tuple of arrays; then ``gy`` is a
list and ``y`` a tuple.

By default rules run on plain arrays, without any recording. With ``create_graph=True`` the same
rules run on Values, so that their operations are recorded and can be differentiated again.

Three questions that the code below answers:

* *Why not just call backward on each parent?* ``y = 3x; c = 2y + 5y`` reaches y twice. A node may
  pass its gradient on only when all of it has arrived, hence the order in `nodes_behind`.
* *Why add up?* By the multivariable chain rule, the derivative with respect to a value used in
  two places is the sum over the places.
* *Why does the graph hold nodes instead of Values?* A node that referred to its output would be a
  cycle, freed only by the garbage collector, and every activation would live as long as the graph.

Checks of an operation (types of operands, messages, changes in place) are in `guards`; operations
with several outputs and joint rules in `accumulate`. Anomaly detection, `tinynet.explain` and
profiling observe operations as a `Watcher`.
"""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tinynet.autograd import guards
from tinynet.autograd.accumulate import Accumulator, attach
from tinynet.autograd.guards import NUMBERS, kept
from tinynet.autograd.modes import modes
from tinynet.autograd.value import Value
from tinynet.autograd.versions import alias, tick
from tinynet.backend import ndarray
from tinynet.dtypes import float32, is_float16

Edge = tuple[int, Any, tuple[int, ...], "Rule"]  # input number, source, shape, rule
Order = tuple[list["Node"], dict[Value, None]]  # nodes, latest first, and leaves


class Rule:
    """The gradient with respect to one input: a function, and where to find its arguments."""

    def __init__(self, function: Callable[..., Any], op: Op, joint: bool = False) -> None:
        self.function, self.joint = function, joint
        self.needs = tuple(inspect.signature(function).parameters)[1:]
        self.places = [(name, *op.places[name]) for name in self.needs]


class Node:
    """One recorded operation: the sources of its inputs, and what its rules need.

    Attributes:
        edges: number, source (a node or a leaf), shape and rule of each input that requires a
            gradient; None once the graph is freed.
        saved: the arguments of the rules, by name.
        outputs: shape and dtype of each output if there are several, else None.
        attached: the hooks of outputs, and which retain their gradient, by number, or None.
        where: the line that called the operation; set within `detect_anomaly`.
    """

    __slots__ = ("__weakref__", "attached", "edges", "op", "outputs", "saved", "stamp", "where")

    def __init__(self, op: Op, args: Sequence[Any], options: dict[str, Any], out: Any) -> None:
        edges: list[Edge] = []
        saved: dict[str, Any] = {}
        several = isinstance(out, tuple)
        for i, a in enumerate(args):
            if not isinstance(a, Value) or not a._requires_grad:
                continue
            rule = op.rules[op.inputs[0 if op.variadic else i]]
            edges.append((i, a._source or a, a._data.shape, rule))
            for name, kind, key in rule.places:
                if kind == "input":
                    x = args[key]
                    saved[name] = x if isinstance(x, Value) or type(x) in NUMBERS else kept(x)
                elif kind == "shape":
                    saved[name] = a._data.shape if key == i else guards.shapes(args)[key]
                elif kind == "option":
                    saved[name] = options.get(name, key)
                elif kind == "y":  # an alias: `out` itself refers to the node, a cycle
                    saved[name] = tuple(map(alias, out)) if several else alias(out)
        self.op, self.saved, self.stamp = op, saved, tick()
        self.edges: list[Edge] | None = edges
        self.outputs = [(o._data.shape, o._data.dtype) for o in out] if several else None
        self.attached: dict[int, Any] | None = None


class Op:
    """A differentiable operation, callable on arrays and on Values, with a rule for each input."""

    promote: Any = None  # brings two operands to one dtype, where an operation has such a rule
    accumulates = False  # whether it adds up: copied from its forward, see `dtypes.accumulates`

    def __init__(self, forward: Callable[..., Any]) -> None:
        functools.update_wrapper(self, forward)
        self.name, self.forward = forward.__name__, forward
        parameters = inspect.signature(forward).parameters.values()
        self.inputs = [p.name for p in parameters if p.kind != p.KEYWORD_ONLY]
        self.options = {p.name: p.default for p in parameters if p.kind == p.KEYWORD_ONLY}
        self.variadic = any(p.kind == p.VAR_POSITIONAL for p in parameters)
        self.rules: dict[str, Rule] = {}
        # what a rule may name: its kind, and its position among the inputs or its default
        self.places: dict[str, tuple[str, Any]] = {"y": ("y", None), "i": ("i", None)}
        for k, name in enumerate(self.inputs):
            place = slice(None) if self.variadic else k
            self.places |= {name: ("input", place), f"{name}_shape": ("shape", place)}
        self.places |= {name: ("option", default) for name, default in self.options.items()}

    def rule(self, name: str, joint: bool = False) -> Callable[..., Callable[..., Any]]:
        """Decorator that registers a function as the rule for an input.

        Args:
            name: the name of the input.
            joint: whether one call serves all nodes of this operation that read the same input.
                The rule then gets lists with one entry per node, of shapes and options only.
        """

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            guards.check_rule(self, name, function)
            self.rules[name] = Rule(function, self, joint)
            return function

        return register

    def __call__(self, *args: Any, **options: Any) -> Any:
        value, tracked, unusual, arrays = None, False, False, []
        for a in args:
            if isinstance(a, Value):
                value, array = a, a._data
                tracked = tracked or a._requires_grad
                unusual = unusual or array.dtype is not float32
                arrays.append(array)
            else:
                arrays.append(a)
                unusual = unusual or type(a) not in NUMBERS
        if value is None:
            if self.accumulates and is_float16(args[0]):
                return guards.accumulated(self, args, options)
            return self.forward(*args, **options)
        recording, watcher = modes()
        if watcher is not None:
            return watcher.run_operation(self, args, options)
        converted = guards.operands(self, args, arrays) if unusual else None
        if converted is not None:
            return self(*converted, **options)
        try:
            out = self.forward(*arrays, **options)
        except (TypeError, ValueError, IndexError, OverflowError) as error:
            raise guards.explained(self, error, arrays, options) from error
        plain = type(out) is ndarray and out.dtype is float32 and out.base is None
        if unusual or not plain:
            out = guards.result(self, out, args, arrays, options, value.result_type)
            if type(out) is list:  # the arguments, converted
                return self(*out, **options)
        else:
            out = value.result_type(out)
        if tracked and recording:
            node = Node(self, args, options, out)
            if node.outputs is None:
                out._requires_grad, out._source = True, node
            else:
                attach(out, node)
        return out

    def unbroadcast(self, g: Any, shape: tuple[int, ...]) -> Any:
        """Reduce a rule's result to the shape of its input; they differ only after a broadcast."""
        raise AssertionError(f"{self.name}: a rule returned {g.shape} for an input of {shape}")

    def explain(self, error: Exception, arrays: list[Any], options: dict[str, Any]) -> str:
        """Rewrite an error message of the array module in terms of this operation."""
        return guards.message(self.name, error, options)


def run_rule(node: Node, edge: Edge, gy: Any, create_graph: bool) -> Any:
    """Run the rule of an edge, on arrays or, with create_graph, on Values of the graph."""
    i, _, shape, rule = edge
    args = [gy]
    for name, kind, _ in rule.places:
        a = i if kind == "i" else node.saved[name]
        if isinstance(a, Value) and not create_graph and a._version[0] <= node.stamp:
            a = a._data  # the common case
        elif type(a) not in NUMBERS and kind in ("input", "y"):
            a = guards.unpack(node, name, a, create_graph)
        args.append(a)
    g = rule.function(*args)
    return g if g.shape == shape else node.op.unbroadcast(g, shape)


def nodes_behind(sources: Iterable[Any], caller: str = "backward") -> Order:
    """All nodes that the sources were computed from, each once, latest first; and the leaves.

    It keeps its own stack: a chain of 50,000 operations exceeds Python's recursion limit.
    """
    nodes: list[Node] = []
    leaves: dict[Value, None] = {}  # a set would have a different order in each run
    stack, seen = list(sources), set()
    while stack:
        source = stack.pop()
        if source in seen:
            continue
        seen.add(source)
        if isinstance(source, Node):
            if source.edges is None:
                raise guards.freed(caller, source.op.name)
            nodes.append(source)
            for edge in source.edges:
                stack.append(edge[1])
        elif isinstance(source, tuple):  # a node and the number of one of its outputs
            stack.append(source[0])
        else:
            leaves[source] = None
    nodes.sort(key=operator.attrgetter("stamp"), reverse=True)
    return nodes, leaves


def walk_back(arrived: Accumulator, order: Order, wanted: set[Any], retain_graph: bool) -> None:
    """Propagate the gradients through the nodes, latest first, to `wanted` sources if given."""
    nodes, leaves = order
    grads, joint, kept, hooks = arrived.grads, arrived.joint, arrived.kept, arrived.hooks
    run, create_graph = arrived.run, arrived.create_graph
    for node in nodes:
        special = joint or kept or hooks or node.outputs
        gy = arrived.take_all(node) if special else grads.pop(node, None)
        if gy is None:
            continue
        used = False
        for edge in node.edges or ():
            _, source, _, rule = edge
            if wanted and source not in wanted:
                continue
            used = True
            if rule.joint:
                arrived.postpone(node, edge, gy)
                continue
            g = run(node, edge, gy, create_graph)
            if source in grads:  # out of place, since `a + b` passes one array to both inputs
                g = grads[source] + g
            elif source in leaves:
                g = guards.owned(g, gy, node.saved)
            grads[source] = g
        if used and not retain_graph:
            node.edges, node.saved = None, {}
