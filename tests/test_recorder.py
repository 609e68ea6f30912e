"""The recorder: means over examples, and a history that a resume does not change."""

from __future__ import annotations

import io
import json
import math
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinynet as tn
from tinynet import backend, nn, optim
from tinynet.training import Checkpoint, CheckpointError, Recorder, read_history

figures = st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf])
batches = st.lists(st.tuples(st.integers(1, 9), figures, figures), min_size=1, max_size=6)
SILENT = {"interval": math.inf}


def without_time(text: str) -> list[dict]:
    rows = [json.loads(line) for line in text.splitlines()]
    assert all(row.pop("seconds") >= 0 for row in rows)
    return rows


# --- means ----------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(-9, 9)), min_size=1, max_size=20))
def test_the_mean_is_over_examples(parts):
    recorder = Recorder(stream=io.StringIO())
    for n, value in parts:
        recorder.add(n, loss=value)
    examples = [value for n, value in parts for _ in range(n)]
    expected = math.fsum(examples) / len(examples)
    assert recorder.figures["loss"] == pytest.approx(expected, abs=1e-12)
    assert recorder.end_epoch()["loss"] == recorder.history[0]["loss"]
    assert recorder.figures == {}


def test_a_figure_of_some_batches_counts_in_those():
    recorder = Recorder(stream=io.StringIO())
    recorder.add(2, loss=1.0)
    recorder.add(2, loss=3.0, accuracy=0.5)
    row = recorder.end_epoch(test_loss=np.float32(0.25))
    assert {k: v for k, v in row.items() if k != "seconds"} == {
        "epoch": 1, "loss": 2.0, "accuracy": 0.5, "test_loss": 0.25,
    }  # fmt: skip


def test_tensors_and_arrays(device, monkeypatch):
    """On a GPU nothing waits for a metric until it is needed; the sums are the same."""
    moved = []
    to_numpy = backend.to_numpy
    monkeypatch.setattr(backend, "to_numpy", lambda a: moved.append(a.shape) or to_numpy(a))
    recorder = Recorder(stream=io.StringIO(), **SILENT)
    values = np.random.default_rng(0).normal(size=7).astype("float32")
    for i, value in enumerate(values):
        w = tn.tensor(value, requires_grad=True, device=device)
        shape = [w, (w * 1).reshape(1), w.detach().data][i % 3]
        recorder.add(i + 1, loss=shape)
    if device == "cuda":
        assert moved == []
    total = 0.0
    for i, value in enumerate(values):
        total += (i + 1) * float(value)
    assert recorder.figures == {"loss": total / 28}
    if device == "cuda":
        assert moved == [(7,)]
    assert recorder.end_epoch(lr=tn.tensor(0.5, device=device))["lr"] == 0.5


def test_a_recorder_keeps_no_graph():
    x = tn.ones(3, requires_grad=True)
    loss = (x * x).sum()
    recorder = Recorder(stream=io.StringIO())
    recorder.add(1, loss=loss)
    assert not any(isinstance(value, tn.Tensor) for _, _, value in recorder._pending)


# --- the file, and going on -----------------------------------------------------------------


def run(recorder, calls):
    """The batches of `calls`, in which None is the end of an epoch."""
    for call in calls:
        if call is None:
            recorder.end_epoch(test_loss=float(recorder.epoch))
        else:
            n, loss, accuracy = call
            recorder.add(n, loss=loss, accuracy=accuracy)


@given(st.lists(batches, min_size=1, max_size=3), st.integers(0, 3), st.data())
def test_a_resumed_run_ends_with_the_same_history(tmp_path_factory, plan, logged, draw):
    folder = tmp_path_factory.mktemp("run")
    options = {"log_steps": logged, **SILENT}
    whole = Recorder(folder / "whole.jsonl", stream=io.StringIO(), **options)
    calls = [call for epoch in plan for call in (*epoch, None)]
    run(whole, calls)
    cut = draw.draw(st.integers(0, len(calls) - 1))
    path = folder / "parts.jsonl"
    first = Recorder(path, stream=io.StringIO(), **options)
    run(first, calls[:cut])
    tn.save({"recorder": first.state_dict()}, folder / "state.safetensors")
    run(first, calls[cut:])  # what is done after the checkpoint is lost ...
    with open(path, "ab") as file:
        file.write(b'{"epoch": 9, "lo')  # ... and so is what was half written
    second = Recorder(path, stream=io.StringIO(), **options)
    second.load_state_dict(tn.load(folder / "state.safetensors")["recorder"])
    assert second.step == cut - calls[:cut].count(None)
    run(second, calls[cut:])
    parts, expected = path.read_text(), (folder / "whole.jsonl").read_text()
    assert without_time(parts) == without_time(expected)
    # NaN is equal to itself as text alone
    assert repr(read_history(path)) == repr(second.history)
    assert sorted(os.listdir(folder)) == ["parts.jsonl", "state.safetensors", "whole.jsonl"]


