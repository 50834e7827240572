"""Curves of the given and the proposed label, from what a run kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.api.characterize import characterize
from hcat_nb.runs.review.curves import LabelCurves


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
