"""Scores without training, against NumPy and against a run that was trained."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import hcat_nb as hcat
from hcat_nb.api.characterize_dynamics import characterize_dynamics
from hcat_nb.api.run import load_run
from hcat_nb.errors import DataError, SpecError, UnknownNameError

E, N, C = 5, 120, 4
Z = np.random.default_rng(0).normal(0, 3, (E, N, C))
Y = np.random.default_rng(1).integers(0, C, N)
P = np.exp(Z) / np.exp(Z).sum(2, keepdims=True)
P_LABEL = P[:, np.arange(N), Y]
NEEDS_A_MODEL = {"grand", "vog", "allsh", "conf_agree", "prototypicality"}


def formulas() -> dict[str, np.ndarray]:
    """The papers' equations, higher = harder, in float64."""
    p, right = P_LABEL, P.argmax(2) == Y
    rest = np.where(np.arange(C) == Y[:, None], -np.inf, Z).max(2)
    onehot = np.eye(C)[Y]
    events = (right[:-1] & ~right[1:]).sum(0)
    return {
        "aum": -(Z[:, np.arange(N), Y] - rest).mean(0),
        "cleanlab": 1 - p[-1],
        "dataiq": ((1 - p) ** 2).mean(0),
        "datamaps": 1 - p.mean(0),
        "el2n": np.sqrt(((P - onehot) ** 2).sum(2)).mean(0),
        "forgetting": np.where(right.any(0), events, E),
        "loss": -np.log(p).mean(0),
    }


@pytest.mark.parametrize("given", ["logits", "probs"])
def test_scores_are_the_formulas(given):
    run = characterize_dynamics(labels=Y, **{given: Z if given == "logits" else P})
    assert set(formulas()) <= set(run.methods)
    for name, expected in formulas().items():
        # logits of size 10 in float32: 1e-6 absolute, and relative for the larger losses
        assert np.allclose(run.scores[name], expected, rtol=1e-5, atol=5e-6), name
    details = run.details
    assert np.allclose(details["confidence"], P_LABEL.mean(0), atol=1e-6)
    assert np.allclose(details["variability"], P_LABEL.std(0), atol=1e-6)
    assert np.allclose(details["correctness"], (P.argmax(2) == Y).mean(0))
    assert details["suggested"].isna().all()  # of so few rows no margin can be calibrated
    assert "too few labels" in run.info["proposals"]["reason"]
    assert np.allclose(run.history["loss"], -np.log(P_LABEL).mean(1), rtol=1e-5)
    assert run.scores.dtypes.eq(np.float32).all()


def test_the_labels_probability_alone():
    run = characterize_dynamics(P_LABEL, Y)
    assert {"dataiq", "datamaps", "detector", "loss"} <= set(run.methods)
    for name in ("dataiq", "datamaps", "loss"):
        assert np.allclose(run.scores[name], formulas()[name], rtol=1e-5, atol=1e-6)
    with_all_classes = characterize_dynamics(P, Y, methods="detector").scores["detector"]
    assert np.allclose(run.scores["detector"], with_all_classes, atol=1e-6)
    assert {"cleanlab", "el2n", "aum", "forgetting"} <= set(run.info["skipped"])
    for column in ("predicted", "suggested", "correctness"):  # n/a, never 0
        assert run.details[column].isna().all()
    assert run.history["accuracy"].isna().all()
    assert (run.hardest(3).frame["verdict"] != "another label is likelier").all()
    run.data_map()


def test_what_needs_a_model_is_named():
    run = characterize_dynamics(logits=Z, labels=Y)
    assert set(run.info["skipped"]) >= NEEDS_A_MODEL
    for name in NEEDS_A_MODEL:
        with pytest.raises(SpecError, match=rf"^{name} needs .*model.* do not hold.*expected"):
            characterize_dynamics(logits=Z, labels=Y, methods=["loss", name])
    with pytest.raises(SpecError, match=r"aum needs .* of all classes|aum needs the logits"):
        characterize_dynamics(P_LABEL, Y, methods="aum")


def test_logits_of_another_moment_are_said():
    run = characterize_dynamics(logits=Z, labels=Y)
    notes = " ".join(run.info["notes"])
    assert "aum reads the logits at the end of each epoch in place of the training" in notes
    assert run.info["methods"]["forgetting"]["options"]["when"] == "epoch_end"
    train = characterize_dynamics(logits=Z, labels=Y, recorded="train")
    (note,) = train.info["notes"]
    assert note.endswith("the training forward in place of the ones at the end of each epoch")
    assert "datamaps" in note
    assert "aum" not in note
    assert train.info["methods"]["forgetting"]["options"]["when"] == "train"
    shared = [name for name in run.methods if name in train.methods]
    pd.testing.assert_frame_equal(train.scores[shared], run.scores[shared])


