"""Checkpoints: errors say what is wrong and change nothing, and no file is lost."""

from __future__ import annotations

import os
import re
import shutil
import sys

import numpy as np
import pytest
from states import Number, same

import tinynet as tn
from tinynet import nn, optim
from tinynet.io.saving import state_to_bytes
from tinynet.training import Checkpoint, CheckpointError

OPTIONS = {"lr": 0.01, "sizes": [4, 3, 2]}


def made(dropout: float = 0.5, steps: int = 2) -> dict:
    """A model, Adam, a schedule and a generator after some steps, the same in each call."""
    tn.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.Dropout(dropout), nn.Linear(3, 2))
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    schedule = optim.lr_scheduler.StepLR(optimizer, 1)
    noise = np.random.default_rng(steps)
    for _ in range(steps):
        loss = (model(tn.tensor(noise.random((5, 4), "float32"))) ** 2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return {"model": model, "optimizer": optimizer, "schedule": schedule, "noise": noise}


def state(parts: dict) -> dict:
    states = {name: part.state_dict() for name, part in parts.items() if name != "noise"}
    noise, ours = parts["noise"].bit_generator.state, tn.random.generator().bit_generator.state
    return {**states, "noise": noise, "random": ours}


def quiet(folder, **more) -> Checkpoint:
    return Checkpoint(folder, say=lambda line: None, **more)


@pytest.fixture
def saved(tmp_path):
    """The file of a checkpoint with the parts `made()`."""
    with quiet(tmp_path / "run", options=OPTIONS, **made()) as run:
        run.epoch, run.batch, run.step = 1, 2, 9
        run.save()
    return tmp_path / "run" / "last.safetensors"


def test_all_parts_come_back(saved):
    expected, fresh, said = state(made()), made(steps=0), []
    run = Checkpoint(saved.parent, say=said.append, options=OPTIONS, **fresh)
    tn.random.generator().random(3)
    assert not same(state(fresh), expected)
    run.load()
    assert same(state(fresh), expected)
    assert (run.epoch, run.batch, run.step) == (1, 2, 9)
    assert said == [f"{saved}: resumes in epoch 2 after 2 steps (9 in all)"]


def test_messages_count_epochs_from_1(tmp_path):
    said = []

    def go(load, epochs, stop=None):
        with Checkpoint(tmp_path / "run", say=said.append) as run:
            if load:
                run.load()
            for epoch in run.epochs(epochs):
                for step in run.steps(5):
                    if (epoch, step) == stop:
                        run.save()
                        return
        assert run.epoch == epochs

    path = tmp_path / "run" / "last.safetensors"
    go(False, 2, stop=(0, 3))
    go(True, 2)
    go(True, 2)
    go(True, 3)
    assert said == [
        f"{path}: resumes in epoch 1 after 4 steps (4 in all)",
        f"{path}: resumes after epoch 2 (10 steps in all)",
        "the run is complete: epoch 2 was the last",
        f"{path}: resumes after epoch 2 (10 steps in all)",
    ]


@pytest.mark.parametrize("step", [None, 1])
def test_a_stopped_run_ends_with_its_epoch(tmp_path, step):
    """Also if the call was in mid-epoch and the run was resumed there."""
    said, steps = [], []
    with Checkpoint(tmp_path / "run") as run:
        for _ in run.epochs(9):
            for number in run.steps(4):
                if number == step:
                    break
            run.stop()
            if step is not None:
                run.save()
                break
    for _ in range(2):
        with Checkpoint(tmp_path / "run", say=said.append) as run:
            run.load()
            steps += [number for _ in run.epochs(9) for number in run.steps(4)]
            assert run.epoch == 1
    path = run.last_path
    ended = f"{path}: the run is complete: it was stopped after epoch 1"
    began = f"{path}: resumes in epoch 1 after 2 steps (2 in all)"
    assert said == [ended if step is None else began, ended]
    assert steps == ([] if step is None else [2, 3])


def test_what_a_gpu_wrote_a_cpu_reads(tmp_path, device):
    parts = made()
    parts["model"].to(device)
    with quiet(tmp_path, **parts) as run:
        run.save()
    expected, fresh = state(parts), made(steps=0)
    with quiet(tmp_path, **fresh) as run:
        run.load()
    assert same(state(fresh), expected)
    assert all(p.device == "cpu" for p in fresh["model"].parameters())


# --- what is refused -----------------------------------------------------------------------------


def refused(file, parts: dict | None = None, options=OPTIONS, **load) -> str:
    """The text of the error, which must have changed nothing."""
    parts = made(steps=0) if parts is None else parts
    before = state(parts)
    with quiet(file.parent, options=options, **parts) as run:
        with pytest.raises(CheckpointError) as caught:
            run.load(**load)
        assert (run.epoch, run.batch, run.step, run.best) == (0, 0, 0, None)
    assert same(state(parts), before)
    assert os.listdir(file.parent) == ["last.safetensors"]
    return str(caught.value)


OTHERS = {  # the complaint: the name of the part, and what is there instead
    "Part 'model': 0.weight was float32, is float64; 0.bias was float32": (
        "model", lambda p: p["model"].double(),
    ),
    "optimizer was Adam, is SGD": ("optimizer", lambda p: optim.SGD(p["model"].parameters())),
    "optimizer was Adam, is AdamW": (  # whose state would fit
        "optimizer", lambda p: optim.AdamW(p["model"].parameters()),
    ),
    "schedule was StepLR, is LinearLR": (
        "schedule", lambda p: optim.lr_scheduler.LinearLR(p["optimizer"]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", OTHERS)
def test_another_part_is_refused(saved, text):
    parts, (name, other) = made(steps=0), OTHERS[text]
    parts[name] = other(parts)
    assert text in refused(saved, parts)


def test_another_model_is_refused_key_by_key(saved):
    other = nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 2))
    text = refused(saved, {**made(steps=0), "model": other})
    assert f"{saved} does not fit, and nothing was loaded. Part 'model'" in text
    assert "2 missing: 1.weight, 1.bias" in text
    assert "2 unexpected: 2.weight, 2.bias" in text
    assert "0.weight ((3, 4) given, the module has (5, 4))" in text


def test_a_model_that_fits_but_is_another_is_refused_unless_allowed(saved):
    expected, other = state(made()), made(dropout=0.25, steps=0)
    text = refused(saved, other)
    assert "(1): Dropout(p=0.5, inplace=False), is (1): Dropout(p=0.25, inplace=False)" in text
    with quiet(saved.parent, options=OPTIONS, **other) as run:
        run.load(allow=["model"])
    assert same(state(other), expected)


def test_missing_and_unexpected_parts_are_refused(saved):
    run = Checkpoint(saved.parent, model=nn.Linear(1, 1), optimizer=Number(), extra=Number())
    with pytest.raises(CheckpointError, match="missing: extra; unexpected: schedule, noise"):
        run.load(allow=OPTIONS)


def test_options_that_differ_are_said_with_both_values(saved):
    expected, now = state(made()), {"lr": 0.02, "sizes": [4, 3, 2], "seed": 1}
    text = refused(saved, options=now)
    assert "lr was 0.01, is 0.02; seed was not given, is 1" in text
    assert "load(allow=['lr', 'seed'])" in text
    text = refused(saved, options={"lr": 0.01, "sizes": (4, 3, 2)})
    assert "sizes was [4, 3, 2], is (4, 3, 2)" in text
    other = made(steps=0)
    with quiet(saved.parent, options=now, **other) as run:
        run.load(allow=["lr", "seed"])
    assert same(state(other), expected)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda data: data[:100], "is not a complete safetensors file: it is truncated"),
        (lambda data: data[:-3] + b"not", "is damaged: the SHA-256 of its content"),
        (lambda data: b"not at all", "is not a complete safetensors file"),
        (lambda data: state_to_bytes({"w": np.ones(1)}), "is not a checkpoint of a run; read weig"),
    ],
)
def test_a_file_that_is_no_checkpoint_is_refused(saved, change, text):
    saved.write_bytes(change(saved.read_bytes()))
    assert f"{saved} {text}" in refused(saved)


