"""Ranked samples: joins, ties, pictures, safe HTML."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import load_run
from hcat_nb.errors import SpecError


def test_the_hardest_come_first_with_label_suggestion_and_all_scores(image_run):
    frame = image_run.hardest(20, by="aum").frame
    assert frame["rank"].tolist() == list(range(1, 21))
    assert frame["aum"].is_monotonic_decreasing
    assert frame["aum"].iloc[0] == image_run.scores["aum"].max()
    assert list(frame.columns[:5]) == [
        "rank", "label", "suggested", "suggested_probability", "verdict",
    ]  # fmt: skip
    assert frame["is_hard"].equals(image_run.truth["is_hard"].loc[frame.index])


def test_sorting_the_table_keeps_the_join(image_run):
    frame = image_run.hardest(None).frame.sort_values("label")
    assert len(frame) == 200
    assert frame["loss"].equals(image_run.scores["loss"].loc[frame.index])


def test_ties_are_ranked_by_the_stated_second_key_and_counted(image_run):
    hardest = image_run.hardest(30, by="forgetting")
    second = image_run.details["mean_loss"].loc[hardest.frame.index].to_numpy()
    first = hardest.frame["forgetting"].to_numpy()
    for value in np.unique(first):
        assert (np.diff(second[first == value]) <= 0).all()
    assert hardest.tied_at_cut == (image_run.scores["forgetting"] == first[-1]).sum()
    assert f"{hardest.tied_at_cut} share the last score, ranked by mean_loss" in repr(hardest)


def test_samples_without_a_score_come_last():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 3)), rng.integers(0, 2, 60)
    x[5, 1] = np.nan
    run = characterize(x, y, on_bad_row="keep", epochs=2, methods="aum")
    assert run.hardest(None).ids[-1] == 5
    assert run.hardest(None).frame.loc[5, "verdict"] == "unreadable"


def test_pictures_are_the_samples(image_run):
    hardest = image_run.hardest(3)
    assert len(hardest.pictures) == 3
    pixels = np.asarray(Image.open(io.BytesIO(hardest.pictures[0])))
    row = image_run.scores.index.get_loc(hardest.ids[0])
    raw = image_run.dataset.features[row, 0].numpy()
    assert np.array_equal(pixels, np.round(raw / 16 * 255))
    assert hardest._repr_html_().count("<img ") == 3


def test_a_table_shows_a_table(table_run):
    hardest = table_run.hardest(4)
    assert hardest.pictures == []
    assert hardest._repr_html_().count("<tr>") == 4 + 1  # the second is the index's name


def test_a_loaded_run_still_ranks(image_run, tmp_path):
    loaded = load_run(image_run.save(tmp_path / "run"))
    assert loaded.hardest(9).ids == image_run.hardest(9).ids
    assert loaded.hardest(9).pictures == []


@pytest.mark.parametrize("k", [-1, 2.5, "ten", True])
def test_k_is_a_number_of_samples(table_run, k):
    with pytest.raises(SpecError, match="k is"):
        table_run.hardest(k)
    assert len(table_run.hardest(np.int64(3))) == 3


@pytest.mark.parametrize("images", [True, False])
def test_names_with_html_show_as_text(images):
    rng = np.random.default_rng(0)
    evil = "<img src=x onerror=alert(1)>"
    y = np.where(np.arange(40) % 2, evil, "<b>")
    x = rng.integers(0, 255, (40, 1, 8, 8), dtype=np.uint8) if images else rng.normal(size=(40, 3))
    run = characterize(x, y, epochs=1, methods="el2n")
    run.scores.index = run.details.index = pd.Index([f"<i>{i}" for i in range(40)])
    page = run.hardest(5)._repr_html_()
    assert "<img src=x" not in page
    assert "<b>" not in page
    assert "<i>" not in page


def test_texts_are_shown_beside_their_labels(tmp_path):
    texts = [f"{'card' if i % 2 else 'loan'} number {i}" for i in range(60)]
    run = characterize(texts, [i % 2 for i in range(60)], epochs=2, methods="aum")
    frame = run.hardest(5).frame
    assert frame["text"].tolist() == [texts[i] for i in frame.index]
    assert texts[frame.index[0]] in repr(run.hardest(5))
    run.save(tmp_path / "run")
    assert "text" not in load_run(tmp_path / "run").hardest(5).frame  # its data are not at hand


def test_a_text_column_gives_way_to_a_column_of_its_name():
    frame = pd.DataFrame({"label": [f"card {i}" for i in range(40)], "y": [0, 1] * 20})
    options = {"dataset_options": {"text": "label"}, "epochs": 2, "methods": "aum"}
    hardest = characterize(frame, target="y", **options).hardest(3).frame
    assert set(hardest["label"]) <= {0, 1}
    assert hardest["label (text)"].str.startswith("card").all()


def test_what_is_printed_shows_the_score_that_ranks_and_no_other(image_run):
    page = repr(image_run.hardest(4, by="loss"))
    assert "..." not in page
    assert {"label", "suggested", "verdict", "loss"} <= set(page.splitlines()[1].split())
    assert "aum" not in page
    assert "aum" in image_run.hardest(4, by="loss").frame
