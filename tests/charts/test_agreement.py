"""The heat map of agreement."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.charts.agreement import agreement
from hcat_nb.errors import DataError, SpecError
from hcat_nb.evaluation.consistency import agreement_table


@pytest.fixture
def scores() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.random((50, 3)), columns=["aum", "vog", "loss"])


def test_both_triangles_and_the_diagonal_are_filled(scores: pd.DataFrame, rows_of) -> None:
    rows = rows_of(agreement(agreement_table(scores)).to_dict())
    table = rows.pivot_table(index="first", columns="second", values="value", sort=False)
    expected = scores.corr("spearman")
    # four digits are kept
    np.testing.assert_allclose(table.loc[expected.index, expected.columns], expected, atol=6e-5)


def test_what_is_not_defined_is_grey_and_says_why(scores: pd.DataFrame, rows_of) -> None:
    spec = agreement(agreement_table(scores.assign(vog=1.0))).to_dict()
    rows = rows_of(spec).set_index(["first", "second"])
    assert np.isnan(rows.loc[("aum", "vog"), "value"])
    assert rows.loc[("vog", "aum"), "figure"] == "n/a"
    assert rows.loc[("vog", "aum"), "note"] == "all scores of one are equal"
    color = spec["layer"][0]["encoding"]["color"]
    assert color["condition"]["test"] == "isValid(datum.value)"
    assert "2 pairs n/a" in spec["title"]["subtitle"]


def test_the_order_is_the_callers_and_a_lone_method_has_its_cell(
    scores: pd.DataFrame, rows_of
) -> None:
    spec = agreement(agreement_table(scores), methods=["loss", "aum"]).to_dict()
    assert spec["layer"][0]["encoding"]["x"]["scale"]["domain"] == ["loss", "aum"]
    assert len(rows_of(spec)) == 4
    assert len(rows_of(agreement(agreement_table(scores[["aum"]]), methods=["aum"]).to_dict())) == 1


def test_the_overlap_names_its_chance_level(scores: pd.DataFrame) -> None:
    spec = agreement(agreement_table(scores, top=0.2), measure="top_overlap").to_dict()
    assert "by chance 0.20" in spec["title"]["subtitle"]
    assert spec["layer"][0]["encoding"]["color"]["condition"]["scale"]["domain"] == [0, 1]


def test_many_methods_have_no_figures_in_their_cells() -> None:
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.random((9, 25)), columns=[f"m{i}" for i in range(25)])
    assert len(agreement(agreement_table(wide)).to_dict()["layer"]) == 1


def test_mistakes_are_told(scores: pd.DataFrame) -> None:
    with pytest.raises(SpecError, match=r"measure is 'sperman'.*spearman"):
        agreement(agreement_table(scores), measure="sperman")
    with pytest.raises(DataError, match="no column 'first'"):
        agreement(scores)
