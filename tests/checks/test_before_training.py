"""What a run says of its data before it trains, leaves out where told, and refuses where strict."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import load_run
from hcat_nb.data.loading import load
from hcat_nb.errors import DataError, DataWarning, HcatError, SpecError

N = 240
QUICK = {"epochs": 1, "methods": "el2n", "learning_check": False, "judges": False, "seed": 0}


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(N, 3)), columns=list("pqr"))
    labels = np.where(table["p"] + 0.5 * rng.normal(size=N) > 0, "oak", "elm")
    return table.assign(y=labels)


@pytest.fixture
def faulty(frame: pd.DataFrame) -> pd.DataFrame:
    code = [f"T{i:04}" for i in np.random.default_rng(1).permutation(N)]
    leak = frame["y"].map({"oak": 4, "elm": 7})
    return frame.assign(**{"Unnamed: 0": range(N), "tree": code, "cls.1": leak, "same": 3.0})


def test_sound_data_are_trained_without_a_word(frame: pd.DataFrame) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = characterize(frame, target="y", strict=True, **QUICK)
    assert run.info["notes"] == characterize(frame, target="y", **QUICK).info["notes"]


def test_a_leak_is_warned_of_and_noted_and_a_strict_run_refuses(faulty: pd.DataFrame) -> None:
    given = {"target": "y", "dataset_options": {"drop": "tree"}, **QUICK}
    with pytest.warns(DataWarning, match=r"severe: 'cls.1' \(one value a class\)") as caught:
        run = characterize(faulty, **given)
    assert len(caught) == 1
    notes = " ".join(run.info["notes"])
    for told in ("'cls.1'", "held-out accuracy 1.00", "'Unnamed: 0': counting", "'same' is 3.0"):
        assert told in notes
    with pytest.raises(DataError, match=r"strict.*'cls.1'.*exclude='found'"):
        characterize(faulty, strict=True, **given)


@pytest.mark.parametrize("kind", ["frame", "csv", "dataset", "dict"])
def test_what_is_found_is_excluded_only_where_told(
    faulty: pd.DataFrame, kind: str, tmp_path
) -> None:
    """Also an identifier that no run reads."""
    left = ["cls.1", "Unnamed: 0", "tree", "same"]
    given = {"target": "y"}
    data: object = faulty
    if kind == "csv":
        faulty.rename(columns={"Unnamed: 0": "#"}).to_csv(tmp_path / "trees.csv", index=False)
        data, left[1] = tmp_path / "trees.csv", "#"
    elif kind == "dataset":
        data, given = load(faulty, target="y", drop="tree"), {}
        left.remove("tree")
    elif kind == "dict":
        data = faulty.to_dict("list")
    run = characterize(data, exclude="found", strict=True, **given, **QUICK)
    assert run.info["dataset"]["sample_shape"] == [3]
    assert run.info["dataset"]["notes"][-1] == f"excluded, as told: {', '.join(left)}"
    assert "without found" in repr(run)
    run.save(tmp_path / "run")
    assert load_run(tmp_path / "run").spec.exclude == ("found",)
    assert run.scores.equals(
        characterize(faulty[["p", "q", "r", "y"]], target="y", **QUICK).scores.set_axis(
            run.scores.index
        )
    )


def test_named_columns_are_excluded_and_others_are_not(faulty: pd.DataFrame) -> None:
    run = characterize(faulty, target="y", exclude=["tree", "cls.1"], **QUICK)
    assert run.info["dataset"]["sample_shape"] == [5]
    assert "excluded, as told: tree, cls.1" in run.info["dataset"]["notes"]
    with pytest.raises(HcatError, match="'clss', which is no feature"):
        characterize(faulty, target="y", exclude=["tree", "clss"], **QUICK)


def test_features_without_names_are_excluded_by_number(frame: pd.DataFrame) -> None:
    labels = frame["y"].to_numpy()
    features = np.c_[frame[["p", "q", "r"]], np.arange(N)]
    for data in (features, torch.from_numpy(features).float()):
        run = characterize(data, labels, exclude="found", **QUICK)
        assert run.info["dataset"]["notes"][-1] == "excluded, as told: 3"
        assert run.info["dataset"]["sample_shape"] == [3]
    sound = characterize(features[:, :3], labels, exclude="found", **QUICK)
    assert "nothing was found to exclude" in sound.info["dataset"]["notes"][-1]


def test_images_have_no_columns_to_exclude_and_twins_are_told() -> None:
    images = np.random.default_rng(0).integers(0, 255, (40, 8, 8), dtype=np.uint8)
    images[3] = images[6]
    labels = ["crow", "dove"] * 20
    with pytest.raises(SpecError, match="with images"):
        characterize(images, labels, exclude="found", **QUICK)
    with pytest.warns(DataWarning, match="2 equal samples have contradicting labels"):
        characterize(images, labels, **QUICK)


def test_spellings_of_a_class_are_told_before_training_and_joined_where_told(
    frame: pd.DataFrame,
) -> None:
    frame.loc[:20, "y"] = frame.loc[:20, "y"] + "."
    with pytest.warns(DataWarning, match=r"'elm' \d+, 'elm\.' \d+.*join_spellings=True"):
        run = characterize(frame, target="y", **QUICK)
    assert len(run.info["dataset"]["class_values"]) == 4
    joined = characterize(frame, target="y", join_spellings=True, strict=True, **QUICK)
    assert joined.info["dataset"]["class_values"] == ["elm", "oak"]
    assert "spellings of one class joined" in " ".join(joined.info["dataset"]["notes"])


def test_several_seeds_say_it_once(faulty: pd.DataFrame) -> None:
    with pytest.warns(DataWarning) as caught:
        run = characterize(faulty.drop(columns="tree"), target="y", seeds=2, **QUICK)
    assert len(caught) == 1
    assert "'cls.1'" in " ".join(run.info["notes"])


def test_what_was_not_looked_at_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    wide = characterize(rng.normal(size=(60, 260)), np.arange(60) % 2, **QUICK)
    assert "the first 250 columns alone" in " ".join(wide.info["notes"])
    monkeypatch.setattr("hcat_nb.checks.before_training._HASHED", 100)
    images = characterize(rng.integers(0, 255, (40, 8, 8), dtype=np.uint8), [0, 1] * 20, **QUICK)
    assert "equal images were not sought" in " ".join(images.info["notes"])
