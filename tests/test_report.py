"""The report: a run on one self-contained page, and no failure that ends the run."""

from __future__ import annotations

import dataclasses
import io
import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import browser
import numpy as np
import pytest
from html_tree import Reader
from hypothesis import example, given, settings
from hypothesis import strategies as st

import tinynet as tn
from tinynet import data, models, nn, training
from tinynet.report import contents
from tinynet.report.figures import INK
from tinynet.report.text import metric_as_text, time_as_text

pytest.importorskip("matplotlib", reason="no matplotlib: pip install 'tinynet[train]'")

NAMES = ["<b>bold</b>", "$x^$", '"two" & more', "a name of many letters", *"456789"]
OPTIONS = {"lr": 0.002, "root": "/a/<folder>", "seed": 0}
FIGURES = ["loss", "accuracy", "lr", "seconds", "confusion", "filters-conv1", "filters-conv2",
           "feature-maps", "mistakes"]  # fmt: skip


@pytest.fixture(scope="module")
def run():
    """What a report of all sections is made from: LeNet, and digits, a few of them misread."""
    tn.manual_seed(0)
    model = models.LeNet()
    images, labels = data.digits(train=False, size=28)
    found = training.evaluate(model, data.DataLoader(images, labels, batch_size=200))
    predictions = np.where(np.arange(len(labels)) % 5, labels, found.predictions)
    evaluation = dataclasses.replace(found, predictions=predictions)
    with training.Recorder(interval=float("inf"), stream=io.StringIO()) as recorder:
        for loss in (0.4, 0.1):
            recorder.add(64, loss=loss, accuracy=1 - loss)
            recorder.end_epoch(test_accuracy=evaluation.accuracy + loss / 10, lr=OPTIONS["lr"])
    return {
        "history": recorder.history, "title": "<i>LeNet</i> & digits", "options": OPTIONS,
        "summary": training.summary(model, (1, 28, 28)), "model": model,
        "evaluation": evaluation, "images": images, "names": NAMES,
    }  # fmt: skip


@pytest.fixture(scope="module")
def page(run, tmp_path_factory):
    """The path of a report with all sections and no failure."""
    said = []
    folder = tmp_path_factory.mktemp("report") / "made"
    path = training.write_report(folder, **run, formats=["png", "svg"], log=said.append)
    assert said == []
    assert path.name == "report.html"
    return path


def read(path):
    reader = Reader(path.read_text("utf-8"))
    reader.all = " ".join("".join(reader.texts).split())
    return reader


def attributes(reader, tag):
    return [attrs for found, attrs in reader.tags if found == tag]


