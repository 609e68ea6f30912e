"""The rest of a loop when it resumes from each position, and Ctrl-C at each."""

from __future__ import annotations

import io
import os
import signal
import threading

import numpy as np
import pytest
from states import Number

import tinynet as tn
from tinynet import data, nn
from tinynet.training import Checkpoint, EarlyStopping, Interrupted, Recorder

pytestmark = pytest.mark.usefixtures("ctrl_c")


def loader(n: int = 6) -> data.DataLoader:
    return data.DataLoader(np.arange(n), batch_size=2, shuffle=True, seed=1)


def seen(run: Checkpoint, batches: data.DataLoader, epochs: int) -> list[tuple[int, list[int]]]:
    return [(e, x.tolist()) for e in run.epochs(epochs) for (x,) in run.steps(batches)]


def resumed(folder, **options) -> Checkpoint:
    run = Checkpoint(folder, say=lambda line: None, **options)
    run.load()
    return run


def test_every_place_is_resumed(tmp_path):
    """A run resumed from any checkpoint gives the rest of the original run."""
    batches, path = loader(), tmp_path / "last.safetensors"
    run = Checkpoint(tmp_path, loader=batches, save_steps=1)
    everything, files = [], []
    for epoch in run.epochs(3):
        for (x,) in run.steps(batches):
            files.append((len(everything), path.read_bytes()))
            everything.append((epoch, x.tolist()))
        files.append((len(everything), path.read_bytes()))
    files.append((len(everything), path.read_bytes()))
    run.close()
    assert len(everything) == 9
    for done, content in files:
        path.write_bytes(content)
        batches = loader()
        with resumed(tmp_path, loader=batches, save_steps=1) as run:
            assert seen(run, batches, 3) == everything[done:]
            assert (run.epoch, run.batch, run.step) == (3, 0, 9)


def test_steps_that_are_left_by_break(tmp_path):
    """The rest of the epoch is dropped, in the run and in a resumed one."""

    def two_each(run, batches, epochs):
        found = []
        for epoch in run.epochs(epochs):
            for (x,) in run.steps(batches):
                found.append((epoch, x.tolist()))
                if run.batch == 2:
                    break
        return found

    batches = loader()
    whole = two_each(Checkpoint(None, loader=batches), batches, 4)
    assert len(whole) == 8
    batches = loader()
    with Checkpoint(tmp_path, loader=batches) as run:
        first = two_each(run, batches, 2)
    batches = loader()
    with resumed(tmp_path, loader=batches) as run:
        assert first + two_each(run, batches, 4) == whole


def test_steps_by_number(tmp_path):
    """n steps whose data are drawn in the loop, alone and in epochs, resumed in the middle."""
    rng = np.random.default_rng(0)
    whole = [rng.random() for _ in range(5)]
    rng, drawn = np.random.default_rng(0), []
    run = Checkpoint(tmp_path, rng=rng, save_steps=1)
    for step in run.steps(5):
        drawn.append(rng.random())
        if step == 2:
            break  # what was drawn here is not saved
    run.close()
    rng = np.random.default_rng(9)
    with resumed(tmp_path, rng=rng) as run:
        numbers = []
        for step in run.steps(5):
            numbers.append(step)
            drawn[step:] = [rng.random()]
        assert numbers == [2, 3, 4]
        assert run.step == 5
    assert drawn == whole
    with resumed(tmp_path, rng=rng) as run:
        assert list(run.steps(5)) == []


def test_an_iterator_without_a_length(tmp_path):
    class Stream(Number):
        """Yields 0, 1, 2 of each epoch."""

        def __iter__(self):
            while self.value % 4 < 3:
                self.value += 1
                yield self.value - 1
            self.value += 1

    whole = []
    run = Checkpoint(None, loader=(stream := Stream()))
    for _ in run.epochs(2):
        whole += run.steps(stream)
    assert whole == [0, 1, 2, 4, 5, 6]
    for stop in range(6):
        folder = tmp_path / str(stop)
        found: list[int] = []
        with Checkpoint(folder, loader=(stream := Stream()), save_steps=1) as run:
            for _ in run.epochs(2):
                for x in run.steps(stream):
                    if run.step > stop:
                        break
                    found.append(x)
                if run.step > stop:
                    break
        with resumed(folder, loader=(stream := Stream())) as run:
            for _ in run.epochs(2):
                found += run.steps(stream)
        assert found == whole


def test_a_recorder_and_early_stopping_are_parts(tmp_path):
    """Interrupted after any step, the history and the epoch of the stop are the same."""

    def loop(folder, place=None, resume=False):
        batches, stopping = loader(), EarlyStopping(patience=2)
        recorder = Recorder(stream=io.StringIO())
        parts = {"loader": batches, "recorder": recorder, "stopping": stopping}
        with resumed(folder, **parts) if resume else Checkpoint(folder, **parts) as run:
            for epoch in run.epochs(9):
                for (x,) in run.steps(batches):
                    recorder.add(len(x), loss=float(x.sum()))
                    if run.step == place:
                        signal.raise_signal(signal.SIGINT)
                recorder.end_epoch()
                if stopping.step([5.0, 3.0, 4.0, 3.5, 1.0][epoch]):
                    run.stop()
        return [{**row, "seconds": 0} for row in recorder.history], run.epoch

    whole = loop(None)
    assert (len(whole[0]), whole[1]) == (4, 4)
    for place in (1, 3, 11, 12):
        with pytest.raises(Interrupted):
            loop(tmp_path / str(place), place)
        assert loop(tmp_path / str(place), resume=True) == whole


