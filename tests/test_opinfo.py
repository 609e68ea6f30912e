"""PyTorch's own test data agrees, or the difference is explained in docs/pytorch.md."""

from __future__ import annotations

import re
import warnings

import pytest

import tinynet as tn

torch = pytest.importorskip("torch")
pytest.importorskip("expecttest", reason="expecttest is not installed (extra 'peers')")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # PyTorch's test utilities have deprecated imports
    import opinfo
    from opinfo_explained import ABSENT, ADAPTED, EXPLAINED
    from opinfo_page import PAGE, page, why_absent


@pytest.fixture(scope="module")
def found():
    return opinfo.outcomes([])


def test_everything_agrees_or_is_explained(found):
    wrong = [o.line for o in found if not o.right and o.reason is None]
    assert len({o.name for o in found}) > 500
    assert not wrong, "\n".join(wrong[:20])


def test_at_most_three_percent_are_unsupported(found):
    """An error where PyTorch computes, however clear, is the exception."""
    assert sum(o.kind == "refused" for o in found) < 0.03 * len(found)


def test_every_explanation_is_needed(found):
    lines = [o.line for o in found if not o.right]
    obsolete = [p for p, _ in EXPLAINED if not any(re.match(p, line) for line in lines)]
    assert not obsolete


def test_what_is_absent_is_for_a_written_reason():
    absent = opinfo.absent()
    assert not [name for name in absent if why_absent(name) is None]
    assert not [p for p, _ in ABSENT if not any(re.fullmatch(p, name) for name in absent)]


def test_the_page_is_as_generated(found):
    """Apart from counts, which depend on where LAPACK and the processor round."""

    def words(text):
        return re.sub(r"\d[\d,]* (\||samples)", r"N \1", text)

    written = PAGE.read_text(encoding="utf-8")
    assert words(written) == words(page(found, opinfo.absent())), "python tests/opinfo.py --write"


# operations that are wrong in one thing each, and how that is found
WRONG = {
    "value": (lambda x: x.exp() * 1.0001, "differs", "value"),
    "detached": (lambda x: x.exp().detach(), "differs", "does not require a gradient"),
    "dtype": (lambda x: x.exp().double(), "differs", "dtype"),
    "shape": (lambda x: x.exp().unsqueeze(0), "differs", "shape"),
    "gradient": (lambda x: x.exp().detach() + x - x.detach(), "differs", "gradient"),
    "second derivative": (
        lambda x: (x - x.detach() + 1.0) * x.exp().detach(),
        "differs",
        "second derivative",
    ),
    "results": (lambda x: (x.exp(), tn.ones(1)), "differs", "2 results"),
    "argument": (lambda x: (x.exp(), x.data.fill(0.0))[0], "differs", "an argument afterwards"),
    "obscure": (lambda x: [].pop(), "obscure", "IndexError"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_operation_is_found(kind, monkeypatch):
    function, outcome, text = WRONG[kind]
    monkeypatch.setitem(ADAPTED, "exp", function)
    assert any(o.kind == outcome and text in o.text for o in opinfo.operations(["exp"]))


def test_a_silent_error_is_found(monkeypatch):
    monkeypatch.setitem(ADAPTED, "diag", lambda x, *args, **options: tn.zeros(1))
    assert any(o.kind == "accepted" for o in opinfo.operations(["diag"]))
