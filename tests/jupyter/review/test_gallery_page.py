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


def page(run: Run, rows, decided=lambda _: None):
    return SampleViews(run, run.dataset).page(np.array(rows, dtype=np.int64), "el2n", decided)


def test_a_page_is_strict_json_with_the_samples_in_order(images):
    part = page(images, [5, 3], {3: Decision("relabel", "t", 1), 5: Decision("drop", "t")}.get)
    content = json.loads(json.dumps(part.content, allow_nan=False))
    assert content["kind"] == "image"
    assert [tile["row"] for tile in content["tiles"]] == [5, 3]
    assert [tile["label"] for tile in content["tiles"]] == [
        str(images.details["label"].iloc[row]) for row in (5, 3)
    ]
    classes = SampleViews(images, None).classes
    assert [tile["decision"] for tile in content["tiles"]] == ["drop", f"relabel → {classes[1]}"]
    assert content["tiles"][0]["score"] == f"{images.scores['el2n'].iloc[5]:.4g}"
    suggested = images.details["suggested"].iloc[3]
    code = content["tiles"][1]["suggested"]
    assert code == -1 if suggested != suggested else classes[code] == str(suggested)


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
    picture = np.asarray(Image.open(io.BytesIO(SampleViews(run, data).picture(0))))
    assert picture.shape == (200, 100, 3)


def test_rows_show_the_columns_as_they_were_given(table):
    part = page(table, [2, 1])
    assert part.content["kind"] == "table"
    assert part.content["columns"] == list("abcdef")
    assert part.buffers == []
    first = table.dataset.original.iloc[1]
    assert part.content["tiles"][0]["cells"][0] == "missing"
    assert part.content["tiles"][1]["cells"] == [f"{first[name]:.4g}" for name in "abcdef"]
    facts = dict(SampleViews(table, table.dataset).facts(1))
    assert facts[EVIL] == EVIL
    assert facts["label"] == EVIL


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
    assert SampleViews(texts, texts.dataset).text(4) == whole


def test_without_data_there_are_ids_labels_and_scores(images):
    views = SampleViews(images, None)
    part = views.page(np.array([1]), "el2n", lambda _: None)
    assert part.content["kind"] == "table"
    assert "cells" not in part.content["tiles"][0]
    assert views.picture(1) == b""
    assert views.text(1) == ""


def test_an_empty_page_has_no_sprite(images):
    part = page(images, [])
    assert part.content["tiles"] == []
    assert part.content["sprite"] is None
    assert part.buffers == []


def test_the_truth_is_told_with_the_label_before(images):
    hard = int(np.flatnonzero(images.truth["is_hard"])[0])
    facts = dict(SampleViews(images, images.dataset).facts(hard))
    assert facts["ground truth"] == "made hard"
    assert facts["original label"] == str(images.truth["original_label"].iloc[hard])


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
    assert dict(SampleViews(run, run.dataset).facts(0))["income"] == "12263"
