from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.data.dataset import NO_LABEL, LabelledDataset
from hcat_nb.errors import DataError, HcatError, SpecError, UnknownNameError
from hcat_nb.perturbations import base
from hcat_nb.perturbations.base import Perturbation, untouched


def make(n=20, values=(0, 1), name="toy"):
    return LabelledDataset(
        name, torch.randn(n, 3), torch.arange(n) % len(values), values, pd.RangeIndex(n)
    )


@dataclass(frozen=True)
class Shift(Perturbation):
    """A user's perturbation: adds `by` to all columns, with a fault to switch on."""

    name: ClassVar[str] = "shift"
    title: ClassVar[str] = "Shifted"
    family: ClassVar[str] = "covariate"
    modality: ClassVar[frozenset[str]] = frozenset({"table"})

    by: float = 1.0
    fault: str = ""

    def change(self, dataset, chosen, rng):
        features = dataset.features if self.fault == "in place" else dataset.features.clone()
        rows = chosen[1:] if self.fault == "one too few" else chosen
        features[rows] += self.by
        if self.fault == "one too many":
            features[(set(range(len(dataset))) - set(chosen.tolist())).pop()] += 1
        if self.fault == "dtype":
            features = features.double()
        if self.fault == "ids":
            return dataset.replace(features=features, sample_ids=dataset.sample_ids + 1), self.by
        return dataset.replace(features=features), self.by

    def eligible(self, dataset):
        return torch.ones(len(dataset), dtype=torch.bool)


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ({"title": ""}, r"Mine.title is ''; expected text"),
        ({"title": "T"}, r"Mine has no `family`; expected one of mislabel, near_ood"),
        ({"title": "T", "family": "boundary"}, r"Mine.family is 'boundary'; expected one of"),
        (
            {"title": "T", "family": "atypical", "modality": {"image"}},
            r"Mine.modality is \{'image'\}; expected a frozenset of image, table",
        ),
    ],
)
def test_an_incomplete_card_is_named_when_the_class_is_made(card, message):
    with pytest.raises(HcatError, match=message):
        type("Mine", (Perturbation,), {"name": "mine", **card})


def test_strength_is_recorded_for_the_changed_rows_only():
    truth = Shift(by=2.5)(make(), 0.25, 0).truth
    assert truth.strength[truth.is_hard].tolist() == [2.5] * 5
    assert truth.strength[~truth.is_hard].isna().all()
    assert set(truth.family) == {"none", "covariate"}


@pytest.mark.parametrize("fault", ["in place", "one too few", "one too many"])
def test_a_perturbation_that_changes_other_samples_is_stopped(fault):
    with pytest.raises(DataError, match=r"'shift' changed \d samples; expected exactly the 5"):
        Shift(fault=fault)(make(), 0.25, 0)


@pytest.mark.parametrize("fault", ["dtype", "ids"])
def test_a_perturbation_that_changes_the_form_is_stopped(fault):
    with pytest.raises(DataError, match="'shift' changed the form of the data"):
        Shift(fault=fault)(make(), 0.25, 0)


def test_one_that_may_leave_a_sample_as_it_is_may_touch_no_other():
    class Loose(Shift):
        always_changes = False

    assert Loose(fault="one too few")(make(), 0.25, 0).truth.is_hard.sum() == 5
    with pytest.raises(DataError, match="'shift' changed 6 samples"):
        Loose(fault="one too many")(make(), 0.25, 0)


def test_rows_are_compared_in_blocks(monkeypatch):
    monkeypatch.setattr(base, "_COMPARED", 3 * 4)
    assert Shift()(make(), 0.25, 0).truth.is_hard.sum() == 5
    with pytest.raises(DataError, match="'shift' changed 6 samples"):
        Shift(fault="one too many")(make(), 0.25, 0)


def test_options_by_name():
    assert Shift.from_options(by=3.0) == Shift(by=3.0)
    with pytest.raises(UnknownNameError, match=r"'bye' of the hardness 'shift'.*nearest: by"):
        Shift.from_options(bye=1)


def test_a_perturbation_that_changes_nothing_is_stopped():
    with pytest.raises(DataError, match="changed 0 samples; expected exactly the 5"):
        Shift(by=0.0)(make(), 0.25, 0)


def test_rows_that_are_not_trainable_are_out_whatever_eligible_says():
    data = make()
    data = data.replace(labels=torch.where(torch.arange(20) < 10, NO_LABEL, data.labels))
    assert not Shift()(data, 0.5, 0).truth.is_hard[:10].any()


def test_the_count_refers_to_trainable_rows():
    data = make(40)
    data = data.replace(labels=torch.where(torch.arange(40) < 20, NO_LABEL, data.labels))
    assert Shift()(data, 0.25, 0).truth.is_hard.sum() == 5


@pytest.mark.parametrize("n", [1, 0])
def test_too_few_samples_for_anything(n):
    with pytest.raises(DataError, match="'shift' can change no sample"):
        Shift()(make(n), 0.5, 0)


def test_message_for_all_samples():
    with pytest.raises(SpecError, match=r"p = 0\.99 changes all 20 samples of 20; expected p from"):
        Shift()(make(), 0.99, 0)


def test_choice_is_without_replacement_and_even():
    data = make(10)
    hits = sum(Shift()(data, 0.3, seed).truth.is_hard.to_numpy().astype(int) for seed in range(600))
    # Each row: Binomial(600, .3), sd 11.2; 5 sd leave a wrong alarm below 1e-5 over ten rows.
    assert hits.sum() == 1800
    assert np.abs(hits - 180).max() < 56


@pytest.mark.parametrize("values", [(3, 1), ("oak", "elm"), (False, True), (0.5, 1.5)])
@pytest.mark.parametrize("missing", [False, True])
def test_truth_survives_parquet_once_the_class_values_are_put_back(tmp_path, values, missing):
    # Parquet keeps categories of text only; the others come back as plain values.
    data = make(values=values)
    if missing:
        data = data.replace(labels=torch.where(torch.arange(20) == 4, NO_LABEL, data.labels))
    truth = Shift()(data, 0.25, 0).truth
    truth.to_parquet(tmp_path / "truth.parquet")
    back = pd.read_parquet(tmp_path / "truth.parquet")
    for column in ("original_label", "observed_label"):
        back[column] = pd.Categorical(back[column], categories=pd.Index(list(values)))
    pd.testing.assert_frame_equal(truth, back)


def test_untouched_is_a_truth_table_without_hard_samples():
    truth = untouched(make(values=("oak", "elm")))
    assert not truth.is_hard.any()
    assert truth.original_label.tolist()[:2] == ["oak", "elm"]
    assert truth.index.name == "sample_id"


def test_wrong_modality():
    images = LabelledDataset(
        "toy",
        torch.zeros(4, 1, 8, 8),
        torch.arange(4) % 2,
        (0, 1),
        pd.RangeIndex(4),
        value_range=(0.0, 1.0),
    )
    with pytest.raises(DataError, match="'shift' does not apply to image data; expected table"):
        Shift()(images, 0.25, 0)
