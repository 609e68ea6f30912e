"""Mutation tests: every mutant of every rule is caught or equal to the right rule.

By default a few simple mistakes in each rule; all of them with `pytest -m long`.
`python tests/mutants.py` prints the table: rule, mutants, caught.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase

import mutants
import pytest
from mutants_explained import EXPLAINED, reason_for
from untraced import untraced

from tinynet.autograd import raw
from tinynet.ops import registry

NAMES = list(registry())
PLAIN = ("sign", "factor of 1.001", "zeros", "wrong order")  # for every rule, caught at order 1
CONSTANT = ("staircase", "floor_divide")  # whose gradient is 0: a multiple of it is no mistake
A_FEW = ("mul", "exp", "softmax", "matmul")


@pytest.fixture(autouse=True)
def without_coverage() -> Iterator[None]:
    """Wrong rules say nothing about coverage, and tracing them would take minutes."""
    with untraced():
        yield


@functools.cache
def results_of(name: str) -> list[mutants.Result]:
    return mutants.run_all(registry()[name])


@pytest.mark.parametrize("name", [n for n in NAMES if n not in CONSTANT])
def test_plain_mistakes_are_caught_at_first_order(name: str) -> None:
    op = registry()[name]
    for key in op.rules:
        for mutant in mutants.mutants_of(op, key):
            if mutant.kind in PLAIN:
                assert mutants.run(op, mutant).outcome == "order 1", mutant


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in A_FEW else pytest.mark.long) for n in NAMES]
)
def test_the_right_rule_passes_when_put_together_as_mutants_are(name: str) -> None:
    op = registry()[name]
    for control in mutants.controls(op):
        result = mutants.run(op, control)
        assert result.outcome == "survived", control
        assert result.calls > 0, control


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_every_mutant_is_caught_or_explained(name: str) -> None:
    rules = dict(registry()[name].rules)
    results = results_of(name)
    assert registry()[name].rules == rules, "a mutant was left in the operation"
    for r in results:
        assert r.calls > 0, f"was never called, so that nothing was tested: {r.mutant}"
        explained = reason_for(str(r.mutant))
        if r.outcome == "survived":
            assert explained, f"survived; a test is missing, or a reason: {r.mutant}"
        else:
            assert not explained, f"was caught, though it was said to be equal: {r.mutant}"


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_has_the_mutants_that_fit_it(name: str) -> None:
    """Sign, factor, 0.1 %, zeros, order of entries, second order: for every rule."""
    op = registry()[name]
    for key in op.rules:
        kinds = Counter(m.kind for m in mutants.mutants_of(op, key))
        always = {"sign", "factor", "factor of 1.001", "zeros", "transposed", "wrong order"}
        assert always | {"second order"} <= set(kinds)
        assert kinds["second order"] % 3 == 0
        needs = op.rules[key].needs
        if "window" in needs:
            assert kinds["stride[0] off by one"]
            assert kinds["padding[1] off by one"]
            assert kinds["dilation[0] off by one"]
        if type(op).unbroadcast is not mutants.Op.unbroadcast:
            assert kinds["first for sum"]


@pytest.mark.long
def test_totals() -> None:
    """All are caught or explained, nearly all by a wrong number rather than an exception."""
    results = [r for name in NAMES for r in results_of(name)]
    outcomes = Counter(r.outcome for r in results)
    print(outcomes)
    assert len(results) > 1400
    assert outcomes["order 1"] > 800
    assert outcomes["order 2"] > 350
    assert outcomes["error"] < 0.1 * len(results)
    survivors = [str(r.mutant) for r in results if r.outcome == "survived"]
    for pattern in EXPLAINED:
        matched = [s for s in survivors if fnmatchcase(s, pattern)]
        assert matched, f"nothing survives that is explained by {pattern!r}"


def test_a_mutant_that_is_not_called_counts_no_calls() -> None:
    op = registry()["exp"]
    result = mutants.run(op, mutants.Mutant("exp.x", "sign", "-g", lambda gy, y: -gy * y))
    assert (result.outcome, result.calls > 0) == ("order 1", True)
    never = mutants.Mutant("exp.unused", "sign", "-g", lambda gy, x: -gy / x)
    assert mutants.run(op, never).calls == 0


def test_pins_have_teeth() -> None:
    """The right rule has each convention, and a rule that is wrong only at the kink fails."""
    for name in mutants.PINS:
        mutants._check_pins(registry()[name])
    rule = lambda gy, x: registry()["where"](raw(x) >= 0, gy, -gy)  # noqa: E731
    result = mutants.run(registry()["abs"], mutants.Mutant("abs.x", "kink", "1 at 0", rule))
    assert result.outcome == "pin"
