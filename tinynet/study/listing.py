"""The code of a function, and its essential lines."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tinynet.study.derivation import Code, code_of

# Calls within loops and inner functions that fill the array that a function returns.
_FILLING = ("matmul", "_multiply", "maximum", "multiply", "col2im")


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

    Raises:
        ValueError: if its source is not available.

    >>> from tinynet.ops.elementary import tanh
    >>> [text for place, text in listing(tanh.forward).computing]
    ['return array_module(x).tanh(x)']
    """
    code = code_of(function)
    if code is None:
        raise ValueError(f"listing: the source of {function} is not available")
    # `return` parses only inside a function
    tree = ast.parse("def f():\n" + textwrap.indent(code.text, " "))
    return Listing(code, tuple(code.line + line - 2 for line in _key_lines(tree)))


def _key_lines(tree: ast.AST) -> list[int]:
    """The lines that compute the result.

    They multiply matrices or fill a whole array or, within loops and inner functions, add to
    something or call one of `_FILLING`. A function without such lines has its last return.
    """
    whole, *inside = (n for n in ast.walk(tree) if isinstance(n, ast.For | ast.FunctionDef))
    filling = {
        node.lineno
        for part in inside
        for node in ast.walk(part)
        if isinstance(node, ast.AugAssign)
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult))
        or (isinstance(node, ast.Call) and _function_name(node) in _FILLING)
    }
    filling |= {
        node.lineno
        for node in ast.walk(whole)
        if (isinstance(node, ast.Call) and _function_name(node) == "product")
        or (isinstance(node, ast.Assign) and _fills_all(node))
    }
    returns = [node.lineno for node in ast.walk(whole) if isinstance(node, ast.Return)]
    return sorted(filling) or sorted(returns)[-1:]


def _fills_all(node: ast.Assign) -> bool:
    """Whether it is ``name[...] = value``."""
    target = node.targets[0]
    return (
        isinstance(target, ast.Subscript)
        and isinstance(target.slice, ast.Constant)
        and target.slice.value is ...
    )


def _function_name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
