from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from hcat_nb.errors import DataError
from hcat_nb.evaluation.table import COLUMNS, FLAGGED_COLUMNS, evaluate

METRICS = [
    name
    for name in COLUMNS
    if name.startswith(("auroc", "auprc", "precision", "recall", "f1", "tied"))
]


def make(n=400, seed=0):
    rng = np.random.default_rng(seed)
    hard = rng.permutation(n) < n // 10
    ids = pd.Index([f"s{i}" for i in range(n)], name="sample_id")
    scores = pd.DataFrame(
        {
            "aum": rng.normal(size=n) + 2 * hard,
            "forgetting": rng.integers(0, 3, size=n) + hard,
        },
        index=ids,
        dtype="float32",
    )
    truth = pd.DataFrame(
        {"is_hard": hard, "hardness": np.where(hard, "uniform", "none")}, index=ids
    )
    return scores, truth


def test_columns_and_figures():
    scores, truth = make()
    table = evaluate(scores, truth)
    assert tuple(table.columns) == COLUMNS
    assert table.hcm.tolist() == ["aum", "forgetting"]
    assert table.hardness.tolist() == ["uniform"] * 2
    assert table.n_hard.tolist() == [40, 40]
    assert table.base_rate.tolist() == [0.1, 0.1]
    for _, row in table.iterrows():
        values = scores[row.hcm]
        # Sums in another order: a few units in the last place.
        assert math.isclose(row.auroc, roc_auc_score(truth.is_hard, values), abs_tol=1e-12)
        area = average_precision_score(truth.is_hard, values)
        assert math.isclose(row.auprc, area, abs_tol=1e-12)
        assert math.isclose(row.auprc_lift, area / 0.1, abs_tol=1e-9)
        assert row.auroc_low < row.auroc < row.auroc_high
        assert row.auprc_low < row.auprc < row.auprc_high
    top = scores.aum.nlargest(40).index
    assert math.isclose(table.precision_at_k[0], truth.is_hard[top].mean())
    for name, k in (("1pct", 4), ("5pct", 20), ("10pct", 40)):
        top = scores.aum.nlargest(k).index
        assert math.isclose(table[f"precision_at_{name}"][0], truth.is_hard[top].mean())
    assert table.n_scored.tolist() == [400, 400]
    assert table.n_missing.tolist() == [0, 0]
    assert table.note.tolist() == ["", ""]


def test_a23_ties_are_half_and_rows_at_the_cut_are_counted():
    scores, truth = make()
    row = evaluate(scores[["forgetting"]], truth, n_resamples=0).iloc[0]
    cut = scores.forgetting.sort_values(ascending=False).iloc[39]
    assert row.tied_at_k == (scores.forgetting == cut).sum() > 1
    order = np.random.default_rng(1).permutation(400)
    shuffled = evaluate(scores[["forgetting"]].iloc[order], truth.iloc[order], n_resamples=0)
    pd.testing.assert_series_equal(row, shuffled.iloc[0])
    assert evaluate(scores[["aum"]], truth, n_resamples=0).tied_at_k[0] == 1


@pytest.mark.parametrize(
    ("hard", "note"),
    [
        ([False] * 60, "no sample is hard"),  # p = 0, or a p by which no row is flagged
        ([True] * 60, "every sample is hard"),
        ([True], "one sample only"),
        ([False], "one sample only"),
    ],
)
def test_a27_one_class_is_not_available_with_a_reason_and_never_zero(hard, note):
    scores = pd.DataFrame({"aum": np.linspace(0, 1, len(hard)), "loss": 0.0})
    truth = pd.DataFrame({"is_hard": hard})
    table = evaluate(scores, truth, flagged=scores > 0.5)
    assert table.note.tolist() == [note] * 2
    figures = [*METRICS, *(name for name in FLAGGED_COLUMNS if name != "n_flagged")]
    assert table[figures].isna().all(axis=None)
    assert table.n_hard.tolist() == [sum(hard)] * 2
    assert math.isnan(table.auroc.mean())  # so a mean over runs leaves it out


def test_a27_dtypes_do_not_depend_on_what_is_available():
    scores, truth = make()
    full = evaluate(scores, truth, n_resamples=10).dtypes
    assert evaluate(scores, truth.is_hard & False, n_resamples=10).dtypes.equals(full)


def test_a28_figures_are_equal_for_all_forms_of_truth():
    scores, truth = make()
    wanted = evaluate(scores, truth.is_hard, n_resamples=20)
    flags = truth.is_hard.to_numpy()
    hard_ids = truth.index[flags]
    for form in (flags, flags.astype(int), flags.astype(float), set(hard_ids), list(hard_ids)):
        pd.testing.assert_frame_equal(evaluate(scores, form, n_resamples=20), wanted)
    words = np.where(flags, "hard", "easy")
    for text in (words, words.astype(object), words.tolist(), pd.Series(words, truth.index)):
        with pytest.raises(DataError, match="truth holds '"):
            evaluate(scores, text)


def test_truth_in_another_order_is_lined_up_by_id():
    scores, truth = make()
    wanted = evaluate(scores, truth, n_resamples=20)
    shuffled = truth.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(evaluate(scores, shuffled, n_resamples=20), wanted)


def test_rows_without_a_score_are_left_out_and_counted():
    scores, truth = make()
    gone = scores.index[::5]
    holed = scores.copy()
    holed.loc[gone, "aum"] = np.nan
    table = evaluate(holed, truth, n_resamples=50)
    kept = evaluate(scores.drop(gone)[["aum"]], truth.drop(gone), n_resamples=50)
    assert table.n_missing.tolist() == [80, 0]
    same = [name for name in COLUMNS if name != "n_missing"]
    pd.testing.assert_frame_equal(table[same].iloc[:1], kept[same])
    # The other method is as it would be without the first.
    alone = evaluate(scores[["forgetting"]], truth, n_resamples=50)
    pd.testing.assert_frame_equal(table.iloc[1:].reset_index(drop=True), alone)