def cells(path):
    """The rows of all tables, as text."""
    rows = re.findall(r"<tr>(.*?)</tr>", path.read_text("utf-8"))
    return [[unescape(c) for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]


# --- the page ---


def test_it_is_html_with_a_title_a_language_and_headings(page):
    reader = read(page)
    assert page.read_text().startswith("<!DOCTYPE html>\n")
    assert attributes(reader, "html") == [{"lang": "en"}]
    assert page.read_text().count("<title>&lt;i&gt;LeNet&lt;/i&gt; &amp; digits</title>") == 1
    tags = [tag for tag, _ in reader.tags]
    assert tags.count("h1") == 1
    assert re.findall(r"<h2>(.*?)</h2>", page.read_text()) == [
        "Figures", "Classes", "Epochs", "Options", "Model",
    ]  # fmt: skip
    assert not {"b", "i", "script", "folder"} & set(tags)  # the names and options are text


def test_it_stands_alone(page):
    """Nothing is loaded: all references are internal."""
    reader = read(page)
    ids = [attrs["id"] for _, attrs in reader.tags if "id" in attrs]
    assert len(ids) == len(set(ids)) > 50
    text = page.read_text()
    for _, attrs in reader.tags:
        for name in ("src", "href", "xlink:href"):
            if name in attrs:
                assert attrs[name].startswith("data:") or attrs[name].removeprefix("#") in ids
    assert set(re.findall(r"url\(#(.*?)\)", text)) <= set(ids)
    assert "@import" not in text
    assert "default-src 'none'" in text
    assert set(re.findall(r'https?://[^"<\s]*', text)) == {
        "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink",
    }  # fmt: skip


def test_it_has_every_figure_with_a_caption_and_a_text_for_the_blind(page):
    reader = read(page)
    drawn = attributes(reader, "svg")
    assert len(drawn) == len(attributes(reader, "figcaption")) == len(FIGURES)
    assert all(attrs["role"] == "img" and len(attrs["aria-label"]) > 20 for attrs in drawn)
    captions = [attrs["aria-label"] for attrs in drawn]
    assert [c.split(".")[0] for c in captions] == [
        "Loss", "Accuracy", "Learning rate", "Time", "Confusion matrix", "Filters of conv1",
        "Filters of conv2", "Feature maps", "The worst mistakes",
    ]  # fmt: skip
    assert sorted(p.name for p in page.parent.iterdir()) == sorted(
        ["report.html", *(f"{name}.{kind}" for name in FIGURES for kind in ("png", "svg"))]
    )


def test_the_figures_have_the_ink_of_the_page(page):
    """No colours of a light page remain, so that they are readable on a dark one."""
    for svg in re.findall(r"<svg.*?</svg>", page.read_text(), re.DOTALL):
        assert "currentColor" in svg
        assert not re.search(r"(fill|stroke): ?(#000000|black|#1b1f24)", svg)
        assert not re.search(r"<path[^>]*fill: ?(#ffffff|white)", svg)  # a ground of its own
        assert "<style" not in svg


def test_the_tables_hold_the_numbers(page, run):
    rows = cells(page)
    for row in run["history"]:
        assert [
            str(row["epoch"]), f"{row['loss']:.4g}", f"{row['accuracy']:.2%}",
            f"{row['test_accuracy']:.2%}", "0.002", f"{row['seconds']:.1f} s",
        ] in rows  # fmt: skip
    found = run["evaluation"]
    matrix = found.confusion_matrix()
    for i, name in enumerate(NAMES):
        assert [
            name, str(matrix[i].sum()), f"{found.precision(None)[i]:.2%}",
            f"{found.recall(None)[i]:.2%}", f"{found.f1(None)[i]:.2%}",
        ] in rows  # fmt: skip
    for key, value in OPTIONS.items():
        assert [key, str(value)] in rows
    assert " ".join(str(run["summary"]).split()) in read(page).all
    best = max(run["history"], key=lambda row: row["test_accuracy"])
    assert f"best {best['test_accuracy']:.2%}, epoch {best['epoch']}" in read(page).all


def test_numbers_as_text():
    """Of every integer type an epoch has all its digits; 60 seconds are a minute."""
    epochs = (12_345_678, np.int64(12_345_678), np.uint32(12_345_678))
    assert [metric_as_text("epoch", epoch) for epoch in epochs] == ["12345678"] * 3
    assert metric_as_text("epoch", 1.5) == "1.5"
    assert [time_as_text(s) for s in (59.94, 59.96, 60.0)] == ["59.9 s", "1:00", "1:00"]


def test_an_epoch_s_name_stays_text(tmp_path):
    path = training.write_report(tmp_path, [{"epoch": "<b>one</b>", "loss": 0.5}])
    assert "best 0.5, epoch <b>one</b>" in read(path).all


TEXT = st.text(max_size=12) | st.sampled_from(["</title>", "</td>", "<!--", "$body", "&lt;", "'\""])


@settings(max_examples=60)
@given(title=TEXT, options=st.dictionaries(TEXT, TEXT, max_size=3), summary=TEXT)
@example(title="\udcff", options={"\udcfe": "\udcfd"}, summary="")  # a name that is no UTF-8
def test_any_text_stays_text(tmp_path_factory, title, options, summary):
    folder = tmp_path_factory.mktemp("any")
    path = training.write_report(folder, title=title, options=options, summary=summary)
    reader = Reader(path.read_text("utf-8"))
    plain = [tag for tag, _ in Reader(training.write_report(folder).read_text("utf-8")).tags]
    tags = [tag for tag, _ in reader.tags]
    assert tags[: plain.index("main")] == plain[: plain.index("main")]
    assert tags.count("td") == len(options)
    assert tags.count("pre") == bool(summary)
    if "\udcff" not in title and not re.search(r"[\r\0\x80-\x9f]", title + summary):
        assert title in reader.texts or not title
        assert summary in reader.texts or not summary


def test_it_can_be_written_at_any_time_and_watched(tmp_path, run):
    path = training.write_report(tmp_path, refresh=5)
    assert "There is nothing to show yet." in path.read_text()
    assert {"http-equiv": "refresh", "content": "5"} in attributes(read(path), "meta")
    training.write_report(tmp_path, run["history"][:1])
    assert path.read_text().count('<th scope="row">') == 1
    training.write_report(tmp_path, run["history"])
    assert path.read_text().count('<th scope="row">') == 2
    assert "refresh" not in path.read_text()
    assert os.listdir(tmp_path) == ["report.html"]


def test_of_a_deep_network_the_first_layers_are_shown(tmp_path):
    layers = [nn.Conv2d(1, 2, 3, padding=1) if i == 0 else nn.Conv2d(2, 2, 3, padding=1)
              for i in range(5)]  # fmt: skip
    path = training.write_report(
        tmp_path, model=nn.Sequential(*layers), images=np.zeros((1, 1, 6, 6), "float32")
    )
    labels = [attrs["aria-label"] for attrs in attributes(read(path), "svg")]
    assert [label.split(".")[0] for label in labels] == [
        "Filters of 0", "Filters of 1", "Filters of 2", "Feature maps",
    ]  # fmt: skip
    assert "the first 3 of 5" in labels[-1]


# --- failures ---


def test_a_figure_that_raises_is_reported_in_its_place_and_the_rest_goes_on(
    tmp_path, run, monkeypatch
):
    def fails(*args):
        raise RuntimeError("no <luck>\nmore of it")

    monkeypatch.setattr(contents, "plot_filters", fails)
    said = []
    path = training.write_report(tmp_path, **run, log=said.append)
    assert said == [
        "report: figure 'filters-conv1' failed: RuntimeError: no <luck>",
        "report: figure 'filters-conv2' failed: RuntimeError: no <luck>",
    ]
    reader = read(path)
    assert len(attributes(reader, "svg")) == len(FIGURES) - 2
    assert len(attributes(reader, "figcaption")) == len(FIGURES)
    place = path.read_text().partition('<p class="failed">')[2].partition("</figcaption>")[0]
    assert "RuntimeError: no &lt;luck&gt;" in place
    assert "Filters of conv1" in place


def test_arguments_that_do_not_fit_cost_only_their_part(tmp_path, run):
    said = []
    changed = {"names": ["a"], "images": run["images"][:3], "log": said.append}
    path = training.write_report(tmp_path, **{**run, **changed})
    assert [line.split(":")[1] for line in said] == [
        " figure 'confusion' failed", " figure 'mistakes' failed",
    ]  # fmt: skip
    assert len(attributes(read(path), "svg")) == len(FIGURES) - 2
    said.clear()
    path = training.write_report(tmp_path, run["history"], evaluation="none", log=said.append)
    assert [line.split(":")[1] for line in said] == [
        " section 'Figures' failed", " section 'Classes' failed",
    ]  # fmt: skip
    assert "AttributeError" in read(path).all
    assert [str(run["history"][0]["epoch"])] == [row[0] for row in cells(path)][1:2]


def test_a_network_full_of_nan_is_drawn(tmp_path, run):
    model = models.LeNet()
    for parameter in model.parameters():
        parameter.data = parameter.data * np.float32("nan")
    images, labels = run["images"][:20], run["evaluation"].labels[:20]
    evaluation = training.evaluate(model, data.DataLoader(images, labels, batch_size=20))
    history = [{"epoch": 1, "loss": float("nan"), "test_accuracy": 0.1}]
    said = []
    training.write_report(
        tmp_path, history, model=model, evaluation=evaluation, images=images, log=said.append
    )
    assert said == []


@pytest.mark.parametrize("folder", ["file/below", "file", "no\0name"])
def test_a_folder_that_cannot_be_written_is_said(tmp_path, folder):
    (tmp_path / "file").write_text("")
    said = []
    assert training.write_report(tmp_path / folder, log=said.append) is None
    assert len(said) == 1
    assert said[0].startswith("report: ")
    assert "could not be written" in said[0]


def test_a_full_disk_leaves_the_old_page_and_ends_nothing(tmp_path, run, monkeypatch, capsys):
    path = training.write_report(tmp_path, run["history"][:1])
    old = path.read_bytes()

    def fails(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    assert training.write_report(tmp_path, run["history"]) is None
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["report.html"]
    assert "could not be written: OSError: [Errno 28]" in capsys.readouterr().out


def test_a_closed_terminal_ends_nothing(tmp_path):
    def closed(line):
        raise ValueError("I/O operation on closed file")

    (tmp_path / "file").write_text("")
    assert training.write_report(tmp_path / "file", log=closed) is None


def test_without_matplotlib_the_page_has_the_rest(tmp_path):
    code = f"""
import sys
sys.modules["matplotlib"] = None
from tinynet import training
print(training.write_report({str(tmp_path)!r}, [{{"epoch": 1, "loss": 0.25}}]))
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    line, path = out.stdout.splitlines()
    assert line.startswith("report: figure 'loss' failed: ImportError: plots need matplotlib")
    assert path == str(tmp_path / "report.html")
    reader = read(tmp_path / "report.html")
    assert "pip install 'tinynet[train]'" in reader.all
    assert cells(tmp_path / "report.html") == [["epoch", "loss"], ["1", "0.25"]]


# --- in a browser ---


@pytest.mark.parametrize(
    ("ground", "ink"), [("#f6f7f9", "#1b1f24"), ("#1e2126", "#e6e8eb")], ids=["light", "dark"]
)
def test_counts_are_read_on_every_shade_of_the_confusion_matrix(ground, ink):
    from matplotlib.colors import to_rgb

    counts = np.diag(np.arange(0, 100, 5))  # right answers from 0 to 95 %, mistakes the rest
    counts += np.roll(np.diag(np.arange(100, 0, -5)), 1, axis=1)
    ax = training.plot_confusion(counts).axes[0]
    cells = np.asarray(ax.images[0].get_array()).reshape(-1, 4)
    page = (Path(contents.__file__).parent / "page.html").read_text()
    assert {f"--card: {ground}", f"--ink: {ink}"} <= set(re.findall(r"--\w+: #\w+", page))
    checked = 0
    for text, (*colour, alpha) in zip(ax.texts, cells, strict=True):
        if alpha:
            behind = alpha * np.array(colour) + (1 - alpha) * np.array(to_rgb(ground))
            letters = ink if text.get_color() == INK else text.get_color()
            colours = [f"{255 * np.array(to_rgb(c))}" for c in (behind, letters)]
            assert browser.contrast(*colours) > 3.4
            checked += 1
    assert checked == 39


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390], ids=["desktop", "phone"])
def test_in_a_browser_it_is_readable(page, chromium, width, dark):
    browser.emulate(chromium, width, 900, dark)
    chromium.get(page.as_uri())
    assert browser.console(chromium) == []
    script = chromium.execute_script
    assert not browser.overflows(chromium, width)
    assert script("return performance.getEntriesByType('resource').map(e => e.name)") == []
    sizes = script(
        "return [...document.querySelectorAll('figure svg')].map(s => s.getBoundingClientRect())"
        ".map(r => [r.left, r.right, r.height])"
    )
    assert len(sizes) == len(FIGURES)
    assert all(0 <= left < right <= width and height > 60 for left, right, height in sizes)
    card = script("return getComputedStyle(document.querySelector('figure')).backgroundColor")
    inks = script(
        "return ['h1', 'td', 'figcaption', 'pre', 'figure svg text'].map("
        "s => getComputedStyle(document.querySelector(s))).map(s => [s.color, s.fill])"
    )
    (*_, (_, drawn)) = inks
    assert min(browser.contrast(card, colour) for colour, _ in inks) > 4.5
    assert browser.contrast(card, drawn) > 4.5
    for colour in ("rgb(0, 114, 178)", "rgb(213, 94, 0)", "rgb(0, 158, 115)"):
        assert browser.contrast(card, colour) > 3  # WCAG's for what is no text
    assert (browser.contrast(card, "rgb(0, 0, 0)") < 2) == dark


def test_letters_stay_in_their_figures(page, chromium):
    """Also in a browser's fonts, which differ from those of the figure's layout."""
    browser.emulate(chromium, 1200, 900)
    chromium.get(page.as_uri())
    outside = chromium.execute_script(
        "return [...document.querySelectorAll('figure svg')].flatMap(svg => {"
        "  const box = svg.getBoundingClientRect();"
        "  return [...svg.querySelectorAll('text')].filter(t => {"
        "    const r = t.getBoundingClientRect();"
        "    return r.left < box.left - 2 || r.right > box.right + 2 ||"
        "           r.top < box.top - 2 || r.bottom > box.bottom + 2;"
        "  }).map(t => t.textContent)})"
    )
    assert outside == []
