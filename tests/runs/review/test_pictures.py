"""Samples as PNG files: their pixels, read back by Pillow."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from hcat_nb.data.loading import load
from hcat_nb.runs.review.pictures import data_url, png, sprite


def read(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture)))


def images(channels: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (4, channels, 6, 5)
    return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_are_those_of_the_sample(channels):
    dataset = load(images(channels), [0, 1, 0, 1])
    expected = dataset.features[2].permute(1, 2, 0).numpy()
    assert np.array_equal(read(png(dataset, 2)).reshape(expected.shape), expected)


def test_other_numbers_of_channels_show_their_mean():
    dataset = load(images(1), [0, 1, 0, 1])
    two = torch.cat([dataset.features, torch.zeros_like(dataset.features)], dim=1)
    dataset = dataset.replace(features=two)
    assert np.array_equal(read(png(dataset, 1)), images(1)[1, 0].numpy() // 2)


def test_the_valid_range_becomes_black_to_white():
    pixels = read(png(load("digits"), 0))
    raw = load("digits").features[0, 0].numpy()
    assert np.array_equal(pixels, np.round(raw / 16 * 255))


def test_the_url_holds_the_file():
    head, _, body = data_url(b"\x89PNG").partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(body) == b"\x89PNG"


@pytest.mark.parametrize("channels", [1, 3])
def test_a_sprite_holds_each_image_in_the_middle_of_its_square(channels):
    dataset = load(images(channels), [0, 1, 0, 1])
    made = sprite(dataset, np.array([3, 1]), largest=96)
    assert (made.columns, made.rows, made.pixels) == (2, 1, 6)
    sheet = read(made.png)
    for place, row in enumerate((3, 1)):
        cell = sheet[:, place * 6 : place * 6 + 5]
        expected = dataset.features[row].permute(1, 2, 0).numpy()
        assert np.array_equal(cell[..., :-1], expected)
    assert not sheet[:, [5, 11]].any()


def test_large_images_are_reduced_by_means():
    pixels = torch.zeros(2, 1, 8, 4)
    pixels[:, :, ::2] = 1.0
    made = sprite(load(pixels, [0, 1]).replace(value_range=(0.0, 1.0)), np.array([0]), largest=4)
    sheet = read(made.png)
    assert sheet.shape == (4, 4, 2)
    assert set(sheet[:, 1:3, 0].ravel()) <= {127, 128}
    assert not sheet[:, [0, 3], 1].any()
