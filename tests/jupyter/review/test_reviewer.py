"""Decisions as the queue asks for them, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest

from hcat_nb.api.characterize import characterize
from hcat_nb.errors import DataError
from hcat_nb.jupyter.review.exploration import Exploration
from hcat_nb.jupyter.review.reviewer import Reviewer
from hcat_nb.runs.review.queue import queue_of


@pytest.fixture
def reviewer():
    run = characterize("wine", epochs=1, methods="el2n", seed=0)
    label = run.details["label"]
    names = list(label.cat.categories)
    other = dict(zip(names, names[1:] + names[:1], strict=True))
    rows = [{"sample_id": one, "proposal": other[label[one]]} for one in (3, 4)]
    queue = queue_of(run, [*rows, {"sample_id": 5}])
    exploration = Exploration(run, run.decisions().codes, queue)
    return Reviewer(exploration, run.decisions(), "", [str(one) for one in label.cat.categories])


def _act(reviewer, action, rows, code=-1):
    return reviewer.act("act", {"action": action, "rows": rows, "code": code})


def test_what_cannot_be_accepted_is_counted(reviewer):
    words, bad = _act(reviewer, "accept", [3, 4, 5])
    assert words == "2 samples relabelled as proposed, 1 skipped: no label is proposed"
    assert not bad
    words, bad = _act(reviewer, "accept", [5])
    assert bad
    assert words.startswith("0 samples relabelled")
    assert len(reviewer.decisions) == 2


def test_what_becomes_of_a_wrong_label_is_said(reviewer):
    words, bad = _act(reviewer, "mislabeled", [5])
    assert words.startswith("1 sample: mislabeled: left without a label when applied")
    assert "run.apply(mislabeled=)" in words
    assert not bad


def test_nothing_to_undo_is_bad_news(reviewer):
    assert reviewer.act("undo", {}) == ("nothing to undo", True)
    _act(reviewer, "keep", [3])
    assert reviewer.act("undo", {}) == ("1 sample taken back", False)
    assert reviewer.act("redo", {}) == ("1 sample done again", False)


def test_where_ids_repeat_it_says_so(reviewer):
    bare = Reviewer(Exploration(characterize("wine", epochs=1, methods="el2n", seed=0)), None,
                    "decisions are off", ["0"])  # fmt: skip
    with pytest.raises(DataError, match="decisions are off"):
        bare.act("undo", {})
    assert np.flatnonzero(reviewer.decisions.codes() >= 0).size == 0
