"""The house rules, checked by scanning the source: imports between parts, uses of NumPy and CuPy,
the length of the engine, and the parts of every operation's docstring."""

from __future__ import annotations

import ast
import inspect
import io
import pathlib
import re
import subprocess
import sys
import tokenize
from typing import Any

import pytest

import tinynet as tn
from tinynet import ops

ROOT = pathlib.Path(tn.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
# each part may import those before it, and its own files
ORDER = [
    "version", "console", "constants", "backends", "dtypes", "backend", "memory", "random", "cuda",
    "accelerator", "threads", "window", "kernels", "autograd", "ops", "functions", "tensor",
    "linalg", "creation", "sequences", "sampling", "functional", "nn", "optim", "graph", "data",
    "utils", "models", "testing", "io", "report", "training", "study",
]  # fmt: skip
PARTS = [  # of an operation's docstring, in their order
    "Derivation:", "Jacobian:", "Kinks:", "Cost:", "Shapes:", "Source:",
]  # fmt: skip


def part_of(path: pathlib.Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


class _WithoutTypes(ast.NodeTransformer):
    """Removes ``if TYPE_CHECKING:``, which never runs."""

    def visit_If(self, node: ast.If) -> Any:
        return None if ast.unparse(node.test) == "TYPE_CHECKING" else self.generic_visit(node)


def imported(tree: ast.AST, everywhere: bool = True) -> set[str]:
    found = set()
    tree = _WithoutTypes().visit(tree)
    for node in ast.walk(tree) if everywhere else ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_one_way(path):
    part = part_of(path)
    if part == "__init__":
        return
    for name in imported(ast.parse(path.read_text())):
        pieces = name.split(".")
        if pieces[0] == "tinynet" and len(pieces) > 1 and pieces[1] != part:
            assert pieces[1] in ORDER[: ORDER.index(part)], f"{part} imports {name}"


def test_files_of_a_part_have_no_circles():
    modules = {".".join(("tinynet", *p.relative_to(ROOT).with_suffix("").parts)): p for p in FILES}
    needs = {
        module: {n for name in imported(ast.parse(path.read_text()))
                 for n in (name, name.rpartition(".")[0]) if n in modules and n != module}
        for module, path in modules.items() if path.name != "__init__.py"
    }  # fmt: skip
    done: set[str] = set()
    while len(done) < len(needs):
        ready = {m for m, wants in needs.items() if m not in done and wants & needs.keys() <= done}
        assert ready, f"circle among {sorted(needs.keys() - done)}"
        done |= ready


def test_one_part_knows_cupy_and_the_operations_name_no_array_module():
    for path in FILES:
        text = path.read_text()
        names = {name.split(".")[0] for name in imported(ast.parse(text))}
        if part_of(path) != "backend":
            assert not names & {"cupy", "cupyx"}, path
        if part_of(path) in ("autograd", "ops", "tensor", "functional"):
            assert "numpy" not in names, path
        assert not re.search(r"\bnp\.random\.(?!Generator|default_rng|SeedSequence)", text), path


def test_importing_tinynet_imports_numpy_alone():
    code = (
        "import sys, numpy; before = set(sys.modules); import tinynet; "
        "new = {m.split('.')[0] for m in set(sys.modules) - before}; "
        "print(sorted(new - set(sys.stdlib_module_names)))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert out.strip() == "['tinynet']"


def lines_of_code(path: pathlib.Path) -> int:
    """Lines of code, without blank lines, comments and docstrings."""
    source = path.read_text()
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(
            node
        ):
            docstrings.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.NAME, tokenize.NUMBER, tokenize.STRING, tokenize.OP):
            code.update(range(token.start[0], token.end[0] + 1))
    return len(code - docstrings)


def test_the_engine_is_short():
    """Value, Rule, Node, Op, the order and the backward pass: all lines of the two files."""
    files = (ROOT / "autograd" / "value.py", ROOT / "autograd" / "engine.py")
    assert sum(map(lines_of_code, files)) <= 190


@pytest.mark.parametrize("name", ops.registry())
def test_an_operation_is_documented(name):
    """Formula first, then each part, and a rule for every input that can have one."""
    op = ops.registry()[name]
    doc = inspect.getdoc(op.forward)
    assert doc is not None
    places = [doc.find(part) for part in PARTS]
    assert -1 not in places, f"{name} lacks {PARTS[places.index(-1)]}"
    assert places == sorted(places), f"{name}: parts out of order"
    assert "=" in doc.splitlines()[0], f"{name}: the first line is the formula"
    missing = set(op.inputs) - set(op.rules)
    assert missing <= {"condition"}, f"{name} has no rule for {missing}"


def test_the_registry_has_every_operation():
    found = {
        node.name
        for path in (ROOT / "ops").glob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(d, ast.Name) and d.id in ("Op", "Elementwise")
                for d in node.decorator_list)
    }  # fmt: skip
    assert found == set(ops.registry())
