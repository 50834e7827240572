from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.errors import DataError, SpecError
from hcat_nb.perturbations.crop_shift import CropShift


def expected(image, by, fill):
    """Return (channels, height, width) moved to the right, with NumPy's slices."""
    out = np.empty_like(image)
    out[:] = np.asarray(fill)[:, None, None]
    if by > 0:
        out[:, :, by:] = image[:, :, :-by]
    else:
        out[:, :, :by] = image[:, :, -by:]
    return out


def border_median(image):
    mask = np.ones(image.shape[1:], dtype=bool)
    mask[1:-1, 1:-1] = False
    border = np.sort(image[:, mask], axis=1)
    return border[:, (border.shape[1] - 1) // 2]


@pytest.mark.parametrize(("side", "pixels"), [(28, 10), (32, 11), (8, 3)])
def test_moved_by_the_published_share_to_either_side(noise_images, side, pixels):
    data = noise_images(60, channels=3, side=side)
    result = CropShift()(data, 0.5, 0)
    moved = []
    for row in np.flatnonzero(result.truth.is_hard):
        before, after = data.features[row].numpy(), result.dataset.features[row].numpy()
        fill = border_median(before)
        ways = [by for by in (pixels, -pixels) if (expected(before, by, fill) == after).all()]
        assert len(ways) == 1
        moved += ways
    assert set(moved) == {pixels, -pixels}
    # Binomial(30, .5): sd 2.7; 4 sd.
    assert abs(moved.count(pixels) - 15) < 11


def test_a_list_of_shares(noise_images):
    result = CropShift(strength=[0.25, 0.5])(noise_images(), 0.5, 0)
    assert set(result.truth.strength.dropna()) == {0.25, 0.5}


def test_hcat_moves_right_and_fills_with_the_middle_of_the_range(noise_images):
    data = noise_images(side=28)
    result = CropShift(variant="hcat")(data, 0.5, 0)
    for row in np.flatnonzero(result.truth.is_hard):
        before, after = data.features[row].numpy(), result.dataset.features[row].numpy()
        assert (expected(before, 10, [128]) == after).all()


def test_an_image_that_looks_the_same_when_moved_is_never_drawn(images, noise_images):
    features = noise_images(20).features.clone()
    features[:5] = 9
    features[5:8] = torch.arange(8, dtype=torch.uint8)[:, None]  # stripes: the fill differs
    chosen = [CropShift()(images(features), 0.5, seed).truth.is_hard for seed in range(20)]
    assert not any(flags[:5].any() for flags in chosen)
    assert any(flags[5:8].any() for flags in chosen)


@pytest.mark.parametrize("share", [0, 1, -0.1, 2])
def test_share_outside_its_range(share):
    with pytest.raises(SpecError, match="expected a number above 0 and below 1"):
        CropShift(strength=share)


def test_images_one_pixel_wide(images):
    with pytest.raises(DataError, match="one pixel wide"):
        CropShift()(images(torch.rand(10, 1, 8, 1)), 0.5, 0)
