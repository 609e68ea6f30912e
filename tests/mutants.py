"""Mutation tests: wrong rules generated from the right ones, which the checks must detect.

    python tests/mutants.py [OPERATION ...]      prints the table

A mutant is a rule with one mistake, which replaces the right rule in the operation. The cases of
`op_cases` then go through `check_grads`, smallest first, at order 1 and then at order 2, and the
conventions at kinks (`PINS`) are checked, until one fails. A mutant counts as caught only if its
function was called. `mutants_explained` lists mutants that compute the same as the right rule,
each with the reason.
"""

from __future__ import annotations

import inspect
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

import mutants_of_source as source
import numpy as np
from mutants_cases import CASES, PINS, some_of
from mutants_explained import reason_for
from op_case import Case, as_function, is_real

import tinynet as tn
from tinynet.autograd import Op, Rule
from tinynet.ops import registry
from tinynet.ops.shape import flip, permute, reshape
from tinynet.testing import GradientError, check_grads


@dataclass(frozen=True)
class Mutant:
    """A wrong rule.

    Attributes:
        rule: of which operation and input, such as "mul.a".
        kind: the mistake, and `what` exactly was changed.
        function: the wrong rule.
        order: 2 if the mistake shows in gradients of gradients only.
    """

    rule: str
    kind: str
    what: str
    function: Callable[..., Any]
    order: int = 1

    def __str__(self) -> str:
        return f"{self.rule}: {self.kind}: {self.what}"


@dataclass(frozen=True)
class Result:
    """The outcome of a mutant, and the number of its calls.

    The outcome is "order 1", "order 2" or "pin" for a wrong number there, "error" for an exception
    or a wrong shape, or "survived".
    """

    mutant: Mutant
    outcome: str
    calls: int


# --- mutants that need no look inside ------------------------------------------------------------


def _slope(a: Any, k: float) -> Any:
    """The same number, with k times its derivative."""
    if isinstance(a, tuple | list):  # several outputs, or all calls of a joint rule
        return type(a)([_slope(v, k) for v in a])
    if not isinstance(a, tn.Tensor) or a.dtype.kind != "f":
        return a
    constant = a.detach()
    return constant if k == 0 else constant + (a - constant) * k


def _wrapped(
    rule: Rule,
    change: Callable[[dict[str, Any]], Any] | None = None,
    result: Callable[..., Any] | None = None,
    extra: str | None = None,
) -> Callable[..., Any]:
    """The rule with its arguments changed in place, or its result; `extra` adds an argument."""
    first, *needs = inspect.signature(rule.function).parameters
    names = [first, *needs, *([extra] if extra and extra not in needs else [])]

    def function(*args: Any) -> Any:
        given = dict(zip(names, args, strict=True))
        if change is not None:
            change(given)
        g = rule.function(*[given[name] for name in (first, *needs)])
        return g if result is None else result(g, given[extra]) if extra else result(g)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    function.__signature__ = inspect.Signature([inspect.Parameter(k, kind) for k in names])  # type: ignore[attr-defined]
    return function


def _transposed(g: Any) -> Any:
    backwards = permute(g, dims=tuple(reversed(range(len(g.shape)))))
    return reshape(backwards, shape=tuple(g.shape))


def _reversed(g: Any) -> Any:
    return flip(g, dims=tuple(range(len(g.shape))))


def _first_down(g: Any, shape: tuple[int, ...]) -> Any:
    return g if g.shape == shape else source.first_to(g, shape)


def _mean_down(g: Any, shape: tuple[int, ...]) -> Any:
    return g * (np.prod(shape, dtype=float) / max(g.size, 1)) if g.shape != shape else g


_RESULTS: list[tuple[str, str, Callable[..., Any]]] = [
    ("sign", "-g", lambda g: -g),
    ("factor", "2 g", lambda g: g * 2.0),
    ("factor of 1.001", "1.001 g", lambda g: g * 1.001),
    ("zeros", "0 g", lambda g: g * 0.0),
    ("transposed", "g in the other memory order", _transposed),
    ("wrong order", "g from its other end", _reversed),
]


