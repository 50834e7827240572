"""What to review first: the doubted, else the hardest, or what was handed in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.api.characterize import characterize
from hcat_nb.errors import DataError, UnknownNameError
from hcat_nb.runs.review.queue import queue_of

N = 120


@pytest.fixture(scope="module")
def run():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(N, 3)), columns=list("abc"))
    frame["y"] = np.where(frame.a > 0, "elm", "oak")
    frame.index = [f"s{i}" for i in range(N)]
    return characterize(frame, target="y", epochs=2, methods="aum,el2n", seed=0)


def _proposing(run, codes):
    categories = run.details["label"].cat.categories
    details = run.details.assign(
        suggested=pd.Categorical.from_codes(codes, categories=categories),
        suggested_probability=np.where(codes >= 0, 0.6, np.nan).astype("f4"),
    )
    return run.without_data().__class__(**{**vars_of(run), "details": details})


def vars_of(run):
    import dataclasses

    return {item.name: getattr(run, item.name) for item in dataclasses.fields(run)}


def test_it_is_the_doubted_in_the_order_of_the_ranking(run):
    label = run.details["label"].cat.codes.to_numpy()
    codes = np.full(N, -1)
    codes[[4, 9, 70]] = 1 - label[[4, 9, 70]]
    codes[5] = label[5]  # its own label is no proposal
    doubting = _proposing(run, codes)
    queue = queue_of(doubting)
    order = [doubting.details.index.get_loc(one) for one in doubting.hardest(None).frame.index]
    assert queue.rows.tolist() == [row for row in order if row in (4, 9, 70)]
    assert (queue.words, queue.given, queue.codes[5]) == ("suspects", False, -1)
    assert queue.probabilities[4] == np.float32(0.6)


def test_without_proposals_it_is_the_first_fifty(run):
    queue = queue_of(_proposing(run, np.full(N, -1)))
    assert run.details.index[queue.rows].tolist() == run.hardest(50).frame.index.tolist()
    assert queue.words == "hardest"
    assert (queue.codes == -1).all()


def test_a_table_or_rows_keep_their_own_order(run):
    label = run.details["label"]
    other = {"elm": "oak", "oak": "elm"}
    frame = pd.DataFrame(
        {
            "proposal": [other[label["s7"]], None, label["s1"]],
            "probability": [0.9, np.nan, 0.2],
            "evidence": ["planted alike", None, ""],
        },
        index=pd.Index(["s7", "s30", "s1"], name="sample_id"),
    )
    for given in (frame, frame.reset_index(), frame.reset_index().to_dict("records")):
        queue = queue_of(run, given)
        assert queue.rows.tolist() == [7, 30, 1]
        assert queue.codes[[30, 1]].tolist() == [-1, -1]  # none, and its own label
        assert label.cat.categories[queue.codes[7]] == other[label["s7"]]
        assert queue.probabilities[7] == np.float32(0.9)
        assert queue.evidence == {7: "planted alike"}
        assert queue.given


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([], DataError, "names no samples"),
        ([{"id": "s1"}], DataError, "a column sample_id"),
        ([{"sample_id": "s1"}, {"sample_id": "s1"}], DataError, "'s1' stands twice"),
        ([{"sample_id": "x1"}], UnknownNameError, "x1"),
        ([{"sample_id": "s1", "proposal": "ash"}], UnknownNameError, "no class 'ash'"),
    ],
)
def test_what_is_wrong_with_a_queue_is_named(run, given, error, message):
    with pytest.raises(error, match=message):
        queue_of(run, given)


def test_progress_and_outcome_are_counted(run):
    label = run.details["label"].cat.codes.to_numpy()
    codes = np.full(N, -1)
    codes[[4, 9, 70]] = 1 - label[[4, 9, 70]]
    doubting = _proposing(run, codes)
    queue, decisions = queue_of(doubting), doubting.decisions()
    assert queue.progress(decisions) == "0 of 3 suspects reviewed"
    assert queue.outcome(decisions) == ""
    decisions.decide([4], "relabel", int(codes[4]))
    decisions.decide([9], "keep")
    decisions.decide([11], "relabel", int(1 - label[11]))  # nothing was proposed for it
    decisions.decide([12], "drop")
    decisions.decide([13], "mislabeled")
    assert queue.progress(decisions) == "2 of 3 suspects reviewed"
    said = "1 accepted, 1 kept, 1 relabelled, 1 dropped, 1 wrong"
    assert queue.outcome(decisions) == said
