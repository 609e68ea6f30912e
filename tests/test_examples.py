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
DIGITS = ["lenet_mnist.py", "--data", "digits", "--epochs"]


def run(name, *options, env=None):
    return subprocess.run(
        [sys.executable, EXAMPLES / name, *options],
        capture_output=True, text=True, check=False, env={**os.environ, **(env or {})},
    )  # fmt: skip


def output(name, *options, env=None):
    """What an example prints that ends well."""
    done = run(name, *options, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def error(done):
    """The line with which an example ends that says what is wrong."""
    assert done.returncode == 1
    assert re.fullmatch(r"error: .*\n", done.stderr)
    return done.stderr


def started(name, *options):
    return subprocess.Popen(
        [sys.executable, "-u", EXAMPLES / name, *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
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
    lines = output("gradient_descent.py", "--steps", "2").splitlines()[-2:]
    assert [line.split()[1:3] for line in lines] == [["0.2", "0.2"], ["0.36", "0.36"]]


@pytest.mark.parametrize("sizes", [["3", "5", "4", "2"], ["1", "1"], ["7", "2", "9", "3", "1"]])
def test_the_equations_by_hand_are_autograd_s_to_the_last_digits(sizes):
    out = output("mlp_by_hand.py", "--sizes", *sizes)
    losses = re.search(r"by hand (\S+), by autograd (\S+)", out)
    assert float(losses[1]) == pytest.approx(float(losses[2]), rel=1e-15)
    rows = [line.split() for line in out.splitlines() if re.match(r" +\d", line)]
    assert len(rows) == len(sizes) - 1
    for *_, largest, dw, db in rows:
        assert max(float(dw), float(db)) <= 1e-14 * max(float(largest), 1e-3)


def test_binary_classifier_learns():
    learnt, new = output("binary_classifier.py").splitlines()[-2:]
    assert float(learnt.split("accuracy ")[1].split()[0]) >= 0.95
    assert float(new.split("accuracy ")[1].split()[0]) >= 0.9
    lines = output("binary_classifier.py", "--data", "document", "--steps", "300").splitlines()[-4:]
    chances = [float(line.split()[-1]) for line in lines]
    assert [p > 0.5 for p in chances] == [False, True, True, False]


@pytest.mark.parametrize(
    ("mistake", "order"), [("dropped-term", 1), ("forgotten-beta", 1), ("second-order", 2)]
)
def test_the_checker_finds_the_mistake_and_passes_the_right_rule(mistake, order):
    out = output("check_your_gradients.py", "--mistake", mistake)
    wrong, right = out.split("swish with the right rule")
    assert f"`swish`, order {order}: wrong gradient" in wrong
    assert "input 0 of shape (3,)" in wrong
    assert re.search(r"coordinate \(\d,\)", wrong)
    assert "relative error" in wrong
    assert float(re.search(r"relative error at most (\S+)", right)[1]) <= 1e-6


def test_an_operation_of_ones_own():
    lines = output("own_operation.py").splitlines()
    assert lines[1].split("[")[1].startswith("99.3069, 0.4338, 0.0")  # 100 - ln 2, and no overflow
    errors = [float(line.split()[-1]) for line in lines if "relative error" in line]
    assert len(errors) == 2
    assert max(errors) < 1e-8


def test_a_mistake_that_does_not_show_is_not_claimed_to_be_found():
    assert "nothing found" in output("check_your_gradients.py", "--beta", "1")


def test_lenet_says_what_it_trains_on(tmp_path):
    """Without MNIST and network: the package's digits, with a message; accuracy >= 97 %."""
    nothing = {"TINYNET_DATA": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    out = output("lenet_mnist.py", env=nothing)
    assert "not MNIST" in out
    assert "\r" not in out  # no progress bar off a terminal
    assert len(re.findall(r"^epoch \d+/30 .* test_accuracy [\d.]+", out, re.M)) == 30
    last = out.splitlines()[-1]
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
    assert file in error(out)


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
    out = run(*DIGITS, "0", "--device", "cuda")
    if out.returncode == 0:
        pytest.skip("there is a GPU")
    assert error(out).startswith("error: device 'cuda' cannot be used: ")


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent in another way on Windows")
@pytest.mark.usefixtures("ctrl_c")
def test_lenet_ends_quietly_on_ctrl_c():
    process = started(*DIGITS, "500")
    process.stdout.readline()  # it has begun
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert errors == "stopped by Ctrl-C; a run with --checkpoint DIR would be saved, for --resume\n"


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent in another way on Windows")
@pytest.mark.usefixtures("ctrl_c")
def test_lenet_goes_on_after_ctrl_c_and_ends_the_same(tmp_path):
    whole, command = output(*DIGITS, "4"), [*DIGITS, "4", "--checkpoint", tmp_path / "run"]
    process = started(*command)
    while not process.stdout.readline().startswith("epoch 1/4"):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    stopped = r"^stopped by Ctrl-C in epoch [1-9] after \d+ steps, saved in .*: use --resume\n\Z"
    assert re.search(stopped, errors, re.M)

    assert "already exists and would be lost" in error(run(*command))  # not without --resume
    assert "lr was" in error(run(*command, "--lr", "0.1", "--resume"))

    rest = output(*command, "--resume")
    assert rest.splitlines()[-1] == whole.splitlines()[-1]
    row = re.compile(r"^epoch (\d)/4 +(loss .*?accuracy \S+)", re.M)
    rows = row.findall(rest)
    assert 1 <= len(rows) < 4
    assert rows == row.findall(whole)[-len(rows) :]
    history = training.read_history(tmp_path / "run" / "history.jsonl")
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]
    again = output(*command, "--resume")  # of a run that is complete
    assert again.splitlines()[-1] == whole.splitlines()[-1]
    longer = output(*command, "--epochs", "5", "--resume")  # the last --epochs counts
    assert [number for number, _ in re.findall(r"^epoch (\d)/5 +(loss)", longer, re.M)] == ["5"]
    assert longer.splitlines()[-1].startswith("after 5 epochs")


def test_resuming_what_was_never_saved(tmp_path):
    """It says so in a line, and leaves no folder."""
    done = run(*DIGITS, "1", "--checkpoint", tmp_path / "a" / "run", "--resume")
    assert re.search(r"run/last.safetensors does not exist; .* start a new run", error(done))
    assert os.listdir(tmp_path) == []


def test_a_root_that_was_named_is_not_replaced(tmp_path):
    """A typo in --root is an error, not a run on the package's digits."""
    for root in (tmp_path / "nowhere", tmp_path):
        assert str(root) in error(run("lenet_mnist.py", "--root", root, "--epochs", "1"))


def test_lenet_writes_a_report(tmp_path):
    output(*DIGITS, "1", "--report", tmp_path / "a" / "b")
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
    without = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{EXAMPLES.parent}"}
    out = output(*DIGITS, "1", "--report", tmp_path / "report", env=without)
    assert "tinynet[train]" in out
    assert "after 1 epochs: test accuracy" in out
    assert "<h2>Epochs</h2>" in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    message = error(run(*DIGITS, "1", "--checkpoint", tmp_path / "run", env=without))
    assert re.search(r"safetensors.*'tinynet\[train\]'", message)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    assert "File exists" in error(run(*DIGITS, "1", "--checkpoint", tmp_path / "file"))


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
