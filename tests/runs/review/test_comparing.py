"""Two runs, or two methods, side by side."""

from __future__ import annotations

import gc
import pickle
import weakref
from dataclasses import replace

import altair as alt
import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau, rankdata, spearmanr

from hcat_nb.api.characterize import characterize
from hcat_nb.errors import DataError, UnknownNameError
from hcat_nb.runs.review.comparing import compare_methods, compare_runs


def _run(seed: int):
    return characterize(
        "wine",
        hardness="uniform",
        p=0.1,
        epochs=2,
        methods="loss vog",
        data_seed=0,
        model_seed=seed,
    )


@pytest.fixture(scope="module")
def runs():
    return _run(1), _run(2)


def test_runs_agree_as_scipy_says_and_samples_keep_their_ids(runs):
    first, second = runs
    found = first.compare(second, by="vog")
    table = found.agreement.set_index("first")
    assert list(table.index) == ["loss", "vog"]
    for name in ("loss", "vog"):
        expected = spearmanr(first.scores[name], second.scores[name]).statistic
        assert table.loc[name, "spearman"] == pytest.approx(expected)
    moved = found.moved
    assert set(moved.index) == set(first.scores.index)
    assert moved["moved"].abs().is_monotonic_decreasing
    there = pd.Series(rankdata(-second.scores["vog"]), second.scores.index)
    assert np.array_equal(moved["rank_second"], there.loc[moved.index])
    assert np.array_equal(moved["score_first"], first.scores["vog"].loc[moved.index])
    assert moved["label"].tolist() == first.details["label"].loc[moved.index].tolist()
    assert moved["is_hard"].tolist() == first.truth["is_hard"].loc[moved.index].tolist()


def test_kendall_is_measured_unless_it_is_not_wanted(runs):
    first, second = runs
    expected = kendalltau(first.scores["vog"], second.scores["vog"]).statistic
    assert first.compare(second).agreement["kendall"][1] == pytest.approx(expected)
    assert first.compare(second, kendall=False).agreement["kendall"].isna().all()
    assert first.compare_methods("loss", "vog", kendall=False).agreement["kendall"].isna().all()


def test_order_does_not_matter_and_strangers_are_counted(runs):
    first, second = runs
    rows = np.random.default_rng(0).permutation(178)[:100]
    tables = {
        name: getattr(second, name).iloc[rows] for name in ("scores", "details", "truth", "flags")
    }
    found = first.compare(replace(second, **tables))
    assert len(found.moved) == 100
    assert found.n_unmatched == 78
    ids = second.scores.index[rows]
    expected = spearmanr(first.scores["loss"].loc[ids], second.scores["loss"].loc[ids]).statistic
    assert found.agreement["spearman"][0] == pytest.approx(expected)
    assert "78 samples in one only" in repr(found)


def test_a_saved_run_is_found_by_its_folder(runs, tmp_path):
    first, second = runs
    folder = second.save(tmp_path / "second")
    assert first.compare(folder).agreement.equals(first.compare(second).agreement)


def test_labels_that_differ_stand_side_by_side(runs):
    first, second = runs
    labels = second.details["label"].to_numpy(copy=True)
    labels[3] = labels[100]
    changed = replace(second, details=second.details.assign(label=pd.Categorical(labels)))
    moved = first.compare(changed).moved
    assert {"label_first", "label_second"} <= set(moved)
    differ = moved.index[moved["label_first"].astype(str) != moved["label_second"].astype(str)]
    assert differ.tolist() == [first.scores.index[3]]


def test_where_relabelled_samples_went_is_said_first(runs):
    first, second = runs
    assert first.compare(second).relabelled() == ""
    by = first.methods[0]
    some = first.scores[by].nlargest(4).index  # among the hardest tenth
    labels = first.details["label"].astype(object)
    other = {one: next(x for x in labels.unique() if x != labels[one]) for one in some}
    labels.loc[some] = [other[one] for one in some]
    scores = first.scores.copy()
    scores.loc[some[:3], by] = scores[by].min() - 1  # three of them are easy now
    changed = replace(
        first,
        scores=scores,
        details=first.details.assign(label=pd.Categorical(labels)),
    )
    found = first.compare(changed, by=by)
    k = int(found.agreement["top_k"].iloc[0])
    said = found.relabelled()
    assert said.startswith(f"4 relabelled: 3 of the 4 among the {k} hardest are there no longer")
    assert "to 177); 3 others came in" in said  # the three at the end share its middle rank


def test_methods_of_one_run(image_run):
    found = image_run.compare_methods("aum", "vog")
    assert found.agreement[["first", "second"]].to_numpy().tolist() == [["aum", "vog"]]
    expected = spearmanr(image_run.scores["aum"], image_run.scores["vog"]).statistic
    assert found.agreement["spearman"][0] == pytest.approx(expected)
    assert repr(found).startswith("<TwoRankings: aum and vog: Spearman ")
    assert len(repr(found)) < 160


def test_the_chart_draws_every_sample_at_its_ranks(runs):
    first, second = runs
    chart = first.compare(second, names=("old", "new")).chart()
    assert isinstance(chart, alt.LayerChart)
    spec = chart.to_dict()
    assert spec["title"]["subtitle"] == "178 samples"
    assert spec["layer"][1]["encoding"]["x"]["title"] == "old (share of easier samples)"
    assert "made hard" in chart.to_json()
    mine = first.compare(second).chart(title="mine").to_dict()
    assert mine["description"] == "mine: 178 samples"


def test_a_comparison_holds_no_run_and_no_dataset():
    first, second = _run(1), _run(2)
    found = first.compare(second)
    watched = [weakref.ref(one) for run in (first, second) for one in (run, run.dataset)]
    del first, second
    gc.collect()
    assert [one() for one in watched] == [None] * 4
    assert len(pickle.dumps(found)) < 50_000  # 178 samples in seven columns


def test_what_is_not_defined_is_told(runs):
    first, _ = runs
    flat = replace(first, scores=first.scores.assign(loss=np.float32(1)))
    assert "n/a (all scores of one are equal)" in repr(first.compare(flat))


def test_mistakes_are_told(runs):
    first, second = runs
    with pytest.raises(UnknownNameError, match=r"'vgo' is not a method of both runs.*vog"):
        first.compare(second, by="vgo")
    with pytest.raises(DataError, match="'loss' is compared with itself"):
        compare_methods(first, "loss", "loss")
    with pytest.raises(DataError, match="with a int; expected a run, or the folder of a saved"):
        compare_runs(runs[0], 5)
    with pytest.raises(DataError, match="two names"):
        compare_runs(first, second, names=("a", "a"))
    strange = {
        name: getattr(second, name).set_axis([f"s{i}" for i in range(178)], axis=0)
        for name in ("scores", "details", "truth")
    }
    with pytest.raises(DataError, match="share no sample: ids like 0 and 's0'"):
        first.compare(replace(second, **strange))
    twice = {
        name: getattr(second, name).set_axis(np.arange(178) // 2, axis=0)
        for name in ("scores", "details", "truth")
    }
    with pytest.raises(DataError, match="ids repeat"):
        first.compare(replace(second, **twice))
    other = replace(second, info={**second.info, "methods": {"aum": {}}})
    with pytest.raises(DataError, match="share no method"):
        first.compare(other)
