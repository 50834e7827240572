from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.metrics import balanced_accuracy_score
from sklearn.tree import DecisionTreeClassifier

from hcat_nb.checks.alone import above_chance, alone, leaks, order_finding, priced, sampled
from hcat_nb.checks.finding import LOOK, SEVERE
from hcat_nb.checks.profile import profiles

N = 600


def scores_of(frame: pd.DataFrame, labels: np.ndarray) -> dict[str, float]:
    rows = sampled(len(labels), frame.shape[1])
    k = int(labels.max()) + 1
    return {one.name: alone(one, labels, rows, k) for one in profiles(frame)}


def severities(frame: pd.DataFrame, labels: np.ndarray) -> list[tuple[str, tuple[str, ...]]]:
    columns = profiles(frame)
    found = leaks(columns, scores_of(frame, labels), int(labels.max()) + 1)
    return [(one.severity, one.columns) for one in priced(found, columns, labels)]


@pytest.fixture
def noise() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(size=(N, 3)), columns=list("pqr"))


@pytest.mark.parametrize("share", [0.5, 0.03])
@pytest.mark.parametrize("noisy", [False, True])
def test_a_number_cut_at_a_threshold_gives_the_label_away(
    noise: pd.DataFrame, share: float, noisy: bool
) -> None:
    """A minority of 18 rows too, which no quantile bin holds alone."""
    labels = (noise["p"].rank(pct=True) <= share).astype(int).to_numpy(copy=True)
    if noisy and share == 0.5:
        labels[0] = 1 - labels[0]
    assert scores_of(noise, labels)["p"] > 0.99
    assert severities(noise, labels) == [(SEVERE, ("p",))]


def test_copies_of_the_label_are_told_together(noise: pd.DataFrame) -> None:
    labels = np.arange(N) * 7 % 3
    frame = noise.assign(
        word=np.array(["x", "y", "z"])[labels], code=[9, 2, 5] * (N // 3), part=labels == 1
    )
    ((severity, columns),) = severities(frame.assign(code=np.array([9, 2, 5])[labels]), labels)
    assert (severity, columns) == (SEVERE, ("word", "code"))


def test_a_class_in_two_intervals_is_found(noise: pd.DataFrame) -> None:
    labels = (noise["q"].abs() < 0.7).astype(int).to_numpy()
    assert severities(noise, labels) == [(SEVERE, ("q",))]


def test_noise_gives_nothing_away(noise: pd.DataFrame) -> None:
    labels = np.random.default_rng(1).integers(0, 4, N)
    assert max(scores_of(noise, labels).values()) < 0.35
    assert severities(noise, labels) == []


def test_ties_in_the_order_of_the_rows_give_nothing_away(noise: pd.DataFrame) -> None:
    """Sorted by class, rows of one value must not be taken for neighbours of one class."""
    labels = np.repeat([0, 1], N // 2)
    frame = noise.assign(flag=np.arange(N) % 2, many=np.arange(N) % 90)
    assert max(scores_of(frame, labels).values()) < 0.6


def test_an_easy_task_is_no_leak(noise: pd.DataFrame) -> None:
    labels = np.arange(N) % 2
    frame = noise.assign(a=noise["p"] + 9 * labels, b=noise["q"] + 4 * labels)
    assert severities(frame, labels) == [(LOOK, ())]
    iris = load_iris(as_frame=True)
    assert severities(iris.data, iris.target.to_numpy()) == []


def test_a_score_is_about_that_of_a_small_tree(noise: pd.DataFrame) -> None:
    rng = np.random.default_rng(3)
    labels = (noise["p"] + 0.5 * rng.normal(size=N) > 0.3).astype(int).to_numpy()
    half = N // 2
    tree = DecisionTreeClassifier(max_depth=1, class_weight="balanced")
    tree.fit(noise[["p"]][:half], labels[:half])
    expected = balanced_accuracy_score(labels[half:], tree.predict(noise[["p"]][half:]))
    # 64 bins of ten rows each guess worse than one cut, by some hundredths
    assert scores_of(noise, labels)["p"] == pytest.approx(expected, abs=0.08)


def test_the_price_says_what_is_left_without(noise: pd.DataFrame) -> None:
    labels = (noise["p"] > 0).astype(int).to_numpy()
    columns = profiles(noise)
    (found,) = priced(leaks(columns, scores_of(noise, labels), 2), columns, labels)
    with_it, without = (float(part.split()[-1]) for part in found.price.split(" with", 2)[:2])
    assert with_it > 0.97
    assert without < 0.65


def test_chance_is_nothing_and_certainty_all() -> None:
    assert above_chance(0.25, 4) == 0
    assert above_chance(1.0, 4) == 1


def test_sorted_rows_tell_the_class_and_shuffled_ones_do_not() -> None:
    labels = np.repeat(np.arange(5), 40)
    assert [one.kind for one in order_finding(labels, 5)] == ["order"]
    assert order_finding(np.random.default_rng(0).permutation(labels), 5) == []
    assert order_finding(np.arange(200) % 5, 5) == []


def test_of_many_columns_fewer_rows_are_taken() -> None:
    assert len(sampled(100_000, 50)) == 20_000
    assert len(sampled(100_000, 1000)) == 2000
    assert sorted(sampled(300, 5)) == list(range(300))
