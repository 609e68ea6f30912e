"""An operation's formula, derivation and code side by side, from its docstring and its source."""

from __future__ import annotations

import ast
import functools
import html
import inspect
import os
import re
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tinynet import functional, nn
from tinynet.autograd import Op
from tinynet.console import printable
from tinynet.ops import registry
from tinynet.tensor import Tensor

PARTS = ("Derivation", "Jacobian", "Kinks", "Cost", "Shapes", "Errors", "Source")
NO_FILE = "its source is not in a file"
LEFT_OUT = "operators such as * and methods of tensors are not followed"
_OTHER_NAMES = {"im2col": "unfold", "col2im": "fold"}
_ABOVE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@dataclass(frozen=True)
class Code:
    """The lines of a function below its docstring, and their position."""

    text: str
    file: str  # relative to the folder that holds the package, if it is in there
    line: int


@dataclass(frozen=True)
class Notes:
    """One operation's docstring, split into parts, and its code."""

    name: str
    call: str  # "conv2d(x, w, b, *, window, groups)"
    formula: str
    remarks: str  # between the formula and the parts
    parts: dict[str, str]  # those of `PARTS` that the docstring has, by name
    # "forward", and the rules "gx", ...; None without source, as for a function typed into a prompt
    codes: dict[str, Code | None]


def code_of(function: Callable[..., Any]) -> Code | None:
    """The source of a function without its decorators, signature and docstring."""
    try:
        function = inspect.unwrap(function)
        lines, start = inspect.getsourcelines(function)
        file = inspect.getsourcefile(function) or ""
        body = ast.parse(textwrap.dedent("".join(lines))).body[0].body  # type: ignore[attr-defined]
    except (OSError, TypeError, SyntaxError, AttributeError):
        return None
    docstring = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    first = body[int(docstring and len(body) > 1)].lineno
    text = textwrap.dedent("".join(lines[first - 1 :])).rstrip()
    if file.startswith(_ABOVE + os.sep):
        file = os.path.relpath(file, _ABOVE).replace(os.sep, "/")
    return Code(text, file, start + first - 1)


@functools.cache
def notes(op: Op) -> Notes:
    """Split an operation's docstring into its parts, and find its code."""
    if sys.flags.optimize > 1:
        raise RuntimeError(
            "derivation: the derivations are docstrings, which python -OO leaves out; run Python "
            "without -OO (-O is fine)"
        )
    doc = inspect.getdoc(op.forward) or ""
    head, *rest = re.split(rf"^({'|'.join(PARTS)}):", doc, flags=re.MULTILINE)
    formula, _, remarks = head.strip().partition("\n\n")
    # a line of code, "gx = ...", stays a line; everything else is running text
    code = re.compile(rf"\n +(?=g(?:{'|'.join(op.rules) or '-'}) = )")
    parts = {
        name: "\n".join(" ".join(piece.split()) for piece in code.split(text))
        for name, text in zip(rest[::2], rest[1::2], strict=True)
    }
    inputs = [f"*{op.inputs[0]}"] if op.variadic else op.inputs
    star = ["*"] if op.options and not op.variadic else []
    return Notes(
        op.name,
        f"{op.name}({', '.join([*inputs, *star, *op.options])})",
        " ".join(formula.split()),
        " ".join(remarks.split()),
        parts,
        {"forward": code_of(op.forward)}
        | {f"g{name}": code_of(rule.function) for name, rule in op.rules.items()},
    )


@dataclass
class Derivation:
    """The result of `derivation`: plain text from `str`, HTML in a notebook."""

    name: str
    operations: list[Notes]  # one, or those of a composition
    composition: list[tuple[str, Code]] = field(default_factory=list)  # a composition's source

    def _heading(self) -> str:
        names = ", ".join(n.name for n in self.operations) or "no operation"
        return f"{self.name} is a composition: it calls {names} by name ({LEFT_OUT})"

    def __str__(self) -> str:
        blocks = []
        if self.composition:
            blocks = [self._heading(), *("\n".join(_listed(*c)) for c in self.composition)]
        return printable("\n\n".join([*blocks, *(_text(n) for n in self.operations)]))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        out = [f"<p>{html.escape(self._heading())}</p>"] if self.composition else []
        out += [_listed_html(*c) for c in self.composition]
        return "\n".join([*out, *(_html(n) for n in self.operations)])


def _listed(name: str, code: Code | None) -> list[str]:
    if code is None:
        return [f"{name}, {NO_FILE}"]
    return [f"{name}, {code.file}:{code.line}", textwrap.indent(code.text, "    ")]


def _listed_html(name: str, code: Code | None) -> str:
    where = f"{code.file}:{code.line}" if code else NO_FILE
    source = f"<pre>{html.escape(code.text)}</pre>" if code else ""
    return f"<p>{html.escape(name)}, {html.escape(where)}</p>{source}"


def _text(n: Notes) -> str:
    lines = [n.call, "", *textwrap.wrap(n.formula, 96), *textwrap.wrap(n.remarks, 96), ""]
    for name, text in n.parts.items():
        first, *rest = text.split("\n")
        lines += textwrap.wrap(f"{name}: {first}", 96, subsequent_indent="    ")
        for line in rest:
            lines += textwrap.wrap(
                line, 96, initial_indent="    ", subsequent_indent="        ",
                break_on_hyphens=False,
            )  # fmt: skip
    for name, code in n.codes.items():
        lines += ["", *_listed(name, code)]
    return "\n".join(lines)


