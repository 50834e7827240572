"""The order of columns and of classes (A55, A61)."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from hcat_nb.api.characterize import characterize
from hcat_nb.api.characterize_dynamics import characterize_dynamics
from hcat_nb.data.loading import load
from hcat_nb.errors import DataError, ModelError
from hcat_nb.runs.execution.model_outputs import output_names, seem_probabilities

K, N = 12, 400
RNG = np.random.default_rng(0)
CODES = RNG.integers(0, K, N)
LOGITS = RNG.normal(size=(3, N, K))
LOGITS[:, np.arange(N), CODES] += 4


def accuracy(labels: object, logits: np.ndarray = LOGITS, **options: object) -> float:
    run = characterize_dynamics(logits=logits, labels=labels, methods="loss", **options)
    return float(run.history["accuracy"].iloc[-1])


def test_numbers_written_as_text_stand_in_the_order_of_numbers() -> None:
    assert accuracy((CODES + 1).astype(str)) > 0.9
    assert accuracy(pd.Series((CODES + 1).astype(str)).astype("category")) > 0.9


def test_a_shift_by_a_class_without_rows_stops_and_names_the_order() -> None:
    rows = CODES < K - 1  # labels 1..11 of 12 columns, which are read as 0..11
    with pytest.raises(DataError, match=r"hit .% of the labels.* 9\d% if .*1, 2, 3.*classes=") as e:
        accuracy((CODES + 1)[rows], LOGITS[:, rows])
    assert "11, 0, in this order" in str(e.value)
    assert accuracy((CODES + 1)[rows], LOGITS[:, rows], classes=range(1, K + 1)) > 0.9


def test_a_permutation_stops_and_the_order_that_it_names_is_right() -> None:
    order = RNG.permutation(4)
    labels = np.array(list("abcd"))[CODES % 4]
    logits = RNG.normal(size=(2, N, 4))
    logits[:, np.arange(N), np.argsort(order)[CODES % 4]] += 4
    named = [str(one) for one in np.array(list("abcd"))[order]]
    with pytest.raises(DataError, match=", ".join(map(repr, named))):
        accuracy(labels, logits)
    assert accuracy(labels, logits, classes=named) > 0.9


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_label_noise_is_no_reason_to_stop(share: float) -> None:
    wrong = RNG.random(N) < share
    assert accuracy(np.where(wrong, RNG.integers(0, K, N), CODES)) < 1
    if share < 0.6:
        assert accuracy(np.where(wrong, (CODES + 1) % K, CODES)) > 0.5


def trained(order: np.ndarray) -> tuple[nn.Module, torch.Tensor, np.ndarray]:
    """Return a module whose output ``i`` is of the digit ``order[i]``, and its data."""
    digits = load("digits")
    x = digits.features.flatten(1).float() / 16
    codes = torch.from_numpy(np.argsort(order))[digits.labels]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(64, 10))
    optimizer = torch.optim.Adam(net.parameters(), 0.05)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), codes).backward()
        optimizer.step()
    return net, x, digits.labels.numpy()


def test_a_trained_modules_outputs_in_an_order_of_their_own() -> None:
    order = np.array([3, 1, 2, 0, 5, 4, 9, 8, 7, 6])
    net, x, y = trained(order)
    options = {"epochs": 1, "methods": "loss", "normalize": "none"}
    with pytest.raises(DataError, match=r"outputs hit .*3, 1, 2, 0, 5, 4, 9, 8, 7, 6, in this"):
        characterize(x, y, model=net, **options)
    named = characterize(x, y, model=net, classes=order.tolist(), **options)
    assert named.history["accuracy"].iloc[0] > 0.9
    again = characterize(load(x, y).with_classes(order.tolist()), model=net, **options)
    assert again.scores.equals(named.scores)
    net.config = SimpleNamespace(id2label={i: str(one) for i, one in enumerate(order)})
    by_itself = characterize(x, y, model=net, **options)
    assert by_itself.info["dataset"]["class_values"] == order.tolist()
    assert by_itself.scores.equals(named.scores)
    assert any("the model's own names" in note for note in by_itself.info["notes"])


@pytest.mark.parametrize("seed", range(5))
def test_an_untrained_module_never_stops(seed: int) -> None:
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(30, 8), nn.ReLU(), nn.Linear(8, 2))
    for normalize in ("auto", "none"):
        characterize("breast_cancer", model=net, epochs=1, methods="loss", normalize=normalize)


def test_names_that_are_none_of_the_classes_say_nothing_and_half_of_them_are_refused() -> None:
    data = load(np.eye(4), ["oak", "elm", "oak", "elm"])
    net = nn.Linear(4, 2)
    net.config = SimpleNamespace(id2label={0: "LABEL_0", 1: "LABEL_1"})
    assert output_names(net, data) is None
    net.config = SimpleNamespace(id2label={0: "oak", 1: "ash"})
    with pytest.raises(ModelError, match="no output 'elm'"):
        output_names(net, data)
    del net.config
    net.classes_ = np.array(["oak", "elm"])
    assert output_names(net, data) == ("oak", "elm")


def test_a61_a_softmax_at_the_end_is_told() -> None:
    net = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))
    x, y = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 3
    run = characterize(x, y, model=net, epochs=1, methods="loss")
    assert any("take the softmax off" in note for note in run.info["notes"])
    run = characterize(x, y, model=lambda: net, epochs=1, methods="loss")
    assert any("take the softmax off" in note for note in run.info["notes"])
    probs = torch.softmax(torch.tensor(LOGITS), dim=-1)
    told = characterize_dynamics(logits=probs, labels=CODES, methods="loss").info["notes"]
    assert any("logits are never negative and add up to 1" in note for note in told)
    assert not seem_probabilities(probs.log()[0])
