"""The table of samples: order, words, copies by hash."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import hcat_nb as hcat


@pytest.fixture(scope="module")
def audit():
    rng = np.random.default_rng(0)
    label = np.repeat(["a", "b"], 200)
    x = rng.normal(size=(400, 3)) + 2 * (label == "b")[:, None]
    x[0] = x[399]  # the same input under another label
    return hcat.audit(
        pd.DataFrame(x), label, methods="aum el2n loss", epochs=5, seed=0, name="pairs"
    )


def test_exact_copies_in_conflict_are_told_by_hash(audit):
    told = audit.samples.loc[[0, 399]]
    assert (told["verdict"] == "the same input has another label elsewhere").all()
    assert (told["evidence"] == 1).all()
    assert (told["cause"] == "conflict").all()


def test_ranks_agree_with_the_scores(audit):
    by_el2n = audit.samples.sort_values("rank_el2n").index[:20]
    assert list(by_el2n) == audit.run.hardest(20, by="el2n").ids
    assert audit.samples["rank_el2n"].is_unique


def test_nothing_is_said_of_what_is_not_doubted(audit):
    fine = audit.samples["cause"] == ""
    assert fine.sum() > 200
    assert (audit.samples.loc[fine, "verdict"] == "").all()
    assert audit.samples.loc[fine, "evidence"].isna().all()
    assert audit.samples.loc[~fine, "evidence"].between(0, 1).all()
