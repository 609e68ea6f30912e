"""Files in tests/kept, written by an early tinynet 0.1.0, load and are rewritten identically.

They were made by ``Run(folder).until(6)`` and `tn.save`. A new format gets new files beside them.
"""

from __future__ import annotations

import io
import pathlib
import shutil

import numpy as np
from states import same

import tinynet as tn
from tinynet import data, nn, optim, training
from tinynet.functional import cross_entropy
from tinynet.optim.options import LATER

KEPT = pathlib.Path(__file__).parent / "kept"


class Run:
    """A small convolutional network, Adam, a schedule, a loader, a recorder and a generator."""

    def __init__(self, folder: pathlib.Path) -> None:
        tn.manual_seed(1)
        images, labels = (a[:64] for a in data.digits())
        self.model = nn.Sequential(
            nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.1),
            nn.Linear(18, 10),
        )  # fmt: skip
        self.batches = data.DataLoader(images, labels, batch_size=16, shuffle=True, seed=2)
        self.optimizer = optim.Adam(self.model.parameters(), lr=1e-2)
        self.schedule = optim.lr_scheduler.CosineAnnealingLR(self.optimizer, 12)
        self.recorder = training.Recorder(total=64, epochs=3, stream=io.StringIO())
        self.stopping = training.EarlyStopping(2)
        self.noise = np.random.default_rng(3)
        self.checkpoint = training.Checkpoint(
            folder, model=self.model, optimizer=self.optimizer, schedule=self.schedule,
            batches=self.batches, recorder=self.recorder, stopping=self.stopping,
            noise=self.noise, options={"lr": 1e-2, "sizes": (18, 10)}, say=lambda line: None,
        )  # fmt: skip

    def until(self, step: int) -> None:
        """Train up to a saved step."""
        run = self.checkpoint
        for _ in run.epochs(3):
            for x, y in run.steps(self.batches):
                if run.step > step:
                    return
                x = x + self.noise.normal(0, 0.01, x.shape).astype("float32")
                loss = cross_entropy(self.model(tn.tensor(x)), tn.tensor(y))
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                self.schedule.step()
                self.recorder.add(len(y), loss=loss)
                if run.step == step:
                    run.save()
            self.stopping.step(self.recorder.end_epoch()["loss"])
            run.keep_best(-self.stopping.best)


def comparable(state: dict) -> dict:
    """A state without what is new since the file was written, and without its time."""
    made = {k: v.replace(", ceil_mode=False", "") for k, v in state["run"]["made"].items()}
    return {**state, "run": {**state["run"], "made": made},
            "recorder": {**state["recorder"], "seconds": 0.0},
            "optimizer": of_old_options(state["optimizer"]),
            "schedule": {k: state["schedule"][k] for k in ("last_epoch", "base_lrs")}}  # fmt: skip


def of_old_options(state: dict) -> dict:
    groups = [{k: v for k, v in g.items() if k not in LATER} for g in state["param_groups"]]
    return {**state, "param_groups": groups}


def test_a_checkpoint_of_the_middle_of_an_epoch(tmp_path):
    shutil.copy(KEPT / "checkpoint.safetensors", tmp_path / "last.safetensors")
    kept = tn.load(KEPT / "checkpoint.safetensors")
    run = Run(tmp_path)
    run.checkpoint.load()
    assert (run.checkpoint.epoch, run.checkpoint.batch, run.checkpoint.step) == (1, 2, 6)
    assert (run.checkpoint.best, run.checkpoint.best_epoch) == (kept["run"]["best"], 0)
    assert same(run.model.state_dict(), kept["model"])
    assert same(of_old_options(run.optimizer.state_dict()), kept["optimizer"])
    assert same(run.noise.bit_generator.state, kept["noise"])
    assert [row["epoch"] for row in run.recorder.history] == [1]
    run.checkpoint.save()
    assert same(comparable(tn.load(tmp_path / "last.safetensors")), comparable(kept))
    run.until(12)
    assert (run.checkpoint.epoch, run.checkpoint.step) == (3, 12)
    assert len(run.recorder.history) == 3


def test_weights(tmp_path):
    weights = tn.load(KEPT / "weights.safetensors")
    model = Run(tmp_path / "run").model
    model.load_state_dict(weights)
    tn.save(model.state_dict(), tmp_path / "again.safetensors")
    assert same(tn.load(tmp_path / "again.safetensors"), weights)
    assert same(weights["0.weight"], tn.load(KEPT / "checkpoint.safetensors")["model"]["0.weight"])
