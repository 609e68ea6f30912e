"""A run that was stopped, killed or interrupted and then resumed ends with the same bits.

By default it is killed at a few moments, with `pytest -m long` at a hundred.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import signal
import subprocess

import killed_run
import numpy as np
import pytest

import tinynet as tn

STOPPED = 3  # how killed_run's processes end after Interrupted or KeyboardInterrupt
FILES = ["best.safetensors", "last.safetensors"]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")


@pytest.fixture(scope="module")
def server():
    server = killed_run.Server()
    yield server
    server.close()


@pytest.fixture(scope="module")
def whole(server, tmp_path_factory):
    """The undisturbed run."""
    answer = server.run(tmp_path_factory.mktemp("whole"))
    assert answer["code"] == 0, answer["log"]
    return answer


def check(answer: dict, whole: dict, folder: pathlib.Path) -> None:
    """The same bits, and no other files than the two."""
    assert answer["code"] == 0, answer["log"]
    assert answer["ends"] == whole["ends"]
    assert sorted(os.listdir(folder / "run")) == FILES


def test_saving_changes_nothing(server, whole, tmp_path):
    """Without checkpoints the run is the same; resuming a complete run changes nothing."""
    bare = server.run(tmp_path, folder=None)["ends"]
    assert bare == {k: v for k, v in whole["ends"].items() if k not in ("last", "best")}
    assert not (tmp_path / "run").exists()
    check(server.run(tmp_path, save_steps=None), whole, tmp_path)
    check(server.run(tmp_path, resume=True), whole, tmp_path)


@pytest.mark.parametrize("moments", [6, pytest.param(100, marks=pytest.mark.long)])
def test_killed_at_random_moments(server, whole, tmp_path, moments):
    """Kill -INT and kill -9, several times in a row, most of the time during or near a save."""
    rng = np.random.default_rng(0)
    slow = {"slow": 0.003}  # at each system call of a save, so that most moments are in one
    seconds = server.run(tmp_path, **slow)["s"]
    killed = in_save = runs = 0
    while killed < moments:
        runs += 1
        assert runs < 20 * moments, "the runs end before they are killed"
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        left: set[str] = set()
        for _ in range(int(rng.integers(1, 5))):
            answer = server.run(
                tmp_path,
                resume=True,
                signal=int(rng.choice([signal.SIGINT, signal.SIGKILL, signal.SIGKILL])),
                after=float(rng.uniform(0, seconds)),
                twice=bool(rng.integers(2)),
                **slow,
            )
            assert answer["code"] in (0, STOPPED, -signal.SIGKILL), answer["log"]
            killed += answer["code"] != 0
            before = left
            left = set(os.listdir(tmp_path / "run")) if (tmp_path / "run").exists() else set()
            for name in left & set(FILES):
                tn.load(tmp_path / "run" / name)  # whole, whatever happened
            half = left - before - set(FILES)
            in_save += bool(half)
            assert answer["code"] == -signal.SIGKILL or not half
        check(server.run(tmp_path, resume=True), whole, tmp_path)
    print(f"{killed} kills in {runs} runs, {in_save} of them with a file half written")


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.long)])
def test_killed_before_each_step_of_a_save(server, whole, tmp_path, every):
    """Before the n-th opening, syncing or renaming: at the first save, in an epoch, at its end."""
    # a save is 4 calls: open, sync, rename, sync; one at the beginning, then one a step
    end_of_epoch = 4 * (1 + killed_run.STEPS) + 1
    moments = [*range(1, 6), *range(21, 26), *range(end_of_epoch, end_of_epoch + 9)]
    for call in moments[::every]:
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        assert server.run(tmp_path, die_at=call)["code"] == -signal.SIGKILL
        check(server.run(tmp_path, resume=True), whole, tmp_path)


@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")]
)
def test_a_signal_ends_it_after_the_step_and_says_how_to_go_on(
    server, whole, tmp_path, number, name
):
    # not saved by steps, so it is the signal that saved
    answer = server.run(tmp_path, signal=number, after=None, save_steps=None, pause=0.2)
    assert answer["code"] == STOPPED, answer["log"]
    assert f"{name}: stops after this step; a second signal stops at once" in answer["log"]
    path = re.escape(str(tmp_path / "run" / "last.safetensors"))
    text = (
        rf"Interrupted: stopped by {name} in epoch \d after \d steps, saved in {path}; load\(\) res"
    )
    assert re.search(text, answer["log"])
    check(server.run(tmp_path, resume=True), whole, tmp_path)


def test_a_second_ctrl_c_stops_at_once(server, whole, tmp_path):
    answer = server.run(tmp_path, signal=signal.SIGINT, after=None, twice=True, slow=0.05)
    assert answer["code"] == STOPPED, answer["log"]
    assert "KeyboardInterrupt: " in answer["log"]
    assert os.listdir(tmp_path / "run") == ["last.safetensors"]
    check(server.run(tmp_path, resume=True), whole, tmp_path)


# --- disks ---------------------------------------------------------------------------------------


def test_a_file_that_may_not_grow(server, whole, tmp_path):
    """The first save does not fit: an error at once, and no files left."""
    answer = server.run(tmp_path, file_size=4096)
    assert answer["code"] == 4
    assert (
        "could not be saved in epoch 1 after 0 steps ([Errno 27] File too large)" in answer["log"]
    )
    assert os.listdir(tmp_path / "run") == []
    check(server.run(tmp_path), whole, tmp_path)


def test_a_real_full_disk(server, tmp_path):
    """A disk for little more than one checkpoint: later saves fail, the first stays intact."""
    disk = tmp_path / "run"
    disk.mkdir()
    # in a namespace of its own, whose mounts nobody else sees and which go with the process
    mount = f'mount -t tmpfs -o size=32k tmpfs "{disk}" && exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", mount, "sh"]
    if shutil.which("unshare") is None or subprocess.run([*command, "true"], stderr=-3).returncode:
        pytest.skip("this user may not mount")
    server = killed_run.Server(command)
    try:
        answer = server.run(tmp_path)
        inside = f"/proc/{server.process.pid}/root{disk}"
        assert os.listdir(inside) == ["last.safetensors"]
        assert tn.load(f"{inside}/last.safetensors")["run"]["step"] == 0
    finally:
        server.close()
    assert answer["code"] == 4
    assert answer["log"].count("No space left on device") > 20
    assert "the run goes on" in answer["log"]
