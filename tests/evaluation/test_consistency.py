"""Agreement of rankings, against SciPy, a count of all pairs, and a shuffle of ties."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau, rankdata, spearmanr

from hcat_nb.errors import DataError, SpecError
from hcat_nb.evaluation.consistency import (
    AGREEMENT_COLUMNS,
    agree,
    agreement_table,
    moved_table,
    ranks,
)


def _pair(n: int, decimals: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two scores with something in common; few decimals give many ties."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    return np.round(a, decimals), np.round(a + rng.normal(size=n), decimals)


def _tau_b(a: np.ndarray, b: np.ndarray) -> float:
    """Kendall's tau-b by the definition, over all pairs."""
    signs = [
        (np.sign(a[i] - a[j]), np.sign(b[i] - b[j])) for i, j in combinations(range(len(a)), 2)
    ]
    both = sum(x * y for x, y in signs)
    untied_a, untied_b = sum(x != 0 for x, _ in signs), sum(y != 0 for _, y in signs)
    return both / math.sqrt(untied_a * untied_b)


@pytest.mark.parametrize("decimals", [6, 1, 0])
def test_correlations_agree_with_the_definitions(decimals: int) -> None:
    a, b = _pair(60, decimals)
    found = agree(a, b)
    assert found.spearman == pytest.approx(spearmanr(a, b).statistic, abs=1e-12)
    assert found.kendall == pytest.approx(_tau_b(a, b), abs=1e-12)
    assert found.kendall == pytest.approx(kendalltau(a, b).statistic, abs=1e-12)
    assert (found.n, found.n_missing, found.note) == (60, 0, "")


def test_only_order_counts_and_order_turned_round_is_minus_one() -> None:
    a, b = _pair(50, 6)
    assert agree(np.exp(a), b) == agree(a, b)
    assert agree(a, a).spearman == pytest.approx(1)
    assert agree(a, -a).spearman == pytest.approx(-1)
    assert agree(a, -a, top=0.2).top_overlap == 0
    assert agree(a, a, top=0.2).top_overlap == 1


def test_the_overlap_is_the_share_of_common_samples() -> None:
    a, b = _pair(200, 6)
    found = agree(a, b, top=0.1)
    common = set(np.argsort(-a)[:20]) & set(np.argsort(-b)[:20])
    assert found.top_k == 20
    assert found.top_overlap == pytest.approx(len(common) / 20)
    assert found.top_chance == 0.1


def test_ties_at_the_cut_are_drawn_at_random() -> None:
    a, b = _pair(40, 0)
    rng = np.random.default_rng(1)
    overlaps = []
    for _ in range(4000):
        first, second = (set(np.lexsort((rng.random(40), -one))[:8]) for one in (a, b))
        overlaps.append(len(first & second) / 8)
    # The mean's standard error is about .002.
    assert agree(a, b, top=0.2).top_overlap == pytest.approx(np.mean(overlaps), abs=0.01)


def test_unrelated_rankings_overlap_by_chance() -> None:
    rng = np.random.default_rng(0)
    found = [agree(rng.random(1000), rng.random(1000), kendall=False) for _ in range(200)]
    # The standard deviation of one overlap of 100 in 1,000 is .03 / sqrt(1.2).
    assert np.mean([one.top_overlap for one in found]) == pytest.approx(0.1, abs=0.01)
    assert np.mean([one.spearman for one in found]) == pytest.approx(0, abs=0.01)


def test_equal_scores_overlap_by_chance_too() -> None:
    flat = np.zeros(10)
    found = agree(flat, np.arange(10.0), top=0.3)
    assert found.top_overlap == pytest.approx(found.top_chance)
    assert math.isnan(found.spearman)
    assert math.isnan(found.kendall)
    assert found.note == "all scores of one are equal"


def test_missing_scores_are_left_out_of_both() -> None:
    a, b = _pair(30, 6)
    gaps_a, gaps_b = a.copy(), b.copy()
    gaps_a[:3], gaps_b[2:6] = np.nan, np.nan
    found = agree(gaps_a, gaps_b)
    assert (found.n, found.n_missing) == (24, 6)
    assert found.spearman == pytest.approx(spearmanr(a[6:], b[6:]).statistic)


@pytest.mark.parametrize(
    ("a", "b", "note"),
    [
        ([], [], "no sample has both scores"),
        ([np.nan, 1.0], [1.0, np.nan], "no sample has both scores"),
        ([1.0], [2.0], "one sample only"),
        ([1.0, 1.0], [2.0, 3.0], "all scores of one are equal"),
    ],
)
def test_what_is_not_defined_is_nan_with_the_reason(
    a: list[float], b: list[float], note: str
) -> None:
    found = agree(a, b)
    assert math.isnan(found.spearman)
    assert math.isnan(found.kendall)
    assert found.note == note


def test_a_share_of_nobody_has_no_overlap() -> None:
    found = agree([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], top=0.1)
    assert found.spearman == pytest.approx(1)
    assert math.isnan(found.top_overlap)
    assert found.note == "0.1 of 3 samples is none"


def test_the_table_has_each_pair_once() -> None:
    rng = np.random.default_rng(0)
    scores = pd.DataFrame(rng.random((20, 3)), columns=["aum", "vog", "loss"])
    table = agreement_table(scores.assign(position=range(20)))
    assert table[["first", "second"]].to_numpy().tolist() == [
        ["aum", "vog"],
        ["aum", "loss"],
        ["vog", "loss"],
    ]
    assert list(table.columns[2:]) == list(AGREEMENT_COLUMNS)
    expected = scores.corr("spearman").loc["aum", "loss"]
    assert table["spearman"][1] == pytest.approx(expected)
    assert table["kendall"].isna().all()
    assert agreement_table(scores, kendall=True)["kendall"].notna().all()


def test_no_method_and_one_method_have_no_pair() -> None:
    for scores in (pd.DataFrame(index=range(3)), pd.DataFrame({"aum": [1.0, 2.0]})):
        table = agreement_table(scores)
        assert len(table) == 0
        assert "spearman" in table


def test_ranks_are_scipys() -> None:
    a, _ = _pair(50, 0)
    assert np.array_equal(ranks(a), rankdata(-a))


def test_the_sample_that_moved_most_comes_first() -> None:
    ids = pd.Index(["a", "b", "c", "d", "e"], name="name")
    first = pd.Series([5.0, 4.0, 3.0, 2.0, np.nan], ids)
    second = pd.Series([1.0, 4.0, 3.0, 2.0, 9.0], ids)
    moved = moved_table(first, second)
    assert moved.index.tolist() == ["a", "b", "c", "d", "e"]
    assert moved.index.name == "sample_id"
    assert moved["rank_first"].tolist()[:4] == [1, 2, 3, 4]
    assert moved["rank_second"].tolist()[:4] == [4, 1, 2, 3]
    assert moved["moved"].tolist()[:4] == [3, -1, -1, -1]
    assert moved.loc["e", ["rank_first", "rank_second", "moved"]].isna().all()
    assert moved.loc["e", "score_second"] == 9


def test_mistakes_are_told() -> None:
    with pytest.raises(DataError, match=r"shapes \(2,\) and \(3,\)"):
        agree([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(SpecError, match=r"top is 0"):
        agree([1.0], [1.0], top=0)
    with pytest.raises(DataError, match="'aum'"):
        agreement_table(pd.DataFrame([[1.0, 2.0]], columns=["aum", "aum"]))
    with pytest.raises(DataError, match="different sample ids"):
        moved_table(pd.Series([1.0]), pd.Series([1.0], index=["a"]))
