"""A small real training run to be killed at any moment, and a server that starts such runs.

Importing tinynet takes longer than such a run, so the server imports it once and forks. It reads a
line of JSON for each run (the arguments of `train`, and when and how to kill it) and answers with a
line that says how the run ended.
"""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from states import Number

import tinynet as tn
from tinynet import data, nn, optim, training
from tinynet.functional import cross_entropy
from tinynet.io.saving import flatten

EPOCHS, STEPS = 3, 8


def digest(state: dict) -> str:
    """SHA-256 of all numbers, names and arrays of a state."""
    arrays, tree = flatten(state)
    found = hashlib.sha256(json.dumps(tree, sort_keys=True).encode())
    for name in sorted(arrays):
        found.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        found.update(arrays[name].tobytes())
    return found.hexdigest()


def shifted(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shift each image by a pixel to the left, to the right, or not at all."""
    return np.stack([np.roll(i, s, -1) for i, s in zip(images, rng.integers(-1, 2, len(images)))])  # noqa: B905


def train(folder: str | None, *, resume: bool = False, pause: float = 0.0, **options) -> dict:
    """Train convolution, batch normalisation, dropout, augmentation on a thread, Adam, schedule.

    Args:
        folder: the folder of the checkpoints.
        resume: whether to resume from a checkpoint, if there is one.
        pause: extra seconds of work at the end of each epoch.
        options: options of `training.Checkpoint`.

    Returns:
        Digests of the final states.
    """
    tn.manual_seed(5)
    noise = np.random.default_rng(7)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.3), nn.Flatten(),
        nn.Linear(144, 10),
    )  # fmt: skip
    images, labels = (a[: 16 * STEPS] for a in data.digits(train=True))
    test = [tuple(a[:64] for a in data.digits(train=False))]
    batches = data.DataLoader(
        images, labels, batch_size=16, shuffle=True, seed=3, transform=shifted, num_workers=1
    )
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * STEPS)
    total = Number()  # of the losses
    parts = {
        "model": model, "optimizer": optimizer, "schedule": schedule, "loader": batches,
        "total": total, "noise": noise,
    }  # fmt: skip
    settings = {"save_steps": 1, "save_seconds": None, "options": {"lr": 1e-2}, **options}
    run = training.Checkpoint(folder, **settings, **parts)
    if resume and os.path.exists(run.last_path):
        run.load()
    for _ in run.epochs(EPOCHS):
        for x, y in run.steps(batches):
            x = x + noise.normal(0.0, 0.05, x.shape).astype("float32")
            loss = cross_entropy(model(tn.tensor(x)), tn.tensor(y))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total.value += loss.item()
        time.sleep(pause)
        run.keep_best(training.evaluate(model, test).accuracy)
    ends = {name: digest(part.state_dict()) for name, part in run.parts.items()}
    ends |= {"run": digest({"r": [run.epoch, run.batch, run.step, run.best, run.best_epoch]})}
    if run.last_path is not None:
        ends |= {"last": digest(tn.load(run.last_path)), "best": digest(tn.load(run.best_path))}
    return ends


# --- the server ----------------------------------------------------------------------------------


def _watch_files(die_at: int, slow: float) -> None:
    """Delay each system call that makes a file durable, or kill the process just before one.

    Args:
        die_at: the number of that call, from 1; 0 for none.
        slow: how long to wait, in seconds.
    """
    seen = [0]

    def counted(function):
        def wrapper(*args, **kwargs):
            seen[0] += 1
            if seen[0] == die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(slow)
            return function(*args, **kwargs)

        return wrapper

    for name in ("fdopen", "fsync", "replace"):
        setattr(os, name, counted(getattr(os, name)))


def _child(request: dict) -> None:
    log = os.open(request.pop("log"), os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if "file_size" in request:
        resource.setrlimit(resource.RLIMIT_FSIZE, [request.pop("file_size")] * 2)
    _watch_files(request.pop("die_at", 0), request.pop("slow", 0.0))
    result, code = request.pop("result"), 0
    try:
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            ends = train(**request)
        finally:  # a second Ctrl-C must not interrupt the report of the first
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        with open(result, "w") as file:
            json.dump(ends, file)
    except KeyboardInterrupt as stopped:
        print(f"{type(stopped).__name__}: {stopped}")
        code = 3
    except training.CheckpointError as error:
        print(f"CheckpointError: {error}")
        code = 4
    sys.stdout.flush()
    os._exit(code)


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true() and time.monotonic() < end:
        time.sleep(0.002)


def _serve() -> None:
    # inherited by the runs: a Ctrl-C before one is ready, or after its end, is ignored
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin:
        request = json.loads(line)
        number, after = request.pop("signal", None), request.pop("after", 0.0)
        twice, log = request.pop("twice", False), pathlib.Path(request["log"])
        ready = pathlib.Path(request["folder"] or "", "last.safetensors")
        start = time.perf_counter()
        pid = os.fork()
        if pid == 0:
            try:
                _child(request)
            except BaseException:
                import traceback

                traceback.print_exc()
            os._exit(1)
        if number is not None:
            # not waited for yet, so its number is its own even if it has ended
            if after is None:  # in the loop
                _until(ready.exists)
            time.sleep(after or 0.0)
            os.kill(pid, number)
            if twice:
                if after is None:
                    _until(lambda: log.exists() and "stops at once" in log.read_text())  # noqa: B023
                time.sleep(0.001)
                os.kill(pid, number)
        _, status = os.waitpid(pid, 0)
        answer = {"code": os.waitstatus_to_exitcode(status), "s": time.perf_counter() - start}
        print(json.dumps(answer), flush=True)


class Server:
    """The client: starts runs in the folder "run" of `place` and returns their answers."""

    def __init__(self, command: list[str] | None = None) -> None:
        self.process = subprocess.Popen(
            [*(command or []), sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )

    def run(self, place: pathlib.Path, **request) -> dict:
        """Start a run, and kill it with "signal" after so many seconds (None: once it has saved).

        Returns:
            "code", as in subprocess; the seconds "s"; the output "log"; and the result of `train`,
            "ends", if the run was not killed.
        """
        result, log = place / "result.json", place / "log.txt"
        result.unlink(missing_ok=True)
        log.unlink(missing_ok=True)
        request = {"folder": str(place / "run"), "result": str(result), "log": str(log), **request}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        answer["log"] = log.read_text() if log.exists() else ""
        answer["ends"] = json.loads(result.read_text()) if result.exists() else None
        return answer

    def close(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


if __name__ == "__main__":
    _serve()
