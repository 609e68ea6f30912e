"""The documentation is true: formulas and derivations use the code's names, and all code and all
commands in it run."""

from __future__ import annotations

import ast
import doctest
import importlib.util
import inspect
import pathlib
import pkgutil
import re
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import test_readme

import tinynet as tn
from tinynet import ops
from tinynet.study.derivation import notes

ROOT = pathlib.Path(tn.__file__).parent.parent
REGISTRY = ops.registry()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")),
         *sorted((ROOT / "examples").glob("*.md"))]  # fmt: skip
MODULES = ["tinynet"] + [m.name for m in pkgutil.walk_packages(tn.__path__, "tinynet.")]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def symbol(name: str, text: str) -> bool:
    """Whether the text has `name` as a symbol: alone, or with an index as in x_n and x[n]."""
    return re.search(rf"(?<![A-Za-z]){name}(?![A-Za-z])", text) is not None


def squeezed(code: str) -> str:
    """Code without whitespace and trailing commas."""
    return re.sub(r",(?=[)\]])", "", re.sub(r"\s", "", code))


def last_line(rule: ast.FunctionDef, source: str) -> str:
    """The expression of a rule's last `return`."""
    returns = [node for node in ast.walk(rule) if isinstance(node, ast.Return)]
    value = max(returns, key=lambda node: node.lineno).value
    assert value is not None
    return ast.get_source_segment(source, value) or ""


# --- operations: formula, derivation, code ---------------------------------------------------


@pytest.mark.parametrize("name", REGISTRY)
def test_the_formula_has_the_inputs_names(name):
    op = REGISTRY[name]
    for given in op.inputs:
        letter = given.removesuffix("s") if op.variadic else given
        assert symbol(letter, notes(op).formula), f"{name}: the formula lacks {given}"


@pytest.mark.parametrize("name", REGISTRY)
def test_the_derivation_speaks_of_every_rule(name):
    """It names each differential dx."""
    text = notes(REGISTRY[name]).parts["Derivation"]
    words = text.partition("\n")[0]
    for given in REGISTRY[name].rules:
        letter = given.removesuffix("s") if REGISTRY[name].variadic else given
        assert symbol(f"d{letter}", words), f"{name}: the derivation lacks d{letter}"


@pytest.mark.parametrize("name", REGISTRY)
def test_the_derivation_ends_in_its_lines_of_code(name):
    """Its last lines are ``gx = ...``, one for each rule, with the rule's return expression."""
    op = REGISTRY[name]
    lines = notes(op).parts["Derivation"].split("\n")[1:]
    expected = []
    for given, rule in op.rules.items():
        source = textwrap.dedent(inspect.getsource(rule.function))
        (function,) = ast.parse(source).body
        assert isinstance(function, ast.FunctionDef)
        assert function.name == f"{name}_g{given.removesuffix('s') if op.variadic else given}"
        expected.append(f"g{given} = {last_line(function, source)}")
    assert [squeezed(line) for line in lines] == [squeezed(line) for line in expected]


def test_a_line_of_code_that_is_not_the_rules_is_noticed():
    assert squeezed("f(a,\n    b,\n)") == squeezed("f(a, b)")
    assert squeezed("gy * b") != squeezed("gy * a")
    assert symbol("w", "sum w_ocij x")
    assert symbol("x", "y = x[index]")
    assert not symbol("x", "y = max(a, b)")


# --- code in docstrings and in pages ---------------------------------------------------------


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    module = importlib.import_module(name)
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    printed: list[str] = []
    with np.errstate(all="ignore"):  # pytest would make errors of warnings that only print
        for example in finder.find(module, name):
            runner.run(example, out=printed.append)
    assert not runner.summarize(verbose=False).failed, "".join(printed)


def test_there_are_examples_in_docstrings_and_they_can_fail():
    finder = doctest.DocTestFinder()
    found = [e for m in MODULES for e in finder.find(importlib.import_module(m), m) if e.examples]
    assert len(found) >= 8
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, None)
    runner = doctest.DocTestRunner(verbose=False, optionflags=FLAGS)
    assert runner.run(wrong, out=lambda text: None).failed == 1