def _axis(value: Any, given: dict[str, Any]) -> Any:
    """The next axis instead of each one."""
    shapes = [v for k, v in given.items() if k.endswith("_shape")] or [np.shape(given.get("gy"))]
    shape = shapes[0] if not shapes[0] or isinstance(shapes[0][0], int) else shapes[0][0]
    many = max(len(shape), len(getattr(given.get("x"), "shape", ())), 1)
    if value is None:
        return 0
    if isinstance(value, int):
        return (value + 1) % many
    return tuple((d + 1) % many for d in value) or (0,)


# an option of an operation: how a rule could get it wrong
_OPTIONS: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "dim": _axis,
    "dims": lambda dims, given: tuple(reversed(dims)) if len(dims) > 1 else _axis(dims, given),
    "widths": lambda widths, given: tuple((after, before) for before, after in widths),
    "negative_slope": lambda s, given: s * 1.001,
    "alpha": lambda alpha, given: alpha * 1.001,
    "min": lambda low, given: None if low is None else low + 0.2,
    "max": lambda high, given: None if high is None else high - 0.2,
    "i": lambda i, given: (i + 1) % len(given.get("xs_shape", (0,))),
    "groups": lambda groups, given: 1,
    "argmax": lambda argmax, given: argmax[..., ::-1],
    "index": lambda index, given: (Ellipsis,),
    "subscripts": lambda text, given: ",".join(reversed(text.split("->")[0].split(",")))
    + "->" + text.split("->")[1][::-1],
}  # fmt: skip


def _set(name: str, make: Callable[[Any, dict[str, Any]], Any]) -> Callable[[dict[str, Any]], None]:
    def change(given: dict[str, Any]) -> None:
        given[name] = make(given[name], given)

    return change


def mutants_of(op: Op, name: str) -> Iterator[Mutant]:
    """All mutants of the rule for the input of that name."""
    rule = op.rules[name]
    label = f"{op.name}.{name}"
    for kind, what, result in _RESULTS:
        yield Mutant(label, kind, what, _wrapped(rule, result=result))
    if type(op).unbroadcast is not Op.unbroadcast:  # it broadcasts
        for kind, result in (("first for sum", _first_down), ("mean for sum", _mean_down)):
            wrong = _wrapped(rule, result=result, extra=f"{name}_shape")
            yield Mutant(label, kind, "after a broadcast", wrong)
    first, *needs = inspect.signature(rule.function).parameters
    for option in needs:
        if option in _OPTIONS and (option in op.options or option == "i"):
            change = _set(option, _OPTIONS[option])
            yield Mutant(label, "option", f"another {option}", _wrapped(rule, change))
    for kind, what, function in source.of_source(rule, op):
        order = 2 if kind == "one use detached" else 1
        yield Mutant(label, kind, what, function, order)
    for kind, what, function in source.with_other_operands(rule, op):
        yield Mutant(label, kind, what, function)
    for value in (first, *(k for k in needs if k in op.rules or k == "y")):
        for k, what in ((0, "is cut off"), (-1, "has the other sign"), (1.001, "is 0.1 % off")):
            change = _set(value, lambda a, given, k=k: _slope(a, k))
            yield Mutant(label, "second order", f"d{value} {what}", _wrapped(rule, change), 2)


# --- running them --------------------------------------------------------------------------------


def _check(op: Op, case: Case, order: int) -> None:
    inputs = [tn.tensor(a, requires_grad=True) for a in case.inputs if is_real(a)]
    check_grads(as_function(op, case), inputs, order, name=op.name, allow_constant=True)