def test_a_file_that_is_not_there_is_refused(saved):
    text = refused(saved, path=saved.with_name("nowhere.safetensors"))
    assert "no checkpoint to resume" in text
    assert "nowhere.safetensors" in text
    with pytest.raises(ValueError, match="no folder and no path"):
        Checkpoint(None).load()


@pytest.mark.parametrize(
    ("key", "value"),
    [("epoch", -1), ("epoch", 1.0), ("batch", True), ("best", 1), ("options", []), ("made", None)],
)
def test_a_run_that_cannot_be_is_refused(saved, key, value):
    state = tn.load(saved)
    state["run"][key] = value
    tn.save(state, saved)
    assert f"'{key}' of 'run' is {value!r}; it must be " in refused(saved)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("random", {}),
        ("random", None),
        ("random", np.random.MT19937(0).state),
        ("noise", {"bit_generator": "PCG64", "state": {"state": -1, "inc": 2**200}}),
        ("noise", {"bit_generator": "PCG64", "state": {"state": "a", "inc": 1}}),
        ("optimizer", {"state": {}, "param_groups": 3}),
        ("schedule", {"last_epoch": 1, "base_lrs": [0.1, 0.2]}),
        ("model", 1),
    ],
)
def test_a_part_that_does_not_fit_changes_no_other(saved, part, value):
    state = tn.load(saved)
    state[part] = value
    tn.save(state, saved)
    assert f"Part '{part}': " in refused(saved)


