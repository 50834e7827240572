"""The judges of a run: where they stand, what they look at, when they are left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from hcat_nb.api.characterize import characterize
from hcat_nb.api.rescore import rescore
from hcat_nb.api.resume import resume
from hcat_nb.api.run import load_run
from hcat_nb.data.loading import load
from hcat_nb.methods.knn_label import KnnLabel
from hcat_nb.runs.execution import judging as _judging
from hcat_nb.runs.execution.forecast import forecast
from hcat_nb.runs.execution.judging import judge_features, judge_seconds, settled
from hcat_nb.spec import RunSpec

OPTIONS = {"epochs": 2, "methods": "aum el2n", "seed": 0}


def test_every_run_has_the_judges_beside_its_methods(table_run):
    assert table_run.methods == ["aum", "el2n", "forgetting"]
    assert list(table_run.info["judges"]) == ["linear", "knn_label"]
    assert {"linear", "knn_label"} <= set(table_run.details)
    assert "knn_label" not in table_run.scores
    assert (table_run.details[["linear_status", "knn_label_status"]] == "").all(axis=None)
    spaces = [one["options"]["space"] for one in table_run.info["judges"].values()]
    assert spaces == ["input", "input"]


def test_tables_are_judged_as_scaled_columns():
    data = load("wine")
    x = data.features.numpy().astype(np.float64)
    scaled = ((x - x.mean(0)) / x.std(0)).astype(np.float32)
    run = characterize(data, **OPTIONS)
    expected = KnnLabel().judge(scaled, data.labels.numpy())
    np.testing.assert_allclose(run.details["knn_label"], expected, atol=1e-6)


def test_categories_are_judged_as_indicators():
    frame = pd.DataFrame({"a": ["x", "y", "z"] * 10, "b": np.arange(30.0), "y": [0, 1, 1] * 10})
    data = load(frame, target="y")
    features = judge_features(data, torch.arange(30)).numpy()
    assert features.shape == (30, 4)
    assert sorted(features.sum(0).round(3)[-3:].tolist()) == [10, 10, 10]


def test_judges_can_be_named_and_left_out():
    named = characterize("wine", **OPTIONS | {"methods": "knn_label aum"})
    assert named.methods == ["aum", "knn_label"]
    assert list(named.info["judges"]) == ["linear"]
    beside = characterize("wine", **OPTIONS)
    assert named.scores["knn_label"].equals(beside.details["knn_label"])
    without = characterize("wine", judges=False, **OPTIONS)
    assert not {"linear", "knn_label"} & set(without.details)
    assert without.info["judges"] == {}
    assert without.scores.equals(beside.scores)


def test_all_are_the_thirteen_and_a_judge_may_stand_beside_them():
    assert "knn_label" not in RunSpec(methods="all").method_names()
    spec = RunSpec(methods="all knn_label")
    assert spec.method_names() == [*RunSpec().method_names(), "knn_label"]
    assert spec.judge_names() == ["linear"]


def test_options_reach_the_judges():
    run = characterize("wine", method_options={"knn_label": {"k": 3}}, **OPTIONS)
    assert run.info["judges"]["knn_label"]["options"]["k"] == 3


def test_the_judgement_depends_on_the_data_seed_alone():
    one, two = (characterize("wine", **OPTIONS | {"seed": 0, "model_seed": i}) for i in (1, 2))
    assert one.details["linear"].equals(two.details["linear"])
    assert not one.scores["el2n"].equals(two.scores["el2n"])
    several = characterize("wine", seeds=2, **OPTIONS)
    again = characterize("wine", **OPTIONS)
    assert several.details["linear"].equals(again.details["linear"])
    assert several.details["linear_status"].equals(again.details["linear_status"])


def test_images_are_judged_in_the_embedding_and_where_there_is_none_by_their_pixels():
    run = characterize("digits", subset=60, **OPTIONS)
    assert run.info["judges"]["linear"]["options"]["space"] == "embedding"

    def no_linear_layer(shape, n_classes):
        return nn.Sequential(nn.Conv2d(1, n_classes, 8), nn.Flatten())

    other = characterize("digits", subset=60, model=no_linear_layer, **OPTIONS)
    assert other.info["judges"]["linear"]["options"]["space"] == "input"
    assert any("the judges look at the input" in note for note in other.info["notes"])
    pixels = characterize(
        "digits",
        subset=60,
        method_options={"linear": {"space": "input"}, "knn_label": {"space": "input"}},
        **OPTIONS,
    )
    assert other.details["linear"].equals(pixels.details["linear"])
    assert not run.details["linear"].equals(pixels.details["linear"])


def test_an_array_of_the_users_own_is_judged():
    space = np.random.default_rng(0).normal(size=(178, 3))
    run = characterize("wine", method_options={"knn_label": {"space": space}}, **OPTIONS)
    expected = KnnLabel().judge(space.astype(np.float32), load("wine").labels.numpy())
    np.testing.assert_allclose(run.details["knn_label"], expected, atol=1e-6)


def test_what_is_too_large_is_left_out_with_a_note_unless_it_is_named(monkeypatch):
    monkeypatch.setattr(_judging, "MOST_ROWS", 100)
    run = characterize("wine", **OPTIONS)
    assert run.info["judges"] == {}
    assert "knn_label" not in run.details
    (note,) = [one for one in run.info["notes"] if "left out" in one]
    assert "linear and knn_label left out: 178 rows of 13 values" in note
    named = characterize("wine", **OPTIONS | {"methods": "aum linear"})
    assert named.scores["linear"].notna().all()


def test_missing_labels_and_unreadable_rows_say_so():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 3)), rng.integers(0, 2, 60).astype(object)
    x[5, 1], y[7] = np.nan, None
    run = characterize(x, y, on_bad_row="keep", on_missing_label="keep", **OPTIONS)
    for name in ("linear", "knn_label"):
        assert run.details[f"{name}_status"].iloc[[5, 7]].tolist() == ["unreadable", "no_label"]
        assert run.details[name].isna().sum() == 2


def test_costs_and_forecast_name_them(table_run):
    costs = table_run.costs().set_index(["hcm", "part"])["seconds"]
    assert costs["linear", "score"] > 0
    assert costs["knn_label", "score"] > 0
    table = forecast("wine", **OPTIONS).table
    assert list(table.index[:4]) == ["aum", "el2n", "linear", "knn_label"]
    assert (table["seconds"][["linear", "knn_label"]] > 0).all()


def test_the_forecast_of_many_rows_follows_from_some(monkeypatch):
    data = load("breast_cancer")
    judges = settled([KnnLabel()], data)
    clock = iter([0.0, 1.0])
    monkeypatch.setattr(_judging.time, "perf_counter", lambda: next(clock))
    assert judge_seconds(judges, data, None) == {"knn_label": pytest.approx((569 / 512) ** 2)}


def test_they_are_saved_loaded_and_kept_by_rescore(tmp_path):
    folder = tmp_path / "run"
    run = characterize("wine", out=folder, keep_dynamics="probs", **OPTIONS)
    loaded = load_run(folder)
    assert loaded.details["linear"].equals(run.details["linear"])
    more = rescore(loaded, "loss")
    assert more.details["knn_label"].equals(run.details["knn_label"])
    assert more.info["judges"] == run.info["judges"]
    assert more.hardest(5).by == "first_look"


def test_a_run_that_is_resumed_has_the_same_judgement(tmp_path):
    from hcat_nb.training.events import Control, Listener

    class Stop(Listener):
        def on_epoch(self, event):
            control.stop.set()

    options = {**OPTIONS, "subset": 60, "epochs": 3}
    whole = characterize("digits", **options)
    control = Control()
    folder = tmp_path / "run"
    characterize("digits", out=folder, control=control, listeners=[Stop()], **options)
    assert resume(folder).details["linear"].equals(whole.details["linear"])
