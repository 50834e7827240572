"""Each pair of methods over the same blocks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.errors import SpecError
from hcat_nb.evaluation.dominance import rank_biserial, who_beats_whom


def by_hand(gaps: np.ndarray) -> float:
    """Kerby's simple difference formula, written as loops."""
    kept = [gap for gap in gaps if gap != 0]
    for_first = against = 0.0
    for gap in kept:
        rank = sum(abs(other) < abs(gap) for other in kept)
        rank += (sum(abs(other) == abs(gap) for other in kept) + 1) / 2
        for_first, against = (for_first + rank, against) if gap > 0 else (for_first, against + rank)
    return (for_first - against) / (for_first + against)


def test_the_effect_is_the_simple_difference() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        gaps = rng.integers(-4, 5, 15).astype(float)  # ties and zeros among them
        assert rank_biserial(gaps) == pytest.approx(by_hand(gaps))
    many = rng.normal(size=(3, 4, 9))
    np.testing.assert_allclose(
        rank_biserial(many), np.apply_along_axis(by_hand, -1, many), rtol=1e-12
    )
    assert rank_biserial([0.0, 0.0]) == 0


@pytest.fixture
def values() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    base = rng.random(30)
    return pd.DataFrame(
        {"a": base + 0.1, "b": base, "c": base + rng.normal(0, 0.1, 30), "d": base + 0.1}
    )


@pytest.fixture
def p_values(values: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(0.3, index=values.columns, columns=values.columns)


def test_each_ordered_pair_and_its_mirror(values: pd.DataFrame, p_values: pd.DataFrame) -> None:
    found = who_beats_whom(values, p_values).set_index(["first", "second"])
    assert len(found) == 12
    a_b = found.loc[("a", "b")]
    assert (a_b.wins, a_b.ties, a_b.losses, a_b.n) == (30, 0, 0, 30)
    assert a_b.effect == a_b.effect_low == a_b.effect_high == 1
    assert a_b.difference == pytest.approx(0.1)
    assert (found.loc[("a", "d")].ties, found.loc[("a", "d")].effect) == (30, 0)
    mirrored = found.swaplevel().loc[found.index]
    for name in ("difference", "effect"):
        np.testing.assert_allclose(found[name], -mirrored[name])
        np.testing.assert_allclose(found[f"{name}_low"], -mirrored[f"{name}_high"])
    assert (found["difference_low"] <= found["difference"] + 1e-12).all()
    np.testing.assert_array_equal(found["wins"], mirrored["losses"])


def test_the_interval_is_about_two_standard_errors_wide(
    values: pd.DataFrame, p_values: pd.DataFrame
) -> None:
    found = who_beats_whom(values, p_values, n_resamples=4000).set_index(["first", "second"])
    row = found.loc[("c", "b")]
    error = (values["c"] - values["b"]).std(ddof=1) / np.sqrt(30)
    # 30 blocks make the percentile interval 2 % narrower, 4,000 resamples move its ends by 2 %
    assert row.difference_high - row.difference_low == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_the_seed_decides_and_lower_may_be_better(
    values: pd.DataFrame, p_values: pd.DataFrame
) -> None:
    first, again = (who_beats_whom(values, p_values, seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(who_beats_whom(values, p_values, seed=4))
    lower = who_beats_whom(values, p_values, higher_is_better=False)
    np.testing.assert_allclose(lower["effect"], -first["effect"])
    plain = who_beats_whom(values, p_values, n_resamples=0)
    assert plain["effect_low"].isna().all()
    with pytest.raises(SpecError, match="n_resamples is -1"):
        who_beats_whom(values, p_values, n_resamples=-1)


def test_one_block_gives_no_interval(values: pd.DataFrame, p_values: pd.DataFrame) -> None:
    found = who_beats_whom(values.head(1), p_values).set_index(["first", "second"])
    assert found.loc[("a", "b")].effect == 1
    ends = ["difference_low", "difference_high", "effect_low", "effect_high"]
    assert found[ends].isna().all(axis=None)
