from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from hcat_nb.api.characterize import characterize
from hcat_nb.errors import DataError, HcatError, SpecError, StoreError
from hcat_nb.evaluation.ranking import auroc
from hcat_nb.methods.detector import read_sequences
from hcat_nb.study import train_detector as module
from hcat_nb.study._detector_data import Dynamics
from hcat_nb.study.train_detector import train_detector
from tests.benchmarks import detector_card

pytestmark = pytest.mark.slow


def simulated(seed: int, n_epochs: int) -> Dynamics:
    """Wrong labels start out improbable and *rise*, clean ones start sure and *fall*.

    The mean says nothing: only a reader of the order can tell them apart.
    """
    rng = np.random.default_rng(seed)
    wrong = rng.random(400) < 0.3
    rise = np.linspace(0.3, 0.7, n_epochs)
    p = np.where(wrong[:, None], rise, rise[::-1]) + rng.normal(0, 0.1, (400, n_epochs))
    return Dynamics(p.clip(0, 1).astype(np.float32), wrong)


def test_it_learns_the_order_of_a_sequence_at_every_length():
    weights = module._fit([simulated(0, 12), simulated(1, 7)], passes=40, seed=0)
    held = simulated(2, 12)
    odds = read_sequences(torch.from_numpy(held.probs), weights)
    assert auroc(odds[:, 2].numpy(), held.wrong) > 0.95
    assert auroc(odds[:, 11].numpy(), held.wrong) > 0.95
    assert abs(auroc(1 - held.probs.mean(1), held.wrong) - 0.5) < 0.1


def test_the_seed_decides_the_weights():
    runs = [simulated(0, 8)]
    first, again, other = (module._fit(runs, passes=1, seed=seed) for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["weight_hh"], other["weight_hh"])


def test_one_call_from_runs_to_a_method_of_a_run(image_run, tmp_path):
    out = tmp_path / "mine.safetensors"
    assert train_detector(out, image_run, passes=2, seed=1) == out
    with safe_open(out, "pt") as file:
        training = json.loads(file.metadata()["training"])
    assert training == {
        "data": "runs of the user's own",
        "runs": 1,
        "sequences": 200,
        "wrong": 20,
        "epochs": 3,
        "passes": 2,
        "hidden": 16,
        "seed": 1,
    }
    own, shipped = (
        characterize("wine", methods="detector", epochs=2, method_options=options)
        for options in ({"detector": {"weights": str(out)}}, {})
    )
    assert own.scores.shape == shipped.scores.shape
    assert not own.scores.equals(shipped.scores)
    assert own.info["methods"]["detector"]["options"]["weights"] == str(out)


def test_families_where_no_runs_are_given(tmp_path):
    out = train_detector(tmp_path / "small.safetensors", n_runs=2, passes=1)
    with safe_open(out, "pt") as file:
        training = json.loads(file.metadata()["training"])
    assert (training["runs"], training["epochs"]) == (2, 50)
    assert training["data"].startswith("classification, ")


def test_mistakes_are_found_before_training(image_run, table_run, tmp_path):
    (tmp_path / "here.safetensors").write_bytes(b"")

    def never():
        raise AssertionError("a run was made")
        yield

    for out, message in (
        ("weights.bin", r"expected a name that ends in \.safetensors"),
        ("absent/x.safetensors", r"there is no folder .*make it"),
        ("here.safetensors", r"exists; to mend it: choose another name, or overwrite it"),
    ):
        with pytest.raises(StoreError, match=message):
            train_detector(tmp_path / out, never())
    for options in ({"passes": 0}, {"n_runs": 0}):
        with pytest.raises(SpecError, match=r"is 0; expected at least 1"):
            train_detector(tmp_path / "x.safetensors", **options)
    for runs in ([], table_run):
        with pytest.raises(DataError):
            train_detector(tmp_path / "x.safetensors", runs)
    assert not (tmp_path / "x.safetensors").exists()
    assert train_detector(tmp_path / "here.safetensors", image_run, passes=1, overwrite=True)
    assert issubclass(StoreError, HcatError)


def test_the_scripts_write_weights_and_card(tmp_path, monkeypatch):
    monkeypatch.setattr(detector_card, "_DIGITS", (1, (0,)))
    out = tmp_path / "detector.safetensors"
    module.main([str(out), "--n-runs", "1"])
    assert load_file(out)["head_weight"].shape == (1, 16)
    detector_card.main([str(out)])
    text = (tmp_path / "detector.md").read_text()
    assert text.count("| digits |") == 4
    assert "| mnist |" not in text
    with safe_open(out, "pt") as file:
        assert text == detector_card.card(file.metadata())
