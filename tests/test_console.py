"""Output to streams that lack θ and ∂: every program and every printed object, without an error."""

from __future__ import annotations

import io
import os
import pathlib
import subprocess
import sys

import pytest

import tinynet as tn
from tinynet import console, training

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"
PRINTED = """
import tinynet as tn
x = tn.tensor([3.0, 4.0], requires_grad=True)
loss = (x * x).sum()
print(tn.explain(loss, names={"θ": x}))
print(tn.draw(loss, names={"θ": x}, format="dot"))
print(tn.derivation("softmax"), tn.derivation("conv2d"))
"""


def stream(encoding):
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


def written(to):
    to.flush()
    return to.buffer.getvalue().decode(to.encoding)


@pytest.mark.parametrize(
    ("text", "ascii", "cp1252"),
    [
        ("θ ← θ - α ∇J(θ)", "theta <- theta - alpha grad J(theta)", None),
        ("∂J/∂W, Δ, σ²", "dJ/dW, Delta, sigma^2", "dJ/dW, Delta, sigma²"),
        ("W⁽ˡ⁾ᵀ δ⁻¹ a₂", "W^(l)T delta^-1 a_2", "W^(l)T delta^-¹ a_2"),
        ("‖x‖ · ½ → ∞ …", "|x| . 1/2 -> inf ...", "|x| · ½ -> inf …"),
        ("plain", "plain", "plain"),
        ("文 é", "\\u6587 \\xe9", "\\u6587 é"),
    ],
)
def test_what_is_spelled_out(text, ascii, cp1252):
    for encoding, expected in (("ascii", ascii), ("cp1252", cp1252), ("utf-8", text)):
        to = stream(encoding)
        console.write(text, to)
        assert written(to).rstrip("\r\n") == expected or expected is None


def test_streams_without_an_encoding():
    to = io.StringIO()
    console.write("θ", to)
    assert to.getvalue() == "θ\n"
    assert console.printable("θ", type("Odd", (), {"encoding": "no-such"})) == "theta"


def test_progress_is_shown_on_such_a_stream(terminal):
    to = stream("ascii")
    recorder = training.Recorder(stream=to)
    recorder.log("α")
    recorder.add(1, δ=0.5)
    recorder.end_epoch()
    lines = written(to).splitlines()
    assert lines[0] == "alpha"
    assert "delta 0.5" in lines[1]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize(
    "program",
    [
        ["-c", PRINTED],
        [EXAMPLES / "gradient_descent.py"],
        [EXAMPLES / "gradient_descent.py", "--help"],
        [EXAMPLES / "mlp_by_hand.py"],
        [EXAMPLES / "check_your_gradients.py"],
    ],
    ids=["printed", "gradient_descent", "help", "mlp_by_hand", "check_your_gradients"],
)
def test_programs_end_well(program, encoding):
    out = subprocess.run(
        [sys.executable, "-X", "utf8=0", *program],
        capture_output=True, check=False, env={**os.environ, "PYTHONIOENCODING": encoding},
    )  # fmt: skip
    assert (out.returncode, out.stderr) == (0, b"")
    assert out.stdout.decode(encoding)


@pytest.mark.parametrize("what", ["-m tinynet.study --out page.html", "-c"])
def test_without_docstrings_it_says_so(what, tmp_path):
    """python -OO leaves the derivations out; everything else works."""
    code = ["import tinynet as tn; print(tn.ones(2).exp().sum().item()); tn.derivation('exp')"]
    arguments = what.split() + (code if what == "-c" else [])
    env = {**os.environ, "PYTHONPATH": str(EXAMPLES.parent)}
    out = subprocess.run(
        [sys.executable, "-OO", *arguments],
        capture_output=True, text=True, check=False, cwd=tmp_path, env=env,
    )  # fmt: skip
    assert out.returncode == 1
    assert "docstrings" in out.stderr.splitlines()[-1]
    assert "without -OO" in out.stderr.splitlines()[-1]
    assert out.stdout.startswith("5.436") or what != "-c"


def test_printed_objects_keep_their_text_where_it_can_be_shown(capsys):
    x = tn.tensor([3.0], requires_grad=True)
    print(tn.explain(x.sum()))
    assert "‖value‖" in capsys.readouterr().out