def test_options_reach_the_methods():
    run = characterize_dynamics(
        logits=Z, labels=Y, methods="el2n", method_options={"el2n": {"at": 2}}
    )
    expected = np.sqrt(((P[1] - np.eye(C)[Y]) ** 2).sum(1))
    assert np.allclose(run.scores["el2n"], expected, atol=1e-6)
    assert run.spec.method_options == {"el2n": {"at": 2}}
    with pytest.raises(UnknownNameError, match="no option 'when'"):
        characterize_dynamics(logits=Z, labels=Y, method_options={"el2n": {"when": 2}})
    with pytest.raises(SpecError, match=r"el2n.at is 9; expected at most 5"):
        characterize_dynamics(
            logits=Z, labels=Y, methods="el2n", method_options={"el2n": {"at": 9}}
        )


def test_rows_unseen_in_one_epoch_are_scored_from_what_exists():
    """A22: three rows that the sampler skipped in epoch 2 of 3, and one seen once."""
    z = Z[:3].copy()
    z[1, :3] = np.nan
    z[1:, 3] = np.nan
    run = characterize_dynamics(logits=z, labels=Y, on_missing="keep")
    for name in ("aum", "dataiq", "datamaps", "el2n", "loss", "forgetting"):
        status = run.details[f"{name}_status"]
        assert status[:4].tolist() == ["2_of_3_epochs"] * 3 + ["1_of_3_epochs"]
        assert status[4:].eq("").all()
    assert np.allclose(run.scores["datamaps"][:3], 1 - P_LABEL[[0, 2], :3].mean(0), atol=1e-6)
    # One look shows no change, and the last epoch was not seen: n/a, not 0.
    assert np.isnan(run.scores["forgetting"][3])
    assert np.isnan(run.scores["cleanlab"][3])
    assert run.details["cleanlab_status"][3] == "1_of_3_epochs"
    assert np.isnan(run.details["variability"][3])
    assert run.details["datamaps_group"].isna().tolist() == [False] * 3 + [True] + [False] * (N - 4)
    assert not run.flags.iloc[3][["cleanlab", "forgetting"]].any()
    assert run.scores.drop(index=3).notna().all(axis=None)


def test_rows_unseen_in_every_epoch_have_no_score():
    z = Z.copy()
    z[:, 1] = np.nan
    run = characterize_dynamics(logits=z, labels=Y, on_missing="keep")
    epochs = len(Z)
    for name in run.methods:
        assert run.scores[name].isna().tolist() == [row == 1 for row in range(len(Y))]
        assert run.details[f"{name}_status"].iloc[1] == f"0_of_{epochs}_epochs"


def test_the_snli_sample_is_accounted_for_and_scored(shared_data):
    folder = shared_data / "training_dynamics" / "snli_sample"
    with pytest.raises(DataError) as caught:
        characterize_dynamics(log_file=folder)
    text = str(caught.value)
    assert text.startswith("50 of 50 samples are not in all 5 epochs (an epoch has 10 of them): ")
    assert 'on_missing="keep" scores each from what exists' in text
    assert "\n" not in text
    with pytest.raises(DataError, match="no sample is left"):
        characterize_dynamics(log_file=folder, on_missing="drop")
    run = characterize_dynamics(log_file=folder, on_missing="keep")
    assert run.scores.index.is_monotonic_increasing
    assert run.details["loss_status"].eq("1_of_5_epochs").all()
    assert run.scores["loss"].notna().all()
    assert run.scores["forgetting"].isna().all()
    assert run.scores["cleanlab"].notna().sum() == 10  # those of the last file
    assert run.details["variability"].isna().all()


def test_a_last_epoch_of_one_class_judges_nobody():
    z = Z.copy()
    z[-1, Y != 0] = np.nan
    run = characterize_dynamics(logits=z, labels=Y, on_missing="keep")
    assert run.info["skipped"]["cleanlab"] == "needs samples of two classes in the last epoch"


def test_ids_classes_and_labels_survive_a_save(tmp_path):
    labels = pd.Series(np.array(["cat", "dog", "owl", "yak"])[Y], index=[f"s{i}" for i in range(N)])
    labels.iloc[3] = None
    run = characterize_dynamics(
        logits=Z, labels=labels, on_missing_label="keep", name="pets", out=tmp_path / "run"
    )
    loaded = load_run(tmp_path / "run")
    for table in ("scores", "details", "truth", "flags", "history"):
        pd.testing.assert_frame_equal(getattr(run, table), getattr(loaded, table))
    assert loaded.spec == run.spec
    assert loaded.scores.index.tolist() == labels.index.tolist()
    assert loaded.details["label"].dropna().tolist() == labels.dropna().tolist()
    assert loaded.details["loss_status"].iloc[3] == "no_label"
    assert loaded.scores.iloc[3].isna().all()
    assert repr(loaded).startswith("<Run: pets, 120 samples; precomputed, 5 epochs, finished; ")
    assert len(hcat.evaluate(run.scores.drop(index="s3"), {"s1", "s2"})) == len(run.methods)
