"""Tiles: what they say, and pictures that are those of their samples."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import Run
from hcat_nb.data.loading import load
from hcat_nb.jupyter.review.gallery_page import SampleViews, kept_words, number_words
from hcat_nb.runs.review.decision import Decision
from hcat_nb.runs.review.queue import queue_of

N = 40
EVIL = "<b id=evil>bold</b>"


def _train(data, **options) -> Run:
    return characterize(data, epochs=1, methods="el2n", seed=0, **options)


@pytest.fixture(scope="module")
def images() -> Run:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (N, 8, 6), dtype=np.uint8)
    return _train(load(pixels, ["oak", EVIL] * (N // 2)), hardness="uniform", p=0.2)


@pytest.fixture(scope="module")
def table() -> Run:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(N, 7)), columns=list("abcdefg"))
    frame[EVIL] = pd.Categorical(["red", EVIL] * (N // 2))
    frame.loc[2, "a"] = np.nan
    frame["y"] = ["oak", EVIL] * (N // 2)
    return _train(load(frame, target="y", impute="median"))


@pytest.fixture(scope="module")
def texts() -> Run:
    words = [f"{EVIL} number {i} " + "word " * 200 for i in range(N)]
    return _train(load(pd.DataFrame({"t": words, "y": [0, 1] * (N // 2)}), target="y", text="t"))


def views(run: Run, data: object = None) -> SampleViews:
    return SampleViews(run, data or run.dataset, queue_of(run).codes)


def page(run: Run, rows, decided=lambda _: None):
    return views(run).page(np.array(rows, dtype=np.int64), "el2n", decided)


def test_a_page_is_strict_json_with_the_samples_in_order(images):
    part = page(images, [5, 3], {3: Decision("relabel", "t", 1), 5: Decision("drop", "t")}.get)
    content = json.loads(json.dumps(part.content, allow_nan=False))
    assert content["kind"] == "image"
    assert [tile["row"] for tile in content["tiles"]] == [5, 3]
    assert [tile["label"] for tile in content["tiles"]] == [
        str(images.details["label"].iloc[row]) for row in (5, 3)
    ]
    classes = views(images).classes
    assert [tile["decision"] for tile in content["tiles"]] == ["drop", f"relabel → {classes[1]}"]
    assert content["tiles"][0]["score"] == f"{images.scores['el2n'].iloc[5]:.4g}"
    assert content["tiles"][1]["suggested"] == queue_of(images).codes[3]


def test_an_order_that_was_handed_in_has_no_score(images):
    part = views(images).page(np.array([1, 2]), "queue", lambda _: None)
    assert [tile["score"] for tile in part.content["tiles"]] == ["", ""]


def test_the_sprite_holds_each_image_at_its_place(images):
    rows = [7, 0, 39, *range(10, 20)]
    part = page(images, rows)
    where = part.content["sprite"]
    sheet = np.asarray(Image.open(io.BytesIO(part.buffers[0])))
    assert sheet.shape == (where["rows"] * where["pixels"], where["columns"] * where["pixels"], 2)
    for place, row in enumerate(rows):
        y, x = (where["pixels"] * one for one in divmod(place, where["columns"]))
        cell = sheet[y : y + 8, x + 1 : x + 7]  # 6 wide, in the middle of 8
        assert np.array_equal(cell[..., 0], images.dataset.features[row, 0].numpy())
        assert (cell[..., 1] == 255).all()
    assert sheet[..., 1].sum() == 255 * 8 * 6 * len(rows)  # the rest is transparent


def test_large_colour_images_are_reduced_and_keep_their_shape():
    pixels = torch.zeros(4, 3, 200, 100, dtype=torch.uint8)
    pixels[:, 0] = 200
    data = load(pixels, [0, 1, 0, 1])
    run = _train("digits", subset=4)
    run.dataset = data
    part = page(run, [0, 1])
    assert part.content["sprite"]["pixels"] == 96
    sheet = np.asarray(Image.open(io.BytesIO(part.buffers[0])))
    assert sheet.shape == (96, 192, 4)
    assert sheet[50, 48].tolist() == [200, 0, 0, 255]
    assert sheet[50, 5].tolist() == [0, 0, 0, 0]
    whole, small, note = views(run, data).picture(0)
    assert (small, note) == (b"", "")
    assert np.asarray(Image.open(io.BytesIO(whole))).shape == (200, 100, 3)


def test_rows_show_the_columns_as_they_were_given(table):
    part = page(table, [2, 1])
    assert part.content["kind"] == "table"
    assert part.content["columns"] == list("abcdef")
    assert part.buffers == []
    first = table.dataset.original.iloc[1]
    assert part.content["tiles"][0]["cells"][0] == "missing"
    assert part.content["tiles"][1]["cells"] == [f"{first[name]:.4g}" for name in "abcdef"]
    assert dict(views(table).values(1))[EVIL] == EVIL


def test_a_table_of_numbers_shows_its_features():
    run = _train("wine")
    part = page(run, [0])
    assert part.content["columns"] == list(run.dataset.feature_names[:6])
    assert part.content["tiles"][0]["cells"][0] == f"{float(run.dataset.features[0, 0]):.4g}"


def test_texts_are_cut_in_the_gallery_and_whole_beside_it(texts):
    part = page(texts, [4])
    assert part.content["kind"] == "text"
    assert part.content["tiles"][0]["text"].startswith(f"{EVIL} number 4 ")
    assert len(part.content["tiles"][0]["text"]) == 400
    whole = texts.dataset.original["t"].iloc[4]
    assert views(texts).text(4) == whole


def test_without_data_there_are_ids_labels_and_scores(images):
    bare = SampleViews(images, None, queue_of(images).codes)
    part = bare.page(np.array([1]), "el2n", lambda _: None)
    assert part.content["kind"] == "table"
    assert "cells" not in part.content["tiles"][0]
    assert bare.picture(1) == (b"", b"", "")
    assert bare.text(1) == ""
    assert bare.strip(np.array([1]), 40) == (b"", [""])


def test_an_empty_page_has_no_sprite(images):
    part = page(images, [])
    assert part.content["tiles"] == []
    assert part.content["sprite"] is None
    assert part.buffers == []


def _photos(folder):
    """Two classes of pictures larger than what is trained on."""
    rng = np.random.default_rng(0)
    for name in ("elm", "oak"):
        (folder / name).mkdir(parents=True)
        for number in range(6):
            pixels = rng.integers(0, 256, (90, 60, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def test_a_picture_is_the_file_on_disk_and_the_reduced_one_beside_it(tmp_path):
    folder = _photos(tmp_path / "photos")
    run = _train(str(folder))
    whole, small, note = views(run).picture(0)
    assert Image.open(io.BytesIO(whole)).size == (60, 90)
    assert Image.open(io.BytesIO(small)).size == tuple(run.dataset.sample_shape[:0:-1])
    assert note == ""
    (folder / run.details.index[0]).unlink()
    seen, nothing, note = views(run).picture(0)
    assert (seen, nothing) == (small, b"")
    assert "cannot be read" in note


def test_a_picture_that_was_made_hard_is_shown_as_it_was_trained_on(tmp_path):
    run = _train(str(_photos(tmp_path / "photos")), hardness="zoom_shift", p=0.5)
    hard = np.flatnonzero(run.truth["is_hard"])
    assert len(hard)
    for row in range(len(run.scores)):
        assert (views(run).picture(row)[1] == b"") == (row in hard)


def test_neighbours_are_a_strip_or_lines(images, table, texts):
    picture, words = views(images).strip(np.array([3, 5, 7]), 40)
    assert Image.open(io.BytesIO(picture)).size == (24, 8)
    assert words == [""] * 3
    assert views(texts).strip(np.array([4]), 40)[1][0].startswith(f"{EVIL} number 4")
    assert views(table).strip(np.array([2]), 40)[1][0].startswith("missing, ")


def test_numbers_as_words():
    assert [number_words(value) for value in (0.123456, 3.0, float("nan"))] == [
        "0.1235", "3", "n/a",
    ]  # fmt: skip


def test_where_decisions_are_kept_as_words(table, tmp_path):
    decisions = table.decisions()
    assert kept_words(decisions).endswith("run.save(folder) or run.explore(file=...) keeps them")
    decisions.keep_in(tmp_path / "d.json")
    assert kept_words(decisions) == f"0 decisions (none yet); kept in {tmp_path / 'd.json'}"


def test_numbers_of_a_table_are_not_rounded_like_scores():
    frame = pd.DataFrame({"income": [12263.0, -1234567.8, 0.1], "y": ["oak", "elm", "oak"]})
    run = _train(load(frame, target="y"))
    cells = [tile["cells"] for tile in page(run, [0, 1, 2]).content["tiles"]]
    assert cells == [["12263"], ["-1234568"], ["0.1"]]
    assert dict(views(run).values(0))["income"] == "12263"


def test_where_the_pointer_rests_proposal_decision_and_columns_are_told(images, table, texts):
    proposals = np.full(N, -1)
    proposals[[1, 2]] = 1 - views(images).labels[1], views(images).labels[2]
    shown = SampleViews(images, images.dataset, proposals)
    decided = {1: Decision("drop", "t")}.get
    told, picture = shown.page(np.array([1]), "el2n", decided).tip(shown.classes)
    assert (told["row"], told["decision"], told["pixels"]) == (1, "drop", 8)
    assert told["label"] == shown.name(shown.labels[1])
    assert told["proposal"] == shown.classes[proposals[1]]
    assert Image.open(io.BytesIO(picture[0])).size == (8, 8)
    own = shown.page(np.array([2]), "el2n", decided).tip(shown.classes)[0]
    assert (own["proposal"], own["decision"]) == ("", "")  # what it is already
    told, picture = page(table, [2]).tip(views(table).classes)
    assert dict(told["values"])["a"] == "missing"
    assert picture == []
    assert page(texts, [2]).tip(views(texts).classes)[0]["text"].startswith(f"{EVIL} number 2")
