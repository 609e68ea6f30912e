"""Checkpoints: errors say what is wrong and change nothing, and no file is lost."""

from __future__ import annotations

import os
import shutil
import sys

import numpy as np
import pytest
from test_save_load import same

import tinynet as tn
from tinynet import nn, optim
from tinynet.io.saving import state_to_bytes
from tinynet.training import Checkpoint, CheckpointError


class Parts:
    """A model, Adam, a schedule and a generator after some steps."""

    def __init__(self, *sizes: int, dropout: float = 0.5, steps: int = 2) -> None:
        tn.manual_seed(len(sizes))
        a, b, c = sizes or (4, 3, 2)
        self.model = nn.Sequential(nn.Linear(a, b), nn.Dropout(dropout), nn.Linear(b, c))
        self.optimizer = optim.Adam(self.model.parameters(), lr=1e-2)
        self.schedule = optim.lr_scheduler.StepLR(self.optimizer, 1)
        self.noise = np.random.default_rng(steps)
        for _ in range(steps):
            self.optimizer.zero_grad()
            (
                self.model(tn.tensor(self.noise.random((5, a)).astype("float32"))) ** 2
            ).sum().backward()
            self.optimizer.step()
            self.schedule.step()

    def all(self) -> dict:
        return {"model": self.model, "optimizer": self.optimizer, "schedule": self.schedule,
                "noise": self.noise}  # fmt: skip

    def state(self) -> dict:
        parts = {k: v.state_dict() for k, v in self.all().items() if k != "noise"}
        noise, ours = self.noise.bit_generator.state, tn.random.generator().bit_generator.state
        return {**parts, "noise": noise, "random": ours}


def quiet(folder, parts: Parts, **more) -> Checkpoint:
    return Checkpoint(folder, say=lambda line: None, **parts.all(), **more)


@pytest.fixture
def saved(tmp_path):
    """A folder with a checkpoint, and the saved state."""
    parts = Parts()
    with quiet(tmp_path / "run", parts, options={"lr": 0.01, "sizes": [4, 3, 2]}) as run:
        run.epoch, run.batch, run.step = 1, 2, 9
        run.save()
    return tmp_path / "run", parts.state()


OPTIONS = {"lr": 0.01, "sizes": [4, 3, 2]}


def test_all_parts_come_back(saved):
    folder, state = saved
    fresh = Parts(steps=0)
    said = []
    run = Checkpoint(folder, say=said.append, options=OPTIONS, **fresh.all())
    tn.random.generator().random(3)
    assert not same(fresh.state(), state)
    run.load()
    assert same(fresh.state(), state)
    assert (run.epoch, run.batch, run.step) == (1, 2, 9)
    assert said == [f"{run.last_path}: resumes in epoch 2 after 2 steps (9 in all)"]


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


def test_the_weights_of_a_checkpoint_are_read_alone(saved):
    folder, state = saved
    fresh = Parts(steps=0)
    fresh.model.load_state_dict(tn.load(folder / "last.safetensors")["model"])
    assert same(fresh.model.state_dict(), state["model"])


def test_what_a_gpu_wrote_a_cpu_reads(tmp_path, device):
    parts = Parts()
    parts.model.to(device)
    with quiet(tmp_path / "run", parts) as run:
        run.save()
    state, fresh = parts.state(), Parts(steps=0)
    with quiet(tmp_path / "run", fresh) as run:
        run.load()
    assert same(fresh.state(), state)
    assert all(p.device == "cpu" for p in fresh.model.parameters())


def refused(folder, parts: Parts, options=OPTIONS, **load) -> str:
    """The text of the error, which must have changed nothing."""
    before = parts.state()
    with quiet(folder, parts, options=options) as run:
        with pytest.raises(CheckpointError) as caught:
            run.load(**load)
        assert (run.epoch, run.batch, run.step, run.best) == (0, 0, 0, None)
    assert same(parts.state(), before)
    assert sorted(os.listdir(folder)) == ["last.safetensors"]
    return str(caught.value)


