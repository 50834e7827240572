"""The documentation answers what people ask, two clicks from its first page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

# What the answer must say, by the number of the question.
ANSWERS = {
    1: "hcat.audit",
    2: "variability",
    3: "CPU build",
    4: "first_look",
    5: "interval",
    6: "Memorised",
    7: "too easy to find",
    8: "audit.remedy()",
    9: 'variant="hcat"',
    10: "No. It is hard",
    11: "to the bit",
    12: "hcat resume",
    13: "characterize_dynamics",
    14: "watch.end_epoch()",
    15: "XGBoost",
    16: "impute=",
    17: "`.npy`|x.npy",
    18: "groups=COLUMN",
    19: r"run\.apply\(\)",
    20: "hcat sweep",
}


@pytest.fixture(scope="module")
def docs(repository: Path) -> Path:
    return repository / "notebooks" / "docs"


def _slug(heading: str) -> str:
    """Return the anchor that myst makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _section(page: Path, anchor: str) -> str:
    """Return the text below a heading, down to the next of its level or above."""
    parts = re.split(r"^(#+) (.+)$", page.read_text(), flags=re.MULTILINE)
    for at in range(1, len(parts), 3):
        if _slug(parts[at + 1]) == anchor:
            return parts[at + 2]
    raise AssertionError(f"{page.name} has no #{anchor}")


def _questions(docs: Path) -> list[tuple[int, str, str]]:
    listed = (docs / "twenty.md").read_text()
    found = re.findall(r"^(\d+)\. \[.+\]\((\w+\.md)#([\w-]+)\)$", listed, re.MULTILINE)
    return [(int(number), page, anchor) for number, page, anchor in found]


def test_there_are_twenty_questions(docs: Path) -> None:
    assert [number for number, _, _ in _questions(docs)] == list(range(1, 21))


def test_the_first_page_leads_to_them(docs: Path) -> None:
    assert "](twenty.md)" in (docs / "index.md").read_text()


@pytest.mark.parametrize("number", ANSWERS)
def test_each_question_leads_to_its_answer(number: int, docs: Path) -> None:
    _, page, anchor = _questions(docs)[number - 1]
    said = _section(docs / page, anchor)
    wanted = ANSWERS[number]
    assert wanted in said or re.search(wanted, said)


def test_links_between_pages_exist(docs: Path) -> None:
    missing = [
        f"{page.name}: {target}"
        for page in docs.glob("*.md")
        for target, anchor in re.findall(r"\]\((\w+\.md)(?:#([\w-]+))?\)", page.read_text())
        if not (docs / target).is_file() or (anchor and _section(docs / target, anchor) == "")
    ]
    assert missing == []
