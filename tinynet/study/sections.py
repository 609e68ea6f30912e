"""One operation of the page, forward or backward, as HTML."""

from __future__ import annotations

import html
from typing import Any

import numpy as np

from tinynet import ops
from tinynet.ops.windows import col2im
from tinynet.study.contents import Contents
from tinynet.study.derivation import notes
from tinynet.study.listing import Listing, listing
from tinynet.study.notation import formula, number
from tinynet.study.replay import Check
from tinynet.study.step import Operation, Study

_EMPTY = "Point at a cell, or click it, to see what it is made of. Arrow keys move on, Esc lets go."


class Sections:
    """Makes the sections of a study.

    Args:
        study: what to show.
        asides: HTML to put in by operation and input, as ``{(1, "x"): "<aside>..."}``.
    """

    def __init__(self, study: Study, asides: dict[tuple[int, str], str]) -> None:
        self.study, self.asides = study, asides
        self.contents = Contents(study)

    def name(self, key: str) -> str:
        """What a tensor is, for people."""
        symbol, _ = self.study.network.symbols(key)
        kind = self.study.quantities[key].kind
        if kind == "operation":
            operation = next(o for o in self.study.operations if o.output == key)
            plain = f"output of {operation.number} {operation.name}"
        elif kind == "constant":
            plain = key if self.study.quantities[key].is_number else "the right answer as one-hot"
        else:
            plain = "the digit" if key == "x" else key
        return f"{symbol}: {plain}" if symbol and symbol != plain else plain

    def _gradient_of(self, key: str) -> str:
        symbol, whole = self.study.network.symbols(key)[1], f"gradient of {self.name(key)}"
        return f"{symbol}: {whole}" if symbol else whole

    def _picture(self, operation: Operation, role: str, caption: str) -> str:
        key, array = self.contents.arrays(operation)[role]
        return self.contents.figures.figure(role, key, array, caption)

    def _open(self, operation: Operation, direction: str) -> str:
        n, name = operation.number, operation.name
        other, arrow = ("b", "its backward ↓") if direction == "f" else ("f", "its forward ↑")
        return (
            f'<article id="{direction}{n}" data-operation="{n - 1}" '
            f'aria-labelledby="{direction}{n}-title"><h3 id="{direction}{n}-title">'
            f'<span class="count">{n}</span> {html.escape(name)} '
            f'<span class="quiet">{html.escape(operation.part)}'
            f'{", backward" if direction == "b" else ""}</span> '
            f'<a class="other" href="#{other}{n}">{arrow}</a></h3>'
        )  # fmt: skip

    def forward(self, operation: Operation) -> str:
        """The section of its forward."""
        op = operation.step.op
        assert op is not None
        equation = self.study.network.equations(operation.output)[0]
        shown = [self._picture(operation, name, self.name(key))
                 for name, key in operation.inputs.items()
                 if not self.study.quantities[key].is_number]  # fmt: skip
        captions = {
            "col": "the im2col matrix: row (c,i,j), column (p,q), each column one window of x",
            "winner": "the argmax: which tap of each window is y, counted from 0 in reading order",
            "p": "the soft-max of x",
        }
        extras = self.contents.extras[operation.number - 1]
        shown += [self._picture(operation, r, c) for r, c in captions.items() if r in extras]
        shown.append(self._picture(operation, "y", self.name(operation.output)))
        return "\n".join([
            self._open(operation, "f"),
            f'<p class="formula">{formula(notes(op).formula)}</p>',
            _equation(equation),
            _code([listing(op.forward)]),
            f'<p class="shapes">{self._shapes(operation)}</p>',
            f'<div class="pictures">{"".join(shown)}</div>',
            _READOUT,
            "</article>",
        ])  # fmt: skip

    def _shapes(self, operation: Operation) -> str:
        pieces = []
        for name, key in operation.inputs.items():
            quantity = self.study.quantities[key]
            pieces.append(
                f"{name} = {key}" if quantity.is_number else f"{name} {tuple(quantity.value.shape)}"
            )
        y = self.contents.output(operation).value
        return html.escape(f"{', '.join(pieces)} → y {tuple(y.shape)}, {y.dtype}")

    def backward(self, operation: Operation) -> str:
        """The section of its backward: each rule, with its gradient and finite differences."""
        assert operation.step.op is not None
        parts = notes(operation.step.op).parts
        equation = self.study.network.equations(operation.output)[1]
        pieces = [
            self._open(operation, "b"),
            _derivation(parts["Derivation"]),
            _equation(equation),
            f'<p class="quiet"><b>Jacobian:</b> {formula(parts["Jacobian"])} '
            f'<b>Kinks:</b> {formula(parts["Kinks"])}</p>',
        ]  # fmt: skip
        for name, key in operation.inputs.items():
            if self.study.quantities[key].gradient is not None:
                pieces.append(self._rule(operation, name, key))
        return "\n".join([*pieces, _READOUT, "</article>"])

    def _rule(self, operation: Operation, name: str, key: str) -> str:
        """The gradient by one input."""
        op, roles, quantity = (
            operation.step.op,
            self.contents.arrays(operation),
            self.study.quantities[key],
        )
        assert op is not None
        rule = op.rules[name]
        read = {**operation.inputs, "y": operation.output}
        shown = [self._picture(operation, "gy", self._gradient_of(operation.output))]
        shown += [
            self._picture(operation, need, self.name(read[need]))
            for need in rule.needs
            if need in read and not self.study.quantities[read[need]].is_number
        ]
        further = {
            "gcol": "wᵀ gy: the gradient of the im2col matrix, before col2im adds it up",
            "winner": "which tap of each window won in the forward",
            "p": "the soft-max, made again",
        }
        shown += [
            self._picture(operation, role, caption)
            for role, caption in further.items()
            if role in roles and (role != "gcol" or name == "x")
        ]
        shown.append(self._picture(operation, f"g{name}", self._gradient_of(key)))
        once = np.array_equal(roles[f"g{name}"][1], quantity.gradient)  # type: ignore[arg-type]
        twice = "" if once else (
            f'<p class="note">{html.escape(self.name(key))} is used more than once: its gradient '
            "is the sum over its uses, which is what stands in the table.</p>"
        )  # fmt: skip
        return "\n".join([
            f'<h4 id="b{operation.number}-{name}">g{name}, the gradient by {name} '
            f'<span class="quiet">({html.escape(self.name(key))})</span></h4>',
            _code(_listings(rule.function)),
            self.asides.get((operation.number, name), ""),
            f'<div class="pictures">{"".join(shown)}</div>',
            twice,
            # once is enough for a tensor that is given twice
            "" if key in list(operation.inputs.values())[: list(operation.inputs).index(name)]
            else checks_table(name, quantity.checks),
        ])  # fmt: skip


