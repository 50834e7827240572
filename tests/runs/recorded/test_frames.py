"""Dynamics in frames: rows by index, columns by class (A54)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from hcat_nb.api.characterize_dynamics import characterize_dynamics
from hcat_nb.errors import DataError

N, E = 120, 4
RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 3, N)
IDS = pd.Index(RNG.permutation(1000)[:N])
LABELS = pd.Series(np.array(list("abc"))[CODES], index=IDS)


def _probs(epoch: int) -> np.ndarray:
    z = RNG.normal(size=(N, 3))
    z[np.arange(N), CODES] += epoch + 1
    return np.exp(z) / np.exp(z).sum(1, keepdims=True)


PROBS = np.stack([_probs(epoch) for epoch in range(E)])
FRAMES = [
    pd.DataFrame(values, index=IDS, columns=list("abc"))[list("cab")].sample(frac=1, random_state=i)
    for i, values in enumerate(PROBS)
]


def scores(given: Any, labels: Any = LABELS, **options: Any) -> pd.DataFrame:
    return characterize_dynamics(given, labels, **options).scores


def test_rows_are_matched_by_index_and_columns_by_name() -> None:
    assert scores(FRAMES).equals(scores(PROBS))
    other = [frame[list(RNG.permutation(list("abc")))] for frame in FRAMES]
    assert scores(other).equals(scores(PROBS))
    mixed = scores(FRAMES, LABELS.sample(frac=1, random_state=9)).loc[IDS]
    # The detector's sums over rows, in another order, may differ in a float32's last digit.
    exact = scores(PROBS)
    pd.testing.assert_series_equal(mixed["detector"], exact["detector"], rtol=1e-6)
    assert mixed.drop(columns="detector").equals(exact.drop(columns="detector"))


def test_series_of_the_labels_probability_are_matched_too() -> None:
    own = PROBS[:, np.arange(N), CODES]
    series = [pd.Series(one, index=IDS).sample(frac=1, random_state=3) for one in own]
    assert scores(series).equals(scores(own))


def test_numbers_as_names() -> None:
    named = [frame.rename(columns={"a": "9", "b": "10", "c": "11"}) for frame in FRAMES]
    assert scores(named, LABELS.map({"a": 9, "b": 10, "c": 11})).equals(scores(PROBS))
    rare = [frame.assign(**{"12": 0.0}) for frame in named]  # a class that no sample has
    run = characterize_dynamics(rare, LABELS.map({"a": 9, "b": 10, "c": 11}))
    assert run.info["dataset"]["class_values"] == [9, 10, 11, 12]


def test_rows_that_an_epoch_lacks_were_not_recorded() -> None:
    short = [frame.iloc[2:] for frame in FRAMES]
    with pytest.raises(DataError, match="are not in all 4 epochs"):
        scores(short)
    assert len(scores(short, on_missing="keep")) == N


def test_frames_of_a_library_without_an_index_are_in_the_order_of_the_labels() -> None:
    polars = pytest.importorskip("polars", reason="needs polars")
    frames = [polars.DataFrame(dict(zip("abc", one.T, strict=True))) for one in PROBS]
    assert scores(frames).equals(scores(PROBS))


@pytest.mark.parametrize(
    ("change", "labels", "message"),
    [
        (lambda f: f.set_axis(list("xyz"), axis=1), LABELS, "the column 'x'.*'a', 'b', 'c'"),
        (lambda f: f.assign(loss=1.0), LABELS, "the column 'loss'"),
        (lambda f: f[["a", "b"]], LABELS, "no column 'c'"),
        (lambda f: f.reset_index(drop=True), LABELS, r"no label.*frame.set_axis\(labels.index\)"),
        (lambda f: f, LABELS.to_numpy(), "rows in different orders.*pandas.Series"),
        (lambda f: f["a"] if f is FRAMES[0] else f, LABELS, "DataFrame, Series"),
    ],
)
def test_what_cannot_be_matched_is_refused(change: Any, labels: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        scores([change(frame) for frame in FRAMES], labels)


def test_no_remedy_proposes_to_throw_the_names_away() -> None:
    with pytest.raises(DataError) as error:
        scores([{"a": 1}])
    assert "asarray" not in str(error.value)
    with pytest.raises(DataError, match=r"numpy\.asarray"):
        scores(PROBS.tolist())
    assert scores(np.asarray(PROBS.tolist())).equals(scores(PROBS))


@pytest.mark.parametrize("decimals", [1, 2, 3])
def test_rounded_probabilities_are_no_logits(decimals: int) -> None:
    run = characterize_dynamics(PROBS.round(decimals), LABELS)
    rounded = [note for note in run.info["notes"] if f"rounded to {decimals}" in note]
    assert len(rounded) == (decimals < 3)  # sums of three decimals stray by less than .01
    assert run.scores["loss"].corr(scores(PROBS)["loss"], method="spearman") > 0.95


def test_many_classes_named_by_columns_are_no_measurements() -> None:
    probs = RNG.dirichlet(np.ones(25), 60)
    labels = pd.Series(np.arange(60) % 24)
    frame = pd.DataFrame(probs, columns=[str(one) for one in range(24, -1, -1)])
    run = characterize_dynamics([frame, frame], labels, methods="loss")
    assert run.info["dataset"]["class_values"] == list(range(25))
    own = probs[np.arange(60), 24 - labels]
    assert run.details["confidence"].to_numpy() == pytest.approx(own, abs=1e-5)
