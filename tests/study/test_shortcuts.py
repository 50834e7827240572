"""Trivial probes of the pixels."""

from __future__ import annotations

import numpy as np
import pytest

import hcat_nb as hcat
from hcat_nb.study.shortcuts import SHORTCUT_COLUMNS, shortcut_table


@pytest.fixture(scope="module")
def table():
    digits, wine = hcat.load("digits", subset=200), hcat.load("wine")
    kinds = ("uniform", "ood_covariate", "crop_shift")
    return shortcut_table([digits, wine], kinds, p=[0.2], seeds=[0, 1])


def test_images_have_the_probes_label_noise_and_tables_have_a_row(table) -> None:
    assert tuple(table.columns) == SHORTCUT_COLUMNS
    sizes = table.groupby(["dataset", "hardness", "variant"]).size()
    assert sizes["digits", "ood_covariate", "hcat"] == 3 * 2
    assert sizes["digits", "uniform", "paper"] == sizes["wine", "uniform", "hcat"] == 2
    assert sizes["wine", "ood_covariate", "paper"] == 2
    assert ("wine", "crop_shift", "paper") not in sizes  # which is for images
    assert table.loc[table["hardness"] == "uniform", "auroc"].isna().all()


def test_hcats_form_gives_itself_away_and_ours_does_not(table) -> None:
    rows = table[(table["dataset"] == "digits") & table["probe"].notna()]
    best = rows.groupby(["hardness", "variant"])["auroc"].max()
    for kind in ("ood_covariate", "crop_shift"):
        # H-CAT clamps to mid-grey, or fills with it: METHODS.md gives 1.000
        assert best[kind, "hcat"] > 0.999
    grey = rows[rows["probe"] == "mid-grey"].groupby(["hardness", "variant"])["auroc"].max()
    # Of 40 hard and 160 others a guess has a standard error of .05; these are better of two sides.
    assert grey["crop_shift", "paper"] < 0.75
    assert (rows["auroc"] >= 0.5).all()


def test_labels_that_truly_changed_are_counted(table) -> None:
    noise = table[table["hardness"] == "uniform"].set_index(["dataset", "variant"])
    ours = noise.xs("paper", level="variant")
    assert (ours["n_changed"] == ours["n_hard"]).all()
    assert (noise.loc[("digits",), "n_hard"] == 40).all()
    theirs = noise.xs("hcat", level="variant")
    assert (theirs["n_changed"] < theirs["n_hard"]).any()
    shifted = table[table["hardness"] == "crop_shift"]
    assert np.all(shifted["n_changed"] == 0)


def test_without_a_hard_sample_there_is_nothing_to_probe() -> None:
    made = shortcut_table([hcat.load("digits", subset=50)], ["crop_shift"], p=[0.0], seeds=[0])
    assert made["n_hard"].tolist() == [0, 0]
    assert made["auroc"].isna().all()
