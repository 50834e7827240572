"""Classifiers of scikit-learn's kind."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import hcat_nb as hcat
from hcat_nb.errors import ModelError, SpecError

N = 150


def table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three classes far apart, one label in ten wrong."""
    rng = np.random.default_rng(0)
    clean = np.arange(N) % 3
    x = rng.normal(size=(N, 4)) + 3 * np.eye(3, 4)[clean]
    wrong = rng.random(N) < 0.1
    return x, np.where(wrong, (clean + 1) % 3, clean), wrong


def test_stages_of_a_boosting_stand_for_epochs():
    x, y, wrong = table()
    model = GradientBoostingClassifier(n_estimators=8, max_depth=2, random_state=1)
    run = hcat.characterize(x, y, model=model, truth=wrong, name="mine")
    assert not hasattr(model, "estimators_")
    fitted = GradientBoostingClassifier(n_estimators=8, max_depth=2, random_state=1).fit(x, y)
    staged = np.stack(list(fitted.staged_predict_proba(x)))
    own = staged[:, np.arange(N), y]
    np.testing.assert_allclose(run.scores["datamaps"], 1 - own.mean(0), rtol=1e-4, atol=1e-6)
    assert len(run.history) == 8
    assert {"aum", "forgetting", "el2n", "detector"} <= set(run.methods)
    assert {"vog", "grand", "prototypicality"} <= set(run.info["skipped"])
    found = run.evaluate().set_index("hcm")["auroc"]
    assert found["datamaps"] > 0.8  # of the fit itself, which has seen the wrong labels
    assert repr(run).startswith("<Run: mine, 150 samples, truth given; GradientBoosting")


def test_others_judge_out_of_fold():
    x, y, wrong = table()
    run = hcat.characterize(x, y, model=LogisticRegression(), truth=wrong, seed=4)
    assert run.methods == ["cleanlab", "dataiq", "datamaps", "el2n", "loss"]
    assert "course of a training" in run.info["skipped"]["forgetting"]
    assert run.pred_probs().shape == (N, 3)
    assert "out of fold, by 5 fits" in " ".join(run.info["notes"])
    assert run.evaluate().set_index("hcm")["auroc"]["loss"] > 0.95
    with pytest.raises(SpecError, match="aum needs the course of a training"):
        hcat.characterize(x, y, model=LogisticRegression(), methods="aum loss")
    with pytest.raises(ModelError, match="no predict_proba"):
        hcat.characterize(x, y, model=RidgeClassifier())


def test_a_pipeline_gets_the_frame_as_it_is_and_hardness_is_injected(tmp_path):
    x, y, _ = table()
    frame = pd.DataFrame(x, columns=list("abcd"), index=[f"r{i}" for i in range(N)])
    frame = frame.assign(kind=np.where(x[:, 3] > 0, "high", "low"), y=np.array(list("uvw"))[y])
    columns = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["kind"]), (StandardScaler(), list("abcd"))
    )
    model = make_pipeline(columns, HistGradientBoostingClassifier(max_iter=6))
    run = hcat.characterize(
        frame, target="y", model=model, hardness="uniform", p=0.2, out=tmp_path / "run"
    )
    assert len(run.history) == 6
    assert list(run.scores.index) == list(frame.index)
    assert int(run.truth["is_hard"].sum()) == 30
    assert hcat.load_run(tmp_path / "run").scores.equals(run.scores)


@pytest.mark.parametrize(("package", "name"), [("xgboost", "XGB"), ("lightgbm", "LGBM")])
def test_boostings_of_others_are_staged(package, name):
    module = pytest.importorskip(package, reason=f"needs {package}")
    x, y, wrong = table()
    quiet = {"verbose": -1} if package == "lightgbm" else {}
    model = getattr(module, f"{name}Classifier")(n_estimators=5, max_depth=2, n_jobs=1, **quiet)
    run = hcat.characterize(x, y, model=model, truth=wrong)
    assert len(run.history) == 5
    last = model.fit(x, y).predict_proba(x)[np.arange(N), y]
    np.testing.assert_allclose(run.details["last_loss"], -np.log(last), rtol=1e-3, atol=1e-5)
    assert run.evaluate().set_index("hcm")["auroc"]["datamaps"] > 0.9
