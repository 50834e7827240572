"""Ranks and tests over many runs, against figures that this code did not compute."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scikit_posthocs
from scipy.integrate import quad
from scipy.stats import norm

from hcat_nb.errors import DataError, SpecError
from hcat_nb.evaluation.comparison import (
    best_group,
    cliques,
    compare,
    critical_difference,
    holm,
    nemenyi,
)
from hcat_nb.evaluation.table import evaluate

# Demsar 2006, table 5: q(.05) and q(.1) of the two-tailed Nemenyi test by number of methods.
Q_05 = {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949, 8: 3.031, 9: 3.102, 10: 3.164}
Q_10 = {2: 1.645, 3: 2.052, 4: 2.291, 5: 2.459, 6: 2.589, 7: 2.693, 8: 2.780, 9: 2.855, 10: 2.920}


def long(values: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each block and method."""
    return values.rename_axis("run").reset_index().melt("run", var_name="hcm", value_name="auroc")


def constant_order(methods: int = 5, runs: int = 10) -> pd.DataFrame:
    # The gaps differ from run to run, so that signed ranks have no ties.
    values = np.linspace(0.9, 0.5, methods) * np.linspace(0.8, 1, runs)[:, None]
    return pd.DataFrame(values, columns=[f"m{i}" for i in range(methods)])


def range_tail(q: float, k: int) -> float:
    """P(range of k standard normals > q), by integrating over the smallest of them."""
    inner = quad(
        lambda z: norm.pdf(z) * (norm.cdf(z + q) - norm.cdf(z)) ** (k - 1),
        *(-9, 9),
        epsabs=1e-12,
        limit=400,
    )[0]
    return 1 - k * inner


@pytest.mark.parametrize("table", [(0.05, Q_05), (0.1, Q_10)], ids=["5 %", "10 %"])
def test_the_critical_difference_is_the_papers(table: tuple[float, dict[int, float]]) -> None:
    alpha, known = table
    for k, q in known.items():
        expected = q * np.sqrt(k * (k + 1) / (6 * 30))
        # the paper prints three decimals, the last of which is rounded or cut
        assert critical_difference(k, 30, alpha) == pytest.approx(expected, rel=5e-4)


def test_nemenyi_is_the_closed_form_to_six_digits() -> None:
    rng = np.random.default_rng(0)
    found = compare(long(pd.DataFrame(rng.random((12, 6)))), blocks=["run"])
    for a in found.methods:
        for b in found.methods:
            gap = abs(found.mean_ranks[a] - found.mean_ranks[b]) / np.sqrt(6 * 7 / (6 * 12))
            expected = 1.0 if a == b else range_tail(gap * np.sqrt(2), 6)
            assert found.p_values.loc[a, b] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("posthoc", ["nemenyi", "wilcoxon"])
def test_a_constant_order_gives_no_nan(posthoc: str) -> None:
    found = compare(long(constant_order()), blocks=["run"], posthoc=posthoc)
    assert found.mean_ranks.tolist() == [1, 2, 3, 4, 5]
    assert found.p_values.notna().to_numpy().all()
    assert found.concordance == pytest.approx(1)
    # chi-square of 4 degrees of freedom at n (k - 1) = 40: exp(-20) * (1 + 20)
    assert found.statistic == pytest.approx(40)
    assert found.p_value == pytest.approx(np.exp(-20) * 21)
    if posthoc == "nemenyi":
        expected = [range_tail(gap * np.sqrt(2) / np.sqrt(5 * 6 / 60), 5) for gap in range(1, 5)]
        np.testing.assert_allclose(found.p_values.iloc[0, 1:], expected, atol=1e-6)
    else:  # the exact test of ten equal signs, 2 / 2^10, times ten pairs
        assert found.p_values.to_numpy()[np.triu_indices(5, 1)] == pytest.approx(
            20 / 1024, abs=0.01
        )


def test_equal_results_share_a_rank_and_differ_in_nothing() -> None:
    same = constant_order() * 0 + 0.7
    for posthoc in ("nemenyi", "wilcoxon"):
        found = compare(long(same), blocks=["run"], posthoc=posthoc)
        assert found.ranks.eq(3).to_numpy().all()
        assert (found.statistic, found.p_value, found.concordance) == (0, 1, 0)
        np.testing.assert_array_equal(found.p_values, 1)
        assert found.cliques == [("m0", "m1", "m2", "m3", "m4")]


