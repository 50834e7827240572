"""Means over seeds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hcat_nb.evaluation.seed_means import seed_means


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
