"""Data-IQ against the definition in plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.errors import SpecError
from hcat_nb.methods._groups import named
from hcat_nb.methods.base import Context
from hcat_nb.methods.dataiq import DataIQ, dataiq_groups
from hcat_nb.observation.record import Observation


def groups_of(confidence, uncertainty, **options):
    return named(dataiq_groups(confidence, uncertainty, **options))


def test_equals_doubt_minus_aleatoric(run, feed, softmax):
    labels, logits = run
    p = softmax(logits)[:, np.arange(len(labels)), labels]
    confidence, aleatoric = p.mean(0), (p * (1 - p)).mean(0)
    scores = feed(DataIQ(), labels, logits).scores().scores
    # p of one epoch is float32: 1e-7 of 1.
    np.testing.assert_allclose(scores, (1 - confidence) - aleatoric, rtol=0, atol=5e-7)


def test_sure_samples_keep_their_order_beyond_what_one_minus_p_can_tell():
    logits = torch.tensor([[20.0, 0.0], [25.0, 0.0], [30.0, 0.0]])
    method = DataIQ()
    method.begin(Context(torch.zeros(3, dtype=torch.int64), 2, 1))
    method.observe(Observation("epoch", 1, torch.arange(3), torch.zeros(3, dtype=int), logits))
    expected = (1 / (1 + np.exp([20.0, 25.0, 30.0]))) ** 2
    # Two float32 roundings of a relative error of 6e-8, and one exponential.
    np.testing.assert_allclose(method.scores().scores, expected, rtol=5e-6)


def test_flags_are_the_hard_group_of_the_paper_coordinates(run, feed, softmax):
    labels, logits = run
    logits = logits.copy()
    logits[:, :60][:, np.arange(60), labels[:60]] -= 12  # learned as something else
    p = softmax(logits)[:, np.arange(len(labels)), labels]
    confidence, aleatoric = p.mean(0), (p * (1 - p)).mean(0)
    expected = (confidence <= 0.25) & (aleatoric <= np.median(aleatoric))
    assert 20 < expected.sum() < 120
    assert feed(DataIQ(), labels, logits).flagged().tolist() == expected.tolist()


def test_groups_by_a_loop():
    rng = np.random.default_rng(0)
    confidence = rng.random(101)
    aleatoric = confidence * (1 - confidence) * rng.random(101)
    middle = sorted(aleatoric)[50]
    expected = []
    for c, a in zip(confidence, aleatoric, strict=True):
        if a <= middle and c >= 0.75:
            expected.append("easy")
        elif a <= middle and c <= 0.25:
            expected.append("hard")
        else:
            expected.append("ambiguous")
    assert groups_of(confidence, aleatoric).tolist() == expected
    assert set(expected) == {"easy", "ambiguous", "hard"}


def test_hcat_groups_take_an_absolute_threshold():
    confidence = np.array([0.85, 0.85, 0.78, 0.15, 0.22])
    aleatoric = np.array([0.15, 0.16, 0.01, 0.15, 0.01])
    groups = groups_of(confidence, aleatoric, upper=0.8, lower=0.2, threshold=0.15)
    assert groups.tolist() == ["easy", "ambiguous", "ambiguous", "hard", "ambiguous"]


def test_samples_without_place_have_no_group_and_move_no_percentile():
    confidence = np.array([0.9, 0.1, np.nan, 0.9, 0.9])
    aleatoric = np.array([0.01, 0.02, 0.0, 0.2, np.nan])
    assert groups_of(confidence, aleatoric).tolist() == ["easy", "hard", "", "ambiguous", ""]
    assert groups_of(np.full(2, np.nan), np.full(2, np.nan)).tolist() == ["", ""]


@pytest.mark.parametrize("options", [{"upper": 0.2}, {"percentile": 101}, {"lower": 0.9}])
def test_thresholds_that_make_no_sense(options):
    with pytest.raises(SpecError):
        groups_of(np.zeros(2), np.zeros(2), **options)


def test_an_unknown_variant():
    with pytest.raises(SpecError, match=r"dataiq\.variant is 'h-cat'; expected one of paper, hcat"):
        DataIQ(variant="h-cat")
