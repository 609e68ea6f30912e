"""What makes an operation capturable: six rules, held by scanning the source.

Whoever records a training step and replays its calls needs the first five; the last keeps results
from depending on how an input happens to lie in memory. The same rules keep operations portable to
CuPy. `test_capturable` runs everything on arrays that notice what a scan cannot see.

1. An operation allocates through the backend alone, or like an array that it was given.
2. It never strips an array's class.
3. It reads a value on the host in `backend.check` alone.
4. Numbers that change from step to step come as arguments of one function that says so.
5. It draws random numbers through `tinynet.random` alone.
6. It chooses layouts from shapes, not from strides; `memory` and `kernels` look at those.
"""

from __future__ import annotations

import ast
import pathlib
from collections.abc import Iterator

import pytest

import tinynet as tn

ROOT = pathlib.Path(tn.__file__).parent
PARTS = ["autograd", "ops", "functional", "nn", "optim", "kernels"]
FILES = [*sorted(p for part in PARTS for p in (ROOT / part).rglob("*.py")),
         *(ROOT / f"{name}.py" for name in ("tensor", "creation"))]  # fmt: skip

ALLOCATE = {"empty", "zeros", "ones", "full", "arange", "eye", "identity", "linspace", "tri"}
STRIP = {"array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray", "asnumpy", "copy",
         "frombuffer", "fromiter", "ndarray"}  # fmt: skip
READ = {"item", "tolist", "tobytes", "nonzero", "to_numpy"}
REDUCE = {"all", "any", "argmax", "argmin", "item", "max", "mean", "min", "ravel", "sum"}
LAYOUT = {"strides", "flags", "setflags", "ctypes", "__array_interface__"}
RANDOM = {"random", "default_rng", "SeedSequence", "RandomState"}
# reads on request, by name of the function; none occurs in a training step
ON_REQUEST = {
    "tensor.py": {
        "item", "tolist", "numpy", "__contains__", "__repr__", "__reduce__", "__float__", "__int__",
        "__bool__", "__index__", "__format__", "",  # at the level of the class: the name `nonzero`
    },  # a Tensor's way out
    "creation.py": {"_without_tensors"},  # numbers from outside
    "autograd/anomaly.py": {"bad_number", "is_infinite"},  # looks at every result, when switched on
    "autograd/guards.py": {"operand"},  # a NumPy scalar from outside becomes Python's
    "functional/ctc.py": {"_lengths", "_rows"},  # they say how many steps the recursion has
    "functional/embedding.py": {"one_hot"},  # the largest label, if num_classes is not given
    "nn/module.py": {"state_dict", "__setattr__"},
    "nn/state.py": {"host_array"},  # loading
    "optim/lbfgs.py": {"_saved"},
    "optim/optimizer.py": {"_state"},  # saving
    "optim/swa_utils.py": {"update_parameters"},  # called between steps
}  # fmt: skip


def is_array_module(node: ast.AST) -> bool:
    """Whether the expression is NumPy or CuPy: ``np``, ``xp``, ``array_module(x)``."""
    if isinstance(node, ast.Call):
        node = node.func
        return getattr(node, "id", getattr(node, "attr", "")) == "array_module"
    return isinstance(node, ast.Name) and node.id in ("np", "numpy", "xp", "cupy")


def calls(node: ast.AST, names: set[str]) -> bool:
    """Whether the expression has a call of a method, or of the backend's function, in `names`."""
    return any(
        isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr in names
        for n in ast.walk(node)
    )


def is_entry(node: ast.AST) -> bool:
    """Whether the expression is an entry of a Tensor's array: ``x._data[0]``."""
    return isinstance(node, ast.Subscript) and getattr(node.value, "attr", "") == "_data"


