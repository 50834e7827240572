"""Prototypicality against the definition in plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.errors import SpecError
from hcat_nb.methods.base import Context
from hcat_nb.methods.prototypicality import Prototypicality, cosine
from hcat_nb.observation.record import Need, Observation


def sweep(method, labels, embeddings, number, rows=None, batch=13):
    rows = torch.arange(len(labels)) if rows is None else rows
    for part in rows.split(batch):
        method.observe(
            Observation(
                "final",
                1,
                part,
                labels[part].clamp(min=0),
                torch.zeros(len(part), 4),
                {(Need.EMBEDDINGS, ()): embeddings[part]},
                sweep=number,
            )
        )


def score(labels, embeddings, **how):
    method = Prototypicality()
    labels = torch.as_tensor(labels)
    method.begin(Context(labels, 4, 1))
    sweep(method, labels, embeddings, 0, **how)
    sweep(method, labels, embeddings, 1, **how)
    return method.scores()


@pytest.fixture(params=[0, 1, 2])
def world(request):
    rng = np.random.default_rng(request.param)
    labels = rng.integers(0, 4, 200)
    return labels, rng.normal(0, 1, (200, 7)) + 2 * rng.normal(0, 1, (4, 7))[labels]


def test_equals_the_definition(world):
    labels, x = world
    embeddings = torch.from_numpy(x).float()
    x = embeddings.numpy().astype(np.float64)
    expected = []
    for e, y in zip(x, labels, strict=True):
        mean = x[labels == y].mean(0)
        expected.append(1 - e @ mean / np.linalg.norm(e) / np.linalg.norm(mean))
    scores = score(labels, embeddings).scores
    # The float32 of the result: 1e-7 of values up to 2.
    np.testing.assert_allclose(scores, expected, rtol=0, atol=3e-7)


def test_batches_and_order_leave_no_trace(world):
    labels, x = world
    embeddings = torch.from_numpy(x).float()
    order = torch.from_numpy(np.random.default_rng(9).permutation(200))
    torch.testing.assert_close(
        score(labels, embeddings).scores,
        score(labels, embeddings, rows=order, batch=200).scores,
        rtol=0,
        atol=1e-7,  # the last bit of float32; the sums are float64
    )


def test_zero_embedding_absent_and_lone_classes():
    labels = np.array([0, 0, 0, 1, 3, 3])
    embeddings = torch.tensor([[1.0, 0], [0, 0], [1, 0], [0, 1], [1, 1], [1, 1]])
    scored = score(labels, embeddings)
    np.testing.assert_allclose(scored.scores, [0, 1, 0, np.nan, 0, 0], atol=1e-7)
    assert scored.status == ["", "", "", "rare_class", "", ""]


def test_unlabelled_rows_move_no_prototype(world):
    labels, x = world
    embeddings = torch.from_numpy(x).float()
    whole = score(labels[:150], embeddings[:150]).scores
    labels = labels.copy()
    labels[150:] = -1
    scored = score(labels, embeddings)
    torch.testing.assert_close(scored.scores[:150], whole, rtol=0, atol=1e-7)
    assert scored.scores[150:].isnan().all()
    assert set(scored.status[150:]) == {"no_label"}


def test_state_before_and_after_the_width_is_known(world):
    labels, x = torch.from_numpy(world[0]), torch.from_numpy(world[1]).float()
    first = Prototypicality()
    first.begin(Context(labels, 4, 1))
    for number in (0, 1):
        second = Prototypicality()
        second.begin(Context(labels, 4, 1))
        second.load_state(first.state())
        sweep(second, labels, x, number)
        first = second
    assert torch.equal(first.scores().scores, score(world[0], x).scores)


@pytest.mark.parametrize("shape", [(3, 7), (7,), (4, 7, 1)])
def test_state_of_another_run_is_refused(world, shape):
    method = Prototypicality()
    method.begin(Context(torch.from_numpy(world[0]), 4, 1))
    state = {**method.state(), "sums": torch.zeros(shape, dtype=torch.float64)}
    with pytest.raises(SpecError, match=r"prototypicality.sums is"):
        method.load_state(state)


def test_cosine_stays_in_range():
    x = torch.full((1, 3), 1e-3) * torch.tensor([[1.0, 3.0, 7.0]])
    assert cosine(x, x).item() <= 1
    assert cosine(x, -x).item() >= -1
    assert cosine(x * 1e-30, x).item() == pytest.approx(1)  # small is not zero
