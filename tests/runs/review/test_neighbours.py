"""Neighbours of samples, for people and panels."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_distances

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import load_run
from hcat_nb.data.loading import load
from hcat_nb.errors import SpecError, StoreError
from hcat_nb.models.lenet import LeNet
from hcat_nb.runs.review import neighbours as module
from hcat_nb.runs.review.neighbours import NearestOfLabel


@pytest.fixture(scope="module")
def scaled():
    x = load("wine").features.numpy().astype(np.float64)
    return (x - x.mean(0)) / x.std(0)


def test_they_are_the_nearest_by_cosine(table_run, scaled):
    frame = table_run.neighbours([3, 90], 4)
    assert list(frame) == ["sample_id", "neighbour", "rank", "distance", "label", "same_label"]
    distance = cosine_distances(scaled)
    np.fill_diagonal(distance, np.inf)
    for sample in (3, 90):
        some = frame[frame["sample_id"] == sample]
        nearest = distance[sample].argsort()[:4]
        assert some["neighbour"].tolist() == nearest.tolist()
        assert some["rank"].tolist() == [0, 1, 2, 3]
        np.testing.assert_allclose(some["distance"], distance[sample, nearest], atol=1e-6)
        label = table_run.details["label"]
        assert some["label"].tolist() == label.iloc[nearest].tolist()
        assert some["same_label"].tolist() == (label.iloc[nearest] == label[sample]).tolist()


def test_the_judges_score_follows_from_them(image_run):
    sample = image_run.hardest(1, by="knn_label").ids[0]
    frame = image_run.neighbours(sample)
    weights = 1 / (1 + frame["rank"])
    share = (weights * ~frame["same_label"]).sum() / weights.sum()
    assert share == pytest.approx(image_run.details["knn_label"][sample], abs=1e-6)


def test_a_loaded_run_makes_data_and_model_again(image_run, tmp_path):
    loaded = load_run(image_run.save(tmp_path / "run"))
    assert loaded.neighbours(loaded.scores.index[:2], 3).equals(
        image_run.neighbours(image_run.scores.index[:2], 3)
    )


def test_an_array_is_a_space(table_run):
    line = np.stack([np.ones(178), np.linspace(0, 1, 178)], axis=1)
    assert table_run.neighbours(0, 2, space=line)["neighbour"].tolist() == [1, 2]
    with pytest.raises(SpecError, match="space has 5 rows; expected 178"):
        table_run.neighbours(0, space=line[:5])


def test_unlabelled_samples_have_neighbours_and_are_nobodys():
    x = np.array([[1.0, 0], [1, 0.1], [1, 0.2], [1, 0.3], [1, 0.4], [0, 1]])
    run = characterize(
        x, [0, None, 1, 0, 1, 1], on_missing_label="keep", epochs=1, methods="aum", normalize="none"
    )
    frame = run.neighbours([1, 0], 2, space=x)
    assert frame["neighbour"].tolist() == [2, 0, 2, 3]
    assert frame["same_label"].tolist() == [False, False, False, True]


def test_what_cannot_be_asked_is_refused(image_run):
    with pytest.raises(SpecError, match="k is 0"):
        image_run.neighbours(0, 0)
    with pytest.raises(SpecError, match="space is 'pixels'; expected one of auto, input"):
        image_run.neighbours(image_run.scores.index[0], space="pixels")
    own = characterize("digits", subset=40, model=LeNet, epochs=1, methods="aum")
    with pytest.raises(StoreError, match="cannot be made again"):
        own.neighbours(own.scores.index[0], space="embedding")


def test_features_that_were_not_kept_are_asked_for():
    images = np.random.default_rng(0).integers(0, 256, (40, 1, 8, 8)).astype(np.uint8)
    own = np.random.default_rng(1).normal(size=(40, 3))
    run = characterize(images, np.arange(40) % 2, features=own, epochs=1, methods="el2n")
    with pytest.raises(StoreError, match=r"looked at features \(own\) that it did not keep"):
        run.neighbours([0])
    assert len(run.neighbours([0], 5, space=own)) == 5


def test_the_nearest_of_a_label_are_those_by_cosine(table_run, scaled):
    near = NearestOfLabel(table_run, table_run.dataset)
    distance = cosine_distances(scaled)
    np.fill_diagonal(distance, np.inf)
    codes = table_run.details["label"].cat.codes.to_numpy()
    for sample in (3, 90):
        assert near.of(sample, 5).tolist() == distance[sample].argsort()[:5].tolist()
        for code in range(3):
            apart = np.where(codes == code, distance[sample], np.inf)
            assert near.of(sample, 5, code).tolist() == apart.argsort()[:5].tolist()


def test_many_numbers_are_not_looked_through_while_a_person_waits(table_run, monkeypatch):
    monkeypatch.setattr(module, "_QUICK", {"input": 10, "embedding": 10})
    near = NearestOfLabel(table_run, table_run.dataset)
    assert near.of(3, 5).size == 0
    assert "run.neighbours(id)" in near.why_not


def test_a_model_that_cannot_be_made_again_says_why(image_run):
    bare = image_run.without_data()
    bare.info = {**bare.info, "judges": {"knn_label": {"options": {"space": "embedding"}}}}
    near = NearestOfLabel(bare, image_run.dataset)
    assert near.of(0, 5).size == 0
    assert "cannot be made again" in near.why_not
