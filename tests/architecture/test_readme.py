"""The README says what the cards say, its lines run, and its pictures and pages exist."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from hcat_nb.methods._card import claim_words
from hcat_nb.registry import METHODS


class _Near(doctest.OutputChecker):
    """Takes figures within 0.05: another processor or number of threads trains another network.

    Between two kinds of processor conf_agree's AUPRC moved by 0.03, all others by 0.01 at most.
    """

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        pairs = list(zip(want.split(), got.split(), strict=False))
        return len(want.split()) == len(got.split()) and all(
            float(got) == pytest.approx(float(want), abs=0.051)
            if re.fullmatch(r"\d+\.\d+", want)
            else want == got
            for want, got in pairs
        )


def _methods_table(readme: str) -> dict[str, tuple[str, set[str]]]:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|", readme, re.MULTILINE)
    return {key: (title.strip(), set(detects.strip().split(", "))) for key, title, detects in rows}


@pytest.fixture
def readme(repository: Path) -> str:
    return (repository / "README.md").read_text()


def test_the_table_of_methods_equals_the_cards(readme: str) -> None:
    table = _methods_table(readme)
    assert list(table) == METHODS.names()
    for name in METHODS.names():
        card = METHODS.get(name)
        assert table[name] == (card.title, set(claim_words(card))), name


def test_its_lines_give_what_it_shows(readme: str) -> None:
    (block,) = re.findall(r"```python\n(>>> .*?)```", readme, re.DOTALL)
    example = doctest.DocTestParser().get_doctest(block, {}, "README", "README.md", 0)
    assert len(example.examples) == 4
    said: list[str] = []
    result = doctest.DocTestRunner(checker=_Near(), verbose=False).run(example, out=said.append)
    assert result.failed == 0, "".join(said)


def test_every_local_link_leads_somewhere(repository: Path) -> None:
    pages = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "widgets/README.md")
    for page in (*pages, "notebooks/docs/how_to.md"):
        path = repository / page
        for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{page} links to {target}"


def test_every_make_target_that_a_page_names_exists(repository: Path) -> None:
    targets = re.findall(r"^([a-z]+):", (repository / "Makefile").read_text(), re.MULTILINE)
    for page in ("README.md", "CONTRIBUTING.md"):
        text = (repository / page).read_text()
        named = set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE))
        assert named, page
        assert named <= set(targets), page


def test_it_stays_short(readme: str) -> None:
    assert len(readme.splitlines()) <= 120
