"""write_report: a run with its figures as one self-contained HTML page."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from tinynet.io.files import write_atomically
from tinynet.nn import Module
from tinynet.report.contents import Planned, figures_of_run
from tinynet.report.figures import inline_svg, save_figure
from tinynet.report.text import class_name, is_number, label_of, metric_as_text
from tinynet.version import __version__


def write_report(
    folder: str | os.PathLike[str],
    history: Sequence[Mapping[str, Any]] = (),
    *,
    title: str = "Training run",
    options: Mapping[str, Any] | None = None,
    summary: object = "",
    model: Module | None = None,
    evaluation: Any = None,
    images: Any = None,
    names: Sequence[str] | None = None,
    formats: Sequence[str] = (),
    refresh: int | None = None,
    log: Callable[[str], Any] = print,
) -> Path | None:
    """Write a run as ``report.html`` into a folder, with the parts that are given.

    ::

        write_report("run", recorder.history, options=vars(args), summary=summary(model, shape),
                     model=model, evaluation=evaluate(model, test), images=test_images)

    The page shows curves, the confusion matrix, metrics by class, filters, feature maps, the worst
    mistakes, the options, the model, and a table of epochs. It loads no files, runs no scripts,
    and suits light and dark screens and phones. It is replaced atomically, so it can be rewritten
    after every epoch while it is being viewed.

    A failure does not end the run: a figure that cannot be drawn (matplotlib is not installed, the
    model has an unexpected NaN, ...) is reported in one line, which also takes its place on the
    page, and the rest is written. A folder that cannot be written is reported too.

    Args:
        folder: created if needed.
        history: rows by epoch, as from `Recorder.history` or `read_history`.
        title: the page's title.
        options: the run's options.
        summary: the model as text, such as ``training.summary(model, shape)``.
        model: the model, whose first 3 convolutions are shown as filters and feature maps.
        evaluation: of the test data, from `training.evaluate`.
        images: the evaluated images (N, C, H, W), in order, for the mistakes and feature maps.
        names: the names of the classes; by default their numbers.
        formats: ``"png"``, ``"svg"``: each figure is also written beside the page in these.
        refresh: seconds after which the browser reloads the page during the run.
        log: called with a line for each failure; with a progress bar, pass `Recorder.log`.

    Returns:
        The path of the page, or None if it could not be written.
    """
    failures = _FailureLog(log)
    planned = partial(figures_of_run, history, model, evaluation, images, names)

    def section(heading: str, make: Callable[[], str]) -> str:
        content = failures.caught(f"section {heading!r}", make)
        return f"<section>\n<h2>{heading}</h2>\n{content}</section>\n" if content else ""

    try:
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        again = "" if refresh is None else f'<meta http-equiv="refresh" content="{int(refresh)}">'
        facts = failures.caught("heading", lambda: _facts(history))
        body = (
            section("Figures", lambda: _figures([*planned()], place, formats, failures))
            + section("Classes", lambda: _classes(evaluation, names))
            + section("Epochs", lambda: _epochs(history))
            + section("Options", lambda: _options(options or {}))
            + section("Model", lambda: _model(str(summary)))
        )
        made = (
            f"Written {time.strftime('%Y-%m-%d %H:%M:%S %z')} by tinynet {__version__}, Python "
            f"{platform.python_version()}, NumPy {np.__version__}"
        )
        from importlib import resources  # on first use: it would make `import tinynet` slower

        template = (resources.files("tinynet.report") / "page.html").read_text("utf-8")
        page = Template(template).substitute(
            title=escape(title),
            refresh=again,
            facts=facts,
            body=body or "<p>There is nothing to show yet.</p>",
            footer=escape(made),
        )
        path = place / "report.html"
        write_atomically(str(path), page.encode(errors="backslashreplace"))
        return path
    except Exception as error:
        failures.say(f"{str(folder)!r} could not be written", error)
        return None


class _FailureLog:
    """Logs each failure in one line."""

    def __init__(self, log: Callable[[str], Any]) -> None:
        self._log = log

    def say(self, what: str, error: Exception) -> str:
        """Log a failure and return its reason."""
        # The first line: matplotlib's errors can have many.
        lines = str(error).strip().splitlines()
        reason = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
        with contextlib.suppress(Exception):  # a closed terminal
            self._log(f"report: {what}: {reason}")
        return reason

    def caught(self, what: str, make: Callable[[], str]) -> str:
        """The result of `make`, or a paragraph with the reason if it raises."""
        try:
            return make()
        except Exception as error:
            reason = self.say(f"{what} failed", error)
            return f'<p class="failed">This could not be made: {escape(reason)}</p>\n'


def _figures(
    planned: Sequence[Planned], folder: Path, formats: Sequence[str], failures: _FailureLog
) -> str:
    def one(number: int, plan: Planned) -> str:
        figure = plan.draw()
        svg = inline_svg(figure, f"figure-{number}", f"{plan.heading}. {plan.caption}")
        stem = re.sub(r"[^\w.-]", "_", plan.name)
        for ending in formats:
            save_figure(figure, folder / f"{stem}.{ending}")
        return svg

    def card(number: int, plan: Planned) -> str:
        svg = failures.caught(f"figure {plan.name!r}", partial(one, number, plan))
        words = f"<strong>{escape(plan.heading)}.</strong> {escape(plan.caption)}"
        return f"<figure>\n{svg}<figcaption>{words}</figcaption>\n</figure>\n"

    cards = [card(number, plan) for number, plan in enumerate(planned, 1)]
    return f'<div class="figures">\n{"".join(cards)}</div>\n' if cards else ""


def _scroll_box(label: str, content: str) -> str:
    """A box with its own scroll bars that the keyboard can scroll."""
    return f'<div class="wide" role="region" aria-label="{label}" tabindex="0">{content}</div>\n'


def _model(summary: str) -> str:
    return _scroll_box("Model", f"<pre>{escape(summary)}</pre>") if summary else ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str]) -> str:
        first, *rest = map(escape, cells)
        return f'<tr><th scope="row">{first}</th>{"".join(f"<td>{c}</td>" for c in rest)}</tr>\n'

    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    return (
        "<table>\n"
        f"<thead><tr>{top}</tr></thead>\n<tbody>\n{''.join(map(line, rows))}</tbody>\n</table>"
    )


def _facts(history: Sequence[Mapping[str, Any]]) -> str:
    """The metrics of the last epoch, with the best of the run."""
    if not history:
        return ""
    boxes = [f"<div><dt>epochs</dt><dd>{len(history)}</dd></div>"]
    for key, value in history[-1].items():
        if key in ("epoch", "lr") or not is_number(value):
            continue
        best = ""
        if key.endswith(("loss", "accuracy")):
            good = max if key.endswith("accuracy") else min
            rows = [(row[key], row.get("epoch", i + 1)) for i, row in enumerate(history)
                    if is_number(row.get(key)) and np.isfinite(row[key])]  # fmt: skip
            if rows:
                number, epoch = good(rows, key=lambda pair: pair[0])
                when = f"epoch&nbsp;{escape(metric_as_text('epoch', epoch))}"
                best = f" <small>best {metric_as_text(key, number)}, {when}</small>"
        name = "time" if key == "seconds" else label_of(key)
        text = metric_as_text(key, value)
        boxes.append(f"<div><dt>{escape(name)}</dt><dd>{text}{best}</dd></div>")
    return f'<dl class="facts">{"".join(boxes)}</dl>'


def _epochs(history: Sequence[Mapping[str, Any]]) -> str:
    keys = list(dict.fromkeys(key for row in history for key in row))
    if not keys:
        return ""
    rows = [[metric_as_text(key, row.get(key)) for key in keys] for row in history]
    return _scroll_box("Epochs", _table([label_of(key) for key in keys], rows))


def _classes(evaluation: Any, names: Sequence[str] | None) -> str:
    if evaluation is None:
        return ""
    matrix = evaluation.confusion_matrix()
    columns = [evaluation.precision(None), evaluation.recall(None), evaluation.f1(None)]
    rows = [
        [class_name(names, i), str(matrix[i].sum()), *(f"{column[i]:.2%}" for column in columns)]
        for i in range(len(matrix))
    ]
    means = [f"{f('macro'):.2%}" for f in (evaluation.precision, evaluation.recall, evaluation.f1)]
    rows.append(["mean of the classes", str(len(evaluation)), *means])
    caption = (
        "Precision: the share of the predictions of a class that are right. Recall: the share of a "
        "class's examples that are found. F1: the harmonic mean of both."
    )
    head = ["class", "examples", "precision", "recall", "F1"]
    return f'<p class="quiet">{caption}</p>\n' + _scroll_box("Classes", _table(head, rows))


def _options(options: Mapping[str, Any]) -> str:
    if not options:
        return ""
    table = _table(["option", "value"], [[str(k), str(v)] for k, v in options.items()])
    return _scroll_box("Options", table.replace("<table>", '<table class="options">', 1))
