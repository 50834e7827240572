"""How alike a method ranks samples from seed to seed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from hcat_nb.errors import DataError
from hcat_nb.evaluation.stability import seed_pairs, stability_table


def scores(seed: int, ids: range = range(40)) -> pd.DataFrame:
    noise = np.random.default_rng(seed).normal(size=(len(ids), 2))
    base = np.array(ids, float)[:, None]
    return pd.DataFrame(base + noise * [1, 20], index=list(ids), columns=["steady", "shaky"])


def test_each_pair_of_seeds_is_spearmans_on_shared_samples() -> None:
    runs = {0: scores(0), 1: scores(1), 7: scores(7, range(10, 60))}
    found = seed_pairs(runs).set_index(["hcm", "first", "second"])
    assert len(found) == 6
    expected = spearmanr(runs[0]["shaky"].loc[10:], runs[7]["shaky"].loc[:39]).statistic
    row = found.loc[("shaky", 0, 7)]
    assert row.n == 30
    assert row.spearman == pytest.approx(expected)


def test_what_has_no_score_is_counted_and_never_zero() -> None:
    first, second = scores(0), scores(1)
    first.loc[3, "steady"] = np.nan
    second["shaky"] = 1.0
    found = seed_pairs({0: first, 1: second}).set_index("hcm")
    assert (found.loc["steady", "n"], found.loc["steady", "n_missing"]) == (39, 1)
    assert np.isnan(found.loc["shaky", "spearman"])
    assert found.loc["shaky", "note"] == "all scores of one are equal"
    table = stability_table(found.reset_index()).set_index("hcm")
    assert (table.loc["shaky", "n_pairs"], table.loc["shaky", "n_missing"]) == (0, 1)
    assert np.isnan(table.loc["shaky", "mean"])


def test_the_most_stable_comes_first_with_its_spread() -> None:
    pairs = seed_pairs({seed: scores(seed) for seed in range(4)}).assign(varied="model seed")
    table = stability_table(pairs, ["varied"])
    assert table["hcm"].tolist() == ["steady", "shaky"]
    steady = pairs.loc[pairs["hcm"] == "steady", "spearman"]
    row = table.iloc[0]
    expected = (steady.mean(), steady.std(ddof=1), steady.min(), steady.max(), 6)
    assert (row["mean"], row["std"], row["least"], row["most"], row["n_pairs"]) == pytest.approx(
        expected
    )


def test_mistakes_are_told() -> None:
    with pytest.raises(DataError, match="0 and 1 share no sample"):
        seed_pairs({0: scores(0), 1: scores(1, range(50, 60))})
    with pytest.raises(DataError, match="no column 'varied'"):
        stability_table(seed_pairs({0: scores(0), 1: scores(1)}), ["varied"])
