"""The self-check passes as the code stands, and finds what breaks (field report A24)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from hcat_nb.api.self_check import FAULTS, FLOOR, planted, self_check, small_network
from hcat_nb.cli import main
from hcat_nb.errors import UnknownNameError
from hcat_nb.methods.loss import Loss
from hcat_nb.registry import METHODS, register


@pytest.fixture
def own_method():
    """Register a method of the user's own for one test: the built-in loss, changed."""
    made = []

    def make(name, **changes):
        body = {"name": name, "__module__": __name__, **changes}
        made.append(register(dataclass(eq=False)(type(name.title(), (Loss,), body))))

    yield make
    for plugin in made:
        METHODS.unregister(plugin.name)


@pytest.fixture(scope="module")
def table():
    return self_check(seed=1)


def test_every_method_finds_every_fault_that_its_card_names(table):
    claims = {
        (name, fault) for name in METHODS.names() for fault in METHODS.get(name).claims("table")
    }
    assert {(row.method, row.fault) for row in table.itertuples()} == claims
    assert table.passed.all()
    assert (table.problem == "").all()
    assert table.auroc.gt(FLOOR).all()
    assert table.method.unique().tolist() == METHODS.names()


def test_it_leaves_threads_and_random_state_alone(table):
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    again = self_check(["aum"], seed=1)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
    assert again.auroc.tolist() == table[table.method == "aum"].auroc.tolist()


def test_a_method_that_lost_its_sign_is_named(own_method):
    own_method("backwards", hard_when="low")
    found = self_check(["backwards", "aum"]).set_index(["method", "fault"])
    assert not found.loc["backwards"].passed.any()
    assert found.loc[("backwards", "mislabel"), "auroc"] < 0.1
    assert "does not find it: AUROC 0.0" in found.loc[("backwards", "mislabel"), "problem"]
    assert found.loc["aum"].passed.all()


def test_a_method_that_scores_at_random_is_named(own_method):
    def raw(self):
        return torch.rand(self.context.n, generator=torch.Generator().manual_seed(5))

    own_method("dice", raw=raw, detects=frozenset({"mislabel"}))
    assert self_check(["dice"]).passed.tolist() == [False]


def test_a_method_that_raises_does_not_hide_the_others(own_method):
    def observe(self, record):
        raise RuntimeError("no such\nlayer")

    own_method("broken", observe=observe, detects=frozenset({"ood"}))
    found = self_check(["broken", "prototypicality"]).set_index(["method", "fault"])
    assert found.loc[("broken", "ood"), "problem"] == "RuntimeError: no such layer"
    assert found.loc["prototypicality"].passed.all()


def test_a_method_whose_package_cannot_be_imported(monkeypatch):
    get = METHODS.get

    def failing(name):
        if name == "aum":
            raise ImportError("no module named 'theirs'")
        return get(name)

    monkeypatch.setattr(METHODS, "get", failing)
    found = self_check(["aum"])
    assert found.problem.tolist() == ["cannot be loaded: ImportError: no module named 'theirs'"]
    assert not found.passed.any()


def test_a_method_that_claims_nothing_passes(own_method):
    own_method("silent", detects=frozenset())
    found = self_check(["silent"])
    assert found.fault.tolist() == [""]
    assert found.passed.all()
    assert found.auroc.isna().all()


def test_an_unknown_method():
    with pytest.raises(UnknownNameError, match="nearest: aum"):
        self_check(["aumm"])


def test_the_command_prints_a_line_each_and_its_status_tells(own_method, monkeypatch, capsys):
    own_method("backwards", hard_when="low", detects=frozenset({"mislabel"}))
    monkeypatch.setattr(METHODS, "names", lambda: ["loss", "backwards"])
    assert main(["self-check"]) == 1
    said = capsys.readouterr()
    version, *lines = said.out.splitlines()
    assert "hcat-nb" in version
    assert [line.split()[:2] for line in lines] == [["loss", "mislabel"], ["backwards", "mislabel"]]
    assert [line.endswith("ok") for line in lines] == [True, False]
    assert said.err == "hcat: the self-check failed for backwards\n"
    monkeypatch.setattr(METHODS, "names", lambda: ["loss"])
    assert main(["self-check"]) == 0


def nearest_centre(dataset, is_hard, own):
    """Each sample's distances to the means of the sound samples of each class, and the nearest."""
    x = dataset.features.numpy()
    centres = np.stack([x[~is_hard & (own == code)].mean(axis=0) for code in range(4)])
    distances = np.linalg.norm(x[:, None] - centres, axis=2)
    return distances, distances.argmin(axis=1)


@pytest.mark.parametrize("fault", FAULTS)
def test_one_in_ten_has_the_fault_and_the_rest_is_sound(fault):
    dataset, is_hard = planted(fault, 0)
    labels = dataset.labels.numpy()
    assert is_hard.sum() == 40
    assert dataset.class_counts.sum() == 400
    distances, nearest = nearest_centre(dataset, is_hard, labels)
    assert (nearest == labels)[~is_hard].all()
    own, other = np.sort(distances[is_hard], axis=1)[:, :2].T
    sound = np.sort(distances[~is_hard], axis=1)[:, 0]
    if fault == "mislabel":  # each lies in the midst of another class
        assert (nearest != labels)[is_hard].all()
        assert own.mean() == pytest.approx(sound.mean(), rel=0.1)
    elif fault == "boundary":  # the two nearest classes are as near
        # 6 / sqrt(2) = 4.2 from both; the noise of sd 1 in 12 columns moves it to 5.4
        assert np.abs(own - other).mean() < 2
        assert own.mean() > sound.mean() + 1
    else:  # beyond all classes: 6 from the origin, at a right angle to every class's axis
        assert own.mean() > sound.mean() + 3
        right = (nearest == labels)[is_hard].mean()
        assert right > 0.6 if fault == "atypical" else right < 0.5


def test_same_seed_same_table_other_seed_other_table():
    first, again, other = (planted("ood", seed)[0].features for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_network_fits_the_tables_and_drops_units():
    dataset, _ = planted("ood", 0)
    network = small_network()
    assert network(dataset.features).shape == (400, 4)
    assert not torch.equal(network(dataset.features), network(dataset.features))
