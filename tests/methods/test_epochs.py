"""Books of who was measured when, and means over epochs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from hcat_nb.errors import SpecError
from hcat_nb.methods._epochs import MeanOverEpochs
from hcat_nb.methods.base import Context
from hcat_nb.observation.record import Need, Observation
from hcat_nb.registry import METHODS


@dataclass(eq=False)
class MeanLogit(MeanOverEpochs):
    """Mean of the first logit, and of its square."""

    name = "mean_logit"
    title = "Mean logit"
    paper = "none"
    needs = frozenset({Need.LOGITS})
    hard_when = "high"
    detects = frozenset()
    looks_at_labels = False
    cost = "none"
    misleads = "always"
    columns = 2

    def values(self, record):
        return torch.stack([record.logits[:, 0], record.logits[:, 0] ** 2], dim=1)


def play(values, seen, n_epochs=None):
    """Feed ``values`` (E, n) of the rows ``seen`` (E, n)."""
    method = MeanLogit()
    method.begin(Context(torch.zeros(values.shape[1], dtype=torch.int64), 2, n_epochs or len(seen)))
    for epoch, (row_values, row_seen) in enumerate(zip(values, seen, strict=True), start=1):
        rows = torch.from_numpy(np.flatnonzero(row_seen))
        logits = torch.from_numpy(row_values).float()[rows, None].repeat(1, 2)
        for part in rows.split(3):
            at = torch.isin(rows, part)
            method.observe(Observation("epoch", epoch, part, torch.zeros_like(part), logits[at]))
    return method


def test_mean_of_what_was_seen_and_the_status_that_says_so():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(6, 40)).astype(np.float32)
    seen = rng.random((6, 40)) < 0.7
    seen[:, 5], seen[:, 6] = False, True
    method = play(values, seen)
    scored = method.scores()
    for i in range(40):
        kept = values[seen[:, i], i].astype(np.float64)
        if len(kept):
            # float32 values, summed in float64
            np.testing.assert_allclose(method.means()[i], [kept.mean(), (kept**2).mean()], 1e-6)
        else:
            assert scored.scores[i].isnan()
        expected = "" if len(kept) == 6 else f"{len(kept)}_of_6_epochs"
        assert scored.status[i] == expected
    assert scored.status[5] == "0_of_6_epochs"


def test_epochs_that_never_came_do_not_count_as_missed():
    seen = np.ones((3, 4), dtype=bool)
    seen[1, 0] = False
    method = play(np.ones((3, 4)), seen, n_epochs=10)
    assert method.n_heard == 3
    assert method.scores().status == ["2_of_3_epochs", "", "", ""]


def test_many_epochs_keep_small_values():
    values = np.full((2000, 1), 1e-4)
    values[0] = 1e4  # in float32 what follows would be lost
    mean = play(values, np.ones((2000, 1), dtype=bool)).means()[0, 0].item()
    np.testing.assert_allclose(mean, (1e4 + 1999 * float(np.float32(1e-4))) / 2000, rtol=1e-12)


def test_first_epoch_that_was_not_finite():
    values = np.ones((4, 5))
    assert play(values, np.ones((4, 5), dtype=bool)).broken_since() is None
    values[2, 4] = np.inf
    values[3, 0] = np.nan
    assert play(values, np.ones((4, 5), dtype=bool)).broken_since() == 3


@pytest.mark.parametrize("n_epochs", [1, 2, 5, 10])
def test_the_second_half_of_the_epochs_alone_can_be_averaged(n_epochs):
    values = np.random.default_rng(0).normal(size=(n_epochs, 12)).astype(np.float32)
    method = MeanLogit()
    method.epochs = "second_half"
    method.begin(Context(torch.zeros(12, dtype=torch.int64), 2, n_epochs))
    rows = torch.arange(12)
    for epoch in range(1, n_epochs + 1):
        logits = torch.from_numpy(values[epoch - 1])[:, None].repeat(1, 2)
        assert method.due(epoch) == (epoch > n_epochs / 2)
        method.observe(Observation("epoch", epoch, rows, torch.zeros_like(rows), logits))
    expected = values[n_epochs // 2 :].astype(np.float64).mean(0)
    np.testing.assert_allclose(method.raw(), expected, rtol=1e-6)
    assert not any(method.scores().status)


@pytest.mark.parametrize("name", ["aum", "dataiq", "datamaps", "el2n", "loss"])
def test_every_averaging_method_takes_the_option(name, run, feed, softmax):
    labels, logits = run
    kind = "train" if name == "aum" else "epoch"
    method = feed(METHODS.get(name)(epochs="second_half"), labels, logits, kind=kind)
    late = logits[2:]  # 3 to 5 of 5
    p, own = softmax(late), np.eye(4)[labels]
    p_y = (p * own).sum(-1)
    others = np.where(own == 1, -np.inf, late).max(-1)
    expected = {
        "aum": -((late * own).sum(-1) - others),
        "dataiq": (1 - p_y) ** 2,
        "datamaps": 1 - p_y,
        "el2n": np.sqrt(((p - own) ** 2).sum(-1)),
        "loss": -np.log(p_y),
    }
    np.testing.assert_allclose(method.scores().scores, expected[name].mean(0), rtol=2e-5, atol=1e-6)
    with pytest.raises(SpecError, match=rf"{name}\.epochs is 'last'"):
        METHODS.get(name)(epochs="last")


def test_one_epoch_alone_has_no_half():
    for options in ({"at": 2}, {"variant": "hcat"}):
        with pytest.raises(SpecError, match="one epoch alone counts"):
            METHODS.get("el2n")(epochs="second_half", **options)
