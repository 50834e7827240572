"""ALLSH against the divergence in plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.errors import SpecError
from hcat_nb.methods.allsh import ALLSH, divergences
from hcat_nb.methods.base import Context
from hcat_nb.observation.record import Need, Observation


def score(method, logits, copies):
    n, n_classes = logits.shape
    method.begin(Context(torch.full((n,), -1), n_classes, 1))
    labels = torch.zeros(n, dtype=torch.int64)
    key = (Need.AUGMENTED, method.options(Need.AUGMENTED))
    for rows in torch.arange(n).split(17):
        method.observe(
            Observation("final", 1, rows, labels[rows], logits[rows], {key: copies[rows]})
        )
    return method.scores().scores.numpy()


@pytest.fixture(params=[0, 1])
def world(request, softmax):
    rng = np.random.default_rng(request.param)
    logits = rng.normal(0, 3, (100, 4)).astype(np.float32)
    copies = (logits[:, None] + rng.normal(0, 1, (100, 5, 4))).astype(np.float32)
    p, q = softmax(logits.astype(float))[:, None], softmax(copies.astype(float))
    expected = (p * np.log(p / q)).sum(2)
    return torch.from_numpy(logits), torch.from_numpy(copies), expected


@pytest.mark.parametrize(("reduce", "over"), [("mean", np.mean), ("max", np.max)])
def test_it_is_the_divergence_of_the_copies_from_the_sample(world, reduce, over):
    logits, copies, expected = world
    scores = score(ALLSH(k=5, reduce=reduce), logits, copies)
    # one rounding to float32
    np.testing.assert_allclose(scores, over(expected, axis=1), rtol=1e-6)


def test_equal_predictions_have_none():
    logits = torch.randn(6, 4) * 10
    assert (divergences(logits, logits[:, None].expand(6, 3, 4)) == 0).all()


def test_saturated_predictions_are_finite():
    logits = torch.tensor([[1e4, -1e4]])
    found = divergences(logits, torch.tensor([[[-1e4, 1e4], [1e4, -1e4]]]))
    assert found.tolist() == [[2e4, 0.0]]


def test_tiny_differences_are_not_lost():
    # KL of p = (1/2, 1/2) to logits (d, 0) is d^2 / 8 to leading order: 1e-14 below float32's 1.
    found = divergences(torch.zeros(1, 2), torch.tensor([[[1e-6, 0.0]]]))
    assert found.item() == pytest.approx(1e-12 / 8, rel=1e-2)


def test_options_reach_the_observer():
    assert ALLSH(k=2, strength=0.5, noise=0.2).options(Need.AUGMENTED) == (
        ("k", 2),
        ("strength", 0.5),
        ("noise", 0.2),
        ("redrawn", 0.1),
    )
    hcat = ALLSH(k=7, variant="hcat")
    options = dict(hcat.options(Need.AUGMENTED))
    assert (options["k"], options["as_hcat"], hcat.hard_when) == (1, True, "low")


@pytest.mark.parametrize(
    "options",
    [{"k": 0}, {"k": 2.0}, {"reduce": "sum"}, {"strength": -1}, {"strength": "1"}, {"noise": -1.0}],
)
def test_option_out_of_range(options):
    with pytest.raises(SpecError, match=r"allsh\.(k|reduce|strength|noise) is .*expected"):
        ALLSH(**options)
