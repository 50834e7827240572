from __future__ import annotations

import string

import pytest

from hcat_nb.checks.classes import class_findings
from hcat_nb.checks.finding import LOOK, NOTE, SEVERE


def kinds(rows: dict[object, int]) -> list[tuple[str, str]]:
    found = class_findings(list(rows), list(rows.values()))
    return [(one.kind, one.severity) for one in found]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ({" <=50K": 70, " >50K": 20, " <=50K.": 30, " >50K.": 10}, [("spelling", SEVERE)]),
        ({"cat": 50, " cat": 20, "dog": 60}, [("spelling", SEVERE)]),
        ({"M": 50, "m": 20, "F": 60}, [("spelling", SEVERE)]),
        ({"Iris-setosa": 50, "iris setosa": 20, "other": 60}, [("spelling", SEVERE)]),
        ({"1": 50, "1.0": 20, "2": 60}, [("spelling", SEVERE)]),
        ({"A": 50, "A-": 20, "A+": 60, "B": 20}, []),
        ({"<1": 50, ">1": 20, "1": 60}, []),
        (dict.fromkeys(string.ascii_letters, 20), []),
        ({"benign": 500, "bengin": 10, "malignant": 300}, [("spelling", LOOK)]),
        ({"class_a": 500, "class_b": 10}, [("spelling", LOOK)]),
        ({"type 1": 500, "type 2": 10}, []),
        ({"train": 60, "test": 20, "Val": 20}, [("splits", SEVERE)]),
        ({"train": 60, "bus": 20}, []),
        ({"a": 60, "b": 7}, [("rare", NOTE)]),
        ({"a": 60, "b": 2, "c": 0}, [("rare", LOOK)]),
        ({1: 60, 2: 30}, []),
        ({True: 60, False: 30}, []),
    ],
)
def test_names_and_rows_of_classes_tell_faults(
    rows: dict[object, int], expected: list[tuple[str, str]]
) -> None:
    assert kinds(rows) == expected


def test_spellings_are_told_with_their_rows_and_the_option_that_joins_them() -> None:
    (found,) = class_findings(["cat", " cat", "dog"], [50, 20, 60])
    assert "'cat' 50, ' cat' 20" in found.evidence
    assert found.remedy == "join_spellings=True"


def test_a_class_called_like_a_missing_label_is_told() -> None:
    (found,) = class_findings(["nan", "oak"], [12, 40])
    assert found.severity == "severe"
    assert found.evidence.endswith("turned into text: 'nan' 12")
    assert found.remedy.startswith("missing='nan'")
