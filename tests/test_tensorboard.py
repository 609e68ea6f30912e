"""Event files: TensorBoard's records, read back by their format."""

from __future__ import annotations

import io
import math
import struct
import sys

import pytest

from tinynet.training import Recorder


def scalars(folder):
    """For each file, (tag, step) -> value, and the step from which it hides older files."""
    event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2")
    files = []
    for path in sorted(folder.iterdir()):
        data, at, found, purge = path.read_bytes(), 0, {}, None
        while at < len(data):  # length, its checksum, the record, its checksum
            (length,) = struct.unpack_from("<Q", data, at)
            event = event_pb2.Event.FromString(data[at + 12 : at + 12 + length])
            at += 12 + length + 4
            if event.HasField("session_log"):
                purge = event.step
            for value in event.summary.value:
                found[value.tag, event.step] = value.simple_value
        files.append((found, purge))
    return files


def test_rows_become_scalars_and_a_resume_hides_what_it_repeats(tmp_path):
    pytest.importorskip("tensorboardX")
    first = Recorder(tensorboard=tmp_path / "a", log_steps=1, stream=io.StringIO())
    first.add(2, loss=1.0)
    first.add(2, loss=3.0)
    first.end_epoch(test_loss=math.inf)
    state = first.state_dict()
    first.add(2, loss=5.0)
    first.close()
    [(found, purge)] = scalars(tmp_path / "a")
    seconds = {k: found.pop(k) for k in list(found) if k[0].endswith("seconds")}
    assert set(seconds) == {("step/seconds", 1), ("step/seconds", 2), ("step/seconds", 3),
                            ("epoch/seconds", 2)}  # fmt: skip
    assert found == {
        ("step/loss", 1): 1.0, ("step/loss", 2): 3.0, ("step/loss", 3): 5.0,
        ("epoch/loss", 2): 2.0, ("epoch/test_loss", 2): math.inf,
    }  # fmt: skip
    assert purge == 1
    second = Recorder(tensorboard=tmp_path / "b", log_steps=1, stream=io.StringIO())
    second.load_state_dict(state)
    second.add(2, loss=7.0)
    second.close()
    [(found, purge)] = scalars(tmp_path / "b")
    assert purge == 3
    assert found["step/loss", 3] == 7.0


def test_a_folder_that_cannot_be_made_does_not_end_the_run(tmp_path):
    pytest.importorskip("tensorboardX")
    (tmp_path / "file").write_text("in the way")
    shown = io.StringIO()
    recorder = Recorder(tensorboard=tmp_path / "file" / "events", stream=shown)
    for _ in range(2):
        recorder.add(1, loss=1.0)
        recorder.end_epoch()
    recorder.close()
    assert shown.getvalue().count("no more event files") == 1
    assert recorder.epoch == 2


def test_without_tensorboardx(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r"pip install 'tinynet\[tensorboard\]'"):
        Recorder(tensorboard=tmp_path)
