"""Large numbers close together (A48)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.api.characterize import characterize
from hcat_nb.data.loading import load
from hcat_nb.data.reading.offsets import difference, find_offset, find_offsets
from hcat_nb.perturbations._apply import perturb
from hcat_nb.runs.review.before_after import before_and_after

N = 90
TIMES = 1_700_000_000 + np.arange(N) % 45
Y = np.arange(N) % 45 // 20
SPREAD = np.random.default_rng(0).normal(size=N)


def frame(tmp_path: Path) -> Any:
    return pd.DataFrame({"ts": TIMES, "x": SPREAD})


def array(tmp_path: Path) -> Any:
    return np.column_stack([TIMES.astype(np.float64), SPREAD])


def tensor(tmp_path: Path) -> Any:
    return torch.tensor(TIMES)[:, None]


def npy(tmp_path: Path) -> Any:
    np.save(tmp_path / "x.npy", array(tmp_path))
    return tmp_path / "x.npy"


def memmap(tmp_path: Path) -> Any:
    np.save(tmp_path / "m.npy", array(tmp_path))
    return np.load(tmp_path / "m.npy", mmap_mode="r")


@pytest.mark.parametrize("make", [frame, array, tensor, npy, memmap])
@pytest.mark.parametrize("data_on", ["auto", "disk"])
def test_a_column_that_would_collapse_is_kept_as_a_difference(
    make: Any, data_on: str, tmp_path: Path
) -> None:
    made = load(make(tmp_path), Y, data_on=data_on)
    assert len(made.features[:, 0].unique()) == 45
    assert made.numbers()[:, 0].tolist() == TIMES.tolist()
    assert any("less 1700000022" in note for note in made.notes)
    if make is not tensor:  # the other column, to the bit
        assert made.features[:, 1].numpy().tobytes() == SPREAD.astype(np.float32).tobytes()


def test_the_model_learns_from_it_as_from_the_shifted_column() -> None:
    options: dict[str, Any] = {"epochs": 30, "methods": "loss", "seed": 0}
    moved = characterize(TIMES[:, None], Y, **options).history["accuracy"].iloc[-1]
    shifted = characterize((TIMES - 1_700_000_022)[:, None], Y, **options)
    assert moved == shifted.history["accuracy"].iloc[-1] > 0.8


def test_decimals_of_large_numbers_stay() -> None:
    made = load(pd.DataFrame({"north": 5_412_345 + 0.3 * Y}), Y)
    assert made.numbers()[:, 0] == pytest.approx(5_412_345 + 0.3 * Y, abs=1e-6)


@pytest.mark.parametrize(
    "values",
    [
        SPREAD,
        np.random.default_rng(0).random(200_000),  # some are equal as float32, by chance
        np.random.default_rng(0).normal(100, 15, 1000),
        np.arange(N),
        np.arange(N) * 2**20,
        np.full(N, 1.7e9),
        np.full(N, np.nan),
        TIMES.astype(np.float32),
        np.arange(N) % 2 == 0,
        0.1 + np.arange(N) * 1e-17,  # not told apart in float64 either
    ],
)
def test_others_stay_as_they_are(values: np.ndarray) -> None:
    assert find_offset(values) is None
    assert find_offsets(values[:, None]) == {}


def test_a_stray_0_does_not_hide_it() -> None:
    found = find_offset(np.append(TIMES, 0))
    assert found is not None
    assert (found.lost, found.distinct) == (0, 46)


def test_what_collapses_still_is_named_with_its_count() -> None:
    ids = np.append(TIMES, np.arange(4) + 2**40)
    made = load(pd.DataFrame({"ident": ids}), np.arange(len(ids)) % 2)
    assert any("'ident': 3 of 49 distinct values are equal" in note for note in made.notes)


def test_whole_numbers_beyond_float64_are_exact() -> None:
    values = 2**60 + np.arange(5)
    assert difference(values, 2.0**60).tolist() == [0, 1, 2, 3, 4]
    assert difference(values.astype(np.uint64), 2.0**60).tolist() == [0, 1, 2, 3, 4]
    assert difference(np.array([-(2**62), 2**62]), -(2.0**62)).tolist() == [0, 2.0**63]


def test_a_number_to_impute_is_in_the_units_of_the_user() -> None:
    column = pd.Series(TIMES.astype(object))
    column[3] = None
    made = load(pd.DataFrame({"ts": column.astype("Int64")}), Y, impute=1_700_000_001)
    assert made.numbers([3]).tolist() == [[1_700_000_001]]


def test_galleries_and_perturbations_show_the_users_numbers() -> None:
    clean = load(TIMES[:, None], Y)
    noisy = perturb(clean, "id_covariate", p=0.2, seed=0)
    assert noisy.dataset.offsets == clean.offsets
    after = noisy.dataset.numbers()[:, 0]
    assert np.abs(after - TIMES).max() < 1000
    shown = before_and_after(clean, noisy, k=1)._repr_html_()
    assert "17000000" in shown


def test_what_is_too_small_for_float32_is_told() -> None:
    tiny = [0.0, 1e-120, 1e-60, 1e-50]  # beside the last the second is a rounding error
    notes = " ".join(load(np.array([tiny]).T, [0, 1, 0, 1]).notes)
    assert "column 0: 2 of 3 distinct values are equal" in notes
    assert "rescale the column" in notes
    assert not load(np.array([[0.0, 1e-30, 1e-20, 1.0]]).T, [0, 1, 0, 1]).notes
