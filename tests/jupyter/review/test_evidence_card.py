"""The evidence card: what it says of an image, a text and a row."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hcat_nb.api.characterize import characterize
from hcat_nb.data.loading import load
from hcat_nb.jupyter.review.evidence_card import EvidenceCards
from hcat_nb.jupyter.review.exploration import Exploration
from hcat_nb.jupyter.review.gallery_page import SampleViews
from hcat_nb.runs.review.queue import queue_of


def _card(run, row, queue=None, **options):
    asked = queue_of(run, queue)
    views = SampleViews(run, run.dataset, asked.codes)
    cards = EvidenceCards(run, run.dataset, views, asked)
    card, pictures = cards.card(row, Exploration(run, None, asked), **options)
    json.dumps(card, allow_nan=False)  # it travels as JSON
    return card, pictures


@pytest.fixture(scope="module")
def digits():
    return characterize(
        "digits", subset=150, epochs=2, methods="aum,el2n", seed=0, hardness="uniform", p=0.1,
        keep_dynamics="logits",
    )  # fmt: skip


def test_an_image_has_both_curves_and_neighbours_of_both_labels(digits):
    label = digits.details["label"]
    other = next(one for one in label.cat.categories if one != label.iloc[7])
    queue = [{"sample_id": digits.details.index[7], "proposal": other, "probability": 0.71}]
    card, pictures = _card(digits, 7, queue)
    assert (card["label"], card["proposal"]) == (str(label.iloc[7]), str(other))
    mean = digits.details["confidence"].iloc[7]
    assert card["sentence"] == (
        f"{other} has a probability of 71 %; {label.iloc[7]} had {100 * mean:.0f} % on average "
        "over the epochs."
    )
    assert [one["role"] for one in card["curves"]] == ["given", "proposed"]
    assert [len(one["values"]) for one in card["curves"]] == [2, 2]
    assert [one["title"] for one in card["near"]] == [
        f"nearest labelled {label.iloc[7]}", f"nearest labelled {other}",
    ]  # fmt: skip
    for one, value in zip(card["near"], (label.iloc[7], other), strict=True):
        assert {label.astype(str)[int(name)] for name in one["names"]} == {str(value)}
        assert str(digits.details.index[7]) not in one["names"]
    total = sum(len(one["names"]) for one in card["near"])
    assert Image.open(io.BytesIO(pictures["near"])).size == (8 * total, 8)
    assert [name for name, _, _ in card["scores"]] == [
        "first_look", "aum", "el2n", "linear", "knn_label",
    ]  # fmt: skip


def test_the_rank_is_that_of_the_order_shown(digits):
    first = digits.hardest(1).frame.index[0]
    card, _ = _card(digits, digits.details.index.get_loc(first))
    assert dict(card["facts"])["rank"] == "1 of 150"


def test_a_truth_is_told_when_it_is_revealed(digits):
    row = int(np.flatnonzero(digits.truth["is_hard"])[0])
    was = digits.truth["original_label"].iloc[row]
    assert dict(_card(digits, row)[0]["facts"])["ground truth"] == f"made hard, was {was}"
    assert "ground truth" not in dict(_card(digits, row, reveal=False)[0]["facts"])


def test_a_row_shows_its_oddest_values_and_a_text_itself():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(60, 6)), columns=list("abcdef"))
    frame.loc[9, "d"] = 1e4
    frame["y"] = ["elm", "oak"] * 30
    run = characterize(frame, target="y", epochs=1, methods="el2n", seed=0)
    card, pictures = _card(run, 9)
    assert card["odd"][0] == ("d", "10000", "larger than 97 % of oak")
    assert len(card["odd"]) == 5
    assert dict(card["values"])["a"] == f"{frame['a'].iloc[9]:.4g}"
    assert pictures["near"] == b""
    assert len(card["near"][0]["texts"]) == 5
    words = [f"a film number {i} " + ("good" if i % 2 else "bad") for i in range(60)]
    text = characterize(
        load(pd.DataFrame({"t": words, "y": [0, 1] * 30}), target="y", text="t"),
        epochs=1, methods="el2n", seed=0,
    )  # fmt: skip
    card, _ = _card(text, 4)
    assert card["text"] == words[4]
    assert card["odd"] == []
    assert card["curves"] == []
    assert "keep_dynamics" in card["note"]


def test_without_a_proposal_it_says_so(digits):
    queue = [{"sample_id": digits.details.index[7]}]
    card, _ = _card(digits, 7, queue)
    assert card["proposal"] == ""
    assert card["sentence"].startswith("No other label is proposed")