def test_friedman_of_demsars_example() -> None:
    # Demsar 2006, table 6: AUC of C4.5 and three variants on 14 data sets; chi2 = 9.28
    columns = {
        "C4.5": "763 599 954 628 882 936 661 583 775 1000 940 619 972 957",
        "m": "768 591 971 661 888 931 668 583 838 1000 962 666 981 978",
        "cf": "771 590 968 654 886 916 609 563 866 1000 965 614 975 946",
        "m+cf": "798 569 967 657 898 931 685 625 875 1000 962 669 973 970",
    }
    values = pd.DataFrame({name: np.array(text.split(), float) for name, text in columns.items()})
    found = compare(long(values), blocks=["run"])
    expected = {"m+cf": 1.964, "m": 2.000, "cf": 2.893, "C4.5": 3.143}
    assert found.mean_ranks.round(3).to_dict() == expected
    # the paper leaves ties uncorrected
    n, k = 14, 4
    plain = 12 * n / (k * (k + 1)) * ((found.mean_ranks**2).sum() - k * (k + 1) ** 2 / 4)
    assert plain == pytest.approx(9.28, abs=0.005)
    assert found.statistic >= plain  # the correction divides by what ties take away
    assert found.p_value < 0.05
    assert found.critical_difference == pytest.approx(1.25, abs=0.005)


def test_what_is_not_available_is_left_out_and_counted_never_zero() -> None:
    values = constant_order(methods=4, runs=8)
    values.loc[2, "m0"] = np.nan
    values["m3"] = np.nan
    found = compare(long(values), blocks=["run"])
    assert found.left_out == ("m3",)
    assert found.n_missing.to_dict() == {"m0": 1, "m1": 0, "m2": 0, "m3": 8}
    assert found.n_dropped == 1
    assert found.n_blocks == 7
    assert found.mean_ranks.to_dict() == {"m0": 1, "m1": 2, "m2": 3}
    table = found.table()
    assert np.isnan(table.loc["m3", "mean_rank"])
    assert table.loc["m0", "auroc"] == pytest.approx(values["m0"].mean())  # of the other seven


def test_undefined_figures_of_evaluate_reach_no_mean_and_no_rank() -> None:
    rng = np.random.default_rng(0)
    scores = pd.DataFrame(rng.random((40, 3)), columns=["a", "b", "c"])
    some = [rng.random(40) < 0.3 for _ in range(3)]
    truths = [np.zeros(40, bool), np.ones(40, bool), *some]
    tables = [evaluate(scores, truth, n_resamples=0) for truth in truths]
    one_row = evaluate(scores.head(1), np.array([True]), n_resamples=0)
    results = pd.concat(
        [table.assign(run=run) for run, table in enumerate([*tables, one_row])], ignore_index=True
    )
    for metric in ("auroc", "auprc"):
        found = compare(results, metric=metric, blocks=["run"])
        assert found.n_missing.tolist() == [3, 3, 3]
        assert found.n_results.tolist() == [3, 3, 3]
        assert found.n_blocks == 3
        known = pd.concat(tables[2:]).groupby("hcm")[metric].mean()
        pd.testing.assert_series_equal(
            found.table()[metric].sort_index(), known, check_names=False, check_index_type=False
        )


def test_repetitions_of_a_block_are_averaged() -> None:
    rows = [("x", "a", 0.9), ("x", "a", 0.5), ("x", "b", 0.8), ("x", "b", 0.4)]
    found = compare(pd.DataFrame(rows, columns=["run", "hcm", "auroc"]), blocks=["run"])
    assert found.figures.loc["x"].to_dict() == pytest.approx({"a": 0.7, "b": 0.6})
    assert np.isnan(found.p_value)  # two methods, one block: no Friedman test


def test_a57_a_mean_over_fewer_seeds_than_others_have_is_left_out_and_told() -> None:
    """10 blocks x 3 seeds, one method n/a in the hardest seed."""
    auroc = {"a": (0.9, 0.8, 0.3), "b": (0.8, 0.7, 0.2), "c": (0.85, 0.75, np.nan)}
    rows = [
        (block, seed, hcm, value)
        for block in range(10)
        for hcm, values in auroc.items()
        for seed, value in enumerate(values)
    ]
    table = pd.DataFrame(rows, columns=["run", "seed", "hcm", "auroc"])
    found = compare(table, blocks=["run"])
    assert found.methods == ["a", "b"]  # c's mean of two seeds, .8, would be the best
    assert found.left_out == ("c",)
    assert found.n_incomplete == 10
    assert "10 means of fewer seeds left out" in repr(found)
    table.loc[table["run"] > 0, "auroc"] = table["auroc"].fillna(0.25)
    found = compare(table, blocks=["run"])  # c lacks a seed of one block only
    assert sorted(found.methods) == ["a", "b", "c"]
    assert (found.n_blocks, found.n_dropped, found.n_incomplete) == (9, 1, 1)
    absent = compare(table.dropna(), blocks=["run"])  # as if the row had never been there
    assert (absent.n_blocks, absent.n_incomplete) == (9, 1)