def _html(n: Notes) -> str:
    e = html.escape
    out = [f"<h4><code>{e(n.call)}</code></h4><p>{e(n.formula)}</p>"]
    if n.remarks:
        out.append(f"<p>{e(n.remarks)}</p>")
    parts = (f"<dt>{e(k)}</dt><dd>{e(v)}</dd>".replace("\n", "<br>") for k, v in n.parts.items())
    listed = (_listed_html(name, code) for name, code in n.codes.items())
    return "\n".join([*out, "<dl>", *parts, "</dl>", *listed])


_FUNCTIONS = ("tinynet.functional.", "tinynet.functions.")


def derivation(operation: Op | str | Callable[..., Any]) -> Derivation:
    """Show an operation's formula, derivation, Jacobian, kinks and cost, with its source code.

    The text comes from the operation's docstring, the code from its forward and its rules.

    >>> import tinynet as tn
    >>> print(tn.derivation("tanh"))
    tanh(x)
    <BLANKLINE>
    y = tanh x = (e^x - e^-x) / (e^x + e^-x).
    <BLANKLINE>
    Derivation: dy = (1 - tanh(x)^2) dx, ...
    ...
    gx, tinynet/ops/elementary.py:...
        return gy * (1.0 - y * y)

    Args:
        operation: an operation, or a function, method or layer (``tn.functional.relu``,
            ``Tensor.relu``, ``nn.Conv2d``), or a name. A function shows the operation that it
            calls; a composition shows its own source and all operations that it calls by name. The
            operators + - * / @ are add, sub, mul, div and matmul.

    Returns:
        An object whose `str` is the text; a notebook shows it formatted.

    Raises:
        ValueError: if the name is unknown (lists similar ones), or the function calls no operation.
    """
    known = registry()
    if isinstance(operation, Op):
        return Derivation(operation.name, [notes(operation)])
    if isinstance(operation, str):
        name = operation.rpartition(".")[2]
        if name in known:
            return Derivation(name, [notes(known[name])])
        operation = _named(operation, name)
    if not callable(operation):
        kind = type(operation).__name__
        raise ValueError(
            f"derivation: got {'an' if kind[0] in 'aeiou' else 'a'} {kind}; pass an operation, a "
            "function, or a name"
        )
    name = getattr(operation, "__name__", type(operation).__name__)
    function: Callable[..., Any] = operation
    if isinstance(operation, type) and issubclass(operation, nn.Module):
        own = operation.forward is not nn.Module.forward
        # layers for one, two and three axes share their forward, which calls `_function`
        function = getattr(operation, "_function", operation.forward) if own else operation
    called, through = operations_of(function)
    mine = [op for op in called if op.name == name.strip("_")]
    if mine:
        return Derivation(name, [notes(op) for op in mine])
    whole = [(f.__qualname__, code) for f in through if (code := code_of(f)) is not None]
    place = getattr(function, "__module__", "") or ""
    composes = place.startswith((*_FUNCTIONS, "tinynet.tensor", "tinynet.nn"))
    if not called and not (whole and composes):
        raise ValueError(f"derivation: {name} calls no operation of tinynet by name")
    return Derivation(name, [notes(op) for op in called], whole)


def _named(given: str, name: str) -> Callable[..., Any]:
    """The function, method or layer with a name."""
    for place in (functional, Tensor, nn):
        found = getattr(place, name, None)
        if callable(found):
            return found
    import difflib  # on first use: it would make `import tinynet` slower

    like = [_OTHER_NAMES[name]] if name in _OTHER_NAMES else difflib.get_close_matches(
        name, {*registry(), *functional.__all__, *nn.__all__}, 5
    )  # fmt: skip
    hint = f"did you mean {', '.join(like)}? " if like else ""
    raise ValueError(
        f"derivation: unknown operation {given!r}; {hint}tinynet.ops.registry() lists all"
    )


def operations_of(function: Callable[..., Any]) -> tuple[list[Op], list[Any]]:
    """The operations that a function calls by name, itself or through tinynet's functions.

    Also the functions to show: the function itself, and those of `tinynet.functional` and
    `tinynet.functions` and methods of tensors that it calls.
    """
    found: dict[str, Op] = {}
    first = inspect.unwrap(function)
    waiting, seen, through = [first], set(), []
    while waiting:
        f = waiting.pop(0)
        if f in seen or not inspect.isroutine(f):
            continue
        seen.add(f)
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(f)))
        except (OSError, TypeError, SyntaxError):
            continue
        getattr(tree.body[0], "decorator_list", []).clear()  # no part of what is computed
        method = f.__module__.startswith("tinynet.tensor.") and "." in f.__qualname__
        inside = f.__module__.startswith(_FUNCTIONS)
        if f is first or inside or (method and f.__name__[0] != "_"):
            through.append(f)
        names = {**getattr(f, "__globals__", {}), "self" if method else "input": Tensor}
        for node in ast.walk(tree):
            target = resolve(node, names)
            if isinstance(target, Op):
                found.setdefault(target.name, target)
            elif inspect.isfunction(target) and target.__module__.startswith("tinynet."):
                waiting.append(inspect.unwrap(target))
    return list(found.values()), through


def resolve(node: ast.AST, names: dict[str, Any]) -> Any:
    """The object behind ``name`` or ``module.name`` in a function's source."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return getattr(names.get(node.value.id), node.attr, None)
    return None
