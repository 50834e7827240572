"""MNIST: the small set in its layout, and the real one against torchvision's reading."""

from __future__ import annotations

import gzip
from pathlib import Path

import torch
import torchvision

from hcat_nb.data.sources.mnist import MNIST


def test_the_real_training_set_equals_torchvisions(shared_data: Path, tmp_path: Path) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for path in (shared_data / "MNIST" / "raw").glob("*.gz"):
        (raw / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    published = torchvision.datasets.MNIST(tmp_path, train=True)
    dataset = MNIST(root=shared_data, download=False).load()
    assert len(dataset) == MNIST.n_samples
    assert dataset.features.dtype == torch.uint8
    assert torch.equal(dataset.features[:, 0], published.data)
    assert torch.equal(dataset.labels, published.targets)
    assert dataset.class_values == tuple(range(10))
    assert dataset.value_range == (0, 255)
    assert not dataset.flip_keeps_label
