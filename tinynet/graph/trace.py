"""trace: the graph behind a tensor as plain data, which `explain`, `draw` and the pages read.

    trace(loss, model)                                  # what the loss still knows
    trace(lambda: cross_entropy(model(x), y), model)    # runs the function and sees everything

gives a `Graph`: `steps`, a list of `Step` in the order of computation (inputs before what is
computed from them; a step's `id` is its place in the list), and `output`, the id of the last.

A graph keeps only what its rules need. From a loss alone, the values of some steps, constants that
no rule needs, and some options are missing (None, or not there), and the module around a step is
guessed from the parameters the step takes. A function is run under a `Tape`, and nothing is
missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tinynet.autograd.engine import nodes_behind
from tinynet.graph.builder import Builder, calls_by_parameters
from tinynet.graph.steps import Graph
from tinynet.graph.watch import Record, Tape
from tinynet.nn.module import Module
from tinynet.tensor import Tensor


def trace(
    output: Tensor | Callable[[], Tensor],
    model: Module | None = None,
    names: Mapping[str, Tensor] | None = None,
    gradients: bool = True,
    caller: str = "trace",
) -> Graph:
    """The graph behind a tensor, or behind what a function returns.

    No `grad` is touched and nothing is freed: `backward` can follow.

    Args:
        output: a tensor, or a function of no arguments that returns one.
        model: names parameters and modules; by default the first module that the function calls.
        names: names for further tensors, as ``{"x": x}``.
        gradients: whether to compute the gradient of the output by every step; there are none if
            the output is not a single number.
        caller: what error messages begin with.

    Raises:
        TypeError: for anything but a tensor or a function that returns one.
        RuntimeError: for a tensor without a graph, or with one that backward has freed.
    """
    records: dict[int, Record] = {}
    if isinstance(output, Module):
        raise TypeError(
            f"{caller}: got a model, {type(output).__name__}; give a loss, or lambda: model(x)"
        )
    watched = not isinstance(output, Tensor) and callable(output)
    if watched:
        with Tape() as tape:
            output = output()  # type: ignore[operator]
        for record in tape.records:
            for out in record.out if isinstance(record.out, tuple) else (record.out,):
                if out.grad_fn is not None:
                    records[id(out.grad_fn)] = record
        if model is None and tape.calls:
            model = tape.calls[0].module
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
    nodes, _ = nodes_behind([(output._source or output)], caller)
    for node in reversed(nodes):
        builder.add(node)
    builder.finish(output)
    if gradients and output.numel() == 1:
        builder.differentiate(output)
    if not watched and model is not None:
        calls_by_parameters(builder.steps, model)
    return Graph(builder.steps, builder.steps[-1].id, watched)