def test_each_row_is_in_the_file_at_once(tmp_path):
    path = tmp_path / "new" / "folder" / "history.jsonl"
    recorder = Recorder(path, log_steps=2, stream=io.StringIO())
    assert path.parent.is_dir()
    for step in range(1, 5):
        recorder.add(1, loss=step)
        if step > 1:
            assert [r["step"] for r in read_history(path, steps=True)] == [2, 4][: step // 2]
    recorder.end_epoch()
    recorder.add(1, loss=1)
    assert [row["loss"] for row in read_history(path)] == [2.5]
    assert [row["loss"] for row in read_history(path, steps=True)] == [2.0, 4.0]


def test_an_old_file_is_replaced_by_the_first_row_not_before(tmp_path):
    path = tmp_path / "history.jsonl"
    path.write_text("old\n")
    left = tmp_path / ".history.jsonl.0123abcd.tmp"
    left.write_text("of a run that was killed while writing")
    recorder = Recorder(path, stream=io.StringIO())
    recorder.add(1, loss=1.0)
    assert path.read_text() == "old\n"
    recorder.end_epoch()
    assert len(read_history(path)) == 1
    assert os.listdir(tmp_path) == ["history.jsonl"]


def test_a_load_that_fails_leaves_the_file_alone(tmp_path):
    def last(parameters):
        return optim.SGD([nn.Parameter(tn.ones(1)) for _ in range(parameters)])

    path, silent = tmp_path / "history.jsonl", {"say": lambda line: None}
    recorder = Recorder(path, stream=io.StringIO())
    with Checkpoint(tmp_path, recorder=recorder, last=last(3), **silent) as run:
        recorder.end_epoch(loss=1.0)
        run.save()
        recorder.end_epoch(loss=0.5)
    before = path.read_bytes()
    for parameters, fits in ((2, False), (3, True)):
        with (
            Recorder(path, stream=io.StringIO()) as recorder,
            Checkpoint(tmp_path, recorder=recorder, last=last(parameters), **silent) as run,
        ):
            if fits:
                run.load()
            else:
                with pytest.raises(CheckpointError, match=r"Part 'last': .* have \[3\] param"):
                    run.load()
            assert len(recorder.history) == fits
        assert path.read_bytes() == before
    recorder.end_epoch(loss=0.25)  # in the place of the one after the checkpoint
    assert [row["loss"] for row in read_history(path)] == [1.0, 0.25]


def test_seconds_go_on_counting(tmp_path):
    recorder = Recorder(tmp_path / "h", stream=io.StringIO())
    recorder.load_state_dict({**recorder.state_dict(), "seconds": 1000.0})
    assert 1000 <= recorder.seconds < 1100
    assert 1000 <= recorder.end_epoch()["seconds"] < 1100


def test_a_disk_that_fails_for_a_while(tmp_path):
    folder, shown = tmp_path / "run", io.StringIO()
    recorder = Recorder(folder / "history.jsonl", log_steps=1, stream=shown, **SILENT)
    recorder.add(1, loss=1.0)
    (folder / "history.jsonl").unlink()
    folder.rmdir()
    for _ in range(3):
        recorder.add(1, loss=1.0)
    recorder.end_epoch()
    assert shown.getvalue().count("history cannot be written") == 1
    folder.mkdir()
    recorder.add(1, loss=2.0)
    recorder.end_epoch()
    assert len(read_history(folder / "history.jsonl")) == 2
    assert len(read_history(folder / "history.jsonl", steps=True)) == 5
    (folder / "history.jsonl").unlink()
    folder.rmdir()
    recorder.end_epoch()
    folder.mkdir()
    recorder.close()  # the last chance
    assert len(read_history(folder / "history.jsonl")) == 3


STATES = {
    "no dict": (3, "it must be a dict of epoch, step"),
    "missing": ({"epoch": 1}, "it must be a dict of epoch, step"),
    "history": ({"history": np.frombuffer(b"junk\n", "u1")}, "history, line 1: it is not JSON"),
    "epochs": ({"epoch": 2}, "epoch is 2, but the history's is 0"),
    "sums": ({"sums": {"loss": [1.0]}}, "load_state_dict"),
    "numbers": ({"step": "many"}, "load_state_dict"),
}


@pytest.mark.parametrize("case", STATES)
def test_states_that_cannot_be(case, tmp_path):
    given, message = STATES[case]
    recorder = Recorder(tmp_path / "h", stream=io.StringIO())
    recorder.add(3, loss=0.5)
    before = recorder.state_dict()
    if isinstance(given, dict) and len(given) == 1 and case != "missing":
        given = {**before, **given}
    with pytest.raises(ValueError, match=message):
        recorder.load_state_dict(given)
    after = recorder.state_dict()
    plain = [{**s, "seconds": 0, "history": s["history"].tobytes()} for s in (before, after)]
    assert plain[0] == plain[1]
    assert not (tmp_path / "h").exists()


@pytest.mark.parametrize("n", [np.uint8(200), np.array(200), tn.tensor(200)], ids=repr)
def test_the_size_of_a_batch_may_be_any_integer(n, tmp_path):
    recorder = Recorder(stream=io.StringIO())
    recorder.add(n, loss=1.0)
    recorder.add(n, loss=2.0)
    assert recorder.figures == {"loss": 1.5}
    state = recorder.state_dict()
    assert state["examples"] == 400
    assert state["sums"] == {"loss": [600.0, 400]}
    recorder.end_epoch()
    tn.save(state, tmp_path / "state.safetensors")


def test_a_batch_of_two_and_a_half_is_refused():
    recorder = Recorder(stream=io.StringIO())
    for n in (np.array(2.5), tn.tensor(2.5), np.ones(1, "f4")):
        with pytest.raises(TypeError):
            recorder.add(n, loss=1.0)
    assert recorder.step == 0
    assert recorder.figures == {}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: r.add(0, loss=1), "add: n is 0; it must be an integer, at least 1"),
        (lambda r: r.add(True, loss=1), "add: n is True"),
        (lambda r: r.add(np.True_, loss=1), "add: n is np.True_|add: n is True"),
        (lambda r: r.add(2.0, loss=1), r"add: n is 2\.0"),
        (lambda r: r.add(1, loss=np.ones(3)), r"loss has shape \(3,\); it must be one number"),
        (lambda r: r.add(1, loss=tn.ones(2, 2)), r"loss has shape \(2, 2\)"),
        (lambda r: r.add(1, loss="low"), "loss is 'low'; it must be one number"),
        (lambda r: r.add(1, loss=None), "loss is None"),
        (lambda r: r.add(1, step=3), "'step' is the recorder's own"),
        (lambda r: r.end_epoch(seconds=3), "'seconds' is the recorder's own"),
        (lambda r: r.end_epoch(loss=3), "'loss' is a metric of `add`"),
        (lambda r: r.end_epoch(test_loss=[1, 2]), r"test_loss is \[1, 2\]"),
        (lambda r: Recorder(total=-1), "total is -1"),
        (lambda r: Recorder(log_steps=0.5), r"log_steps is 0\.5"),
    ],
)
def test_errors_change_nothing(call, message):
    recorder = Recorder(stream=io.StringIO())
    recorder.add(1, loss=1.0)
    with pytest.raises(ValueError, match=message):
        call(recorder)
    assert recorder.step == 1
    assert recorder.epoch == 0
    assert recorder.figures == {"loss": 1.0}


def test_a_long_history_fits_into_a_checkpoint(tmp_path):
    """A row per step for half a million steps: more text than a file's header can hold."""
    recorder = Recorder(log_steps=1, total=1, stream=io.StringIO())
    recorder._file.lines = [
        '{"epoch":1,"step":1,"loss":0.123456789,"accuracy":0.5,"seconds":1.0}'
    ] * 600_000
    tn.save({"recorder": recorder.state_dict()}, tmp_path / "state.safetensors")
    saved = tn.load(tmp_path / "state.safetensors")["recorder"]["history"]
    assert saved.tobytes().count(b"\n") == 600_000
