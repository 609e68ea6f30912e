"""Output of a recorder: a bar on a terminal, plain lines elsewhere, and no message lost."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time

import pytest

from tinynet.training import Recorder


def test_plain_lines_off_a_terminal():
    shown = io.StringIO()
    recorder = Recorder(total=40, epochs=2, interval=0.0, stream=shown)
    for _ in range(4):
        recorder.add(10, loss=0.5, accuracy=0.75)
    recorder.log("a message")
    recorder.end_epoch(test_loss=0.25)
    recorder.end_epoch()
    lines = shown.getvalue().splitlines()
    assert "\r" not in shown.getvalue()
    assert "\x1b" not in shown.getvalue()
    form = r"epoch 1/2  50%  20/40  \d+ examples/s  loss 0\.5  accuracy 0\.75  [\d.:]+( s)? left"
    assert re.fullmatch(form, lines[1])
    assert len(lines) == 7
    assert lines[4] == "a message"
    form = r"epoch 1/2  loss 0\.5  accuracy 0\.75  test_loss 0\.25  [\d.]+ s  [\d.]+ s left"
    assert re.fullmatch(form, lines[5])
    assert re.fullmatch(r"epoch 2/2  [\d.]+ s", lines[6])


def test_at_most_a_line_every_so_many_seconds(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    shown = io.StringIO()
    recorder = Recorder(total=1000, interval=30, stream=shown)
    for _ in range(1000):
        now[0] += 0.1  # 100 seconds in all
        recorder.add(1, loss=1.0)
    lines = shown.getvalue().splitlines()
    assert len(lines) == 3
    assert "10 examples/s" in lines[0]
    assert lines[2].endswith("left")
    now[0] += 3600 * 2
    recorder.end_epoch()
    assert shown.getvalue().splitlines()[-1] == "epoch 1  loss 1  2:01:40"


def test_a_resumed_epoch_counts_its_rate_from_where_it_goes_on(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    first = Recorder(total=100, stream=io.StringIO())
    first.add(80, loss=1.0)
    shown = io.StringIO()
    second = Recorder(total=100, interval=1, stream=shown)
    second.load_state_dict(first.state_dict())
    second.add(5, loss=1.0)
    now[0] += 2
    second.add(5, loss=1.0)
    assert "90%  90/100  5 examples/s  loss 1  2.0 s left" in shown.getvalue()


def test_a_bar_on_a_terminal_until_the_end_of_the_block(terminal, monkeypatch):
    pytest.importorskip("tqdm")
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    with Recorder(total=60, epochs=3, stream=terminal) as recorder:
        for _ in range(2):
            recorder.add(10, loss=0.5)
            now[0] += 0.2
        recorder.log("a message")
        assert recorder._progress._bar is not None
    assert recorder._progress._bar is None
    assert "loss=0.5" in terminal.getvalue()
    assert re.search(r"[\r\n]a message\n", terminal.getvalue())


def test_without_tqdm_a_note_and_plain_lines(terminal, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    recorder = Recorder(interval=0.0, stream=terminal)
    recorder.add(10, loss=0.5)
    assert terminal.getvalue().count("pip install 'tinynet[train]'") == 1
    assert "\r" not in terminal.getvalue()
    assert re.search(r"^epoch 1  10  \d+ examples/s  loss 0.5$", terminal.getvalue(), re.M)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("closed")])
def test_a_stream_that_fails_does_not_end_the_run(error):
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise error

    recorder = Recorder(interval=0.0, stream=Broken())
    recorder.add(10, loss=0.5)
    recorder.log("lost")
    assert recorder.end_epoch()["loss"] == 0.5


SCRIPT = """
import sys, time
from tinynet.training import Recorder
with Recorder(total=50, epochs=2) as recorder:
    for epoch in range(2):
        for k in range(5):
            time.sleep(0.05)
            recorder.add(10, loss=k)
            recorder.log(f"message {epoch}.{k} " + 30 * "x")
        recorder.end_epoch()
"""


def screen(text: str) -> list[str]:
    """The text as a terminal shows it: text after a carriage return overwrites the line."""
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        cells: list[str] = []
        for piece in re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", line).split("\r"):
            cells[: len(piece)] = piece
        lines.append("".join(cells).rstrip())
    return lines


def test_on_a_real_terminal_no_message_is_lost():
    pty = pytest.importorskip("pty")
    pytest.importorskip("tqdm")
    leader, follower = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=follower, stderr=follower)
    os.close(follower)
    text = b""
    while True:
        try:
            piece = os.read(leader, 1 << 16)
        except OSError:  # how Linux says that the other end is closed
            break
        if not piece:
            break
        text += piece
    os.close(leader)
    assert process.wait(60) == 0, text
    lines = screen(text.decode())
    wanted = [f"message {epoch}.{k} " + 30 * "x" for epoch in range(2) for k in range(5)]
    assert [line for line in lines if line.startswith("message")] == wanted
    assert sum(bool(re.match(r"epoch \d/2  loss 2  ", line)) for line in lines) == 2
    assert re.search(r"epoch 1/2: .* examples/s, loss=\d", text.decode())
