"""explain: the graph as mathematics, one line per step behind a tensor."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinynet import backend
from tinynet.console import printable
from tinynet.graph.steps import Graph, Step
from tinynet.graph.trace import trace
from tinynet.nn.module import Module
from tinynet.tensor import Tensor

UNKNOWN = "·"
HEAD = ("step", "shape", "dtype", "‖value‖", "‖gradient‖", "operations", "formula")
NUMBERS = (3, 4, 5)  # the columns that are aligned right
NOTE = (
    f"{UNKNOWN} is what the graph did not keep, or what was changed in place later; a function, as "
    "in explain(lambda: loss_of(model(x))), keeps everything."
)


def aligned(rows: Sequence[Sequence[str]], right: Sequence[int]) -> list[str]:
    """Rows of a table as lines with aligned columns; `right` are the columns of numbers."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if k in right else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def norm(a: Any) -> float | None:
    """The Euclidean norm of all entries, in float64 to avoid overflow of float32 squares."""
    return None if a is None else float(np.linalg.norm(backend.to_numpy(a).astype("float64")))


def call(graph: Graph, step: Step) -> str:
    """``t3 = mul(t1, w)``, or the name of a leaf."""
    if step.op is None:
        return step.name
    given = (UNKNOWN if i.id is None else graph.steps[i.id].name for i in step.inputs)
    return f"{step.name} = {step.op.name}({', '.join(given)})"


@dataclass
class Explanation:
    """Result of `explain`; `str` returns the text, and a notebook displays a table."""

    graph: Graph

    def rows(self) -> list[tuple[str, ...]]:
        """One row per step, with the columns of `HEAD`."""
        rows: list[tuple[str, ...]] = []
        for step in self.graph.steps:
            value, gradient, cost = norm(step.value), norm(step.gradient), step.cost
            without = "" if step.kind == "constant" else UNKNOWN
            rows.append((
                call(self.graph, step),
                str(tuple(step.shape)),
                "" if step.dtype is None else str(step.dtype),
                UNKNOWN if value is None else f"{value:.4g}",
                without if gradient is None else f"{gradient:.4g}",
                UNKNOWN if cost is None else f"{cost.total:,}" if step.op else "",
                step.formula,
            ))  # fmt: skip
        return rows

    def summary(self) -> str:
        """Totals: tensor operations, parameters, arithmetic operations."""
        steps = self.graph.steps
        parameters = sum(math.prod(s.shape) for s in steps if s.kind == "parameter")
        costs = [s.cost for s in steps]
        known = [c for c in costs if c is not None]
        least = "at least " if len(known) < len(costs) else ""
        n = len(self.graph.operations)
        return (
            f"{n:,} tensor operation{'s' * (n != 1)}, {parameters:,} parameters, {least}"
            f"{sum(c.total for c in known):,} arithmetic operations forward: "
            f"{sum(c.multiply_adds for c in known):,} multiply-adds and "
            f"{sum(c.elementwise for c in known):,} elementwise ones"
        )

    def _notes(self) -> list[str]:
        missing = any(s.value is None for s in self.graph.steps)
        return [self.summary(), NOTE] if missing else [self.summary()]

    def __str__(self) -> str:
        lines = [*aligned([HEAD, *self.rows()], NUMBERS), "", *self._notes()]
        return printable("\n".join(lines))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The table for notebooks, with all text escaped."""

        def line(tag: str, row: tuple[str, ...]) -> str:
            cells = (
                f'<{tag} style="text-align:{"right" if k in NUMBERS else "left"};'
                f'white-space:nowrap">{html.escape(cell)}</{tag}>'
                for k, cell in enumerate(row)
            )
            return f"<tr>{''.join(cells)}</tr>"

        body = "\n".join(line("td", row) for row in self.rows())
        below = "".join(f"<p>{html.escape(note)}</p>" for note in self._notes())
        return (
            f'<div style="overflow-x:auto"><table><thead>{line("th", HEAD)}</thead>\n'
            f"<tbody>{body}</tbody></table></div>{below}"
        )


def explain(
    output: Tensor | Callable[[], Tensor],
    model: Module | None = None,
    names: Mapping[str, Tensor] | None = None,
) -> Explanation:
    """Show the graph behind a tensor as mathematics, one line per step.

    Each line has the operation and its inputs, the shape and dtype, the norm of the value, the norm
    of the output's gradient with respect to it, the cost of the forward in arithmetic operations
    (multiply-adds and elementwise ones, see `tinynet.graph.cost`), and the formula.

    >>> import tinynet as tn
    >>> x = tn.tensor([3.0, 4.0], requires_grad=True)
    >>> print(tn.explain((x * x).sum(), names={"x": x}))
    step           shape  dtype    ‖value‖  ‖gradient‖  operations  formula
    x              (2,)   float32        5          10              input
    t1 = mul(x, x) (2,)   float32        ·       1.414           2  y = a b.
    t2 = sum(t1)   ()     float32       25           1           2  y = sum of x_i over ...

    No `grad` changes and the graph is not freed, so `backward` can follow. Gradients are omitted
    if the output is not a single number.

    Args:
        output: a tensor such as a loss, for the values that its graph kept; or a function without
            arguments that returns one, which is run to show every value and module.
        model: the source of parameter names; by default the first module that the function calls.
        names: names of further tensors, such as ``{"x": x}``.

    Returns:
        An `Explanation`; its `str` is the text, and a notebook displays it as a table.

    Raises:
        RuntimeError: if the tensor has no graph, or backward has freed it.
        TypeError: for anything except a tensor or a function that returns one.
    """
    return Explanation(trace(output, model, names, caller="explain"))
