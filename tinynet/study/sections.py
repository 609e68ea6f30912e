"""The HTML of one operation, forward or backward."""

from __future__ import annotations

import html
import inspect
from types import CodeType
from typing import Any

import numpy as np

from tinynet.study.contents import arrays
from tinynet.study.derivation import notes
from tinynet.study.listing import Listing, listing
from tinynet.study.notation import formula, number
from tinynet.study.replay import Check
from tinynet.study.step import Operation, Quantity, Study
from tinynet.window import Window

_EMPTY = "Point at a cell or click it to see how it was computed. Arrow keys move, Esc clears."


class Sections:
    """Makes the sections of a study, with HTML to insert by operation and input."""

    def __init__(self, study: Study, asides: dict[tuple[int, str], str]) -> None:
        self.study, self.asides = study, asides
        self.roles = arrays(study)

    def name(self, tensor: Quantity) -> str:
        """A tensor's symbol and name."""
        symbol, _ = self.study.network.symbols(tensor.key)
        if tensor.kind == "operation":
            operation = next(o for o in self.study.operations if o.output is tensor)
            plain = f"output of {operation.number} {operation.name}"
        elif tensor.kind == "constant":
            plain = tensor.key if tensor.is_number else "the one-hot label"
        else:
            plain = "the digit" if tensor.key == "x" else tensor.key
        return f"{symbol}: {plain}" if symbol and symbol != plain else plain

    def _gradient_of(self, tensor: Quantity) -> str:
        symbol = self.study.network.symbols(tensor.key)[1]
        return f"{symbol + ': ' if symbol else ''}gradient of {self.name(tensor)}"

    def _picture(self, operation: Operation, role: str, caption: str) -> str:
        """A canvas for an array, with its role, caption, shape and range."""
        key, array = self.roles[operation.number - 1][role]
        shape = "×".join(map(str, array.shape)) or "one number"
        if array.size == 1:
            spread = number(array.reshape(-1)[0])
        else:
            spread = f"{array.min() + 0.0:.3g} to {array.max() + 0.0:.3g}"
        label = f"{role}: {caption}, {shape}. Arrow keys move from cell to cell."
        return (
            f'<figure><figcaption><b>{html.escape(role)}</b> {html.escape(caption)} '
            f'<span class="quiet">{shape}, {spread}</span></figcaption>'
            f'<div class="frame"><canvas tabindex="0" role="application" width="1" height="1" '
            f'aria-label="{html.escape(label)}" data-role="{html.escape(role)}" '
            f'data-numbers="{html.escape(key)}"></canvas></div></figure>'
        )  # fmt: skip

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
        """The section of an operation's forward."""
        equation = self.study.network.equations(operation.output.key)[0]
        shown = [self._picture(operation, name, self.name(tensor))
                 for name, tensor in operation.inputs.items() if not tensor.is_number]  # fmt: skip
        captions = {
            "col": "the im2col matrix: row (c,i,j), column (p,q), each column one window of x",
            "argmax": "the argmax: the tap of each window that is y, from 0 in row-major order",
            "p": "the softmax of x",
        }
        roles = self.roles[operation.number - 1]
        shown += [self._picture(operation, r, c) for r, c in captions.items() if r in roles]
        shown.append(self._picture(operation, "y", self.name(operation.output)))
        return "\n".join([
            self._open(operation, "f"),
            f'<p class="formula">{formula(notes(operation.op).formula)}</p>',
            _equation(equation),
            _code(_listings(operation.op.forward)),
            f'<p class="shapes">{self._shapes(operation)}</p>',
            f'<div class="pictures">{"".join(shown)}</div>',
            _READOUT,
            "</article>",
        ])  # fmt: skip

    def _shapes(self, operation: Operation) -> str:
        inputs = ", ".join(
            f"{name} = {tensor.key}" if tensor.is_number else f"{name} {tensor.value.shape}"
            for name, tensor in operation.inputs.items()
        )
        y, window = operation.output.value, operation.options.get("window")
        geometry = "" if window is None else f"; {_geometry(window)}"
        return html.escape(f"{inputs} → y {y.shape}, {y.dtype}{geometry}")

    def backward(self, operation: Operation) -> str:
        """The section of an operation's backward: each rule, its gradient, finite differences."""
        parts = notes(operation.op).parts
        equation = self.study.network.equations(operation.output.key)[1]
        pieces = [
            self._open(operation, "b"),
            _derivation(parts["Derivation"]),
            _equation(equation),
            f'<p class="quiet"><b>Jacobian:</b> {formula(parts["Jacobian"])} '
            f'<b>Kinks:</b> {formula(parts["Kinks"])}</p>',
        ]  # fmt: skip
        for name, tensor in operation.inputs.items():
            if tensor.gradient is not None:
                pieces.append(self._rule(operation, name, tensor))
        return "\n".join([*pieces, _READOUT, "</article>"])

    def _rule(self, operation: Operation, name: str, tensor: Quantity) -> str:
        """The gradient with respect to one input."""
        roles = self.roles[operation.number - 1]
        rule = operation.op.rules[name]
        read = {**operation.inputs, "y": operation.output}
        shown = [self._picture(operation, "gy", self._gradient_of(operation.output))]
        shown += [
            self._picture(operation, need, self.name(read[need]))
            for need in rule.needs
            if need in read and not read[need].is_number
        ]
        further = {
            "gcol": "wᵀ gy: the gradient of the im2col matrix, before col2im sums it",
            "argmax": "the tap of each window that was the maximum",
            "p": "the softmax, recomputed",
        }
        shown += [
            self._picture(operation, role, caption)
            for role, caption in further.items()
            if role in roles and (role != "gcol" or name == "x")
        ]
        # a tensor given twice has one table
        first = next(given for given, other in operation.inputs.items() if other is tensor)
        caption = self._gradient_of(tensor)
        if roles[f"g{name}"][0] != f"∂ {tensor.key}":
            where = "in the table below" if name == first else f"see the table under g{first}"
            caption = f"this use's share of {caption} (the sum over all uses: {where})"
        shown.append(self._picture(operation, f"g{name}", caption))
        return "\n".join([
            f'<h4 id="b{operation.number}-{name}">g{name}, the gradient with respect to {name} '
            f'<span class="quiet">({html.escape(self.name(tensor))})</span></h4>',
            _code(_listings(rule.function)),
            self.asides.get((operation.number, name), ""),
            f'<div class="pictures">{"".join(shown)}</div>',
            checks_table(name, tensor.checks, self._kink(operation)) if name == first else "",
        ])  # fmt: skip

    def _kink(self, operation: Operation) -> str:
        """The origin of a kink of the loss in this operation's inputs."""
        if _has_kinks(operation):
            return f"a kink of {operation.name} or of a later operation"
        after = self.study.operations[operation.number :]
        names = " or ".join(dict.fromkeys(o.name for o in after if _has_kinks(o)))
        return f"a kink of the loss, from {names} further on"


