from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.checks.columns import (
    collapsed,
    column_findings,
    constants,
    header,
    identifiers,
    missing_words,
)
from hcat_nb.checks.finding import LOOK, NOTE, SEVERE
from hcat_nb.checks.profile import profiles

N = 200
RNG = np.random.default_rng(0)


def named(values: object, name: str = "x", score: float = 0.5) -> list[tuple[str, str]]:
    columns = profiles(pd.DataFrame({name: values}))
    return [(one.kind, one.severity) for one in identifiers(columns, {name: score}, 2)]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("x", np.arange(N)),
        ("x", 1000 - 2 * np.arange(N)),
        ("x", RNG.permutation(N) + 4000),
        ("x", RNG.choice(1500, N, replace=False)),
        ("x", np.cumsum(RNG.random(N))),
        ("x", [f"P-{i:04}" for i in RNG.permutation(N)]),
        ("patient_nbr", RNG.integers(0, 10**9, N) // 7),
        ("CustomerID", np.arange(N) // 2 + 7),
        ("#", np.arange(N) // 3 * 5 % 71),
        ("Unnamed: 0", RNG.integers(0, 120, N)),
    ],
)
def test_identifiers_are_named(name: str, values: object) -> None:
    assert named(values, name) == [("identifier", LOOK)]
    assert named(values, name, score=0.95) == [("identifier", SEVERE)]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("x", RNG.normal(size=N)),
        ("x", RNG.integers(0, 10**6, N)),
        ("x", RNG.integers(0, 60, N)),
        ("width", np.round(RNG.random(N), 2)),
        ("paid", RNG.integers(0, 100, N)),
        ("fluid", RNG.integers(0, 100, N)),
        ("rapid", RNG.integers(0, 100, N)),
        ("piano", RNG.integers(0, 100, N)),
        ("no_of_rooms", RNG.integers(0, 100, N)),
        ("x", np.arange(N) > 70),
        ("city", RNG.choice(["Rome", "Oslo"], N)),
    ],
)
def test_measurements_are_no_identifiers(name: str, values: object) -> None:
    assert named(values, name) == []


def test_few_numbers_called_like_an_identifier_may_be_codes() -> None:
    assert named(RNG.integers(0, 8, N), "admission_type_id") == [("codes", NOTE)]
    assert named(RNG.integers(0, 2, N), "has_id") == []


def test_constant_and_empty_columns_are_named_and_nearly_constant_ones() -> None:
    frame = pd.DataFrame({"a": [4] * N, "b": [None] * N, "c": ["k"] * N, "d": [0] * (N - 1) + [1]})
    frame["e"] = [None, *([1] * (N - 1))]
    found = [(one.kind, one.columns) for one in constants(profiles(frame))]
    assert found == [("constant", ("b",)), ("constant", ("a", "c"))]
    many = pd.DataFrame({"d": np.arange(2000) == 5})
    assert [one.severity for one in constants(profiles(many))] == [NOTE]


@pytest.mark.parametrize(
    ("values", "word"),
    [
        (["1", "2", "30", "4"] * 9 + ["four"], "'four' in 1 rows"),
        (["5.5", "1e3"] * 30 + ["7 8"], "'7 8' in 1 rows"),
        (["39__38", "40__11", "40__57", "41__08", "41__16", "82__32"], "'82__32' in 1 rows"),
        (["1,5", "2,25"] * 9, "decimal comma: 'x', as '1,5'|decimal comma"),
        (["2021-03-04", "2022-11-30"] * 9, "dates held as text"),
        (["11", "12", "7"] * 9, "numbers held as text"),
        (pd.to_datetime(["2021-03-04", "2022-11-30"]), "dates, which"),
        ([20, 21, 30, 28, 25, -999, -999], "'x' -999 in 2 rows"),
        ([0, 3, 4, 5, 9, -1, -1], "'x' -1 in 2 rows"),
        (["red", " ?", "blue"], "' \\?' 1"),
        (["red", "blue", "Red ", "blue"], "'red', 'Red '"),
    ],
)
def test_what_spoils_a_column_is_told_with_its_rows(values: object, word: str) -> None:
    found = column_findings(profiles(pd.DataFrame({"x": values})))
    text = "; ".join(one.evidence for one in found)
    assert any(part in text.replace("\\", "") for part in word.replace("\\", "").split("|")), text
    assert all(one.remedy for one in found)
    assert SEVERE not in [one.severity for one in found]


@pytest.mark.parametrize(
    "values",
    [
        ["01234", "04109", "22087"] * 9,
        ["V57", "E9", "V60"] * 9,
        [20, 21, 30, 28, 25, 99, 98, 97],
        [-2, -1, 0, 1, 2, -1],
        ["a", "b", "c"],
        RNG.normal(size=50),
    ],
)
def test_sound_columns_are_passed_over(values: object) -> None:
    assert column_findings(profiles(pd.DataFrame({"x": values}))) == []


def test_words_for_missing_are_counted_as_they_are_written() -> None:
    (one,) = profiles(pd.DataFrame({"a": ["?", " ?", "x", "NA", "?"]}))
    assert missing_words(one) == {"?": 2, " ?": 1, "NA": 1}


def test_values_that_float32_does_not_tell_apart_are_told() -> None:
    ts = 1_700_000_000 + np.arange(90) % 45
    frame = pd.DataFrame({"ts": ts, "plain": np.arange(90.0)})
    columns = profiles(frame)
    (found,) = collapsed(columns, {name: frame[name].to_numpy(np.float32) for name in frame})
    assert (found.severity, found.columns) == (SEVERE, ("ts",))
    assert "'ts' (45 become 1)" in found.evidence
    moved = {"ts": (ts - ts.min()).astype(np.float32)}
    assert collapsed(columns, moved) == []


@pytest.mark.parametrize(
    ("names", "looks"),
    [
        (["5.1", "3.5", "1.4", "setosa"], True),
        (["12", "7", "yes"], True),
        (["0", "1", "2", "3"], False),
        (["1990", "1991", "1992", "country"], False),
        (["a", "b", "3"], False),
        (["x"], False),
    ],
)
def test_a_header_of_numbers_looks_like_data(names: list[str], looks: bool) -> None:
    assert bool(header(names)) is looks


def test_a_column_that_is_almost_empty_is_told() -> None:
    full = RNG.normal(size=400)
    frame = pd.DataFrame({"a": full, "b": full, "c": ["x", *[None] * 399], "d": [None] * 400})
    frame.loc[3:, "a"] = np.nan
    frame.loc[370:, "b"] = np.nan
    (found,) = column_findings(profiles(frame))
    assert (found.kind, found.severity, found.columns) == ("missing", LOOK, ("a", "c"))
    assert found.evidence == "almost empty: 'a' in 397 of 400 rows, 'c' in 399 of 400 rows"
    assert found.remedy == "drop=['a', 'c']"
