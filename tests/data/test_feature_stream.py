"""Batches of streamed features are the rows that indexing gives, in order, read ahead or not."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from torch import Tensor

from hcat_nb.data import feature_stream
from hcat_nb.data.feature_stream import FeatureStream, streamed

CPU = torch.device("cpu")


def _readers() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("hcat-features")]


@pytest.fixture(params=["table", "images"])
def features(request: pytest.FixtureRequest) -> Tensor:
    rng = np.random.default_rng(0)
    if request.param == "table":
        return torch.from_numpy(rng.normal(size=(500, 7)).astype(np.float32))
    return torch.from_numpy(rng.integers(0, 256, size=(500, 3, 4, 4), dtype=np.uint8))


def test_stands_in_for_a_tensor(features: Tensor) -> None:
    stream = FeatureStream(features, CPU)
    rows = torch.tensor([3, 499, 0, 3])
    assert torch.equal(stream[rows], features[rows])
    assert stream[rows].dtype == features.dtype
    assert (len(stream), stream.shape, stream.numel()) == (500, features.shape, features.numel())


@pytest.mark.parametrize("gathered", [1, 2000, 2**22], ids=["one", "several", "all"])
@pytest.mark.parametrize("ahead", [1, 2**28])
def test_batches_are_those_of_indexing(
    features: Tensor, gathered: int, ahead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_stream, "_GATHERED", gathered)
    monkeypatch.setattr(feature_stream, "_AHEAD_BYTES", ahead)
    order = torch.randperm(500, generator=torch.Generator().manual_seed(1))
    parts = [*order.split(64)[:-1], order[448:449], order[449:]]
    found = list(streamed(FeatureStream(features, CPU), parts))
    assert len(found) == len(parts)
    for part, batch in zip(parts, found, strict=True):
        assert torch.equal(batch, features[part])
    assert _readers() == []


def test_no_parts_no_batches(features: Tensor) -> None:
    assert list(streamed(FeatureStream(features, CPU), [])) == []


def test_a_tensor_is_indexed_and_starts_no_thread(features: Tensor) -> None:
    batches = streamed(features, torch.arange(500).split(100))
    assert torch.equal(next(batches), features[:100])
    assert _readers() == []


def test_who_stops_halfway_leaves_no_thread(
    features: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_stream, "_GATHERED", 1)
    batches = streamed(FeatureStream(features, CPU), torch.arange(500).split(10))
    next(batches)
    assert _readers() != []
    batches.close()  # type: ignore[attr-defined]  # as the garbage collector does
    assert _readers() == []


def test_what_fails_while_reading_ahead_arrives(
    features: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(feature_stream.np, "take", broken)
    with pytest.raises(OSError, match="the disk is gone"):
        list(streamed(FeatureStream(features, CPU), torch.arange(500).split(10)))
    assert _readers() == []


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_batches_arrive_on_the_device(features: Tensor) -> None:
    parts = torch.randperm(500).cuda().split(64)
    for part, batch in zip(
        parts, streamed(FeatureStream(features, torch.device("cuda")), parts), strict=True
    ):
        assert batch.device.type == "cuda"
        assert torch.equal(batch.cpu(), features[part.cpu()])
