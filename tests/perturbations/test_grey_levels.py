from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.perturbations._grey_levels import grey_levels

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


def blocks(images, size=10):
    return [torch.from_numpy(images[at : at + size]) for at in range(0, len(images), size)]


@pytest.mark.parametrize("name", FORMULAS)
def test_bytes_as_floats_have_the_levels_that_the_formula_gives(name):
    formula, valid = FORMULAS[name]
    images = formula(BYTES)
    levels = grey_levels(blocks(images), 0, valid)
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
    levels = grey_levels(blocks(images), 0, (0.0, 1.0))
    np.testing.assert_allclose(levels.values, np.arange(256) / 255, atol=1e-6)
    assert np.isin(images, levels.values).all()
    assert levels.nearest(torch.tensor([-9.0, 9.0])).tolist() == [levels.values[0], 1.0]


def test_a_level_that_only_a_later_block_shows_halves_the_step():
    images = np.stack([np.arange(0, 128, 2), np.arange(64)]).reshape(2, 1, 8, 8)
    levels = grey_levels(blocks(images.astype(np.float32), 1), 0, (0.0, 255.0))
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
    assert grey_levels(blocks(images.astype(np.float32)), 0, (0.0, 1.0)) is None


def test_two_floats_for_one_level_are_no_levels():
    images = (BYTES / 255).astype(np.float32)
    images[3, 0, 0, 0] = np.nextafter(images[3, 0, 0, 0], np.float32(2))
    assert grey_levels(blocks(images), 0, (0.0, 1.0)) is None
