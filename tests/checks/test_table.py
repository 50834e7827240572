from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.checks.finding import LOOK, NOTE, SEVERE
from hcat_nb.checks.profile import profiles
from hcat_nb.checks.table import about_columns, quick_findings, table_findings, text_findings

N = 9000
WORDS = np.array(["where", "is", "my", "card", "why", "was", "it", "not", "sent", "last", "week"])


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(N, 3)), columns=list("pqr"))
    return frame.assign(rare=np.arange(N) == 4321, same=1, id=np.arange(N))


LABELS = np.repeat([0, 1, 2], N // 3)


def test_twins_are_sought_without_identifiers(frame: pd.DataFrame) -> None:
    twice = frame.copy()
    twice.loc[N - 1, ["p", "q", "r"]] = twice.loc[0, ["p", "q", "r"]]
    found = {one.kind: one for one in table_findings(twice, profiles(twice), LABELS, "abc")}
    assert "2 equal rows have contradicting labels" in found["conflict"].evidence
    assert "drop=['id', 'same']" in found["conflict"].remedy


def test_a_row_number_on_sorted_data_is_severe_and_priced(frame: pd.DataFrame) -> None:
    found = table_findings(frame, profiles(frame), LABELS, "abc")
    (severe,) = [one for one in found if one.severity == SEVERE]
    assert severe.columns == ("id",)
    assert "honest expectation" in severe.price
    assert {one.kind for one in found} == {"identifier", "constant", "rare", "order"}


def test_some_rows_are_enough_at_the_start_of_a_run(frame: pd.DataFrame) -> None:
    found = quick_findings(frame, LABELS)
    assert {(one.kind, one.columns) for one in found} == {
        ("identifier", ("id",)),
        ("constant", ("same",)),  # not "rare", which only the rows left out tell
    }


def test_spellings_of_one_class_hide_no_leak(frame: pd.DataFrame) -> None:
    labels = np.arange(N) % 3
    part = frame[["p", "q"]].assign(copy=labels > 0)
    found = about_columns(profiles(part), labels, ["oak", "elm", "Elm "])
    assert [one.columns for one in found] == [("copy",)]
    assert about_columns(profiles(part), labels, ["oak", "elm", "ash"]) == []


def test_one_class_or_none_needs_no_check_of_leaks(frame: pd.DataFrame) -> None:
    part = profiles(frame[["p"]])
    assert about_columns(part, np.zeros(N, dtype=np.int64)) == []
    assert about_columns(part, np.full(N, -1)) == []


def texts(n: int = 120) -> list[str]:
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(WORDS, 9)) + f" {i}" for i in range(n)]


def test_a_label_that_is_written_in_the_text_is_severe() -> None:
    labels = np.arange(120) % 3
    tagged = [f"{text} #{'abc'[code]}" for text, code in zip(texts(), labels, strict=True)]
    (found,) = text_findings(pd.Series(tagged), labels, ["A", "B", "C"])
    assert (found.kind, found.severity) == ("leak", SEVERE)
    assert "'#a' for 'A'" in found.evidence
    assert text_findings(pd.Series(texts()), labels, ["A", "B", "C"]) == []


def test_empty_texts_and_those_equal_but_for_case_are_counted() -> None:
    said = [*texts(118), "  ", None]
    said[1] = said[0].upper() + " "
    found = text_findings(pd.Series(said), np.arange(120) % 2, "ab")
    assert [(one.kind, one.severity) for one in found] == [("missing", LOOK), ("duplicate", NOTE)]
    assert found[0].evidence == "2 texts are empty"
    assert found[1].evidence.startswith("2 more texts")
