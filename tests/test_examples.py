"""The examples as a user runs them: normally, with a wrong option, with Ctrl-C."""

from __future__ import annotations

import os
import pathlib
import re
import runpy
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tinynet import data, training

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"


def run(name, *options, env=None):
    return subprocess.run(
        [sys.executable, EXAMPLES / name, *options],
        capture_output=True, text=True, check=False, env={**os.environ, **(env or {})},
    )  # fmt: skip


@pytest.fixture
def complaint(monkeypatch, capsys):
    """The error lines of an example with wrong options, run in this process."""

    def complaint(name, *options):
        monkeypatch.setattr(sys, "argv", [name, *options])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        assert ended.value.code == 2
        return capsys.readouterr().err.splitlines()

    return complaint


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda p: p.name)
def test_examples_are_short_and_refuse_what_they_do_not_know(path, complaint):
    assert len(path.read_text().splitlines()) < 100
    lines = complaint(path.name, "--no-such-option")
    assert lines[0].startswith("usage")
    assert "--no-such-option" in lines[-1]


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
    """Without MNIST and network: the package's digits, with a message; accuracy >= 97 %."""
    nothing = {"TINYNET_DATA": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    out = run("lenet_mnist.py", env=nothing)
    assert out.returncode == 0, out.stderr
    assert "not MNIST" in out.stdout
    assert "\r" not in out.stdout + out.stderr  # no progress bar off a terminal
    accuracies = re.findall(r"^epoch \d+/30 .* test_accuracy ([\d.]+)", out.stdout, re.M)
    assert len(accuracies) == 30
    last = out.stdout.splitlines()[-1]
    assert float(re.fullmatch(r"after 30 epochs: test accuracy ([\d.]+)%", last)[1]) >= 97


@pytest.mark.parametrize(
    ("name", "options", "file"),
    [
        ("lenet_mnist.py", ["--data", "mnist"], "train-images"),
        ("lenet_mnist.py", ["--data", "fashion", "--root", "nowhere"], "train-images"),
        ("cifar_cnn.py", [], "data_batch_1.bin"),
    ],
)
def test_without_data_they_say_what_is_missing(name, options, file, tmp_path):
    nothing = {"TINYNET_DATA": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    out = run(name, *options, env=nothing)
    if out.returncode == 0:
        pytest.skip("a distribution's package has the data")
    assert out.returncode == 1
    assert out.stderr.startswith("error: ")
    assert file in out.stderr
    assert "Traceback" not in out.stderr


@pytest.mark.parametrize("name", ["lenet_mnist.py", "cifar_cnn.py"])
@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--batch-size", "0"], "--batch-size must be|--batch-size and"),
        (["--epochs", "-1"], "--epochs"),
        (["--seed", "-1"], "--seed"),
        (["--lr", "nan"], "--lr"),
        (["--resume"], "--checkpoint DIR"),
        (["--data", "letters"], "letters"),
    ],
)
def test_wrong_options_are_told_in_a_line(name, options, says, complaint):
    assert re.search(says, complaint(name, *options)[-1])


def test_lenet_on_a_gpu_that_is_not_there():
    out = run("lenet_mnist.py", "--device", "cuda", "--data", "digits", "--epochs", "0")
    if out.returncode == 0:
        pytest.skip("there is a GPU")
    assert out.stderr.startswith("error: device 'cuda' cannot be used: ")
    assert len(out.stderr.splitlines()) == 1


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent in another way on Windows")
@pytest.mark.usefixtures("ctrl_c")
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


def digits(*options, epochs=4):
    return run("lenet_mnist.py", "--data", "digits", "--epochs", str(epochs), *options)


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent in another way on Windows")
@pytest.mark.usefixtures("ctrl_c")
def test_lenet_goes_on_after_ctrl_c_and_ends_the_same(tmp_path):
    whole = digits()
    folder = tmp_path / "run"
    command = ["lenet_mnist.py", "--data", "digits", "--epochs", "4", "--checkpoint", folder]
    process = subprocess.Popen(
        [sys.executable, "-u", EXAMPLES / command[0], *command[1:]],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not process.stdout.readline().startswith("epoch 1/4"):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    *_, last = errors.splitlines()
    assert re.search(
        r"stopped by Ctrl-C in epoch [1-9] after \d+ steps, saved in .*: use --resume$", last
    )

    out = run(*command)  # not without --resume: the saved run would be lost
    assert out.returncode == 1
    assert "already exists and would be lost" in out.stderr
    assert len(out.stderr.splitlines()) == 1
    out = run(*command, "--lr", "0.1", "--resume")
    assert out.returncode == 1
    assert "lr" in out.stderr.splitlines()[-1]
    assert "Traceback" not in out.stderr

    out = run(*command, "--resume")
    assert out.returncode == 0, out.stderr
    assert out.stdout.splitlines()[-1] == whole.stdout.splitlines()[-1]
    shown = re.findall(r"^epoch (\d)/4 +(loss .*?accuracy \S+)", whole.stdout, re.M)
    rows = re.findall(r"^epoch (\d)/4 +(loss .*?accuracy \S+)", out.stdout, re.M)
    assert 1 <= len(rows) < 4
    assert rows == shown[-len(rows) :]
    history = training.read_history(folder / "history.jsonl")
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]
    again = run(*command, "--resume")  # of a run that is complete
    assert again.stdout.splitlines()[-1] == whole.stdout.splitlines()[-1]