def blocks(path):
    """(language, text) of the fenced blocks of a page."""
    return re.findall(r"^```(\w*)\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S)


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_code_in_pages_runs(path):
    assert path.read_text(encoding="utf-8").count("```") == 2 * len(blocks(path))
    for language, _ in blocks(path):
        assert language in ("python", "sh", "text", "mermaid"), f"{path.name}: {language!r}"
    if path.name != "README.md":  # its blocks: test_readme
        program = "".join(text for language, text in blocks(path) if language == "python")
        test_readme.test_python_blocks_run(program)  # a block may use those before it
    assert doctest.testfile(str(path), module_relative=False, optionflags=FLAGS).failed == 0


COMMAND = re.compile(
    r"python3? (-m tinynet(?:\.\w+)*|(?:examples|tests|benchmarks)/[\w/]+\.py)((?: [^\s`)\]]+)*)"
)


def commands():
    """Every command of the project in a page or a docstring: (target, options)."""
    texts = [path.read_text(encoding="utf-8") for path in PAGES]
    for path in [*ROOT.glob("examples/*.py"), *ROOT.glob("tinynet/**/*.py")]:
        texts.append(path.read_text(encoding="utf-8"))
    found = {}
    for text in texts:
        for target, rest in COMMAND.findall(text):
            found.setdefault(target, set()).update(re.findall(r"(?<= )--[a-z][\w-]*", rest))
    return found


COMMANDS = commands()


def test_every_example_is_shown_with_its_command():
    for path in ROOT.glob("examples/*.py"):
        assert f"examples/{path.name}" in COMMANDS, f"{path.name} does not say how to run it"


@pytest.mark.parametrize("target", sorted(COMMANDS))
def test_commands_exist_and_have_the_options_that_are_shown(target):
    arguments = target.split() if target.startswith("-m") else [str(ROOT / target)]
    if not COMMANDS[target]:  # shown without options: it may have none, not even --help
        if target.startswith("-m"):
            assert importlib.util.find_spec(arguments[1]) is not None
        else:
            assert (ROOT / target).is_file()
        return
    out = subprocess.run(
        [sys.executable, *arguments, "--help"], capture_output=True, text=True, check=False
    )
    assert out.returncode == 0, out.stderr
    for option in COMMANDS[target]:
        assert re.search(rf"{option}\b", out.stdout), f"{target} has no {option}"


# --- the reading order -----------------------------------------------------------------------

ROW = re.compile(r"^\| \[`[^`]+`\]\(([^)]+)\) \| ([\d,]+) \| (.+) \| (.+) \|$", re.M)
ORDER = ROW.findall((ROOT / "README.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", ORDER, ids=[row[0] for row in ORDER])
def test_lengths_in_the_reading_order(row):
    lines = len((ROOT / row[0]).read_text(encoding="utf-8").splitlines())
    said = int(row[1].replace(",", ""))
    assert abs(said - lines) <= lines / 10, f"{row[0]} has {lines} lines; the README says {said}"


def test_the_reading_order_goes_from_scalars_to_lenet():
    paths = [path for path, *_ in ORDER]
    assert paths[0] == "examples/scalar_engine.py"
    assert paths[-2:] == ["tinynet/models/lenet.py", "examples/lenet_mnist.py"]
    assert len(set(paths)) == len(paths)


STEP = """
import sys, tinynet as tn
from tinynet import data, models, optim
from tinynet.functional import cross_entropy
seen = set()
sys.setprofile(lambda frame, event, arg: seen.add(frame.f_code.co_filename))
images, labels = data.digits(train=True, size=28)
model = models.LeNet()
optimizer = optim.Adam(model.parameters(), lr=2e-3)
for x, y in data.DataLoader(images[:64], labels[:64], batch_size=32, shuffle=True):
    loss = cross_entropy(model(tn.tensor(x)), tn.tensor(y))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
sys.setprofile(None)
print("\\n".join(sorted(seen)))
"""


def test_the_reading_order_skips_nothing_that_a_training_step_runs():
    out = subprocess.run([sys.executable, "-c", STEP], capture_output=True, text=True, check=True)
    package = pathlib.Path(tn.__file__).parent
    run = {pathlib.Path(line) for line in out.stdout.splitlines()}
    ours = {str(p.relative_to(ROOT)).replace("\\", "/") for p in run if package in p.parents}
    assert len(ours) > 20
    assert ours - {path for path, *_ in ORDER} == set()
