"""Confidence agreement against the definitions in plain NumPy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from hcat_nb.errors import SpecError
from hcat_nb.methods.base import Context
from hcat_nb.methods.conf_agree import ConfAgree, mean_divergence
from hcat_nb.observation.record import Need, Observation


def score(method, members):
    """Return the scores for sub-networks' probabilities (n, K, C)."""
    n, _, n_classes = members.shape
    method.begin(Context(torch.full((n,), -1), n_classes, 1))
    for rows in torch.arange(n).split(17):
        method.observe(
            Observation(
                "final",
                1,
                rows,
                torch.zeros(len(rows), dtype=torch.int64),
                torch.zeros(len(rows), n_classes),
                {(Need.DROPOUT, method.options(Need.DROPOUT)): members[rows]},
            )
        )
    return method.scores().scores.numpy()


@pytest.fixture(params=[0, 1])
def members(request, softmax):
    rng = np.random.default_rng(request.param)
    return torch.from_numpy(softmax(rng.normal(0, 3, (100, 10, 4)))).float()


def test_confidence_is_the_largest_of_the_mean(members):
    expected = 1 - members.numpy().astype(float).mean(1).max(1)
    # One float32 rounding of values up to 1.
    np.testing.assert_allclose(score(ConfAgree(), members), expected, rtol=0, atol=3e-7)


def test_agreement_is_the_mean_pairwise_divergence(members):
    def kl(p, q):
        return np.sum(p * np.log(p / q), axis=1)

    p = members.numpy().astype(float)
    pairs = list(itertools.combinations(range(10), 2))
    total = np.zeros(len(p))
    for i, j in pairs:
        middle = (p[:, i] + p[:, j]) / 2
        total += (kl(p[:, i], middle) + kl(p[:, j], middle)) / 2
    scores = score(ConfAgree(measure="agreement"), members)
    # The members' rows sum to 1 only within float32.
    np.testing.assert_allclose(scores, total / len(pairs), rtol=0, atol=1e-6)


def test_one_network_is_all_there_is_without_dropout(members):
    one = members[:, :1]
    expected = 1 - one.numpy()[:, 0].max(1)
    np.testing.assert_allclose(score(ConfAgree(), one), expected, rtol=0, atol=1e-7)
    assert (score(ConfAgree(measure="agreement"), one) == 0).all()


def test_divergence_of_saturated_members_is_finite():
    assert mean_divergence(torch.eye(2)[None]).item() == pytest.approx(np.log(2))


def test_options_reach_the_observer():
    assert ConfAgree(k=3, masks="per_sample").options(Need.DROPOUT) == (
        ("k", 3),
        ("masks", "per_sample"),
    )


def test_hcat_draws_masks_a_sample():
    expected = (("k", 10), ("masks", "per_sample"))
    assert ConfAgree(variant="hcat").options(Need.DROPOUT) == expected


@pytest.mark.parametrize(
    "options",
    [
        {"k": 0},
        {"k": 2.0},
        {"k": 1, "measure": "agreement"},
        {"masks": "no"},
        {"measure": "std"},
        {"variant": "hcat", "measure": "agreement"},
    ],
)
def test_option_out_of_range(options):
    with pytest.raises(SpecError, match=r"conf_agree\.(k|masks|measure) is .*expected"):
        ConfAgree(**options)
