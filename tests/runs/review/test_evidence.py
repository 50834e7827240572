"""Curves of the given and the proposed label, and the oddest values of a row of its label."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.api.characterize import characterize
from hcat_nb.data.loading import load
from hcat_nb.runs.review.evidence import LabelCurves, oddest


def _run(keep):
    return characterize("digits", subset=60, epochs=3, methods="el2n", seed=0, keep_dynamics=keep)


def test_both_curves_come_from_the_logits():
    run = _run("logits")
    proposals = np.full(60, -1, dtype=np.int64)
    label = run.details["label"].cat.codes.to_numpy()
    proposals[5] = (label[5] + 1) % 10
    curves, note = LabelCurves(run, proposals).of(5)
    assert note == ""
    for code, curve in zip((label[5], proposals[5]), curves, strict=True):
        expected = []
        for epoch in (1, 2, 3):
            frame = run.logits.epoch(epoch).drop(columns="position")
            row = torch.tensor(frame.loc[run.details.index[5]].to_numpy(dtype=np.float64))
            expected.append(torch.softmax(row, 0)[code].item())
        assert curve == pytest.approx(expected, abs=1e-4)  # four digits
    curves, note = LabelCurves(run, proposals).of(6)  # nothing is proposed
    assert (len(curves), note) == (1, "")


def test_the_label_alone_comes_from_the_probabilities():
    run = _run("probs")
    proposals = np.full(60, -1, dtype=np.int64)
    proposals[5] = 3
    curves = LabelCurves(run, proposals)
    expected = run.dynamics.filter(like="epoch_").iloc[5].to_numpy()
    (own,), note = curves.of(5)
    assert own == pytest.approx(expected, abs=1e-4)
    assert "keep_dynamics='logits'" in note
    assert curves.of(6)[1] == ""


def test_a_run_that_kept_nothing_says_how_to_keep_it():
    curves, note = LabelCurves(_run("none"), np.full(60, -1)).of(0)
    assert curves == []
    assert note.startswith("no curves: keep_dynamics='logits'")


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    made = pd.DataFrame(rng.normal(size=(200, 4)), columns=["a", "b", "c", "d"])
    made["kind"] = pd.Categorical(np.where(np.arange(200) < 2, "rare", "usual"))
    made["y"] = np.where(np.arange(200) % 2 == 0, "elm", "oak")
    made.loc[0, "b"] = 90.0  # far out, for elms
    made.loc[made["y"] == "oak", "b"] = 100.0  # and usual for oaks
    made.loc[4, "c"] = -30.0
    return made


def test_what_is_far_out_in_its_class_comes_first(frame):
    data = load(frame, target="y")
    names = list(data.feature_names)
    found = oddest(data, 0)
    assert names[found[0][0]] == "b"
    assert found[0][1] == "larger than 99 % of elm"
    assert [names[at] for at, _ in found][1] == "kind"
    assert dict(found)[names.index("kind")] == "1 % of elm have it"
    assert len(found) == 5
    at, words = oddest(data, 4, most=1)[0]
    assert (names[at], words) == ("c", "smaller than 99 % of elm")


def test_a_row_without_a_label_is_compared_with_all(frame):
    data = load(frame.assign(y=frame["y"].where(frame.index != 0)), target="y",
                on_missing_label="keep")  # fmt: skip
    assert oddest(data, 0)[0][1].endswith("of these rows") or "these rows" in oddest(data, 0)[0][1]


def test_a_constant_column_is_not_odd():
    data = load(pd.DataFrame({"a": [1.0] * 6, "b": [1, 2, 3, 4, 5, 60.0], "y": list("xyxyxy")}),
                target="y")  # fmt: skip
    found = oddest(data, 5)
    assert data.feature_names[found[0][0]] == "b"
