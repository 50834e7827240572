"""What to look at first, against the mean of ranks in plain pandas."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import load_run
from hcat_nb.errors import UnknownNameError
from hcat_nb.runs.first_look import rankings, score_of


def test_it_is_the_mean_of_three_ranks_in_equal_parts(image_run):
    dynamics = image_run.scores[["aum", "el2n", "datamaps", "loss"]].rank(pct=True).mean(axis=1)
    judged = image_run.details[["linear", "knn_label"]].rank(pct=True)
    expected = (dynamics + judged["linear"] + judged["knn_label"]) / 3
    found = score_of(image_run, "first_look")
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found.dtype == np.float32
    assert found.between(0, 1, inclusive="right").all()
    words = "the mean rank of dynamics (aum, el2n, datamaps, loss), linear, knn_label"
    assert image_run.first_look.words == words


def test_hardest_ranks_by_it_and_says_so(image_run, tmp_path):
    hardest = image_run.hardest(9)
    assert hardest.by == "first_look"
    assert hardest.ids == score_of(image_run, "first_look").nlargest(9).index.tolist()
    assert hardest.frame["first_look"].is_monotonic_decreasing
    assert "by first_look (the mean rank of dynamics (aum" in repr(hardest)
    assert {"linear", "knn_label", "aum"} <= set(hardest.frame)
    assert load_run(image_run.save(tmp_path / "run")).hardest(9).ids == hardest.ids


def test_a_judge_ranks_too(image_run):
    hardest = image_run.hardest(5, by="knn_label")
    assert hardest.frame["knn_label"].is_monotonic_decreasing
    with pytest.raises(UnknownNameError, match=r"no method 'knn'.*knn_label"):
        image_run.hardest(by="knn")


def test_evaluate_has_its_row_before_the_baselines(image_run):
    table = image_run.evaluate(n_resamples=0).set_index("hcm")
    beside = ["first_look", "linear", "knn_label", "random", "class_frequency", "last_loss"]
    assert table.index[-6:].tolist() == beside
    assert (table.loc[beside, "kind"] == "baseline").all()
    truth = image_run.truth["is_hard"].to_numpy()
    score = score_of(image_run, "first_look").to_numpy()
    wins = (score[truth][:, None] > score[~truth]) + 0.5 * (score[truth][:, None] == score[~truth])
    assert table.loc["first_look", "auroc"] == pytest.approx(wins.mean())
    alone = image_run.evaluate(baselines=False, n_resamples=0)
    assert alone["hcm"].tolist() == image_run.methods


def test_what_is_missing_takes_no_part_and_is_named():
    options = {"epochs": 2, "seed": 0}
    no_judge = characterize("wine", methods="aum vog", judges=False, **options)
    assert no_judge.first_look.words == "the rank by dynamics (aum); without linear, knn_label"
    assert no_judge.hardest(5).ids == no_judge.hardest(5, by="aum").ids
    no_dynamics = characterize("wine", methods="vog", **options)
    assert no_dynamics.first_look.words.endswith(
        "linear, knn_label; without dynamics (aum, el2n, datamaps, loss)"
    )
    neither = characterize("wine", methods="vog", judges=False, **options)
    assert neither.first_look is None
    assert neither.hardest(5).by == "vog"
    assert rankings(neither) == ["vog"]
    measured = characterize("wine", methods="vog", judges=False, hardness="uniform", **options)
    assert "first_look" not in set(measured.evaluate()["hcm"])


def test_a_run_of_before_there_were_judges_ranks_by_what_it_has(table_run):
    info = {name: value for name, value in table_run.info.items() if name != "judges"}
    details = table_run.details.drop(columns=["linear", "knn_label"])
    old = dataclasses.replace(table_run, info=info, details=details)
    hardest = old.hardest(5)
    assert hardest.by == "first_look"
    assert "dynamics (aum, el2n); without linear, knn_label" in repr(hardest)


def test_a_sample_that_a_judge_passed_over_is_ranked_by_the_others(table_run):
    details = table_run.details.copy()
    first = details.index[0]
    details.loc[first, "linear"] = np.nan
    run = dataclasses.replace(table_run, details=details)
    dynamics = run.scores[["aum", "el2n"]].rank(pct=True).mean(axis=1)
    expected = (dynamics + details["knn_label"].rank(pct=True))[first] / 2
    assert score_of(run, "first_look")[first] == pytest.approx(expected)
    scores, details = run.scores.assign(aum=np.nan, el2n=np.nan), details.assign(knn_label=np.nan)
    nothing = dataclasses.replace(run, scores=scores, details=details)
    assert pd.isna(score_of(nothing, "first_look")[first])