def test_it_saves_by_time(tmp_path, monkeypatch):
    from tinynet.training import checkpoint

    now = [0.0]
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now[0])
    run = Checkpoint(tmp_path / "run", save_seconds=10)
    saved = []
    for _ in run.steps(6):
        saved.append(tn.load(run.last_path)["run"]["step"])
        now[0] += 4
    assert saved == [0, 0, 0, 3, 3, 3]
    assert tn.load(run.last_path)["run"]["step"] == 6


def test_steps_wants_a_part_and_once():
    batches, other = loader(), loader()
    run = Checkpoint(None, loader=batches)
    with pytest.raises(TypeError, match="batches is a DataLoader that is not among the check"):
        run.steps(other)
    list(run.steps(batches))
    with pytest.raises(RuntimeError, match="the steps of epoch 1 have already begun; call"):
        run.steps(batches)


def test_an_error_goes_through_and_load_goes_on(tmp_path):
    batches = loader()
    whole = seen(Checkpoint(None, loader=batches), batches, 1)
    batches = loader()
    run = Checkpoint(tmp_path, loader=batches, save_steps=1)
    found = []
    before = signal.getsignal(signal.SIGINT)

    def loop():
        for _ in run.steps(batches):
            found.append(1 / (1 - len(found)))

    with pytest.raises(ZeroDivisionError):
        loop()
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(RuntimeError, match="after an error resume with load"):
        run.steps(batches)
    run.load()
    assert seen(run, batches, 1) == whole[1:]


# --- signals -------------------------------------------------------------------------------------


def test_handlers_are_there_in_the_loop_only(tmp_path):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    for _ in Checkpoint(None).steps(1):
        assert signal.getsignal(signal.SIGINT) is before[0]  # without a folder, not even there
    run = Checkpoint(tmp_path / "run")
    for _ in run.epochs(1):
        assert signal.getsignal(signal.SIGINT) is not before[0]
        for _ in run.steps(1):
            assert signal.getsignal(signal.SIGTERM) is not before[1]
        assert signal.getsignal(signal.SIGINT) is not before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_handler_of_the_users_own_is_left_alone(tmp_path):
    def own(*_):
        pass

    before = signal.signal(signal.SIGINT, own)
    try:
        for _ in Checkpoint(tmp_path / "run").steps(1):
            assert signal.getsignal(signal.SIGINT) is own
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_loop_runs_in_any_thread(tmp_path):
    steps: list[int] = []
    thread = threading.Thread(
        target=lambda: steps.extend(Checkpoint(tmp_path / "run").steps(3)), daemon=True
    )
    thread.start()
    thread.join()
    assert steps == [0, 1, 2]
    assert os.listdir(tmp_path / "run") == ["last.safetensors"]


def test_ctrl_c_in_each_place_of_the_loop(tmp_path, capfd):
    """In a step, in an epoch's last step, in the work after it: where it stops, what remains."""
    places = {  # (epoch, step, or "end"): (where it says that it stopped, batches that are left)
        (0, 0): ("in epoch 1 after 1 steps", 5),
        (0, 2): ("in epoch 1 after 3 steps", 3),
        (0, "end"): ("in epoch 2 after 0 steps", 3),
        (1, 2): ("in epoch 2 after 3 steps", 0),
        (1, "end"): ("after epoch 2, the last", 0),
    }
    for number, (place, (where, left)) in enumerate(places.items()):
        folder = tmp_path / str(number)
        batches, ends = loader(), Number()

        def loop(run, batches=batches, ends=ends, place=place):
            for epoch in run.epochs(2):
                for step, _ in enumerate(run.steps(batches)):
                    if (epoch, step) == place:
                        signal.raise_signal(signal.SIGINT)
                if (epoch, "end") == place:
                    signal.raise_signal(signal.SIGINT)
                ends.value += 1

        run = Checkpoint(folder, loader=batches, ends=ends)
        with pytest.raises(Interrupted, match=f"stopped by Ctrl-C {where}, saved in"):
            loop(run)
        run.close()
        batches, ends = loader(), Number()
        with resumed(folder, loader=batches, ends=ends) as run:
            found = []
            for _ in run.epochs(2):
                found += run.steps(batches)
                ends.value += 1
        assert len(found) == left
        assert ends.value == 2  # of each epoch once
    assert capfd.readouterr().err.count("Ctrl-C: stops after this step") == len(places)


def test_ctrl_c_with_a_full_disk(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    run = Checkpoint(tmp_path / "run", model=nn.Linear(1, 1))
    steps = run.steps(3)
    next(steps)
    monkeypatch.setattr(os, "replace", full)
    signal.raise_signal(signal.SIGINT)
    with pytest.raises(Interrupted, match=r"epoch 1 after 1 steps, but not saved: .*No space"):
        next(steps)
    assert tn.load(run.last_path)["run"]["step"] == 0
    assert os.listdir(tmp_path / "run") == ["last.safetensors"]