def test_no_score_at_all_and_none_of_a_hard_sample():
    scores, truth = make()
    scores["aum"] = np.nan
    scores.loc[truth.is_hard, "forgetting"] = np.nan
    table = evaluate(scores, truth)
    assert table.note.tolist() == ["no sample has a score", "no hard sample has a score"]
    assert table[METRICS].isna().all(axis=None)
    assert table.n_scored.tolist() == [0, 360]


def test_several_kinds_each_against_the_untouched():
    scores, truth = make()
    hard = np.flatnonzero(truth.is_hard)
    truth.loc[truth.index[hard[:15]], "hardness"] = "far_ood"
    table = evaluate(scores, truth, n_resamples=50)
    assert list(zip(table.hcm, table.hardness, strict=True)) == [
        ("aum", "far_ood"), ("aum", "uniform"),
        ("forgetting", "far_ood"), ("forgetting", "uniform"),
    ]  # fmt: skip
    for kind, count in (("far_ood", 15), ("uniform", 25)):
        part = truth.hardness.isin([kind, "none"])
        alone = evaluate(scores[part], truth[part], n_resamples=50)
        assert alone.n_hard.tolist() == [count] * 2
        mine = table[table.hardness == kind].reset_index(drop=True)
        pd.testing.assert_frame_equal(mine, alone)


def test_too_few_rows_for_a_share():
    scores = pd.Series(np.arange(20.0))
    row = evaluate(scores, scores > 14, n_resamples=0).iloc[0]
    assert math.isnan(row.precision_at_1pct)
    assert row.precision_at_5pct == row.precision_at_10pct == 1.0
    assert row.note == "1% of 20 samples is none"


def test_flagged_by_the_methods_own_threshold():
    scores, truth = make()
    flagged = pd.DataFrame({"aum": scores.aum > 1.5}, index=scores.index)
    table = evaluate(scores, truth, flagged=flagged, n_resamples=0)
    assert tuple(table.columns) == (*COLUMNS[:-1], *FLAGGED_COLUMNS, "note")
    hits = (flagged.aum & truth.is_hard).sum()
    assert table.n_flagged.tolist() == [flagged.aum.sum(), pd.NA]
    assert math.isclose(table.precision_flagged[0], hits / flagged.aum.sum())
    assert math.isclose(table.recall_flagged[0], hits / 40)
    assert math.isclose(table.f1_flagged[0], 2 * hits / (flagged.aum.sum() + 40))
    assert table.precision_flagged.isna().tolist() == [False, True]


def test_a_series_and_the_position_column():
    scores, truth = make()
    assert evaluate(scores.aum, truth, n_resamples=0).hcm.tolist() == ["aum"]
    assert evaluate(scores.aum.rename(None), truth, n_resamples=0).hcm.tolist() == ["score"]
    with_position = scores.assign(position=range(400))
    assert evaluate(with_position, truth, n_resamples=0).hcm.tolist() == ["aum", "forgetting"]


def test_intervals_are_seeded_and_the_input_is_left_alone():
    scores, truth = make()
    before = scores.copy(), truth.copy()
    first, again, other = (evaluate(scores, truth, n_resamples=50, seed=s) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert (first.auroc_low != other.auroc_low).all()
    assert first.auroc.equals(other.auroc)
    pd.testing.assert_frame_equal(scores, before[0])
    pd.testing.assert_frame_equal(truth, before[1])


def test_it_survives_parquet(tmp_path):
    scores, truth = make()
    table = evaluate(scores, truth, flagged=scores > 1, n_resamples=10)
    table.to_parquet(tmp_path / "table.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "table.parquet"), table)


def test_bad_scores():
    scores, truth = make()
    with pytest.raises(DataError, match="there are no scores"):
        evaluate(scores[[]], truth)
    with pytest.raises(DataError, match="two columns of scores are called 'aum'"):
        evaluate(pd.concat([scores, scores], axis=1), truth)
    with pytest.raises(DataError, match="the scores 'word' are of type"):
        evaluate(scores.assign(word="high"), truth)
    with pytest.raises(DataError, match="expected a DataFrame"):
        evaluate(scores.to_numpy(), truth)
    with pytest.raises(DataError, match="flagged names 'vog', which has no scores"):
        evaluate(scores, truth, flagged=pd.DataFrame({"vog": True}, index=scores.index))
    with pytest.raises(DataError, match="flagged and scores have different sample ids"):
        evaluate(scores, truth, flagged=pd.DataFrame({"aum": [True] * 400}))
    with pytest.raises(DataError, match=r"truth has 399 rows, scores have 400"):
        evaluate(scores, truth.iloc[1:])


def test_baselines_follow_the_methods():
    scores, truth = make()
    beside = pd.DataFrame({"random": np.arange(400.0)}, index=scores.index)
    table = evaluate(scores, truth, baselines=beside, n_resamples=0)
    assert table.hcm.tolist() == ["aum", "forgetting", "random"]
    assert table.kind.tolist() == ["method", "method", "baseline"]
    alone = evaluate(beside, truth, n_resamples=0)
    assert table.auroc[2] == alone.auroc[0]


def test_baselines_that_do_not_fit():
    scores, truth = make()
    with pytest.raises(DataError, match="a baseline and a method are called 'aum'"):
        evaluate(scores, truth, baselines=scores[["aum"]])
    with pytest.raises(DataError, match="different sample ids; expected the same index"):
        evaluate(scores, truth, baselines=pd.DataFrame({"random": np.arange(400.0)}))
