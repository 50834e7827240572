"""Causes: named where the signals tell them apart, unclear where they do not."""

from __future__ import annotations

import numpy as np

from hcat_nb.audits.causes import FINE, UNCLEAR, causes
from hcat_nb.audits.ranking import Copies

KINDS = ["mislabel", "off"]


def world(apart: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = np.full(1500, -1)
    codes[:150], codes[150:300] = 0, 1
    x = rng.normal(size=(1500, 4))
    x[:300, 0] += 4  # faulty
    x[:150, 1] += apart
    x[150:300, 1] -= apart
    return x, codes


def found(apart: float):
    x, codes = world(apart, 0)
    clean, truth = world(apart, 1)
    copies = Copies({}, x, codes, np.arange(len(codes)))
    return causes(copies, [clean], KINDS, seed=0), truth


def test_what_is_told_apart_is_named_right_and_fine_rows_are_not_doubted():
    why, truth = found(3.0)
    verdicts = why.verdicts()
    assert (verdicts[truth < 0] == FINE).mean() > 0.95
    for code, name in enumerate(KINDS):
        named = verdicts[truth == code]
        named = named[(named != FINE) & (named != UNCLEAR)]
        assert len(named) > 75
        assert (named == name).mean() > 0.95
    assert (why.table["right"] > 0.9).all()
    assert (why.table["auroc"] > 0.95).all()
    np.testing.assert_allclose(why.evidence.sum(axis=1), 1)


def test_what_is_not_told_apart_is_unclear():
    why, truth = found(0.0)
    verdicts = why.verdicts()[truth >= 0]
    doubted = verdicts[verdicts != FINE]
    assert (doubted == UNCLEAR).mean() > 0.9
    assert (why.table["named"] < 0.1).all()


def test_one_cause_needs_no_telling_apart():
    x, codes = world(0.0, 0)
    codes[codes == 1] = -1
    why = causes(Copies({}, x, codes, np.arange(len(codes))), [x], ["mislabel"], seed=0)
    assert set(why.verdicts()) == {FINE, "mislabel"}