def test_lenet_writes_a_report(tmp_path):
    out = digits("--report", str(tmp_path / "a" / "b"), epochs=1)
    assert out.returncode == 0, out.stderr
    assert out.stderr == ""
    assert os.listdir(tmp_path / "a" / "b") == ["report.html"]
    page = (tmp_path / "a" / "b" / "report.html").read_text(encoding="utf-8")
    assert "<title>LeNet on UCI digits" in page
    for section in ("Figures", "Classes", "Epochs", "Options", "Model"):
        assert f"<h2>{section}</h2>" in page
    assert "This could not be made" not in page


def test_lenet_needs_numpy_alone(tmp_path):
    """Without the optional packages there are no checkpoints and no figures in the report."""
    for name in ("matplotlib", "tqdm", "scipy", "safetensors", "pooch", "tensorboardX"):
        (tmp_path / f"{name}.py").write_text(f"raise ImportError('no {name}', name='{name}')")
    command = ["lenet_mnist.py", "--data", "digits", "--epochs", "1"]
    without = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{EXAMPLES.parent}"}
    out = run(*command, "--report", str(tmp_path / "report"), env=without)
    assert out.returncode == 0, out.stderr
    assert out.stderr == ""
    assert out.stdout.count("tinynet[train]") >= 1
    assert "after 1 epochs: test accuracy" in out.stdout
    assert "<h2>Epochs</h2>" in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    out = run(*command, "--checkpoint", str(tmp_path / "run"), env=without)
    assert out.returncode == 1
    assert re.fullmatch(r"error: .*safetensors.*'tinynet\[train\]'\n", out.stderr)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    out = digits("--checkpoint", str(tmp_path / "file"), epochs=1)
    assert out.returncode == 1
    assert out.stderr.startswith("error: ")
    assert len(out.stderr.splitlines()) == 1


@pytest.fixture
def cifar_cnn(monkeypatch):
    """The example, with 40 images of noise for CIFAR-10."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import cifar_cnn

    def few(root, train):
        rng = np.random.default_rng(int(train))
        n = 40 if train else 10
        return rng.random((n, 3, 32, 32), dtype="float32"), rng.integers(0, 10, n)

    monkeypatch.setattr(data, "cifar10", few)
    monkeypatch.setattr(data, "locate", lambda name, root: data.Located("Noise", ()))

    def start(*options):
        monkeypatch.setattr(sys, "argv", ["cifar_cnn.py", "--batch-size", "16", *options])
        cifar_cnn.main(cifar_cnn.parse())

    return start


@pytest.mark.parametrize("network", ["cnn", "lenet"])
def test_cifar_is_resumed_with_augmentation(network, cifar_cnn, tmp_path, capsys, monkeypatch):
    options = ["--network", network, "--epochs", "2", "--augment", "--device", "cpu"]
    cifar_cnn(*options)
    whole = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"Noise, after 2 epochs: test accuracy [\d.]+%", whole[-1])

    steps, step = [], training.Checkpoint.steps

    def broken_off(run, batches):
        for batch in step(run, batches):
            steps.append(batch)
            if len(steps) == 5:  # in the second epoch
                raise KeyboardInterrupt
            yield batch

    folder = ["--checkpoint", str(tmp_path / "run")]
    with monkeypatch.context() as patch:
        patch.setattr(training.Checkpoint, "steps", broken_off)
        with pytest.raises(KeyboardInterrupt):
            cifar_cnn(*options, *folder)
    with pytest.raises(training.CheckpointError, match="augment"):
        cifar_cnn(*(o for o in options if o != "--augment"), *folder, "--resume")
    capsys.readouterr()
    cifar_cnn(*options, *folder, "--resume", "--report", str(tmp_path / "report"))
    resumed = capsys.readouterr().out.splitlines()
    assert resumed[-1] == whole[-1]
    row = re.compile(r"epoch 2/2 .* accuracy \S+ .* test_accuracy \S+")
    assert row.match(resumed[-2])[0] == row.match(whole[-2])[0]
    history = training.read_history(tmp_path / "run" / "history.jsonl")
    assert [row["epoch"] for row in history] == [1, 2]
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert f"<title>{network} on Noise" in page
    assert "airplane" in page
    assert "This could not be made" not in page
