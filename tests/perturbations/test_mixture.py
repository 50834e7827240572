from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.data.dataset import NO_LABEL, LabelledDataset
from hcat_nb.errors import DataError, SpecError, UnknownNameError
from hcat_nb.perturbations._apply import perturb
from hcat_nb.perturbations.base import TRUTH_COLUMNS, untouched
from hcat_nb.perturbations.mixture import Mixture
from hcat_nb.perturbations.uniform import Uniform
from hcat_nb.perturbations.zoom_shift import ZoomShift

PARTS = {"uniform": 0.05, "zoom_shift": 0.1, "ood_covariate": {"p": 0.2, "strength": [0.3, 0.4]}}
COUNTS = {"uniform": 10, "zoom_shift": 20, "ood_covariate": 40}


def make(n=200, *, spoil=False):
    generator = torch.Generator().manual_seed(0)
    features = torch.randint(0, 256, (n, 1, 8, 8), generator=generator, dtype=torch.uint8)
    labels = torch.arange(n) % 10
    if spoil:
        labels[::7] = NO_LABEL
    return LabelledDataset(
        "digits", features, labels, tuple("abcdefghij"),
        pd.Index([f"s{i}" for i in range(n)]), value_range=(0.0, 255.0),
    )  # fmt: skip


def test_each_part_has_its_count_its_kind_and_its_strength():
    truth = Mixture(PARTS)(make(), None, 0).truth
    assert list(truth.columns) == list(TRUTH_COLUMNS)
    assert truth[truth.is_hard].hardness.value_counts().to_dict() == COUNTS
    assert (truth.is_hard == (truth.hardness != "none")).all()
    families = truth.groupby("hardness", observed=True).family.unique().map(list).to_dict()
    assert families == {
        "none": ["none"],
        "uniform": ["mislabel"],
        "zoom_shift": ["atypical"],
        "ood_covariate": ["near_ood"],
    }
    strengths = truth.groupby("hardness", observed=True).strength.agg(lambda s: set(s.dropna()))
    assert strengths.to_dict() == {
        "none": set(), "uniform": set(), "zoom_shift": {1.75}, "ood_covariate": {0.3, 0.4},
    }  # fmt: skip


def test_each_sample_is_changed_in_its_way_only_and_the_rest_not_at_all():
    data = make()
    features, labels = data.features.clone(), data.labels.clone()
    result = Mixture(PARTS)(data, None, 0)
    kinds = result.truth.hardness.to_numpy()
    moved = (result.dataset.labels != data.labels).numpy()
    redrawn = (result.dataset.features != data.features).flatten(1).any(1).numpy()
    assert (moved == (kinds == "uniform")).all()
    assert (redrawn == np.isin(kinds, ["zoom_shift", "ood_covariate"])).all()
    observed = [data.class_values[code] for code in result.dataset.labels.tolist()]
    assert result.truth.observed_label.tolist() == observed
    assert torch.equal(data.features, features)
    assert torch.equal(data.labels, labels)


def test_a_part_does_what_it_does_alone():
    data = make()
    result = Mixture({"zoom_shift": 0.3, "ood_covariate": 0.3})(data, None, 0)
    rows = (result.truth.hardness == "zoom_shift").to_numpy(copy=True)
    generator = np.random.default_rng(0)
    alone, _ = ZoomShift().change(data, torch.arange(len(data)), generator)
    assert torch.equal(result.dataset.features[rows], alone.features[rows])


def test_statistics_of_a_table_are_those_of_the_untouched_data():
    values = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
    data = LabelledDataset(
        "toy", torch.from_numpy(values), torch.arange(400) % 2, (0, 1), pd.RangeIndex(400)
    )
    result = Mixture({"far_ood": 0.2, "ood_covariate": 0.2, "atypical": 0.2})(data, None, 0)
    kinds = result.truth.hardness.to_numpy()
    after = result.dataset.features.numpy()
    low, high = values.min(axis=0), values.max(axis=0)
    reach = np.maximum(low - after, after - high)[kinds == "far_ood"] / (high - low)
    assert reach.min() > 0.2499
    assert reach.max() < 1.0001
    noise = (after - values)[kinds == "ood_covariate"]
    # 80 values: sd 8 %; 4 sd. far_ood's values would triple the deviation.
    np.testing.assert_allclose(noise.std(axis=0), values.std(axis=0) / 2, rtol=0.32)
    assert np.isin(after[kinds == "atypical"], values).all()


def test_same_seed_same_result_whatever_the_order_of_the_parts():
    data = make()
    first = Mixture(PARTS)(data, None, 3)
    again = Mixture(dict(reversed(PARTS.items())))(data, None, 3)
    pd.testing.assert_frame_equal(first.truth, again.truth)
    assert torch.equal(first.dataset.features, again.dataset.features)
    assert not first.truth.equals(Mixture(PARTS)(data, None, 4).truth)


