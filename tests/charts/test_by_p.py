"""A metric by the proportion of hard samples."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.charts.by_p import MOST_PLOTS, by_p, p_means
from hcat_nb.errors import DataError


@pytest.fixture
def results() -> pd.DataFrame:
    rows = [
        (kind, "digits", None, p, seed, hcm, 0.5 + p + seed / 10)
        for kind in ("uniform", "far_ood")
        for p in (0.1, 0.3)
        for seed in range(3)
        for hcm in ("aum", "vog")
    ]
    names = ["hardness", "dataset", "model", "p", "seed", "hcm", "auroc"]
    table = pd.DataFrame(rows, columns=names)
    table.loc[0, "auroc"] = np.nan  # aum on uniform, p = .1, seed 0
    return table


def test_means_and_spread_are_those_of_points_with_as_many_runs_as_the_others(results) -> None:
    table = p_means(results, "auroc").set_index(["hardness", "hcm", "p"])
    assert ("uniform", "aum", 0.1) not in table.index  # two runs where vog has three
    row = table.loc[("uniform", "vog", 0.1)]
    assert row[["mean", "std", "n_runs"]].tolist() == pytest.approx([0.7, 0.1, 3])
    assert len(table) == 7


def test_each_combination_has_its_plot_under_one_legend(results, recwarn) -> None:
    spec = by_p(results).to_dict()
    assert [plot["title"]["text"] for plot in spec["concat"]] == [
        "uniform, digits",
        "far_ood, digits",
    ]
    assert spec["title"]["subtitle"].endswith("1 points of fewer runs than others left out")
    assert len([one for one in spec["params"] if one["name"] == "hcm_chosen"]) == 1
    assert not recwarn.list  # Altair warns of a selection that stands twice


def test_names_are_the_callers_and_the_level_of_a_guess(results) -> None:
    renamed = results.rename(columns={"p": "share", "hcm": "who", "auroc": "f1"})
    spec = by_p(renamed, metric="f1", method="who", p="share", facets=["hardness"], guess=0.2)
    assert len(spec.to_dict()["concat"][0]["layer"]) == 3
    plain = by_p(renamed, metric="f1", method="who", p="share", facets=["hardness"])
    assert len(plain.to_dict()["concat"][0]["layer"]) == 2
    assert len(by_p(results, facets=[]).to_dict()["concat"]) == 1


@pytest.mark.slow
def test_more_plots_than_are_read_are_counted() -> None:
    many = pd.DataFrame({"kind": range(MOST_PLOTS + 6), "p": 0.1, "hcm": "aum", "auroc": 0.5})
    spec = by_p(many, facets=["kind"]).to_dict()
    assert len(spec["concat"]) == MOST_PLOTS
    assert f"{MOST_PLOTS} of {MOST_PLOTS + 6} drawn" in spec["title"]["subtitle"]


def test_mistakes_are_told(results) -> None:
    with pytest.raises(DataError, match="no column 'f1'"):
        by_p(results, metric="f1")
