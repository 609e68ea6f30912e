"""``python -m tinynet.study``: its options, its digits and weights, and wrong inputs."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from html_tree import Reader

import tinynet as tn
from tinynet import models
from tinynet.study.__main__ import main
from tinynet.study.digit import load_digit
from tinynet.study.networks import NETWORKS


def run(capsys, *arguments):
    """(exit status, standard output, standard error)"""
    status = main([str(a) for a in arguments])
    return status, *capsys.readouterr()


def save_png(path, pixels):
    from matplotlib.image import imsave

    imsave(path, pixels, cmap="gray", vmin=0, vmax=1)
    return path


def test_the_command_says_where_it_wrote(tmp_path):
    out = subprocess.run(
        [sys.executable, "-m", "tinynet.study", "--data", "digits", "--out", "page.html"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert out.returncode == 0, out.stderr
    assert out.stdout.startswith(str(tmp_path / "page.html"))
    assert list(tmp_path.iterdir()) == [tmp_path / "page.html"]
    Reader((tmp_path / "page.html").read_text(encoding="utf-8"))


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    text = capsys.readouterr().out
    for option in ("--model", "--image", "--data", "--checkpoint", "--out", "--seed", "--label"):
        assert option in text


def test_the_same_seed_gives_the_same_page(tmp_path, capsys):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run(capsys, "--model", "mlp_by_hand", "--seed", seed, "--out", tmp_path / name)
    a, b, c = ((tmp_path / name).read_text() for name in "abc")
    assert a == b != c
    assert "Weights: random, seed 2." in c


def test_an_image_file_is_turned_into_a_digit(tmp_path):
    """Ink on white paper, twice as large: inverted, resized, and reported."""
    digit = load_digit("3", "digits", None, 28)
    large = 1 - digit.image[0].repeat(2, 0).repeat(2, 1)
    path = save_png(tmp_path / "three.png", large)
    found = load_digit(str(path), None, digit.label, 28)
    assert found.image.shape == (1, 28, 28)
    assert found.image.dtype == np.float32
    assert abs(found.image - digit.image).max() <= 1 / 255
    assert "inverted" in found.source
    assert "56x56 to 28x28" in found.source
    same = load_digit(str(save_png(tmp_path / "same.png", digit.image[0])), None, 3, 28)
    assert same.source == "the file same.png"


def test_an_image_of_one_grey_is_warned_of(tmp_path, capsys):
    path = save_png(tmp_path / "black.png", np.zeros((28, 28)))
    for arguments in (["--image", path, "--label", 1], ["--data", "digits"]):
        status, said, _ = run(capsys, *arguments, "--out", tmp_path / "p.html")
        assert status == 0
        page = (tmp_path / "p.html").read_text(encoding="utf-8")
        found = ["warning: all its pixels are equal" in text for text in (said, page)]
        assert found == ["--image" in arguments] * 2


def test_mnist_is_taken_where_it_is(mnist_root, tmp_path, capsys):
    out = run(capsys, "--data", mnist_root, "--image", 4, "--out", tmp_path / "p.html")
    assert out[0] == 0
    assert "a 4, number 4 of MNIST's test digits" in out[1]


def test_a_name_from_outside_is_escaped(tmp_path, capsys):
    evil = "<b onclick=alert(1)>&{{data}}.png"
    path = save_png(tmp_path / evil, np.zeros((28, 28)))
    status, _, _ = run(capsys, "--image", path, "--label", 3, "--out", tmp_path / "p.html")
    text = (tmp_path / "p.html").read_text()
    assert status == 0
    assert "<b onclick" not in text
    assert "&lt;b onclick=alert(1)&gt;&amp;{{data}}.png" in text


def page_of(folder, capsys, state):
    """The page of LeNet with these weights, read from a file."""
    tn.save(state, folder / "w.safetensors")
    status, _, error = run(
        capsys, "--data", "digits", "--checkpoint", folder / "w.safetensors",
        "--out", folder / "p.html",
    )  # fmt: skip
    assert status == 0, error
    return (folder / "p.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("nested", [False, True])
def test_weights_come_from_a_checkpoint(tmp_path, capsys, nested):
    tn.manual_seed(5)
    state = models.LeNet().state_dict()
    page = page_of(tmp_path, capsys, {"model": state, "epoch": 3} if nested else state)
    assert "Weights: from w.safetensors." in page
    data = json.loads(re.search(r'id="numbers">(.*?)</script>', page, re.DOTALL)[1])
    weights = np.frombuffer(base64.b64decode(data["arrays"]["fc2.weight"]["data"]), "<f4")
    assert np.array_equal(weights, state["fc2.weight"].reshape(-1))


@pytest.mark.parametrize("factor", [0.0, 30.0, float("nan")])
def test_strange_weights_are_shown_as_well(tmp_path, capsys, factor):
    """All zeros: every window ties. Large ones: a softmax of ones and zeros. And NaN."""
    state = models.LeNet().state_dict()
    Reader(page_of(tmp_path, capsys, {k: v * np.float32(factor) for k, v in state.items()}))


def bad_inputs(folder):
    """Arguments, and the text of the error line."""
    (folder / "text.png").write_text("no image")
    (folder / "empty.png").write_bytes(b"")
    (folder / "weights.safetensors").write_bytes(b"no weights")
    save_png(folder / "wide.png", np.zeros((20, 30)))
    save_png(folder / "digit.png", np.zeros((28, 28)))
    tn.save(NETWORKS["mlp_by_hand"].build().state_dict(), folder / "mlp.safetensors")
    file = folder / "digit.png"
    return [
        (["--image", folder / "none.png", "--label", 3], "no such file"),
        (["--image", folder / "text.png", "--label", 3], "cannot be read as an image"),
        (["--image", folder / "empty.png", "--label", 3], "cannot be read as an image"),
        (["--image", folder, "--label", 3], "cannot be read as an image"),
        (["--image", folder / "wide.png", "--label", 3], "30x20; crop it to a square"),
        (["--image", file], "needs --label"),
        (["--image", file, "--label", 10], "--label is 10"),
        (["--image", "-1"], "are numbered 0 to 358"),
        (["--image", "359"], "are numbered 0 to 358"),
        (["--label", 3], "has its own"),
        (["--seed", -1], "--seed is -1"),
        (["--data", folder / "nowhere"], "give mnist, digits, or a folder with MNIST's files"),
        (["--data", "nonsense", "--image", file, "--label", 1], "--data nonsense: give mnist"),
        (["--data", folder], "no t10k-"),
        (["--image", folder / "text.png"], "cannot be read as an image"),
        (["--data", "mnist", "--model", "mlp_by_hand"], "takes images of 8x8"),
        (["--checkpoint", folder / "none.safetensors"], "No such file"),
        (["--checkpoint", folder / "weights.safetensors"], "weights.safetensors"),
        (["--checkpoint", folder / "mlp.safetensors"], "4 unexpected: W1, W2, b1, b2"),
        (["--out", folder / "nowhere" / "p.html"], "cannot be written (No such file"),
        (["--out", folder], "is a folder"),
        (["--out", file / "p.html"], "cannot be written"),
    ]


def test_bad_input_is_one_clear_line_and_nothing_is_written(tmp_path, capsys):
    cases = bad_inputs(tmp_path)
    before = sorted(tmp_path.iterdir())
    for arguments, message in cases:
        given = [] if "--data" in arguments or "--out" in arguments else ["--data", "digits"]
        out = [] if "--out" in arguments else ["--out", tmp_path / "p.html"]
        status, said, error = run(capsys, *given, *out, *arguments)
        assert (status, said) == (1, ""), arguments
        assert error.startswith("error: "), error
        assert error.count("\n") == 1, error
        assert message in error, (arguments, error)
        assert sorted(tmp_path.iterdir()) == before, arguments


def test_an_old_page_stays_if_the_new_one_cannot_be_made(tmp_path, capsys):
    page = tmp_path / "p.html"
    page.write_text("old")
    assert run(capsys, "--data", "digits", "--image", "9999", "--out", page)[0] == 1
    assert page.read_text() == "old"
    assert run(capsys, "--data", "digits", "--out", page)[0] == 0
    assert page.read_text() != "old"
