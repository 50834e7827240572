"""Layout, type, value range and unreadable rows of features."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.data.reading.features import Features, to_features
from hcat_nb.errors import DataError

RNG = np.random.default_rng(0)


def _read(array: np.ndarray, channels_first: bool = False) -> Features:
    return to_features(array, channels_first=channels_first, owned=False)


@pytest.mark.parametrize("dtype", [np.int64, np.int8, bool, np.float64, np.float16, ">f4", "u2"])
def test_tables_become_float32(dtype: str) -> None:
    array = np.array([[0, 1], [1, 0]]).astype(dtype)
    features = _read(array)
    assert features.tensor.dtype == torch.float32
    assert features.tensor.tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_bytes_of_a_table_become_float32_and_of_images_stay() -> None:
    assert _read(np.zeros((3, 5), np.uint8)).tensor.dtype == torch.float32
    images = _read(np.zeros((3, 1, 5, 5), np.uint8))
    assert images.tensor.dtype == torch.uint8
    assert images.value_range == (0, 255)


@pytest.mark.parametrize(
    ("shape", "read_as", "note"),
    [
        ((5, 8, 9), (5, 1, 8, 9), "N x H x W with one channel"),
        ((5, 3, 8, 9), (5, 3, 8, 9), None),
        ((5, 8, 9, 3), (5, 3, 8, 9), "N x H x W x C"),
    ],
)
def test_the_layout_is_read_off_the_shape(
    shape: tuple[int, ...], read_as: tuple[int, ...], note: str | None
) -> None:
    array = RNG.integers(0, 255, shape, dtype=np.uint8)
    features = _read(array)
    assert tuple(features.tensor.shape) == read_as
    axes = (0, 3, 1, 2) if note == "N x H x W x C" else range(array.ndim)
    assert np.array_equal(features.tensor.numpy().ravel(), array.transpose(*axes).ravel())
    assert bool(features.notes) == (note is not None)
    assert note is None or features.notes[0].endswith(note)


@pytest.mark.parametrize("shape", [(5, 3, 8, 3), (5, 12, 8, 8)])
def test_an_ambiguous_shape_is_refused_and_a_tensor_settles_it(shape: tuple[int, ...]) -> None:
    array = np.zeros(shape, np.float32)
    with pytest.raises(DataError, match=r"torch\.as_tensor"):
        _read(array)
    assert tuple(_read(array, channels_first=True).tensor.shape) == shape


@pytest.mark.parametrize(
    ("low", "high", "value_range"),
    [(0, 1, (0, 1)), (0, 200, (0, 255)), (-0.5, 1, (-1, 1)), (-3, 7, (-3, 7)), (0, 300, (0, 300))],
)
def test_the_range_of_float_images_is_the_least_usual_one(
    low: float, high: float, value_range: tuple[float, float]
) -> None:
    images = np.zeros((2, 1, 5, 5))
    images[0, 0, 1, 1], images[1, 0, 2, 2] = low, high
    features = _read(images)
    assert features.value_range == value_range
    assert f"value range ({value_range[0]}, {value_range[1]})" in features.notes[0]


def test_an_unreadable_image_has_no_say_in_the_range() -> None:
    images = np.zeros((3, 1, 5, 5))
    images[1, 0, 0, 0], images[1, 0, 0, 1] = 900, np.nan
    features = _read(images)
    assert features.value_range == (0, 1)
    assert features.bad.tolist() == [False, True, False]


def test_nan_infinity_and_numbers_beyond_float32_are_found() -> None:
    table = np.ones((5, 3))
    table[1, 2], table[2, 0], table[3, 1] = np.nan, -np.inf, 1e39
    assert _read(table).bad.tolist() == [False, True, True, True, False]


def test_memory_is_shared_only_where_it_was_given_away() -> None:
    array = np.zeros((4, 3), np.float32)
    assert not np.shares_memory(_read(array).tensor.numpy(), array)
    given = to_features(array, channels_first=False, owned=True)
    assert np.shares_memory(given.tensor.numpy(), array)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(4), r"reshape\(-1, 1\)"),
        (np.zeros((2, 1, 1, 1, 1)), "shape"),
        (np.zeros((3, 0)), "at least one feature"),
        (np.array([["a"]]), "not numeric"),
        (np.zeros((2, 2), complex), "complex128, which is not numeric"),
        (np.zeros((2, 2), "M8[s]"), "not numeric"),
    ],
)
def test_what_is_no_feature_is_refused(array: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        _read(array)
