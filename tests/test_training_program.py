"""The program in the docstring of `tinynet.training` runs unchanged, stops, and resumes."""

from __future__ import annotations

import os
import re
import signal
import textwrap

import pytest

from tinynet import optim, training

PROGRAM = textwrap.dedent((training.__doc__ or "").partition("::\n")[2])


def losses() -> list[float]:
    return [row["loss"] for row in training.read_history("run1/history.jsonl")]


@pytest.mark.usefixtures("ctrl_c")
def test_the_program(tmp_path, monkeypatch, capfd):
    pytest.importorskip("matplotlib")
    for folder in ("whole", "parts"):
        (tmp_path / folder).mkdir()
    code = compile(PROGRAM, "program", "exec")
    monkeypatch.chdir(tmp_path / "whole")
    exec(code, {})
    expected = losses()
    files = ["best.safetensors", "history.jsonl", "last.safetensors", "report.html"]
    assert sorted(os.listdir("run1")) == files
    rows = training.read_history("run1/history.jsonl")
    assert len(rows) == 10
    assert rows[-1]["test_accuracy"] > 0.9

    monkeypatch.chdir(tmp_path / "parts")
    steps, step = [], optim.Adam.step

    def counted(self):
        steps.append(1)
        if len(steps) == 30:
            signal.raise_signal(signal.SIGINT)
        step(self)

    monkeypatch.setattr(optim.Adam, "step", counted)
    monkeypatch.setattr(training, "write_report", lambda *args, **options: None)  # once is enough
    with pytest.raises(
        SystemExit, match=r"^stopped by Ctrl-C in epoch 2 after \d+ steps, saved in"
    ):
        exec(code, {})
    exec(code, {})
    assert losses() == expected
    exec(code, {})  # once more: nothing is left to do
    assert losses() == expected
    out = capfd.readouterr().out
    assert re.search(r"resumes in epoch 2 after \d+ steps .30 in all.", out)
    assert "the run is complete: epoch 10 was the last" in out