def test_parts_and_options_are_checked_at_once(tmp_path):
    with pytest.raises(TypeError, match="part 'lr' is a float, which has no state_dict; plain num"):
        Checkpoint(tmp_path, lr=0.1)
    with pytest.raises(TypeError, match="the name 'run' is reserved"):
        Checkpoint(tmp_path, run=nn.Linear(1, 1))
    with pytest.raises(TypeError, match=r"save: options\.f is a function"):
        Checkpoint(tmp_path, options={"f": lambda: 0})


# --- one folder, one run -------------------------------------------------------------------------


def test_two_runs_on_one_folder(tmp_path):
    first = Checkpoint(tmp_path / "run")
    with pytest.raises(CheckpointError, match="run' is in use by another run, and two would over"):
        Checkpoint(tmp_path / "run")
    first.close()
    with Checkpoint(tmp_path / "run") as second:
        second.save()
    third = Checkpoint(tmp_path / "run")
    del third
    Checkpoint(tmp_path / "run").close()
    assert os.listdir(tmp_path / "run") == ["last.safetensors"]


def test_a_checkpoint_is_not_written_over_by_a_new_run(saved):
    before, run = saved.read_bytes(), quiet(saved.parent)
    with pytest.raises(CheckpointError, match="already exists and would be lost; resume it"):
        next(iter(run.epochs(1)))
    assert saved.read_bytes() == before


def test_folders_that_cannot_be_locked(tmp_path, monkeypatch):
    """On another system, or on a disk without locks."""
    fcntl = pytest.importorskip("fcntl")

    def none(*_):
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr(fcntl, "flock", none)
    Checkpoint(tmp_path / "disk").save()
    monkeypatch.setitem(sys.modules, "fcntl", None)
    Checkpoint(tmp_path / "system").save()


def test_what_a_killed_run_left_is_removed(saved):
    folder = saved.parent
    for name in (".last.safetensors.0123abcd.tmp", ".best.safetensors.ffffffff.tmp"):
        (folder / name).write_bytes(b"half")
    for name in (".last.safetensors.mine.tmp", "notes.tmp"):  # not ours
        (folder / name).write_bytes(b"kept")
    Checkpoint(folder).close()
    assert sorted(os.listdir(folder)) == [
        ".last.safetensors.mine.tmp", "last.safetensors", "notes.tmp",
    ]  # fmt: skip


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="file' cannot be used"):
        Checkpoint(tmp_path / "file")
    with pytest.raises(CheckpointError, match="in/it' cannot be used"):
        Checkpoint(tmp_path / "file" / "in" / "it")


# --- the best ------------------------------------------------------------------------------------


def test_the_best_is_kept(tmp_path):
    model = nn.Linear(1, 1)
    run = Checkpoint(tmp_path / "run", model=model)
    values = [0.3, 0.1, float("nan"), 0.5, 0.5, 0.4]
    better = []
    for epoch in run.epochs(len(values)):
        model.weight.data = np.array([[epoch]], "float32")
        better.append(run.keep_best(values[epoch]))
    assert better == [True, False, False, True, False, False]
    assert (run.best, run.best_epoch) == (0.5, 3)
    assert tn.load(run.best_path)["model"]["weight"] == 3
    assert tn.load(run.last_path)["model"]["weight"] == 5
    assert tn.load(run.last_path)["run"]["best"] == 0.5
    run.close()
    with quiet(tmp_path / "run", model=model) as again:
        again.load()
        assert not again.keep_best(0.5)
        again.load(again.best_path)
    assert model.weight.item() == 3
    assert again.epoch == 4  # that epoch is complete in it