class Scan(ast.NodeVisitor):
    """Collects (number of the rule, line, function) of everything that a rule forbids."""

    def __init__(self, source: str, file: str) -> None:
        self.file, self.found = file, set[tuple[int, int, str]]()
        self.functions: list[str] = []
        tree = ast.parse(source)
        # arguments of `check` only build the error, and by then the step has failed
        checks = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and self.is_check(n)]
        arguments = [a for call in checks for a in call.args]
        self.errors = {a.id for a in arguments if isinstance(a, ast.Name)}
        self.allowed = {n for a in arguments for n in ast.walk(a)}
        self.visit(tree)

    @staticmethod
    def is_check(node: ast.Call) -> bool:
        return getattr(node.func, "id", getattr(node.func, "attr", "")) == "check"

    def note(self, rule: int, node: ast.AST) -> None:
        if rule == 3 and (node in self.allowed or self.errors & set(self.functions)):
            return
        function = self.functions[-1] if self.functions else ""
        self.found.add((rule, node.lineno, function))  # type: ignore[attr-defined]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.functions.append(node.name)
        if self.file.startswith("optim/") and node.name == "_update":
            for n in ast.walk(node):
                if isinstance(n, ast.Name) and n.id in ("self", "options", "group", "t"):
                    self.note(4, n)
            if [a.arg for a in node.args.args] != ["self", "xp", "scalars", "g", "out", "slots"]:
                self.note(4, node)
        self.generic_visit(node)
        self.functions.pop()

    def visit_Call(self, node: ast.Call) -> None:
        name = getattr(node.func, "id", "")
        converted = node.args if name in ("int", "float", "bool") else []
        if name == "to_numpy" or any(calls(a, REDUCE) or is_entry(a) for a in converted):
            self.note(3, node)
        viewed = node.args if getattr(node.func, "attr", "") == "view" else []
        if any("ndarray" in (getattr(a, "id", ""), getattr(a, "attr", "")) for a in viewed):
            self.note(2, node)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if is_array_module(node.value):
            for rule, names in ((1, ALLOCATE), (2, STRIP), (5, RANDOM)):
                if node.attr in names:
                    self.note(rule, node)
        if node.attr in READ:
            self.note(3, node)
        if node.attr in LAYOUT and not self.file.startswith("kernels/"):
            self.note(6, node)
        self.generic_visit(node)

    def visit_condition(self, node: ast.AST) -> None:
        """A condition that is read from an array."""
        if calls(getattr(node, "test", node), {"all", "any"}):
            self.note(3, node)
        self.generic_visit(node)

    visit_If = visit_While = visit_IfExp = visit_Assert = visit_BoolOp = visit_condition

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        (self.visit_condition if isinstance(node.op, ast.Not) else self.generic_visit)(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.module and node.module.split(".")[0] in ("random", "numpy"):
            self.note(5 if "random" in node.module else 2, node)

    def visit_Import(self, node: ast.Import) -> None:
        if any(a.name.split(".")[0] == "random" or a.name == "numpy.random" for a in node.names):
            self.note(5, node)


def violations(source: str, file: str) -> Iterator[tuple[int, int, str]]:
    """What the rules forbid in a file, except the reads in `ON_REQUEST`."""
    for rule, line, function in sorted(Scan(source, file).found):
        if rule != 3 or function not in ON_REQUEST.get(file, set()):
            yield rule, line, function


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_keeps_the_rules(path: pathlib.Path) -> None:
    file = path.relative_to(ROOT).as_posix()
    found = [f"rule {rule}: {file}:{line} in {function}"
             for rule, line, function in violations(path.read_text(), file)]  # fmt: skip
    assert not found


@pytest.mark.parametrize("file", ON_REQUEST)
def test_an_exception_is_in_use(file: str) -> None:
    found = {function for rule, _, function in Scan((ROOT / file).read_text(), file).found
             if rule == 3}  # fmt: skip
    assert found == ON_REQUEST[file]


PLANTED = [
    (1, "ops/a.py", "y = array_module(x).zeros(x.shape, x.dtype)"),
    (1, "functional/a.py", "n = backend.array_module(x).arange(3)"),
    (1, "kernels/a.py", "y = np.empty((2, 3))"),
    (2, "ops/a.py", "y = xp.asarray(x)"),
    (2, "kernels/a.py", "y = np.ndarray(shape, x.dtype, x)"),
    (2, "nn/a.py", "y = array_module(x).ascontiguousarray(x)"),
    (2, "nn/a.py", "y = x.view(backend.ndarray)"),
    (2, "autograd/a.py", "from numpy import zeros"),
    (3, "functional/a.py", "n = int(counted.sum())"),
    (3, "nn/a.py", "rate = 1.0 / self.count.item()"),
    (3, "ops/a.py", "if (x < 0).any():\n    raise ValueError"),
    (3, "ops/a.py", "ok = not wrong.all()"),
    (3, "ops/a.py", "y = a if mask.any() else b"),
    (3, "optim/a.py", "rate = float(p._data[0])"),
    (3, "functional/a.py", "def error():\n    return x.max().item()"),  # handed to no check
    (3, "functional/a.py", "a = backend.to_numpy(x)"),
    (4, "optim/a.py", "def _update(self, xp, scalars, g, out, slots):\n    g *= self.lr"),
    (4, "optim/a.py", "def _update(self, xp, options, t, g, out, *slots):\n    pass"),
    (5, "functional/a.py", "m = np.random.default_rng(0).random(3)"),
    (5, "nn/a.py", "m = xp.random.random(3)"),
    (5, "nn/a.py", "import random"),
    (6, "ops/a.py", "if x.flags.c_contiguous:\n    pass"),
    (6, "optim/a.py", "s = x.strides[0]"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "file", "source"), PLANTED)
def test_a_planted_violation_is_found(rule: int, file: str, source: str) -> None:
    assert {found for found, _, _ in violations(source, file)} == {rule}


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("ops/a.py", "y = zeros(x.shape, x)\nz = xp.empty_like(x)"),
        ("ops/a.py", "check(x > 0, lambda: ValueError(int(x.min())))"),
        ("ops/a.py", "def error():\n    return ValueError(x.min().item())\ncheck(x > 0, error)"),
        ("ops/a.py", "if any(n < 0 for n in x.shape) or x.size == 0:\n    pass"),
        ("nn/a.py", "from tinynet import random\nx = random.uniform((3,), like)"),
        ("kernels/a.py", "if x.flags.c_contiguous:\n    s = x.strides"),
    ],
)
def test_what_the_rules_allow_is_not_found(file: str, source: str) -> None:
    assert not list(violations(source, file))
