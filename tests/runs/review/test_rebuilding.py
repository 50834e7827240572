"""The data of a loaded run, made again: the same to the bit, or an error that says why not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.api.characterize import characterize
from hcat_nb.api.characterize_dynamics import characterize_dynamics
from hcat_nb.api.run import Run, load_run
from hcat_nb.data.loading import load
from hcat_nb.errors import DataError, StoreError
from hcat_nb.runs.review.rebuilding import data_given, data_or_why
from hcat_nb.runs.store.digests import sealed, unsealed
from hcat_nb.runs.store.fingerprint import data_fingerprint

OPTIONS = {"epochs": 1, "methods": "el2n", "seed": 3}


def _again(run: Run, folder) -> Run:
    return load_run(run.save(folder / "run"))


def _same(first, second) -> None:
    assert torch.equal(first.features, second.features)
    assert torch.equal(first.labels, second.labels)
    assert first.sample_ids.equals(second.sample_ids)
    assert first.class_values == second.class_values


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"subset": 60},
        {"hardness": "uniform", "p": 0.2},
        {"hardness": "id_covariate", "p": 0.2, "subset": 60, "data_seed": 5},
        {"hardness": {"uniform": 0.1, "id_covariate": 0.1}},
    ],
    ids=str,
)
def test_named_data_come_back_to_the_bit_with_what_was_made_hard(tmp_path, more):
    run = characterize("wine", **OPTIONS, **more)
    loaded = _again(run, tmp_path)
    assert loaded.dataset is None
    _same(data_given(loaded), run.dataset)
    assert loaded.dataset is data_given(loaded)  # made once


def test_a_loaded_run_applies_decisions_to_its_noisy_data(tmp_path):
    run = characterize("wine", hardness="uniform", p=0.2, **OPTIONS)
    loaded = _again(run, tmp_path)
    wrong = loaded.truth.index[loaded.truth["is_hard"]][0]
    loaded.decisions().relabel(wrong, loaded.truth["original_label"][wrong])
    mended = loaded.apply()
    changed = torch.nonzero(mended.labels != run.dataset.labels).ravel().tolist()
    assert changed == [loaded.details.index.get_loc(wrong)]


def test_a_file_comes_back_and_a_changed_one_is_refused(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(40, 2)), columns=["a", "b"])
    frame["y"] = ["oak", "elm"] * 20
    file = tmp_path / "trees.csv"
    frame.to_csv(file, index=False)
    run = characterize(str(file), target="y", **OPTIONS)
    loaded = _again(run, tmp_path)
    frame.loc[3, "a"] = 9.0
    frame.to_csv(file, index=False)
    with pytest.raises(DataError, match=r"'trees' is not what the run .*different are: features"):
        data_given(loaded)
    data, why = data_or_why(loaded)
    assert data is None
    assert "not what the run was trained on" in why
    frame.iloc[:39].to_csv(file, index=False)
    with pytest.raises(DataError, match="number of samples was 40 and is 39"):
        data_given(loaded)


@pytest.fixture
def own() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(40, 2)), columns=["a", "b"])
    frame["kind"] = rng.choice(["x", "z"], 40)
    frame.loc[4, "a"] = np.nan
    frame["y"] = ["oak", "elm"] * 20
    return frame.set_axis([f"s{i:02}" for i in range(40)])


def test_an_object_is_asked_for_and_taken_in_as_then(tmp_path, own):
    options = {"target": "y", "dataset_options": {"impute": "median"}, "name": "trees"}
    run = characterize(own, hardness="uniform", p=0.2, **OPTIONS, **options)
    loaded = _again(run, tmp_path)
    with pytest.raises(StoreError, match=r"trained on 'trees', an object .*dataset="):
        data_given(loaded)
    _same(data_given(loaded, own), run.dataset)
    loaded.dataset = None
    with pytest.raises(DataError, match=r"different are: .*features"):
        data_given(loaded, own.assign(a=own["a"] + 1))
    with pytest.raises(DataError, match="no column 'y'"):
        data_given(loaded, own.drop(columns="y"))


def test_a_dataset_may_be_the_clean_or_the_noisy_one(tmp_path, own):
    clean = load(own, target="y", impute="median")
    run = characterize(clean, hardness="uniform", p=0.2, **OPTIONS)
    loaded = _again(run, tmp_path)
    _same(data_given(loaded, clean), run.dataset)
    assert data_given(loaded, run.dataset) is run.dataset
    with pytest.raises(DataError, match="is not what the run was trained on"):
        data_given(loaded, clean.replace(labels=1 - clean.labels))


def test_a_model_with_more_outputs_gave_the_data_its_classes(tmp_path):
    net = torch.nn.Sequential(torch.nn.Linear(13, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    rng = np.random.default_rng(0)
    features = rng.normal(size=(30, 13)).astype(np.float32)
    labels = np.arange(30) % 2  # of three classes
    run = characterize(features, labels, model=net, normalize="none", **OPTIONS)
    loaded = _again(run, tmp_path)
    assert run.dataset.class_values == (0, 1, 2)
    _same(data_given(loaded, (features, labels)), run.dataset)


def test_a_run_without_a_fingerprint_says_so(tmp_path):
    folder = characterize("wine", **OPTIONS).save(tmp_path / "run")
    record = unsealed((folder / "run.json").read_text())
    del record["info"]["dataset"]["fingerprint"]
    (folder / "run.json").write_text(sealed(record))
    with pytest.raises(StoreError, match="saved by an earlier version"):
        data_given(load_run(folder))
    probs = np.full((2, 30, 2), 0.5, dtype=np.float32)
    made = characterize_dynamics(probs, np.arange(30) % 2)
    with pytest.raises(StoreError, match="made of dynamics"):
        data_given(made)


def test_a_run_keeps_the_order_of_classes_that_it_recorded(tmp_path):
    """Texts that are numbers stood in the order of texts before: "1", "10", "2"."""
    table = pd.DataFrame({"a": np.arange(30.0), "cls": ["1", "2", "10"] * 10})
    then = load(table, target="cls", classes=["1", "10", "2"], name="table")
    loaded = _again(characterize(then, **OPTIONS), tmp_path)
    assert load(table, target="cls").class_values == ("1", "2", "10")
    made = data_given(loaded, load(table, target="cls", name="table"))
    _same(made, then)
    file = tmp_path / "table.parquet"
    table.to_parquet(file)
    run = characterize(str(file), target="cls", **OPTIONS)
    old = run.dataset.with_classes(["1", "10", "2"])
    run.info["dataset"]["class_values"] = list(old.class_values)
    run.info["dataset"]["fingerprint"] = data_fingerprint(old)
    run.dataset = None
    _same(data_given(run), old)


def test_a_truth_that_was_an_array_is_not_known_again(tmp_path):
    run = characterize("wine", truth=load("wine").label_values(), **OPTIONS)
    again = data_given(_again(run, tmp_path))
    assert again.truth is None
    _same(again, run.dataset)