def test_the_best_is_written_before_the_last_that_tells_of_it(tmp_path, monkeypatch):
    run, names, replace = Checkpoint(tmp_path / "run"), [], os.replace
    run.keep_best(1.0)

    def noted(a, b):
        names.append(os.path.basename(b))
        replace(a, b)

    monkeypatch.setattr(os, "replace", noted)
    run.save()
    run.save()
    assert names == ["best.safetensors", "last.safetensors", "last.safetensors"]


def test_the_smallest_is_the_best_of_losses():
    run = Checkpoint(None)
    assert run.keep_best(float("nan"), "min") is False
    assert run.keep_best(2.0, "min") is True
    with pytest.raises(ValueError, match="mode is 'maximum'; it must be 'max' or 'min'"):
        run.keep_best(1.0, "maximum")


# --- when saving fails ---------------------------------------------------------------------------


def steps_with(tmp_path, monkeypatch, broken: range, count: int = 5) -> tuple[list[int], list]:
    """A run of `count` steps in which saving fails in some; the steps done and saved."""
    disk, real = {"full": False}, os.fsync

    def fsync(descriptor):
        if disk["full"]:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    done, saved = [], []
    run = Checkpoint(tmp_path / "run", save_steps=1)
    for step in run.steps(count):
        saved.append(tn.load(run.last_path)["run"]["step"])
        disk["full"] = step in broken
        done.append(step)
    return done, saved


def test_a_full_disk_for_a_while(tmp_path, monkeypatch):
    with pytest.warns(RuntimeWarning, match="No space left.*intact; the run goes on") as w:
        done, saved = steps_with(tmp_path, monkeypatch, range(1, 3))
    assert done == [0, 1, 2, 3, 4]
    assert saved == [0, 1, 1, 1, 4]  # after steps 1 and 2 the one before stays
    places = [re.search(r"after \d steps", str(warning.message))[0] for warning in w]
    assert places == ["after 2 steps", "after 3 steps"]
    assert os.listdir(tmp_path / "run") == ["last.safetensors"]


def test_a_disk_that_is_full_at_the_end(tmp_path, monkeypatch):
    with (
        pytest.warns(RuntimeWarning, match="No space left"),
        pytest.raises(CheckpointError, match="could not be saved in epoch 1 after 5 steps"),
    ):
        steps_with(tmp_path, monkeypatch, range(3, 9))
    assert tn.load(tmp_path / "run" / "last.safetensors")["run"]["step"] == 3
    assert os.listdir(tmp_path / "run") == ["last.safetensors"]


def test_a_folder_that_is_gone(tmp_path):
    run = Checkpoint(tmp_path / "run")
    steps = run.steps(1)
    next(steps)
    shutil.rmtree(tmp_path / "run")
    with pytest.raises(CheckpointError, match="No such file"):
        next(steps)


def test_a_checkpoint_of_another_folder_leaves_this_one_s_alone(tmp_path):
    """A file that was not loaded is not overwritten; a run can resume from this folder's best."""

    def saved(folder, value):
        with quiet(tmp_path / folder, w=Number(value)) as run:
            run.save()

    saved("a", 1.0)
    saved("b", 2.0)
    with quiet(tmp_path / "b", w=Number(0.0)) as run:
        run.load(tmp_path / "a" / "last.safetensors")
        with pytest.raises(CheckpointError, match="would be lost"):
            run.save()
        run.load()
        run.save()
    with pytest.raises(CheckpointError, match="was closed"):
        run.save()
    assert tn.load(tmp_path / "b" / "last.safetensors")["w"]["value"] == 2.0


def test_the_best_of_an_epoch_is_the_best_of_all_that_it_gave():
    run = Checkpoint(None)
    assert run.keep_best(0.9)
    assert not run.keep_best(0.5)
    run.save()
    assert run.best == 0.9
