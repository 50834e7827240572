from __future__ import annotations

import numpy as np
import pytest

from hcat_nb.charts.data_map import CONFIDENCE, X_AXES
from hcat_nb.jupyter.frames import small
from hcat_nb.jupyter.replay import Replay

N = 50
AXIS = X_AXES["variability"]


def filled(epochs: int, budget: int = 10**9) -> tuple[Replay, dict[int, np.ndarray]]:
    rng = np.random.default_rng(0)
    replay, places = Replay(AXIS, CONFIDENCE, budget), {}
    for epoch in range(1, epochs + 1):
        x, y = rng.random(N) / 2, rng.random(N)
        x[0] = y[0] = np.nan
        if epoch == 1:
            y[1] = np.nan
        places[epoch] = np.stack([x, y])
        extras = {"curves": {"epoch": small(np.array([epoch]))}}
        replay.keep(epoch, f"epoch {epoch}", x, y, extras)
    return replay, places


def test_an_epoch_comes_back_as_it_was() -> None:
    replay, places = filled(5)
    assert replay.epochs == [1, 2, 3, 4, 5]
    assert replay.note() == ""
    heading, x, y, extras = replay.at(3)
    assert heading == "epoch 3"
    assert extras["curves"]["epoch"].data == bytes([3])
    # half a step of 65,534, and float32
    np.testing.assert_allclose(x, places[3][0], atol=0.5 * 0.5 / 65534 * 1.01)
    np.testing.assert_allclose(y, places[3][1], atol=0.5 / 65534 * 1.01)
    assert np.isnan([x[0], y[0]]).all()


def test_a_sample_is_followed_through_the_epochs() -> None:
    replay, places = filled(5)
    epochs, x, y = replay.trail(7)
    assert epochs.tolist() == [1, 2, 3, 4, 5]
    np.testing.assert_allclose(x, [places[e][0, 7] for e in epochs], atol=4e-6)
    np.testing.assert_allclose(y, [places[e][1, 7] for e in epochs], atol=8e-6)
    assert replay.trail(1)[0].tolist() == [2, 3, 4, 5]  # it had no place in the first
    assert [len(part) for part in replay.trail(0)] == [0, 0, 0]


@pytest.mark.parametrize("epochs", [3, 10, 11, 64, 100])
def test_a_budget_keeps_evenly_spaced_epochs_and_the_last(epochs: int) -> None:
    budget = 8 * (N * 4 + 1)  # bytes of eight epochs, coordinates and one count
    replay, _ = filled(epochs, budget)
    kept = replay.epochs
    assert len(kept) <= 8
    assert kept[0] == 1
    assert kept[-1] == epochs
    steps = set(np.diff(kept[:-1]).tolist())
    assert len(steps) <= 1
    if epochs > 8:
        (stride,) = steps
        assert len(kept) >= 4
        assert f"every {stride}" in replay.note()
        assert kept[-1] - kept[-2] <= stride


def test_what_stands_beside_the_map_counts_too() -> None:
    curves = {"curves": {"epoch": small(np.zeros(1000, dtype=np.int64))}}
    replay = Replay(AXIS, CONFIDENCE, budget=50_000)
    for epoch in range(1, 501):
        replay.keep(epoch, "", np.zeros(2), np.zeros(2), curves)
    kept = [replay.at(epoch)[3] for epoch in replay.epochs]
    assert 25 <= len(kept) <= 50  # of 1,008 bytes each
    assert (replay.epochs[0], replay.epochs[-1]) == (1, 500)


def test_two_epochs_are_kept_whatever_the_budget() -> None:
    replay, _ = filled(9, budget=1)
    assert replay.epochs == [1, 9]


def test_the_newest_epoch_gets_its_last_scores() -> None:
    replay, _ = filled(2)
    replay.amend({"curves": {"epoch": small(np.array([99]))}})
    assert replay.at(2)[3]["curves"]["epoch"].data == bytes([99])
    assert replay.at(1)[3]["curves"]["epoch"].data == bytes([1])


def test_what_is_dropped_is_not_made_up() -> None:
    replay, _ = filled(9, budget=1)
    with pytest.raises(KeyError):
        replay.at(5)
