"""The stages of one training, taken one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from hcat_nb.api.characterize import characterize
from hcat_nb.data.loading import load
from hcat_nb.methods.base import Method
from hcat_nb.runs.execution.info import start_event
from hcat_nb.runs.execution.inputs import Inputs, make_spec
from hcat_nb.runs.execution.pipeline import Pipeline
from hcat_nb.runs.store.fingerprint import seen_fingerprint

WINE = Inputs("wine", None, None, None, None)


def study(**options) -> Pipeline:
    settings = {"epochs": 2, "methods": "aum,el2n", "seed": 0, **options}
    return Pipeline(make_spec("wine", None, None, settings))


def test_nothing_is_trained_before_train():
    made = study(hardness="uniform", p=0.1)
    made.prepare(*WINE)
    assert made.perturbed.truth["is_hard"].sum() == 18
    before = {name: value.clone() for name, value in made.trainer.model.state_dict().items()}
    training = made.train([], None)
    assert (training.outcome, len(training.history)) == ("finished", 2)
    after = made.trainer.model.state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    run = made.run(training, training.outcome)
    assert list(run.scores.columns[:2]) == ["aum", "el2n"]


def test_what_remembers_is_named():
    made = study(keep_dynamics="probs")
    made.prepare(*WINE)
    named = made.accumulators()
    assert list(named) == ["run.map", "run.outputs", "run.dynamics", "aum", "el2n"]
    assert all(isinstance(named[name], Method) for name in ("aum", "el2n"))
    assert made.epoch_files is None


def test_kept_logits_have_a_folder():
    made = study(keep_dynamics="logits")
    made.prepare(*WINE)
    assert made.epoch_files is not None
    assert made.epoch_files.is_dir()


def test_given_data_are_trained_on_as_they_are():
    first = study(hardness="uniform", p=0.1)
    first.prepare(*WINE)
    second = Pipeline(make_spec("wine", None, None, {"epochs": 2, "methods": "aum", "seed": 7}))
    second.given = first.perturbed
    second.prepare(*WINE)
    assert second.perturbed is first.perturbed
    assert second.dataset is first.dataset


def test_listeners_are_told_what_begins():
    made = study(hardness="uniform", p=0.1)
    made.prepare(*WINE)
    event = start_event(made)
    assert (event.n_epochs, event.dataset, event.model) == (2, "wine", "dense")
    assert event.is_hard.sum() == 18


def test_what_nobody_chose_is_that_of_its_day():
    for options, expected in (({}, ("dense", 100)), ({"defaults": 1}, ("mlp", 10))):
        made = study(**{**options, "epochs": None})
        made.prepare(*WINE)
        assert (made.model_name, made.epochs) == expected


def test_features_of_the_users_own_are_seen_by_the_model_and_nobody_else():
    own = torch.randn(178, 5).numpy()
    made = Pipeline(make_spec("wine", None, None, {"epochs": 2, "methods": "vog"}, features=own))
    made.prepare(*WINE._replace(features=own))
    assert made.dataset.sample_shape == (13,)
    assert made.seen.sample_shape == (5,)
    assert "features of your own" in seen_fingerprint(made.dataset, made.backbone)
    run = made.run(made.train([], None), "finished")
    assert run.dataset.sample_shape == (13,)
    assert "the model saw 5 features of each sample (own)" in run.info["notes"]
    assert "vog looks at these features, not at pixels" in run.info["notes"]
    second = Pipeline(made.spec, given=made.perturbed, backbone=made.backbone)
    second.prepare(*WINE._replace(features=own))
    assert second.seen is not second.dataset


def test_extra_trainings_of_a_module_that_was_handed_over_say_where_they_start():
    options = {"methods": "cleanlab", "method_options": {"cleanlab": {"cv": 2}}}
    for model, said in ((torch.nn.Linear(13, 3), True), (lambda: torch.nn.Linear(13, 3), False)):
        made = study(**options)
        made.prepare("wine", None, None, model, None)
        training = made.train([], None)
        notes = made.run(training, training.outcome).info["notes"]
        assert any("not out of fold" in note for note in notes) is said


def test_only_ratios_of_weights_count_and_a_column_of_them_resumes_none_but_its_own() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(90, 4)), columns=list("abcd"))
    table = table.assign(y=np.arange(90) % 3, w=np.resize([0.5, 1.0, 1.5], 90))
    options = {"methods": "grand aum", "epochs": 2, "model": "dense", "seed": 0, "judges": False}
    plain = characterize(table.drop(columns="w"), target="y", **options)
    equal = characterize(table.assign(w=7.0), target="y", weights="w", **options)
    pd.testing.assert_frame_equal(equal.scores, plain.scores, check_exact=True)
    weighted = characterize(table, target="y", weights="w", **options)
    assert (weighted.scores["aum"] != plain.scores["aum"]).all()
    given = load(table, target="y", weights="w")
    assert seen_fingerprint(given, None) != seen_fingerprint(given.replace(weights=None), None)
    assert "weights" not in seen_fingerprint(given.replace(weights=None), None)
    kept = weighted.apply()
    assert kept.weights.tolist() == table["w"].tolist()
