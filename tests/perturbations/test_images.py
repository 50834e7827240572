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
    grey_levels,
    redrawn,
    with_extremes,
)

VALID = (0.0, 255.0)
BYTES = np.random.default_rng(0).integers(0, 256, (50, 1, 8, 8))
BYTES[0, 0, 0, :2] = 0, 255
# How users write bytes as floats, and the valid range that this gives.
FORMULAS = {
    "share": (lambda x: x.astype(np.float32) / 255, (0.0, 1.0)),
    "double": (lambda x: (x / 255).astype(np.float32), (0.0, 1.0)),
    "product": (lambda x: x.astype(np.float32) * np.float32(1 / 255), (0.0, 1.0)),
    "signed": (lambda x: x.astype(np.float32) / np.float32(127.5) - 1, (-1.0, 1.0)),
    "halves": (lambda x: (x.astype(np.float32) / 255 - 0.5) / np.float32(0.5), (-1.0, 1.0)),
    "bytes": (lambda x: x.astype(np.float32), (0.0, 255.0)),
    "standard": (
        lambda x: (x.astype(np.float32) / 255 - np.float32(0.1307)) / np.float32(0.3081),
        (-0.42421296, 2.8214867),
    ),
}


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


def pieces(images, size=10):
    return [torch.from_numpy(images[at : at + size]) for at in range(0, len(images), size)]


@pytest.mark.parametrize("name", FORMULAS)
def test_bytes_as_floats_have_the_levels_that_the_formula_gives(name):
    formula, valid = FORMULAS[name]
    images = formula(BYTES)
    levels = grey_levels(pieces(images), 0, valid)
    wanted = torch.from_numpy(np.unique(images))
    assert len(wanted) == 256  # all occur, so that bits can be compared
    assert torch.equal(levels.values, wanted)
    assert torch.equal(levels.nearest(torch.from_numpy(images)), torch.from_numpy(images))
    generator = torch.Generator().manual_seed(0)
    others = torch.rand(500, generator=generator) * (valid[1] - valid[0]) + valid[0]
    distance = (others[:, None] - wanted).abs()
    # The nearest, but for ties within rounding of float32.
    chosen = (others - levels.nearest(others)).abs()
    torch.testing.assert_close(chosen, distance.min(dim=1).values, atol=1e-6 * valid[1], rtol=0)


def test_levels_that_do_not_occur_are_filled_in_up_to_the_valid_range():
    images = (np.arange(100, 200, 3).repeat(2).reshape(1, 1, 4, 17) / 255).astype(np.float32)
    images[0, 0, 0, 0] = np.float32(101 / 255)
    levels = grey_levels(pieces(images), 0, (0.0, 1.0))
    np.testing.assert_allclose(levels.values, np.arange(256) / 255, atol=1e-6)
    assert np.isin(images, levels.values).all()
    assert levels.nearest(torch.tensor([-9.0, 9.0])).tolist() == [levels.values[0], 1.0]


def test_a_level_that_only_a_later_block_shows_halves_the_step():
    images = np.stack([np.arange(0, 128, 2), np.arange(64)]).reshape(2, 1, 8, 8)
    levels = grey_levels(pieces(images.astype(np.float32), 1), 0, (0.0, 255.0))
    assert levels.values.tolist() == list(range(256))


@pytest.mark.parametrize(
    "images",
    [
        np.random.default_rng(0).random((4, 1, 8, 8)),  # any numbers, few
        np.random.default_rng(0).random((40, 1, 8, 8)),
        np.sqrt(BYTES / 255),  # levels, unevenly spaced
        BYTES % 2,  # black and white
        np.full((3, 1, 8, 8), 0.5),
        np.zeros((0, 1, 8, 8)),
    ],
)
def test_what_has_no_grey_levels(images):
    assert grey_levels(pieces(images.astype(np.float32)), 0, (0.0, 1.0)) is None


def test_two_floats_for_one_level_are_no_levels():
    images = (BYTES / 255).astype(np.float32)
    images[3, 0, 0, 0] = np.nextafter(images[3, 0, 0, 0], np.float32(2))
    assert grey_levels(pieces(images), 0, (0.0, 1.0)) is None
