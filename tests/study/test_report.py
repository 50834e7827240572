"""The report: one page, complete, that asks no other machine for anything."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd
import pytest

from hcat_nb.errors import DataError, HcatError, SpecError, StoreError, UnknownNameError
from hcat_nb.study import report
from hcat_nb.study.report import write_report
from hcat_nb.sweeps.execute import MARK


@pytest.fixture(scope="module")
def small_study(repository: Path) -> Path:
    return repository / "notebooks" / "small_study"


@pytest.fixture(scope="module")
def page(small_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "page.html"
    given = {"alpha": 0.01, "only": {"dataset": ["digits", "wine"]}}
    made = write_report(small_study, out, parameters=given, progress=False)
    assert made == out
    return out


@pytest.mark.slow
def test_it_says_nothing_of_the_results_that_come_along(page: Path) -> None:
    text = page.read_text()
    assert "<code>study</code>" not in text  # no parameter that is not shown
    assert "<code>only" not in text
    assert "What the study says" not in text
    assert "too small to rank methods" not in text


@pytest.mark.slow
def test_it_is_led_by_its_answer_and_ends_with_the_appendix_of_the_study(page: Path) -> None:
    text = re.sub(r"<style.*?</style>", "", page.read_text(), flags=re.S)
    places = [
        text.index(words)
        for words in (
            "On these data",
            "which method for which hardness",
            "Figures change",
            ">Ranks<",
        )
    ]
    assert places == sorted(places)
    appendix = text.index(">Appendix: H-CAT")
    assert text.index(">Hypotheses, written down before the runs") > appendix > places[-1]
    anchors = set(re.findall(r'<h[1-3] id="([^"]+)"', text))
    links = re.findall(r'<li><a href="#([^"]+)"', text)
    assert len(links) >= 10
    assert {unquote(one) for one in links} <= {unescape(one) for one in anchors}


@pytest.mark.parametrize("hcat", [True, False])
def test_what_is_said_of_h_cats_evaluator_stands_in_reports_of_it_alone(hcat: bool) -> None:
    def cell(words: str, *tags: str) -> dict[str, Any]:
        return {"cell_type": "markdown", "metadata": {"tags": list(tags)}, "source": [words]}

    cells = [cell("H1", "appendix"), cell("best", "answer"), cell("# Ranks")]
    made = report._joined([{"cells": cells}], Path("mine"), hcat)["cells"]
    words = ["".join(one["source"]) for one in made]
    assert words[1] == "best"
    assert "- [Ranks](#Ranks)" in words[2]
    assert ("H1" in words) == hcat


def test_runs_that_learned_nothing_are_told() -> None:
    states = ["not_learned", "not_learned", "learned", None]  # two rows of one run
    table = pd.DataFrame({"run": ["a", "a", "b", "c"], "check_state": states})
    told = report._unlearned(table)
    assert told.startswith("**In 1 of 2 runs that were checked the network learned nothing")
    assert report._unlearned(table[2:]) == report._unlearned(table[["run"]]) == ""
    made = report._joined([{"cells": []}], Path("mine"), False, told)["cells"]
    assert made[1]["source"].startswith(told)


@pytest.mark.slow
def test_it_holds_every_chart_with_its_picture(page: Path) -> None:
    text = page.read_text()
    charts = re.findall(
        r'<div class="hcat-chart"><script type="application/json">(.*?)</script><img', text, re.S
    )
    titles = [json.loads(one)["title"]["text"] for one in charts]
    assert titles == [
        "which method for which hardness",
        "AUROC by proportion of hard samples",
        "AUPRC by proportion of hard samples",
        "ranks of the methods",
        "critical-difference diagram",
        "who beats whom",
        "model seed varied, data seed fixed",
        "both seeds varied",
    ]
    assert text.count('".hcat-chart"') == 1  # what draws them stands there once
    for name in ("H1 (A4)", "H5", "dynamics of the output&#39;s confidence"):
        assert name in text or name.replace("&#39;", "'") in text


@pytest.mark.slow
def test_its_parameters_reach_the_notebooks_that_have_them(page: Path) -> None:
    text = page.read_text()
    assert "p &lt; 0.01" in text or "p < 0.01" in text
    assert "uniform, wine, mlp" in text
    assert "breast_cancer" not in text  # left out


@pytest.mark.slow
def test_it_names_no_other_machine_and_stays_small(page: Path) -> None:
    text = page.read_text()
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=\"(https?:)?//", text)
    assert "@import" not in text
    assert len(text) < 4_000_000  # 1 MB of it is Vega, and as much nbconvert's style and pictures


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"alhpa": 0.1}, UnknownNameError),
        ({"alpha": 3}, SpecError),
        ({"metric": "f1"}, DataError),
        ({"only": {"hcm": ["aum"]}}, DataError),
        ({"only": {"dataset": "cifar10"}}, StoreError),
    ],
    ids=lambda one: next(iter(one)) if isinstance(one, dict) else one.__name__,
)
def test_mistakes_are_told_before_a_kernel_starts(
    small_study: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    parameters: dict[str, Any],
    error: type[HcatError],
) -> None:
    monkeypatch.setattr(report, "execute_notebook", _no_kernel)
    with pytest.raises(error):
        write_report(small_study, tmp_path / "page.html", parameters=parameters)
    assert not (tmp_path / "page.html").exists()


def _no_kernel(*_: Any, **__: Any) -> None:
    raise AssertionError("a kernel was started")


def test_where_it_is_written(
    small_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StoreError, match=r"a name that ends in \.html"):
        write_report(small_study, tmp_path / "page.pdf")
    with pytest.raises(StoreError, match="does not exist"):
        write_report(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    monkeypatch.setattr(report, "load_study", _no_kernel)
    with pytest.raises(StoreError, match="cannot be written"):  # before anything is read
        write_report(small_study, tmp_path / "file" / "page.html")
    for place, expected in ((tmp_path, tmp_path), (tmp_path / "x.csv", tmp_path)):
        place.touch()
        assert report._target(place, None) == expected / "report.html"


@pytest.mark.slow
def test_a_page_of_somebody_else_is_not_replaced(
    page: Path, small_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "report.html"
    mine.write_text("<html><head></head><body>my thesis</body></html>")
    with pytest.raises(StoreError, match=r"report\.html exists and is no report of ours"):
        write_report(small_study, mine, progress=False)
    assert "my thesis" in mine.read_text()

    class Began(Exception):  # noqa: N818 - not an error of the report
        pass

    def begin(*_arguments: object, **_more: object) -> None:
        raise Began

    monkeypatch.setattr(report, "load_study", begin)
    earlier = tmp_path / "earlier.html"  # of a version without the mark
    earlier.write_text(page.read_text().replace(MARK, ""))
    for known in (page, earlier):
        with pytest.raises(Began):
            write_report(small_study, known, progress=False)
