"""Pairs of samples, before and after: which ones, what they show, safe HTML."""

from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from hcat_nb.data.loading import load
from hcat_nb.errors import DataError, SpecError
from hcat_nb.perturbations._apply import perturb
from hcat_nb.runs.review.before_after import before_and_after

DIGITS, WINE = load("digits", subset=100, seed=0), load("wine")


def test_pictures_are_the_two_images_of_each_chosen_sample():
    harder = perturb(DIGITS, "zoom_shift", p=0.3, seed=0)
    pairs = before_and_after(DIGITS, harder, k=5)
    assert len(pairs) == len(pairs.pictures) == 5
    assert pairs.truth["is_hard"].all()
    for sample, pictures in zip(pairs.truth.index, pairs.pictures, strict=True):
        row = DIGITS.sample_ids.get_loc(sample)
        for dataset, picture in zip((DIGITS, harder.dataset), pictures, strict=True):
            pixels = np.asarray(Image.open(io.BytesIO(picture)))
            assert np.array_equal(pixels, np.round(dataset.features[row, 0].numpy() / 16 * 255))
    page = pairs._repr_html_()
    assert page.count("<img ") == 10
    assert "5 of 30 samples made hard by zoom_shift" in page


def test_what_only_its_label_tells_apart_is_one_picture():
    page = before_and_after(DIGITS, perturb(DIGITS, "uniform", p=0.3, seed=0), k=5)._repr_html_()
    assert page.count("<img ") == page.count("&rarr;") == 5


def test_samples_are_spread_over_the_dataset():
    harder = perturb(WINE, "uniform", p=0.5, seed=0)
    hard = np.flatnonzero(harder.truth["is_hard"])
    shown = before_and_after(WINE, harder, k=3).truth.index
    assert shown.tolist() == [hard[0], hard[44], hard[88]]
    assert len(before_and_after(WINE, harder, k=1000)) == len(hard) == 89


def test_a_table_shows_what_changed_and_marks_it():
    harder = perturb(WINE, "atypical", p=0.1, seed=0, column="alcohol")
    pairs = before_and_after(WINE, harder, k=2)
    assert pairs.pictures == []
    assert pairs.features is not None
    for place, sample in enumerate(pairs.truth.index):
        assert np.array_equal(pairs.features[place, "before"], WINE.features[sample])
        assert np.array_equal(pairs.features[place, "after"], harder.dataset.features[sample])
    page = pairs._repr_html_()
    marked = re.findall(r"<tr><th>(\w+)</th>(?:(?!</tr>).)*background", page)
    assert marked == ["alcohol"]
    assert page.count("background:") == 2


def test_a_changed_label_is_marked_in_pictures_and_tables():
    for dataset in (DIGITS, WINE):
        harder = perturb(dataset, "uniform", p=0.1, seed=0)
        pairs = before_and_after(dataset, harder, k=4)
        page = pairs._repr_html_()
        assert page.count("background:") == 4
        assert ("All 13 features stay as they were" in page) is (dataset is WINE)
        for old, new in zip(
            pairs.truth["original_label"], pairs.truth["observed_label"], strict=True
        ):
            assert re.search(rf"{old}( &rarr; |</td>)<[^>]*background[^>]*>{new}<", page)


def test_of_a_mixture_each_kind_is_shown_and_named():
    harder = perturb(DIGITS, {"uniform": 0.1, "crop_shift": 0.2}, seed=0)
    pairs = before_and_after(DIGITS, harder, k=2)
    assert pairs.truth["hardness"].tolist() == ["crop_shift"] * 2 + ["uniform"] * 2
    page = pairs._repr_html_()
    assert "4 of 30 samples made hard by crop_shift, uniform" in page
    assert f"<br>uniform: {pairs.truth.index[-1]}<" in page


def test_a_wide_table_is_cut_and_says_so():
    rng = np.random.default_rng(0)
    wide = load(rng.normal(size=(50, 45)), np.arange(50) % 2)
    pairs = before_and_after(wide, perturb(wide, "id_covariate", p=0.1, seed=0), k=1)
    assert pairs.features is not None
    assert pairs.features.index[44] == "column 44"
    page = pairs._repr_html_()
    assert "<th>column 39</th>" in page
    assert "<th>column 40</th>" not in page
    assert "and 5 further features" in page


def test_nothing_hard_shows_nothing():
    for dataset in (DIGITS, WINE):
        pairs = before_and_after(dataset, perturb(dataset, None))
        assert len(pairs) == 0
        assert "0 of 0 samples made hard: before and after" in pairs._repr_html_()
        assert repr(pairs)


def test_ids_may_repeat_and_rows_that_hold_nothing_count_as_equal():
    table = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, np.inf]])
    frame = pd.DataFrame(table, index=[7, 7, 7, 7]).assign(y=[0, 1, 0, 1])
    dataset = load(frame, target="y", on_bad_row="keep")
    pairs = before_and_after(dataset, perturb(dataset, "uniform", p=0.5, seed=0))
    assert pairs.truth.index.tolist() == [7, 7]
    assert pairs._repr_html_().count("background:") == 2


@pytest.mark.parametrize("k", [0, 2.5, "ten"])
def test_k_is_a_number_of_samples(k):
    with pytest.raises(SpecError, match="k is"):
        before_and_after(WINE, perturb(WINE, "uniform", p=0.1), k)


def test_two_datasets_of_other_samples_are_refused():
    with pytest.raises(DataError, match=r"do not hold the same samples; expected the dataset"):
        before_and_after(WINE, perturb(DIGITS, "uniform", p=0.1))


@pytest.mark.parametrize("images", [True, False])
def test_names_with_html_show_as_text(images):
    evil = "<img src=x onerror=alert(1)>"
    x = torch.arange(40 * 64).reshape(40, 1, 8, 8).to(torch.uint8)
    table = pd.DataFrame({evil: np.arange(40.0)}).set_axis([f"<i>{i}" for i in range(40)])
    labels = np.where(np.arange(40) % 2, evil, "<b>")
    data = load(x, labels) if images else load(table, labels)
    page = before_and_after(data, perturb(data, "uniform", p=0.1))._repr_html_()
    assert "<img src=x" not in page
    assert "<i>" not in page
    assert "<b>" not in page