def test_a_block_may_hold_what_is_none() -> None:
    rows = [(None, "a", 0.9), (None, "b", 0.8), ("x", "a", 0.7), ("x", "b", 0.9)]
    table = pd.DataFrame(rows, columns=["model", "hcm", "auroc"]).assign(p=[0.1, 0.1, 0.3, 0.3])
    for blocks in (["model"], ["model", "p"], ["p"]):
        found = compare(table, blocks=blocks)
        assert found.figures["a"].tolist() == [0.9, 0.7]
        assert found.figures.index.names == blocks


def test_any_names_and_any_alpha() -> None:
    values = constant_order()
    renamed = long(values).rename(columns={"run": "case no", "hcm": "who?", "auroc": "f 1"})
    found = compare(renamed, metric="f 1", method="who?", blocks=["case no"], alpha=0.2)
    assert found.alpha == 0.2
    assert found.critical_difference == critical_difference(5, 10, 0.2) < critical_difference(5, 10)
    assert "f 1" in found.table()
    lower = compare(long(values), blocks=["run"], higher_is_better=False)
    assert lower.methods == found.methods[::-1]


def test_groups_may_overlap_in_range_without_being_one() -> None:
    names = list("abcdefg")
    p = pd.DataFrame(0.001, index=names, columns=names)
    for group in ("abd", "cefg"):
        for first in group:
            for second in group:
                p.loc[first, second] = 0.9
    assert cliques(p) == [("a", "b", "d"), ("c", "e", "f", "g")]
    assert best_group(p) == ["a", "b", "d"]


def test_nemenyis_groups_are_those_closer_than_the_critical_difference() -> None:
    ranks = pd.Series({"a": 1.0, "b": 1.9, "c": 2.8, "d": 4.3})
    assert 0.9 < critical_difference(4, 20) < 1.8
    assert cliques(nemenyi(ranks, 20)) == [("a", "b"), ("b", "c")]


def test_holm_of_a_textbook_case() -> None:
    # Holm's steps by hand: .01 x 4, .02 x 3, then the largest so far
    assert holm([0.02, 0.01, 0.03, 0.5]) == pytest.approx([0.06, 0.04, 0.06, 0.5])
    assert holm([0.9, 0.8]) == pytest.approx([1, 1])


def test_mistakes_are_told() -> None:
    table = long(constant_order())
    with pytest.raises(DataError, match=r"no column 'aurok'.*auroc"):
        compare(table, metric="aurok", blocks=["run"])
    with pytest.raises(SpecError, match="posthoc is 'nemenyj'"):
        compare(table, blocks=["run"], posthoc="nemenyj")
    with pytest.raises(SpecError, match="alpha is 5"):
        compare(table, blocks=["run"], alpha=5)
    with pytest.raises(DataError, match="1 methods have a figure"):
        compare(table, blocks=["run"], methods=["m0"])
    gaps = constant_order(methods=2, runs=2)
    gaps.loc[0, "m0"] = gaps.loc[1, "m1"] = np.nan
    with pytest.raises(DataError, match="in none of 2 blocks"):
        compare(long(gaps), blocks=["run"])


def _values(seed: int, ties: bool) -> pd.DataFrame:
    """Return results of 7 methods on 25 blocks, methods of different skill."""
    rng = np.random.default_rng(seed)
    values = rng.normal(np.linspace(0.6, 0.9, 7), 0.15, (25, 7))
    return pd.DataFrame(values.round(1) if ties else values, columns=list("abcdefg"))


@pytest.mark.parametrize("ties", [False, True], ids=["no ties", "ties"])
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("posthoc", ["nemenyi", "wilcoxon"])
def test_p_values_are_those_of_scikit_posthocs(posthoc: str, seed: int, ties: bool) -> None:
    values = _values(seed, ties)
    found = compare(long(values), blocks=["run"], posthoc=posthoc).p_values
    if posthoc == "nemenyi":
        expected = scikit_posthocs.posthoc_nemenyi_friedman(values)
    else:
        expected = scikit_posthocs.posthoc_wilcoxon(
            values.melt(var_name="hcm", value_name="auroc"), "auroc", "hcm", p_adjust="holm"
        )
    expected = expected.loc[found.index, found.columns]
    # the studentized range is integrated numerically, to six digits or so, in both
    np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), atol=1e-6)
    assert 0 < (found.to_numpy() < 0.05).sum() < found.size - len(found)
