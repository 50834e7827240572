"""What the two kinds of Gaussian noise share, by the stronger one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.errors import DataError, SpecError
from hcat_nb.perturbations.id_covariate import IdCovariate
from hcat_nb.perturbations.ood_covariate import OodCovariate


def noise_of(data, result):
    hard = result.truth.is_hard.to_numpy(copy=True)
    return (result.dataset.features[hard].double() - data.features[hard].double()).numpy()


@pytest.mark.parametrize(
    ("features", "value_range", "rounding"),
    [
        (torch.full((60, 1, 20, 20), 128, dtype=torch.uint8), (0.0, 255.0), 1 / 255),
        (torch.full((60, 1, 20, 20), 0.5), (0.0, 1.0), 0),
        (torch.zeros(60, 3, 12, 12), (-1.0, 1.0), 0),
        (torch.full((60, 1, 20, 20), 8, dtype=torch.uint8), (0.0, 16.0), 1 / 16),
    ],
)
def test_standard_deviation_is_a_share_of_the_value_range(images, features, value_range, rounding):
    data = images(features, value_range)
    noise = noise_of(data, IdCovariate()(data, 0.5, 0)) / (value_range[1] - value_range[0])
    # At five deviations from either end nothing is clipped.  12,000 values or more:
    # the deviation is known to 1 %; rounding adds a variance of a twelfth of its square.
    assert noise.std() == pytest.approx(np.sqrt(0.1**2 + rounding**2 / 12), rel=0.03)
    assert abs(noise.mean()) < 4 * 0.1 / np.sqrt(noise.size)


def test_strong_noise_is_clipped_to_the_valid_range(images):
    data = images(torch.full((40, 1, 20, 20), 0.5))
    after = OodCovariate()(data, 0.5, 0).dataset.features
    assert after.min() == 0.0
    assert after.max() == 1.0


def test_an_image_keeps_its_own_extremes(images, noise_images):
    features = noise_images(40, side=16).features // 2 + 50
    data = images(features)
    own = OodCovariate()(data, 0.5, 0)
    hard = own.truth.is_hard.to_numpy(copy=True)
    for end in (torch.amin, torch.amax):
        kept = end(own.dataset.features[hard], dim=(2, 3))
        assert torch.equal(kept, end(features[hard], dim=(2, 3)))
    valid = OodCovariate(keep_extremes=False)(data, 0.5, 0).dataset.features[hard]
    assert (valid.flatten(1).min(1).values == 0).all()
    assert (valid.flatten(1).max(1).values == 255).all()


def test_each_pixel_has_noise_of_its_own(images):
    data = images(torch.full((40, 3, 12, 12), 0.5))
    noise = noise_of(data, IdCovariate()(data, 0.5, 0)).reshape(20, -1)
    correlation = np.corrcoef(noise)[~np.eye(20, dtype=bool)]
    # 432 pixels an image: sd .048; 380 pairs: 5 sd.
    assert np.abs(correlation).max() < 0.24


def test_a_list_of_strengths_is_recorded_and_used(images):
    data = images(torch.full((200, 1, 20, 20), 0.5))
    result = OodCovariate(strength=[0.05, 0.1])(data, 0.5, 0)
    hard = result.truth.is_hard.to_numpy()
    strength = result.truth.strength[hard].to_numpy()
    spread = noise_of(data, result).std(axis=(1, 2, 3))
    assert set(strength) == {0.05, 0.1}
    np.testing.assert_allclose(spread, strength, rtol=0.2)  # 400 pixels: 3.5 %, 5 sd


def test_hcat_lies_in_the_upper_half_of_the_range(images):
    data = images(torch.full((60, 1, 20, 20), 192, dtype=torch.uint8))
    result = OodCovariate(variant="hcat", strength=0.1)(data, 0.5, 0)
    # A half of the strength: .05 of 255, 5 deviations inside the upper half; rounding as above.
    assert noise_of(data, result).std() == pytest.approx(
        np.sqrt((0.05 * 255) ** 2 + 1 / 12), rel=0.03
    )
    dark = images(torch.zeros(60, 1, 20, 20, dtype=torch.uint8))
    result = OodCovariate(variant="hcat")(dark, 0.5, 0)
    assert result.dataset.features[result.truth.is_hard.to_numpy(copy=True)].min() == 128


def test_noise_too_weak_to_move_a_pixel(images):
    data = images(torch.full((40, 1, 4, 4), 128, dtype=torch.uint8))
    with pytest.raises(DataError, match=r"'id_covariate' leaves .* give a larger strength"):
        IdCovariate(strength=1e-6)(data, 0.5, 0)


@pytest.mark.parametrize("strength", [0, -0.5, float("nan"), "much"])
def test_strength_outside_its_range(strength):
    with pytest.raises(SpecError, match="strength is"):
        IdCovariate(strength=strength)


def columns(n=4000, seed=0):
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 3, n)
    return np.column_stack(
        [
            rng.normal(100, 20, n),
            np.round(rng.normal(5, 2, n), 1),
            rng.integers(0, 50, n),
            rng.integers(0, 2, n),
            kinds == 0,
            kinds == 1,
            kinds == 2,
            np.full(n, 3.0),
        ]
    ).astype(np.float32)


@pytest.mark.parametrize(("kind", "strength"), [(IdCovariate, 0.1), (OodCovariate, 0.5)])
def test_numeric_columns_get_noise_in_their_own_deviations(table, kind, strength):
    data = table(columns())
    noise = noise_of(data, kind()(data, 0.5, 0))
    for column, unit in ((0, 0.0), (1, 0.1), (2, 1.0)):
        std = data.features[:, column].double().numpy().std()
        # 2,000 values: 1.6 %; 4 sd.
        expected = np.sqrt((strength * std) ** 2 + unit**2 / 12)
        assert noise[:, column].std() == pytest.approx(expected, rel=0.065)
    assert (noise[:, 3:] == 0).all()


def test_a_column_keeps_its_decimals(table):
    data = table(columns())
    after = OodCovariate()(data, 0.5, 0).dataset.features.double().numpy()
    for column, decimals in ((1, 1), (2, 0)):
        values = after[:, column]
        assert (np.round(values, decimals).astype(np.float32) == values).all()


def test_rows_that_rounding_left_as_they_were_are_drawn_again(table):
    data = table(np.arange(40)[:, None] % 4)
    # Deviation 1.1, strength .2: most draws round to 0.
    result = OodCovariate(strength=0.2)(data, 0.5, 0)
    hard = result.truth.is_hard.to_numpy()
    assert (noise_of(data, result) != 0).all()
    assert hard.sum() == 20


def test_weak_noise_on_whole_numbers(table):
    data = table(np.arange(40)[:, None] % 4)
    with pytest.raises(DataError, match=r"leaves 20 samples of 'toy' as they are"):
        OodCovariate(strength=1e-4)(data, 0.5, 0)


def test_a_table_without_numeric_columns(table):
    with pytest.raises(DataError, match="'ood_covariate' needs a numeric column"):
        OodCovariate()(table(columns()[:, 3:]), 0.5, 0)


def test_hcat_adds_raw_units_to_all_columns(table):
    data = table(columns())
    noise = noise_of(data, OodCovariate(variant="hcat")(data, 0.5, 0))
    # 2,000 values: 1.6 %; 4 sd.
    np.testing.assert_allclose(noise.std(axis=0), 0.5, rtol=0.065)


def test_unreadable_rows_do_not_count_as_values(table):
    features = columns()
    features[::2] = 0
    data = table(features)
    marked = data.replace(unreadable=torch.arange(len(data)) % 2 == 0)
    noise = noise_of(marked, OodCovariate()(marked, 0.5, 0))
    assert noise[:, 0].std() == pytest.approx(0.5 * features[1::2, 0].std(), rel=0.1)
