"""Lists, tensors, arrays and pictures as one array."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import sparse

from hcat_nb.data.reading.arrays import as_array, stack
from hcat_nb.errors import DataError


def test_rows_of_numbers_take_the_widest_type() -> None:
    array, channels_first = stack([[1, 2], [1.5, 2]], 2)
    assert array.tolist() == [[1.0, 2.0], [1.5, 2.0]]
    assert not channels_first


def test_a_tensor_says_that_channels_come_first() -> None:
    array, channels_first, owned = as_array(torch.zeros(2, 3, 3, 3, dtype=torch.bfloat16))
    assert (array.dtype, channels_first, owned) == (np.float32, True, False)


@pytest.mark.parametrize(
    ("mode", "color", "pixel", "dtype"),
    [
        ("L", 200, [200], np.uint8),
        ("1", 1, [255], np.uint8),
        ("RGB", (1, 2, 3), [1, 2, 3], np.uint8),
        ("RGBA", (1, 2, 3, 4), [1, 2, 3, 4], np.uint8),
        ("CMYK", (0, 0, 0, 0), [255, 255, 255], np.uint8),
        ("I;16", 60_000, [60_000], np.float32),
    ],
)
def test_pictures_become_channels_by_height_by_width(
    mode: str, color: object, pixel: list[int], dtype: type
) -> None:
    image = Image.new(mode, (5, 4), color)
    array, channels_first = stack([image, image], 2)
    assert array.shape == (2, len(pixel), 4, 5)
    assert array[1, :, 3, 4].tolist() == pixel
    assert array.dtype == dtype
    assert channels_first


def test_the_first_two_positions_of_differing_shape_are_named() -> None:
    samples = [torch.zeros(1, 8, 8), torch.zeros(1, 8, 8), torch.zeros(1, 8, 9)]
    with pytest.raises(DataError, match=r"samples 0 and 2 .*\(1, 8, 8\) and \(1, 8, 9\)"):
        stack(samples, 3)


def test_pixels_in_bytes_and_in_floats_are_not_joined() -> None:
    samples = [torch.zeros(1, 2, 2, dtype=torch.uint8), torch.zeros(1, 2, 2)]
    with pytest.raises(DataError, match="samples 0 and 1 have the types uint8 and float32"):
        stack(samples, 2)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([["a", "b"]], "sample 0 is not numeric"),
        ([[1.0, 2.0], [[1.0], [2.0, 3.0]]], "sample 1 is no array"),
        (np.ma.masked_equal([[1.0, 2.0]], 1.0), "masked"),
        (sparse.eye_array(3), r"toarray\(\)"),
        (torch.eye(3).to_sparse(), r"to_dense\(\)"),
        ({"a": [1]}, "type dict cannot be read"),
    ],
)
def test_what_is_no_array_is_refused(features: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        as_array(features)
