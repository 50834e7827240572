from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.errors import DataError
from hcat_nb.perturbations import _images
from hcat_nb.perturbations._images import (
    Pixels,
    background,
    blocks,
    clipped,
    grey,
    redrawn,
    with_extremes,
)

VALID = (0.0, 255.0)


@pytest.mark.parametrize("scale", [1.0, 1 / 255])
def test_extremes_are_taken_over_to_the_last_bit(scale):
    generator = torch.Generator().manual_seed(0)
    images, like = (torch.rand(200, 3, 6, 6, generator=generator) * scale for _ in range(2))
    result = with_extremes(images, like, VALID)
    for end in (torch.amin, torch.amax):
        assert torch.equal(end(result, dim=(2, 3)), end(like, dim=(2, 3)))


def test_stretching_is_linear():
    images = torch.tensor([2.0, 3.0, 6.0]).reshape(1, 1, 1, 3)
    like = torch.tensor([100.0, 112.0]).reshape(1, 1, 1, 2)
    assert with_extremes(images, like, VALID).flatten().tolist() == [100.0, 103.0, 112.0]


def test_the_grain_of_a_flat_region_is_not_blown_up():
    sky = torch.tensor([200.0, 201.0, 202.0]).reshape(1, 1, 1, 3)
    whole = torch.tensor([30.0, 201.5]).reshape(1, 1, 1, 2)
    assert with_extremes(sky, whole, VALID).flatten().tolist() == [200.0, 201.0, 201.5]


def test_where_there_is_nothing_to_stretch_or_to_keep():
    blank, bright = torch.full((1, 1, 1, 3), 100.0), torch.full((1, 1, 1, 3), 250.0)
    other = torch.tensor([0.0, 9.0, 200.0]).reshape(1, 1, 1, 3)
    beyond = torch.tensor([-7.0, 9.0, 400.0]).reshape(1, 1, 1, 3)
    assert with_extremes(bright, other, VALID).unique().tolist() == [200.0]
    for make in (with_extremes, clipped):
        assert make(beyond, blank, VALID).flatten().tolist() == [0.0, 9.0, 255.0]


def test_a_channel_of_one_value_stays_so_in_an_image_that_is_not_blank():
    opaque = torch.stack([torch.tensor([[10.0, 90.0]]), torch.tensor([[255.0, 255.0]])])[None]
    noisy = torch.tensor([[0.0, 300.0]]).expand(1, 2, 1, 2)
    assert clipped(noisy, opaque, VALID).tolist() == opaque.tolist()
    assert with_extremes(noisy, opaque, VALID).tolist() == opaque.tolist()


def test_background_is_the_median_of_the_border_by_channel():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (5, 3, 6, 7)).astype(np.float32)
    mask = np.ones((6, 7), dtype=bool)
    mask[1:-1, 1:-1] = False
    # 22 border pixels: the 11th in order.
    expected = np.sort(images[:, :, mask], axis=2)[:, :, 10]
    assert background(torch.from_numpy(images))[..., 0, 0].numpy().tolist() == expected.tolist()


def test_grey_is_luma_for_colour_and_leaves_transparency_out():
    colour = torch.tensor([10.0, 20.0, 30.0, 99.0]).reshape(1, 4, 1, 1)
    expected = pytest.approx(0.299 * 10 + 0.587 * 20 + 0.114 * 30)
    assert grey(colour[:, :3]).item() == expected
    assert grey(colour).item() == expected
    assert grey(colour[:, :2]).item() == 15.0


def test_integers_are_rounded_and_floats_of_no_grey_levels_are_not(images, noise_images):
    values = torch.tensor([1.4, 1.6]).reshape(1, 1, 1, 2)
    assert Pixels(noise_images()).nearest(values).flatten().tolist() == [1, 2]
    floats = torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(Pixels(images(floats)).nearest(values), values)


def test_channels_of_floats_have_grey_levels_of_their_own(images, noise_images):
    given = torch.cat([noise_images(channels=1).features / 255, torch.rand(40, 1, 8, 8)], dim=1)
    values = torch.full((1, 2, 1, 1), 0.3333)
    nearest = Pixels(images(given)).nearest(values).flatten()
    assert nearest.tolist() == [np.float32(85) / np.float32(255), values[0, 1].item()]
    assert (values == 0.3333).all()


def test_blocks_cover_all_rows_in_order(noise_images, monkeypatch):
    monkeypatch.setattr(_images, "_VALUES", 64 * 7)
    parts = list(blocks(torch.arange(40), noise_images()))
    assert [len(part) for part in parts] == [7, 7, 7, 7, 7, 5]
    assert torch.equal(torch.cat(parts), torch.arange(40))


def test_only_the_rows_are_redrawn(noise_images):
    data = noise_images()
    rows = torch.tensor([3, 17, 39])
    result = redrawn(data, rows, lambda images, places: 255 - images, "toy")
    assert torch.equal(result[rows], 255 - data.features[rows])
    rest = torch.ones(40, dtype=torch.bool)
    rest[rows] = False
    assert torch.equal(result[rest], data.features[rest])


def test_an_image_that_stays_the_same_is_made_again_and_no_other(noise_images):
    data, asked = noise_images(), []

    def make(images, places):
        asked.append(places.tolist())
        return images if len(asked) < 3 and 1 in places and len(places) == 1 else (
            torch.where(torch.tensor(places == 1)[:, None, None, None], images, 255 - images)
            if len(asked) == 1
            else 255 - images
        )  # fmt: skip

    redrawn(data, torch.tensor([4, 5, 6]), make, "toy")
    assert asked == [[0, 1, 2], [1], [1]]


def test_an_image_that_never_changes_is_an_error(noise_images):
    with pytest.raises(DataError, match="'toy' leaves 2 images of 'toy' as they are"):
        redrawn(noise_images(), torch.tensor([1, 2]), lambda images, places: images, "toy")
