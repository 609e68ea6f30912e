"""draw: the graph behind a tensor as an SVG picture, or as text for Graphviz and Mermaid."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tinynet.console import printable
from tinynet.graph.picture import Box, Edge, picture
from tinynet.graph.svg import svg
from tinynet.graph.trace import trace
from tinynet.nn.module import Module
from tinynet.tensor import Tensor


@dataclass
class Drawing:
    """Result of `draw`; `str` returns the text, and a notebook displays an SVG as a picture."""

    text: str
    format: str
    boxes: list[Box]
    edges: list[Edge]

    def __str__(self) -> str:
        return printable(self.text)

    def __repr__(self) -> str:
        return f"<{self.format} of {len(self.boxes):,} boxes and {len(self.edges):,} edges>"

    def _repr_svg_(self) -> str | None:
        return self.text if self.format == "svg" else None


def draw(
    output: Tensor | Callable[[], Tensor],
    model: Module | None = None,
    names: Mapping[str, Tensor] | None = None,
    *,
    format: str = "svg",
    by: str = "operation",
    depth: int | None = None,
    path: str | pathlib.Path | None = None,
) -> Drawing:
    """Draw the graph behind a tensor, with inputs at the top and shapes next to the edges.

    >>> import tinynet as tn
    >>> x = tn.tensor([3.0, 4.0], requires_grad=True)
    >>> print(tn.draw(x.relu().sum(), names={"x": x}, format="mermaid"))
    flowchart TD
      n0[/"x"/]
      n1["relu"]
      n2["sum"]
      n0 -->|"(2,)"| n1
      n1 -->|"(2,)"| n2

    Args:
        output: a tensor, or a function without arguments that returns one (see `tinynet.explain`).
        model: the source of names for parameters and modules; by default the first module that
            the function calls.
        names: names of further tensors, such as ``{"x": x}``.
        format: "svg", "dot" (Graphviz) or "mermaid".
        by: "operation" for one box per operation, or "module" for one box per call of a module,
            which includes its parameters. If `output` is a tensor, a module contains the
            operations on its parameters; if it is a function, all operations that it runs.
        depth: with by="module", the number of levels of nested modules to show; None for all.
        path: a file to write the text to.

    Returns:
        A `Drawing`.

    Raises:
        ValueError: for an unknown format, or for by="module" if no module is known.
        RuntimeError: if the tensor has no graph, or backward has freed it.
        OSError: if `path` cannot be written.
    """
    if format not in FORMATS:
        raise ValueError(f"draw: format is {format!r}; it must be one of {', '.join(FORMATS)}")
    if by not in ("operation", "module"):
        raise ValueError(f"draw: by is {by!r}; it must be 'operation' or 'module'")
    graph = trace(output, model, names, gradients=False, caller="draw")
    if by == "module" and not any(step.calls for step in graph.steps):
        raise ValueError(
            "draw: by='module', but no module is known; give model=, or a function of no "
            "arguments that calls one"
        )
    boxes, edges = picture(graph, by == "module", depth)
    drawing = Drawing(FORMATS[format](boxes, edges), format, boxes, edges)
    if path is not None:
        try:
            pathlib.Path(path).write_text(drawing.text, encoding="utf-8")
        except OSError as error:
            reason = error.strerror or error
            raise type(error)(f"draw: cannot write {str(path)!r}: {reason}") from None
    return drawing


def dot(boxes: list[Box], edges: list[Edge]) -> str:
    """The graph in Graphviz's language."""
    styles = {
        "parameter": ', style="rounded,filled", fillcolor="#fff3d6"',
        "input": ', shape=ellipse, style=filled, fillcolor="#e6f4ea"',
        "constant": ", shape=ellipse",
        "module": ', style=filled, fillcolor="#efe7fb"',
        "operation": "",
    }
    lines = ["digraph {", '  node [shape=box, fontname="monospace"];',
             '  edge [fontname="monospace", fontsize=10];']  # fmt: skip
    for k, box in enumerate(boxes):
        label = json.dumps("\n".join(box.lines), ensure_ascii=False)
        lines.append(f"  n{k} [label={label}{styles[box.kind]}];")
    for edge in edges:
        label = json.dumps(edge.label)
        lines.append(f"  n{edge.source} -> n{edge.target} [label={label}];")
    return "\n".join([*lines, "}"])


def mermaid(boxes: list[Box], edges: list[Edge]) -> str:
    """The graph in Mermaid's language, which many sites render in Markdown."""
    brackets = {
        "parameter": ("([", "])"), "input": ("[/", "/]"), "constant": ("(", ")"),
        "module": ("[[", "]]"), "operation": ("[", "]"),
    }  # fmt: skip
    lines = ["flowchart TD"]
    for k, box in enumerate(boxes):
        left, right = brackets[box.kind]
        text = "<br/>".join(_entities(line) for line in box.lines)
        lines.append(f'  n{k}{left}"{text}"{right}')
    for edge in edges:
        label = f'|"{_entities(edge.label)}"|' if edge.label else ""
        lines.append(f"  n{edge.source} -->{label} n{edge.target}")
    return "\n".join(lines)


def _entities(text: str) -> str:
    """Escape for Mermaid, as in HTML but with # instead of &."""
    codes = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;"}
    return "".join(codes.get(letter, letter) for letter in text)


FORMATS: dict[str, Callable[[list[Box], list[Edge]], str]] = {
    "svg": svg,
    "dot": dot,
    "mermaid": mermaid,
}