def test_a_part_for_few_classes_is_not_crowded_out():
    data = make()
    # 20 samples of class a, all of them wanted.
    parts = {"zoom_shift": 0.8, "instance": {"p": 0.1, "rule_matrix": {"a": "b"}}}
    truth = Mixture(parts)(data, None, 0).truth
    assert (truth.hardness == "zoom_shift").sum() == 160
    assert (truth.hardness == "instance").sum() == 20
    assert set(truth[truth.hardness == "instance"].original_label) == {"a"}


def test_samples_without_a_label_are_left_out():
    data = make(203, spoil=True)
    truth = Mixture(PARTS)(data, None, 0).truth
    n = int(data.trainable.sum())
    assert not truth.is_hard[::7].any()
    for kind, p in {"uniform": 0.05, "zoom_shift": 0.1, "ood_covariate": 0.2}.items():
        assert (truth.hardness == kind).sum() == int(p * n + 0.5)


def test_p_is_what_the_parts_add_up_to():
    data = make()
    wanted = Mixture(PARTS)(data, None, 0).truth
    pd.testing.assert_frame_equal(Mixture(PARTS)(data, 0.35, 0).truth, wanted)
    none = Mixture(PARTS)(data, 0, 0)
    assert none.dataset is data
    pd.testing.assert_frame_equal(none.truth, untouched(data))
    with pytest.raises(SpecError, match=r"p is 0\.1, .* add up to 0\.35; .*give p=0\.35"):
        Mixture(PARTS)(data, 0.1, 0)


def test_by_name_with_the_kinds_as_options():
    data = make()
    wanted = Mixture({"uniform": 0.05, "zoom_shift": 0.05})(data, None, 2).truth
    for result in (
        perturb(data, "mixture", 0.1, seed=2, uniform=0.05, zoom_shift=0.05),
        perturb(data, "mixture", seed=2, parts={"uniform": 0.05, "zoom_shift": 0.05}),
        perturb(data, {Uniform(): 0.05, ZoomShift(): 0.05}, seed=2),
    ):
        pd.testing.assert_frame_equal(result.truth, wanted)


@pytest.mark.parametrize(
    ("parts", "error", "text"),
    [
        ({}, SpecError, "one at least"),
        (["uniform"], SpecError, "one at least"),
        ({"unifrom": 0.1}, UnknownNameError, "nearest: uniform"),
        ({"uniform": 1.5}, SpecError, "p is 1.5"),
        ({"uniform": {"variant": "hcat"}}, SpecError, "p is None"),
        ({"uniform": 0.5, "adjacent": 0.5}, SpecError, "add up to 1 or more"),
        ({"zoom_shift": {"p": 0.1, "strenth": 2}}, UnknownNameError, "nearest: strength"),
        ({"none": 0.1}, SpecError, "a part of the mixture is 'none'"),
        ({"mixture": {"p": 0.1, "parts": {"uniform": 0.1}}}, SpecError, "a part of the mixture"),
        ({Uniform(): 0.1, "uniform": 0.1}, SpecError, "names 'uniform' twice"),
    ],
)
def test_parts_that_make_no_mixture(parts, error, text):
    with pytest.raises(error, match=text):
        Mixture(parts)


def test_a_part_that_does_not_apply_or_finds_too_few_samples():
    with pytest.raises(DataError, match="'atypical' does not apply to image data"):
        Mixture({"uniform": 0.1, "atypical": 0.1})(make(), None, 0)
    with pytest.raises(SpecError, match=r"p = 0\.001 changes no sample of 200"):
        Mixture({"uniform": 0.1, "zoom_shift": 0.001})(make(), None, 0)


def test_a_method_is_judged_on_each_kind_by_itself():
    from hcat_nb.evaluation.table import evaluate

    truth = Mixture(PARTS)(make(), None, 0).truth
    scores = pd.DataFrame({"label": (truth.hardness == "uniform").astype(float)})
    table = evaluate(scores, truth, n_resamples=0).set_index("hardness")
    assert table.n_hard.to_dict() == COUNTS
    assert table.auroc["uniform"] == 1.0
    assert table.auroc["zoom_shift"] == 0.5


def test_the_flag_of_a_run_on_the_command_line(tmp_path):
    from hcat_nb.cli import main

    words = "run digits --subset 200 --epochs 1 --methods loss --hardness mixture --out"
    options = ["--hardness-options", "uniform=0.05", "zoom_shift=0.05"]
    assert main([*words.split(), str(tmp_path / "run"), *options]) == 0
    truth = pd.read_parquet(tmp_path / "run" / "truth.parquet")
    assert truth.hardness.value_counts().to_dict() == {"none": 180, "uniform": 10, "zoom_shift": 10}
