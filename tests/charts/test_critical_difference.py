"""The critical-difference diagram."""

from __future__ import annotations

import pandas as pd
import pytest

from hcat_nb.charts.critical_difference import critical_difference_diagram
from hcat_nb.charts.families import FAMILIES
from hcat_nb.errors import DataError


@pytest.fixture
def seven() -> pd.Series:
    return pd.Series(dict(zip("abcdefg", range(1, 8), strict=True)), dtype=float)


def _tables(chart, rows_of) -> list[pd.DataFrame]:
    spec = chart.to_dict()
    return [rows_of(spec, part) for part in range(len(spec["layer"]))]


def test_two_groups_that_overlap_in_range_are_two_bars_at_two_heights(seven, rows_of) -> None:
    # scikit-posthocs 86: ranks {1, 2, 4} and {3, 5, 6, 7} were drawn as one bar
    tables = _tables(critical_difference_diagram(seven, ["abd", "cefg"]), rows_of)
    (members,) = [one for one in tables if list(one) == ["group", "level", "rank"]]
    by_height = members.groupby("level")["rank"].apply(list)
    assert by_height.tolist() == [[1, 2, 4], [3, 5, 6, 7]]
    pieces = next(one for one in tables if "solid" in one)
    assert set(pieces["level"]) == set(by_height.index)
    # A solid piece joins neighbours in rank; nothing solid lies between 2 and 3, or over both.
    solid = pieces[pieces["solid"] == 1]
    assert set(zip(solid["start"], solid["stop"], strict=True)) == {(1, 2), (5, 6), (6, 7)}
    broken = pieces[pieces["solid"] == 0]
    assert set(zip(broken["start"], broken["stop"], strict=True)) == {(2, 4), (3, 5)}


def test_the_critical_difference_is_drawn_to_scale(seven, rows_of) -> None:
    chart = critical_difference_diagram(seven, critical_difference=2.25)
    (ruler, *_) = [one for one in _tables(chart, rows_of) if "stop" in one]
    assert (ruler["stop"] - ruler["start"]).item() == 2.25
    assert ruler["name"].item() == "CD = 2.25"
    scales = [
        layer["encoding"]["x"]["scale"]["domain"]
        for layer in chart.to_dict()["layer"]
        if "scale" in layer["encoding"].get("x", {})
    ]
    assert scales == [[1, 7]] * len(scales)
    assert "CD" not in critical_difference_diagram(seven).to_json()


def test_families_have_their_colours_and_any_may_be_given(seven, rows_of) -> None:
    known = pd.Series({"aum": 1.5, "vog": 2.0, "random": 2.5})
    for means, families, expected in (
        (known, None, ["learning: output", "learning: gradient", "baseline"]),
        (seven, dict.fromkeys("abcdefg", "distance"), ["distance"]),
    ):
        chart = critical_difference_diagram(means, families=families)
        color = chart.to_dict()["layer"][1]["encoding"]["color"]
        assert color["scale"]["domain"] == expected
        assert color["scale"]["range"] == [FAMILIES[name] for name in expected]


def test_what_has_no_rank_is_left_out(seven, rows_of) -> None:
    chart = critical_difference_diagram(seven.where(seven != 4), ["ab"])
    assert _tables(chart, rows_of)[0]["method"].tolist() == list("abcefg")
    with pytest.raises(DataError, match="a group holds 'd', which has no mean rank"):
        critical_difference_diagram(seven.where(seven != 4), ["abd"])
    with pytest.raises(DataError, match="two mean ranks are of 'a'"):
        critical_difference_diagram(pd.concat([seven, seven[["a"]]]))
