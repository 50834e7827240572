from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from hcat_nb.jupyter.frames import encode, rows
from hcat_nb.jupyter.live_panels import LivePanels

N = 400
RNG = np.random.default_rng(0)
HARD = RNG.random(N) < 0.2
SCORES = {
    "aum": (RNG.normal(size=N) + HARD).astype(np.float32),
    "vog": np.full(N, np.nan, dtype=np.float32),
}
SCORES["aum"][3] = np.nan


def tables(panels: LivePanels) -> dict[str, list[dict[str, Any]]]:
    return rows(encode(1, {}, panels.datasets()))


def test_before_the_first_epoch_there_is_nothing() -> None:
    assert tables(LivePanels(["aum"])) == {"curves": [], "auroc": [], "histograms": []}


def test_curves_grow_with_each_epoch() -> None:
    panels = LivePanels(["aum"])
    panels.add_epoch(1, 2.0, 0.25)
    panels.add_epoch(2, 1.0, 0.5)
    assert tables(panels)["curves"] == [
        {"epoch": 1, "loss": 2.0, "accuracy": 0.25},
        {"epoch": 2, "loss": 1.0, "accuracy": 0.5},
    ]


def test_every_score_is_in_a_bar_of_its_kind() -> None:
    panels = LivePanels(list(SCORES), HARD)
    panels.add_scores(1, SCORES)
    bars = tables(panels)["histograms"]
    assert {bar["hcm"] for bar in bars} == {"aum"}  # nobody has a vog yet
    known = np.isfinite(SCORES["aum"])
    for mark, kind in (("made hard", HARD), ("untouched", ~HARD)):
        values = SCORES["aum"][known & kind]
        mine = [bar for bar in bars if bar["mark"] == mark]
        assert sum(bar["n"] for bar in mine) == len(values)
        low, high = min(bar["low"] for bar in mine), max(bar["high"] for bar in mine)
        assert low <= values.min() + 1e-5  # six digits of the edges
        assert high >= values.max() - 1e-5


def test_auroc_is_that_of_the_scores_so_far() -> None:
    panels = LivePanels(list(SCORES), HARD)
    panels.add_scores(1, SCORES)
    panels.add_scores(4, {"aum": -SCORES["aum"]})
    known = np.isfinite(SCORES["aum"])
    expected = roc_auc_score(HARD[known], SCORES["aum"][known])
    assert tables(panels)["auroc"] == [
        {"epoch": 1, "hcm": "aum", "auroc": pytest.approx(expected, abs=1e-6)},
        {"epoch": 4, "hcm": "aum", "auroc": pytest.approx(1 - expected, abs=1e-6)},
    ]


def test_the_last_scores_of_an_epoch_replace_those_before() -> None:
    panels = LivePanels(list(SCORES), HARD)
    panels.add_scores(3, {"aum": SCORES["aum"]})
    panels.add_scores(3, {"aum": HARD.astype(np.float32)})
    assert tables(panels)["auroc"] == [{"epoch": 3, "hcm": "aum", "auroc": 1.0}]


def test_without_a_truth_bars_are_not_parted_and_there_is_no_auroc() -> None:
    panels = LivePanels(list(SCORES))
    panels.add_scores(1, SCORES)
    shown = tables(panels)
    assert {bar["mark"] for bar in shown["histograms"]} == {"samples"}
    assert shown["auroc"] == []


def test_a_long_run_stays_small() -> None:
    panels = LivePanels(list(SCORES), HARD)
    for epoch in range(1, 1001):
        panels.add_epoch(epoch, 1.0, 0.5)
    epochs = [row["epoch"] for row in tables(panels)["curves"]]
    assert (len(epochs), epochs[0], epochs[-1]) == (200, 1, 1000)
