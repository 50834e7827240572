"""Features go to the first place that holds them, or where they were asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

import hcat_nb as hcat
from hcat_nb.data.feature_stream import FeatureStream
from hcat_nb.errors import TooLargeError
from hcat_nb.runs.execution.placement import _SPARE, place_features

X = np.random.default_rng(0).normal(size=(100, 5)).astype(np.float32)
Y = np.arange(100) % 2
SIZE = X.nbytes
CPU = torch.device("cpu")
# Stands for a GPU: a device with a memory of its own, to which tensors can be moved.
OTHER = torch.device("meta")


def _placed(device: torch.device, data_on: str, *, free: int, on_disk: bool = False):
    dataset = hcat.load(X, Y, data_on="disk" if on_disk else "host")
    return dataset, place_features(dataset, device, data_on, 10, free)


@pytest.mark.parametrize(("asked", "found"), [("auto", "device"), ("host", "host")])
def test_on_a_cpu_features_in_memory_are_indexed_as_they_are(asked: str, found: str) -> None:
    dataset, placement = _placed(CPU, asked, free=0)
    assert placement.features is dataset.features
    assert (placement.data_on, placement.note) == (found, "")


def test_on_a_cpu_features_in_a_file_are_streamed() -> None:
    _, placement = _placed(CPU, "auto", free=0, on_disk=True)
    assert isinstance(placement.features, FeatureStream)
    assert placement.data_on == "disk"
    assert "memory-mapped file: batches are read ahead" in placement.note


@pytest.mark.parametrize("on_disk", [False, True])
def test_what_fits_moves_to_the_device(on_disk: bool) -> None:
    _, placement = _placed(OTHER, "auto", free=SIZE + 10 + _SPARE, on_disk=on_disk)
    assert isinstance(placement.features, Tensor)
    assert placement.features.device == OTHER
    assert placement.data_on == "device"


@pytest.mark.parametrize(
    ("on_disk", "where", "words"),
    [(False, "host", "host memory"), (True, "disk", "a memory-mapped file")],
)
def test_what_does_not_fit_is_streamed(on_disk: bool, where: str, words: str) -> None:
    _, placement = _placed(OTHER, "auto", free=SIZE + 10 + _SPARE - 1, on_disk=on_disk)
    assert isinstance(placement.features, FeatureStream)
    assert placement.features.device == OTHER
    assert placement.data_on == where
    assert f"stay in {words}: batches are read and copied to meta ahead" in placement.note


def test_who_asks_for_host_memory_gets_it_where_all_would_fit() -> None:
    _, placement = _placed(OTHER, "host", free=2**40)
    assert isinstance(placement.features, FeatureStream)


def test_who_asks_for_a_device_without_room_is_told() -> None:
    assert _placed(OTHER, "device", free=SIZE + 10)[1].data_on == "device"
    with pytest.raises(TooLargeError, match="on meta; to mend it: data_on=host"):
        _placed(OTHER, "device", free=SIZE + 9)
