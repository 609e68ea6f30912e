"""`derivation` shows the docstring's text and the code that runs."""

from __future__ import annotations

import html
import inspect
import linecache
import os
import pathlib
import re

import pytest
from html_tree import Reader

import tinynet as tn
import tinynet.functional as F
from tinynet import ops
from tinynet.autograd import Op

ROOT = pathlib.Path(tn.__file__).parent.parent
PARTS = {"Derivation", "Jacobian", "Kinks", "Cost", "Shapes", "Source"}


@pytest.mark.parametrize("name", ops.registry())
def test_every_operation(name):
    op = ops.registry()[name]
    derivation = tn.derivation(name)
    (notes,) = derivation.operations
    text = str(derivation)
    assert set(notes.parts) >= PARTS
    words = " ".join(inspect.getdoc(op.forward).split())
    assert words.startswith(notes.formula)
    for part, body in notes.parts.items():
        assert f"{part}: {' '.join(body.split())}" in words
        assert f"{part}: " in text
    functions = {f"g{name}": rule.function for name, rule in op.rules.items()}
    functions["forward"] = op.forward
    assert notes.codes.keys() == functions.keys()
    for name_, code in notes.codes.items():
        lines = (ROOT / code.file).read_text().splitlines()
        shown = code.text.splitlines()
        assert [line.strip() for line in lines[code.line - 1 :][: len(shown)]] == [
            line.strip() for line in shown
        ]
        assert "return" in code.text
        assert '"""' not in code.text
        compile(f"def f():\n{re.sub('^', '    ', code.text, flags=re.M)}", "shown", "exec")
        assert inspect.getsource(functions[name_]).rstrip().endswith(shown[-1].strip())
    assert str(tn.derivation(op)) == text
    page = Reader(derivation._repr_html_())
    assert [tag for tag, _ in page.tags].count("pre") == 1 + len(op.rules)
    assert " ".join(notes.codes["forward"].text.split()) in " ".join("".join(page.texts).split())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (F.relu, ["relu"]),
        (F.conv2d, ["conv2d"]),
        (F.max_pool2d, ["max_pool2d"]),
        (tn.Tensor.relu, ["relu"]),
        (tn.Tensor.__add__, ["add"]),
        (tn.Tensor.__rmul__, ["mul"]),
        (tn.Tensor.__matmul__, ["matmul"]),
        (tn.matmul, ["matmul"]),
        (tn.cat, ["cat"]),
        (tn.ones(1).sum, ["sum"]),
        ("tn.functional.relu", ["relu"]),
        ("Tensor.mean", ["sum"]),
        ("cross_entropy", ["cross_entropy_rows", "sum", "reshape"]),
        (F.gelu, ["erf", "tanh"]),
    ],
)
def test_functions_and_methods_lead_to_their_operations(given, expected):
    assert [n.name for n in tn.derivation(given).operations] == expected


def test_a_composition_says_so():
    text = str(tn.derivation(F.gelu))
    assert text.startswith("gelu is a composition: it calls erf, tanh by name (operators such as *")
    assert "\n\nerf(x)\n" in text
    assert "gelu is a composition" in tn.derivation(F.gelu)._repr_html_()
    assert repr(tn.derivation("relu")) == str(tn.derivation("relu"))


@pytest.mark.parametrize(
    ("given", "calls", "line"),
    [
        ("silu", "sigmoid", "return input * elementary.sigmoid(input)"),
        ("mean", "sum", "return reduction.sum(input, dim=None if dim is None else axes"),
        ("mse_loss", "sum", "d = input - target"),
        ("var", "sum", "return reduction.sum(centred * centred, dim=axes, keepdim=keepdim)"),
        ("flatten", "reshape", "return shape.reshape(input, shape=(*input.shape[:first], n,"),
        ("LayerNorm", "sum, sqrt", "y, _, _ = _normalise(input, axes, float(eps))"),
        (tn.nn.Conv2d, "conv2d", "return convolution.conv2d(input, weight, bias, window=window"),
        ("BatchNorm2d", "reshape, sum, sqrt", "functional.batch_norm("),
        ("dropout", "no operation", "return input * "),
    ],
)
def test_a_composition_shows_its_own_source(given, calls, line):
    """Instead of the derivation of another operation."""
    found = tn.derivation(given)
    head, _, rest = str(found).partition("\n\n")
    name = given if isinstance(given, str) else given.__name__
    assert head.startswith(f"{name} is a composition: it calls {calls} by name (")
    assert line in rest.partition("\nDerivation: ")[0]
    assert html.escape(line) in found._repr_html_()


def test_the_text_of_one():
    head, _, code = str(tn.derivation("tanh")).partition("\n\nforward, ")
    assert head.startswith("tanh(x)\n\ny = tanh x = (e^x - e^-x) / (e^x + e^-x).\n\nDerivation: ")
    assert re.fullmatch(
        r"tinynet/ops/elementary\.py:\d+\n    return array_module\(x\)\.tanh\(x\)\n\n"
        r"gx, tinynet/ops/elementary\.py:\d+\n    return gy \* \(1\.0 - y \* y\)",
        code,
    )
    assert str(tn.derivation("leaky_relu")).startswith("leaky_relu(x, *, negative_slope)\n")
    assert str(tn.derivation("cat")).startswith("cat(*xs, dim)\n")


def test_one_of_your_own_without_a_file_or_a_docstring():
    names: dict = {}
    exec("def double(x):\n    return x * 2", names)
    op = Op(names["double"])
    op.rule("x")(eval("lambda gy: gy * 2"))
    text = str(tn.derivation(op))
    assert text.startswith("double(x)\n")
    assert "forward, its source is not in a file" in text
    assert "gx, its source is not in a file" in tn.derivation(op)._repr_html_()


def test_a_folder_beside_the_package_s_is_shown_with_its_whole_path(tmp_path):
    """Though its name begins with that of the folder that holds the package."""
    file = f"{ROOT}-mine{os.sep}own.py"
    names: dict = {}
    linecache.cache[file] = (0, None, ["def double(x):\n", "    return x * 2\n"], file)
    try:
        exec(compile("def double(x):\n    return x * 2\n", file, "exec"), names)
        assert f"forward, {file}:2\n" in str(tn.derivation(Op(names["double"])))
    finally:
        del linecache.cache[file]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("rellu", r"unknown operation 'rellu'; did you mean .*\brelu\b"),
        ("zzzz", r"unknown operation 'zzzz'; tinynet.ops.registry\(\) lists all$"),
        ("Tensor.shape", "unknown operation 'Tensor.shape'"),
        ("im2col", "unknown operation 'im2col'; did you mean unfold\\?"),
        ("col2im", "unknown operation 'col2im'; did you mean fold\\?"),
        (tn.nn.ModuleList, "ModuleList calls no operation of tinynet by name"),
        (3, "got an int; pass an operation, a function, or a name"),
        (len, "len calls no operation of tinynet by name"),
        (tn.no_grad, "no_grad calls no operation of tinynet by name"),
    ],
)
def test_what_is_no_operation(given, said):
    with pytest.raises(ValueError, match=f"^derivation: {said}") as error:
        tn.derivation(given)
    assert "\n" not in str(error.value)
