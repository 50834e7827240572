from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from sklearn.metrics import roc_auc_score

from hcat_nb.assets import asset
from hcat_nb.methods.detector import load_weights, read_sequences
from hcat_nb.study._detector_data import Dynamics
from tests.benchmarks import detector_card
from tests.benchmarks.detector_card import LENGTHS, card, compare, held_out


@pytest.fixture
def about() -> dict[str, str]:
    """The metadata of the weights that ship."""
    with safe_open(asset("detector.safetensors"), "pt") as file:
        return file.metadata()


def test_the_card_that_ships_says_what_the_weights_say(about):
    assert asset("detector.md").read_text(encoding="utf-8") == card(about)


def test_the_weights_say_how_they_were_made_and_were_measured_where_they_never_learned(about):
    training, rows = json.loads(about["training"]), json.loads(about["evaluation"])
    assert training["epochs"] == 50
    assert {"Python", "torch", "numpy"} <= json.loads(about["versions"]).keys()
    assert {(row["dataset"], row["noise"], row["p"]) for row in rows} == {
        (dataset, noise, p)
        for dataset in ("digits", "mnist")
        for noise in ("adjacent", "instance")
        for p in (0.1, 0.4)
    }
    assert not {"digits", "mnist"} & set(training["data"].split(", "))


def test_every_figure_and_the_tally_stand_in_the_card(about):
    text = card(about)
    ahead = behind = cells = 0
    for row in json.loads(about["evaluation"]):
        for detector, maps in row["auroc"].values():
            shown = f"{detector:.3f}", f"{maps:.3f}"
            assert " / ".join(shown) in text
            ahead += float(shown[0]) > float(shown[1])
            behind += float(shown[0]) < float(shown[1])
            cells += 1
    assert f"ahead of data maps in {ahead} and behind in {behind} of {cells} cells" in text


def test_figures_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    weights = load_weights(asset("detector.safetensors"))
    runs = [
        Dynamics(rng.random((80, 6)).astype(np.float32), rng.random(80) < 0.3) for _ in range(2)
    ]
    found = compare(runs, weights)
    assert found["runs"] == 2
    assert list(found["auroc"]) == [str(length) for length in LENGTHS if length <= 6]
    for epochs in (3, 5):
        pairs = []
        for one in runs:
            odds = read_sequences(torch.from_numpy(one.probs[:, :epochs]), weights)[:, -1]
            maps = -one.probs[:, :epochs].mean(1)
            pairs.append([roc_auc_score(one.wrong, score) for score in (odds, maps)])
        # rounded to four decimals
        np.testing.assert_allclose(found["auroc"][str(epochs)], np.mean(pairs, 0), atol=6e-5)
    last = [read_sequences(torch.from_numpy(one.probs), weights)[:, -1].sigmoid() for one in runs]
    expected = float(torch.cat(last).mean())
    assert found["mean_probability"] == pytest.approx(expected, abs=6e-4)


def test_without_mnist_digits_alone_are_measured(monkeypatch):
    monkeypatch.setattr(detector_card, "_DIGITS", (1, (0,)))
    cells = list(held_out(None))
    assert [cell[:3] for cell in cells] == [
        ("digits", noise, p) for noise in ("adjacent", "instance") for p in (0.1, 0.4)
    ]
    assert all(one.probs.shape == (1797, 1) for _, _, _, runs in cells for one in runs)


@pytest.mark.slow
def test_mnist_is_read_from_its_folder(monkeypatch, shared_data):
    monkeypatch.setattr(detector_card, "_DIGITS", (1, ()))
    monkeypatch.setattr(detector_card, "_MNIST", (1, (0,)))
    monkeypatch.setattr(detector_card, "NOISE", ("adjacent",))
    monkeypatch.setattr(detector_card, "PROPORTIONS", (0.1,))
    (_, (name, noise, p, (one,))) = held_out(shared_data)
    assert (name, noise, p, one.probs.shape) == ("mnist", "adjacent", 0.1, (10_000, 1))
    assert one.wrong.sum() == 1000
