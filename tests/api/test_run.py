"""A run, looked at."""

from __future__ import annotations

import io
from dataclasses import replace

import altair as alt
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import load_run
from hcat_nb.data.duplicates import duplicates
from hcat_nb.errors import DataError, StoreError, UnknownNameError

DETAILS = [
    *("label", "predicted", "suggested", "suggested_probability", "confidence", "variability"),
    *("aleatoric", "correctness", "mean_loss", "last_loss", "group", "dataiq_group"),
    "datamaps_group",
    *("aum", "forgetting_events", "first_learned"),
]


def _read(csv: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(csv))


def test_its_repr_is_one_short_line(image_run):
    assert repr(image_run) == (
        "<Run: digits, 200 samples, uniform p=0.1; cnn, 3 epochs, finished; 13 methods; "
        "still rising>"
    )


def test_details_are_complete_and_in_the_papers_units(image_run):
    details = image_run.details
    assert list(details.columns[: len(DETAILS)]) == DETAILS
    assert {f"{name}_status" for name in image_run.methods} <= set(details)
    assert details["confidence"].between(0, 1).all()
    assert details["variability"].between(0, 0.5).all()
    assert details["aleatoric"].between(0, 0.25).all()
    # the paper's AUM has the opposite sign of the score
    assert np.array_equal(details["aum"], -image_run.scores["aum"])


def test_datamaps_scores_are_one_minus_the_confidence_shown(image_run):
    # two float32 sums of the same three numbers
    assert np.allclose(image_run.scores["datamaps"], 1 - image_run.details["confidence"], atol=1e-6)


def test_evaluate_agrees_with_scikit_learn(image_run):
    table = image_run.evaluate().set_index("hcm")
    truth = image_run.truth["is_hard"]
    for name in image_run.methods:
        scores = image_run.scores[name]
        assert table.loc[name, "auroc"] == pytest.approx(roc_auc_score(truth, scores))
        assert table.loc[name, "auprc"] == pytest.approx(average_precision_score(truth, scores))


def test_without_hardness_metrics_are_not_applicable(table_run):
    with pytest.raises(DataError, match=r"nobody knows which samples are hard.*truth="):
        table_run.evaluate()


def test_the_data_map_is_an_altair_chart(image_run):
    chart = image_run.data_map(x="aleatoric", color="truth")
    assert isinstance(chart, alt.LayerChart)
    assert "aleatoric" in chart.to_json()


def test_the_data_map_takes_its_colour_from_any_score(image_run):
    assert "vog" not in image_run.details
    texts = image_run.data_map(color="vog").to_dict()["datasets"].values()
    (points,) = [table for table in map(_read, texts) if "id" in table]
    scores = image_run.scores["vog"].loc[points["id"]]
    assert np.allclose(points["color"], scores, atol=1e-3)  # a chart's digits


def test_hardest_knows_the_methods_of_the_run(table_run):
    with pytest.raises(UnknownNameError, match=r"no method 'el2m'.*nearest: el2n"):
        table_run.hardest(3, by="el2m")
    with pytest.raises(UnknownNameError, match="no method 3"):
        table_run.hardest(by=3)


def test_duplicates_of_the_data_as_they_were_trained_on(tmp_path):
    features = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    features[7] = features[3]
    labels = np.arange(40) % 2
    labels[7] = 1 - labels[3]
    run = characterize(features, labels, epochs=1, methods="loss", seed=0)
    assert run.duplicates().index.tolist() == [3, 7]
    assert run.duplicates().conflict.all()
    assert run.duplicates().equals(duplicates(run.dataset))
    run.save(tmp_path / "run")
    with pytest.raises(StoreError, match="an object of which no file is kept"):
        load_run(tmp_path / "run").duplicates()


def test_evaluate_refuses_an_option_that_does_not_exist(image_run):
    with pytest.raises(UnknownNameError, match=r"no option 'sed'.*nearest: seed"):
        image_run.evaluate(sed=1)
    for name in ("flagged", "low_is_hard"):  # the run itself knows them
        with pytest.raises(UnknownNameError, match=f"no option '{name}'"):
            image_run.evaluate(**{name: None})


def test_baselines_stand_below_the_methods(image_run):
    table = image_run.evaluate(n_resamples=0).set_index("hcm")
    assert list(table.index[-3:]) == ["random", "class_frequency", "last_loss"]
    assert table.kind[-6:].eq("baseline").all()
    assert table.kind[:-6].eq("method").all()
    # By algebra: 1 - p_y of the last epoch ranks as its loss does.
    assert table.auroc["last_loss"] == pytest.approx(table.auroc["cleanlab"], abs=1e-6)
    assert image_run.evaluate(baselines=False).hcm.tolist() == image_run.methods


def test_hcats_evaluator_on_a_runs_scores(image_run):
    table = image_run.evaluate(variant="hcat", n_resamples=0).set_index("hcm")
    truth, scores = image_run.truth["is_hard"], image_run.scores
    low = ["aum", "cleanlab", "conf_agree", "dataiq", "datamaps", "prototypicality"]
    for name in image_run.methods:
        quantity = -scores[name] if name in low else scores[name]
        expected = average_precision_score(~truth, quantity)
        assert table.auprc[name] == pytest.approx(expected, abs=1e-12), name


def test_hcats_evaluator_knows_which_scores_its_variant_turned(image_run):
    info = image_run.info | {
        "methods": {
            name: card | {"options": card["options"] | {"variant": "hcat"}}
            for name, card in image_run.info["methods"].items()
        }
    }
    plain = image_run.evaluate(variant="hcat", n_resamples=0).set_index("hcm")
    turned = replace(image_run, info=info).evaluate(variant="hcat", n_resamples=0)
    moved = plain.auprc != turned.set_index("hcm").auprc
    assert moved.index[moved].tolist() == ["vog", "allsh"]
