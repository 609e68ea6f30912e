"""Mutants generated from a rule's source, each with one change in its syntax tree.

The changes: a term or factor dropped, an operator exchanged, operands swapped, a call left out, a
sum replaced by its first entry, a number off by 0.1 % or by one, a window off by one, a comparison
that includes its bound, one use of a value detached from the graph. A rewritten rule gets new
mutants, as they come from its source.
"""

from __future__ import annotations

import ast
import copy
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tinynet.autograd import Op, Rule, Value
from tinynet.window import Window

# functions besides operations whose call may be left out: its first argument takes its place
_LEFT_OUT = {"transposed"}
_TOLD_APART = {"isinstance", "zip", "getattr", "hasattr", "enumerate", "range", "raw", "iter"}
_ASKED = {"padding": ("padding",), "taps": ("stride", "dilation")}
_BOUNDS = {ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Lt: ast.LtE, ast.LtE: ast.Lt}


def detached(a: Any) -> Any:
    """The same numbers as constants for all derivatives."""
    return a.detach() if isinstance(a, Value) else a


def first_of(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """A sum over `dim` reduced to its first entry."""
    axes = range(len(x.shape)) if dim is None else (dim,) if isinstance(dim, int) else dim
    axes = {d % len(x.shape) for d in axes}
    one = slice(0, 1) if keepdim else 0
    return x[tuple(one if k in axes else slice(None) for k in range(len(x.shape)))]


def first_to(x: Any, shape: tuple[int, ...]) -> Any:
    """`sum_to` reduced to the first of the copies."""
    lead = len(x.shape) - len(shape)
    rest = [slice(0, 1) if n == 1 else slice(None) for n in shape]
    return x[(0,) * lead + tuple(rest)]


def off(window: Window, what: str, k: int) -> Window:
    """The window with one size larger by one, on axis k if it exists."""
    sizes = list(getattr(window, what))
    sizes[k : k + 1] = [n + 1 for n in sizes[k : k + 1]]
    return replace(window, **{what: tuple(sizes)})


_HELPERS = {"_detached": detached, "_first_of": first_of, "_first_to": first_to, "_off": off}


def _call(name: str, *args: ast.expr, keywords: list[ast.keyword] | None = None) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(args), keywords or [])