def _check_pins(op: Op) -> None:
    """The gradients at a kink, for a cotangent of threes, and that they are linear in it."""
    for arrays, options, expected in PINS.get(op.name, ()):
        xs = [tn.tensor(a, requires_grad=True) if is_real(a) else a for a in arrays]
        leaves = [x for x in xs if isinstance(x, tn.Tensor)]
        y = op(*xs, **options)
        c = tn.tensor(np.full(y.shape, 3.0), requires_grad=True)
        with np.errstate(invalid="ignore"):  # a second derivative may be 0 / 0
            found = tn.grad(y, leaves, c, create_graph=True)
        for g, want in zip(found, expected, strict=True):
            if not np.allclose(g.detach().numpy().reshape(-1), 3.0 * np.array(want), 1e-12, 0.0):
                raise GradientError(f"{op.name}: {g.tolist()} at a kink, not 3 * {want}")
            (slope,) = tn.grad(g.sum(), c, allow_unused=True)
            along_c = 0.0 if slope is None else 3.0 * slope.sum().item()
            if not np.isclose(along_c, g.sum().item(), 1e-12, 1e-12):
                raise GradientError(f"{op.name}: at a kink, not linear in the cotangent")


def _attempts(op: Op, order: int) -> Iterator[tuple[str, Callable[[], None]]]:
    for k in range(order, 3):
        for case in CASES[op.name] if k == 1 else some_of(CASES[op.name]):
            yield f"order {k}", lambda k=k, case=case: _check(op, case, k)
    yield "pin", lambda: _check_pins(op)


def run(op: Op, mutant: Mutant) -> Result:
    """Replace the rule by the mutant, check until it is caught, and restore the rule."""
    calls = 0

    def counted(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        return mutant.function(*args)

    counted.__signature__ = inspect.signature(mutant.function)  # type: ignore[attr-defined]
    name = mutant.rule.partition(".")[2]
    outcome = "survived"
    joint = name in op.rules and op.rules[name].joint
    with mock.patch.dict(op.rules, {name: Rule(counted, op, joint)}), np.errstate(all="ignore"):
        for what, check in _attempts(op, mutant.order):
            if outcome == "error" and what == "order 2":
                break  # after an exception, order 2 and pins are not tried
            before = calls
            try:
                check()
            except GradientError:
                if calls > before:
                    return Result(mutant, what, calls)
                raise
            except Exception:
                if calls == before:
                    raise
                outcome = "error"
    return Result(mutant, outcome, calls)


def run_all(op: Op) -> list[Result]:
    """Every mutant of every rule of the operation."""
    return [run(op, mutant) for name in op.rules for mutant in mutants_of(op, name)]


def controls(op: Op) -> Iterator[Mutant]:
    """The right rules, rebuilt in each of the ways above."""
    for name, rule in op.rules.items():
        label = f"{op.name}.{name}"
        yield Mutant(label, "control", "from its source", source.unchanged(rule), 2)
        same = _wrapped(rule, lambda given: given.update({k: _slope(v, 1.0)
                                                          for k, v in given.items()}))  # fmt: skip
        yield Mutant(label, "control", "through wrappers", same, 2)


def print_table(names: list[str]) -> bool:
    """Print rule, mutants and how they were caught; return whether every survivor is explained."""
    columns = ("order 1", "order 2", "pin", "error", "survived")
    print(f"{'rule':24}{'mutants':>8}" + "".join(f"{c:>9}" for c in columns) + "  unexplained")
    totals, explained, unexplained = Counter[str](), [], []
    for name in names:
        results = run_all(registry()[name])
        for rule in dict.fromkeys(r.mutant.rule for r in results):
            of_rule = [r for r in results if r.mutant.rule == rule]
            count = Counter(r.outcome for r in of_rule)
            left = [r.mutant for r in of_rule if r.outcome == "survived"]
            unknown = [m for m in left if reason_for(str(m)) is None]
            explained += [m for m in left if m not in unknown]
            unexplained += unknown
            totals += count
            numbers = "".join(f"{count[c]:9d}" for c in columns)
            print(f"{rule:24}{len(of_rule):8d}{numbers}  {len(unknown):11d}", flush=True)
    numbers = "".join(f"{totals[c]:9d}" for c in columns)
    print(f"{'total':24}{totals.total():8d}{numbers}  {len(unexplained):11d}")
    print("\nequal to the right rule, because")
    for m in explained:
        print(f"  {m}\n      {reason_for(str(m))}")
    for m in unexplained:
        print(f"UNEXPLAINED {m}")
    return not unexplained


if __name__ == "__main__":
    sys.exit(not print_table(sys.argv[1:] or list(registry())))
