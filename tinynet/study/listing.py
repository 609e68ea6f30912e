"""The code of a function, and its essential lines."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tinynet.study.derivation import Code, code_of, resolve

_KERNELS = "tinynet.kernels."


@dataclass(frozen=True)
class Listing:
    """The code of a function, and the numbers of the lines that compute its result."""

    code: Code
    key_lines: tuple[int, ...]

    @property
    def lines(self) -> list[tuple[int, str]]:
        return list(enumerate(self.code.text.splitlines(), self.code.line))

    @property
    def computing(self) -> list[tuple[str, str]]:
        """The key lines as ``file:line`` and text."""
        return [
            (f"{self.code.file}:{number}", text.strip())
            for number, text in self.lines
            if number in self.key_lines
        ]


def listing(function: Callable[..., Any]) -> Listing:
    """List a function.

    The key lines of a kernel are those that write into an array. Those of other functions, or of a
    kernel without such lines, are the last return, or the lines that set the name it returns, and
    the lines outside branches that call a kernel.

    Raises:
        ValueError: if its source is not available.

    >>> from tinynet.ops.elementary import tanh
    >>> [text for place, text in listing(tanh.forward).computing]
    ['return array_module(x).tanh(x)']
    """
    function = inspect.unwrap(function)
    code = code_of(function)
    if code is None:
        raise ValueError(f"listing: the source of {function} is not available")
    # `return` parses only inside a function
    tree = ast.parse("def f():\n" + textwrap.indent(code.text, " "))
    nodes: list[Any] = list(ast.walk(tree))
    lines: set[int] = set()
    if function.__module__.startswith(_KERNELS):
        lines = {node.lineno for node in nodes if _writes(node)}
    lines = lines or _of_operation(tree.body[0], function.__globals__)
    return Listing(code, tuple(code.line + line - 2 for line in sorted(lines)))


def _writes(node: Any) -> bool:
    """Whether it is ``a[...] = b``, ``a += b`` or ``f(..., out=a)``."""
    if isinstance(node, ast.Assign):
        return isinstance(node.targets[0], ast.Subscript)
    if isinstance(node, ast.Call):
        return any(keyword.arg == "out" for keyword in node.keywords)
    return isinstance(node, ast.AugAssign)


def _of_operation(whole: Any, names: dict[str, Any]) -> set[int]:
    """The key lines of a function that is not a kernel; `names` are its globals."""
    returns = [node for node in ast.walk(whole) if isinstance(node, ast.Return)]
    last = max(returns, key=lambda node: node.lineno)
    result = ast.unparse(last.value) if isinstance(last.value, ast.Name) else None
    setting = {line.lineno for line in whole.body if _target(line) == result}
    kernels = {line.lineno for line in whole.body if _calls_kernel(line, names)}
    return (setting if result else {last.lineno}) | kernels or {last.lineno}


def _target(line: Any) -> str | None:
    """The variable that a line assigns to, or whose entries it assigns to."""
    target = line.targets[0] if isinstance(line, ast.Assign) else getattr(line, "target", None)
    return ast.unparse(target).partition("[")[0] if target is not None else None


def _calls_kernel(line: ast.stmt, names: dict[str, Any]) -> bool:
    if isinstance(line, ast.If):
        return False
    called = [resolve(node.func, names) for node in ast.walk(line) if isinstance(node, ast.Call)]
    return any(getattr(f, "__module__", "").startswith(_KERNELS) for f in called if f is not None)