class _Sites:
    """The changes that can be made at a node of a function's tree."""

    def __init__(self, arrays: set[str], scope: dict[str, Any], function: ast.FunctionDef) -> None:
        self.arrays, self.scope = arrays, scope
        self.uses = {
            a: sum(isinstance(n, ast.Name) and n.id == a for n in ast.walk(function))
            for a in arrays
        }
        # what a window is asked for: its taps do not depend on its padding
        self.asked = {
            id(n.value): _ASKED[n.attr]
            for n in ast.walk(function)
            if isinstance(n, ast.Attribute) and n.attr in _ASKED
        }
        # `raw(x)` and `x.shape` are no derivatives of x
        self.constant = {
            id(n) for outer in ast.walk(function)
            if (isinstance(outer, ast.Call) and ast.unparse(outer.func) in ("raw", "isinstance"))
            or isinstance(outer, ast.Attribute)
            for n in ast.walk(outer)
        }  # fmt: skip

    def changes(self, node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
        if isinstance(node, ast.BinOp):
            yield from self._binary(node)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield "sign dropped", node.operand
        elif isinstance(node, ast.Call):
            yield from self._called(node)
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
            value = node.value
            yield (
                "number off",
                ast.Constant(value + 1 if isinstance(value, int) else value * 1.001 or 1e-3),
            )
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            yield from self._compared(node)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield from self._named(node)

    def _binary(self, node: ast.BinOp) -> Iterator[tuple[str, ast.expr]]:
        if isinstance(node.op, ast.Add | ast.Sub):
            yield "term dropped", node.left
            yield "term dropped", node.right
            other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
            yield "operator exchanged", ast.BinOp(node.left, other, node.right)
        elif isinstance(node.op, ast.Mult | ast.Div):
            yield "factor dropped", node.left
            if isinstance(node.op, ast.Mult):
                yield "factor dropped", node.right
        if isinstance(node.op, ast.Div | ast.MatMult):
            yield "operands swapped", ast.BinOp(node.right, node.op, node.left)

    def _called(self, node: ast.Call) -> Iterator[tuple[str, ast.expr]]:
        name = ast.unparse(node.func)
        if name.endswith(".sum") and isinstance(node.func, ast.Attribute):
            yield "first for sum", _call("_first_of", node.func.value, *node.args)
        target = self.scope.get(name)
        if name == "where" and len(node.args) == 3:
            condition, a, b = node.args
            yield "branches swapped", _call(name, condition, b, a)
        elif len(node.args) > 1 and name not in _TOLD_APART and not name.startswith("_"):
            args = [node.args[1], node.args[0], *node.args[2:]]
            yield "operands swapped", ast.Call(node.func, args, node.keywords)
        if not isinstance(target, Op) and name not in _LEFT_OUT:
            return
        if name == "sum":
            yield "first for sum", _call("_first_of", *node.args, keywords=node.keywords)
        elif name == "sum_to":
            yield "first for sum", _call("_first_to", *node.args, keywords=node.keywords)
        if node.args and name != "where":
            first = node.args[0]
            if isinstance(first, ast.Starred):
                first = _call("next", _call("iter", first.value))
            yield "call left out", first

    def _compared(self, node: ast.Compare) -> Iterator[tuple[str, ast.expr]]:
        op = type(node.ops[0])
        if op in _BOUNDS:
            yield "bound included", ast.Compare(node.left, [_BOUNDS[op]()], node.comparators)

    def _named(self, node: ast.Name) -> Iterator[tuple[str, ast.expr]]:
        if node.id == "window":
            for what in self.asked.get(id(node), ("stride", "padding", "dilation")):
                for k in (0, 1):
                    args = [ast.Constant(what), ast.Constant(k)]
                    yield f"{what}[{k}] off by one", _call("_off", node, *args)
        if node.id in self.arrays and self.uses[node.id] > 1 and id(node) not in self.constant:
            yield "one use detached", _call("_detached", node)


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> Any:
        return self.new if node is self.old else self.generic_visit(node)


def _tree(function: Callable[..., Any]) -> ast.FunctionDef:
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(node, ast.FunctionDef)
    node.decorator_list = []
    node.returns = None
    return node


def _compiled(tree: ast.FunctionDef, scope: dict[str, Any]) -> Callable[..., Any]:
    scope = {**scope, **_HELPERS}
    module = ast.fix_missing_locations(ast.Module([tree], []))
    exec(compile(module, f"<mutant of {tree.name}>", "exec"), scope)
    return scope[tree.name]


def _line(tree: ast.FunctionDef, node: ast.AST) -> str:
    """The first line of the innermost statement around the node."""
    around = [s for s in ast.walk(tree) if isinstance(s, ast.stmt) and node in ast.walk(s)]
    return ast.unparse(around[-1]).splitlines()[0]


def _helpers(function: Any) -> Iterator[Callable[..., Any]]:
    """The private functions of the rule's module, and kernels, that it calls by name."""
    for name in function.__code__.co_names:
        helper = function.__globals__.get(name)
        module = getattr(helper, "__module__", "")
        own = name.startswith("_") and module == function.__module__
        if inspect.isfunction(helper) and (own or module.startswith("tinynet.kernels.")):
            yield helper


def unchanged(rule: Rule) -> Callable[..., Any]:
    """The rule rebuilt from its source, as a control."""
    return _compiled(_tree(rule.function), rule.function.__globals__)


def of_source(rule: Rule, op: Op) -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """(kind, what was changed, function) for every change to the rule and its helpers."""
    scope = rule.function.__globals__
    trees = [(_tree(rule.function), "", scope)]
    trees += [(_tree(h), f"{h.__name__}: ", h.__globals__) for h in _helpers(rule.function)]
    for tree, where, names in trees:
        parameters = {a.arg for a in tree.args.args}
        arrays = parameters & {*op.inputs, "y", "gy", "u"}
        for number, node in enumerate(ast.walk(tree)):
            for k, (kind, _) in enumerate(_Sites(arrays, names, tree).changes(node)):
                changed = copy.deepcopy(tree)
                old = list(ast.walk(changed))[number]
                new = list(_Sites(arrays, names, changed).changes(old))[k][1]
                text = f"{ast.unparse(old)} -> {ast.unparse(new)}, in {where}{_line(changed, old)}"
                function = _compiled(_Replace(old, new).visit(changed), names)
                if where:
                    function = _compiled(_tree(rule.function), {**scope, tree.name: function})
                yield kind, text, function


def with_other_operands(rule: Rule, op: Op) -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """The rule with one of its arguments replaced by another input or the output."""
    tree = _tree(rule.function)
    named = [a.arg for a in tree.args.args[1:] if a.arg in (*op.inputs, "y")]
    for old in named if not op.variadic else ():
        for new in (*op.inputs, "y"):
            if new == old or new in [a.arg for a in tree.args.args[:1]]:
                continue
            other = {old: new, new: old}
            changed = copy.deepcopy(tree)
            for node in ast.walk(changed):
                if isinstance(node, ast.Name) and node.id in other:
                    node.id = other[node.id]
                elif isinstance(node, ast.arg) and new not in named and node.arg == old:
                    node.arg = new
            function = _compiled(changed, rule.function.__globals__)
            yield "operands swapped", f"{new} in the place of {old}", function
