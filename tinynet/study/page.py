"""The study page: one HTML file that holds all it needs."""

from __future__ import annotations

import html
import inspect
import json
import re
from importlib import resources

from tinynet.nn import Module
from tinynet.study.answers import answers
from tinynet.study.notation import number
from tinynet.study.outline import outline
from tinynet.study.sections import Sections
from tinynet.study.step import RATE, Study

_SCRIPTS = ("cells.js", "pictures.js", "page.js")


def page(study: Study, model: Module) -> str:
    """The page of a training step as HTML.

    Args:
        study: what it shows.
        model: the network, for the source of its forward.
    """
    told = answers(study)
    sections = Sections(study, {})
    for answer in told:
        key = answer.operation, answer.input
        sections.asides[key] = sections.asides.get(key, "") + answer.html
    forward = "".join(sections.forward(o) for o in study.operations)
    backward = "".join(sections.backward(o) for o in reversed(study.operations))
    digit = study.digit
    heading = f"One training step on a {digit.label}, forward and back"
    links = "".join(f'<li><a href="#{a.id}">{a.question}</a></li>' for a in told)
    main = "\n".join([
        '<section aria-labelledby="network"><h2 id="network">The network</h2>',
        _source(model),
        "</section>",
        '<section aria-labelledby="forward"><h2 id="forward">Forward</h2>',
        "<p>From the digit to the loss. In each picture a cell is one number: point at it, or "
        "click it, and the cells that it was computed from light up.</p>",
        forward,
        "</section>",
        '<section aria-labelledby="backward"><h2 id="backward">Backward</h2>',
        "<p>From the loss back to the digit, the operations in reverse. gy is the derivative of "
        "the loss by an operation's output y, gx by its input x; ⟨u, v⟩ is the sum of the products "
        "of the entries. Each rule follows from ⟨gy, dy⟩ = ⟨gx, dx⟩. Below each gradient stands "
        "the same derivative by finite differences of the loss, taken in float64.</p>",
        backward,
        "</section>",
        _update(study),
    ])  # fmt: skip
    values = {
        "title": f"{heading}: {study.network.name}",
        "heading": heading,
        "summary": (
            f"<p>{html.escape(study.network.title)}. The digit: {html.escape(digit.source)}. "
            f"The loss is {number(study.loss)}.</p>"
            f"<p>Answered below, with the numbers of this step:</p><ul>{links}</ul>"
            '<p>Colours: <span class="legend" role="img" aria-label="blue for negative, the ground '
            'for zero, orange for positive"></span> from minus the largest size in a picture over '
            "0 to the largest. Keys: Tab from picture to picture, arrows from cell to cell, Page "
            "Up and Down from map to map, Esc to let go.</p>"
            "<noscript><p><b>The pictures need JavaScript; all else can be read without.</b></p>"
            "</noscript>"
        ),
        "outline": outline(study),
        "main": main,
        # in JSON, "<" stands only inside strings, where it may be written so
        "data": json.dumps(sections.contents.data(), separators=(",", ":")).replace("<", "\\u003c"),
        "style": _read("page.css"),
        "script": "\n".join(_read(name) for name in _SCRIPTS),
    }
    # in one pass, so that nothing that was filled in is filled again
    return re.sub(r"\{\{(\w+)\}\}", lambda m: values[m[1]], _read("page.html"))


def _read(name: str) -> str:
    return (resources.files("tinynet.study") / name).read_text(encoding="utf-8")


def _source(model: Module) -> str:
    """The forward of the network, as it stands in its file."""
    lines, first = inspect.getsourcelines(type(model).forward)
    text = inspect.cleandoc("\n" + "".join(lines))
    where = f"{type(model).__module__.replace('.', '/')}.py:{first}"
    return (
        f'<div class="code"><p class="place">{html.escape(where)}</p>'
        f"<pre>{html.escape(text)}</pre></div>"
    )


def _update(study: Study) -> str:
    """The step itself."""
    count = sum(q.value.size for q in study.quantities.values() if q.kind == "parameter")
    return (
        '<section aria-labelledby="update"><h2 id="update">The step</h2>'
        f"<p>Gradient descent moves all {count:,} parameters against their gradients at once, "
        f"w ← w - α gw. With α = {RATE} the loss on this digit goes from "
        f"{number(study.loss)} to {number(study.loss_after)}.</p></section>"
    )
