"""Means over seeds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.evaluation.seed_means import seed_means, with_seed_spread
from hcat_nb.evaluation.table import evaluate

TRUTH = np.array([True, True, False, False])
# AUROC 1, 3/4 and 1/2: of the four pairs, the hard one is above in 4, 3 and 2.
SEEDS = [[4, 3, 2, 1], [4, 2, 3, 1], [4, 1, 3, 2]]


def test_a_cell_with_fewer_seeds_than_others_of_its_block_has_no_mean() -> None:
    rows = pd.DataFrame(
        [
            *((None, "aum", one) for one in (0.9, 0.5)),
            *((None, "vog", one) for one in (0.8, np.nan)),
            ("x", "aum", 0.4),
            ("x", "vog", 0.6),
            ("x", "grand", np.nan),
        ],
        columns=["model", "hcm", "auroc"],
    )
    table = seed_means(rows, "auroc", ["model"], "hcm")
    assert table["mean"].round(3).fillna(-1).tolist() == [0.7, -1, 0.4, 0.6, -1]
    assert table["count"].tolist() == [2, 1, 1, 1, 0]
    assert table["incomplete"].tolist() == [False, True, False, False, False]


def measure(scores: pd.DataFrame) -> pd.DataFrame:
    return evaluate(scores, TRUTH, n_resamples=0)


def test_it_is_the_sample_standard_deviation_over_seeds():
    frames = [pd.DataFrame({"a": seed, "b": SEEDS[0]}) for seed in SEEDS]
    table = with_seed_spread(measure(frames[0]), frames, measure)
    assert list(table.columns[-3:]) == ["auroc_std", "auprc_std", "note"]
    assert table["auroc"].tolist() == [1, 1]  # those of the scores that were handed over
    assert table["auroc_std"].tolist() == pytest.approx([0.25, 0])


def test_it_is_not_defined_for_one_seed_nor_for_other_rows():
    frame = pd.DataFrame({"a": SEEDS[0]})
    assert with_seed_spread(measure(frame), [frame], measure)["auroc_std"].isna().all()
    more = measure(frame.assign(other=1.0))
    spread = with_seed_spread(more, [frame, frame], measure)["auroc_std"]
    assert spread.tolist()[0] == 0
    assert np.isnan(spread.tolist()[1])


def test_each_kind_of_hardness_has_its_own():
    truth = pd.DataFrame({"is_hard": [True, True, False, False], "hardness": ["x", "y", "", ""]})
    frames = [pd.DataFrame({"a": seed}) for seed in SEEDS[:2]]

    def both(scores: pd.DataFrame) -> pd.DataFrame:
        return evaluate(scores, truth, n_resamples=0)

    table = with_seed_spread(both(frames[0]), frames, both).set_index("hardness")
    assert table.loc["x", "auroc_std"] == 0
    assert table.loc["y", "auroc_std"] == pytest.approx(np.std([1, 0.5], ddof=1))
