"""Tables with categories and texts, from the frame to the scores."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.api.characterize import characterize
from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.reading.coerce import coerce
from hcat_nb.errors import DataError
from hcat_nb.perturbations._apply import perturb
from hcat_nb.registry import PERTURBATIONS

N = 200
TABLES = [name for name in PERTURBATIONS.names() if name != "mixture"]
TABLES = [name for name in TABLES if "table" in PERTURBATIONS.get(name).modality]


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    y = np.arange(N) % 3
    colour = np.array(["red", "green", "blue"])[np.where(rng.random(N) < 0.9, y, (y + 1) % 3)]
    return pd.DataFrame(
        {
            "colour": np.where(rng.random(N) < 0.05, None, colour),
            "size": rng.normal(y, 1, N).round(2),
            "flag": rng.integers(0, 2, N),
            "site": pd.Categorical(rng.choice(["north", "south"], N)),
            "y": y,
        }
    )


def table() -> LabelledDataset:
    return coerce(frame(), target="y")


def texts() -> LabelledDataset:
    rng = np.random.default_rng(0)
    words = [["cat", "dog"], ["car", "bus"], ["tea", "milk"]]
    y = np.arange(N) % 3
    return coerce([" ".join(rng.choice([*words[i], "the"], 4)) for i in y], y)


def rule(name: str) -> dict[str, object]:
    return {"rule_matrix": {0: 1, 1: 2, 2: 0}} if name == "instance" else {}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("p", [0.05, 0.33])
def test_exact_count_same_seed_same_result_and_all_else_as_it_was(name: str, p: float) -> None:
    given = frame()
    given.loc[::7, "size"] = np.nan
    kept = given.copy(deep=True)
    data = coerce(given, target="y", options={"impute": "median"})
    features, labels = data.features.clone(), data.labels.clone()
    first, again = (perturb(data, name, p, seed=3, **rule(name)) for _ in range(2))
    hard = torch.tensor(first.truth.is_hard)
    assert int(hard.sum()) == round(p * N)
    changed = (first.dataset.features != features).any(1) | (first.dataset.labels != labels)
    assert torch.equal(changed, hard)
    assert torch.equal(first.dataset.features, again.dataset.features)
    assert torch.equal(first.dataset.labels, again.dataset.labels)
    assert torch.equal(data.features, features)
    assert torch.equal(data.labels, labels)
    assert (first.dataset.levels, first.dataset.feature_names) == (data.levels, data.feature_names)
    pd.testing.assert_frame_equal(given, kept)
    pd.testing.assert_frame_equal(data.original, kept.drop(columns="y"))


@pytest.mark.parametrize("name", ["ood_covariate", "id_covariate", "far_ood", "atypical"])
def test_rows_that_miss_a_number_are_left_out_where_they_are_kept(name: str) -> None:
    given = frame()
    given.loc[::7, "size"] = np.nan
    data = coerce(given, target="y", on_bad_row="keep")
    after = perturb(data, name, 0.3, seed=3)
    unreadable = given["size"].isna().to_numpy()
    assert not after.truth.is_hard.to_numpy()[unreadable].any()
    assert int(after.truth.is_hard.sum()) == round(0.3 * (~unreadable).sum())


@pytest.mark.parametrize("name", TABLES)
def test_categories_change_to_categories(name: str) -> None:
    data = table()
    after = perturb(data, name, 0.2, seed=1, **rule(name))
    hard = torch.tensor(after.truth.is_hard)
    coded = [0, 3]
    before, now = data.features[hard][:, coded], after.dataset.features[hard][:, coded]
    if name == "far_ood":
        assert (before != now).all()
    else:
        assert torch.equal(before, now)
    for place, column in enumerate(coded):  # the dataset itself refuses a code without a level
        assert set(now[:, place].tolist()) <= set(range(len(data.levels[column])))


def test_far_ood_takes_each_other_category_as_often() -> None:
    data = table()
    after = perturb(data, "far_ood", 0.9, seed=1)
    hard = after.truth.is_hard.to_numpy()
    red = hard & (data.features[:, 0] == data.levels[0].index("red")).numpy()
    counts = torch.bincount(after.dataset.features[red][:, 0].long(), minlength=4)
    assert counts[data.levels[0].index("red")] == 0
    assert (counts > 0).sum() == 3  # the missing value is a level like others


def test_hcats_variants_leave_categories_and_texts_alone() -> None:
    data = table()
    for name in ("ood_covariate", "id_covariate"):
        after = perturb(data, name, 0.2, seed=1, variant="hcat").dataset
        assert torch.equal(after.features[:, [0, 3]], data.features[:, [0, 3]])


@pytest.mark.parametrize("column", ["colour", "site"])
def test_a_category_has_no_tail(column: str) -> None:
    with pytest.raises(DataError, match=f"{column!r} is no column of numbers"):
        perturb(table(), "atypical", 0.1, seed=0, column=column)


@pytest.mark.parametrize("name", ["ood_covariate", "id_covariate", "far_ood", "atypical"])
def test_words_of_texts_are_not_changed_at_random(name: str) -> None:
    with pytest.raises(DataError, match=f"'{name}' changes numbers, and .* holds texts"):
        perturb(texts(), name, 0.1, seed=0)


@pytest.mark.parametrize("name", ["domain_shift", "zoom_shift", "crop_shift"])
def test_changes_of_images_refuse_texts(name: str) -> None:
    with pytest.raises(DataError, match=f"'{name}' does not apply to table data"):
        perturb(texts(), name, 0.1, seed=0)


@pytest.mark.parametrize("rules", ["confusion", {0: 1}])
def test_plausible_classes_can_be_told_from_categories(rules: object) -> None:
    truth = perturb(table(), "instance", 0.1, seed=0, rule_matrix=rules).truth
    assert (truth.original_label != truth.observed_label).sum() == 20


@pytest.mark.parametrize("make", [table, texts])
def test_every_method_scores(make: object) -> None:
    data = make()
    options = {"epochs": 8, "lr": 0.01, "model_options": {"width": 32}}
    run = characterize(data, hardness="uniform", seed=0, **options)
    assert np.isfinite(run.scores.to_numpy()).all()
    assert run.evaluate().set_index("hcm").auroc["dataiq"] > 0.75
    assert run.info["dataset"]["notes"] == list(data.notes)
    varied = run.scores[["vog", "allsh", "grand"]].nunique()
    assert (varied > N / 10).all()


def test_a_table_of_categories_alone_is_scored() -> None:
    run = characterize(frame()[["colour", "site", "y"]], target="y", epochs=3, seed=0)
    assert np.isfinite(run.scores.to_numpy()).all()


def test_a_class_of_one_sample_beside_a_category_of_one() -> None:
    data = frame()
    data.loc[0, ["y", "colour"]] = [7, "mauve"]
    run = characterize(data, target="y", epochs=3, seed=0)
    assert run.details.loc[0, "prototypicality_status"] == "rare_class"
    assert run.scores.drop(columns="prototypicality").notna().all(axis=None)