def test_another_model_is_refused_key_by_key(saved):
    folder, _ = saved
    other = Parts(4, 5, 2, steps=0)
    other.model = nn.Sequential(nn.Linear(4, 5), nn.Dropout(0.5), nn.Linear(5, 2), nn.Linear(2, 2))
    text = refused(folder, other)
    assert f"{folder}/last.safetensors does not fit, and nothing was loaded. Part 'model'" in text
    assert "2 missing: 3.weight, 3.bias" in text
    assert "0.weight ((3, 4) given, the module has (5, 4))" in text
    other.model = nn.Sequential(nn.Linear(4, 3))
    assert "2 unexpected: 2.weight, 2.bias" in refused(folder, other)


def test_another_optimizer_or_schedule_is_refused(saved):
    folder, _ = saved
    other = Parts(steps=0)
    other.optimizer = optim.SGD(other.model.parameters(), lr=0.1)
    assert "optimizer was Adam, is SGD" in refused(folder, other)
    other = Parts(steps=0)
    other.optimizer = optim.AdamW(other.model.parameters())  # whose state would fit
    assert "optimizer was Adam, is AdamW" in refused(folder, other)
    other = Parts(steps=0)
    other.schedule = optim.lr_scheduler.CosineAnnealingLR(other.optimizer, 3)
    assert "schedule was StepLR, is CosineAnnealingLR" in refused(folder, other)


def test_a_model_that_fits_but_is_another_is_refused_unless_allowed(saved):
    folder, state = saved
    other = Parts(dropout=0.25, steps=0)
    text = refused(folder, other)
    assert "(1): Dropout(p=0.5, inplace=False), is (1): Dropout(p=0.25, inplace=False)" in text
    with quiet(folder, other, options=OPTIONS) as run:
        run.load(allow=["model"])
    assert same(other.state(), state)


def test_another_dtype_is_refused(saved):
    folder, _ = saved
    other = Parts(steps=0)
    other.model.double()
    text = refused(folder, other)
    assert "Part 'model': 0.weight was float32, is float64; 0.bias was float32, is" in text


def test_other_parts_are_refused(saved):
    folder, _ = saved
    parts = {k: v for k, v in Parts().all().items() if k in ("model", "optimizer")}
    run = Checkpoint(folder, options=OPTIONS, extra=nn.Linear(1, 1), **parts)
    with pytest.raises(CheckpointError, match="missing: extra; unexpected: schedule, noise"):
        run.load()


def test_options_that_differ_are_said_with_both_values(saved):
    folder, state = saved
    now = {"lr": 0.02, "sizes": [4, 3, 2], "seed": 1}
    text = refused(folder, Parts(steps=0), options=now)
    assert "lr was 0.01, is 0.02; seed was not given, is 1" in text
    assert "load(allow=['lr', 'seed'])" in text
    assert "sizes was [4, 3, 2], is (4, 3, 2)" in refused(
        folder, Parts(steps=0), options={"lr": 0.01, "sizes": (4, 3, 2)}
    )
    other = Parts(steps=0)
    with quiet(folder, other, options=now) as run:
        run.load(allow=["lr", "seed"])
    assert same(other.state(), state)


@pytest.mark.parametrize("size", [0, 1, 8, 100, -1])
def test_a_truncated_checkpoint_is_refused(saved, size):
    folder, _ = saved
    path = folder / "last.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    text = refused(folder, Parts(steps=0))
    assert f"{path} is not a complete safetensors file: it is truncated" in text


def test_a_damaged_checkpoint_is_refused(saved):
    folder, _ = saved
    path = folder / "last.safetensors"
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    assert f"{path} is damaged: the SHA-256 of its content" in refused(folder, Parts(steps=0))


def test_a_newer_checkpoint_is_refused(saved, monkeypatch):
    from tinynet.io import safetensors_file

    folder, _ = saved
    path = folder / "last.safetensors"
    state = tn.load(path)
    with monkeypatch.context() as patch:
        patch.setattr(safetensors_file, "FORMAT", 2)
        path.write_bytes(state_to_bytes(state))
    text = refused(folder, Parts(steps=0))
    assert "is in format 2, written by tinynet" in text
    assert "reads formats up to 1: update it" in text


