"""trace: the graph behind a tensor as plain data, for `explain`, `draw` and the study pages."""

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
    """Return the graph behind a tensor, or behind the tensor that a function returns.

    ::

        trace(loss, model)                                  # what the graph of the loss has kept
        trace(lambda: cross_entropy(model(x), y), model)    # runs the function, records everything

    A graph keeps only what its rules need. From a loss alone, the values of some steps, constants
    that no rule needs, and some options are missing (None or absent), and the module of a step is
    guessed from its parameters. A function runs under a `Tape`, so only the values that it changes
    in place later are missing. No `grad` changes and the graph is not freed, so `backward` can
    follow.

    Args:
        output: a tensor, or a function without arguments that returns one.
        model: the source of names for parameters and modules; by default the first module that
            the function calls.
        names: names of further tensors, such as ``{"x": x}``.
        gradients: whether to compute the gradient of the output with respect to every step;
            skipped if the output is not a single number.
        caller: the prefix of error messages.

    Raises:
        TypeError: for anything except a tensor or a function that returns one.
        RuntimeError: if the tensor has no graph, or backward has freed it.
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
            f"{caller}: got {type(output).__name__}; give a tensor, or a function without "
            "arguments that returns one"
        )
    if output.grad_fn is None:
        raise RuntimeError(
            f"{caller}: the tensor of shape {output.shape} has no graph; compute it from a tensor "
            "with requires_grad=True, outside no_grad"
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
    return Graph(builder.steps, builder.steps[-1].id)
