"""Forgetting against a literal loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.errors import SpecError
from hcat_nb.methods.forgetting import Forgetting
from hcat_nb.observation.record import Need


def by_loop(labels, logits, skipped):
    """Return events and the first correct epoch, sample by sample."""
    events, first = [], []
    for i, y in enumerate(labels):
        before, count, learned = None, 0, -1
        for epoch, z in enumerate(logits, start=1):
            if i in skipped.get(epoch, []):
                continue
            right = bool(np.argmax(z[i]) == y)
            if before is True and not right:
                count += 1
            if right and learned == -1:
                learned = epoch
            before = right
        events.append(count)
        first.append(learned)
    return np.array(events), np.array(first)


@pytest.mark.parametrize("kind", ["train", "epoch"])
@pytest.mark.parametrize("skipped", [{}, {2: [0, 1, 2], 3: [1], 5: [0, 4]}])
def test_equals_a_literal_loop(run, feed, kind, skipped):
    labels, logits = run
    events, first = by_loop(labels, logits, skipped)
    assert (first == -1).any()
    assert set(events) == {0, 1, 2}
    when = {"train": "train", "epoch": "epoch_end"}[kind]
    method = feed(Forgetting(when=when), labels, logits, kind=kind, skipped=skipped)
    assert method.scores().scores.tolist() == np.where(first == -1, 5, events).tolist()
    details = method.details()
    assert details["forgetting_events"].tolist() == events.tolist()
    assert details["first_learned"].tolist() == first.tolist()
    assert method.flagged().tolist() == ((events > 0) | (first == -1)).tolist()


def test_a_skipped_presentation_is_no_forgetting(feed):
    right, wrong = [1.0, 0.0], [0.0, 1.0]
    logits = np.array([[right, right], [wrong, wrong], [right, right]])
    labels = np.array([0, 0])
    scored = feed(Forgetting(), labels, logits, kind="train", skipped={2: [0]}).scores()
    assert scored.scores.tolist() == [0, 1]
    assert scored.status == ["2_of_3_epochs", ""]


def test_never_learned_lies_above_every_possible_count(feed):
    n_epochs = 6
    right, wrong = [1.0, 0.0], [0.0, 1.0]
    most = [right if epoch % 2 == 0 else wrong for epoch in range(n_epochs)]
    logits = np.array([[a, wrong] for a in most])
    scores = feed(Forgetting(), np.array([0, 0]), logits, kind="train").scores().scores
    assert scores.tolist() == [3, 6]


def test_rows_that_were_not_judged_are_not_applicable(run, feed):
    labels, logits = run
    labels = labels.copy()
    labels[0] = -1
    always = {epoch: [1] for epoch in range(1, 6)}
    for when, kind in (("train", "train"), ("epoch_end", "epoch")):
        method = feed(Forgetting(when=when), labels, logits, kind=kind, skipped=always)
        for column in method.details().values():
            assert torch.nonzero(column.isnan()).ravel().tolist() == [0, 1]
        assert not method.flagged()[:2].any()
        assert method.scores().status[:2] == ["no_label", "0_of_5_epochs"]


def test_predictions_of_a_diverged_model_count_for_nothing(run, feed):
    from hcat_nb.errors import ScoreError

    labels, logits = run
    logits = logits.copy()
    logits[2] = np.nan
    with pytest.raises(ScoreError, match="from epoch 3 on"):
        feed(Forgetting(), labels, logits, kind="train").scores()


def test_card_names_the_second_key_and_the_option_the_records():
    assert Forgetting.ties == "mean_loss"
    assert Forgetting().needs == {Need.TRAIN_LOGITS}
    assert Forgetting(when="epoch_end").needs == {Need.LOGITS}
    with pytest.raises(SpecError, match=r"forgetting.when is 'always'.*train, epoch_end"):
        Forgetting(when="always")


def test_hcat_takes_what_was_never_learned_for_easy(run, feed):
    labels, logits = run
    events, first = by_loop(labels, logits, {})
    method = feed(Forgetting(variant="hcat"), labels, logits)
    assert method.needs == {Need.LOGITS}
    np.testing.assert_allclose(method.scores().scores, events / 5, rtol=1e-6)  # float32
    assert (events[first == -1] == 0).all()
    assert method.flagged().tolist() == (events > 0).tolist()
