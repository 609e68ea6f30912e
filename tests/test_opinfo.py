"""PyTorch's own test data agrees, or the difference is explained in docs/pytorch.md."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("torch")
pytest.importorskip("expecttest", reason="expecttest is not installed (extra 'peers')")
opinfo = pytest.importorskip("opinfo")


@pytest.fixture(scope="module")
def found():
    return opinfo.outcomes([])


def test_everything_agrees_or_is_explained(found):
    wrong = [o for o in found if o.kind != "agrees" and o.reason is None]
    assert len({o.name for o in found}) > 280
    assert not wrong, "\n".join(f"{o.name}: {o.kind}: {o.text}  {o.sample}" for o in wrong[:20])


def test_every_explanation_is_needed(found):
    lines = [f"{o.name}: {o.kind}: {o.text}" for o in found if o.kind != "agrees"]
    for pattern, _ in opinfo.EXPLAINED:
        assert any(re.search(pattern, line) for line in lines), f"obsolete: {pattern}"


def test_the_page_is_as_generated(found):
    assert opinfo.PAGE.read_text(encoding="utf-8") == opinfo.page(found)


def test_a_difference_is_found(monkeypatch):
    """The comparison has teeth: a wrong value, gradient, dtype and a silent error are seen."""
    import tinynet as tn

    def kinds(f):
        monkeypatch.setitem(opinfo.ADAPTED, "exp", f)
        return {o.kind for o in opinfo.operations(["exp"])}

    assert kinds(lambda x: x.exp() * 1.0001) >= {"differs"}
    assert kinds(lambda x: x.exp().detach()) >= {"differs"}
    assert kinds(lambda x: x.exp().double()) >= {"differs"}
    assert kinds(lambda x: x.exp() + 0.0 * (x - x.detach()) ** 2 + (x - x.detach()) ** 3) >= {
        "agrees"
    }
    assert kinds(lambda x: (x.exp(), tn.ones(1))) >= {"differs"}
    assert kinds(lambda x: [].pop()) == {"obscure"}