def _has_kinks(operation: Operation) -> bool:
    return not notes(operation.op).parts["Kinks"].startswith("none")


# functions that do the work of operations and rules
_WORTH_SHOWING = (
    "conv2d_input", "conv2d_weight", "max_unpool2d", "gated", "im2col", "window_view", "col2im",
    "first_argmax", "pooling.max_pool", "pooling.scatter", "elementwise.relu", "elementwise.gate",
)  # fmt: skip
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


def _listings(function: Any) -> list[Listing]:
    """A function, and those of `_WORTH_SHOWING` that it calls directly or indirectly."""
    found = [function]
    for caller in found:  # grows in the loop
        for name in _WORTH_SHOWING:
            module, _, last = name.rpartition(".")
            called: Any = caller.__globals__.get(module or name)
            called = getattr(called, last, None) if module else called
            called = inspect.unwrap(getattr(called, "forward", called))
            if called is not None and called not in found and last in _names(caller.__code__):
                found.append(called)
    return [listing(f) for f in found]


def _names(code: CodeType) -> set[str]:
    """The names that a function and its inner functions look up."""
    inside = (_names(c) for c in code.co_consts if isinstance(c, CodeType))
    return {*code.co_names}.union(*inside)


def _geometry(window: Window) -> str:
    """The window's numbers, and the index of x that they give."""
    (SH, SW), (PH, PW), (DH, DW) = window.stride, window.padding, window.dilation
    index = []
    for out, tap, stride, padding, dilation in (("p", "i", SH, PH, DH), ("q", "j", SW, PW, DW)):
        steps = [f"{k if k > 1 else ''}{v}" for k, v in ((stride, out), (dilation, tap))]
        index.append("+".join(steps) + (f"-{padding}" if padding else ""))
    return f"here SH={SH} SW={SW} DH={DH} DW={DW} PH={PH} PW={PW}: x[n,c,{','.join(index)}]"


