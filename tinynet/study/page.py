"""The study page: one self-contained HTML file."""

from __future__ import annotations

import html
import inspect
import re
from importlib import resources

import numpy as np

from tinynet.nn import Module
from tinynet.study.answers import answers
from tinynet.study.contents import as_json
from tinynet.study.notation import formula, number
from tinynet.study.outline import outline
from tinynet.study.sections import Sections
from tinynet.study.step import RATE, Study

# the notation of formulas and listings: text to search for, symbol, meaning
_NOTATION = (
    ("gy", "gy", "the loss's derivative with respect to an operation's output y; gx: to input x"),
    ("⟨", "⟨u, v⟩", "the sum of the products of the entries"),
    ("SH", "N, C, H, W", "examples, channels, height and width of x; OC, OH, OW those of y"),
    ("SH", "SH, SW", "the stride; KH, KW the kernel's size, PH, PW padding, DH, DW dilation"),
    ("OC/G", "G, OC/G", "the groups, and OC / groups; K: what a matrix product sums over"),
    ("lse", "lse x", "ln Σ_c e^(x_c), log-sum-exp"),
    ("[c = t]", "[c = t]", "1 if the statement is true, else 0; so too [x > 0]"),
    ("raw(", "raw(x)", "the array inside a tensor"),
)


def page(study: Study, model: Module, weights: str = "given") -> str:
    """Make the HTML page of a training step of a model; `weights` says where they are from."""
    asked = answers(study)
    asides: dict[tuple[int, str], str] = {}
    for answer in asked:
        key = answer.operation, answer.input
        asides[key] = asides.get(key, "") + answer.html
    sections = Sections(study, asides)
    forward = "".join(sections.forward(o) for o in study.operations)
    backward = "".join(sections.backward(o) for o in reversed(study.operations))
    digit = study.digit
    heading = f"One training step on a {digit.label}, forward and backward"
    links = "".join(f'<li><a href="#{a.id}">{a.question}</a></li>' for a in asked)
    main = "\n".join([
        '<section aria-labelledby="network"><h2 id="network">The network</h2>',
        _source(model),
        _notation(forward + backward),
        "</section>",
        '<section aria-labelledby="forward"><h2 id="forward">Forward</h2>',
        "<p>From the digit to the loss. In each picture a cell is one number: point at it or "
        "click it to highlight the cells that it was computed from.</p>",
        forward,
        "</section>",
        '<section aria-labelledby="backward"><h2 id="backward">Backward</h2>',
        "<p>From the loss back to the digit, the operations in reverse. gy is the derivative of "
        "the loss with respect to an operation's output y, gx with respect to its input x; ⟨u, v⟩ "
        "is the sum of the products of the entries. Each rule follows from ⟨gy, dy⟩ = ⟨gx, dx⟩. "
        "The table below each gradient compares it with finite differences of the loss, computed "
        "in float64.</p>",
        backward,
        "</section>",
        _update(study),
    ])  # fmt: skip
    values = {
        "title": f"{heading}: {study.network.name}",
        "heading": heading,
        "summary": (
            f"<p>{html.escape(study.network.title)}. Weights: {html.escape(weights)}. "
            f"The digit: {html.escape(digit.source)}. "
            f"{study.network.guess(study.output.value)} "
            f"The loss is {number(study.loss)}.</p>"
            f"<p>Answered below, with the numbers of this step:</p><ul>{links}</ul>"
            '<p>Colours: <span class="legend" role="img" aria-label="a colour scale"></span> blue: '
            "negative, white (black in dark mode): 0, orange: positive; each picture has its own "
            "scale. Keys: Tab moves from picture to picture, arrows from cell to cell, Page "
            "Up and Down from map to map; Esc clears the selection.</p>"
            "<noscript><p><b>The pictures need JavaScript; the rest works without it.</b></p>"
            "</noscript>"
        ),
        "outline": outline(study),
        "main": main,
        "data": as_json(study, sections.roles),
        "style": _read("page.css"),
        "script": "\n".join(_read(name) for name in ("cells.js", "pictures.js", "page.js")),
    }
    # in one pass, so that inserted text is not searched for placeholders
    return re.sub(r"\{\{(\w+)\}\}", lambda m: values[m[1]], _read("page.html"))


def _read(name: str) -> str:
    return (resources.files("tinynet.study") / name).read_text(encoding="utf-8")


def _source(model: Module) -> str:
    """The source of the network's forward."""
    lines, first = inspect.getsourcelines(type(model).forward)
    text = inspect.cleandoc("\n" + "".join(lines))
    where = f"{type(model).__module__.replace('.', '/')}.py:{first}"
    return (
        f'<div class="code"><p class="place">{html.escape(where)}</p>'
        f"<pre>{html.escape(text)}</pre></div>"
    )


def _notation(shown: str) -> str:
    """The meanings of the symbols that occur in `shown`."""
    rows = "".join(
        f"<li><b>{html.escape(symbol)}</b>: {formula(meaning)}</li>"
        for sought, symbol, meaning in _NOTATION if sought in shown
    )  # fmt: skip
    return f"<details><summary>Notation</summary><ul>{rows}</ul></details>"


def _update(study: Study) -> str:
    """The update, and its effect on the weight with the largest gradient."""
    parameters = [q for q in study.quantities.values() if q.kind == "parameter"]
    count = sum(q.value.size for q in parameters)
    weights = [q for q in parameters if not q.key.rpartition(".")[2].startswith("b")]
    most = max(weights, key=lambda q: abs(q.gradient).max())  # type: ignore[arg-type]
    assert most.gradient is not None
    entry = np.unravel_index(abs(most.gradient).argmax(), most.gradient.shape)
    w, g = most.value[entry], most.gradient[entry]
    place = f"{most.key}[{','.join(map(str, entry))}]"
    return (
        '<section aria-labelledby="update"><h2 id="update">The step</h2>'
        f"<p>Gradient descent moves all {count:,} parameters against their gradients at once, "
        f"w ← w - α gw. With α = {RATE} the loss on this digit changes from "
        f"{number(study.loss)} to {number(study.loss_after)}.</p>"
        f"<p>For one of them, {place}: w = {number(w)}, gw = {number(g)}, and w - α gw = "
        f"{number(w - np.float32(RATE) * g)}.</p></section>"
    )
