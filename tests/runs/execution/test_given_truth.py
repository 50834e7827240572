"""A truth of the user's own: what it says, and where it stands in place of injection."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.api.characterize import characterize
from hcat_nb.api.resume import resume
from hcat_nb.api.run import load_run
from hcat_nb.cli import main
from hcat_nb.data.loading import load
from hcat_nb.errors import DataError, SpecError, StoreError
from hcat_nb.perturbations.uniform import Uniform
from hcat_nb.runs.execution.given_truth import given_truth
from hcat_nb.runs.store.saving import saved_metrics
from hcat_nb.sweeps.collect import results
from hcat_nb.training.events import Control, Listener

OPTIONS = {"epochs": 2, "methods": "aum el2n", "seed": 0}


@pytest.fixture(scope="module")
def noisy():
    """Wine with 18 wrong labels: features, observed labels, true labels, which are wrong."""
    clean = load("wine")
    made = Uniform()(clean, 0.1, seed=0)
    observed, true = (np.array(one.label_values()) for one in (made.dataset, clean))
    return clean.features.numpy(), observed, true, made.truth["is_hard"].to_numpy()


def truth_of(labels, truth):
    data = load(np.arange(2.0 * len(labels)).reshape(-1, 2), labels, truth=truth)
    return given_truth(data)


def test_true_labels_and_which_are_wrong_give_the_same_figures(noisy):
    x, observed, true, wrong = noisy
    by_labels = characterize(x, observed, truth=true, **OPTIONS)
    by_flags = characterize(x, observed, truth=wrong, **OPTIONS)
    assert by_labels.spec.truth == "own"
    for run in (by_labels, by_flags):
        assert (run.truth["is_hard"].to_numpy() == wrong).all()
        assert set(run.truth["hardness"]) == {"given", "none"}
        assert (run.truth["observed_label"] == observed).all()
    assert (by_labels.truth["original_label"] == true).all()
    assert by_flags.truth["original_label"].isna().to_numpy().tolist() == wrong.tolist()
    table = by_labels.evaluate(n_resamples=0)
    assert table.equals(by_flags.evaluate(n_resamples=0))
    assert set(table["hardness"]) == {"given"}
    assert (table["n_hard"] == 18).all()
    assert table.set_index("hcm").loc["first_look", "auroc"] > 0.9
    note = "the truth was read as true labels: 18 of 178 are wrong"
    assert note in by_labels.info["notes"]
    assert "truth given" in repr(by_labels)
    assert by_labels.hardest(3).frame["is_hard"].all()


def test_samples_of_which_nothing_is_known_are_left_out_and_counted(noisy):
    x, observed, true, wrong = noisy
    partly = np.where(np.arange(178) % 2 == 0, true, None)
    run = characterize(x, observed, truth=partly, **OPTIONS)
    table = run.evaluate(n_resamples=0)
    assert (table["n_scored"] == 89).all()
    assert (table["n_hard"] == wrong[::2].sum()).all()
    assert any("of 89 samples it is not known" in note for note in run.info["notes"])
    truth, score = wrong[::2], run.scores["aum"].to_numpy()[::2]
    wins = (score[truth][:, None] > score[~truth]).mean()
    assert table.set_index("hcm").loc["aum", "auroc"] == pytest.approx(wins, abs=1e-3)


@pytest.mark.parametrize(
    ("labels", "truth", "wrong"),
    [
        (["a", "b", "a", "b"], ["yes", "No", "no", "no"], [True, False, False, False]),
        (["a", "b", "a", "b"], [1, 0, 0, 1], [True, False, False, True]),
        ([0, 1, 0, 1], [True, False, False, False], [True, False, False, False]),
        ([0, 1, 0, 1], [1, 1, 0, 1], [True, False, False, False]),
        ([0, 1, 0, 1], [1.0, 1.0, 0.0, np.nan], [True, False, False, False]),
        (["a", "b", "a", "b"], ["a", "c", "a", "b"], [False, True, False, False]),
    ],
)
def test_what_a_truth_says(labels, truth, wrong):
    assert truth_of(labels, truth)[0].truth["is_hard"].tolist() == wrong


@pytest.mark.parametrize(
    ("labels", "truth", "words"),
    [
        ([True, False, True, False], [True, True, False, False], "holds True and False, and so do"),
        (["yes", "no", "yes", "no"], ["yes", "no", "no", "no"], "holds yes and no, and so do"),
        (["a", "b", "a", "b"], ["oak", "oak", "elm", "elm"], "no value of the truth is a class"),
        (["a", "b", "a", "b"], [None] * 4, "known of no sample"),
    ],
)
def test_what_may_be_both_or_is_neither_is_refused(labels, truth, words):
    with pytest.raises(DataError, match=words):
        truth_of(labels, truth)


def test_without_any_truth_evaluate_says_what_it_needs(tmp_path):
    run = characterize("wine", out=tmp_path / "run", **OPTIONS)
    with pytest.raises(DataError, match=r"no truth is given.*hardness= or truth="):
        run.evaluate()
    with pytest.raises(DataError, match="no truth is given"):
        load_run(tmp_path / "run").evaluate()
    assert saved_metrics(tmp_path / "run").empty
    assert len(results(tmp_path)) == 1


def test_truth_beside_injection_is_refused(noisy):
    x, observed, true, _ = noisy
    with pytest.raises(SpecError, match="truth is given, and 'uniform' is to be injected"):
        characterize(x, observed, truth=true, hardness="uniform", **OPTIONS)


def test_a_column_by_the_command_line(noisy, tmp_path, capsys):
    x, observed, true, _ = noisy
    frame = pd.DataFrame(x).assign(label=observed, checked=true)
    frame.to_csv(tmp_path / "wine.csv", index=False)
    out = str(tmp_path / "run")
    command = ["run", str(tmp_path / "wine.csv"), "--target", "label", "--truth", "checked"]
    main([*command, "--epochs", "2", "--methods", "aum", "--out", out])
    printed = capsys.readouterr().out
    assert "first_look" in printed
    loaded = load_run(out)
    assert loaded.spec.truth == "checked"
    assert (loaded.evaluate(n_resamples=0)["n_hard"] == 18).all()
    assert loaded.neighbours(0, 2).shape == (2, 6)  # the data are made again, the truth no feature
    table = results(tmp_path)
    assert set(table["metric_hardness"]) == {"given"}
    assert set(table["truth"]) == {"checked"}


def test_an_object_is_asked_for_again(noisy, tmp_path):
    x, observed, true, _ = noisy

    class Stop(Listener):
        def on_epoch(self, event):
            control.stop.set()

    control = Control()
    frame = pd.DataFrame(x).assign(label=observed)
    frame.to_csv(tmp_path / "wine.csv", index=False)
    source = {"target": "label", **OPTIONS}
    path = str(tmp_path / "wine.csv")
    characterize(
        path, truth=true, out=tmp_path / "run", control=control, listeners=[Stop()], **source
    )
    with pytest.raises(StoreError, match=r"the truth of the run .* truth=\.\.\."):
        resume(tmp_path / "run")
    run = resume(tmp_path / "run", truth=true)
    whole = characterize(path, truth=true, **source)
    assert run.truth.equals(whole.truth)
    assert run.scores.equals(whole.scores)
