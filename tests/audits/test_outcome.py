"""What an audit says in words: figures with their limits, and no count before a review."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import hcat_nb as hcat
from hcat_nb.errors import DataError, SpecError, StoreError


@pytest.fixture(scope="module")
def audit():
    return hcat.audit(
        "digits", subset=600, methods="aum el2n datamaps loss", epochs=6, seed=0,
        hardness="uniform", p=0.1,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def nobody_looked(audit):
    """Tests come in any order, and share one audit."""
    audit.run.decisions().clear(audit.samples.index)


def test_no_number_of_errors_is_told_before_anybody_looked(audit):
    text = audit.summary()
    assert "how many are wrong is not known before you look" in text
    assert "remain (" not in text
    assert re.search(r"Of 120 planted wrong labels.*\d+% would each stand among the first 60", text)
    assert repr(audit).endswith(text)


def test_answers_count_and_are_the_decisions_of_the_run(audit):
    wrong = audit.run.truth["is_hard"]
    for sample in audit.review().queue(60).index:
        review = audit.answer(sample, bool(wrong[sample]))
    assert review.reviewed == 60
    assert len(audit.run.decisions()) == 60
    found = int(wrong[audit.samples.index[:60]].sum())
    left = review.remaining()
    assert left.found == found
    assert left.low <= wrong.sum() - found <= left.high
    assert f"60 reviewed: {found} found" in audit.summary()


def test_the_explorer_opens_on_the_queue(audit):
    panel = audit.explore(k=7)
    queue = audit.review().queue(7)
    rows = panel.exploration.queue.rows
    assert audit.run.details.index[rows].tolist() == queue.index.tolist()
    told = panel.exploration.queue.evidence
    assert [told.get(row, "") for row in rows.tolist()] == queue["verdict"].tolist()
    panel.close()


def test_a_folder_that_is_no_audit_is_refused(tmp_path, audit):
    with pytest.raises(StoreError, match="holds no audit"):
        hcat.load_audit(tmp_path)
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(StoreError, match="is no audit"):
        audit.save(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_what_was_saved_is_read_as_it_was_and_damage_is_told(tmp_path, audit):
    place = audit.save(tmp_path / "a")
    again = hcat.load_audit(place)
    pd.testing.assert_frame_equal(again.samples, audit.samples)
    assert np.array_equal(again.probes, audit.probes)
    assert again.recommended == audit.recommended
    file = place / "samples.parquet"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(StoreError, match=r"samples\.parquet is damaged"):
        hcat.load_audit(place)


@pytest.mark.parametrize("answer", [[True, False], "no", None, 1])
def test_an_answer_is_one_truth_value_for_all_ids(audit, answer):
    before = len(audit.run.decisions())
    with pytest.raises(SpecError, match=r"is_wrong is .*True or False"):
        audit.answer(audit.samples.index[-2:], answer)
    assert len(audit.run.decisions()) == before


@pytest.mark.parametrize("k", [0, -3, "x", 1.5, True])
def test_a_number_of_samples_is_a_whole_one(audit, k, tmp_path):
    for call in (
        audit.review().queue,
        audit.explore,
        lambda k: audit.report(tmp_path / "a.html", k=k),
    ):
        with pytest.raises(SpecError, match="k is "):
            call(k)


def test_no_explorer_opens_where_all_is_decided(audit, monkeypatch):
    monkeypatch.setattr(type(audit.review()), "_actions", lambda self: np.full(600, "keep", object))
    with pytest.raises(DataError, match="all samples are decided on"):
        audit.explore()
