"""The examples as a user runs them: plainly, with --help, with a wrong option, with Ctrl-C."""

from __future__ import annotations

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"


def run(name, *options, env=None):
    return subprocess.run(
        [sys.executable, EXAMPLES / name, *options],
        capture_output=True, text=True, check=False, env={**os.environ, **(env or {})},
    )  # fmt: skip


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda p: p.name)
def test_examples_are_short_and_explain_themselves(path):
    assert len(path.read_text().splitlines()) < 100
    out = run(path.name, "--help")
    assert out.returncode == 0, out.stderr
    assert "usage" in out.stdout
    out = run(path.name, "--no-such-option")
    assert out.returncode == 2
    assert "--no-such-option" in out.stderr


def test_gradient_descent_takes_the_right_second_step():
    out = run("gradient_descent.py", "--steps", "2")
    assert [line.split()[1:3] for line in out.stdout.splitlines()[-2:]] == [
        ["0.2", "0.2"],
        ["0.36", "0.36"],
    ]


@pytest.mark.parametrize("sizes", [["3", "5", "4", "2"], ["1", "1"], ["7", "2", "9", "3", "1"]])
def test_the_equations_by_hand_are_autograd_s_to_the_last_digits(sizes):
    out = run("mlp_by_hand.py", "--sizes", *sizes)
    assert out.returncode == 0, out.stderr
    losses = re.search(r"by hand (\S+), by autograd (\S+)", out.stdout)
    assert float(losses[1]) == pytest.approx(float(losses[2]), rel=1e-15)
    rows = [line.split() for line in out.stdout.splitlines() if re.match(r" +\d", line)]
    assert len(rows) == len(sizes) - 1
    for *_, largest, dw, db in rows:
        assert max(float(dw), float(db)) <= 1e-14 * max(float(largest), 1e-3)


def test_the_hand_written_gradients_are_those_of_finite_differences():
    sys.path.insert(0, str(EXAMPLES))
    try:
        from mlp_by_hand import forward_backward_by_hand as by_hand
    finally:
        sys.path.pop(0)
    rng = np.random.default_rng(3)
    W = {1: rng.standard_normal((4, 3)), 2: rng.standard_normal((2, 4))}
    b = {1: rng.standard_normal((4, 1)), 2: rng.standard_normal((2, 1))}
    x, y = rng.standard_normal((3, 5)), rng.random((2, 5))
    _, dW, db = by_hand(W, b, x, y)
    for values, gradients in ((W, dW), (b, db)):
        for layer, array in values.items():
            for i in np.ndindex(array.shape):
                h, kept = 1e-5, array[i]
                array[i] = kept + h
                above = by_hand(W, b, x, y)[0]
                array[i] = kept - h
                below = by_hand(W, b, x, y)[0]
                array[i] = kept
                assert (above - below) / (2 * h) == pytest.approx(
                    gradients[layer][i], rel=1e-5, abs=1e-10
                )


def test_binary_classifier_learns():
    out = run("binary_classifier.py")
    assert out.returncode == 0, out.stderr
    learnt, new = out.stdout.splitlines()[-2:]
    assert float(learnt.split("accuracy ")[1].split()[0]) >= 0.95
    assert float(new.split("accuracy ")[1].split()[0]) >= 0.9
    out = run("binary_classifier.py", "--data", "document", "--steps", "300")
    chances = [float(line.split()[-1]) for line in out.stdout.splitlines()[-4:]]
    assert [p > 0.5 for p in chances] == [False, True, True, False]


def test_lenet_says_what_it_trains_on(tmp_path):
    """No MNIST and no network: the digits of the package, and it says so; 97 % and more."""
    nothing = {"TINYNET_DATA": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    out = run("lenet_mnist.py", env=nothing)
    assert out.returncode == 0, out.stderr
    assert "not MNIST" in out.stdout
    assert "\r" not in out.stdout + out.stderr  # no progress bar off a terminal
    accuracies = re.findall(r"test accuracy ([\d.]+)%", out.stdout)
    assert len(accuracies) == 30
    assert float(accuracies[-1]) >= 97
    out = run("lenet_mnist.py", "--data", "mnist", env=nothing)
    assert out.returncode == 1
    assert "train-images" in out.stderr
    assert "Traceback" not in out.stderr


def test_lenet_on_a_gpu_that_is_not_there():
    out = run("lenet_mnist.py", "--device", "cuda", "--data", "digits", "--epochs", "0")
    if out.returncode == 0:
        pytest.skip("there is a GPU")
    assert out.stderr.startswith("error: device 'cuda' cannot be used: ")
    assert len(out.stderr.splitlines()) == 1


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent in another way on Windows")
def test_lenet_ends_quietly_on_ctrl_c():
    process = subprocess.Popen(
        [sys.executable, "-u", EXAMPLES / "lenet_mnist.py", "--data", "digits", "--epochs", "500"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    process.stdout.readline()  # it has begun
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert errors == "stopped by Ctrl-C\n"
