"""Work in pieces: each done once, errors raised, the same bits for any number of threads."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traced import peak
from waiting import wait_for

import tinynet as tn
from tinynet import models, optim, threads
from tinynet.functional import conv2d, cross_entropy, max_pool2d, relu
from tinynet.kernels import products


@pytest.fixture(autouse=True)
def number_of_threads():
    before = tn.get_num_threads()
    yield
    tn.set_num_threads(before)


THREADS = pytest.mark.parametrize("number", [1, 2, 5])


@THREADS
def test_every_piece_is_done_once(number):
    tn.set_num_threads(number)
    for n in (0, 1, 2, 3, 40):
        done: list[int] = []
        threads.for_each(done.append, range(n))
        assert sorted(done) == list(range(n))


def test_the_caller_does_not_wait_for_threads_that_do_not_run():
    """All helpers are busy with another job; the caller does its own alone."""
    tn.set_num_threads(2)
    release, held = threading.Event(), threading.Event()
    team = threads._threads.current_team()

    class Hold:
        def help(self):
            held.set()
            release.wait(20)

    team.jobs.put(Hold())
    assert held.wait(20)
    by: list[str] = []
    threads.for_each(lambda _: by.append(threading.current_thread().name), range(6))
    assert by == [threading.current_thread().name] * 6
    release.set()
    # the late helper skipped what was done: two pieces that wait for each other need two threads
    meeting = threading.Barrier(2, timeout=20)
    threads.for_each(lambda _: meeting.wait(), range(2))


@THREADS
def test_an_error_is_raised_when_nothing_runs_any_more(number):
    tn.set_num_threads(number)
    running: list[int] = []

    def piece(i):
        running.append(i)
        time.sleep(0.01)
        running.remove(i)
        if i == 1:
            raise KeyError("piece 1")

    with pytest.raises(KeyError, match="piece 1"):
        threads.for_each(piece, range(8))
    assert not running
    threads.for_each(lambda i: running.append(i), range(3))  # the next job runs as usual
    assert sorted(running) == [0, 1, 2]


def test_inside_another_it_goes_one_by_one():
    tn.set_num_threads(3)
    done: list[tuple[int, int, str]] = []

    def outer(i):
        name = threading.current_thread().name
        threads.for_each(lambda j: done.append((i, j, threading.current_thread().name)), range(3))
        assert {who for k, _, who in done if k == i} == {name}

    threads.for_each(outer, range(4))
    assert sorted((i, j) for i, j, _ in done) == [(i, j) for i in range(4) for j in range(3)]


def test_errstate_of_the_caller_holds_in_every_thread():
    tn.set_num_threads(2)
    meeting = threading.Barrier(2, timeout=20)
    large = np.full(4, 3e38, "float32")

    def piece(_):
        meeting.wait()
        return large * large

    with np.errstate(over="ignore"):
        threads.for_each(piece, range(2))
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        threads.for_each(piece, range(2))


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals between threads")
@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("when", ["computing", "waiting"])
def test_an_interrupt_is_raised_when_nothing_runs_any_more(when):
    """Otherwise a helper would write into arrays that are in use again."""
    tn.set_num_threads(2)
    main, both = threading.get_ident(), threading.Barrier(2, timeout=20)
    written: list[str] = []

    def piece(_):
        both.wait()
        if threading.get_ident() == main:
            if when == "computing":
                time.sleep(20)  # until the interrupt
            return
        time.sleep(0.1)
        signal.pthread_kill(main, signal.SIGINT)
        time.sleep(0.2)
        written.append("by the helper")

    with pytest.raises(KeyboardInterrupt):
        threads.for_each(piece, range(2))
    assert written == ["by the helper"]
    threads.for_each(lambda i: written.append(f"piece {i}"), range(2))
    assert sorted(written[1:]) == ["piece 0", "piece 1"]


def test_nothing_is_kept():
    """A waiting thread keeps neither the arrays nor the function of a job."""
    tn.set_num_threads(2)

    class Thing:
        pass

    thing = Thing()
    seen = weakref.ref(thing)
    meeting = threading.Barrier(2, timeout=20)
    threads.for_each(lambda _, thing=thing: meeting.wait(), range(2))
    del thing

    def gone() -> bool:
        gc.collect()
        return seen() is None

    assert wait_for(gone)


def test_blas_has_its_threads_again():
    if not threads._threads.blas.found:
        pytest.skip("NumPy's BLAS is no OpenBLAS")
    tn.set_num_threads(2)
    within: list[int] = []
    threads.for_each(lambda _: within.append(threads._threads.blas.read()), range(3))
    assert within == [1, 1, 1]
    with pytest.raises(ValueError, match="no number"):
        threads.for_each(lambda _: int("no number"), range(3))
    assert threads._threads.blas.read() == 2
    tn.set_num_threads(1)
    assert threads._threads.blas.read() == 1


def test_the_number_is_checked():
    with pytest.raises(ValueError, match="number is 0; it must be at least 1"):
        tn.set_num_threads(0)
    with pytest.raises(TypeError):
        tn.set_num_threads(1.5)
    tn.set_num_threads(3)
    assert tn.get_num_threads() == 3


def test_at_first_it_is_what_the_environment_says():
    if not threads._threads.blas.found:
        pytest.skip("NumPy's BLAS is no OpenBLAS")
    code = "import tinynet as tn; print(tn.get_num_threads())"
    out = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert out.strip() == "1"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_forked_process_has_threads_of_its_own():
    code = """