def _equation(text: str) -> str:
    if not text:
        return ""
    return (
        f'<p class="equation"><span class="quiet">In the documents:</span> {html.escape(text)}</p>'
    )


def _code(made: list[Listing]) -> str:
    """The key lines, and the whole functions folded away."""
    key_lines = "".join(
        f'<p class="place">{html.escape(place)}</p><pre class="computing">{html.escape(text)}</pre>'
        for one in made
        for place, text in one.computing
    )
    whole = "".join(
        f'<p class="place">{html.escape(one.code.file)}</p><pre class="source">'
        + "".join(
            f'<span class="{"key" if n in one.key_lines else "line"}"><span class="quiet">{n:4d}'
            f"</span> {html.escape(text)}</span>"
            for n, text in one.lines
        )
        + "</pre>"
        for one in made
    )
    return (
        f'<div class="code">{key_lines}<details><summary>the whole function'
        f"{', and what it calls' if made[1:] else ''}</summary>{whole}</details></div>"
    )


def checks_table(name: str, checks: list[Check], kink: str) -> str:
    """A table of the engine's derivatives and finite differences; `kink` explains kinks."""
    if not checks:
        return ""
    rows, kinks = [], []
    for check in checks:
        verdict = check.verdict
        entry = f"{html.escape(name)}[{','.join(map(str, check.index))}]"
        if verdict.outcome == "kink":
            kinks.append(
                f'<p class="note">{entry}: {html.escape(kink)}: the slope is '
                f"{verdict.left + 0.0:.4g} to the left and {verdict.right + 0.0:.4g} to the right; "
                "the rule takes one of them, or a value between.</p>"
            )
        rows.append(
            f'<tr><th scope="row">{entry}</th>'
            f"<td>{number(np.float32(check.engine32))}</td><td>{check.engine64 + 0.0:.10g}</td>"
            f"<td>{verdict.slope.value + 0.0:.10g}</td><td>{check.difference:.1e}</td></tr>"
        )
    title = "The same derivative by finite differences"
    return (
        f'<p class="caption">{title}: (L(x + h) - L(x - h)) / 2h</p>'
        f'<div class="frame"><table aria-label="{title}"><thead><tr><th scope="col">entry</th>'
        '<th scope="col">rule, float32</th><th scope="col">rule, float64</th>'
        '<th scope="col">differences, float64</th><th scope="col">error</th>'
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div>{''.join(kinks)}"
    )


def _derivation(text: str) -> str:
    """A derivation's text, and below it the resulting lines of code."""
    words, *code = text.split("\n")
    lines = "".join(f"<br><code>{html.escape(line)}</code>" for line in code)
    return f'<p class="derivation"><b>Derivation.</b> {formula(words)}{lines}</p>'
