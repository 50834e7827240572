"""The review: prefix, counts and stop rules, on a run whose decisions are set by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import hcat_nb as hcat
from hcat_nb.audits.review import Review


@pytest.fixture
def review():
    run = hcat.characterize("wine", methods="loss", epochs=1, learning_check=False, seed=0)
    order = np.random.default_rng(0).permutation(run.details.index)
    samples = pd.DataFrame({"rank": np.arange(1, 179)}, index=pd.Index(order, name="sample_id"))
    return Review(run, samples, np.linspace(0, 0.2, 50))  # planted ones stand in the first fifth


def test_the_queue_is_what_is_not_decided_in_the_order_of_the_ranking(review):
    first = review.samples.index
    review.run.decisions().keep([first[0], first[2]])
    assert review.queue(3).index.tolist() == [first[1], first[3], first[4]]
    assert review.reviewed == 1  # a gap ends the prefix


def test_wrong_ones_below_a_gap_remain_no_more(review):
    first, decisions = review.samples.index, review.run.decisions()
    decisions.mislabeled(first[:20])
    before = review.remaining()
    decisions.mislabeled(first[[100, 101, 102]])
    now = review.remaining()
    assert (before.found, now.found) == (20, 23)
    assert now.estimate == max(0, before.estimate - 3)


def test_dropped_ones_are_neither_wrong_nor_right_and_relabelled_ones_are_wrong(review):
    first, decisions = review.samples.index, review.run.decisions()
    decisions.drop(first[0])
    labels = review.run.details["label"]
    other = next(one for one in labels.cat.categories if one != labels[first[1]])
    decisions.relabel(first[1], other)
    decisions.mislabeled(first[2])
    decisions.keep(first[3])
    assert review.answers.tolist() == [False, True, True, False]


def test_it_tells_when_to_stop(review):
    first, decisions = review.samples.index, review.run.decisions()
    assert "nothing reviewed" in repr(review)
    decisions.mislabeled(first[:40])
    assert not review.tenth_left
    assert not review.next_few()
    decisions.keep(first[40:140])
    assert review.tenth_left
    assert review.next_few()
    assert "you may stop: at most a tenth" in repr(review)