import os, threading, tinynet as tn
from tinynet import threads
tn.set_num_threads(2)
def meet():
    meeting = threading.Barrier(2, timeout=20)
    threads.for_each(lambda _: meeting.wait(), range(2))
meet()
child = os.fork()
if child == 0:
    meet()
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=60)


def test_a_process_forked_while_a_team_is_made_or_works_does_not_wait_for_it():
    code = """
import os, signal, threading, tinynet as tn
from tinynet import threads
tn.set_num_threads(2)
held, fork = threading.Event(), threading.Event()
def hold():
    with threads.one_blas_thread(), threads._threads.team_lock, threads._threads.lock:
        held.set()
        fork.wait()
threading.Thread(target=hold, daemon=True).start()
held.wait()
child = os.fork()
if child == 0:
    signal.alarm(30)
    done = []
    threads.for_each(done.append, range(5))
    blas = threads._threads.blas
    os._exit(7 if sorted(done) == list(range(5)) and (not blas.found or blas.read() == 2) else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
fork.set()
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=60)


# --- the same bits for any number of threads --------------------------------------------------


def for_threads(compute):
    """The results of `compute` with 1, 2 and 3 threads."""
    results = []
    for number in (1, 2, 3):
        tn.set_num_threads(number)
        results.append([np.array(a) for a in compute()])
    return results


def same_bits(results):
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            assert a.tobytes() == b.tobytes()


@given(
    st.integers(1, 700), st.integers(1, 700), st.integers(1, 700), st.sampled_from("CF"),
    st.sampled_from(["float32", "float64"]),
)  # fmt: skip
@settings(max_examples=25)
def test_products(rows, inner, columns, order, dtype):
    rng = np.random.default_rng(rows)
    a = np.asarray(rng.random((rows, inner)), dtype, order)
    b = np.asarray(rng.random((inner, columns)), dtype, order)
    results = for_threads(lambda: [products.product(a, b)])
    same_bits(results)
    assert results[0][0].dtype == dtype
    np.testing.assert_allclose(results[0][0], a @ b, rtol=1e-5 if dtype == "float32" else 1e-12)


def test_a_gate_keeps_the_order_of_the_forward_and_the_dtype_of_the_gradient():
    """Otherwise each earlier operation, with N innermost, would reorder the gradient again."""
    from tinynet.ops.elementary import gated

    rng = np.random.default_rng(0)
    for shape in ((2, 3, 4), (16, 8, 8, 8)):
        gate = np.moveaxis(rng.normal(size=(*shape[1:], shape[0])).astype("float32"), -1, 0)
        x = rng.normal(size=shape)
        y = gated(x, gate=gate)
        assert np.moveaxis(y, 0, -1).flags.c_contiguous
        np.testing.assert_array_equal(y, np.where(gate > 0, x, 0), strict=True)


@pytest.mark.parametrize("layout", ["C", "N innermost", "steps"])
def test_elementwise_work_in_any_memory_order(layout):
    shape = (70, 6, 40, 41)
    rng = np.random.default_rng(0)
    x, g = rng.normal(size=shape).astype("float32"), rng.normal(size=shape).astype("float32")
    if layout == "N innermost":
        x = np.ascontiguousarray(x.transpose(1, 2, 3, 0)).transpose(3, 0, 1, 2)
    elif layout == "steps":
        x, g = x[:, ::2], g[:, ::2]

    def compute():
        t = tn.tensor(x, requires_grad=True)
        y = relu(t)
        y.backward(tn.tensor(g))
        return [y.data, t.grad.data]

    results = for_threads(compute)
    same_bits(results)
    np.testing.assert_array_equal(results[0][0], np.where(x > 0, x, 0))
    np.testing.assert_array_equal(results[0][1], np.where(x > 0, g, 0))


@pytest.mark.parametrize(
    ("channels", "out", "kernel", "groups", "options"),
    [
        (1, 6, 5, 1, {}),
        (6, 16, 5, 1, {"padding": 2}),
        (8, 12, 3, 4, {"stride": 2, "padding": 1}),
        (7, 7, 3, 7, {"dilation": 2}),
        (16, 3, 2, 1, {"stride": (1, 2)}),
    ],
)
def test_convolution_and_pooling(channels, out, kernel, groups, options):
    """Large enough to be split: the same bits for any number of threads, and for small batches."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(96, channels, 30, 30))
    w = rng.normal(size=(out, channels // groups, kernel, kernel))
    b = rng.normal(size=out)

    def compute(rows=slice(None)):
        leaves = [tn.tensor(a, requires_grad=True) for a in (x[rows], w, b)]
        y = max_pool2d(conv2d(*leaves, groups=groups, **options), 2)
        (y * y).sum().backward()
        return [y.data, *[leaf.grad.data for leaf in leaves]]

    results = for_threads(compute)
    same_bits(results)
    few = [compute(slice(i, i + 8)) for i in range(0, 96, 8)]
    y, gx, *of_parameters = results[0]
    np.testing.assert_allclose(y, np.concatenate([part[0] for part in few]), atol=1e-11)
    np.testing.assert_allclose(gx, np.concatenate([part[1] for part in few]), atol=1e-9)
    for k, g in enumerate(of_parameters, 2):
        np.testing.assert_allclose(g, np.sum([part[k] for part in few], 0), rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam, optim.RMSprop])
def test_training_steps(make):
    """Steps of LeNet, and of a layer large enough for the optimizer to split."""

    def compute():
        tn.manual_seed(0)
        model = tn.nn.Sequential(models.LeNet(), tn.nn.Linear(10, 30_000), tn.nn.Linear(30_000, 10))
        optimizer = make(model.parameters(), lr=1e-3)
        rng = np.random.default_rng(0)
        for _ in range(3):
            x = tn.tensor(rng.random((32, 1, 28, 28), dtype="float32"))
            loss = cross_entropy(model(x), tn.tensor(rng.integers(0, 10, 32)))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return [p.data for p in model.parameters()]

    same_bits(for_threads(compute))


def test_the_gradient_of_a_wide_layer_takes_no_more_than_a_few_weights():
    """A few partial sums instead of one per block of columns."""
    from tinynet.ops.convolution import conv2d_weight
    from tinynet.window import make_window

    gy, x = np.ones((8, 256, 12, 12), "float32"), np.ones((8, 256, 12, 12), "float32")
    window = make_window("c", 3, 1, 1)
    gw = conv2d_weight(gy, x, window=window)
    assert gw[0, 0, 1, 1] == 8 * 144
    assert peak(lambda: conv2d_weight(gy, x, window=window)) < 14 * gw.nbytes


def test_threads_end_with_their_team():
    before = threading.active_count()
    for number in (2, 3) * 10:
        tn.set_num_threads(number)
        threads.for_each(lambda _: None, range(3))
    tn.set_num_threads(2)
    threads.for_each(lambda _: None, range(3))
    assert wait_for(lambda: threading.active_count() <= before + 1)


@pytest.mark.parametrize("when", ["starting the second thread", "touching BLAS's memory"])
def test_a_team_that_nobody_knows_of_ends(monkeypatch, when):
    """An interrupt while a team is created leaves no threads behind; the next team is complete."""
    tn.set_num_threads(3)
    real, main = threads._touch_packing_buffer, threading.current_thread()

    def interrupted(together=None):
        if threading.current_thread() is main:
            together.abort()
            raise KeyboardInterrupt
        real(together)

    class Thread(threading.Thread):
        def start(self):
            if self.name == "tinynet-2":
                raise KeyboardInterrupt
            super().start()

    before = set(threading.enumerate())
    if when == "touching BLAS's memory":
        monkeypatch.setattr(threads, "_touch_packing_buffer", interrupted)
    else:
        monkeypatch.setattr(threads.threading, "Thread", Thread)
    monkeypatch.setattr(threads._threads, "team", None)
    with pytest.raises(KeyboardInterrupt):
        threads.for_each(lambda _: None, range(4))
    for thread in set(threading.enumerate()) - before:
        thread.join(20)
        assert not thread.is_alive()
    monkeypatch.undo()
    done: list[int] = []
    threads.for_each(done.append, range(4))
    assert sorted(done) == [0, 1, 2, 3]