# operations that rules call and that do their work
_WORTH_SHOWING = {"conv2d_input", "conv2d_weight", "pool_put"}
_MOVES = [("0 -1", "left", "←"), ("-1 0", "up", "↑"), ("1 0", "down", "↓"), ("0 1", "right", "→")]
_READOUT = (
    '<div class="readout"><div class="keys" role="group" aria-label="Move to the next cell">'
    + "".join(
        f'<button type="button" data-move="{move}" aria-label="{name}">{arrow}</button>'
        for move, name, arrow in _MOVES
    )
    + f'</div><div class="readout-text" aria-live="polite" data-empty="{_EMPTY}">{_EMPTY}</div>'
    "</div>"
)


def _listings(rule: Any) -> list[Listing]:
    """A rule, the operation that does its work, and col2im, where that calls it."""
    made = [listing(rule)]
    for name in rule.__code__.co_names:
        if name in _WORTH_SHOWING:
            forward = ops.registry()[name].forward
            made.append(listing(forward))
            if col2im.__name__ in forward.__code__.co_names:
                made.append(listing(col2im))
    return made


def _equation(text: str) -> str:
    if not text:
        return ""
    return (
        f'<p class="equation"><span class="quiet">In the documents:</span> {html.escape(text)}</p>'
    )


def _code(made: list[Listing]) -> str:
    """The lines that compute, in sight; the whole functions, one click away."""
    hearts = "".join(
        f'<p class="place">{html.escape(place)}</p><pre class="computing">{html.escape(text)}</pre>'
        for one in made
        for place, text in one.computing
    )
    whole = "".join(
        f'<p class="place">{html.escape(one.code.file)}</p><pre class="source">'
        + "".join(
            f'<span class="{"heart" if n in one.hearts else "line"}"><span class="quiet">{n:4d}'
            f"</span> {html.escape(text)}</span>"
            for n, text in one.lines
        )
        + "</pre>"
        for one in made
    )
    return (
        f'<div class="code">{hearts}<details><summary>the whole function'
        f"{', and what it calls' if made[1:] else ''}</summary>{whole}</details></div>"
    )


def checks_table(name: str, checks: list[Check]) -> str:
    """The engine's derivatives beside finite differences."""
    if not checks:
        return ""
    rows = []
    for check in checks:
        verdict = check.verdict
        entry = ",".join(map(str, check.index))
        note = ""
        if verdict.outcome == "kink":
            note = (f"a kink: the slope is {verdict.left:.4g} to the left and {verdict.right:.4g} "
                    "to the right; the rule takes one, or one between")  # fmt: skip
        rows.append(
            f'<tr><th scope="row">{html.escape(name)}[{entry}]</th>'
            f"<td>{number(np.float32(check.engine32))}</td><td>{check.engine64:.10g}</td>"
            f"<td>{verdict.slope.value:.10g}</td><td>{check.difference:.1e}</td>"
            f"<td>{note}</td></tr>"
        )
    return (
        '<div class="frame"><table><caption>The same derivative by finite differences: '
        '(L(x + h) - L(x - h)) / 2h</caption><thead><tr><th scope="col">entry</th>'
        '<th scope="col">rule, float32</th><th scope="col">rule, float64</th>'
        '<th scope="col">differences, float64</th><th scope="col">apart by</th>'
        f'<th scope="col"></th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def _derivation(text: str) -> str:
    """The words of a derivation, and below them the lines of code in which it ends."""
    words, *code = text.split("\n")
    lines = "".join(f"<br><code>{html.escape(line)}</code>" for line in code)
    return f'<p class="derivation"><b>Derivation.</b> {formula(words)}{lines}</p>'
