"""backward and grad: walk the graph from tensors, and return its gradients as tensors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tinynet.autograd import guards
from tinynet.autograd.accumulate import Accumulator
from tinynet.autograd.engine import Node, Order, nodes_behind, run_rule, walk_back
from tinynet.autograd.guards import copied
from tinynet.autograd.modes import recording
from tinynet.autograd.value import Value
from tinynet.backend import as_array, full, ndarray, quiet_underflow


def _as_value(g: Any, like: Value) -> Any:
    """The gradient as a Value in the dtype of `like`."""
    dtype = like._data.dtype
    if isinstance(g, Value):
        return g if g._data.dtype == dtype else g.to(dtype)  # type: ignore[attr-defined]
    if type(g) is not ndarray or g.dtype != dtype:
        g = as_array(g).astype(dtype, copy=False)
    return like.result_type(g)


def _accumulate(value: Value, g: Any) -> None:
    """Add to `grad` out of place, so that a reference to the previous gradient stays valid."""
    g = _as_value(g, value)
    value._grad = g if value._grad is None else value._grad + g


def _seed(output: Value, gradient: Any, name: str, create_graph: bool) -> Any:
    """The initial cotangent: `gradient`, or by default 1 for a single number."""
    guards.check_seed(name, output, gradient)
    if gradient is None:
        one = full(output._data.shape, 1, output._data)
        return output.result_type(one) if create_graph else one
    seed = _as_value(gradient, output)
    return seed if create_graph else seed._data


def _leading_to(targets: Iterable[Any], nodes: Sequence[Node]) -> set[Any]:
    """The targets and all sources computed from them; `nodes` are sorted latest first."""
    wanted = set(targets)
    for node in reversed(nodes):
        for edge in node.edges or ():
            if edge[1] in wanted:
                wanted.add(node)
                if node.outputs:
                    wanted.update([(node, k) for k in range(1, len(node.outputs))])
                break
    return wanted


def _collect_hooks(arrived: Accumulator, order: Order) -> list[tuple[Any, Any]]:
    """Give the accumulator the hooks of all tensors of the walk.

    Returns:
        The sources that retain their gradient, each with a weak reference to the tensor.
    """
    nodes, leaves = order
    retained = []
    for node in nodes:
        for k, attached in node.attached.items() if node.attached else ():
            source = (node, k) if k else node
            if attached.hooks:
                arrived.hooks[source] = attached.hooks, attached.kind
            if attached.retained:
                retained.append((source, attached.retained))
    for leaf in leaves:
        if leaf._hooks:
            arrived.hooks[leaf] = leaf._hooks, leaf.result_type
    return retained


@quiet_underflow
def backward(
    output: Value,
    gradient: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Add d(gradient . output)/d(leaf) to the `grad` of every leaf; see `Tensor.backward`."""
    seed = _seed(output, gradient, "backward", create_graph)
    retain_graph = create_graph if retain_graph is None else retain_graph
    with recording(create_graph):
        arrived = Accumulator(run_rule, create_graph)
        arrived.add(output._source or output, seed)
        order = nodes_behind(arrived.grads)
        retained = _collect_hooks(arrived, order)
        for source, _ in retained:
            arrived.kept.add(source)
        walk_back(arrived, order, set(), retain_graph)
        for leaf in order[1]:
            special = leaf._hooks or leaf in arrived.joint
            g = arrived.take(leaf) if special else arrived.grads.get(leaf)
            if g is not None:
                _accumulate(leaf, copied(g) if leaf is output else g)
        for source, reference in retained:
            value = reference()
            if value is not None and source in arrived.grads:
                _accumulate(value, copied(arrived.grads[source]))


@quiet_underflow
def grad(
    outputs: Value | Sequence[Value],
    inputs: Value | Sequence[Value],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """Compute gradients of outputs with respect to inputs, without changing any `grad`.

    g_i = sum over k of grad_outputs[k] . d outputs[k] / d inputs[i], as in `torch.autograd.grad`:
    vector-Jacobian products.

    Args:
        outputs: a tensor or several.
        inputs: a tensor or several, leaves or computed, that require a gradient.
        grad_outputs: one cotangent per output, of its shape; may be None for single numbers.
        retain_graph: keep the graph for another walk; defaults to `create_graph`.
        create_graph: record the walk, so that the gradients can be differentiated again.
        allow_unused: return None for an input that the outputs do not depend on, instead of
            raising.

    Returns:
        A tuple with one gradient per input, of its shape and dtype.

    Raises:
        RuntimeError: if an input does not require a gradient or is unused, and as for
            `Tensor.backward`.
        ValueError: if the number or a shape of `grad_outputs` does not fit.
    """
    outputs = [outputs] if isinstance(outputs, Value) else list(outputs)
    inputs = [inputs] if isinstance(inputs, Value) else list(inputs)
    given = list(grad_outputs) if isinstance(grad_outputs, list | tuple) else [grad_outputs]
    if grad_outputs is None:
        given = [None] * len(outputs)
    guards.check_grad(outputs, inputs, given)
    seeds = [_seed(y, g, "grad", create_graph) for y, g in zip(outputs, given, strict=True)]
    targets = [x._source or x for x in inputs]
    retain_graph = create_graph if retain_graph is None else retain_graph
    with recording(create_graph):
        arrived = Accumulator(run_rule, create_graph, targets)
        for y, seed in zip(outputs, seeds, strict=True):
            arrived.add(y._source or y, seed)
        order = nodes_behind(arrived.grads)
        wanted = _leading_to(targets, order[0])
        _collect_hooks(arrived, order)
        walk_back(arrived, order, wanted, retain_graph)
        for leaf in order[1]:
            if leaf._hooks or leaf in arrived.joint:
                arrived.take(leaf)
        found = [arrived.grads.get(target) for target in targets]
        for i, (x, g) in enumerate(zip(inputs, found, strict=True)):
            if g is None and not allow_unused:
                raise guards.unused(i, x)
        pairs = zip(found, inputs, strict=True)
        return tuple([None if g is None else _as_value(copied(g), x) for g, x in pairs])
