"""The graph behind a tensor as plain data: what `explain`, `draw` and the pages are made from.

    trace(loss, model)                                  # what the loss still knows
    trace(lambda: cross_entropy(model(x), y), model)    # runs the function and sees everything

gives a `Graph`: `steps`, a list of `Step` in the order of computation (inputs before what is
computed from them; a step's `id` is its place in the list), and `output`, the id of the last.

A graph keeps only what its rules need, so from a loss alone the values of some steps, constants
that no rule needs, and options are missing (None, or not there), and which module made a step is
read from the parameters that it takes. A function is run under `watch`, and nothing is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tinynet.autograd import Node
from tinynet.graph.builder import Builder, calls_by_parameters
from tinynet.graph.steps import Graph
from tinynet.graph.watch import Record, watch
from tinynet.nn.module import Module
from tinynet.tensor import Tensor


def trace(
    output: Tensor | Callable[[], Tensor],
    model: Module | None = None,
    names: Mapping[str, Tensor] | None = None,
    gradients: bool = True,
    caller: str = "trace",
) -> Graph:
    """The graph behind a tensor, or behind what a function returns. Changes nothing and frees
    nothing: no `grad` is touched, and `backward` can follow.

    Args:
        output: a tensor, or a function of no arguments that returns one.
        model: gives names to parameters and modules; from a function, the first module that it
            calls if left out.
        names: names for further tensors, as ``{"x": x}``.
        gradients: whether to compute the gradient of the output by every step; it is left out
            anyhow if the output is not a single number.
        caller: what error messages begin with.

    Raises:
        TypeError: for anything but a tensor or a function that returns one.
        RuntimeError: for a tensor that no operation recorded, and for a graph that was freed.
    """
    records: dict[int, Record] = {}
    if isinstance(output, Module):
        raise TypeError(
            f"{caller}: got a model, {type(output).__name__}; give a loss, or lambda: model(x)"
        )
    watched = not isinstance(output, Tensor) and callable(output)
    if watched:
        with watch() as seen:
            output = output()  # type: ignore[operator]
        records = seen.records
        if model is None and seen.models:
            model = seen.models[0]
    if not isinstance(output, Tensor):
        raise TypeError(
            f"{caller}: got {type(output).__name__}; give a tensor, or a function of no arguments "
            "that returns one"
        )
    if output.grad_fn is None:
        raise RuntimeError(
            f"{caller}: the tensor of shape {output.shape} has no graph: no operation on a tensor "
            "with requires_grad=True made it (or one inside no_grad)"
        )
    builder = Builder(model, names or {}, records)
    for node in _nodes(output.grad_fn, caller):
        builder.add(node)
    builder.finish(output)
    if gradients and output.numel() == 1:
        builder.differentiate(output)
    if not watched and model is not None:
        calls_by_parameters(builder.steps, model)
    return Graph(builder.steps, builder.steps[-1].id, watched)


def _nodes(root: Node, caller: str) -> list[Node]:
    """All nodes behind the root, each once, earliest first; a stack and no recursion."""
    found: dict[int, Node] = {}
    stack: list[Any] = [root]
    while stack:
        node = stack.pop()
        if not isinstance(node, Node) or id(node) in found:
            continue
        if node.edges is None:
            raise RuntimeError(
                f"{caller}: the graph was freed by an earlier backward (at {node.op.name}); call "
                f"{caller} before it, give it retain_graph=True, or run the forward again"
            )
        found[id(node)] = node
        stack.extend(edge[1] for edge in node.edges)
    return sorted(found.values(), key=lambda node: node.stamp)
