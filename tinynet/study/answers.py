"""Frequent questions, answered beside the rules they concern, with this step's numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinynet.ops.softmax import softmax
from tinynet.ops.windows import fold, unfold
from tinynet.study.notation import number
from tinynet.study.step import Operation, Study


@dataclass(frozen=True)
class Answer:
    """A question, its answer as HTML, and its place on the page."""

    id: str
    question: str
    text: str
    operation: int  # with the input, the rule that it is shown with
    input: str
    show: str  # "role entry": the cell that its button selects

    @property
    def html(self) -> str:
        return (
            f'<aside class="answer" id="{self.id}"><h5>{self.question}</h5>{self.text}'
            f'<button type="button" data-show="b{self.operation} {self.show}">Show me</button>'
            "</aside>"
        )


def answers(study: Study) -> list[Answer]:
    """The answers for the operations of this step."""
    found = []
    makers: dict[str, list[Callable[[Operation], Answer | None]]] = {
        "conv2d": [_col2im, _convolution_bias],
        "max_pool2d": [_tie],
        "linear": [_linear_bias],
        "cross_entropy_rows": [_soft_max],
        "add": [_broadcast_bias],
    }
    for operation in study.operations:
        for make in makers.pop(operation.name, []):
            answer = make(operation)
            if answer is not None:
                found.append(answer)
    # keeps the two about the shape of a bias gradient together
    return sorted(found, key=lambda a: {"why-col2im": 0, "why-linear-bias": 1}.get(a.id, 2))


def _arrays(operation: Operation, name: str) -> tuple[Any, Any]:
    """An input's value and gradient."""
    return operation.inputs[name].value, operation.inputs[name].gradient


def _entry(array: np.ndarray, flat: int) -> str:
    """``[0,5,8,11]``"""
    return "[" + ",".join(map(str, np.unravel_index(flat, array.shape))) + "]"


def _col2im(operation: Operation) -> Answer:
    x, gx = _arrays(operation, "x")
    window = operation.options["window"]
    ones = np.ones_like(x)
    copies = fold(unfold(ones, window=window), output_size=x.shape[2:], window=window)
    most = int(copies.max())
    flat = int(np.argmax(abs(gx) * (copies == most) * (x != 0)))
    corner = int(copies[0, 0, 0, 0])
    times = "once" if corner == 1 else f"{corner} times"
    text = (
        "<p>Because im2col copies. Each window that covers a cell of x has a copy of it in its "
        f"column: x{_entry(x, flat)} = {number(x.flat[flat])} was copied {most} times, "
        f"x[0,0,0,0] in the corner {times}. The matrix product gives each copy its own "
        "gradient, in gcol = wᵀ gy. By the multivariable chain rule, the derivative with respect "
        "to a value that enters in several places is the sum of the derivatives over these places: "
        f"gx{_entry(x, flat)} = {number(gx.flat[flat])} is the sum of its {most} entries of gcol. "
        "That sum is col2im, the adjoint of im2col: it adds (<code>+=</code>) where im2col "
        "copied.</p>"
    )
    return Answer("why-col2im", "Why is col2im a sum?", text, operation.number, "x", f"gx {flat}")


def _bias(of: str = "the") -> str:
    return f"Where does the shape of {of} bias gradient come from?"


def _bias_arrays(operation: Operation) -> tuple[Any, Any, Any, int]:
    """The bias, its gradient, gy, and the flat index of the bias's largest gradient."""
    b, gb = _arrays(operation, "b")
    return b, gb, operation.output.gradient, int(abs(gb).argmax())


def _convolution_bias(operation: Operation) -> Answer:
    b, gb, gy, o = _bias_arrays(operation)
    places = gy[:, 0].size
    text = (
        f"<p>From b itself: b is {b.shape}, one number for each map, and gy is {gy.shape}. b[{o}] "
        f"was added at all {' · '.join(map(str, gy[:, 0].shape))} = {places} positions of map {o}. "
        "It changes all of them at once, so its gradient is the sum of theirs: "
        f"gb[{o}] = Σ gy[:,{o},:,:] = {number(gb[o])}. Summing over the axes n, p and q, along "
        f"which b was repeated, turns {gy.shape} into {gb.shape}.</p>"
    )
    question = _bias("a convolution's")
    return Answer("why-bias", question, text, operation.number, "b", f"gb {o}")


def _linear_bias(operation: Operation) -> Answer:
    b, gb, gy, j = _bias_arrays(operation)
    text = (
        f"<p>b is {b.shape} and was added to each row of y {gy.shape}, one row per example. "
        "Its gradient sums over the rows. Here there is one row, so "
        f"gb[{j}] = gy[0,{j}] = {number(gb[j])}; for a batch of 64 it would be the sum of 64.</p>"
    )
    question = _bias("a linear layer's")
    return Answer("why-linear-bias", question, text, operation.number, "b", f"gb {j}")


def _broadcast_bias(operation: Operation) -> Answer:
    b, gb, gy, j = _bias_arrays(operation)
    text = (
        f"<p>From b itself. y is {gy.shape}, one column per example, and b {b.shape} is repeated "
        "along the columns. So its gradient is gy summed over the columns, in the shape of b. With "
        f"one example, as here, gb{_entry(b, j)} = {number(gb.flat[j])} is one "
        "number of gy; with m examples it is the sum of m.</p>"
    )
    return Answer("why-bias", _bias(), text, operation.number, "b", f"gb {j}")


