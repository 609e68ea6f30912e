"""examples/EQUATIONS.md: every entry has its test and every test its entry, every link leads
somewhere, and every wrong entry has a test that shows both forms."""

from __future__ import annotations

import ast
import pathlib
import re

import numpy as np
import pytest
from equations import agrees, only_right, slopes

TESTS = pathlib.Path(__file__).parent
FILE = TESTS.parent / "examples" / "EQUATIONS.md"
TEXT = FILE.read_text(encoding="utf-8")
DOCUMENTS = TEXT.split("\n## Document ")[1:]
ENTRIES = dict(re.findall(r"^### E(\d\.\d+) .*\n((?:(?!#).*\n)*)", TEXT, re.M))
FUNCTIONS = {
    node.name: (path, node)
    for path in sorted(TESTS.glob("test_equations_*.py"))
    for node in ast.parse(path.read_text(encoding="utf-8")).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
}


def links_of(number: str) -> list[tuple[str, str]]:
    """Names and files of the tests that an entry links to and that carry its number."""
    prefix = f"test_e{number.replace('.', '_')}_"
    found = re.findall(r"\[`(\w+)`\]\(\.\./tests/(\w+\.py)\)", ENTRIES[number])
    return [(name, file) for name, file in found if name.startswith(prefix)]


def shows_both(node: ast.FunctionDef) -> bool:
    """Whether a test calls only_right with a printed form, a right one and a measurement."""
    return any(
        isinstance(call, ast.Call)
        and getattr(call.func, "id", "") == "only_right"
        and {keyword.arg for keyword in call.keywords} == {"printed", "right", "measured"}
        for call in ast.walk(node)
    )


def test_entries_are_numbered_in_order() -> None:
    assert len(DOCUMENTS) == 5
    for d, document in enumerate(DOCUMENTS):
        numbers = re.findall(r"^### E(\S+) ", document, re.M)
        assert numbers == [f"{d}.{k}" for k in range(1, len(numbers) + 1)]
        assert re.search(rf"^`00{d}_[0-9a-f]{{16}}\.txt`", document, re.M)


@pytest.mark.parametrize("number", ENTRIES)
def test_an_entry_has_all_its_parts(number: str) -> None:
    body = ENTRIES[number]
    assert re.search(r"^Section \d", body, re.M)
    assert re.search(r"^> \S", body, re.M)
    (status,) = re.findall(r"^\*\*(\w+)\.\*\* ", body, re.M)
    assert status in ("Right", "Wrong")
    ((name, file),) = links_of(number)
    path, node = FUNCTIONS[name]
    assert path.name == file
    assert file.startswith(f"test_equations_00{number[0]}")
    assert shows_both(node) == (status == "Wrong")


def test_every_test_has_an_entry() -> None:
    linked = [name for number in ENTRIES for name, _ in links_of(number)]
    assert sorted(linked) == sorted(FUNCTIONS)


def test_links_lead_to_files_that_define_the_name() -> None:
    links = re.findall(r"\[`?([^]`]+)`?\]\(([^)#][^)]*)\)", TEXT)
    assert len(links) > 200
    for name, target in links:
        path = FILE.parent / target
        assert path.is_file(), target
        if not name.endswith(".py"):
            last = name.rpartition(".")[2]
            made = rf"(\w+, )*{last}\b(, \w+)* = over_axes\("  # one for each number of axes
            defined = rf"^( *(def|class) {last}\b|{made})"
            assert re.search(defined, path.read_text(encoding="utf-8"), re.M), (name, target)


def test_links_within_the_page_lead_to_a_heading() -> None:
    headings = re.findall(r"^#+ (.*)$", TEXT, re.M)
    anchors = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
    assert len(anchors) == len(headings)
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= anchors


def test_the_counts_at_the_top_are_those_below() -> None:
    rows = [[int(n) for n in re.findall(r"\| (\d+)(?= \|)", line)]
            for line in TEXT.splitlines() if re.match(r"\| (\[`00|all)", line)]  # fmt: skip
    counts = []
    for document in DOCUMENTS:
        right, wrong = (document.count(f"\n**{word}.** ") for word in ("Right", "Wrong"))
        unchecked = document.partition("**Not checked here**")[2].count("\n* ")
        counts.append([right + wrong, right, wrong, unchecked])
    assert rows == [*counts, np.sum(counts, axis=0).tolist()]


def test_the_table_of_what_is_wrong_is_complete() -> None:
    table = re.findall(r"^\| \[E(\S+)\]", TEXT, re.M)
    assert table == [number for number, body in ENTRIES.items() if "**Wrong.**" in body]


# --- what the tests stand on ---------------------------------------------------------------------


def test_only_right_has_teeth() -> None:
    only_right(printed=1.0, right=2.0, measured=2.0)
    only_right(printed=lambda: np.ones(2) @ np.ones(3), right=2.0, measured=2.0)
    only_right(printed=np.ones((2, 1)), right=np.ones((1, 2)), measured=np.ones((1, 2)))
    with pytest.raises(AssertionError, match="the printed"):
        only_right(printed=2.0, right=2.0, measured=2.0)
    with pytest.raises(AssertionError, match="measured was"):
        only_right(printed=1.0, right=2.0, measured=2.001)
    with pytest.raises(ValueError, match="log"):  # an error that does not speak of shapes
        only_right(printed=lambda: int("log"), right=2.0, measured=2.0)


def test_slopes_are_those_of_calculus() -> None:
    x = np.linspace(-1, 1, 6).reshape(2, 3)
    assert agrees(
        slopes(lambda t: (t.exp() * t.sin()).sum(), x), np.exp(x) * (np.sin(x) + np.cos(x))
    )
    assert not agrees(slopes(lambda t: (t**3).sum(), x), 3.001 * x**2, 1e-6)
