from __future__ import annotations

import numpy as np
import pytest

from hcat_nb.errors import SpecError
from hcat_nb.perturbations.zoom_shift import ZoomShift


def bilinear(image, factor):
    """Return the centre of (height, width) enlarged, one pixel at a time."""
    height, width = image.shape
    out = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            y = np.clip((i + 0.5 - height / 2) / factor + height / 2 - 0.5, 0, height - 1)
            x = np.clip((j + 0.5 - width / 2) / factor + width / 2 - 0.5, 0, width - 1)
            top, left = int(y), int(x)
            below, right = min(top + 1, height - 1), min(left + 1, width - 1)
            a, b = y - top, x - left
            out[i, j] = (1 - a) * ((1 - b) * image[top, left] + b * image[top, right]) + a * (
                (1 - b) * image[below, left] + b * image[below, right]
            )
    return out


@pytest.mark.parametrize("factor", [1.2, 1.75, 3.0])
@pytest.mark.parametrize("size", [(8, 8), (7, 10)])
def test_equals_bilinear_interpolation_of_the_centre(images, factor, size):
    rng = np.random.default_rng(0)
    data = images(rng.random((6, 2, *size), dtype=np.float32))
    result = ZoomShift(strength=factor, keep_extremes=False)(data, 0.5, 0)
    for row in np.flatnonzero(result.truth.is_hard):
        for channel in range(2):
            expected = bilinear(data.features[row, channel].numpy(), factor)
            found = result.dataset.features[row, channel].numpy()
            # float32 coordinates on a side of 10 are good to 1e-6.
            np.testing.assert_allclose(found, expected, atol=1e-5)


def test_published_factor_is_the_centre_of_16_of_28_pixels(images):
    # H-CAT crops int(28 / 1.75) = 16 pixels from the middle.
    picture = np.zeros((2, 1, 28, 28), dtype=np.uint8)
    picture[..., 6:22, 6:22] = 200
    picture[..., 0, 0] = 1
    result = ZoomShift()(images(picture), 0.5, 0)
    hard = result.truth.is_hard.to_numpy(copy=True)
    assert int(result.dataset.features[hard][..., 1:-1, 1:-1].min()) == 200


def test_a_list_of_factors_is_drawn_from_and_recorded(images):
    rng = np.random.default_rng(0)
    data = images(rng.random((60, 1, 8, 8), dtype=np.float32))
    result = ZoomShift(strength=[1.5, 2.5], keep_extremes=False)(data, 0.5, 0)
    truth = result.truth.reset_index(drop=True)
    assert set(truth.strength.dropna()) == {1.5, 2.5}
    for row in np.flatnonzero(truth.is_hard):
        expected = bilinear(data.features[row, 0].numpy(), truth.strength[row])
        np.testing.assert_allclose(result.dataset.features[row, 0].numpy(), expected, atol=1e-5)


def test_images_that_do_not_change_are_never_drawn(images, noise_images):
    features = noise_images(20).features.clone()
    features[:8] = 7  # blank
    truth = ZoomShift()(images(features), 0.5, 0).truth
    assert not truth.is_hard[:8].any()
    with pytest.raises(SpecError, match=r"changes 15 samples of 20, more than 'zoom_shift' can"):
        ZoomShift()(images(features), 0.75, 0)


@pytest.mark.parametrize("factor", [1.0, 0.5, "big"])
def test_a_factor_that_does_not_enlarge(factor):
    with pytest.raises(SpecError, match=r"strength is .*expected a number above 1"):
        ZoomShift(strength=factor)