def _tie(operation: Operation) -> Answer | None:
    x, gx = _arrays(operation, "x")
    window, gy = operation.options["window"], operation.output.gradient
    assert gy is not None
    OH, OW = gy.shape[2:]
    if window.padding != (0, 0) or not window.disjoint:
        return None

    # the entries of each window, (windows, taps), and their flat indices in x
    def by_window(a: np.ndarray) -> np.ndarray:
        parts = [a[:, :, r, c].reshape(-1) for _, r, c in window.taps((OH, OW))]
        return np.stack(parts, axis=1)

    cells, indices = by_window(x), by_window(np.arange(x.size).reshape(x.shape))
    tied = (cells == cells.max(axis=1, keepdims=True)).sum(axis=1)
    zeros = (cells == 0).all(axis=1)
    # prefers the usual tie, a window of zeros, and the largest gradient
    weight = abs(gy.reshape(-1)) * (tied > 1) * np.where(zeros, 1.0, 1e-3)
    k = int(weight.argmax())
    if tied[k] < 2 or gy.reshape(-1)[k] == 0:
        return None
    first, second = map(int, indices[k][cells[k] == cells[k].max()][:2])
    slopes = [_slopes(operation, x, gy, flat) for flat in (first, second)]
    g = float(gy.reshape(-1)[k])
    text = (
        f"<p>Then the maximum is not unique. This is common after a ReLU: {int(zeros.sum())} of "
        f"the {len(cells)} windows here are all zeros. The window of y{_entry(gy, k)} "
        f"holds {', '.join(number(v) for v in cells[k])}, and gy there is "
        f"{number(gy.reshape(-1)[k])}. The first tied cell, in row-major order, takes all of it: "
        f"gx{_entry(x, first)} = {number(gx.flat[first])}, and gx{_entry(x, second)} = "
        f"{number(gx.flat[second])}.</p>"
        "<p>The derivative does not exist here. If one tied cell grows, the maximum grows with it; "
        "if it shrinks, the other cells keep the maximum. Finite differences of "
        "⟨gy, pool(x)⟩, with gy fixed, show both slopes: with respect to "
        f"x{_entry(x, first)} it is {slopes[0][0]:.6g} to the left and {slopes[0][1]:.6g} to the "
        f"right, with respect to x{_entry(x, second)} {slopes[1][0]:.6g} and {slopes[1][1]:.6g}. "
        f"Any shares of gy = {g:.6g} among the tied cells that add up to 1 make a subgradient. "
        "Giving everything to the first is one choice. Giving everything to <em>each</em> of them "
        "is not: it would pass gy on several times.</p>"
        + ("<p>For a window of zeros after a ReLU the choice makes no difference in the end: "
           "y &gt; 0 is false for every cell, so the ReLU passes nothing on.</p>"
           if zeros[k] else "")
    )  # fmt: skip
    return Answer(
        "why-tie", "What happens at a tie in max-pool?", text, operation.number, "x", f"gx {first}"
    )


def _slopes(operation: Operation, x: Any, gy: Any, flat: int) -> tuple[float, float]:
    """The slopes of <gy, pool(x)> to the left and right of one entry, exact in float64.

    gy is fixed, since the slopes of the loss would show the kinks of other operations as well.
    """
    h, found = 2.0**-26, []
    for step in (-h, h):
        moved = x.astype("float64")
        moved.flat[flat] += step
        pooled = [operation.op.forward(a, **operation.options) for a in (moved, x)]
        found.append(float((gy.astype("float64") * (pooled[0] - pooled[1])).sum()) / step + 0.0)
    return found[0], found[1]  # + 0.0: 0, not -0


def _soft_max(operation: Operation) -> Answer:
    x, gx = _arrays(operation, "x")
    q, _ = _arrays(operation, "q")
    p = softmax(x, dim=1)
    label = int(q[0].argmax())
    columns = {
        "logit x": x,
        "e^(x - max)": np.exp(x - x.max()),
        "softmax p": p,
        "one-hot q": q,
        "p - q": p - q,
        "gx, the rule's": gx,
    }
    head = "".join(f'<th scope="col">{title}</th>' for title in ("digit", *columns))
    rows = ""
    for c in range(x.shape[1]):
        cells = "".join(f"<td>{number(a[0, c])}</td>" for a in columns.values())
        right = " class=right" if c == label else ""
        rows += f'<tr{right}><th scope="row">{c}</th>{cells}</tr>'
    text = (
        "<p>The loss is - ln p of the right digit t, and ln p<sub>t</sub> = x<sub>t</sub> - "
        "ln Σ<sub>k</sub> e<sup>x<sub>k</sub></sup>. So its derivative with respect to the "
        "logit x<sub>c</sub> is</p>"
        "<p>∂L/∂x<sub>c</sub> = ∂/∂x<sub>c</sub> ln Σ<sub>k</sub> e<sup>x<sub>k</sub></sup> - "
        "∂x<sub>t</sub>/∂x<sub>c</sub> = e<sup>x<sub>c</sub></sup> / Σ<sub>k</sub> "
        "e<sup>x<sub>k</sub></sup> - [c = t] = p<sub>c</sub> - q<sub>c</sub>.</p>"
        "<p>A step of rate α against the gradient lowers every logit by α times its probability, "
        f"and raises that of the right digit, {label}, by α. The ten derivatives add up to 0: "
        "adding one number to all logits changes nothing.</p>"
        f'<div class="frame"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )
    return Answer(
        "why-softmax", "Why softmax minus one-hot?", text, operation.number, "x", f"gx {label}"
    )
