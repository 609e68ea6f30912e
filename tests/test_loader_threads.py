"""Prefetched batches: the same ones, not too many, and no threads left however the loop ends."""

import contextlib
import gc
import signal
import subprocess
import sys
import threading
import time
import traceback
from typing import Any

import numpy as np
import pytest
from waiting import wait_for

from tinynet import backend
from tinynet.data import DataLoader

NAME = "DataLoader"  # what the names of the threads begin with


def threads() -> int:
    return sum(thread.name.startswith(NAME) for thread in threading.enumerate())


@pytest.fixture(autouse=True)
def no_thread_stays() -> Any:
    assert wait_for(lambda: threads() == 0)
    yield
    assert wait_for(lambda: threads() == 0)


def slowly(images: Any, rng: np.random.Generator) -> Any:
    """A transform with delays that would let batches overtake each other."""
    time.sleep(0.004 * rng.random())
    return images + rng.integers(1000)


@pytest.mark.parametrize("shuffle", [False, True])
def test_the_same_batches_on_any_number_of_threads(device: str, shuffle: bool) -> None:
    x, y = (backend.to_device(a, device) for a in (np.arange(46.0).reshape(23, 2), np.arange(23)))

    def run(**options: Any) -> list[list[list[float]]]:
        loader = DataLoader(x, y, batch_size=3, shuffle=shuffle, seed=4, **options)
        batches = [batch for _ in range(2) for batch in loader]
        assert {backend.device_of(a) for batch in batches for a in batch} == {device}
        return [[a.tolist() for a in batch] for batch in batches]

    for transform in (None, slowly):
        expected = run(transform=transform)
        assert len(expected) == 16
        for workers in (1, 3, 20):
            assert run(transform=transform, num_workers=workers) == expected


def test_moved_to_the_device_before_the_transform(device: str) -> None:
    found = []

    def transform(images: Any, rng: np.random.Generator) -> Any:
        found.append(backend.device_of(images))
        return images

    loader = DataLoader(
        np.zeros((4, 2)), batch_size=2, device=device, transform=transform, num_workers=1
    )
    assert [backend.device_of(x) for (x,) in loader] == found == [device, device]


@pytest.mark.parametrize("workers", [1, 3])
def test_so_many_batches_ahead_and_no_more(workers: int) -> None:
    lock = threading.Lock()
    made, received, most, batches = 0, 0, 0, 12

    def ahead() -> bool:
        return made == min(received + workers, batches)

    def transform(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        nonlocal made, most
        with lock:
            made += 1
            most = max(most, made - received)
        return images

    for _ in DataLoader(np.arange(batches), batch_size=1, transform=transform, num_workers=workers):
        received += 1
        # while this body runs the next ones are made, without being asked for
        assert wait_for(ahead)
        assert threads() <= workers
    assert made == batches
    assert most <= workers + 1


def fails_in_the_third(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if images[0] == 2:
        raise ArithmeticError("the third batch")
    return images


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_an_error_is_raised_in_its_turn_with_its_traceback(workers: int) -> None:
    loader = DataLoader(
        np.arange(20), batch_size=1, transform=fails_in_the_third, num_workers=workers
    )
    batches = iter(loader)
    assert [int(next(batches)[0][0]) for _ in range(2)] == [0, 1]
    with pytest.raises(ArithmeticError, match="the third batch") as caught:
        next(batches)
    assert "fails_in_the_third" in [frame.name for frame in traceback.extract_tb(caught.tb)]
    # the threads do not wait for the traceback to be forgotten
    assert wait_for(lambda: threads() == 0)
    assert (loader.state_dict()["epoch"], loader.state_dict()["batch"]) == (0, 2)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_loop_that_is_left_ends_its_threads(workers: int) -> None:
    def start() -> Any:
        loader = DataLoader(np.arange(1000), batch_size=1, transform=slowly, num_workers=workers)
        return iter(loader)

    for _ in start():
        assert threads() > 0
        break
    assert wait_for(lambda: threads() == 0)
    with contextlib.suppress(ZeroDivisionError):
        for _ in start():
            raise ZeroDivisionError
    assert wait_for(lambda: threads() == 0)
    kept = start()
    assert threads() == 0  # not before the first batch is asked for
    next(kept)
    kept.close()
    assert wait_for(lambda: threads() == 0)
    assert next(kept, None) is None


def test_collected_as_garbage_in_one_of_its_own_threads() -> None:
    go, collected = threading.Event(), threading.Event()

    def transform(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if images[0] > 0:
            go.wait(10)
            gc.collect()
            collected.set()
        return images

    gc.disable()
    try:
        cycle: list[Any] = [
            iter(DataLoader(np.arange(9), batch_size=1, transform=transform, num_workers=1))
        ]
        cycle.append(cycle)
        next(cycle[0])
        del cycle
        go.set()
        assert collected.wait(10)
        assert wait_for(lambda: threads() == 0)
    finally:
        gc.enable()


def test_many_loops_at_once_do_not_lock_each_other() -> None:
    total = []

    def loops() -> None:
        for workers in (1, 2, 3):
            inner = DataLoader(np.arange(30), batch_size=4, num_workers=workers)
            outer = DataLoader(
                np.arange(6),
                batch_size=1,
                num_workers=workers,
                # a loader inside of a loader's thread
                transform=lambda x, rng, inner=inner: x + sum(int(b.sum()) for (b,) in inner),
            )
            for (x,) in outer:
                for (_,) in inner:
                    break
                total.append(int(x[0]))

    running = [threading.Thread(target=loops, daemon=True) for _ in range(4)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(60)
    assert not any(thread.is_alive() for thread in running)
    assert sum(total) == 4 * 3 * (15 + 6 * 435)


ENDS = {  # what the process does, and the last line of its errors
    "interrupted": ("for _ in batches: pass", "KeyboardInterrupt"),
    "left open": ("next(batches)", ""),
    "error": ("next(batches); 1 / 0", "ZeroDivisionError: division by zero"),
}


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT cannot be sent to a child there")
@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("end", ENDS)
def test_a_process_ends_at_once(end: str) -> None:
    code = (
        "import time, numpy as np\n"
        "from tinynet.data import DataLoader\n"
        "def slow(x, rng): time.sleep(0.05); return x\n"
        "loader = DataLoader(np.arange(100_000), batch_size=1, transform=slow, num_workers=3)\n"
        "batches = iter(loader)\n"
        "next(batches)\n"
        "print('ready', flush=True)\n"
    ) + ENDS[end][0]
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        if end == "interrupted":
            child.send_signal(signal.SIGINT)
        start = time.monotonic()
        _, errors = child.communicate(timeout=30)
        assert time.monotonic() - start < 5
    finally:
        child.kill()
        child.communicate()
    last = errors.splitlines()[-1] if errors else ""
    assert last == ENDS[end][1]
