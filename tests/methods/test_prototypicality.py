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


def clustered(method, labels, embeddings, **how):
    method.begin(Context(labels, 4, 1, seed=3))
    sweep(method, labels, embeddings, 0, **how)
    return method.scores()


def test_kmeans_measures_from_the_centre_of_a_cluster(world):
    labels, x = world
    centres = 20 * np.eye(4, 7)
    embeddings = torch.from_numpy(x / 10 + centres[labels]).float()
    found = clustered(Prototypicality(prototypes="kmeans"), torch.from_numpy(labels), embeddings)
    # The clusters are so far apart that they are the classes, whose means are known.
    expected = score(labels, embeddings).scores
    # Centroids are means up to scikit-learn's tolerance and float64 rounding.
    np.testing.assert_allclose(found.scores, expected, rtol=0, atol=1e-6)


def test_kmeans_knows_no_labels(world):
    labels, x = world
    embeddings, codes = torch.from_numpy(x).float(), torch.from_numpy(labels)
    expected = clustered(Prototypicality(prototypes="kmeans"), codes, embeddings)
    missing = torch.full_like(codes, -1)
    found = clustered(Prototypicality(prototypes="kmeans"), missing, embeddings)
    assert torch.equal(found.scores, expected.scores)
    assert not any(found.status)


def test_one_cluster_has_the_mean_of_all(world):
    labels, x = world
    x = x.astype(np.float32).astype(float)
    mean = x.mean(0)
    expected = 1 - x @ mean / np.linalg.norm(x, axis=1) / np.linalg.norm(mean)
    method = Prototypicality(prototypes="kmeans", k=1)
    found = clustered(method, torch.from_numpy(labels), torch.from_numpy(x).float())
    np.testing.assert_allclose(found.scores, expected, rtol=0, atol=3e-7)


def test_kmeans_state_is_the_embeddings(world):
    labels, x = world
    codes, embeddings = torch.from_numpy(labels), torch.from_numpy(x).float()
    first, second = (Prototypicality(prototypes="kmeans") for _ in range(2))
    for method in (first, second):
        method.begin(Context(codes, 4, 1, seed=3))
    sweep(first, codes, embeddings, 0, rows=torch.arange(100))
    second.load_state(first.state())
    for method in (first, second):
        sweep(method, codes, embeddings, 0, rows=torch.arange(100, 200))
    assert torch.equal(first.scores().scores, second.scores().scores)


@pytest.mark.parametrize("options", [{"prototypes": "medoids"}, {"prototypes": "kmeans", "k": 0}])
def test_kmeans_option_out_of_range(options):
    with pytest.raises(SpecError, match=r"prototypicality\.(prototypes|k) is .*expected"):
        Prototypicality(**options)


def test_clusters_that_make_no_sense():
    with pytest.raises(SpecError, match=r"class means have no k; .*prototypes=kmeans"):
        Prototypicality(k=3)
    with pytest.raises(SpecError, match=r"k is 4, and 3 samples can be read"):
        Prototypicality(prototypes="kmeans").begin(Context(torch.zeros(3).long(), 4, 1))