@pytest.mark.parametrize(
    ("key", "value"),
    [("epoch", -1), ("epoch", 1.0), ("batch", True), ("best", 1), ("options", []), ("made", None)],
)
def test_a_run_that_cannot_be_is_refused(saved, key, value):
    folder, _ = saved
    path = folder / "last.safetensors"
    state = tn.load(path)
    state["run"][key] = value
    tn.save(state, path)
    assert f"'{key}' of 'run' is {value!r}; it must be " in refused(folder, Parts(steps=0))


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
    folder, _ = saved
    path = folder / "last.safetensors"
    state = tn.load(path)
    state[part] = value
    tn.save(state, path)
    assert f"Part '{part}': " in refused(folder, Parts(steps=0))


def test_other_files_are_no_checkpoints(saved, tmp_path):
    folder, state = saved
    path = folder / "last.safetensors"
    tn.save(state["model"], path)
    assert "is not a checkpoint of a run; read weights" in refused(folder, Parts(steps=0))
    path.write_text("not at all")
    assert "is not a complete safetensors file" in refused(folder, Parts(steps=0))
    text = refused(folder, Parts(steps=0), path=tmp_path / "nowhere.safetensors")
    assert "no checkpoint to resume" in text
    assert "nowhere.safetensors" in text
    with pytest.raises(ValueError, match="no folder and no path"):
        Checkpoint(None).load()


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
    folder, _ = saved
    before = (folder / "last.safetensors").read_bytes()
    run = quiet(folder, Parts())
    with pytest.raises(CheckpointError, match="already exists and would be lost; resume it"):
        next(iter(run.epochs(1)))
    assert (folder / "last.safetensors").read_bytes() == before


def test_without_fcntl(saved, monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    folder, state = saved
    parts = Parts(steps=0)
    with quiet(folder, parts, options=OPTIONS) as run:
        run.load()
        run.save()
    assert same(parts.state(), state)


def test_a_disk_that_cannot_lock_folders(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def none(*_):
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr(fcntl, "flock", none)
    with Checkpoint(tmp_path / "run") as run:
        run.save()


def test_what_a_killed_run_left_is_removed(saved):
    folder, _ = saved
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
    with Checkpoint(tmp_path / "run", say=lambda line: None, model=model) as again:
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
    assert ["after 2 steps" in str(w[0].message), "after 3 steps" in str(w[1].message)] == [
        True
    ] * 2
    assert len(w) == 2
    assert os.listdir(tmp_path / "run") == ["last.safetensors"]


def test_a_disk_that_is_full_at_the_end(tmp_path, monkeypatch):
    with (
        pytest.warns(RuntimeWarning, match="No space left"),
        pytest.raises(CheckpointError, match="could not be saved in epoch 1 after 5 steps"),
    ):
        steps_with(tmp_path, monkeypatch, range(3, 9))
    assert tn.load(tmp_path / "run" / "last.safetensors")["run"]["step"] == 3
    assert os.listdir(tmp_path / "run") == ["last.safetensors"]


def test_a_disk_that_is_full_at_the_beginning(tmp_path, monkeypatch):
    def fsync(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    run = Checkpoint(tmp_path / "run")
    with pytest.raises(CheckpointError, match="could not be saved in epoch 1 after 0 steps"):
        next(run.steps(3))
    assert os.listdir(tmp_path / "run") == []


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
        with Checkpoint(tmp_path / folder, say=lambda _: None, w=Numbers(value)) as run:
            run.save()

    saved("a", 1.0)
    saved("b", 2.0)
    with Checkpoint(tmp_path / "b", say=lambda _: None, w=Numbers(0.0)) as run:
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


class Numbers:
    def __init__(self, value):
        self.value = value

    def state_dict(self):
        return {"value": self.value}

    def load_state_dict(self, state):
        self.value = state["value"]
